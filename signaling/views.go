package signaling

import (
	"context"
	"slices"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/wire"
)

// publish makes the current state the one that everybody reads.
func (l *loop) publish() {
	ctx, cancel := l.server.storeContext()
	defer cancel()
	for i := range l.call.Members {
		l.profile(ctx, &l.call.Members[i])
	}
	switch {
	case l.call.ReceiverType == call.User:
		l.user(l.call.Receiver)
	case l.call.ReceiverType == call.Group && l.group.GUID == "":
		l.group = l.server.group(ctx, l.call.Receiver)
	}
	view := viewOf(l.call, l.user, func(string) wire.GroupView { return l.group })
	l.published.Store(&published{call: l.call, notes: l.notes, view: view})
}

// profile reads a member's profile once. A guest has it in the call.
func (l *loop) profile(ctx context.Context, m *call.Member) {
	if _, ok := l.users[m.UID]; ok {
		return
	}
	if m.Guest != "" {
		l.users[m.UID] = wire.UserView{UID: m.UID, Name: m.Guest}
		return
	}
	l.users[m.UID] = l.server.user(ctx, m.UID)
}

// user returns the profile of a member.
func (l *loop) user(uid string) wire.UserView {
	if _, ok := l.users[uid]; !ok {
		ctx, cancel := l.server.storeContext()
		defer cancel()
		l.users[uid] = l.server.user(ctx, uid)
	}
	return l.users[uid]
}

// user reads a profile; somebody who was never seen is named by their uid.
func (s *Server) user(ctx context.Context, uid string) wire.UserView {
	u, known, err := s.deps.Directory.User(ctx, uid)
	if err != nil {
		s.log.Error("reading a user failed", "error", err)
	}
	if err != nil || !known {
		return wire.UserView{UID: uid, Name: uid}
	}
	return u
}

// group reads a group's name; one that is gone is named by its guid.
func (s *Server) group(ctx context.Context, guid string) wire.GroupView {
	g, known, err := s.deps.Directory.GroupProfile(ctx, guid)
	if err != nil {
		s.log.Error("reading a group failed", "error", err)
	}
	if err != nil || !known {
		return wire.GroupView{GUID: guid, Name: guid}
	}
	return g
}

// viewOf shows a call as its members see it.
func viewOf(c *call.Call, user func(string) wire.UserView, group func(string) wire.GroupView) wire.CallView {
	view := wire.CallView{
		SessionID: c.ID, Type: string(c.Type), ReceiverType: string(c.ReceiverType), Status: string(c.Status), Reason: string(c.Reason),
		Initiator: user(c.Initiator), InitiatedAt: wire.Millis(c.InitiatedAt), RingDeadline: wire.Millis(c.RingDeadline),
		StartedAt: wire.Millis(c.StartedAt), EndedAt: wire.Millis(c.EndedAt), Metadata: wire.Metadata(c.Metadata),
	}
	switch c.ReceiverType {
	case call.Group:
		view.Receiver = wire.GroupReceiver(group(c.Receiver))
	case call.Session:
		view.Receiver = wire.SessionReceiver(c.Receiver)
	default:
		view.Receiver = wire.UserReceiver(user(c.Receiver))
	}
	for i := range c.Members {
		m := &c.Members[i]
		if m.Removed || m.Rights.Hidden {
			continue
		}
		profile := wire.UserView{UID: m.UID, Name: m.Guest}
		if m.Guest == "" {
			profile = user(m.UID)
		}
		view.Members = append(view.Members, wire.MemberView{
			User: profile, State: string(m.State), JoinedAt: wire.Millis(m.JoinedAt), LeftAt: wire.Millis(m.LeftAt),
		})
	}
	return view
}

func sortViews(views []wire.CallView) {
	slices.SortFunc(views, func(a, b wire.CallView) int {
		if a.InitiatedAt != b.InitiatedAt {
			return int(a.InitiatedAt - b.InitiatedAt)
		}
		if a.SessionID < b.SessionID {
			return -1
		}
		return 1
	})
}
