package signaling

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/wire"
)

// lingering is how long a finished call stays among the others: a client that comes back sees in its snapshot how the call
// ended.
const lingering = 2 * time.Minute

// sweeping is how often finished calls are looked at.
const sweeping = 10 * time.Second

// calls knows the loop of every call that is live or ended a short while ago, and whose calls they are. The loop of a call
// that is over has no goroutine; what it published is final.
type calls struct {
	// Guarded by mu.
	mu      sync.Mutex
	byID    map[string]*loop
	byUser  map[string]map[string]*loop // by uid, then call id
	members map[string][]string         // by call id: the uids it is in byUser for
	newest  map[string]*loop            // by meetingKey: its newest call
	over    []*loop                     // finished, in about the order in which they ended
	closed  bool

	running sync.WaitGroup // loops and what they start
}

func newCalls() *calls {
	return &calls{byID: map[string]*loop{}, byUser: map[string]map[string]*loop{}, members: map[string][]string{}, newest: map[string]*loop{}}
}

// add makes a loop known and reports false when the server is closing. The caller starts it then.
func (c *calls) add(l *loop) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.byID[l.id] = l
	current := l.published.Load().call
	if name := meetingKey(current.ReceiverType, current.Receiver); name != "" {
		// One that goes on stays: what comes later is one whose commit seemed to have failed, and is on its way out.
		if old := c.newest[name]; old == nil || old.published.Load().call.Terminal() {
			c.newest[name] = l
		}
	}
	c.running.Add(1)
	return true
}

// aside runs something that close waits for, unless the server is closing already.
func (c *calls) aside(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.running.Go(do)
}

// index notes who belongs to a call now.
func (c *calls) index(l *loop, current *call.Call) {
	uids := make([]string, 0, len(current.Members))
	for i := range current.Members {
		if m := &current.Members[i]; !m.Removed {
			uids = append(uids, m.UID)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.Equal(uids, c.members[l.id]) {
		return // as after nearly every change
	}
	c.unindex(l.id)
	for _, uid := range uids {
		if c.byUser[uid] == nil {
			c.byUser[uid] = map[string]*loop{}
		}
		c.byUser[uid][l.id] = l
	}
	c.members[l.id] = uids
}

// finish says that a loop has ended with its call.
func (c *calls) finish(l *loop) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = append(c.over, l)
}

// remove forgets a loop whose call is in the history.
func (c *calls) remove(l *loop) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unindex(l.id)
	delete(c.byID, l.id)
	current := l.published.Load().call
	if name := meetingKey(current.ReceiverType, current.Receiver); c.newest[name] == l {
		delete(c.newest, name)
	}
}

// ripe takes out the finished loops whose calls ended before then.
func (c *calls) ripe(then time.Time) []*loop {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for n < len(c.over) && !c.over[n].published.Load().call.EndedAt.After(then) {
		n++
	}
	out := c.over[:n:n]
	c.over = slices.Clone(c.over[n:])
	return out
}

func (c *calls) unindex(id string) {
	for _, uid := range c.members[id] {
		delete(c.byUser[uid], id)
		if len(c.byUser[uid]) == 0 {
			delete(c.byUser, uid)
		}
	}
	delete(c.members, id)
}

// find returns the loop of a call that the user belongs to. For anybody else there is no such call.
func (c *calls) find(uid, id string) *loop {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byUser[uid][id]
}

// loop returns the loop of a call, for facts that come from inside.
func (c *calls) loop(id string) *loop {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byID[id]
}

// of returns the loops of all calls that the user belongs to.
func (c *calls) of(uid string) []*loop {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]*loop, 0, len(c.byUser[uid]))
	for _, l := range c.byUser[uid] {
		out = append(out, l)
	}
	return out
}

// all returns every loop.
func (c *calls) all() []*loop {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]*loop, 0, len(c.byID))
	for _, l := range c.byID {
		out = append(out, l)
	}
	return out
}

// live counts the calls that are not over.
func (c *calls) live() int {
	n := 0
	for _, l := range c.all() {
		if !l.published.Load().call.Terminal() {
			n++
		}
	}
	return n
}

// everyCall and liveCalls choose what views returns.
func everyCall(*call.Call) bool   { return true }
func liveCalls(c *call.Call) bool { return !c.Terminal() }

// views shows the user's calls, the oldest first.
func (c *calls) views(uid string, which func(*call.Call) bool) []wire.CallView {
	var out []wire.CallView
	for _, l := range c.of(uid) {
		if now := l.published.Load(); which(now.call) {
			out = append(out, now.view)
		}
	}
	sortViews(out)
	return out
}

