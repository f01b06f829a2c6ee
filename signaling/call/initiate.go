package call

import (
	"encoding/json"
	"slices"
	"time"
)

// WhenBusy says what happens to a 1:1 call whose callee is in another call.
type WhenBusy string

// The answers to a busy callee.
const (
	Refuse WhenBusy = "refuse" // the call becomes busy at once, the callee has a missed call
	Ring   WhenBusy = "ring"   // it rings, and the callee's client decides
)

// The bounds of a ring timer.
const (
	MinRing = 5 * time.Second
	MaxRing = 300 * time.Second
)

// Policy has the limits a call lives under. It is stored with the call, so that a change of the configuration touches
// no running call. Zero fields mean the defaults named.
type Policy struct {
	Ring     time.Duration `json:"ring"`     // how long it rings unless the caller says otherwise; 45 s
	Grace    time.Duration `json:"grace"`    // how long a device may be without signaling and media; 30 s
	Join     time.Duration `json:"join"`     // how long an accepted seat may stay out of the room; 30 s
	WhenBusy WhenBusy      `json:"whenBusy"` // Refuse
	// Alone is how long one may be left alone in a call of several before it ends; 0: for ever.
	Alone time.Duration `json:"alone,omitzero"`
}

func (p Policy) withDefaults() Policy {
	if p.Ring == 0 {
		p.Ring = 45 * time.Second
	}
	if p.Grace == 0 {
		p.Grace = 30 * time.Second
	}
	if p.Join == 0 {
		p.Join = 30 * time.Second
	}
	if p.WhenBusy == "" {
		p.WhenBusy = Refuse
	}
	return p
}

// Initiate is the wish to call somebody, with the facts that New decides on.
type Initiate struct {
	ID           string // of the new call: unguessable
	Type         Type
	ReceiverType ReceiverType
	By           Device
	Receiver     string        // uid or guid, known to exist
	Timeout      time.Duration // how long to ring, MinRing–MaxRing; 0: Policy.Ring
	Metadata     json.RawMessage
	Policy       Policy

	// Facts at this moment.
	GroupMembers []string // group: every member, the caller among them
	CallerBusyIn string   // id of the call the caller is busy in, if any
	CallerRungBy string   // 1:1: id of a call in which the receiver is ringing the caller right now, if any
	GroupCall    string   // group: id of its call that is not over, if any
	Busy         []string // those of the called users who are busy in another call
}

// New starts a call, or refuses to with an *Error. The call may be over at once: busy, when the callee is in another
// call and the policy is Refuse.
//
// When two users call each other at the same moment, the second to get here is refused with CodeBusySelf and the id
// of the first call, which is ringing on that user's own devices and can be accepted.
func New(now time.Time, e Initiate) (*Call, []Effect, error) {
	if err := e.check(); err != nil {
		return nil, nil, err
	}
	e.Policy = e.Policy.withDefaults()
	if e.Timeout == 0 {
		e.Timeout = e.Policy.Ring
	}
	metadata, err := canonical(e.Metadata)
	if err != nil {
		return nil, nil, err
	}
	now = instant(now)
	ch := &change{now: now, Call: &Call{
		ID: e.ID, Type: e.Type, ReceiverType: e.ReceiverType, Initiator: e.By.UID, Receiver: e.Receiver,
		InitiatedAt: now, RingDeadline: now.Add(e.Timeout), Metadata: metadata, Policy: e.Policy,
		Status:  Initiated,
		Members: []Member{{UID: e.By.UID, State: StateCalling, Seat: newSeat(e.By.ID)}},
	}}
	for _, uid := range e.called() {
		m := Member{UID: uid, State: StateRinging}
		if slices.Contains(e.Busy, uid) && (ch.isGroup() || e.Policy.WhenBusy == Refuse) {
			m.State = StateBusy
		}
		ch.Members = append(ch.Members, m)
	}
	if !ch.isGroup() && ch.Members[1].State == StateBusy {
		ch.stillborn = true
		ch.finish(Busy, "", Device{UID: e.Receiver})
		return ch.Call, ch.effects, nil
	}
	ch.ring(e.By)
	return ch.Call, ch.effects, nil
}

// ring tells everybody whom a new call concerns. A group's member who is busy elsewhere is not rung but sees it.
func (ch *change) ring(by Device) {
	ch.notify(Incoming, by.UID, ch.all(StateRinging)...)
	ch.notify(Outgoing, by.UID, Recipient{UID: by.UID, Except: by.ID})
	for i := range ch.Members {
		if m := &ch.Members[i]; m.State == StateBusy {
			ch.memberChanged(m, by.UID)
		}
	}
}

// outgoingOver tells the initiator's other devices, which heard Outgoing, that it rings no more. The device that holds the
// seat hears what came of it; while the seat is open, all of them do.
func (ch *change) outgoingOver(by string) {
	caller := &ch.Members[0]
	if caller.Seat != nil && caller.Seat.Device != "" && !ch.stillborn {
		ch.notify(OutgoingOver, by, Recipient{UID: caller.UID, Except: caller.Seat.Device})
	}
}

// check refuses what cannot become a call.
func (e *Initiate) check() error {
	switch {
	case e.Type != Audio && e.Type != Video:
		return badRequest("type")
	case e.ReceiverType != User && e.ReceiverType != Group:
		return refuse(CodeInvalidReceiverType)
	case e.Receiver == "":
		return refuse(CodeEmptyReceiver)
	case e.Timeout != 0 && (e.Timeout < MinRing || e.Timeout > MaxRing):
		return badRequest("timeoutSeconds")
	case e.ReceiverType == User && e.Receiver == e.By.UID:
		return refuse(CodeCallingSelf)
	case e.ReceiverType == Group && !slices.Contains(e.GroupMembers, e.By.UID):
		return refuse(CodeGroupNotJoined)
	case e.CallerBusyIn != "":
		return busy(CodeBusySelf, e.CallerBusyIn)
	case e.ReceiverType == User && e.CallerRungBy != "":
		return busy(CodeBusySelf, e.CallerRungBy)
	case e.ReceiverType == Group && e.GroupCall != "":
		return busy(CodeBusyGroup, e.GroupCall)
	}
	return nil
}

// canonical writes metadata as the store will, so that it is the same after a round trip.
func canonical(metadata json.RawMessage) (json.RawMessage, error) {
	if len(metadata) == 0 {
		return nil, nil
	}
	written, err := json.Marshal(metadata)
	if err != nil {
		return nil, badRequest("metadata")
	}
	return written, nil
}

// called lists the users to ring, sorted, each once.
func (e *Initiate) called() []string {
	if e.ReceiverType == User {
		return []string{e.Receiver}
	}
	uids := slices.DeleteFunc(slices.Clone(e.GroupMembers), func(uid string) bool { return uid == e.By.UID })
	slices.Sort(uids)
	return slices.Compact(uids)
}
