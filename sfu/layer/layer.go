// Package layer decides which packets of a publication one subscription forwards.
//
// A publication is one encoding, or several of different size (simulcast); an encoding may have spatial and temporal layers
// (SVC). A [Reader] for each encoding turns a packet into facts, once for all subscribers, and [Rates] measures from them
// what each layer takes. A [Selector] for each subscription is told what is wanted and says of each packet what becomes of it:
//
//	another encoding     only at its keyframe; until then the old one goes on, so a switch never freezes the picture
//	up a temporal layer  at a sync point: VP8's Y, VP9's U, a switch indication of the dependency descriptor, a keyframe
//	up a spatial layer   at a frame that refers to no earlier picture, a switch indication, a keyframe
//	down                 at once, from the next picture on, where lower layers don't depend on what was left out
//
// What cannot be reached without a keyframe is in [Selector.Wants]; how often the publisher is asked is decided elsewhere.
// Where packets carry a dependency descriptor nothing but that is read, so payloads may be encrypted end to end.
//
// # With munge
//
// Each beginning of an encoding is a munge.Source of its own. The verdicts map to calls of the outgoing stream's
// munge.Stream:
//
//	Begin     Switch(a new source), then Map with In.Start set
//	Forward   Map
//	Skip      Skip, which closes the gap; nothing is sent
//	Other     nothing
//	Waiting   nothing, and Wants is worth a look
//	Pause()   Switch(0)
//
// munge keeps the picture numbers of VP8 without gaps. Those of VP9 and the frame numbers of the dependency descriptor keep
// their gaps, because differences of them are what frames refer to by; a [Counter] only joins them where the source changes.
// A packet sent again is the same for the same source: its verdict need not be asked for twice, but its marker does belong to
// what was sent, and is to be kept.
package layer

import "github.com/parleyrtc/parley/sfu/packet"

// Layer names a part of a publication. A packet belongs to one, and what is wanted is one with all below it in the same
// encoding.
type Layer struct {
	// Encoding counts the simulcast encodings by size, the smallest is 0.
	Encoding uint8
	// Spatial and Temporal are the layers inside an encoding. A wish may exceed what there is: it means all.
	Spatial, Temporal uint8
}

// All is a wish for all layers of an encoding.
const All = 255

// Packet is what a choice needs to know of a packet. It is the same for all subscriptions.
type Packet struct {
	Layer
	Timestamp uint32
	Marker    bool
	// Keyframe is set on the first packet of a picture with which a decoder can begin.
	Keyframe bool
	// Last is set on the last packet of a frame, which is one spatial layer of a picture, where the stream tells.
	Last bool
	// Sync frames refer to no frame of their own temporal layer or above.
	Sync bool
	// SwitchUp pictures are a wall to the temporal layers above them: those refer to nothing of theirs before it.
	SwitchUp bool
	// Intra frames refer to no earlier picture, at most to the spatial layer below.
	Intra bool

	// Dependency is set when HasDependency.
	Dependency    packet.Dependency
	HasDependency bool
	// VP8 and VP9 are set when the codec is that, HasIndices says so.
	VP8        packet.VP8Descriptor
	VP9        packet.VP9Descriptor
	HasIndices bool
}

// Verdict says what becomes of a packet.
type Verdict uint8

// The verdicts of Choose. Only the first two mean that the packet is sent.
const (
	// Forward it.
	Forward Verdict = iota
	// Begin means to forward it as the first packet of its encoding.
	Begin
	// Skip it: it is of a layer that is not wanted, of the encoding that is forwarded.
	Skip
	// Other: its encoding is not forwarded.
	Other
	// Waiting: its encoding is wanted, but cannot begin with this packet.
	Waiting
)

var verdictNames = [...]string{"forward", "begin", "skip", "other", "waiting"}

// String is the verdict as a counter's label.
func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return "unknown"
}

// Decision is what becomes of one packet.
type Decision struct {
	Verdict Verdict
	// Marker is the marker bit to send: it moves to the end of the highest layer that is forwarded.
	Marker bool
	// Announce says that the dependency descriptor should tell Active, the decode targets that this receiver gets. That
	// is said for some frames after a change, and whenever the structure is sent.
	Announce bool
	Active   uint32
}
