package call

// Rights are what a member may do in the session. The zero value is everything but moderating.
type Rights struct {
	Limited   bool     `json:"limited,omitzero"` // publishes Sources only, otherwise whatever it likes
	Sources   []string `json:"sources,omitempty"`
	SendOnly  bool     `json:"sendOnly,omitzero"`  // receives nothing
	Moderator bool     `json:"moderator,omitzero"` // may mute and expel others, and end the call for all
	// Hidden members are shown to nobody and publish nothing, as somebody who records.
	Hidden bool `json:"hidden,omitzero"`
}

// MayPublish reports whether a track of this source may be published.
func (r Rights) MayPublish(source string) bool {
	if r.Hidden {
		return false
	}
	for _, s := range r.Sources {
		if s == source {
			return true
		}
	}
	return !r.Limited
}

// Moderates reports whether the user may rule over the other members.
func (c *Call) Moderates(uid string) bool {
	m := c.member(uid)
	return m != nil && c.moderates(m)
}

// moderates reports whether a member may rule over the others: in a group call its initiator, too.
func (c *Call) moderates(m *Member) bool {
	return m.Rights.Moderator || c.ReceiverType == Group && m.UID == c.Initiator
}

// close ends a call that is not over, whatever its members think of it.
func (ch *change) close() {
	switch ch.Status {
	case Initiated:
		ch.finish(Cancelled, "", Device{})
	case Ongoing:
		ch.finish(Ended, ReasonForAll, Device{})
	}
}

// expel puts a member out of the call, who does not come back into it.
func (ch *change) expel(e Expel) *Error {
	by, m, operator := ch.member(e.By.UID), ch.member(e.UID), e.By == Device{}
	switch {
	case by == nil && !operator || m == nil:
		return refuse(CodeNotFound)
	case ch.Terminal():
		return refuse(CodeTerminated)
	case m.Barred:
		return nil // again
	case !ch.isGroup() || m == by || !operator && !e.Moderator && !ch.moderates(by):
		return refuse(CodeNotAllowed)
	}
	m.Barred = true
	switch {
	case m.Seat != nil:
		ch.depart(m, ReasonRemoved, e.By)
	case m.State == StateRinging:
		m.State = StateRejected
		ch.notify(CallCancelled, e.By.UID, Recipient{UID: m.UID})
		ch.memberChanged(m, e.By.UID)
		ch.refused(Rejected, Device{UID: m.UID})
	}
	return nil
}
