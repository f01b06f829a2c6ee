package signaling

import (
	"cmp"
	"errors"
	"time"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/journal"
	"github.com/parleyrtc/parley/signaling/store"
	"github.com/parleyrtc/parley/signaling/token"
	"github.com/parleyrtc/parley/signaling/wire"
)

// entry is the wish of a device to come into a named session.
type entry struct {
	by     call.Device
	claims token.Claims
	params wire.EnterParams
	tries  int
}

// rights says what the bearer of a token may do in a named session; false: not even enter it.
func (s *Server) rights(claims token.Claims, name string) (call.Rights, bool) {
	if grant := claims.Session; grant != nil {
		r := call.Rights{
			SendOnly: grant.Subscribe != nil && !*grant.Subscribe, Moderator: grant.Moderate, Hidden: grant.Hidden,
		}
		if grant.Publish != nil {
			r.Limited, r.Sources = true, *grant.Publish
		}
		return r, grant.Name == name
	}
	return call.Rights{Moderator: claims.Granted(token.GrantModerate)}, s.config.OpenSessions || claims.Granted(token.GrantEnter)
}

// guest is the name of a guest, "" for everybody else.
func (e *entry) guest() string {
	if !e.claims.Guest {
		return ""
	}
	return cmp.Or(e.claims.Name, "Guest")
}

// enter brings a device into the session of a name: the one that is going on, or a new one.
func (s *Server) enter(e entry, reply answer) {
	rights, granted := s.rights(e.claims, e.params.Session)
	if !granted {
		reply(nil, wire.Refuse(wire.CodeNotAllowed, "This token does not let you into this session."))
		return
	}
	l, refusal := s.session(&e, rights)
	if refusal != nil {
		reply(nil, refusal)
		return
	}
	// Where everybody may enter, nobody's token says who moderates: it is who began.
	if s.config.OpenSessions && e.claims.Session == nil && l.published.Load().call.Initiator == e.by.UID {
		rights.Moderator = true
	}
	join := call.Join{By: e.by, Takeover: e.params.Takeover, Rights: &rights, Guest: e.guest()}
	l.box.request(step{
		do: func() { l.joinSession(join, rights.Moderator, reply) },
		refuse: func(refusal *wire.Error) {
			// It may have ended at this very moment; then there is a new one.
			if l.published.Load().call.Terminal() && e.tries < commitTries {
				e.tries++
				s.calls.aside(func() { s.enter(e, reply) })
				return
			}
			reply(nil, refusal)
		},
	})
}

// session finds the call that a named session is, or starts one.
func (s *Server) session(e *entry, rights call.Rights) (*loop, *wire.Error) {
	name := e.params.Session
	defer s.seats.enter(e.by.UID, meetingKey(call.Session, name))()
	for range commitTries {
		if l := s.calls.meeting(meetingKey(call.Session, name)); l != nil {
			return l, nil
		}
		if s.draining.Load() {
			return nil, wire.Refuse(wire.CodeDraining, "This server takes no new calls.")
		}
		l, refusal, err := s.open(e, rights)
		if l != nil || refusal != nil {
			return l, refusal
		}
		if !errors.Is(err, store.ErrConflict) {
			s.log.Error("opening a session failed", "error", err)
			return nil, wire.Internal()
		}
	}
	s.log.Error("gave up on a new session after conflicts")
	return nil, wire.Internal()
}

// open starts a session with its first member. An error is the store's.
func (s *Server) open(e *entry, rights call.Rights) (*loop, *wire.Error, error) {
	busyIn, err := s.busyIn(e.by.UID, "")
	if err != nil {
		return nil, nil, err
	}
	now := time.Now()
	c, effects, err := call.NewSession(now, call.Open{
		ID: newID(""), Name: e.params.Session, Type: call.Type(cmp.Or(e.params.Type, wire.TypeVideo)), By: e.by,
		Rights: rights, Guest: e.guest(), Metadata: e.params.Metadata, Policy: s.policy(), BusyIn: busyIn,
	})
	if err != nil {
		return nil, refusalOf(err), nil
	}
	made := record{c, notes{}.with(0, journal.Change{Now: now, After: c, Effects: effects}, s.keeps)}
	revision, err := s.commit(nil, made, 0)
	if err == nil {
		l, _, refusal := s.begin(made, revision, effects)
		return l, refusal, nil
	}
	if !errors.Is(err, store.ErrConflict) {
		s.calls.aside(func() { s.withdraw(made) })
	}
	return nil, nil, err
}
