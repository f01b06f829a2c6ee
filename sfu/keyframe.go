package sfu

import (
	"time"

	"github.com/pion/rtcp"
)

// firstSpacing is the shortest time between two keyframe requests for the sake of somebody who waits for a first picture.
// Joining is rare enough to be worth a keyframe; but libwebrtc does not hear a request within 300 ms of another.
const firstSpacing = 320 * time.Millisecond

const (
	// keyframeShare is how much of an encoding's bitrate may be keyframes that were asked for: with more, those who lose much would
	// take it from everybody.
	keyframeShare = 0.4
	// keyframeLongest is how long nobody waits longer than for that; who has no picture at all waits a quarter.
	keyframeLongest = 2 * time.Second
)

// cost is what an encoding's keyframes take.
type cost struct {
	timestamp uint32 // of the newest
	bytes     int    // of it so far
	usual     int    // of those before; 0: not known
}

// add counts a packet of a picture.
func (c *cost) add(keyframe bool, timestamp uint32, bytes int) {
	switch {
	case keyframe && (c.bytes == 0 || timestamp != c.timestamp):
		c.usual = c.now()
		c.timestamp, c.bytes = timestamp, bytes
	case c.bytes > 0 && timestamp == c.timestamp:
		c.bytes += bytes
	}
}

// now is the usual cost with the newest taken in.
func (c *cost) now() int {
	if c.usual == 0 {
		return c.bytes
	}
	return (c.usual + c.bytes) / 2
}

// spacing is the shortest time between two keyframes for which their share stays within bounds, at a rate in bits per second; 0 when it
// is not known.
func (c *cost) spacing(rate int64) time.Duration {
	if rate <= 0 || c.bytes == 0 {
		return 0
	}
	seconds := float64(8*c.now()) / (keyframeShare * float64(rate))
	return min(time.Duration(seconds*float64(time.Second)), keyframeLongest)
}

// wantKeyframe asks the publisher for a keyframe, not more often than the configuration says: all who ask meanwhile are
// served by the next one. It is asked of the encoding with this index; when there is no such, of the largest that is arriving.
// first says that whoever asks has no picture at all, and is not to wait that long.
func (pub *publication) wantKeyframe(now time.Time, encoding uint8, first bool) {
	if !pub.video {
		return
	}
	in := &pub.owner.incoming
	in.mu.Lock()
	at := pub.encoding(encoding).want(first)
	in.mu.Unlock()
	if at.Before(now) {
		at = now
	}
	pub.owner.alarm.by(at)
}

// encoding is the one with an index, else the largest that is arriving. The inbox's lock is held.
func (pub *publication) encoding(index uint8) *encoding {
	if int(index) < len(pub.encodings) {
		return pub.encodings[index]
	}
	return pub.nearest(index)
}

// nearest is, of the encodings that are arriving, the largest that is no larger than the best, else the smallest; before any
// is, the smallest. The inbox's lock is held.
func (pub *publication) nearest(best uint8) *encoding {
	var arriving uint8
	for _, e := range pub.encodings {
		if e.ssrc != 0 && !e.flow.stopped {
			arriving |= 1 << e.index
		}
	}
	if arriving == 0 {
		return pub.encodings[0]
	}
	return pub.encodings[nearest(arriving, best)]
}

// want notes that a keyframe is wanted, and says when it may be asked for. The inbox's lock is held.
func (e *encoding) want(first bool) time.Time {
	e.wanted = true
	e.first = e.first || first
	return e.keyframeAt()
}

// keyframeAt is when a wanted keyframe may be asked for. The inbox's lock is held.
func (e *encoding) keyframeAt() time.Time {
	spacing := e.publication.owner.room.sfu.config.KeyframeSpacing
	least := time.Duration(0)
	if e.pictures != nil && len(e.known) > 0 {
		least = e.cost.spacing(e.known[len(e.known)-1].Rate)
	}
	if e.first {
		return e.asked.Add(max(min(spacing, firstSpacing), least/4))
	}
	return e.asked.Add(max(spacing, least))
}

// askKeyframe appends a PLI when one is wanted and due.
func (e *encoding) askKeyframe(now time.Time, in *inbox, dst []rtcp.Packet) []rtcp.Packet {
	if !e.wanted || now.Before(e.keyframeAt()) {
		return dst
	}
	e.wanted, e.first, e.asked = false, false, now
	e.publication.owner.room.sfu.metrics.pliOut.Inc()
	return append(dst, &rtcp.PictureLossIndication{SenderSSRC: in.own, MediaSSRC: e.ssrc})
}
