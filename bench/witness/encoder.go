package witness

import (
	"math/rand/v2"
	"time"
)

// Size is one encoding of a camera.
type Size struct {
	RID    string // "" when it is the only one
	Height int    // pixels
	Rate   int64  // bits per second
}

// Simulcast is what a browser makes of a camera of 720 lines in three sizes.
var Simulcast = []Size{{"q", 180, 150_000}, {"h", 360, 500_000}, {"f", 720, 1_500_000}}

const (
	// fps is the frame rate of every camera.
	fps = 30
	// keyShare is how large a keyframe is, in frames of the usual size.
	keyShare = 5
	// mostPayload is libwebrtc's for video: 1200 bytes less what RTP and its extensions take.
	mostPayload = 1160
	// keySpacing is the shortest time between two keyframes that were asked for, as in libwebrtc.
	keySpacing = 300 * time.Millisecond
)

// temporal is the pattern of VP8 with three temporal layers (L1T3) and what a frame of each layer takes, in frames of the usual
// size: 40, 20 and 40 % of the rate, for 1, 1 and 2 frames of four.
var (
	temporal      = []uint8{0, 2, 1, 2}
	temporalShare = [...]float64{1.6, 0.8, 0.8}
)

// encoder makes the frames of one encoding: their sizes and what they refer to. It has no content.
type encoder struct {
	size    Size
	layers  bool // three temporal layers, else one
	random  *rand.Rand
	begun   bool
	key     uint32 // of the last keyframe
	newest  [3]uint32
	debt    float64   // bytes that keyframes took beyond the rate
	keyed   time.Time // the last keyframe
	wanted  bool
	picture uint16
	tl0     uint8
}

// image is one encoded frame.
type image struct {
	frame, refers uint32
	layer         uint8
	sync          bool // refers to the base layer only (VP8's Y bit)
	bytes         int
	picture       uint16
	tl0           uint8
}

func (i image) key() bool { return i.frame == i.refers }

// encode makes a frame of an encoding.
func (e *encoder) encode(now time.Time, frame uint32) image {
	usual := float64(e.size.Rate) / 8 / fps
	img := image{frame: frame}
	key := !e.begun || e.wanted && now.Sub(e.keyed) >= keySpacing
	if key {
		e.begun, e.wanted, e.key, e.keyed = true, false, frame, now
		e.newest = [3]uint32{frame, frame, frame}
		img.refers = frame
		img.bytes = int(usual * keyShare)
		e.debt += usual * (keyShare - 1)
	} else {
		share := 1.0
		if e.layers {
			img.layer = temporal[(frame-e.key)%4]
			share = temporalShare[img.layer]
		}
		img.refers, img.sync = e.reference(img.layer)
		e.newest[img.layer] = frame
		bytes := usual * share * (0.8 + 0.4*e.random.Float64())
		repaid := min(e.debt, bytes*0.15)
		e.debt -= repaid
		img.bytes = int(bytes - repaid)
	}
	if img.layer == 0 {
		e.tl0++
	}
	e.picture = (e.picture + 1) & 0x7fff
	img.picture, img.tl0 = e.picture, e.tl0
	img.bytes = max(img.bytes, 100)
	return img
}

// reference is the frame that one of a layer needs: the newest of the same layer or below, of the base layer for layer 1.
func (e *encoder) reference(layer uint8) (frame uint32, sync bool) {
	switch layer {
	case 0:
		return e.newest[0], false
	case 1:
		return e.newest[0], true
	}
	if newer := int32(e.newest[1] - e.newest[0]); newer > 0 {
		return e.newest[1], false
	}
	return e.newest[0], true
}

// split gives the payload sizes of a frame as libwebrtc splits it: about equal, the shorter ones first.
func split(bytes, most int) []int {
	n := (bytes + most - 1) / most
	out := make([]int, n)
	for i := range out {
		out[i] = bytes / n
		if i >= n-bytes%n {
			out[i]++
		}
	}
	return out
}
