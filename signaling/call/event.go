package call

import "time"

// Event is something that happened to a call. The types of this file implement it.
type Event interface{ isEvent() }

// Accept is a called user's acceptance on one device, which takes the user's seat. In an ongoing group call it also
// brings back a member who rejected, left or did not answer.
type Accept struct {
	By       Device
	Takeover bool   // take the seat from another device of the same user
	BusyIn   string // fact: id of another call the user is busy in, if any
}

// Reject is a called user's refusal.
type Reject struct {
	By     Device
	Status Status // Rejected or Busy
}

// Cancel is the initiator's change of mind while the call rings. Any device of the initiator may send it.
type Cancel struct{ By Device }

// End hangs up: a 1:1 call for both, a group call for the member alone unless ForAll. It is for the device that holds the
// seat, or a server acting for the user; ForAll for any device of a moderator.
type End struct {
	By        Device
	ForAll    bool
	Moderator bool // fact: the user has the grant to end group calls for all
}

// Join brings the device that holds the seat into the room. It may come again from the same device, whose earlier
// participant is then out of date (the media restarted). In an ongoing group call it includes the acceptance.
type Join struct {
	By       Device
	Takeover bool   // take the seat from another device of the same user
	BusyIn   string // fact: id of another call the user is busy in, if any
	// Rights, when not nil, say that the user may enter this session and with which rights. They make no difference to calls
	// that somebody was rung for.
	Rights *Rights
	Guest  string // the name of a guest
}

// Expel is a moderator's wish to put a member out of a call of several, or the operator's.
type Expel struct {
	By        Device // zero: the operator
	UID       string
	Moderator bool // fact: the user has the grant to moderate every call
}

// Close is the operator's end of the call for everybody.
type Close struct{}

// Leave takes the device out of the room.
type Leave struct{ By Device }

// Presence tells how a device is connected now. It matters for devices that hold a seat and is ignored for all others.
type Presence struct {
	Device    Device
	Signaling bool // a signaling connection is open
	Media     bool // the participant's media connection lives
	// Since is when the device was last heard of, where it is known and neither lives: silence is noticed some time after
	// it began, and the grace period runs from the beginning. Zero or later than now: now.
	Since time.Time
}

// MediaFailed says that the media server put the device out of the room for good. Reason is what the device is told.
type MediaFailed struct {
	Device Device
	Reason Reason
}

// MemberAdded says that a user came into the group that is being called. Busy: is in another call.
type MemberAdded struct {
	UID  string
	Busy bool
}

// MemberRemoved says that a user was deleted, or removed from the group. It counts as a rejection or as leaving.
type MemberRemoved struct{ UID string }

func (Accept) isEvent()        {}
func (Reject) isEvent()        {}
func (Cancel) isEvent()        {}
func (End) isEvent()           {}
func (Join) isEvent()          {}
func (Leave) isEvent()         {}
func (Expel) isEvent()         {}
func (Close) isEvent()         {}
func (Presence) isEvent()      {}
func (MediaFailed) isEvent()   {}
func (MemberAdded) isEvent()   {}
func (MemberRemoved) isEvent() {}
