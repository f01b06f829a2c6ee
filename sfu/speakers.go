package sfu

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parleyrtc/parley/sfu/slots"
	"github.com/parleyrtc/parley/sfu/speaker"
)

const (
	// speakersSpacing is the shortest time between two Speakers events of a room: a call of 50 costs 50 messages each.
	speakersSpacing = 300 * time.Millisecond
	// A microphone that has just come onto the stage is carried from its first packet there also by a line that got it a moment
	// later: as many packets as the room may need to put it on a pair, a few of 20 ms.
	catchUp    = 5
	catchUpAge = catchUp * 20 * time.Millisecond
	// pause is after how long a silence somebody who speaks may be in need of a pair again.
	pause = time.Second
)

// speakers is who of a room is heard: a stage for microphones. The sound of screens is not on it.
type speakers struct {
	mu    sync.Mutex // a leaf: nothing is done under it but thinking
	stage *speaker.Stage
	seats map[uint64]*microphone // by the stage's id
	ids   uint64
	seen  uint64 // change of the stage

	moved   atomic.Bool                 // somebody may need a pair
	pending atomic.Bool                 // the stage changed, or somebody is to be told how it is
	crowded atomic.Bool                 // somebody has fewer pairs than there are people
	active  atomic.Pointer[participant] // who speaks, nil: nobody has

	// Guarded by room.mu.
	stale  bool // somebody has come who was not told
	told   Event
	toldAt time.Time
}

// microphone is a publication that is on the stage at times. What a nil one sends is always forwarded.
type microphone struct {
	owner *participant
	seat  *speaker.Voice // guarded by speakers.mu

	// Owned by the goroutine that receives its packets.
	on      bool
	stretch uint64 // counts how often it came onto the stage
	from    int64  // its number when it did, or when it spoke after a pause
	since   time.Time
}

func (s *speakers) init(places int) {
	s.stage, s.seats = speaker.New(places), map[uint64]*microphone{}
}

// join puts a microphone before the stage.
func (s *speakers) join(now time.Time, p *participant) *microphone {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids++
	mic := &microphone{owner: p, seat: s.stage.Join(now, s.ids)}
	s.seats[s.ids] = mic
	s.changed()
	return mic
}

// leave takes it away for good.
func (s *speakers) leave(now time.Time, mic *microphone) {
	if mic == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stage.Leave(now, mic.seat)
	for id, other := range s.seats {
		if other == mic {
			delete(s.seats, id)
		}
	}
	s.changed()
}

// mute closes a microphone, or opens it again.
func (s *speakers) mute(now time.Time, mic *microphone, muted bool) {
	if mic == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stage.SetMuted(now, mic.seat, muted)
	s.changed()
}

// changed says whether the stage changed since the last time. The lock is held.
func (s *speakers) changed() bool {
	n := s.stage.Changes()
	if n == s.seen {
		return false
	}
	s.seen = n
	var active *participant
	if id, ok := s.stage.Speaker(); ok && s.seats[id] != nil {
		active = s.seats[id].owner
	}
	s.active.Store(active)
	s.moved.Store(true)
	s.pending.Store(true)
	return true
}

// hear lets the stage hear what a run has of microphones, marks what is not forwarded, and says whether somebody may need a
// pair, or is to be told of a change.
func (s *speakers) hear(now time.Time, r *run) bool {
	if !slices.ContainsFunc(r.parts, func(p part) bool { return p.publication.microphone != nil }) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	woke := false
	for i := range r.packets {
		m := &r.packets[i]
		mic := m.encoding.publication.microphone
		if mic == nil || len(m.payload) == 0 {
			continue
		}
		spoke := mic.seat.Spoke()
		own := m.primary()
		if own == nil {
			own = m.payload
		}
		on := s.stage.Heard(now, mic.seat, speaker.Sound{Level: m.audioLevel, HasLevel: m.hasAudioLevel, Size: len(own)})
		wakes := on && mic.seat.Spoke().Sub(spoke) > pause
		if on && !mic.on {
			mic.stretch++
		}
		if on && !mic.on || wakes {
			mic.from, mic.since = m.in.Sequence, now
		}
		mic.on, woke = on, woke || wakes
		m.stretch = mic.stretch
		if !on {
			m.unheard = true
			r.unheard(m.encoding.publication)
		}
	}
	woke = woke && s.crowded.Load()
	if woke {
		s.moved.Store(true)
	}
	return s.changed() || woke
}

