// Package munge renumbers a forwarded stream so that the receiver sees no gap.
//
// One Stream is one outgoing SSRC for life, whatever it carries. What a source numbers is shifted: out = in + shift. The
// shift changes where the source changes and where a packet is left out on purpose, so the past of a stream is a list of
// segments, each a run of one source's numbers under one shift. Their outgoing ranges never overlap, hence no two
// packets ever get the same number, and every number leads back to the packet that had it.
//
//	source A   10 11 12 13 .. .. ..         (13 arrives late, after the switch: dropped)
//	source B   .. .. .. 80 81 82 83         (80 starts a keyframe, 82 is left out)
//	outgoing   10 11 12 13 14 .. 15
//
// What was lost on the way to us stays a gap, so that a receiver asks for it.
package munge

import (
	"time"

	"github.com/parleyrtc/parley/sfu/packet"
)

// Source names one incoming stream (a publication's layer). It is chosen by the caller; 0 is none.
type Source uint64

// Config is fixed for the life of a Stream.
type Config struct {
	// ClockRate is the RTP clock in Hz.
	ClockRate uint32
	// Video streams begin a source only at a keyframe.
	Video bool
	// Sequence is the first outgoing number. Its top bit is cleared: a start below 2^15 keeps a lost first packet from
	// shifting the receiver's roll-over counter (RFC 3711 §3.3.1).
	Sequence uint16
	// Timestamp is the first outgoing timestamp.
	Timestamp uint32
}

// In is one packet offered to the stream.
type In struct {
	Source Source
	// Sequence is extended, see package seq.
	Sequence  int64
	Timestamp uint32
	Arrived   time.Time
	// Start marks the first packet of a keyframe; audio needs none.
	Start bool
	// At is where the packet belongs on the line of timestamps, when Placed: it is captured by the same clock as what the line
	// has carried so far. It counts where a source begins, and if it is not far from what the time of arrival says.
	At     uint32
	Placed bool
	// VP8 is the packet's descriptor, nil for other codecs.
	VP8 *packet.VP8Descriptor
}

// Out is how a packet leaves.
type Out struct {
	// Sequence is extended: its low 16 bits go on the wire, Sequence>>16 is the roll-over counter.
	Sequence  int64
	Timestamp uint32
	// Switched is set on the first packet of a new source.
	Switched bool
	// Patch says that the VP8 descriptor must get the three numbers below (packet.VP8Descriptor.Patch).
	Patch     bool
	PictureID uint16
	TL0       uint8
	KeyIdx    uint8
}

// Verdict says what becomes of a packet.
type Verdict uint8

// The verdicts of Map. All but Forward mean that the packet is not sent.
const (
	// Forward it with the numbers in Out.
	Forward Verdict = iota
	// Other: it comes from a source that this stream does not carry.
	Other
	// Waiting: its source is next, but cannot start with this packet. A keyframe is wanted.
	Waiting
	// Late: it is from before its source was switched to, left out, or too old.
	Late
	// Duplicate: it has been forwarded before.
	Duplicate
)

var verdictNames = [...]string{"forward", "other", "waiting", "late", "duplicate"}

// String is the verdict as a counter's label.
func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return "unknown"
}

// Stream renumbers one outgoing stream. It has one owner and no lock.
type Stream struct {
	cfg Config

	current, target Source

	segments []segment // Oldest first; the last one is open while current is not 0.
	begun    int64     // The number current started with.
	seen     int64     // The highest number of current, forwarded or left out.

	highest int64 // The highest outgoing number.
	started bool
	sent    window
	refused window

	// The newest forwarded frame: where the line of timestamps goes on from. No arrival: nothing was forwarded.
	newest  uint32
	arrived time.Time

	vp8 indices
}

// New returns a stream that carries nothing yet.
func New(cfg Config) *Stream {
	cfg.Sequence &= 0x7FFF
	return &Stream{cfg: cfg, highest: int64(cfg.Sequence) - 1, newest: cfg.Timestamp}
}

// Switch makes to the next source. The current one goes on until to offers a packet it can start with; Switch(0) stops at
// once.
func (s *Stream) Switch(to Source) {
	s.target = to
	if to == 0 {
		s.close()
		s.current = 0
	}
}

// Current is the source being forwarded, 0 when there is none.
func (s *Stream) Current() Source { return s.current }

// Target is the source that Switch asked for; it equals Current once it has begun.
func (s *Stream) Target() Source { return s.target }

