package call

import (
	"slices"
	"time"
)

// change is one event being worked into a call: the call, the time, and the effects so far.
type change struct {
	*Call
	now       time.Time
	leaving   Device // has itself asked to leave the session and needs no SessionClosed
	stillborn bool   // over as it begins: it never rang
	effects   []Effect
}

func newSeat(device string) *Seat { return &Seat{Device: device, Signaling: device != ""} }

// Handle works one event in and returns what to do about it once the call is stored. An error is always an *Error; after
// one the call is as it was. The call may have changed without any effect (a 1:1 call is joined), so store it after every
// event but Presence, which no restart needs to remember. An event that repeats what is so already changes nothing.
//
// A call whose Deadline has passed must be advanced first, so that the order of outcomes is that of time.
func (c *Call) Handle(now time.Time, event Event) ([]Effect, error) {
	ch := &change{Call: c, now: instant(now)}
	if err := ch.handle(event); err != nil {
		return nil, err
	}
	ch.noteAlone()
	return ch.effects, nil
}

func (ch *change) handle(event Event) *Error {
	switch e := event.(type) {
	case Presence:
		ch.presence(e)
	case MediaFailed:
		ch.mediaFailed(e)
	case MemberAdded:
		ch.added(e)
	case MemberRemoved:
		ch.removed(e)
	case Accept:
		return ch.accept(e)
	case Reject:
		return ch.reject(e)
	case Cancel:
		return ch.cancel(e)
	case End:
		return ch.end(e)
	case Join:
		return ch.join(e)
	case Leave:
		return ch.leave(e)
	case Expel:
		return ch.expel(e)
	case Close:
		ch.close()
	}
	return nil
}

// finish ends the call for everybody: the only road to a terminal status. by is who did it; the zero Device for a
// timer or a fact.
func (ch *change) finish(status Status, reason Reason, by Device) {
	ch.Status, ch.Reason, ch.EndedAt = status, reason, ch.now
	ringing := ch.all(StateRinging)
	ch.announceEnd(by, ringing)
	ch.miss()
	var closed []Recipient
	for i := range ch.Members {
		m := &ch.Members[i]
		if m.State == StateRinging {
			m.State = StateUnanswered
		}
		if m.Seat == nil {
			continue
		}
		if m.Seat.Joined && (Device{m.UID, m.Seat.Device}) != ch.leaving {
			closed = append(closed, m.at())
		}
		m.giveUp(ch.now)
		if ch.isGroup() {
			ch.memberChanged(m, by.UID)
		}
	}
	if len(closed) > 0 {
		ch.effects = append(ch.effects, Notify{Kind: SessionClosed, To: closed, By: by.UID, Reason: ch.CloseReason()})
	}
	ch.effects = append(ch.effects, CloseRoom{Reason: ch.CloseReason()})
}

// announceEnd says how the call ended to those who hold a seat and those who are still ringing.
func (ch *change) announceEnd(by Device, ringing []Recipient) {
	if ch.Status == Ended {
		var seats []Recipient
		for i := range ch.Members {
			if m := &ch.Members[i]; m.Seat != nil && (by.ID == "" || Device{m.UID, m.Seat.Device} != by) {
				seats = append(seats, m.at())
			}
		}
		ch.notify(CallEnded, by.UID, seats...)
		ch.notify(CallCancelled, by.UID, ringing...)
		return
	}
	caller := ch.Members[0].at() // has kept its seat, for the call was never answered
	switch ch.Status {
	case Rejected, Busy:
		ch.notify(CallRejected, by.UID, caller)
	case Unanswered:
		ch.notify(CallUnanswered, "", append([]Recipient{caller}, ringing...)...)
	case Cancelled:
		if by.ID == "" || by.ID != caller.Device {
			// The device that rings did not cancel itself: another of the same user did, or its connection is gone.
			ringing = append([]Recipient{caller}, ringing...)
		}
		ch.notify(CallCancelled, by.UID, ringing...)
	}
	ch.outgoingOver(by.UID)
}

// miss tells every user who was called, has not answered and will ring no more that a call was missed, once.
func (ch *change) miss() {
	var to []Recipient
	for i := range ch.Members {
		if m := &ch.Members[i]; m.waiting() {
			m.Missed = true
			to = append(to, Recipient{UID: m.UID})
		}
	}
	ch.notify(Missed, "", to...)
}

// notify adds an event for the recipients, if there are any.
func (ch *change) notify(kind Kind, by string, to ...Recipient) {
	if len(to) > 0 {
		ch.effects = append(ch.effects, Notify{Kind: kind, To: slices.Clone(to), By: by})
	}
}

// memberChanged tells every member of a group call where one of them stands now. Of changes in one breath, as when joining
// includes accepting or when a thousand stop ringing, only the last is told: the call that goes with it shows them all.
func (ch *change) memberChanged(m *Member, by string) {
	if m.Rights.Hidden {
		return
	}
	if last := len(ch.effects) - 1; last >= 0 {
		if n, ok := ch.effects[last].(Notify); ok && n.Kind == MemberChanged {
			ch.effects = ch.effects[:last]
		}
	}
	ch.effects = append(ch.effects, Notify{Kind: MemberChanged, To: ch.all(""), By: by, UID: m.UID, State: m.State})
}

// all addresses every device of every member in the state, or of every member.
func (c *Call) all(state State) []Recipient {
	var to []Recipient
	for i := range c.Members {
		if m := &c.Members[i]; !m.Removed && (state == "" || m.State == state) {
			to = append(to, Recipient{UID: m.UID})
		}
	}
	return to
}

// at addresses the device that holds the member's seat; every device of the user while the seat is open.
func (m *Member) at() Recipient { return Recipient{UID: m.UID, Device: m.Seat.Device} }

// waiting reports whether the member was called, never answered, and has not been told of a missed call.
func (m *Member) waiting() bool {
	return !m.Removed && !m.Missed && (m.State == StateRinging || m.State == StateBusy)
}

// giveUp ends the member's part; the seat is free.
func (m *Member) giveUp(now time.Time) {
	m.State, m.LastDevice = StateLeft, m.Seat.Device
	if m.Seat.Joined {
		m.LeftAt = now
	}
	m.Seat = nil
}

// enter puts the device that holds the member's seat into the room. The initiator goes on calling while it rings.
func (m *Member) enter(now time.Time, device string, status Status) {
	s := m.Seat
	if !s.Joined {
		m.JoinedAt = now
	}
	s.Device, s.Joined, s.Signaling, s.GoneSince, s.JoinBy = device, true, true, time.Time{}, time.Time{}
	if status == Ongoing {
		m.State = StateJoined
	}
}
