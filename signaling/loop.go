package signaling

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/journal"
	"github.com/parleyrtc/parley/signaling/store"
	"github.com/parleyrtc/parley/signaling/wire"
)

const (
	storeTimeout = 5 * time.Second
	commitTries  = 5           // with fresh facts, after conflicts
	retryAdvance = time.Second // after a change that time demands could not be committed
	maxAttempts  = 8
	maxOwed      = 4096
)

// loop owns one call: everything that happens to it passes through its goroutine, one thing after the other. A change is
// committed first; only then is it seen, told and carried out.
type loop struct {
	// Set at construction.
	server *Server
	id     string
	log    *slog.Logger
	box    *mailbox
	worker *worker

	// Owned by the loop.
	call      *call.Call
	notes     notes
	revision  uint64
	attempts  []attempt // commits that failed since the last good one, and may have happened all the same
	doubtful  bool      // the last attempt's fate was not looked for yet
	notBefore time.Time // no Advance before, because the last one failed
	owed      []func()  // facts that could not be committed; nobody but the loop will try again
	room      room
	waiting   int                      // joins and offers that the media side has not answered
	users     map[string]wire.UserView // profiles of the members, as they were when they came in
	group     wire.GroupView

	// What everybody may read: the call as it was committed last.
	published atomic.Pointer[published]
	// The newest entry of the journal that is in the outbox. Set by the relay.
	handed atomic.Uint64
}

// published is a call as it was committed, which nobody changes any more, and how its members see it.
type published struct {
	call  *call.Call
	notes notes
	view  wire.CallView
}

func (p *published) record() record { return record{p.call, p.notes} }

// newLoop makes the loop of a call that is in the store with this revision.
func newLoop(s *Server, c record, revision uint64) *loop {
	log := s.log.With("call", c.ID)
	l := &loop{
		server: s, id: c.ID, log: log, box: newMailbox(s.config.InboxRequests), call: c.Call, notes: c.notes, revision: revision,
		worker: &worker{context: s.context, started: &s.calls.running},
		room:   newRoom(), users: map[string]wire.UserView{},
	}
	l.worker.failed = func(where string, err error) {
		var refusal *MediaError
		if !errors.As(err, &refusal) {
			log.Error("the media side failed", "doing", where, "error", err)
		}
	}
	l.publish()
	return l
}

// run is the loop's goroutine. It ends with the call, or with the server.
func (l *loop) run(effects []call.Effect) {
	defer l.server.calls.running.Done()
	timer := time.NewTimer(0)
	defer timer.Stop()
	l.carryOut(time.Now(), effects)
	l.lookAtSeats()
	for {
		if at := l.due(); !at.IsZero() {
			timer.Reset(time.Until(at))
		}
		select {
		case <-timer.C:
		case <-l.box.wake:
		}
		m := l.box.empty()
		if m.closed {
			l.refuseAll(m)
			return
		}
		l.turn(m)
		if l.call.Terminal() && l.waiting == 0 {
			l.box.close()
			l.turn(l.box.empty()) // what came in at the last moment gets its answer
			l.server.calls.finish(l)
			return
		}
	}
}

// due is when the loop has something to do by itself.
func (l *loop) due() time.Time {
	at := l.call.Deadline()
	if now := time.Now(); len(l.owed) > 0 && (at.IsZero() || now.Before(at)) {
		at = now
	}
	if at.Before(l.notBefore) && !at.IsZero() {
		at = l.notBefore
	}
	return at
}

// turn works through what has come in: facts first, then what somebody wants.
func (l *loop) turn(m mail) {
	l.safely("advance", func() { l.advance(time.Now()) })
	if owed := l.owed; !time.Now().Before(l.notBefore) {
		l.owed = nil
		for _, again := range owed {
			l.safely("fact", again)
		}
	}
	for _, done := range m.finished {
		l.safely("finish", done)
	}
	for _, e := range m.media {
		l.safely("media event", func() { l.mediaEvent(time.Now(), e) })
	}
	for _, d := range m.present {
		l.safely("presence", func() { l.presence(time.Now(), d) })
	}
	for _, f := range m.members {
		l.safely("member", func() { l.member(time.Now(), f) })
	}
	for _, s := range m.steps {
		if !l.safely("request", s.do) {
			s.refuse(wire.Internal())
		}
	}
}

func (l *loop) refuseAll(m mail) {
	for _, s := range m.steps {
		s.refuse(goingDown())
	}
	for _, done := range m.finished {
		l.safely("finish", done)
	}
}

// safely keeps a panic from ending the process, or the call. Changes are made on a copy, so the call is as it was.
func (l *loop) safely(doing string, do func()) (ok bool) {
	defer func() {
		if r := recover(); r != nil {
			l.server.metrics.panics.WithLabelValues("call").Inc()
			l.log.Error("panic in a call", "doing", doing, "panic", r, "stack", string(debug.Stack()))
			l.notBefore = time.Now().Add(retryAdvance)
		}
	}()
	do()
	return true
}

// advance does what time demands.
func (l *loop) advance(now time.Time) *wire.Error {
	for range commitTries {
		deadline := l.call.Deadline()
		if deadline.IsZero() || now.Before(deadline) || now.Before(l.notBefore) {
			return nil
		}
		next := l.call.Clone()
		if err := l.change(now, next, nil, next.Advance(now)); err == nil || !errors.Is(err, store.ErrConflict) {
			return l.failed(err)
		}
	}
	return l.failed(store.ErrConflict)
}

