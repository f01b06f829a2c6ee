// Package verdict says what a person would have seen and heard of the media that arrived.
//
// Models of a receiver take the place of one. They are simpler than those of a browser and know more: every payload says what it
// is a part of (see Piece and Sound), so nothing depends on the numbers that a server writes. An Eye decodes a frame as soon as
// all of it and the frame it refers to are there, and calls a freeze what browsers do. Hear plays sound from a jitter buffer
// that follows the delays that it has seen, and says what was not there in time.
package verdict

import (
	"slices"
	"time"
)

// Piece is a packet of video: one part of one frame.
type Piece struct {
	Source    uint32    // whose camera
	Encoding  uint8     // which of its encodings; 0 is the smallest
	Frame     uint32    // counts the frames of the source; encodings of one picture have the same
	Refers    uint32    // the frame of the same encoding that it needs; its own number: a keyframe
	Index     uint8     // of this piece within the frame
	Count     uint8     // pieces of the frame
	Temporal  uint8     // layer
	Height    uint16    // pixels
	PictureID uint16    // VP8's, as it arrived: 15 bits
	Captured  time.Time // by the publisher's clock, which is ours
	At        time.Time // of arrival
}

// Shown is a frame on the screen.
type Shown struct {
	Source   uint32
	Encoding uint8
	Frame    uint32
	Height   uint16
	Captured time.Time
	At       time.Time
}

// Eye watches one source. The zero value is ready. It has one owner.
type Eye struct {
	// Shown is every frame that was, in order.
	Shown []Shown
	// Misnumbered counts frames that were shown whose picture id was not above that of the frame before, which a real decoder
	// would take for an old one.
	Misnumbered int

	pending []*frame     // incomplete, or without what they refer to
	decoded map[key]bool // the newest of them
	recent  []key        // the same in order, to forget the oldest
	last    uint16       // picture id
	begun   bool
}

type key struct {
	encoding uint8
	frame    uint32
}

type frame struct {
	first Piece
	have  [4]uint64 // which pieces
	count int
	at    time.Time // of the newest piece
}

const (
	// remembered is how many decoded frames are kept as references; encoders refer to the last few.
	remembered = 256
	// mostPending bounds what waits, some three seconds of several encodings.
	mostPending = 512
)

// See takes a piece, in the order of arrival, and says whether a frame was shown for it.
func (e *Eye) See(p Piece) bool {
	if e.decoded == nil {
		e.decoded = map[key]bool{}
	}
	id := key{p.Encoding, p.Frame}
	if e.decoded[id] {
		return false
	}
	at := slices.IndexFunc(e.pending, func(f *frame) bool { return f.first.Encoding == id.encoding && f.first.Frame == id.frame })
	if at < 0 {
		if len(e.pending) == mostPending {
			e.pending = slices.Delete(e.pending, 0, 1)
		}
		at = len(e.pending)
		e.pending = append(e.pending, &frame{first: p})
	}
	f := e.pending[at]
	if bit := uint64(1) << (p.Index % 64); f.have[p.Index/64]&bit == 0 {
		f.have[p.Index/64] |= bit
		f.count++
		f.at = p.At
	}
	return e.decode(p.At)
}

// decode decodes all that has become decodable.
func (e *Eye) decode(now time.Time) (shown bool) {
	for again := true; again; {
		again = false
		for i, f := range e.pending {
			p := f.first
			if f.count < int(p.Count) || p.Refers != p.Frame && !e.decoded[key{p.Encoding, p.Refers}] {
				continue
			}
			e.pending = slices.Delete(e.pending, i, i+1)
			e.remember(key{p.Encoding, p.Frame})
			shown = e.show(p, now) || shown
			again = true
			break
		}
	}
	return shown
}

func (e *Eye) remember(id key) {
	if len(e.recent) == remembered {
		delete(e.decoded, e.recent[0])
		e.recent = slices.Delete(e.recent, 0, 1)
	}
	e.decoded[id] = true
	e.recent = append(e.recent, id)
}

// show shows a decoded frame unless a newer one was shown before.
func (e *Eye) show(p Piece, now time.Time) bool {
	if n := len(e.Shown); n > 0 && !p.Captured.After(e.Shown[n-1].Captured) {
		return false
	}
	if step := (p.PictureID - e.last) & 0x7fff; e.begun && (step == 0 || step > 1<<14) {
		e.Misnumbered++
	}
	e.last, e.begun = p.PictureID, true
	e.Shown = append(e.Shown, Shown{p.Source, p.Encoding, p.Frame, p.Height, p.Captured, now})
	return true
}

// Blind says since when there are pieces that nothing can be made of: zero when all is well.
func (e *Eye) Blind() time.Time {
	newest := time.Time{}
	if n := len(e.Shown); n > 0 {
		newest = e.Shown[n-1].Captured
	}
	for _, f := range e.pending {
		if f.first.Captured.After(newest) {
			return f.at
		}
	}
	return time.Time{}
}
