package signaling

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/wire"
)

// answer is how a request ends, exactly once: with a result, or with a refusal. It never blocks, and may be called by any
// goroutine.
type answer func(result any, refusal *wire.Error)

// once makes sure that only the first answer counts, also when what gave it panics afterwards.
func once(reply answer) answer {
	var first sync.Once
	return func(result any, refusal *wire.Error) { first.Do(func() { reply(result, refusal) }) }
}

// joinSession lets a device into the room: the machine decides whether it may, the media side makes room for it.
func (l *loop) joinSession(join call.Join, moderator bool, reply answer) {
	now, by := time.Now(), join.By
	if l.full(by, join.Takeover) {
		reply(nil, wire.Refuse(wire.CodeRoomFull, "The room is full."))
		return
	}
	if refusal := l.apply(now, join); refusal != nil {
		reply(nil, refusal)
		return
	}
	if old := l.room.byDevice[by]; old != nil {
		l.dismiss(now, old, string(call.ReasonLeft)) // its client has started again
	}
	p := &participant{
		id: newID("p_"), device: by, user: l.user(by.UID), joinedAt: now, granted: moderator, wishes: rate.NewLimiter(wishRate, wishBurst),
	}
	if member, ok := l.call.Member(by.UID); ok {
		p.rights = member.Rights
	}
	l.room.add(p)
	l.box.present(by)
	l.waiting++
	place := MediaJoin{
		Room: l.id, Participant: p.id, UID: by.UID, Device: by.ID, Open: l.call.MediaOpen(),
		Pairs: l.pairs(p), MaxPairs: l.server.config.MaxPairs,
	}
	l.worker.add(job{
		name: "join",
		do:   func(ctx context.Context) error { return l.server.deps.Media.Join(ctx, place) },
		done: func(err error) {
			if !l.box.finish(func() { l.joined(p, err, reply) }) {
				reply(nil, goingDown())
			}
		},
	})
}

// full reports whether there is no place for one more device. Who comes in the place of a device needs no other.
func (l *loop) full(by call.Device, takeover bool) bool {
	if l.worker.full() {
		return true
	}
	for d := range l.room.byDevice {
		if d == by || takeover && d.UID == by.UID {
			return false
		}
	}
	return len(l.room.byDevice) >= l.server.config.MaxParticipants
}

// pairs is how many receive pairs a participant is told to offer first.
func (l *loop) pairs(p *participant) int {
	switch {
	case p.rights.SendOnly:
		return 0
	case l.call.ReceiverType == call.User:
		return 1
	}
	return l.server.config.Pairs
}

// joined answers a join when the media side is done with it.
func (l *loop) joined(p *participant, err error, reply answer) {
	l.waiting--
	switch {
	case err != nil:
		l.room.remove(p)
		l.box.present(p.device)
		reply(nil, mediaRefusal(err))
	case !l.room.has(p) && l.call.Terminal():
		reply(nil, wire.Refuse(wire.CodeTerminated, "The call has already ended.").With("call", l.published.Load().view))
	case !l.room.has(p):
		reply(nil, wire.Refuse(wire.CodeNotJoined, "This device is not in the session."))
	default:
		p.admitted = true
		reply(wire.JoinResult{
			ParticipantID: p.id, Call: l.published.Load().view, Participants: l.room.views(p),
			ICEServers: l.server.iceServers(p.device.UID, l.id), Pairs: l.pairs(p), VideoCodec: l.room.codec,
			Rights: l.rights(p),
		}, nil)
	}
}

// mediaRefusal is what the client hears of an error of the media side.
func mediaRefusal(err error) *wire.Error {
	var refusal *MediaError
	if errors.As(err, &refusal) {
		return wire.Refuse(refusal.Code, refusal.Message)
	}
	return wire.Internal()
}

// seat returns the device's participant, or the refusal for a device that has not joined.
func (l *loop) seat(by call.Device) (*participant, *wire.Error) {
	if p := l.room.byDevice[by]; p != nil && p.admitted {
		return p, nil
	}
	return nil, wire.Refuse(wire.CodeNotJoined, "This device is not in the session.")
}

// offer hands an offer to the media side. Different participants' offers go side by side; one participant's, one at a time.
func (l *loop) offer(by call.Device, params wire.OfferParams, reply answer) {
	p, refusal := l.seat(by)
	switch {
	case refusal != nil:
		reply(nil, refusal)
		return
	case p.offering:
		reply(nil, wire.Refuse(wire.CodeOfferInProgress, "Wait for the answer to the offer before."))
		return
	}
	if refusal := p.mayOffer(params); refusal != nil {
		reply(nil, refusal)
		return
	}
	p.offering = true
	l.waiting++
	offer := MediaOffer{Room: l.id, Participant: p.id, SDP: params.SDP, ICERestart: params.ICERestart}
	for _, publication := range params.Publications {
		offer.Publications = append(offer.Publications, MediaPublication(publication))
	}
	for _, slot := range params.Slots {
		offer.Slots = append(offer.Slots, MediaSlot(slot))
	}
	l.aside(func(ctx context.Context) {
		var media MediaAnswer
		err := guarded(ctx, func(ctx context.Context) (err error) {
			media, err = l.server.deps.Media.Offer(ctx, offer)
			return err
		})
		answered := l.box.finish(func() {
			l.waiting--
			p.offering = false
			if err != nil {
				l.worker.failed("offer", err)
				reply(nil, mediaRefusal(err))
				return
			}
			reply(wire.OfferResult{SDP: media.SDP}, nil)
		})
		if !answered {
			reply(nil, goingDown())
		}
	})
}

// mute passes on that a publication is muted or not.
func (l *loop) mute(by call.Device, params wire.MuteParams, reply answer) {
	p, refusal := l.seat(by)
	if refusal != nil {
		reply(nil, refusal)
		return
	}
	l.pass("mute", reply, func(ctx context.Context) error {
		return l.server.deps.Media.Mute(ctx, l.id, p.id, params.PublicationID, params.Muted)
	})
}

// refresh gives a participant new credentials for TURN.
func (l *loop) refresh(by call.Device, reply answer) {
	if _, refusal := l.seat(by); refusal != nil {
		reply(nil, refusal)
		return
	}
	reply(wire.ICEServersResult{ICEServers: l.server.iceServers(by.UID, l.id)}, nil)
}

// aside runs something beside the loop, which the server waits for when it closes.
func (l *loop) aside(do func(context.Context)) {
	l.server.calls.running.Add(1) // the loop itself is counted, so this never starts from zero
	go func() {
		defer l.server.calls.running.Done()
		do(l.server.context)
	}()
}

func (s *Server) iceServers(uid, session string) []wire.ICEServer {
	var out []wire.ICEServer
	for _, server := range s.deps.ICEServers(uid, session) {
		out = append(out, wire.ICEServer(server))
	}
	return out
}
