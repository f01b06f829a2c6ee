// Package journal says what happened in a call, in the order in which it happened, for those who are told of it later.
package journal

import (
	"time"

	"github.com/parleyrtc/parley/signaling/call"
)

// Kind is the name of something that happens in a call.
type Kind string

// What happens in calls.
const (
	Initiated  Kind = "call.initiated"
	Accepted   Kind = "call.accepted"
	Rejected   Kind = "call.rejected"
	Cancelled  Kind = "call.cancelled"
	Busy       Kind = "call.busy"
	Unanswered Kind = "call.unanswered"
	Ended      Kind = "call.ended"
	Joined     Kind = "participant.joined"
	Left       Kind = "participant.left"
)

// Kinds lists every kind.
func Kinds() []Kind {
	return []Kind{Initiated, Accepted, Rejected, Cancelled, Busy, Unanswered, Ended, Joined, Left}
}

// Entry is one thing that happened.
type Entry struct {
	Number uint64    `json:"number"` // its place in the call's journal, from 1
	Kind   Kind      `json:"kind"`
	At     time.Time `json:"at"`
	// UID acted; where nobody did, it befell them: who did not answer, or whose connection was lost.
	UID    string   `json:"uid"`
	UIDs   []string `json:"uids,omitempty"`   // whom it befell at the same moment, UID first, MaxUIDs at most; nil for one alone
	Device string   `json:"device,omitempty"` // of UID; empty: a back end acted for them, a timer did, or it concerns no device
	Reason string   `json:"reason"`           // why it came to this, never empty
	// Status is that of the call afterwards. A kind of Rejected or Busy ends the call only if Status says so.
	Status call.Status `json:"status"`
	Since  time.Time   `json:"since,omitzero"` // Left: when they had joined
}

// MaxUIDs bounds Entry.UIDs: a group may have a thousand members who do not answer.
const MaxUIDs = 100

// The reasons that are not those of the call machine.
const (
	reasonInitiated = "initiated"
	reasonOpened    = "opened" // a session that nobody is called to
	reasonAccepted  = "accepted"
	reasonRejected  = "rejected"
	reasonCancelled = "cancelled"
	reasonBusy      = "busy"            // the callee's client said so
	reasonElsewhere = "in_another_call" // the server knew, and did not ring
	reasonTimeout   = "ring_timeout"
	reasonJoined    = "joined"
)

// Told is one entry with the call it belongs to.
type Told struct {
	Call  *call.Call // at the time of the entry or later; nobody changes it
	Entry Entry
}

// Journal numbers what happens in one call, and keeps it until it is in safe hands. The zero value is empty.
type Journal struct {
	Last    uint64  `json:"last,omitzero"` // number of the newest entry, also of one that is not kept
	Entries []Entry `json:"entries,omitempty"`
}

// maxKept bounds the entries that wait, because a record must not grow for ever while nobody takes them. The oldest go first: what
// is told then begins in the middle.
const maxKept = 1024

// Next returns the journal without the entries up to done and with the new ones, of which only those that keep wants stay, and
// the newest 1024 at most. The journal itself is not changed.
func (j Journal) Next(done uint64, entries []Entry, keep func(Kind) bool) Journal {
	next := Journal{Last: j.Last}
	for _, e := range j.Entries {
		if e.Number > done {
			next.Entries = append(next.Entries, e)
		}
	}
	for _, e := range entries {
		next.Last++
		if e.Number = next.Last; keep(e.Kind) {
			next.Entries = append(next.Entries, e)
		}
	}
	next.Entries = next.Entries[max(0, len(next.Entries)-maxKept):]
	return next
}

// After lists the entries with a greater number than done.
func (j Journal) After(done uint64) []Entry {
	for i, e := range j.Entries {
		if e.Number > done {
			return j.Entries[i:]
		}
	}
	return nil
}
