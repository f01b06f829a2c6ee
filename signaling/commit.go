package signaling

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/store"
)

// Where calls are in the store. A call that is live, or ended a moment ago, is under call/, an older one under history/.
// busy/user/ and busy/group/ name the call that a user holds a seat in and a group's call that is not over; they change
// together with the call or not at all, so that nobody stays busy through a crash.
func callKey(id string) string        { return "call/" + id }
func historyKey(id string) string     { return "history/" + id }
func busyUserKey(uid string) string   { return "busy/user/" + uid }
func busyGroupKey(guid string) string { return "busy/group/" + guid }

// busyRecord is the value of a busy key.
type busyRecord struct {
	Call string `json:"call"`
}

func encodeCall(c *call.Call) []byte {
	text, err := json.Marshal(c)
	if err != nil {
		panic(err) // a call is plain data, and its metadata was checked when it came in
	}
	return text
}

func decodeCall(text []byte) (*call.Call, error) {
	var c call.Call
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, fmt.Errorf("signaling: the stored call cannot be read: %w", err)
	}
	if c.ID == "" || len(c.Members) == 0 {
		return nil, errors.New("signaling: the stored call is empty")
	}
	return &c, nil
}

// storeContext bounds one visit to the store.
func (s *Server) storeContext() (context.Context, context.CancelFunc) {
	return context.WithTimeout(s.context, storeTimeout)
}

// commit brings a call from one state to the next, together with who is busy because of it. Before is nil for a new call.
// It returns the call's new revision, or store.ErrConflict when the next state must be decided again with fresh facts.
func (s *Server) commit(before, after *call.Call, revision uint64) (uint64, error) {
	start := time.Now()
	ctx, cancel := s.storeContext()
	defer cancel()
	changes := []store.Change{{Key: callKey(after.ID), Value: encodeCall(after), Expect: revision}}
	busy, err := s.busyChanges(ctx, before, after)
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

// busyChanges says which busy records change with the call.
func (s *Server) busyChanges(ctx context.Context, before, after *call.Call) ([]store.Change, error) {
	var was []string
	if before != nil {
		was = before.BusyUsers()
	}
	is := after.BusyUsers()
	var out []store.Change
	add := func(c store.Change, needed bool, err error) error {
		if err == nil && needed {
			out = append(out, c)
		}
		return err
	}
	for _, uid := range is {
		if !slices.Contains(was, uid) {
			if err := add(s.occupy(ctx, busyUserKey(uid), after.ID)); err != nil {
				return nil, err
			}
		}
	}
	for _, uid := range was {
		if !slices.Contains(is, uid) {
			if err := add(s.vacate(ctx, busyUserKey(uid), after.ID)); err != nil {
				return nil, err
			}
		}
	}
	if after.ReceiverType != call.Group {
		return out, nil
	}
	switch live := before != nil && !before.Terminal(); {
	case !live && !after.Terminal():
		return out, add(s.occupy(ctx, busyGroupKey(after.Receiver), after.ID))
	case live && after.Terminal():
		return out, add(s.vacate(ctx, busyGroupKey(after.Receiver), after.ID))
	}
	return out, nil
}

// occupy writes a busy record that must be free.
func (s *Server) occupy(ctx context.Context, key, id string) (change store.Change, needed bool, err error) {
	holder, revision, err := s.holder(ctx, key)
	if err != nil {
		return store.Change{}, false, err
	}
	if holder != "" && holder != id {
		return store.Change{}, false, store.ErrConflict
	}
	value, err := json.Marshal(busyRecord{Call: id})
	return store.Change{Key: key, Value: value, Expect: revision}, true, err
}

// vacate deletes a busy record if it is this call's.
func (s *Server) vacate(ctx context.Context, key, id string) (change store.Change, needed bool, err error) {
	record, err := s.deps.Store.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return store.Change{}, false, nil
	}
	if err != nil {
		return store.Change{}, false, err
	}
	var busy busyRecord
	if json.Unmarshal(record.Value, &busy) != nil || busy.Call != id {
		return store.Change{}, false, nil
	}
	return store.Change{Key: key, Expect: record.Revision}, true, nil
}

// holder returns the live call that a busy record names, "" if there is none, and the revision to expect when writing it.
// A record whose call is over or gone binds nobody.
func (s *Server) holder(ctx context.Context, key string) (id string, revision uint64, err error) {
	record, err := s.deps.Store.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return "", 0, nil
	}
	if err != nil {
		return "", 0, err
	}
	var busy busyRecord
	if json.Unmarshal(record.Value, &busy) != nil || busy.Call == "" {
		return "", record.Revision, nil
	}
	stored, err := s.deps.Store.Get(ctx, callKey(busy.Call))
	if errors.Is(err, store.ErrNotFound) {
		return "", record.Revision, nil
	}
	if err != nil {
		return "", 0, err
	}
	if c, err := decodeCall(stored.Value); err != nil || c.Terminal() {
		return "", record.Revision, nil
	}
	return busy.Call, record.Revision, nil
}

// retire moves a finished call into the history.
func (s *Server) retire(c *call.Call, revision uint64) error {
	ctx, cancel := s.storeContext()
	defer cancel()
	_, err := s.deps.Store.Commit(ctx, []store.Change{
		{Key: historyKey(c.ID), Value: encodeCall(c), Blind: true},
		{Key: callKey(c.ID), Expect: revision},
	})
	if errors.Is(err, store.ErrConflict) {
		if _, err := s.deps.Store.Get(ctx, callKey(c.ID)); errors.Is(err, store.ErrNotFound) {
			return nil // an attempt that seemed to fail had moved it
		}
	}
	return err
}
