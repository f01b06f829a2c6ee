// Package call decides what becomes of one call: who rings, who holds a seat, and how it ends.
//
// It is a pure machine. It takes the time and facts, changes the Call it is asked about, and returns effects in plain
// data for somebody else to carry out after the Call is safely stored. It has no clock, lock, goroutine or socket.
//
//	                   New
//	                    │ callee busy elsewhere (1:1)
//	                    ├──────────────────────────────► busy
//	                    ▼
//	   ┌─────────── initiated ───────────┐
//	   │  accept        │                ├─ callee rejects; group: the last one ringing does ─► rejected
//	   │                │                ├─ callee's client answers busy (1:1) ───────────────► busy
//	   │                │                ├─ caller cancels, ends, leaves or is lost ──────────► cancelled
//	   │                │                └─ ring deadline ────────────────────────────────────► unanswered
//	   ▼
//	ongoing ── 1:1: one seat ends, leaves, is lost or never joins ──► ended
//	        ── group: the last one out, or ended for all ───────────► ended
//
// A session is a call that nobody rings for: it has a name instead of a receiver, is ongoing from the moment the first one
// comes in, and takes in whoever may enter it (NewSession).
//
// In a group call each member has a State of its own beside the call's Status: the first acceptance makes the call
// ongoing while the others ring on, and whoever rejected, left or did not answer may still come in.
//
// A loop that owns a Call does, for every event and whenever Deadline has passed:
//
//	effects := c.Advance(now)             // store and carry out, if there are any
//	effects, err := c.Handle(now, event)  // after an error nothing has changed
package call

import (
	"encoding/json"
	"slices"
	"time"
)

// Status is where the call as a whole stands. Every Status but Initiated and Ongoing is final.
type Status string

// The statuses of a call.
const (
	Initiated  Status = "initiated"
	Ongoing    Status = "ongoing"
	Rejected   Status = "rejected"
	Busy       Status = "busy"
	Cancelled  Status = "cancelled"
	Unanswered Status = "unanswered"
	Ended      Status = "ended"
)

// Terminal reports whether a call with this status is over.
func (s Status) Terminal() bool { return s != Initiated && s != Ongoing }

// Reason says why a call ended or why a device is out of its session.
type Reason string

// The reasons the machine gives. A room closed by a status other than Ended carries that status as its reason.
const (
	ReasonHangup      Reason = "hangup"        // somebody ended it
	ReasonLeft        Reason = "left"          // somebody left the session
	ReasonLost        Reason = "lost"          // neither signaling nor media for the grace period
	ReasonNeverJoined Reason = "never_joined"  // accepted, but not in the room by the join deadline
	ReasonForAll      Reason = "ended_for_all" // a moderator ended a group call for everybody
	ReasonRemoved     Reason = "removed"       // the user was deleted or taken out of the group
	ReasonFailed      Reason = "failed"        // the media server gave up on the participant
	ReasonTakenOver   Reason = "taken_over"    // another device of the same user has the seat now
	ReasonAlone       Reason = "alone"         // there was only one left, for too long
)

// Type is the kind of call that was asked for.
type Type string

// The types of call.
const (
	Audio Type = "audio"
	Video Type = "video"
)

// ReceiverType says what Call.Receiver names.
type ReceiverType string

// The receiver types.
const (
	User    ReceiverType = "user"
	Group   ReceiverType = "group"
	Session ReceiverType = "session" // Receiver is the name of a session, which nobody is called to
)

// State is where one member of a call stands.
type State string

// The states of a member.
const (
	StateCalling    State = "calling"    // the initiator, while the call rings
	StateRinging    State = "ringing"    // called, no answer yet
	StateAccepted   State = "accepted"   // holds a seat, not in the room yet
	StateJoined     State = "joined"     // in the room
	StateRejected   State = "rejected"   // said no
	StateBusy       State = "busy"       // was in another call and was not rung, or said so
	StateUnanswered State = "unanswered" // rang in vain
	StateLeft       State = "left"       // had a seat, is out
)

// Device is one device of a user. An empty ID stands for the user without a device (a request by a server): it may
// act for the user, but a seat it takes is open to the first device of that user that joins.
type Device struct {
	UID string `json:"uid"`
	ID  string `json:"id"`
}

