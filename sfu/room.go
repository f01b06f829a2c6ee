package sfu

import (
	"cmp"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parleyrtc/parley/sfu/layer"
	"github.com/parleyrtc/parley/sfu/slots"
)

// codecSpacing is the shortest time between two Codec events of a room: publishers need a negotiation to follow one.
const codecSpacing = 5 * time.Second

// room is the media side of one call. Its lock is for what changes rarely; packets only read atomics. The order of locks: an
// inbox's may be taken with the room's held, or with a participant's sending held, and nothing with the inbox's. Nobody holds
// the room's and a sending at once. The lock of speakers may be taken with any other held, and nothing with it.
type room struct {
	// Set at construction.
	sfu *SFU
	id  string
	log *slog.Logger

	entering int // joins under way; guarded by sfu.mu

	open     atomic.Bool // media may flow
	speakers speakers

	mu         sync.Mutex
	ended      bool
	members    map[string]*participant
	joins      uint64
	subscribed uint64 // subscriptions so far
	codecAsked time.Time
	events     []Event
	telling    bool // somebody is handing out events
}

func newRoom(s *SFU, id string) *room {
	r := &room{sfu: s, id: id, log: s.config.Logger.With("room", id), members: map[string]*participant{}}
	r.speakers.init(s.config.Voices)
	return r
}

// unlock ends a change of the room and hands out the events it raised, in order and outside the lock.
func (r *room) unlock() {
	if r.telling {
		r.mu.Unlock()
		return
	}
	r.telling = true
	for len(r.events) > 0 {
		events := r.events
		r.events = nil
		r.mu.Unlock()
		for _, e := range events {
			r.sfu.notify(e)
		}
		r.mu.Lock()
	}
	r.telling = false
	r.mu.Unlock()
}

// emit queues an event until unlock. The lock is held.
func (r *room) emit(e Event) {
	e.Room = r.id
	r.events = append(r.events, e)
}

func (r *room) join(join Join) error {
	p, err := r.admit(join)
	r.sfu.mu.Lock()
	r.entering--
	r.sfu.mu.Unlock()
	if err != nil {
		r.sfu.left(r)
		return err
	}
	p.log.Info("participant joined")
	return nil
}

func (r *room) admit(join Join) (*participant, error) {
	r.mu.Lock()
	defer r.unlock()
	switch {
	case r.ended:
		return nil, &Error{CodeNotJoined, "the room has been closed"}
	case r.members[join.Participant] != nil:
		return nil, &Error{CodeAlreadyJoined, "this participant has joined already"}
	case len(r.members) >= r.sfu.config.MaxParticipants:
		return nil, &Error{CodeRoomFull, "the room is full"}
	}
	if join.Open {
		r.openGate()
	}
	r.joins++
	p := newParticipant(r, join, r.joins)
	r.members[join.Participant] = p
	r.sfu.metrics.participants.Add(1)
	r.sfu.alarms.Add(2)
	p.alarm.start(time.Now().Add(reportSpacing), p.rung, r.sfu.alarms.Done)
	p.pacing.start(time.Time{}, p.paced, r.sfu.alarms.Done)
	return p, nil
}

func (r *room) member(id string) *participant {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.members[id]
}

func (r *room) empty() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.members) == 0
}

// remove takes a participant out; with a reason that it was not asked for, a Gone event says so. Once is enough.
func (r *room) remove(p *participant, reason string) {
	r.strike(p, reason)
	p.stop()
	r.sfu.left(r)
}

func (r *room) strike(p *participant, reason string) {
	r.mu.Lock()
	defer r.unlock()
	if r.members[p.id] != p {
		return
	}
	r.drop(p)
	if reason != "" {
		r.emit(Event{Kind: Gone, Participant: p.id, Reason: reason})
		r.sfu.metrics.gone.WithLabelValues(reason).Inc()
	}
	r.arrange()
}

// drop forgets a participant and everything of theirs. The lock is held.
func (r *room) drop(p *participant) {
	delete(r.members, p.id)
	p.removed = true
	r.sfu.metrics.participants.Add(-1)
	for _, pair := range p.pairs {
		pair.clear()
	}
	p.replacePublications(nil)
}

// end removes everybody.
func (r *room) end() {
	r.mu.Lock()
	r.ended = true
	gone := make([]*participant, 0, len(r.members))
	for _, p := range r.members {
		gone = append(gone, p)
	}
	for _, p := range gone {
		r.drop(p)
	}
	r.unlock()
	for _, p := range gone {
		p.stop()
	}
	r.sfu.left(r)
}

// openGate lets media flow, and asks for keyframes so that the first picture comes at once. The lock is held.
func (r *room) openGate() {
	if r.open.Swap(true) {
		return
	}
	for _, p := range r.members {
		for _, pub := range p.publications {
			if len(*pub.subscriptions.Load()) > 0 {
				pub.wantKeyframe(time.Now(), layer.All, true)
			}
		}
	}
}

func (r *room) mute(p *participant, id string, muted bool) error {
	r.mu.Lock()
	defer r.unlock()
	for _, pub := range p.publications {
		if pub.id == id {
			if pub.muted != muted {
				pub.set(muted)
				r.tellSpeakers(time.Now())
				r.emit(Event{Kind: Publications, Participant: p.id, Publications: p.infos()})
			}
			return nil
		}
	}
	return &Error{CodePublicationNotFound, "there is no such publication"}
}

// arrange puts the publications on everybody's pairs, and says who is heard. The lock is held.
func (r *room) arrange() {
	r.place()
	r.tellSpeakers(time.Now())
}

// place puts the publications on everybody's pairs. The lock is held.
func (r *room) place() {
	groups := r.groups()
	r.speakers.crowded.Store(false)
	for _, p := range r.ordered() {
		p.arrange(groups)
	}
}

func (r *room) ordered() []*participant {
	list := make([]*participant, 0, len(r.members))
	for _, p := range r.members {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *participant) int { return cmp.Compare(a.order, b.order) })
	return list
}

// groups lists what travels together: a participant's camera with the microphone, and its screen with the screen's sound.
func (r *room) groups() []slots.Group {
	var groups []slots.Group
	voices := r.speakers.voices()
	for _, p := range r.ordered() {
		main := voices[p]
		main.Participant, main.Order = p.id, p.order
		screen := slots.Group{Participant: p.id, Screen: true, Order: p.order}
		for _, pub := range p.publications {
			switch pub.source {
			case "microphone":
				main.Audio = cmp.Or(main.Audio, pub.id)
			case "camera":
				main.Video = cmp.Or(main.Video, pub.id)
			case "screenAudio":
				screen.Audio = cmp.Or(screen.Audio, pub.id)
			case "screen":
				screen.Video = cmp.Or(screen.Video, pub.id)
			}
		}
		groups = append(groups, main, screen)
	}
	return groups
}

// publication finds a publication of any member. The lock is held.
func (r *room) publication(participant, id string) *publication {
	p := r.members[participant]
	if p == nil || id == "" {
		return nil
	}
	for _, pub := range p.publications {
		if pub.id == id {
			return pub
		}
	}
	return nil
}

// undecodable tells publishers to use the codec that everybody has, when somebody cannot decode theirs.
func (r *room) undecodable(now time.Time) {
	r.mu.Lock()
	defer r.unlock()
	if now.Sub(r.codecAsked) < codecSpacing {
		return
	}
	r.codecAsked = now
	r.emit(Event{Kind: Codec, VideoCodec: "VP8"})
}
