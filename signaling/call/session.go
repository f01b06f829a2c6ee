package call

import "slices"

// join brings a device into the room: early for the caller, after acceptance for the called; a member of a group comes
// into an ongoing call without being asked to accept it first.
func (ch *change) join(e Join) *Error {
	m, entering := ch.member(e.By.UID), e.Rights != nil && ch.ReceiverType == Session
	switch {
	case m == nil && !entering:
		return refuse(CodeNotFound)
	case ch.Terminal():
		return refuse(CodeTerminated)
	case e.By.ID == "":
		return badRequest("deviceId")
	case m != nil && m.Barred:
		return refuse(CodeNotAllowed)
	case m != nil && m.Seat == nil && ch.Status == Initiated:
		return refuse(CodeNotAccepted)
	case (m == nil || m.Seat == nil) && ch.busyElsewhere(e.BusyIn):
		return busy(CodeBusySelf, e.BusyIn)
	}
	if m == nil {
		ch.forgetVisitor()
		m = ch.place(e.By.UID)
		m.Guest = e.Guest
	}
	rights := m.Rights
	if entering {
		m.Rights = *e.Rights
		m.Rights.Sources = slices.Clone(e.Rights.Sources)
	}
	switch {
	case m.Seat == nil: // group: everybody in a 1:1 call that goes on has a seat
		ch.sit(m, e.By)
	case m.Seat.Device != e.By.ID:
		if err := ch.changeSeat(m, e.By, e.Takeover); err != nil {
			m.Rights = rights
			return err
		}
	}
	before := m.State
	m.enter(ch.now, e.By.ID, ch.Status)
	if m.State != before && ch.isGroup() {
		ch.memberChanged(m, m.UID)
	}
	return nil
}

// leave takes a device out of the room, and with it the user out of the call.
func (ch *change) leave(e Leave) *Error {
	m := ch.member(e.By.UID)
	if m == nil {
		return refuse(CodeNotFound)
	}
	again := m.Seat == nil && e.By.ID != "" && m.LastDevice == e.By.ID
	switch {
	case again:
		return nil
	case ch.Terminal():
		return refuse(CodeTerminated)
	case m.Seat == nil && m.State == StateLeft:
		return refuse(CodeGroupAlreadyLeft)
	case !ch.Holds(e.By) || !m.Seat.Joined:
		return refuse(CodeNotJoined)
	}
	ch.leaving = e.By
	ch.depart(m, ReasonLeft, e.By)
	return nil
}

// end hangs up, for the member or for everybody.
func (ch *change) end(e End) *Error {
	m := ch.member(e.By.UID)
	switch {
	case m == nil:
		return refuse(CodeNotFound)
	case ch.Terminal():
		return nil // clients end more than once
	case ch.Status == Initiated && m.UID != ch.Initiator:
		return refuse(CodeNotStarted)
	case ch.isGroup() && e.ForAll && ch.Status == Ongoing:
		return ch.endForAll(m, e)
	case m.Seat != nil && !m.Seat.answersTo(e.By):
		return ch.seatTaken() // also an app that ends what was taken over from it
	case m.Seat != nil:
		ch.depart(m, ReasonHangup, e.By)
		return nil
	case m.State == StateRinging:
		return refuse(CodeNotStarted)
	case m.State == StateLeft && m.LastDevice == e.By.ID:
		return nil // again
	}
	return refuse(CodeGroupAlreadyLeft)
}

// endForAll ends a group call at the wish of a moderator, seated or not.
func (ch *change) endForAll(m *Member, e End) *Error {
	if !e.Moderator && !ch.moderates(m) {
		return refuse(CodeNotAllowed)
	}
	ch.finish(Ended, ReasonForAll, e.By)
	return nil
}

// answersTo reports whether a device may give up the seat: its holder, or a server acting for the user.
func (s *Seat) answersTo(d Device) bool { return s.Device == d.ID || s.Device == "" || d.ID == "" }

// depart takes a member who holds a seat out of the call. That cancels a call that rings and ends a 1:1 call; a group
// call ends with the last one out. by is who did it; the zero Device for a timer or a fact.
func (ch *change) depart(m *Member, reason Reason, by Device) {
	switch {
	case ch.Status == Initiated:
		ch.finish(Cancelled, "", Device{UID: ch.Initiator, ID: by.ID})
		return
	case !ch.isGroup() || ch.seats() == 1:
		ch.finish(Ended, reason, by)
		return
	}
	seat, d := m.Seat, Device{m.UID, m.Seat.Device}
	to := m.at()
	m.giveUp(ch.now)
	ch.memberChanged(m, by.UID)
	if d != ch.leaving && (seat.Joined || d != by) {
		ch.effects = append(ch.effects, Notify{Kind: SessionClosed, To: []Recipient{to}, By: by.UID, Reason: reason})
	}
	if seat.Joined {
		ch.effects = append(ch.effects, RemoveParticipant{Device: d, Reason: reason})
	}
}

// mediaFailed ends the session of a device that the media server has put out.
func (ch *change) mediaFailed(e MediaFailed) {
	if !ch.Holds(e.Device) {
		return
	}
	m := ch.member(e.Device.UID)
	if !m.Seat.Joined {
		return
	}
	if e.Reason == "" {
		e.Reason = ReasonFailed
	}
	ch.effects = append(ch.effects, Notify{Kind: SessionClosed, To: []Recipient{m.at()}, Reason: e.Reason})
	ch.leaving = e.Device // has just been told
	ch.depart(m, ReasonFailed, Device{})
}

// seats counts the members who are in the call.
func (c *Call) seats() int {
	n := 0
	for i := range c.Members {
		if c.Members[i].Seat != nil {
			n++
		}
	}
	return n
}

// busyElsewhere reports whether the fact names a call other than this one.
func (c *Call) busyElsewhere(id string) bool { return id != "" && id != c.ID }
