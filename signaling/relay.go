package signaling

import (
	"context"
	"sync"
	"time"

	"github.com/parleyrtc/parley/signaling/journal"
)

// Outbox takes what happened in calls for those who are told of it. *webhook.Post is one. Its methods are called by one goroutine
// at a time, but for Wants.
type Outbox interface {
	// Wants reports whether anybody is told of this kind. The answer is always the same.
	Wants(kind journal.Kind) bool
	// Put keeps the entries durably, each of another call. It has one result for each of them, nil when the entry is on disk. An
	// entry that is put again is told again, under the same id.
	Put(ctx context.Context, told []journal.Told) []error
}

// The bounds of the relay.
const (
	relayBatch = 256              // calls whose entries go together
	relayRetry = time.Second      // after an outbox that would not take something
	relayLimit = 15 * time.Minute // after the end of a call; then what the outbox will not take is given up
)

// relay brings the journals of calls into the outbox. An entry is in its call's record until that has happened, so that a crash
// loses none, and a full or broken outbox costs no memory: what waits here is the names of calls.
type relay struct {
	// Set at construction.
	outbox Outbox // nil: nobody is told
	wake   chan struct{}
	failed func(err error, calls int)
	lost   func(entries int)
	stop   context.CancelFunc // ends run

	// Guarded by mu.
	mu      sync.Mutex
	waiting []*loop // in the order in which they came
	marked  map[*loop]bool
}

func (s *Server) newRelay() *relay {
	return &relay{
		outbox: s.deps.Outbox, wake: make(chan struct{}, 1), marked: map[*loop]bool{}, stop: func() {},
		failed: func(err error, calls int) {
			s.log.Error("what happened in calls could not be put into the outbox yet", "calls", calls, "error", err)
		},
		lost: func(entries int) {
			s.metrics.untold.Add(float64(entries))
			s.log.Error("gave up telling what happened in a call", "entries", entries)
		},
	}
}

// keeps reports whether a call's journal has to keep entries of this kind.
func (s *Server) keeps(kind journal.Kind) bool {
	return s.deps.Outbox != nil && s.deps.Outbox.Wants(kind)
}

// mark says that a call has something to tell, if it has. It never waits.
func (r *relay) mark(l *loop) {
	if r.outbox == nil || len(l.untold()) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.marked[l] {
		return
	}
	r.marked[l] = true
	r.waiting = append(r.waiting, l)
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// done reports whether a call that is over has nothing left to tell, and may leave for the history. What the outbox has not taken
// by relayLimit is given up.
func (r *relay) done(l *loop, now time.Time) bool {
	untold := len(l.untold())
	if r.outbox == nil || untold == 0 {
		return true
	}
	r.mark(l)
	if now.Before(l.published.Load().call.EndedAt.Add(relayLimit)) {
		return false
	}
	r.lost(untold)
	return true
}

// untold lists the entries of the published call that are not in the outbox.
func (l *loop) untold() []journal.Entry {
	return l.published.Load().notes.Journal.After(l.handed.Load())
}

// run is the relay's goroutine, until the context ends. What it has not done then, the next process does.
func (r *relay) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		}
		for r.round(ctx) {
		}
	}
}

// round takes the calls that have waited longest and brings everything they have to tell into the outbox, one entry of each call at
// a time: the next of a call only when the one before is on disk, so that the outbox has them in their order.
func (r *relay) round(ctx context.Context) (more bool) {
	calls := r.take()
	if len(calls) == 0 {
		return false
	}
	for left := calls; len(left) > 0 && ctx.Err() == nil; {
		var told []journal.Told
		var tellers []*loop
		for _, l := range left {
			if untold := l.untold(); len(untold) > 0 {
				told = append(told, journal.Told{Call: l.published.Load().call, Entry: untold[0]})
				tellers = append(tellers, l)
			}
		}
		if len(told) == 0 {
			break
		}
		left = r.put(ctx, told, tellers)
	}
	r.release(calls)
	return ctx.Err() == nil
}

// put brings one entry of each call into the outbox, and returns the calls for which that worked.
func (r *relay) put(ctx context.Context, told []journal.Told, tellers []*loop) []*loop {
	var good []*loop
	var failure error
	for i, err := range r.outbox.Put(ctx, told) {
		if err != nil {
			failure = err
			continue
		}
		tellers[i].handed.Store(told[i].Entry.Number)
		good = append(good, tellers[i])
	}
	if failure != nil && ctx.Err() == nil {
		r.failed(failure, len(tellers)-len(good))
		select {
		case <-ctx.Done():
		case <-time.After(relayRetry):
		}
	}
	return good
}

func (r *relay) take() []*loop {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := min(relayBatch, len(r.waiting))
	calls := r.waiting[:n:n]
	r.waiting = r.waiting[n:]
	return calls
}

// release lets calls be marked again, and marks those that still have something to tell.
func (r *relay) release(calls []*loop) {
	r.mu.Lock()
	for _, l := range calls {
		delete(r.marked, l)
	}
	r.mu.Unlock()
	for _, l := range calls {
		r.mark(l)
	}
}
