package signaling

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/store"
)

// Where calls are in the store. A call that is live, or ended a moment ago, is under call/, an older one under history/.
// busy/user/ and busy/group/ name the call in which a user took a seat last, and a group's newest call. Whether it binds them
// still is for that call to say, so nobody stays busy through a crash, and hanging up is one plain write. A record is written
// together with the call that takes the user, or not at all, and stays: that is as many as there are users and groups.
func callKey(id string) string        { return "call/" + id }
func historyKey(id string) string     { return "history/" + id }
func busyUserKey(uid string) string   { return "busy/user/" + uid }
func busyGroupKey(guid string) string { return "busy/group/" + guid }

// busySessionKey names the call that a named session is at the moment.
func busySessionKey(name string) string { return "busy/session/" + name }

// busyRecord is the value of a busy key.
type busyRecord struct {
	Call string `json:"call"`
}

// storeContext bounds one visit to the store.
func (s *Server) storeContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(s.context, storeTimeout)
}

// commit brings a call from one state to the next, together with who becomes busy because of it. Before is nil for a new call.
// It returns the call's new revision, or store.ErrConflict when the next state must be decided again with fresh facts.
func (s *Server) commit(before *call.Call, after record, revision uint64) (uint64, error) {
	start := time.Now()
	ctx, cancel := s.storeContext()
	defer cancel()
	changes := []store.Change{{Key: callKey(after.ID), Value: encodeCall(after), Expect: revision}}
	busy, err := s.busyChanges(ctx, before, after.Call)
	if err == nil {
		var revisions []uint64
		if revisions, err = s.deps.Store.Commit(ctx, append(changes, busy...)); err == nil {
			s.metrics.commits.WithLabelValues("ok").Inc()
			s.metrics.commitTime.Observe(since(start))
			return revisions[0], nil
		}
	}
	result := "error"
	if errors.Is(err, store.ErrConflict) {
		result = "conflict"
	}
	s.metrics.commits.WithLabelValues(result).Inc()
	return 0, err
}

// busyChanges says which busy records are written with the call: those of users who take a seat, and the group's with its
// new call. Nothing is written when they become free, because the call itself says so.
func (s *Server) busyChanges(ctx context.Context, before, after *call.Call) ([]store.Change, error) {
	var was, keys []string
	if before != nil {
		was = before.BusyUsers()
	}
	for _, uid := range after.BusyUsers() {
		if !slices.Contains(was, uid) {
			keys = append(keys, busyUserKey(uid))
		}
	}
	if before == nil && !after.Terminal() {
		switch after.ReceiverType {
		case call.Group:
			keys = append(keys, busyGroupKey(after.Receiver))
		case call.Session:
			keys = append(keys, busySessionKey(after.Receiver))
		}
	}
	var out []store.Change
	for _, key := range keys {
		change, err := s.occupy(ctx, key, after.ID)
		if err != nil {
			return nil, err
		}
		out = append(out, change)
	}
	return out, nil
}

// occupy writes a busy record that must be free. It is written also when it has this call's name already: of two calls that
// take the same user at the same moment, one must find that the record has changed.
func (s *Server) occupy(ctx context.Context, key, id string) (store.Change, error) {
	holder, revision, err := s.holder(ctx, key, id)
	if err != nil {
		return store.Change{}, err
	}
	if holder != "" {
		return store.Change{}, store.ErrConflict
	}
	value, err := json.Marshal(busyRecord{Call: id})
	return store.Change{Key: key, Value: value, Expect: revision}, err
}

// holder returns the call other than own in which the user or group of a busy key is busy now, "" if there is none, and the
// revision to expect when writing the record. A record binds nobody when its call is over, gone, or one that the user has left.
func (s *Server) holder(ctx context.Context, key, own string) (id string, revision uint64, err error) {
	record, err := s.deps.Store.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return "", 0, nil
	}
	if err != nil {
		return "", 0, err
	}
	var busy busyRecord
	if json.Unmarshal(record.Value, &busy) != nil || busy.Call == "" || busy.Call == own {
		return "", record.Revision, nil
	}
	stored, err := s.deps.Store.Get(ctx, callKey(busy.Call))
	if errors.Is(err, store.ErrNotFound) {
		return "", record.Revision, nil
	}
	if err != nil {
		return "", 0, err
	}
	if c, err := decodeCall(stored.Value); err != nil || !binds(c.Call, key) {
		return "", record.Revision, nil
	}
	return busy.Call, record.Revision, nil
}

// binds reports whether the call that a busy record names keeps its user or group from other calls.
func binds(c *call.Call, key string) bool {
	if uid, user := strings.CutPrefix(key, busyUserKey("")); user {
		return c.HoldsBusy(uid)
	}
	return !c.Terminal()
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
