package signaling

import (
	"errors"
	"hash/maphash"
	"maps"
	"sync"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/store"
)

// seats keeps a user from taking two seats, and a group or a named session from having two calls. Nobody else writes to the store of
// this process, so the calls that run here say who is busy; what must not overlap is looking at them and bringing a new seat to disk.
type seats struct {
	// Set at construction.
	seed  maphash.Seed
	locks [1024]sync.Mutex

	// Guarded by mu.
	mu     sync.Mutex
	doubts map[string]string // by uid: the call whose commit failed, and may have given them a seat all the same
}

func newSeats() *seats { return &seats{seed: maphash.MakeSeed(), doubts: map[string]string{}} }

// enter waits until nobody else takes a seat, or starts a call, with one of the names. It is held from looking at who is busy until the
// seat is on disk and seen by all.
func (s *seats) enter(a, b string) (leave func()) {
	i, j := maphash.String(s.seed, a)%uint64(len(s.locks)), maphash.String(s.seed, b)%uint64(len(s.locks))
	if i > j {
		i, j = j, i
	}
	s.locks[i].Lock()
	if i == j {
		return s.locks[i].Unlock
	}
	s.locks[j].Lock()
	return func() {
		s.locks[j].Unlock()
		s.locks[i].Unlock()
	}
}

// doubt notes those who have a seat if a commit that failed has happened. Before is nil for a new call.
func (s *seats) doubt(before, after *call.Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, uid := range after.BusyUsers() {
		if before == nil || !before.HoldsBusy(uid) {
			s.doubts[uid] = after.ID
		}
	}
}

// settled says that it is known what is in the store of a call.
func (s *seats) settled(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.doubts, func(_, doubted string) bool { return doubted == id }) // few: commits that failed just now
}

func (s *seats) doubted(uid string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.doubts[uid]
}

// busyIn returns the id of the call other than except in which the user holds a seat, "" if there is none.
func (s *Server) busyIn(uid, except string) (string, error) {
	if id := s.calls.busyIn(uid, except); id != "" {
		return id, nil
	}
	id := s.seats.doubted(uid)
	if id == "" || id == except {
		return "", nil
	}
	ctx, cancel := s.storeContext()
	defer cancel()
	stored, err := s.deps.Store.Get(ctx, callKey(id))
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if c, err := decodeCall(stored.Value); err != nil || !c.HoldsBusy(uid) {
		return "", nil
	}
	return id, nil
}

// sits is who takes a seat with an event, "" if nobody does.
func sits(event call.Event) string {
	switch e := event.(type) {
	case call.Accept:
		return e.By.UID
	case call.Join:
		return e.By.UID
	}
	return ""
}

// meetingKey names what has at most one call at a time: a group, or a named session; "" for a call of two.
func meetingKey(t call.ReceiverType, receiver string) string {
	if t == call.User {
		return ""
	}
	return string(t) + " " + receiver
}
