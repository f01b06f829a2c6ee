package signaling

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/history"
	"github.com/parleyrtc/parley/signaling/store"
	"github.com/parleyrtc/parley/signaling/wire"
)

// callLog finds the calls that have left for the history. The calls before that have loops, which are few.
type callLog struct {
	ready chan struct{} // closed when the index is complete

	// Guarded by mu.
	mu      sync.Mutex
	index   *history.Index
	expired time.Time // when Expire was last called
}

// expiring is how often calls whose records are gone are dropped from the index. Until then they are passed over.
const expiring = time.Hour

func (g *callLog) put(c record, revision uint64, expires time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.index.Put(c.Call, len(c.Attendance), revision, expires)
}

func (g *callLog) find(now time.Time, q history.Query) []history.Hit {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.index.Find(now, q)
}

// expire forgets old calls, now and then.
func (g *callLog) expire(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if now.Sub(g.expired) >= expiring {
		g.expired = now
		g.index.Expire(now)
	}
}

// fillLog indexes what earlier processes left in the history. Calls do not wait for it, only who asks for a log does: it takes some
// ten seconds for a million calls.
func (s *Server) fillLog(ctx context.Context) {
	start := time.Now()
	err := s.deps.Store.Scan(ctx, "history", func(r store.Record, expires time.Time) error {
		c, err := decodeCall(r.Value)
		if err != nil {
			s.log.Error("a call of the history cannot be read and is left alone", "key", r.Key, "error", err)
			return nil
		}
		s.past.put(c, r.Revision, expires)
		return nil
	})
	if err != nil {
		if ctx.Err() == nil {
			s.log.Error("the history cannot be indexed; there is no call log", "error", err)
		}
		return
	}
	close(s.past.ready)
	s.log.Info("indexed the history", "calls", s.past.len(), "took", time.Since(start).Round(time.Millisecond))
}

func (g *callLog) len() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.index.Len()
}

// logged is one call of a page, and where it is in the order.
type logged struct {
	history.Place
	live     *published // nil: in the store
	revision uint64
}

// History is a page of the log of q.UID, or of everybody's when that is empty: the newest first, calls that go on among them.
// Every error is a *wire.Error.
func (s *Server) History(ctx context.Context, q history.Query) (wire.HistoryResult, error) {
	select {
	case <-s.past.ready:
	case <-ctx.Done():
		s.log.Error("a call log was asked for before the history was indexed")
		return wire.HistoryResult{}, wire.Internal()
	}
	now := time.Now()
	page := s.page(now, q)
	var result wire.HistoryResult
	if len(page) > q.Limit {
		page = page[:q.Limit]
		result.Next = page[q.Limit-1].Cursor()
	}
	for _, entry := range page {
		var c record
		if entry.live != nil {
			c = entry.live.record()
		} else {
			stored, err := s.deps.Store.At(ctx, entry.revision)
			if errors.Is(err, store.ErrNotFound) {
				continue // its time has come meanwhile
			}
			if err == nil {
				c, err = decodeCall(stored.Value)
			}
			if err != nil {
				s.log.Error("reading the history failed", "error", err)
				return wire.HistoryResult{}, wire.Internal()
			}
		}
		result.Calls = append(result.Calls, s.logged(now, c, q.UID))
	}
	return result, nil
}

// page finds one call more than the query wants, so that it shows whether there is another page.
func (s *Server) page(now time.Time, q history.Query) []logged {
	q.Limit++
	var found []logged
	for _, l := range s.loopsOf(q.UID) {
		if p := l.published.Load(); q.Admits(p.call, len(p.notes.Attendance)) {
			found = append(found, logged{Place: history.PlaceOf(p.call), live: p})
		}
	}
	for _, hit := range s.past.find(now, q) {
		found = append(found, logged{Place: hit.Place, revision: hit.Revision})
	}
	slices.SortStableFunc(found, func(a, b logged) int { return b.Compare(a.Place) })
	// A call that leaves for the history at this moment is in both.
	found = slices.CompactFunc(found, func(a, b logged) bool { return a.Place == b.Place })
	return found[:min(len(found), q.Limit)]
}

