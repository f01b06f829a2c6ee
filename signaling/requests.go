package signaling

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/idem"
	"github.com/parleyrtc/parley/signaling/store"
	"github.com/parleyrtc/parley/signaling/token"
	"github.com/parleyrtc/parley/signaling/wire"
)

// errNotFound is what everybody hears who asks for a call that is not theirs, or is none at all.
func errNotFound() *wire.Error {
	return wire.Refuse(wire.CodeSessionNotFound, "There is no such call.")
}

// request carries out one call.* request of a user on a device, or of a server acting for the user when the device is
// empty. The answer comes at the latest when the server closes.
func (s *Server) request(by call.Device, moderator bool, params any, reply answer) {
	switch p := params.(type) {
	case wire.InitiateParams:
		view, refusal := s.initiate(by, p)
		replyCall(reply, view, refusal)
	case wire.AcceptParams:
		s.act(p.SessionID, by, call.Accept{By: by, Takeover: p.Takeover}, reply)
	case wire.RejectParams:
		s.act(p.SessionID, by, call.Reject{By: by, Status: call.Status(p.Status)}, reply)
	case wire.CancelParams:
		s.act(p.SessionID, by, call.Cancel{By: by}, reply)
	case wire.EndParams:
		s.act(p.SessionID, by, call.End{By: by, ForAll: p.ForAll, Moderator: moderator}, reply)
	case wire.GetParams:
		view, refusal := s.look(by.UID, p.SessionID)
		replyCall(reply, view, refusal)
	case wire.HistoryParams:
		s.history(by.UID, p, reply)
	case wire.ActiveParams:
		reply(wire.CallsResult{Calls: s.calls.views(by.UID, liveCalls)}, nil)
	default:
		s.log.Error("a request has no handler", "params", params)
		reply(nil, wire.Internal())
	}
}

func replyCall(reply answer, view wire.CallView, refusal *wire.Error) {
	if refusal != nil {
		reply(nil, refusal)
		return
	}
	reply(wire.CallResult{Call: view}, nil)
}

// act puts an event to the call's loop, or judges it against a call that is over.
func (s *Server) act(id string, by call.Device, event call.Event, reply answer) {
	s.within(id, by, func(l *loop) {
		refusal := l.apply(time.Now(), event)
		l.box.present(by) // whoever has a seat now is looked at
		if refusal != nil {
			reply(nil, refusal)
			return
		}
		reply(wire.CallResult{Call: l.published.Load().view}, nil)
	}, func(over *call.Call) {
		if _, err := over.Handle(time.Now(), event); err != nil {
			refusal := refusalOf(err)
			if refusal.Code == wire.CodeTerminated {
				refusal.With("call", s.view(over))
			}
			reply(nil, refusal)
			return
		}
		reply(wire.CallResult{Call: s.view(over)}, nil)
	}, reply)
}

// within runs do in the loop of a call that the user belongs to, or past with a call that is over. A stranger's
// id and a made-up one take the same path: neither is among the user's calls, nor among the past ones as theirs.
func (s *Server) within(id string, by call.Device, do func(*loop), past func(*call.Call), reply answer) {
	if l := s.calls.find(by.UID, id); l != nil {
		final := func() bool {
			c := l.published.Load().call
			if c.Terminal() {
				past(c.Clone())
			}
			return c.Terminal()
		}
		if final() {
			return
		}
		l.box.request(step{
			do: func() { do(l) },
			refuse: func(refusal *wire.Error) {
				if refusal.Code != wire.CodeDraining || !final() { // it may have ended at this very moment
					reply(nil, refusal)
				}
			},
		})
		return
	}
	over, refusal := s.pastOf(by.UID, id)
	if refusal != nil {
		reply(nil, refusal)
		return
	}
	past(over)
}