// unheard counts a packet that is not forwarded because its microphone is off the stage.
func (r *run) unheard(pub *publication) {
	for i := range r.parts {
		if r.parts[i].publication == pub {
			r.parts[i].unheard++
			return
		}
	}
}

// resume closes the gap that a microphone's time off the stage left in a line. The receiver's lock is held.
func (l *line) resume(m *media) {
	if m.stretch != l.stretch {
		l.stretch, m.in.Source = m.stretch, l.source
		l.numbers.SkipTo(&m.in)
	}
}

// missed is how many packets before m a line is to carry that has only now been given a microphone, which had to come onto the
// stage to get a pair.
func (s *subscription) missed(now time.Time, m *media) int64 {
	mic := s.publication.microphone
	if s.line.carried == s || mic == nil || m.unheard || now.Sub(mic.since) > catchUpAge {
		return 0
	}
	return max(0, min(m.in.Sequence-mic.from, catchUp))
}

// recall makes o's repeated packet the one n before m, to be sent for the first time; false when it is not there.
func (s *subscription) recall(m *media, n int64, o *outbox) bool {
	if !m.encoding.repeat(m.epoch, m.in.Sequence-n, &o.again, o.space()) {
		return false
	}
	o.again.stretch = m.stretch
	return true
}

// voices tells how much each participant is to be heard. Who is on the stage and has never spoken need not be: nobody is taken
// off a pair for that. More voices than places do not count as such either: where all are forwarded, one may be left without a
// pair for a screen.
func (s *speakers) voices() map[*participant]slots.Group {
	s.mu.Lock()
	defer s.mu.Unlock()
	var on []*microphone
	heard := map[*participant]slots.Group{}
	for _, id := range s.stage.Voices(nil) {
		on = append(on, s.seats[id])
	}
	for _, mic := range s.seats {
		heard[mic.owner] = slots.Group{Spoke: mic.seat.Spoke()}
	}
	active := s.active.Load()
	slices.SortStableFunc(on, func(a, b *microphone) int {
		switch {
		case a.owner == b.owner:
			return 0
		case a.owner == active:
			return -1
		case b.owner == active:
			return 1
		}
		return b.seat.Spoke().Compare(a.seat.Spoke())
	})
	for i, mic := range on[:min(len(on), s.stage.Places())] {
		g := heard[mic.owner]
		if g.Spoke.IsZero() {
			break
		}
		g.Voice = slots.Heard
		if i == 0 && mic.owner == active {
			g.Voice = slots.Speaker
		}
		heard[mic.owner] = g
	}
	return heard
}

// heed follows a change of the stage, and says when to look again; zero: when it changes. It is for alarms.
func (r *room) heed(now time.Time) time.Time {
	s := &r.speakers
	moved := s.moved.Swap(false)
	if !moved && !s.pending.Load() {
		return time.Time{}
	}
	r.mu.Lock()
	defer r.unlock()
	if moved && s.crowded.Load() {
		r.place()
	}
	return r.tellSpeakers(now)
}

// tellSpeakers tells everybody who is heard, if that changed, and says when to look again. The lock is held.
func (r *room) tellSpeakers(now time.Time) time.Time {
	s := &r.speakers
	if !s.pending.Load() || r.ended {
		return time.Time{}
	}
	if at := s.toldAt.Add(speakersSpacing); now.Before(at) {
		return at
	}
	s.pending.Store(false) // before the look: what changes from now on is told the next time
	e := s.event()
	if e.Speaker == s.told.Speaker && slices.Equal(e.Voices, s.told.Voices) && !s.stale {
		return time.Time{}
	}
	if e.Speaker != s.told.Speaker {
		for _, p := range r.members {
			p.reconsider(now)
		}
	}
	s.told, s.toldAt, s.stale = e, now, false
	r.emit(e)
	return time.Time{}
}

// newcomer has the next look tell the stage even when it is as before. The room's lock is held.
func (s *speakers) newcomer() {
	s.stale = true
	s.pending.Store(true)
}

// event describes the stage.
func (s *speakers) event() Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := Event{Kind: Speakers}
	if active := s.active.Load(); active != nil {
		e.Speaker = active.id
	}
	for _, id := range s.stage.Voices(nil) {
		if who := s.seats[id].owner.id; !slices.Contains(e.Voices, who) {
			e.Voices = append(e.Voices, who)
		}
	}
	return e
}