func (s *Server) loopsOf(uid string) []*loop {
	if uid == "" {
		return s.calls.all()
	}
	return s.calls.of(uid)
}

// Logged is one call as the log has it, as the user sees it, whoever asks when the uid is empty. Every error is a *wire.Error.
func (s *Server) Logged(_ context.Context, uid, id string) (wire.LoggedCallView, error) {
	c, refusal := s.recordOf(id)
	if refusal != nil {
		return wire.LoggedCallView{}, refusal
	}
	if _, member := c.Member(uid); uid != "" && !member {
		return wire.LoggedCallView{}, errNotFound()
	}
	return s.logged(time.Now(), c, uid), nil
}

// recordOf finds a call, live or over.
func (s *Server) recordOf(id string) (record, *wire.Error) {
	if l := s.calls.loop(id); l != nil {
		return l.published.Load().record(), nil
	}
	return s.pastCall(id)
}

// logged shows a call in the log of a user, or of nobody in particular.
func (s *Server) logged(now time.Time, c record, uid string) wire.LoggedCallView {
	view := wire.LoggedCallView{CallView: s.view(c.Call), DurationSeconds: seconds(duration(now, c.Call))}
	if uid != "" {
		view.Direction = history.Incoming
		if uid == c.Initiator {
			view.Direction = history.Outgoing
		}
		view.Missed = history.Query{UID: uid, Status: history.Missed}.Admits(c.Call, 0)
	}
	ctx, cancel := s.storeContext()
	defer cancel()
	for _, a := range c.Attendance {
		m, _ := c.Member(a.UID)
		total := a.Total
		if !m.JoinedAt.IsZero() && a.LeftAt.IsZero() {
			total += max(0, now.Sub(m.JoinedAt))
		}
		who := wire.UserView{UID: a.UID, Name: m.Guest}
		if m.Guest == "" {
			who = s.user(ctx, a.UID)
		}
		attendee := wire.AttendeeView{
			User: who, DeviceIDs: a.Devices, Joins: a.Joins, JoinedAt: wire.Millis(a.JoinedAt), LeftAt: wire.Millis(a.LeftAt),
			Seconds: seconds(total),
		}
		if a.Quality.Known {
			attendee.Quality = &wire.AverageScore{Worst: tenths(a.Quality.Worst), Mean: tenths(a.Quality.Mean())}
		}
		view.Participants = append(view.Participants, attendee)
	}
	return view
}

// duration is how long a call has gone on, or did.
func duration(now time.Time, c *call.Call) time.Duration {
	switch {
	case c.StartedAt.IsZero():
		return 0
	case c.EndedAt.IsZero():
		return max(0, now.Sub(c.StartedAt))
	}
	return c.EndedAt.Sub(c.StartedAt)
}

func seconds(d time.Duration) float64 {
	return float64(d.Round(time.Millisecond)) / float64(time.Second)
}

func tenths(x float64) float64 { return float64(int(x*10+0.5)) / 10 }

// queryOf is the log that a user asks for.
func queryOf(uid string, p wire.HistoryParams) (history.Query, *wire.Error) {
	before, err := history.ParseCursor(p.Cursor)
	if err != nil {
		refusal := wire.Refuse(wire.CodeBadRequest, "The cursor is not one of this server.")
		refusal.Field = "cursor"
		return history.Query{}, refusal
	}
	q := history.Query{
		UID: uid, With: p.UID, Group: p.GUID, Status: call.Status(p.Status), Type: call.Type(p.Type),
		ReceiverType: call.ReceiverType(p.ReceiverType), Direction: p.Direction, Attended: p.Attended, Before: before, Limit: p.Size(),
	}
	if p.From != 0 {
		q.From = time.UnixMilli(p.From)
	}
	if p.Until != 0 {
		q.Until = time.UnixMilli(p.Until)
	}
	return q, nil
}

// history answers call.history.
func (s *Server) history(uid string, p wire.HistoryParams, reply answer) {
	q, refusal := queryOf(uid, p)
	if refusal != nil {
		reply(nil, refusal)
		return
	}
	ctx, cancel := s.storeContext()
	defer cancel()
	result, err := s.History(ctx, q)
	if err != nil {
		reply(nil, wire.Internal())
		return
	}
	reply(result, nil)
}