// Map gives in its numbers. Each incoming packet is forwarded at most once.
func (s *Stream) Map(in *In, out *Out) Verdict {
	if in.Source == 0 {
		return Other
	}
	if in.Sequence == s.seen+1 && in.Source == s.current && s.target == s.current {
		if seg := &s.segments[len(s.segments)-1]; in.Sequence+seg.shift == s.highest+1 {
			s.follow(in, seg, out)
			return Forward
		}
	}
	if in.Source == s.target && s.target != s.current {
		if s.cfg.Video && !in.Start {
			return Waiting
		}
		s.begin(in)
		s.forward(in, &s.segments[len(s.segments)-1], out)
		out.Switched = true
		return Forward
	}
	if in.Source != s.current {
		return Other
	}
	if in.Sequence < s.begun {
		return Late
	}
	if in.Sequence-s.seen > maxJump { // nobody asks for that many
		s.jump(in.Sequence)
	}
	seg := s.find(in)
	if seg == nil {
		return Late
	}
	n := in.Sequence + seg.shift
	switch {
	case n <= s.highest-windowSize || s.refused.has(n, s.highest):
		return Late
	case s.sent.has(n, s.highest):
		return Duplicate
	}
	s.forward(in, seg, out)
	return Forward
}

// follow is forward for the ordinary case, in which nothing is missing: in follows the newest packet of its source, and its
// number the newest number.
func (s *Stream) follow(in *In, seg *segment, out *Out) {
	s.number(in, seg, out)
	s.seen = in.Sequence
	s.highest++
	s.refused.clear(s.highest)
	s.sent.set(s.highest)
	if in.VP8 != nil {
		s.vp8.moved(in.VP8, out)
	}
	s.lead(in, out)
}

// lead moves the line of timestamps on, when out is of a new frame.
func (s *Stream) lead(in *In, out *Out) {
	if int32(out.Timestamp-s.newest) > 0 {
		s.newest, s.arrived = out.Timestamp, in.Arrived
	}
}

// begin makes in the first packet of its source.
func (s *Stream) begin(in *In) {
	s.close()
	seg := segment{source: in.Source, from: in.Sequence, to: open, shift: s.highest + 1 - in.Sequence}
	// The line goes on: as much as the clock on the wall has moved since the newest frame, and at least one tick.
	next := s.cfg.Timestamp
	if !s.arrived.IsZero() {
		next = s.newest + max(1, s.ticks(in.Arrived))
		if off := int32(in.At - next); in.Placed && max(off, -off) < int32(s.cfg.ClockRate)/maxOff {
			next = in.At
			if int32(next-s.newest) <= 0 {
				next = s.newest + 1
			}
		}
	}
	seg.time = next - in.Timestamp
	s.newest, s.arrived = next, in.Arrived
	if in.VP8 != nil {
		s.vp8.follow(in.VP8, &seg)
	}
	s.push(seg)
	s.current = in.Source
	s.begun, s.seen = in.Sequence, in.Sequence
}

// jump continues the current source at a later number as if nothing were missing.
func (s *Stream) jump(at int64) {
	s.close()
	seg := s.segments[len(s.segments)-1]
	seg.from, seg.to, seg.shift = at, open, s.highest+1-at
	s.push(seg)
}

// next is the lowest outgoing number that stands for nothing yet. Behind the newest one forwarded there may be numbers of
// packets that are missing, when the newest one seen was left out.
func (s *Stream) next() int64 {
	n := s.highest + 1
	if s.current != 0 {
		n = max(n, s.seen+1+s.segments[len(s.segments)-1].shift)
	}
	return n
}

func (s *Stream) ticks(now time.Time) uint32 {
	d := now.Sub(s.arrived)
	if s.arrived.IsZero() || d <= 0 {
		return 0
	}
	whole, rest := int64(d/time.Second), int64(d%time.Second)
	return uint32(whole*int64(s.cfg.ClockRate) + rest*int64(s.cfg.ClockRate)/int64(time.Second))
}

// forward writes out and moves everything that follows the newest packet.
func (s *Stream) forward(in *In, seg *segment, out *Out) {
	s.number(in, seg, out)
	s.seen = max(s.seen, in.Sequence)
	if out.Sequence > s.highest {
		s.advance(out.Sequence)
		if in.VP8 != nil {
			s.vp8.moved(in.VP8, out)
		}
	}
	s.sent.set(out.Sequence)
	s.lead(in, out)
}

// number applies seg's shifts to in.
func (s *Stream) number(in *In, seg *segment, out *Out) {
	*out = Out{Sequence: in.Sequence + seg.shift, Timestamp: in.Timestamp + seg.time}
	if in.VP8 != nil {
		seg.patch(in.VP8, out)
	}
}