// pastCall reads a call that was over long ago.
func (s *Server) pastCall(id string) (record, *wire.Error) {
	ctx, cancel := s.storeContext()
	defer cancel()
	var c record
	stored, err := s.deps.Store.Get(ctx, historyKey(id))
	if err == nil {
		c, err = decodeCall(stored.Value)
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		return record{}, errNotFound()
	case err != nil:
		s.log.Error("reading the history failed", "error", err)
		return record{}, wire.Internal()
	}
	return c, nil
}

// pastOf is pastCall for one of the call's members; to anybody else there is no such call.
func (s *Server) pastOf(uid, id string) (*call.Call, *wire.Error) {
	c, refusal := s.pastCall(id)
	if refusal != nil {
		return nil, refusal
	}
	if _, member := c.Member(uid); !member {
		return nil, errNotFound()
	}
	return c.Call, nil
}

// look shows a call to one of its members.
func (s *Server) look(uid, id string) (wire.CallView, *wire.Error) {
	if l := s.calls.find(uid, id); l != nil {
		return l.published.Load().view, nil
	}
	over, refusal := s.pastOf(uid, id)
	if refusal != nil {
		return wire.CallView{}, refusal
	}
	return s.view(over), nil
}

// view shows a call that has no loop.
func (s *Server) view(c *call.Call) wire.CallView {
	ctx, cancel := s.storeContext()
	defer cancel()
	return viewOf(c,
		func(uid string) wire.UserView { return s.user(ctx, uid) },
		func(guid string) wire.GroupView { return s.group(ctx, guid) })
}

// Request carries out one call.* request for a user without a device, as REST does. Params is one of the Params of package
// wire. Every error is a *wire.Error.
func (s *Server) Request(ctx context.Context, uid string, grants []string, params any) (wire.CallView, error) {
	type outcome struct {
		result  any
		refusal *wire.Error
	}
	done := make(chan outcome, 1)
	reply := once(func(result any, refusal *wire.Error) { done <- outcome{result, refusal} })
	by := call.Device{UID: uid}
	if id, method := mutationOf(params); id != "" {
		first, fresh := s.mutations.begin(time.Now(), idem.Key{UID: uid, ID: id}, method, reply)
		if fresh {
			s.request(by, slices.Contains(grants, token.GrantModerate), params, first)
		}
	} else {
		s.request(by, false, params, reply)
	}
	select {
	case <-ctx.Done():
		return wire.CallView{}, wire.Internal()
	case o := <-done:
		if o.refusal != nil {
			return wire.CallView{}, o.refusal
		}
		result, _ := o.result.(wire.CallResult)
		return result.Call, nil
	}
}

// mutationOf returns the id and the method of a mutation of calls, "" for other requests.
func mutationOf(params any) (id, method string) {
	switch p := params.(type) {
	case wire.InitiateParams:
		return p.MutationID, wire.MethodCallInitiate
	case wire.AcceptParams:
		return p.MutationID, wire.MethodCallAccept
	case wire.RejectParams:
		return p.MutationID, wire.MethodCallReject
	case wire.CancelParams:
		return p.MutationID, wire.MethodCallCancel
	case wire.EndParams:
		return p.MutationID, wire.MethodCallEnd
	}
	return "", ""
}

// Call shows any call, also one that is over, whoever asks. Every error is a *wire.Error.
func (s *Server) Call(_ context.Context, id string) (wire.CallView, error) {
	if l := s.calls.loop(id); l != nil {
		return l.published.Load().view, nil
	}
	over, refusal := s.pastCall(id)
	if refusal != nil {
		return wire.CallView{}, refusal
	}
	return s.view(over.Call), nil
}

// ActiveCalls lists the calls that are not over, of one user, or of all when uid is empty.
func (s *Server) ActiveCalls(_ context.Context, uid string) ([]wire.CallView, error) {
	if uid != "" {
		return s.calls.views(uid, liveCalls), nil
	}
	var out []wire.CallView
	for _, l := range s.calls.all() {
		if now := l.published.Load(); !now.call.Terminal() {
			out = append(out, now.view)
		}
	}
	sortViews(out)
	return out, nil
}
