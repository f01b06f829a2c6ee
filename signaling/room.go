package signaling

import (
	"context"
	"time"

	"golang.org/x/time/rate"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/wire"
)

// defaultCodec is what every client can decode and a room begins with.
const defaultCodec = "VP8"

// room is the media side of one call as signaling sees it: which participant is which device. It belongs to the call's loop.
type room struct {
	byID     map[string]*participant
	byDevice map[call.Device]*participant
	codec    string
	speakers *wire.SpeakersEvent // as told last; nil before the first
}

// participant is one device in the room, from session.join until it leaves.
type participant struct {
	// Set at construction.
	id       string
	device   call.Device
	rights   call.Rights
	granted  bool // the right to moderate, by the token with which the device joined
	user     wire.UserView
	joinedAt time.Time

	admitted     bool // the media side took them in, and they have been told
	connected    bool
	silentSince  time.Time // while not connected: when it was last heard of; zero before the first connection
	announced    bool      // the others have been told
	offering     bool
	publications []wire.PublicationView
	quality      *wire.QualityView // as told last; nil before the first
	wishes       *rate.Limiter
	measured     time.Time // session.stats was taken last
	raised       time.Time // the hand that is up; zero: none is
}

func newRoom() room {
	return room{byID: map[string]*participant{}, byDevice: map[call.Device]*participant{}, codec: defaultCodec}
}

func (r *room) add(p *participant) { r.byID[p.id], r.byDevice[p.device] = p, p }

func (r *room) remove(p *participant) {
	delete(r.byID, p.id)
	if r.byDevice[p.device] == p {
		delete(r.byDevice, p.device)
	}
}

func (r *room) clear() {
	clear(r.byID)
	clear(r.byDevice)
}

// has reports whether p is still in the room.
func (r *room) has(p *participant) bool { return r.byID[p.id] == p }

// others addresses every admitted participant but one.
func (r *room) others(p *participant) []call.Recipient {
	var to []call.Recipient
	for _, other := range r.byID {
		if other != p && other.admitted {
			to = append(to, other.at())
		}
	}
	return to
}

// views shows the participants who are connected, but for one.
func (r *room) views(but *participant) []wire.ParticipantView {
	var out []wire.ParticipantView
	for _, p := range r.byID {
		if p != but && p.announced {
			out = append(out, p.view())
		}
	}
	return out
}

func (p *participant) at() call.Recipient {
	return call.Recipient{UID: p.device.UID, Device: p.device.ID}
}

func (p *participant) view() wire.ParticipantView {
	return wire.ParticipantView{
		ParticipantID: p.id, User: p.user, DeviceID: p.device.ID, JoinedAt: wire.Millis(p.joinedAt), Publications: p.publications,
		Quality: p.quality, RaisedAt: wire.Millis(p.raised),
	}
}

// dismiss takes a participant out, tells the others, and frees what the media side has of them.
func (l *loop) dismiss(now time.Time, p *participant, reason string) {
	l.removed(now, p, reason)
	l.worker.add(job{name: "leave", do: func(ctx context.Context) error {
		return l.server.deps.Media.Leave(ctx, l.id, p.id, reason)
	}})
}

// removed takes out a participant whom the media side knows no longer.
func (l *loop) removed(now time.Time, p *participant, reason string) {
	l.room.remove(p)
	if p.announced {
		l.tell(now, wire.EventSessionLeft, wire.LeftEvent{SessionID: l.id, ParticipantID: p.id, Reason: reason}, l.room.others(p)...)
	}
}
