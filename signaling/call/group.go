package call

import (
	"slices"
	"strings"
)

// added lets a user who came into the group see its call, and rings them while it still rings.
func (ch *change) added(e MemberAdded) {
	if ch.ReceiverType != Group || ch.Terminal() || ch.member(e.UID) != nil {
		return
	}
	m := ch.place(e.UID)
	switch {
	case e.UID == ch.Initiator:
		m.State = StateLeft
	case !ch.now.Before(ch.RingDeadline):
		m.State, m.Missed = StateUnanswered, true
	case e.Busy:
		m.State, m.Missed = StateBusy, false
	default:
		m.State, m.Missed = StateRinging, false
		ch.notify(Incoming, ch.Initiator, Recipient{UID: m.UID})
	}
	ch.memberChanged(m, "")
}

// place finds the part of one who was removed, or makes room for a new one: the initiator stays first, the others
// sorted.
func (c *Call) place(uid string) *Member {
	for i := range c.Members {
		if c.Members[i].UID == uid {
			c.Members[i].Removed = false
			return &c.Members[i]
		}
	}
	at, _ := slices.BinarySearchFunc(c.Members[1:], uid, func(m Member, uid string) int { return strings.Compare(m.UID, uid) })
	c.Members = slices.Insert(c.Members, 1+at, Member{UID: uid})
	return &c.Members[1+at]
}

// removed treats a user who was deleted, or taken out of the group, as one who rejects or leaves.
func (ch *change) removed(e MemberRemoved) {
	m := ch.member(e.UID)
	if m == nil || ch.Terminal() {
		return
	}
	switch {
	case m.Seat != nil:
		ch.depart(m, ReasonRemoved, Device{})
	case m.State == StateRinging:
		m.State = StateRejected
		ch.notify(CallCancelled, "", Recipient{UID: m.UID})
		if ch.isGroup() {
			ch.memberChanged(m, "")
		}
		ch.refused(Rejected, Device{UID: m.UID})
	}
	m.Removed = true
}
