package call

import "time"

// accept takes the acceptor's seat, and starts the call if it is the first to.
func (ch *change) accept(e Accept) *Error {
	m := ch.member(e.By.UID)
	switch {
	case m == nil:
		return refuse(CodeNotFound)
	case ch.Terminal():
		return refuse(CodeTerminated)
	case m.Barred || m.UID == ch.Initiator && (ch.Status == Initiated || !ch.isGroup()):
		return refuse(CodeNotAllowed)
	case m.Seat != nil && m.Seat.Device == e.By.ID:
		return nil
	case m.Seat != nil:
		if err := ch.changeSeat(m, e.By, e.Takeover); err != nil {
			return err
		}
		m.Seat.JoinBy = ch.now.Add(ch.Policy.Join)
		return ch.moved(m, StateAccepted)
	case ch.busyElsewhere(e.BusyIn):
		return busy(CodeBusySelf, e.BusyIn)
	}
	ch.sit(m, e.By)
	return nil
}

// sit gives an answering member a seat. The first one starts the call; the others ring on.
func (ch *change) sit(m *Member, d Device) {
	first := ch.Status == Initiated
	m.State, m.Seat, m.LeftAt = StateAccepted, newSeat(d.ID), time.Time{}
	m.Seat.JoinBy = ch.now.Add(ch.Policy.Join)
	if first {
		ch.Status, ch.StartedAt = Ongoing, ch.now
		ch.effects = append(ch.effects, OpenMedia{})
		ch.notify(Accepted, d.UID, ch.Members[0].at())
		ch.outgoingOver(d.UID)
	}
	if ch.ReceiverType != Session { // where nothing rang
		ch.notify(AnsweredElsewhere, d.UID, Recipient{UID: d.UID, Except: d.ID})
	}
	if first {
		ch.startInitiator(d.UID)
	}
	if ch.isGroup() {
		ch.memberChanged(m, d.UID)
	}
}

// startInitiator makes the caller a member like the others: in the room already, or due there.
func (ch *change) startInitiator(by string) {
	m := &ch.Members[0]
	m.State = StateJoined
	if !m.Seat.Joined {
		m.State = StateAccepted
		m.Seat.JoinBy = ch.now.Add(ch.Policy.Join)
	}
	if ch.isGroup() {
		ch.memberChanged(m, by)
	}
}

// changeSeat lets a device have a seat that another of the same user holds: an open one, or by takeover.
func (ch *change) changeSeat(m *Member, d Device, takeover bool) *Error {
	old := m.Seat
	if old.Device == "" {
		old.Device, old.Signaling = d.ID, true
		return nil
	}
	if !takeover || d.ID == "" { // a server cannot take a seat away from a device
		return ch.seatTaken()
	}
	ch.effects = append(ch.effects, Notify{Kind: SessionClosed, To: []Recipient{m.at()}, By: d.UID, Reason: ReasonTakenOver})
	if old.Joined {
		ch.effects = append(ch.effects, RemoveParticipant{Device: Device{m.UID, old.Device}, Reason: ReasonTakenOver})
	}
	m.Seat = newSeat(d.ID)
	return nil
}

// seatTaken refuses a device whose user is in the call with another one.
func (c *Call) seatTaken() *Error {
	if c.isGroup() {
		return refuse(CodeGroupAlreadyJoined)
	}
	return refuse(CodeUserAlreadyJoined)
}

// moved puts a member who keeps the seat into a state and tells a group, unless it is the old one.
func (ch *change) moved(m *Member, s State) *Error {
	if m.State != s {
		m.State = s
		if ch.isGroup() {
			ch.memberChanged(m, m.UID)
		}
	}
	return nil
}

// reject notes a refusal. It ends a 1:1 call, and a group call that nobody is left to answer.
func (ch *change) reject(e Reject) *Error {
	m := ch.member(e.By.UID)
	switch {
	case m == nil:
		return refuse(CodeNotFound)
	case e.Status != Rejected && e.Status != Busy:
		return badRequest("status")
	case ch.Terminal() && m.State == State(e.Status) && (e.Status == Rejected || !ch.isGroup()):
		return nil // again
	case ch.Terminal():
		return refuse(CodeTerminated)
	case ch.isGroup() && e.Status == Busy:
		return refuse(CodeGroupInvalidStatus)
	case ch.Status == Initiated && m.UID == ch.Initiator:
		return refuse(CodeNotAllowed)
	case m.State == StateRejected:
		return nil // again
	case m.State != StateRinging && m.State != StateBusy:
		return refuse(CodeOngoingToInvalid)
	}
	m.State = State(e.Status)
	ch.notify(DeclinedElsewhere, m.UID, Recipient{UID: m.UID, Except: e.By.ID})
	if ch.isGroup() {
		ch.memberChanged(m, m.UID)
	}
	ch.refused(e.Status, e.By)
	return nil
}

// refused ends a call that rings nobody any more.
func (ch *change) refused(status Status, by Device) {
	if ch.Status == Initiated && len(ch.all(StateRinging)) == 0 {
		ch.finish(status, "", by)
	}
}

// cancel takes back a call that rings.
func (ch *change) cancel(e Cancel) *Error {
	m := ch.member(e.By.UID)
	switch {
	case m == nil:
		return refuse(CodeNotFound)
	case ch.Status == Cancelled && m.UID == ch.Initiator:
		return nil // again
	case ch.Terminal():
		return refuse(CodeTerminated)
	case ch.Status == Ongoing:
		return refuse(CodeOngoingToInvalid)
	case m.UID != ch.Initiator:
		return refuse(CodeNotAllowed)
	}
	ch.finish(Cancelled, "", e.By)
	return nil
}