// Call is the whole durable state of one call. It round-trips through JSON, and everything the machine decides on is
// in it. It is not safe for concurrent use; its owner serialises access. Read the fields freely, change them through
// New, Handle, Advance and Restore only.
type Call struct {
	// Fixed at New.
	ID           string          `json:"id"`
	Type         Type            `json:"type"`
	ReceiverType ReceiverType    `json:"receiverType"`
	Initiator    string          `json:"initiator"` // uid
	Receiver     string          `json:"receiver"`  // uid or guid
	InitiatedAt  time.Time       `json:"initiatedAt"`
	RingDeadline time.Time       `json:"ringDeadline"` // absolute, also across a restart
	Metadata     json.RawMessage `json:"metadata,omitempty"`
	Policy       Policy          `json:"policy"`

	// Changed by Handle and Advance.
	Status    Status    `json:"status"`
	Reason    Reason    `json:"reason,omitempty"` // of Ended only
	StartedAt time.Time `json:"startedAt,omitzero"`
	EndedAt   time.Time `json:"endedAt,omitzero"`
	Members   []Member  `json:"members"` // the initiator first, the others by uid

	// AloneSince is since when an ongoing call of several has had one member in it and nobody else to wait for; else zero.
	AloneSince time.Time `json:"aloneSince,omitzero"`
}

// Member is one user's part in a call.
type Member struct {
	UID        string    `json:"uid"`
	Guest      string    `json:"guest,omitzero"` // the name of a guest, whom no directory knows
	State      State     `json:"state"`
	JoinedAt   time.Time `json:"joinedAt,omitzero"`   // last came into the room
	LeftAt     time.Time `json:"leftAt,omitzero"`     // last gave up a seat
	Seat       *Seat     `json:"seat,omitempty"`      // nil: not in the call
	LastDevice string    `json:"lastDevice,omitzero"` // who held the seat that was given up last
	Missed     bool      `json:"missed,omitzero"`     // has been told of a missed call
	Removed    bool      `json:"removed,omitzero"`    // no longer belongs to the call: a stranger to it
	Barred     bool      `json:"barred,omitzero"`     // a moderator has put them out of the call
	Rights     Rights    `json:"rights,omitzero"`     // in the call's session
}

// Seat is the right of one device to be in the room for its user.
type Seat struct {
	Device    string    `json:"device"` // empty: open to the first device of the user that joins
	Joined    bool      `json:"joined,omitzero"`
	Signaling bool      `json:"signaling,omitzero"` // has a signaling connection
	Media     bool      `json:"media,omitzero"`     // has a living media connection
	GoneSince time.Time `json:"goneSince,omitzero"` // since when it has neither; zero while it has one
	JoinBy    time.Time `json:"joinBy,omitzero"`    // must be in the room by then; zero when it need not
}

// Terminal reports whether the call is over.
func (c *Call) Terminal() bool { return c.Status.Terminal() }

// MediaOpen reports whether media may flow in the call's room: only between acceptance and end.
func (c *Call) MediaOpen() bool { return c.Status == Ongoing }

// CloseReason is the reason that the room of a finished call was closed for: the Reason of an ended call, else its
// status. It is empty while the call is not over.
func (c *Call) CloseReason() Reason {
	switch {
	case !c.Terminal():
		return ""
	case c.Status == Ended:
		return c.Reason
	}
	return Reason(c.Status)
}

// Member returns the part of the user in the call, and false for a stranger.
func (c *Call) Member(uid string) (Member, bool) {
	if m := c.member(uid); m != nil {
		return *m, true
	}
	return Member{}, false
}

// HoldsBusy reports whether the user is busy because of this call: holding a seat in it while it is ongoing, or
// having it ring out.
func (c *Call) HoldsBusy(uid string) bool {
	m := c.member(uid)
	return m != nil && m.Seat != nil && !c.Terminal()
}

// BusyUsers lists the users for whom HoldsBusy is true, sorted.
func (c *Call) BusyUsers() []string {
	var uids []string
	for i := range c.Members {
		if c.HoldsBusy(c.Members[i].UID) {
			uids = append(uids, c.Members[i].UID)
		}
	}
	slices.Sort(uids)
	return uids
}

// Holds reports whether the device holds a seat of the call.
func (c *Call) Holds(d Device) bool {
	m := c.member(d.UID)
	return m != nil && m.Seat != nil && d.ID != "" && m.Seat.Device == d.ID
}

// Clone returns a copy that shares nothing with c, to try an event on.
func (c *Call) Clone() *Call {
	d := *c
	d.Metadata = slices.Clone(c.Metadata)
	d.Members = slices.Clone(c.Members)
	for i := range d.Members {
		m := &d.Members[i]
		m.Rights.Sources = slices.Clone(m.Rights.Sources)
		if s := m.Seat; s != nil {
			seat := *s
			m.Seat = &seat
		}
	}
	return &d
}

// member finds the user's part; nil for a stranger, which one who was removed is too.
func (c *Call) member(uid string) *Member {
	for i := range c.Members {
		if m := &c.Members[i]; m.UID == uid && !m.Removed {
			return m
		}
	}
	return nil
}

// isGroup reports whether the call may have any number of members, of whom the last one out ends it.
func (c *Call) isGroup() bool { return c.ReceiverType != User }

// instant drops the monotonic reading and the zone, so that a time equals itself after a round trip through JSON.
func instant(t time.Time) time.Time { return t.UTC().Round(0) }
