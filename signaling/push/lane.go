package push

import (
	"container/heap"
	"context"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"sync"
	"time"

	"github.com/parleyrtc/parley/signaling/push/notice"
)

// provider is one push service.
type provider interface {
	// send makes one attempt and says what came of it. It returns when ctx ends.
	send(ctx context.Context, now time.Time, j *job) notice.Verdict
	// renew makes the next attempt use fresh credentials.
	renew()
}

// job is one notice for one device.
type job struct {
	uid    string
	device notice.Device // zero for the webhook, which is told of users
	tokens []string      // of the webhook
	notice *notice.Notice

	attempts int       // made
	due      time.Time // of the next
}

// flight is what at most one attempt at a time may concern: so nothing that ends a ring overtakes it.
type flight struct{ session, uid, device string }

func (j *job) flight() flight { return flight{j.notice.Session, j.uid, j.device.ID} }

// lane is the way to one provider: a bounded queue, and a bounded number of attempts under way.
type lane struct {
	// Set at construction.
	name     string
	provider provider
	sender   *Sender
	log      *slog.Logger
	slots    chan struct{} // one for each attempt under way
	wake     chan struct{} // something became due earlier than the lane knows
	attempts sync.WaitGroup

	// Guarded by mu.
	mu      sync.Mutex
	waiting jobs
	flying  map[flight][]*job // attempts under way, and what waits for them to end
	parked  int               // jobs in flying
	quiet   time.Time         // until when failures are not logged
	muffled int               // failures since
}

func newLane(name string, p provider, s *Sender) *lane {
	return &lane{
		name: name, provider: p, sender: s, log: s.log.With("provider", name),
		slots: make(chan struct{}, s.config.Parallel), wake: make(chan struct{}, 1), flying: map[flight][]*job{},
	}
}

// add takes a job, or drops it when the queue is full. Missed calls, which can wait for the user to look, have half of it only:
// the other half is kept for what rings.
func (l *lane) add(j *job) {
	l.mu.Lock()
	room := l.sender.config.Queue
	if j.notice.Purpose == notice.Missed {
		room /= 2
	}
	full := len(l.waiting)+l.parked >= room
	if !full {
		heap.Push(&l.waiting, j)
	}
	l.mu.Unlock()
	if full {
		l.count(j, "dropped")
		return
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// run makes attempts as they fall due, until ctx ends. It returns when none is under way.
func (l *lane) run(ctx context.Context) {
	defer l.attempts.Wait()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		j, wait := l.next(l.sender.config.Now())
		if j == nil {
			timer.Reset(wait)
			select {
			case <-ctx.Done():
				return
			case <-l.wake:
			case <-timer.C:
			}
			continue
		}
		select {
		case <-ctx.Done():
			return
		case l.slots <- struct{}{}:
		}
		l.attempts.Go(func() {
			defer func() { <-l.slots }()
			l.attempt(ctx, j)
		})
	}
}

// next takes out a job whose time has come and claims its flight, or says how long to wait.
func (l *lane) next(now time.Time) (*job, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.waiting) > 0 {
		if wait := l.waiting[0].due.Sub(now); wait > 0 {
			return nil, wait
		}
		j, _ := heap.Pop(&l.waiting).(*job)
		if after, busy := l.flying[j.flight()]; busy {
			l.flying[j.flight()] = append(after, j)
			l.parked++
			continue
		}
		l.flying[j.flight()] = nil
		return j, 0
	}
	return nil, time.Hour // until woken
}

// attempt sends one job and decides what becomes of it.
func (l *lane) attempt(ctx context.Context, j *job) {
	defer l.land(j)
	now := l.sender.config.Now()
	if j.notice.Purpose == notice.Ring && !l.sender.rings(now, j.notice.Session, j.uid) {
		l.count(j, "over") // answered or over meanwhile
		return
	}
	v := l.send(ctx, now, j)
	j.attempts++
	now = l.sender.config.Now()
	switch v.Outcome {
	case notice.Delivered:
		l.sender.metrics.time.WithLabelValues(l.name).Observe(now.Sub(j.notice.At).Seconds())
	case notice.Dead:
		l.forget(ctx, j, v)
	case notice.Renew:
		l.provider.renew()
	}
	if ctx.Err() != nil {
		return
	}
	at, again := notice.Next(now, j.notice, j.attempts, v, rand.Float64())
	if again {
		l.count(j, "again")
		j.due = at
		l.add(j)
		return
	}
	if v.Outcome == notice.Refused || v.Outcome == notice.Again || v.Outcome == notice.Renew {
		l.complain(now, j, v)
	}
	l.count(j, string(v.Outcome))
}

// send is one attempt within the time for one, of which a panic is a failure.
func (l *lane) send(ctx context.Context, now time.Time, j *job) (v notice.Verdict) {
	defer func() {
		if cause := recover(); cause != nil {
			l.log.Error("panic in a push", "panic", cause, "stack", string(debug.Stack()))
			v = notice.Verdict{Outcome: notice.Refused, Reason: "panic"}
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, l.sender.config.Timeout)
	defer cancel()
	return l.provider.send(ctx, now, j)
}

// forget deletes a registration that the provider calls dead.
func (l *lane) forget(ctx context.Context, j *job, v notice.Verdict) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	if err := l.sender.registry.Dead(ctx, j.uid, j.device, v.DeadSince); err != nil {
		l.log.Error("deleting a dead registration failed", "uid", j.uid, "registration", j.device.ID, "error", err)
		return
	}
	l.log.Info("registration deleted on the provider's word", "uid", j.uid, "registration", j.device.ID, "reason", v.Reason)
}

// land ends a flight and lets go what waited for it, in its order.
func (l *lane) land(j *job) {
	l.mu.Lock()
	after := l.flying[j.flight()]
	delete(l.flying, j.flight())
	l.parked -= len(after)
	for _, next := range after {
		heap.Push(&l.waiting, next)
	}
	l.mu.Unlock()
	if len(after) > 0 {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// complaints is how often a provider's trouble is logged; what happens meanwhile is counted.
const complaints = 10 * time.Second

func (l *lane) complain(now time.Time, j *job, v notice.Verdict) {
	l.mu.Lock()
	quiet := now.Before(l.quiet)
	muffled := l.muffled
	if quiet {
		l.muffled++
	} else {
		l.quiet, l.muffled = now.Add(complaints), 0
	}
	l.mu.Unlock()
	if !quiet {
		l.log.Warn("a push was not taken", "call", j.notice.Session, "purpose", j.notice.Purpose, "registration", j.device.ID,
			"reason", v.Reason, "attempts", j.attempts, "others", muffled)
	}
}

func (l *lane) count(j *job, result string) {
	l.sender.metrics.pushes.WithLabelValues(l.name, string(j.notice.Purpose), result).Inc()
}

// length is how many notices wait.
func (l *lane) length() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting) + l.parked
}

// jobs is a heap, what is due first on top; of two at the same time what came to be first.
type jobs []*job

func (h jobs) Len() int { return len(h) }
func (h jobs) Less(i, k int) bool {
	if !h[i].due.Equal(h[k].due) {
		return h[i].due.Before(h[k].due)
	}
	return h[i].notice.At.Before(h[k].notice.At)
}
func (h jobs) Swap(i, k int) { h[i], h[k] = h[k], h[i] }

// Push is for package heap.
func (h *jobs) Push(j any) {
	if j, ok := j.(*job); ok {
		*h = append(*h, j)
	}
}

// Pop is for package heap.
func (h *jobs) Pop() any {
	last := len(*h) - 1
	j := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return j
}