// advance makes n the highest outgoing number and forgets what leaves the windows.
func (s *Stream) advance(n int64) {
	s.sent.advance(s.highest, n)
	s.refused.advance(s.highest, n)
	s.highest = n
	s.started = true
}

// Skip takes a packet of the current source that is left out on purpose (padding only, a layer above the wanted one), so
// that the packets after it close the gap. One that comes after its successors were sent leaves a gap that nobody fills.
func (s *Stream) Skip(in *In) {
	if in.Source != s.current || in.Source == 0 || in.Sequence < s.begun {
		return
	}
	if in.Sequence <= s.seen {
		s.refuse(in)
		return
	}
	if in.Sequence-s.seen > maxJump {
		s.jump(in.Sequence)
	}
	last := &s.segments[len(s.segments)-1]
	next := *last
	next.from, next.shift = in.Sequence+1, last.shift-1
	if in.VP8 != nil && s.vp8.skipped(in.VP8) {
		next.picture--
	}
	s.seen = in.Sequence
	if last.from == in.Sequence {
		*last = next
		return
	}
	last.to = in.Sequence
	s.push(next)
}

// SkipTo leaves out, in one step, all of in's source that comes before in and has not come yet, so that in closes the gap. It is
// for a current source that was not wanted for a while.
func (s *Stream) SkipTo(in *In) {
	if in.Source != 0 && in.Source == s.current && in.Sequence > s.seen+1 {
		s.jump(in.Sequence)
	}
}

// refuse marks the number that was kept for in, which is left out after all.
func (s *Stream) refuse(in *In) {
	seg := s.find(in)
	if seg == nil {
		return
	}
	n := in.Sequence + seg.shift
	if n <= s.highest-windowSize || s.sent.has(n, s.highest) {
		return
	}
	if n > s.highest {
		s.advance(n)
	}
	s.refused.set(n)
}

// Withdraw tells that the packet with an outgoing number, which Map has given, will not be sent. The gap stays, but leads back to
// nothing.
func (s *Stream) Withdraw(number int64) {
	if number > s.highest-windowSize && number <= s.highest {
		s.refused.set(number)
	}
}

// NextSequence takes a number for a packet of our own making, such as padding. It leads back to no source.
func (s *Stream) NextSequence() int64 {
	n := s.next()
	if s.current != 0 {
		last := &s.segments[len(s.segments)-1]
		own := *last
		own.from, own.shift = s.seen+1, n-s.seen
		if last.from == own.from {
			*last = own
		} else {
			last.to = own.from
			s.push(own)
		}
	}
	s.advance(n)
	return n
}

// Lookup leads a number on the wire, as a receiver's NACK has it, back to its source's packet. It is false for numbers that
// are too old, never given, left out, or our own.
func (s *Stream) Lookup(wire uint16) (Source, int64, bool) {
	if !s.started {
		return 0, 0, false
	}
	n := s.highest + int64(int16(wire-uint16(s.highest)))
	if n > s.highest || n <= s.highest-windowSize || s.refused.has(n, s.highest) {
		return 0, 0, false
	}
	for i := len(s.segments) - 1; i >= 0; i-- {
		seg := &s.segments[i]
		if x := n - seg.shift; x >= seg.from && x < seg.to {
			return seg.source, x, true
		}
	}
	return 0, 0, false
}

// Again gives a packet found through Lookup the numbers it had, or was to have, the first time.
func (s *Stream) Again(in *In, out *Out) bool {
	seg := s.find(in)
	if seg == nil {
		return false
	}
	s.number(in, seg, out)
	return out.Sequence <= s.highest
}

// TimestampOf is the outgoing timestamp of a source's timestamp; false for a source not carried lately.
func (s *Stream) TimestampOf(source Source, timestamp uint32) (uint32, bool) {
	for i := len(s.segments) - 1; i >= 0; i-- {
		if s.segments[i].source == source {
			return timestamp + s.segments[i].time, true
		}
	}
	return 0, false
}

// Position is the line of timestamps extended to now.
func (s *Stream) Position(now time.Time) uint32 { return s.newest + s.ticks(now) }

// Latest is when the newest frame that was forwarded arrived; zero before the first.
func (s *Stream) Latest() time.Time { return s.arrived }

// Highest is the highest outgoing number so far; false before the first.
func (s *Stream) Highest() (int64, bool) { return s.highest, s.started }
