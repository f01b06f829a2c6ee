package signaling

import (
	"time"

	"github.com/parleyrtc/parley/signaling/call"
)

// presence tells the machine how a device is connected now. What counts is how things are, not how often they changed.
func (l *loop) presence(now time.Time, d call.Device) {
	delete(l.users, d.UID) // whoever signs in may have a new name
	if !l.call.Holds(d) || l.server.closing.Load() {
		return
	}
	connected, since := l.server.hub.presence(d.UID, d.ID)
	e := call.Presence{Device: d, Signaling: connected, Since: since}
	if p := l.room.byDevice[d]; p != nil {
		e.Media = p.connected
		if p.silentSince.After(since) {
			e.Since = p.silentSince
		}
	}
	l.fact(now, e, func() { l.presence(time.Now(), d) })
}

// lookAtSeats tells the machine about every device that holds a seat. It assumes that whoever takes one is connected; they
// may have gone since.
func (l *loop) lookAtSeats() {
	for i := range l.call.Members {
		if m := &l.call.Members[i]; m.Seat != nil && m.Seat.Device != "" {
			l.box.present(call.Device{UID: m.UID, ID: m.Seat.Device})
		}
	}
}

// member tells the machine who came into the called group or left it.
func (l *loop) member(now time.Time, f memberFact) {
	again := func() { l.member(time.Now(), f) }
	if f.in {
		l.fact(now, call.MemberAdded{UID: f.uid, Busy: l.server.calls.busyIn(f.uid, l.id) != ""}, again)
		return
	}
	l.fact(now, call.MemberRemoved{UID: f.uid}, again)
}

// MemberAdded tells the group's call, if it has one, that the user is a member now.
func (s *Server) MemberAdded(guid, uid string) { s.membership(guid, memberFact{uid: uid, in: true}) }

// MemberRemoved tells the group's call, if it has one, that the user is a member no longer.
func (s *Server) MemberRemoved(guid, uid string) { s.membership(guid, memberFact{uid: uid}) }

func (s *Server) membership(guid string, f memberFact) {
	for _, l := range s.calls.all() {
		if c := l.published.Load().call; c.ReceiverType == call.Group && c.Receiver == guid && !c.Terminal() {
			l.box.member(f)
		}
	}
}

// UserDeleted takes a deleted user out of all their calls and closes their connections.
func (s *Server) UserDeleted(uid string) {
	for _, l := range s.calls.of(uid) {
		l.box.member(memberFact{uid: uid})
	}
	s.hub.expel(uid)
}
