package sfu

import (
	"time"

	"github.com/parleyrtc/parley/sfu/packet"
)

const (
	// An encoding has stopped when it has been silent for this long while others brought so many pictures: long for one that is
	// merely slow or delayed, and short for whoever looks at it.
	flowSilence  = 250 * time.Millisecond
	flowPictures = 4
	// flowSteady is how many pictures without such a gap one that had stopped must bring before it counts again, unless it
	// begins with a keyframe, as encoders do.
	flowSteady = 8
)

// flow tells whether an encoding is arriving. The zero value is one that has never arrived.
type flow struct {
	latest    time.Time // packet; zero: none yet
	timestamp uint32    // of the newest picture
	pictures  int       // since the last gap
	beat      uint32    // publication.beat then
	stopped   bool
}

// flows notes a packet of e, tells the receivers which encodings are arriving, and finds those that have stopped. The inbox's
// lock is held.
func (pub *publication) flows(now time.Time, e *encoding, m *media) {
	f := &e.flow
	if now.Sub(f.latest) > flowSilence {
		f.pictures = 0
	}
	if f.latest.IsZero() || int32(m.facts.Timestamp-f.timestamp) > 0 {
		f.timestamp = m.facts.Timestamp
		f.pictures++
		pub.beat++
	}
	f.latest, f.beat = now, pub.beat
	if m.facts.Keyframe || f.pictures >= flowSteady {
		f.stopped = false
	}
	m.arriving = 0
	for _, other := range pub.encodings {
		o := &other.flow
		if o.latest.IsZero() {
			continue
		}
		if now.Sub(o.latest) > flowSilence && pub.beat-o.beat >= flowPictures {
			o.stopped = true
		}
		if !o.stopped {
			m.arriving |= 1 << other.index
		}
	}
}

// maxSpatial is how many spatial layers are told apart.
const maxSpatial = 4

// measure notes the size of the pictures, where a packet tells.
func (e *encoding) measure(m *media, payload []byte) {
	f := &m.facts
	switch {
	case f.HasDependency:
		if !f.Dependency.Attached {
			return
		}
		for i := range e.sizes {
			width, height, _ := f.Dependency.Structure.Resolution(uint8(i))
			e.sizes[i] = [2]uint16{uint16(width), uint16(height)}
		}
	case e.codec == packet.VP9 && f.VP9.HasStructure && f.VP9.Structure.Resolved:
		copy(e.sizes[:], f.VP9.Structure.Resolutions[:])
	case e.codec == packet.VP8 && f.Keyframe:
		width, height := packet.SizeVP8(payload[f.VP8.Size:])
		e.sizes[0] = [2]uint16{uint16(width), uint16(height)}
	}
}
