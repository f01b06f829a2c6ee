// Package notice makes push notices about calls: for whom, with what in them, and how long they are tried.
//
// What a notice may be depends on where it goes:
//
//	                 ring                       stop (answered elsewhere, cancelled …)   missed
//	FCM              data only, high priority   data only, replaces the ring             shown by the system
//	APNs, VoIP       VoIP push                  –                                        –
//	APNs, alert      –                          background push                          alert
//	Web Push         urgent                     urgent, replaces the ring                the same as stop, or alone
//	webhook          POST                       POST                                     POST
//
// A VoIP push rings or does harm: iOS ends an app that gets one and reports no call, so nothing but a ring is ever one. A phone
// that it woke hears the rest over its WebSocket. And an app written for CometChat rings at every push with the type "call" and
// a senderUid, so a ring alone has that key.
package notice

import (
	"time"
)

// Kind is a way to reach a device.
type Kind string

// The kinds of registration.
const (
	FCM    Kind = "fcm"      // a Firebase registration token
	VoIP   Kind = "apnsVoip" // a PushKit token of an iPhone
	Alert  Kind = "apns"     // an ordinary APNs token
	Web    Kind = "web"      // a Web Push subscription
	Custom Kind = "custom"   // a token that only the operator's webhook understands
)

// Purpose is what a notice is to bring about.
type Purpose string

// The purposes.
const (
	Ring   Purpose = "ring"
	Stop   Purpose = "stop"   // the device rings for nothing now
	Missed Purpose = "missed" // there was a call
)

// Notice is one thing to say about a call. All devices that are told share it, so nobody changes it.
type Notice struct {
	Session string
	Purpose Purpose
	Data    map[string]string // what every push carries, see data
	Missed  bool              // of Stop: the call was missed, too

	At       time.Time // when it came to be
	Deadline time.Time // of the ring, and for Missed of trying
}

// Title is the first line of what the user sees: who called.
func (n *Notice) Title() string { return n.Data["title"] }

// Body is the second line.
func (n *Notice) Body() string { return n.Data["body"] }

// left is how much of the ring is left, in whole seconds.
func (n *Notice) left(now time.Time) int {
	return max(0, int(n.Deadline.Sub(now)/time.Second))
}

// keep is how long a provider keeps a missed call for a device that it cannot reach, in seconds: a day.
const keep = 86400

// Route picks from the notices of one order those that a device of this kind is sent.
func Route(kind Kind, notices []*Notice) []*Notice {
	var out []*Notice
	for _, n := range notices {
		if fits(kind, n, len(notices) > 1) {
			out = append(out, n)
		}
	}
	return out
}

// fits is the table in the package's comment. With others, a missed call comes beside the notice that stops its ring.
func fits(kind Kind, n *Notice, withOthers bool) bool {
	switch kind {
	case VoIP:
		return n.Purpose == Ring
	case Alert:
		return n.Purpose != Ring
	case Web:
		return n.Purpose != Missed || !withOthers // a stop takes the ring's place on the screen and says that it was missed
	}
	return true
}
