package call

// Effect is something to do once the changed call is stored. The types of this file implement it. Effects are to be
// carried out in their order; carrying one out twice does no harm.
type Effect interface{ isEffect() }

// Kind is the name of a protocol event.
type Kind string

// The events the machine sends.
const (
	Incoming          Kind = "call.incoming"
	Outgoing          Kind = "call.outgoing"
	OutgoingOver      Kind = "call.outgoingOver"
	Accepted          Kind = "call.accepted"
	AnsweredElsewhere Kind = "call.answeredElsewhere"
	CallRejected      Kind = "call.rejected"
	DeclinedElsewhere Kind = "call.declinedElsewhere"
	CallCancelled     Kind = "call.cancelled"
	CallUnanswered    Kind = "call.unanswered"
	Missed            Kind = "call.missed"
	CallEnded         Kind = "call.ended"
	MemberChanged     Kind = "call.member"
	SessionClosed     Kind = "session.closed"
)

// Recipient is one device, or every device of a user but one.
type Recipient struct {
	UID    string `json:"uid"`
	Device string `json:"device,omitempty"` // only this device; empty: every device of UID
	Except string `json:"except,omitempty"` // but not this one
}

// Notify sends an event, together with the call as it is after the change, to each of To.
type Notify struct {
	Kind Kind
	To   []Recipient // in the order of Call.Members; never empty
	By   string      // uid of the user who acted; empty: nobody did

	UID    string // MemberChanged: whose state changed, of several the last
	State  State  // MemberChanged: to what
	Reason Reason // SessionClosed: why this device is out of the session
}

// OpenMedia lets media flow in the room: an acceptance is committed.
type OpenMedia struct{}

// RemoveParticipant takes one device out of the room, which goes on without it.
type RemoveParticipant struct {
	Device Device
	Reason Reason
}

// CloseRoom closes the room and everything in it. Every terminal change has exactly one, and it comes last. There may
// be no such room. The devices in it have had their SessionClosed.
type CloseRoom struct{ Reason Reason }

func (Notify) isEffect()            {}
func (OpenMedia) isEffect()         {}
func (RemoveParticipant) isEffect() {}
func (CloseRoom) isEffect()         {}
