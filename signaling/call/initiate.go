package call

import (
	"encoding/json"
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
