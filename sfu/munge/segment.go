package munge

import (
	"math"

	"github.com/parleyrtc/parley/sfu/packet"
)

// open is the end of the segment that is still growing.
const open = math.MaxInt64

// maxSegments bounds how much past can be looked up. At 30 frames a second with every other one left out it is 8 s.
const maxSegments = 128

// segment is a run [from, to) of one source's numbers under one set of shifts.
type segment struct {
	source   Source
	from, to int64
	shift    int64
	time     uint32
	picture  uint16
	tl0      uint8
	keyIdx   uint8
}

// patch fills in the VP8 indices of out.
func (g *segment) patch(d *packet.VP8Descriptor, out *Out) {
	out.PictureID = (d.PictureID + g.picture) & d.PictureIDMask()
	out.TL0 = d.TL0 + g.tl0
	out.KeyIdx = (d.KeyIdx + g.keyIdx) & 0x1F
	out.Patch = d.HasPictureID && out.PictureID != d.PictureID ||
		d.HasTL0 && g.tl0 != 0 ||
		d.HasKeyIdx && out.KeyIdx != d.KeyIdx
}

// push adds a segment, and forgets the oldest beyond maxSegments.
func (s *Stream) push(g segment) {
	if len(s.segments) == maxSegments {
		copy(s.segments, s.segments[1:])
		s.segments = s.segments[:maxSegments-1]
	}
	s.segments = append(s.segments, g)
}

// close ends the open segment after the newest packet seen. All numbers up to there are given away for good.
func (s *Stream) close() {
	if s.current == 0 {
		return
	}
	if n := s.next() - 1; n > s.highest {
		s.advance(n)
	}
	last := &s.segments[len(s.segments)-1]
	last.to = max(last.from, s.seen+1)
}

// find is the newest segment that in belongs to, nil when there is none.
func (s *Stream) find(in *In) *segment {
	for i := len(s.segments) - 1; i >= 0; i-- {
		g := &s.segments[i]
		if g.source == in.Source && in.Sequence >= g.from && in.Sequence < g.to {
			return g
		}
	}
	return nil
}

// indices are the VP8 numbers of the stream, which must go on when the source changes (RFC 7741 §4.2).
type indices struct {
	started bool
	picture uint16 // As last sent.
	tl0     uint8
	keyIdx  uint8
	seen    uint16 // The current source's newest picture id, sent or left out.
}

// follow sets the shifts with which d comes right after what was last sent. The very first source passes unchanged: then
// no payload needs a copy.
func (x *indices) follow(d *packet.VP8Descriptor, seg *segment) {
	x.seen = d.PictureID
	if !x.started {
		return
	}
	seg.picture = x.picture + 1 - d.PictureID
	seg.tl0 = x.tl0 + 1 - d.TL0
	seg.keyIdx = x.keyIdx + 1 - d.KeyIdx
}

// moved notes the newest packet sent.
func (x *indices) moved(d *packet.VP8Descriptor, out *Out) {
	x.started = true
	x.seen = d.PictureID
	if d.HasPictureID {
		x.picture = out.PictureID
	}
	if d.HasTL0 {
		x.tl0 = out.TL0
	}
	if d.HasKeyIdx {
		x.keyIdx = out.KeyIdx
	}
}

// skipped notes the newest packet left out, and says whether it is the first of its picture.
func (x *indices) skipped(d *packet.VP8Descriptor) bool {
	if !d.HasPictureID || d.PictureID == x.seen {
		return false
	}
	x.seen = d.PictureID
	return true
}