// maxEnded bounds the calls of a snapshot that are over. A client needs those that it may still ring for; a user who begins
// and ends calls all the time must not make each of their greetings megabytes.
const maxEnded = 50

// newest leaves out all but the last maxEnded of the calls that are over.
func newest(views []wire.CallView) []wire.CallView {
	tooMany := -maxEnded
	for _, v := range views {
		if v.EndedAt != 0 {
			tooMany++
		}
	}
	return slices.DeleteFunc(views, func(v wire.CallView) bool { // the oldest come first
		if v.EndedAt == 0 || tooMany <= 0 {
			return false
		}
		tooMany--
		return true
	})
}

// busyIn returns the id of the call other than except in which the user holds a seat, "" if there is none.
func (c *calls) busyIn(uid, except string) string {
	for _, l := range c.of(uid) {
		if l.id != except && l.published.Load().call.HoldsBusy(uid) {
			return l.id
		}
	}
	return ""
}

// gathered returns the loop of the call that goes on under a meetingKey, nil when there is none.
func (c *calls) meeting(name string) *loop {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l := c.newest[name]; l != nil && !l.published.Load().call.Terminal() {
		return l
	}
	return nil
}

// ringing returns the id of a 1:1 call in which from is ringing to at this moment, "" if there is none.
func (c *calls) ringing(from, to string) string {
	for _, l := range c.of(to) {
		now := l.published.Load().call
		if now.Status == call.Initiated && now.ReceiverType == call.User && now.Initiator == from && now.Receiver == to {
			return now.ID
		}
	}
	return ""
}

// presence tells the user's calls that one of their devices came or went.
func (c *calls) presence(uid, device string) {
	for _, l := range c.of(uid) {
		l.box.present(call.Device{UID: uid, ID: device})
	}
}

// stop tells all loops to end where they stand, without ending a call; running is to be waited for afterwards.
func (c *calls) stop() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	for _, l := range c.all() {
		l.box.close()
	}
}

// resume starts loops for the calls that an earlier process left in the store.
func (s *Server) resume(ctx context.Context) error {
	records, err := s.deps.Store.List(ctx, "call")
	if err != nil {
		return err
	}
	now := time.Now()
	resumed := 0
	for _, record := range records {
		c, err := decodeCall(record.Value)
		if err != nil {
			s.log.Error("a stored call cannot be read and is left alone", "key", record.Key, "error", err)
			continue
		}
		if !c.Terminal() {
			c.Restore(now)
			resumed++
		}
		l := newLoop(s, c, record.Revision)
		if !c.Terminal() {
			s.start(l, nil)
			s.observe(now, l.published.Load(), stillRinging(now, c.Call))
		} else if s.calls.add(l) {
			s.calls.index(l, c.Call)
			s.relay.mark(l)
			l.box.close()
			s.calls.finish(l)
			s.calls.running.Done() // it never runs
		}
	}
	if resumed > 0 {
		s.log.Info("took back calls of an earlier process", "calls", resumed)
	}
	return nil
}

// sweep moves the calls that ended a while ago into the history.
func (s *Server) sweep(now time.Time) {
	failed, reason := 0, error(nil)
	for _, l := range s.calls.ripe(now.Add(-lingering)) {
		if s.closing.Load() {
			return // the next process finds the rest in the store
		}
		if !s.relay.done(l, now) {
			s.calls.finish(l) // until next time
			continue
		}
		if err := s.retire(l.published.Load().record(), l.revision); err != nil {
			failed, reason = failed+1, err
			s.calls.finish(l) // until next time
			continue
		}
		s.calls.remove(l)
	}
	if failed > 0 {
		s.log.Error("finished calls could not be moved into the history", "calls", failed, "error", reason)
	}
}

// sweeper is the goroutine that sweeps until the server closes.
func (s *Server) sweeper() {
	ticker := time.NewTicker(sweeping)
	defer ticker.Stop()
	for {
		select {
		case <-s.leaving:
			return
		case now := <-ticker.C:
			s.sweep(now)
			s.past.expire(now)
		}
	}
}

// start runs a new loop, whose call has come into being with these effects.
func (s *Server) start(l *loop, effects []call.Effect) bool {
	if !s.calls.add(l) {
		return false
	}
	s.calls.index(l, l.call)
	s.relay.mark(l)
	if !l.call.Terminal() {
		s.metrics.callsActive.Inc()
	}
	go l.run(effects)
	return true
}
