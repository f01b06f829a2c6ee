package signaling

import (
	"sync"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/wire"
)

// The bounds of what may wait for one call's loop besides requests.
const (
	maxMediaEvents = 8192 // then slot changes and the like are dropped and counted
	maxMediaFacts  = 4096 // beyond that for who is connected, disconnected or gone
)

// step is one request to a call's loop: do is run by it; refuse is called instead when that will never happen. Neither may
// block.
type step struct {
	do     func()
	refuse func(*wire.Error)
}

// mail is what has come in for a call's loop.
type mail struct {
	steps    []step
	finished []func()      // what the loop started and waits for, now done
	media    []MediaEvent  // in their order
	present  []call.Device // whose presence may have changed
	members  []memberFact  // who came into or left the group
	closed   bool          // the loop must end
}

// memberFact says whether a user belongs to the called group now.
type memberFact struct {
	uid string
	in  bool
}

// mailbox is the bounded inbox of a call's loop. Nobody who puts something in ever waits for the loop.
type mailbox struct {
	// Set at construction.
	wake     chan struct{} // something is in
	requests int           // the most steps that may wait

	// Guarded by mu.
	mu      sync.Mutex
	mail    mail
	devices map[call.Device]bool // those in mail.present
}

func newMailbox(requests int) *mailbox {
	return &mailbox{wake: make(chan struct{}, 1), requests: requests, devices: map[call.Device]bool{}}
}

// request puts a step in, or refuses it at once.
func (b *mailbox) request(s step) {
	b.mu.Lock()
	var refusal *wire.Error
	switch {
	case b.mail.closed:
		refusal = goingDown()
	case len(b.mail.steps) >= b.requests:
		refusal = wire.Refuse(wire.CodeTooManyRequests, "Too much is going on in this call.").With("retryAfterMs", 500)
	default:
		b.mail.steps = append(b.mail.steps, s)
		b.kick()
	}
	b.mu.Unlock()
	if refusal != nil {
		s.refuse(refusal)
	}
}

// finish puts in the end of something that the loop itself started; their number is bounded by what it starts. It reports
// false when the loop is ending and will not look any more.
func (b *mailbox) finish(done func()) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mail.closed {
		return false
	}
	b.mail.finished = append(b.mail.finished, done)
	b.kick()
	return true
}

// media puts in an event of the media side and reports false when it had to be dropped.
func (b *mailbox) media(e MediaEvent) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	most := maxMediaEvents
	switch e.Kind {
	case MediaConnected, MediaDisconnected, MediaGone:
		most += maxMediaFacts
	}
	if b.mail.closed || len(b.mail.media) >= most {
		return false
	}
	b.mail.media = append(b.mail.media, e)
	b.kick()
	return true
}

// present says that the presence of a device should be looked at; how often it changed meanwhile doesn't matter.
func (b *mailbox) present(d call.Device) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mail.closed || b.devices[d] {
		return
	}
	b.devices[d] = true
	b.mail.present = append(b.mail.present, d)
	b.kick()
}

// member says that a user came into the called group or left it; the newest fact about a user counts.
func (b *mailbox) member(f memberFact) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mail.closed {
		return
	}
	b.kick()
	for i := range b.mail.members {
		if b.mail.members[i].uid == f.uid {
			b.mail.members[i].in = f.in
			return
		}
	}
	b.mail.members = append(b.mail.members, f)
}

// close tells the loop to end and refuses whatever comes later.
func (b *mailbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mail.closed = true
	b.kick()
}

// empty takes everything out.
func (b *mailbox) empty() mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	m := b.mail
	b.mail = mail{closed: m.closed}
	clear(b.devices)
	return m
}

// kick wakes the loop. The caller holds mu.
func (b *mailbox) kick() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// goingDown refuses what came too late.
func goingDown() *wire.Error { return wire.Refuse(wire.CodeDraining, "The server is going down.") }
