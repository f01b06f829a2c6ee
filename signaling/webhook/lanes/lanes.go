// Package lanes decides which message may be sent next: those of one call one after the other, different calls side by side, and
// one that failed again later, until it has waited too long.
package lanes

import (
	"container/heap"
	"time"
)

// Policy bounds what is tried how often. Zero values mean the defaults in the comments.
type Policy struct {
	Parallel int           // 16; messages on their way at once, each of another lane
	Most     int           // 4096; messages that wait or are on their way
	Patience time.Duration // 24h; after its time in the queue a message that fails is given up
	Backoff  []time.Duration
}

// backoff grows from a hiccup's length to an hour, in the steps of the Standard Webhooks recommendation, roughly.
var backoff = []time.Duration{
	5 * time.Second, 30 * time.Second, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour,
}

// outage is how many messages must have failed in a row, so that the next success means that the target is back.
const outage = 10

// Message is what waits. The zero value is not a message.
type Message struct {
	Number uint64    // grows in the order of the queue
	Lane   string    // messages of one lane keep their order
	Since  time.Time // in the queue
}

// Verdict says what becomes of a message after an attempt.
type Verdict int

// The verdicts.
const (
	Again   Verdict = iota // it stays the first of its lane
	GiveUp                 // its lane goes on without it, as after a success
	Unknown                // there is no such message on its way
)

// Lanes has the messages of one target. It is not safe for concurrent use.
type Lanes struct {
	policy  Policy
	lanes   map[string]*lane
	waiting laneHeap // lanes whose first message is not on its way
	on      map[uint64]*lane
	size    int
	failed  int // in a row
}

// lane has the messages of one call, the first of which may be on its way.
type lane struct {
	name     string
	messages []Message
	attempts int       // at the first, that failed
	due      time.Time // the next attempt at the first
}

// New returns no lanes yet.
func New(p Policy) *Lanes {
	if p.Parallel <= 0 {
		p.Parallel = 16
	}
	if p.Most <= 0 {
		p.Most = 4096
	}
	if p.Patience <= 0 {
		p.Patience = 24 * time.Hour
	}
	if len(p.Backoff) == 0 {
		p.Backoff = backoff
	}
	return &Lanes{policy: p, lanes: map[string]*lane{}, on: map[uint64]*lane{}}
}

// Full reports whether Add must wait for a message to go.
func (l *Lanes) Full() bool { return l.size >= l.policy.Most }

// Len is the number of messages that wait or are on their way.
func (l *Lanes) Len() int { return l.size }

// Add appends a message to its lane. Messages come in the order of their numbers.
func (l *Lanes) Add(m Message) {
	l.size++
	to := l.lanes[m.Lane]
	if to != nil {
		to.messages = append(to.messages, m)
		return
	}
	to = &lane{name: m.Lane, messages: []Message{m}, due: m.Since}
	l.lanes[m.Lane] = to
	heap.Push(&l.waiting, to)
}

// Next returns the message to send now, which is on its way from then on until Delivered or Failed, and which attempt this is,
// from 1. It reports false when none may be sent now.
func (l *Lanes) Next(now time.Time) (m Message, attempt int, ok bool) {
	if len(l.waiting) == 0 || len(l.on) >= l.policy.Parallel || l.waiting[0].due.After(now) {
		return Message{}, 0, false
	}
	from := heap.Pop(&l.waiting).(*lane)
	m = from.messages[0]
	l.on[m.Number] = from
	return m, from.attempts + 1, true
}

// Due is when Next may have a message without anything else happening; zero: never.
func (l *Lanes) Due() time.Time {
	if len(l.waiting) == 0 || len(l.on) >= l.policy.Parallel {
		return time.Time{}
	}
	return l.waiting[0].due
}

// Delivered says that a message has arrived. After an outage of the target everything that waits for another attempt gets it now.
func (l *Lanes) Delivered(now time.Time, number uint64) {
	from := l.on[number]
	if from == nil {
		return
	}
	l.shift(now, number, from)
	if l.failed >= outage {
		for _, w := range l.waiting {
			if w.due.After(now) {
				w.due = now
			}
		}
		heap.Init(&l.waiting)
	}
	l.failed = 0
}

// Failed says that an attempt came to nothing. Hopeless: another would, too. Wait is what the target asked for, zero if it did
// not. Spread, from 0 to 1, is a random number, so that not all come back at once. After Again the next attempt is when Next says.
func (l *Lanes) Failed(now time.Time, number uint64, hopeless bool, wait time.Duration, spread float64) Verdict {
	from := l.on[number]
	if from == nil {
		return Unknown
	}
	l.failed++
	from.attempts++
	if hopeless || now.Sub(from.messages[0].Since) >= l.policy.Patience {
		l.shift(now, number, from)
		return GiveUp
	}
	step := l.policy.Backoff[min(from.attempts, len(l.policy.Backoff))-1]
	step += time.Duration(float64(step) * spread / 5) // up to a fifth more
	from.due = now.Add(max(step, min(wait, time.Hour)))
	delete(l.on, number)
	heap.Push(&l.waiting, from)
	return Again
}

// shift takes the first message out of its lane and lets the next one go.
func (l *Lanes) shift(now time.Time, number uint64, from *lane) {
	delete(l.on, number)
	l.size--
	from.messages = from.messages[1:]
	if len(from.messages) == 0 {
		delete(l.lanes, from.name)
		return
	}
	from.attempts, from.due = 0, now
	heap.Push(&l.waiting, from)
}

// laneHeap has the lane that is due first on top; of two at the same time the one whose message is older.
type laneHeap []*lane

func (h laneHeap) Len() int { return len(h) }
func (h laneHeap) Less(i, j int) bool {
	if !h[i].due.Equal(h[j].due) {
		return h[i].due.Before(h[j].due)
	}
	return h[i].messages[0].Number < h[j].messages[0].Number
}
func (h laneHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]

}
func (h *laneHeap) Push(x any) { *h = append(*h, x.(*lane)) }
func (h *laneHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return last
}
