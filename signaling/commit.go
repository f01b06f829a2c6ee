package signaling

import (
	"context"
	"errors"
	"time"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/store"
)

// Where calls are in the store. A call that is live, or ended a moment ago, is under call/, an older one under history/. Who is busy
// because of it, its record alone says: every change of a call is one plain write.
func callKey(id string) string    { return "call/" + id }
func historyKey(id string) string { return "history/" + id }

// storeContext bounds one visit to the store.
func (s *Server) storeContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(s.context, storeTimeout)
}

// commit brings a call from one state to the next. Before is nil for a new call. It returns the call's new revision, or
// store.ErrConflict when the next state must be decided again with fresh facts. Whoever takes a seat with it has entered s.seats.
func (s *Server) commit(before *call.Call, after record, revision uint64) (uint64, error) {
	start := time.Now()
	ctx, cancel := s.storeContext()
	defer cancel()
	revisions, err := s.deps.Store.Commit(ctx, []store.Change{{Key: callKey(after.ID), Value: encodeCall(after), Expect: revision}})
	result := "ok"
	switch {
	case err == nil:
		s.metrics.commits.WithLabelValues(result).Inc()
		s.metrics.commitTime.Observe(since(start))
		return revisions[0], nil
	case errors.Is(err, store.ErrConflict):
		result = "conflict"
	default:
		result = "error"
		s.seats.doubt(before, after.Call)
	}
	s.metrics.commits.WithLabelValues(result).Inc()
	return 0, err
}

// retire moves a finished call into the history. The two steps need not be one: after a crash between them the next process
// finds the finished call and moves it again.
func (s *Server) retire(c record, revision uint64) error {
	c.Journal.Entries = nil // in the outbox, or given up
	ctx, cancel := s.storeContext()
	defer cancel()
	expires := time.Now().Add(s.config.HistoryTTL)
	revisions, err := s.deps.Store.Commit(ctx, []store.Change{
		{Key: historyKey(c.ID), Value: encodeCall(c), Blind: true, TTL: s.config.HistoryTTL},
	})
	if err != nil {
		return err
	}
	s.past.put(c, revisions[0], expires)
	_, err = s.deps.Store.Commit(ctx, []store.Change{{Key: callKey(c.ID), Expect: revision}})
	if errors.Is(err, store.ErrConflict) {
		if _, err := s.deps.Store.Get(ctx, callKey(c.ID)); errors.Is(err, store.ErrNotFound) {
			return nil // an attempt that seemed to fail had deleted it
		}
	}
	return err
}
