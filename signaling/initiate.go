package signaling

import (
	"errors"
	"time"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/journal"
	"github.com/parleyrtc/parley/signaling/store"
	"github.com/parleyrtc/parley/signaling/wire"
)

// initiate starts a call.
func (s *Server) initiate(by call.Device, params wire.InitiateParams) (wire.CallView, *wire.Error) {
	if s.draining.Load() {
		return wire.CallView{}, wire.Refuse(wire.CodeDraining, "This server takes no new calls.")
	}
	wish := call.Initiate{
		ID: newID(""), Type: call.Type(params.Type), ReceiverType: call.ReceiverType(params.ReceiverType),
		By: by, Receiver: params.ReceiverID, Timeout: params.RingTimeout(), Metadata: params.Metadata, Policy: s.policy(),
	}
	if refusal := s.receiver(&wish); refusal != nil {
		return wire.CallView{}, refusal
	}
	// A user's name and a group's may be the same string; a needless wait is all that comes of it.
	defer s.seats.enter(by.UID, wish.Receiver)()
	counted := false
	for range commitTries {
		if err := s.facts(&wish); err != nil {
			s.log.Error("reading facts failed", "error", err)
			return wire.CallView{}, wire.Internal()
		}
		now := time.Now()
		c, effects, err := call.New(now, wish)
		if err == nil && !counted {
			counted = true
			err = s.ring(now, by.UID, wish)
		}
		if err != nil {
			return wire.CallView{}, refusalOf(err)
		}
		made := record{c, notes{}.with(0, journal.Change{Now: now, After: c, Effects: effects}, s.keeps)}
		revision, err := s.commit(nil, made, 0)
		if err == nil {
			_, view, refusal := s.begin(made, revision, effects)
			return view, refusal
		}
		if !errors.Is(err, store.ErrConflict) {
			s.log.Error("committing a new call failed", "call", c.ID, "error", err)
			s.calls.aside(func() { s.withdraw(made) })
			return wire.CallView{}, wire.Internal()
		}
	}
	s.log.Error("gave up on a new call after conflicts")
	return wire.CallView{}, wire.Internal()
}

// begin gives a new call its loop.
func (s *Server) begin(c record, revision uint64, effects []call.Effect) (*loop, wire.CallView, *wire.Error) {
	l := newLoop(s, c, revision)
	view := l.published.Load().view
	if c.Terminal() {
		s.metrics.calls.WithLabelValues(string(c.Status)).Inc()
	}
	l.log.Info("call initiated", "type", c.Type, "receiver", c.ReceiverType, "status", c.Status)
	if !s.start(l, effects) {
		return nil, wire.CallView{}, goingDown()
	}
	return l, view, nil
}

// withdraw looks for a call whose commit failed but may have happened, now or a little later, and cancels it: the caller was
// told that there is none, and must not stay busy with it.
func (s *Server) withdraw(c record) {
	defer s.seats.settled(c.ID)
	ticker := time.NewTicker(retryAdvance)
	defer ticker.Stop()
	for range 30 {
		select {
		case <-s.leaving:
			return // the next process lets it ring out
		case <-ticker.C:
		}
		ctx, cancel := s.storeContext()
		record, err := s.deps.Store.Get(ctx, callKey(c.ID))
		cancel()
		if err != nil {
			continue
		}
		by := call.Device{UID: c.Initiator}
		l := newLoop(s, c, record.Revision)
		l.box.request(step{do: func() { _ = l.apply(time.Now(), call.Cancel{By: by}) }, refuse: func(*wire.Error) {}})
		s.start(l, nil)
		return
	}
}

func (s *Server) policy() call.Policy {
	p := call.Policy{Ring: s.config.RingTimeout, Grace: s.config.Grace, Join: s.config.JoinDeadline, WhenBusy: call.Refuse, Alone: s.config.AloneTimeout}
	if s.config.RingWhenBusy {
		p.WhenBusy = call.Ring
	}
	return p
}

// receiver finds out whether the receiver exists.
func (s *Server) receiver(wish *call.Initiate) *wire.Error {
	ctx, cancel := s.storeContext()
	defer cancel()
	if wish.ReceiverType == call.Group {
		if wait, allowed := s.deps.Directory.MayList(time.Now(), wish.By.UID); !allowed {
			return tooFast(wait) // reading a thousand members is more than the request costs
		}
		_, members, known, err := s.deps.Directory.Group(ctx, wish.Receiver)
		switch {
		case err != nil:
			s.log.Error("reading a group failed", "error", err)
			return wire.Internal()
		case !known:
			return wire.Refuse(wire.CodeGUIDNotFound, "There is no such group.")
		}
		wish.GroupMembers = members
		return nil
	}
	if wish.Receiver == wish.By.UID {
		return nil
	}
	if refusal := s.blocked(ctx, wish.By.UID, wish.Receiver); refusal != nil || s.config.OpenDirectory {
		return refusal
	}
	_, known, err := s.deps.Directory.User(ctx, wish.Receiver)
	switch {
	case err != nil:
		s.log.Error("reading a user failed", "error", err)
		return wire.Internal()
	case !known:
		return wire.Refuse(wire.CodeUIDNotFound, "There is no such user.")
	}
	return nil
}

// facts finds out who is busy now.
func (s *Server) facts(wish *call.Initiate) (err error) {
	if wish.CallerBusyIn, err = s.busyIn(wish.By.UID, ""); err != nil {
		return err
	}
	wish.Busy = wish.Busy[:0]
	if wish.ReceiverType == call.User {
		wish.CallerRungBy = s.calls.ringing(wish.Receiver, wish.By.UID)
		if s.calls.busyIn(wish.Receiver, "") != "" {
			wish.Busy = append(wish.Busy, wish.Receiver)
		}
		return nil
	}
	if l := s.calls.meeting(meetingKey(wish.ReceiverType, wish.Receiver)); l != nil {
		wish.GroupCall = l.id
	}
	for _, uid := range wish.GroupMembers {
		if uid != wish.By.UID && s.calls.busyIn(uid, "") != "" {
			wish.Busy = append(wish.Busy, uid)
		}
	}
	return nil
}

// ring counts that the caller rings the receiver once more, if that is not too often.
func (s *Server) ring(now time.Time, caller string, wish call.Initiate) error {
	s.ringing.Lock()
	defer s.ringing.Unlock()
	return s.rings.Ring(now, caller, string(wish.ReceiverType)+" "+wish.Receiver)
}

// inform adds the facts that an event is decided on.
func (l *loop) inform(event call.Event) (_ call.Event, err error) {
	if uid := sits(event); uid == "" || l.call.HoldsBusy(uid) {
		return event, nil // has a seat here, which nobody gets while busy elsewhere
	}
	switch e := event.(type) {
	case call.Accept:
		e.BusyIn, err = l.server.busyIn(e.By.UID, l.id)
		return e, err
	case call.Join:
		e.BusyIn, err = l.server.busyIn(e.By.UID, l.id)
		return e, err
	}
	return event, nil
}