// apply works one event into the call: it decides, commits, and carries out. After an error nothing has changed.
func (l *loop) apply(now time.Time, event call.Event) *wire.Error {
	if uid := sits(event); uid != "" {
		defer l.server.seats.enter(uid, uid)()
	}
	if refusal := l.advance(now); refusal != nil {
		return refusal
	}
	for range commitTries {
		if err := l.settle(now); err != nil && !errors.Is(err, store.ErrConflict) {
			return l.failed(err)
		}
		next := l.call.Clone()
		informed, err := l.inform(event)
		if err != nil {
			return l.failed(err)
		}
		effects, err := next.Handle(now, informed)
		if err != nil {
			return l.refusal(err)
		}
		if _, presence := event.(call.Presence); presence && len(effects) == 0 {
			l.call = next // in memory only: after a restart nobody is present anyway
			return nil
		}
		if len(effects) == 0 && reflect.DeepEqual(l.call, next) {
			return nil
		}
		if err = l.change(now, next, informed, effects); err == nil || !errors.Is(err, store.ErrConflict) {
			return l.failed(err)
		}
	}
	return l.failed(store.ErrConflict)
}

// fact works in an event that nobody asked for and nobody would repeat: when it cannot be committed now, again is called
// later. What comes meanwhile waits behind it, so that facts keep their order.
func (l *loop) fact(now time.Time, event call.Event, again func()) {
	if len(l.owed) == 0 {
		if refusal := l.apply(now, event); refusal == nil || refusal.Code != wire.CodeInternal {
			return
		}
	}
	if len(l.owed) >= maxOwed {
		l.log.Error("too many facts could not be committed; one is given up")
		return
	}
	l.owed = append(l.owed, again)
}

// failed logs why a change could not be brought to disk and says so to whoever wanted it. Without an error it is nil.
func (l *loop) failed(err error) *wire.Error {
	if err == nil {
		return nil
	}
	l.notBefore = time.Now().Add(retryAdvance)
	l.log.Error("a change could not be committed", "error", err)
	return wire.Internal()
}

// attempt is a change that may or may not be in the store.
type attempt struct {
	next    record
	effects []call.Effect
}

// change commits the next state, to which the event led, makes it the current one and carries out the effects. After ErrConflict
// the decision must be made again, with fresh facts.
func (l *loop) change(now time.Time, after *call.Call, event call.Event, effects []call.Effect) error {
	if err := l.settle(now); err != nil {
		return err
	}
	what := journal.Change{Now: now, Before: l.call, After: after, Event: event, Effects: effects}
	next := record{after, l.notes.with(l.handed.Load(), what, l.server.keeps)}
	revision, err := l.server.commit(l.call, next, l.revision)
	if err != nil {
		l.doubtful = true
		if l.attempts = append(l.attempts, attempt{next, effects}); len(l.attempts) > maxAttempts {
			l.attempts = l.attempts[1:]
		}
		return err
	}
	l.become(next, revision)
	l.carryOut(now, effects)
	return nil
}

// settle finds out what became of an attempt that failed, before anything else is decided.
func (l *loop) settle(now time.Time) error {
	if !l.doubtful {
		return nil
	}
	ctx, cancel := l.server.storeContext()
	defer cancel()
	record, err := l.server.deps.Store.Get(ctx, callKey(l.id))
	if err != nil {
		return fmt.Errorf("reading the call after a failed commit: %w", err)
	}
	l.doubtful = false
	defer l.server.seats.settled(l.id) // after what was written is seen by all
	if record.Revision == l.revision {
		return nil // nothing was written, so far
	}
	for _, tried := range l.attempts {
		if bytes.Equal(record.Value, encodeCall(tried.next)) {
			l.become(tried.next, record.Revision)
			l.carryOut(now, tried.effects)
			return store.ErrConflict // what was decided since must be decided again
		}
	}
	stored, err := decodeCall(record.Value)
	if err != nil {
		return fmt.Errorf("reading the call after a failed commit: %w", err)
	}
	l.log.Error("somebody else has changed this call in the store")
	l.become(stored, record.Revision)
	return store.ErrConflict
}

// become makes a committed state the current one.
func (l *loop) become(next record, revision uint64) {
	before := l.call
	l.call, l.notes, l.revision, l.notBefore, l.attempts = next.Call, next.notes, revision, time.Time{}, nil
	l.publish()
	l.server.calls.index(l, next.Call)
	l.server.relay.mark(l)
	l.count(before, next.Call)
}

// count counts what a change means for the figures.
func (l *loop) count(before, after *call.Call) {
	m := l.server.metrics
	if before.Status == call.Initiated && after.Status != call.Initiated {
		m.ringTime.Observe(time.Since(after.InitiatedAt).Seconds())
	}
	if !before.Terminal() && after.Terminal() {
		m.callsActive.Dec()
		m.calls.WithLabelValues(string(after.Status)).Inc()
		l.log.Info("call over", "status", after.Status, "reason", after.Reason)
	}
}

// refusal turns the machine's error into the client's.
func (l *loop) refusal(err error) *wire.Error {
	refusal := refusalOf(err)
	if refusal.Code == wire.CodeTerminated {
		refusal.With("call", l.published.Load().view)
	}
	return refusal
}

// refusalOf turns an error of the machine into the client's.
func refusalOf(err error) *wire.Error {
	var rule *call.Error
	if !errors.As(err, &rule) {
		return wire.Internal()
	}
	refusal := wire.Refuse(string(rule.Code), rule.Message)
	refusal.Field = rule.Field
	if rule.SessionID != "" {
		refusal.With("sessionId", rule.SessionID)
	}
	if rule.RetryAfter > 0 {
		refusal.With("retryAfterMs", max(1, rule.RetryAfter.Milliseconds()))
	}
	return refusal
}
