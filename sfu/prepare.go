package sfu

import (
	"time"

	"github.com/parleyrtc/parley/sfu/layer"
	"github.com/parleyrtc/parley/sfu/munge"
	"github.com/parleyrtc/parley/sfu/packet"
)

const (
	// askSpacing is how often a line that waits for a keyframe says so; the publication has its own, wider spacing.
	askSpacing = 200 * time.Millisecond
	// complainSpacing is how often a line that cannot decode says so.
	complainSpacing = time.Second
)

// prepare makes o's packet of m, or says why not. The receiver's lock is held.
func (l *line) prepare(now time.Time, s *subscription, m *media, o *outbox) dropReason {
	if l.carried != s {
		l.turn(s)
	}
	l.tune(m)
	if l.codec.PayloadType == 0 {
		if now.Sub(l.complained) > complainSpacing && m.codec != packet.VP8 && m.codec.Video() {
			l.complained = now
			o.news.undecodable = true
		}
		return dropCodec
	}
	from := origin{m.encoding, m.epoch, m.index}
	if l.origin.encoding == from.encoding && m.epoch < l.origin.epoch {
		return dropStale
	}
	if len(m.payload) == 0 {
		if l.origin == from {
			m.in.Source = l.source
			l.numbers.Skip(&m.in)
		}
		return dropPadding
	}
	reason := l.choose(now, s, m, from, o)
	if reason != forwarded {
		return reason
	}
	if o.out.Switched {
		l.began(now, s, o)
	}
	l.choices.put(o.out.Sequence, m.marker, &o.choice)
	l.pack(m, o)
	return forwarded
}

// choose gives m its numbers in o, or says why it is not forwarded.
func (l *line) choose(now time.Time, s *subscription, m *media, from origin, o *outbox) dropReason {
	l.indices(m)
	o.choice = layer.Decision{Marker: m.marker}
	if !l.video {
		if l.origin != from {
			l.begin(now, m, from)
		}
		l.resume(m)
		return l.voice(m, o)
	}
	if from.index == l.origin.index && l.origin.encoding != nil && l.origin != from {
		s.selector.Restart() // its numbers and layers have nothing to do with what went before
		l.origin = origin{}
	}
	if s.arriving != m.arriving {
		s.aim(m.arriving)
	}
	o.choice = s.selector.Choose(&m.facts)
	switch o.choice.Verdict {
	case layer.Begin:
		l.begin(now, m, from)
	case layer.Forward:
	case layer.Skip:
		m.in.Source = l.source
		l.numbers.Skip(&m.in)
		l.ask(now, s)
		return dropLayer
	case layer.Waiting:
		m.encoding.watch()
		l.ask(now, s)
		return dropWaiting
	default:
		return dropLayer
	}
	m.encoding.watch()
	return l.number(m, o)
}

// number gives m its numbers as a packet of what the line carries.
func (l *line) number(m *media, o *outbox) dropReason {
	m.in.Source = l.source
	switch l.numbers.Map(&m.in, &o.out) {
	case munge.Forward:
		return forwarded
	case munge.Duplicate:
		return dropDuplicate
	case munge.Other, munge.Waiting:
		return dropStale
	}
	return dropLate
}

// ask asks for the keyframe that the subscription waits for, if it does.
func (l *line) ask(now time.Time, s *subscription) {
	if now.Sub(l.asked) <= askSpacing {
		return
	}
	if encoding, ok := s.selector.Wants(); ok {
		l.asked = now
		_, shown := s.selector.Current()
		s.publication.wantKeyframe(now, encoding, !shown)
	}
}

// turn makes a subscription what the line carries. Nothing of it has begun yet; what was carried before is not sent again.
func (l *line) turn(s *subscription) {
	l.carried, l.origin, l.asked = s, origin{}, time.Time{}
	l.past = [origins]origin{}
	s.selector.Restart()
}

// begin makes m, which a decoder can begin with, the first packet of a source.
func (l *line) begin(now time.Time, m *media, from origin) {
	m.in.At, m.in.Placed = l.place(now, m, from)
	l.source++
	l.origin = from
	l.past[l.source%origins] = from
	l.numbers.Switch(l.source)
	m.in.Start = true
	if f := &m.facts; l.video {
		if f.HasDependency {
			l.frames.Begin(uint64(l.source), f.Dependency.Number, 0xFFFF)
		}
		if m.codec == packet.VP9 && f.HasIndices {
			l.pictures.Begin(uint64(l.source), f.VP9.PictureID, f.VP9.PictureIDMask())
			l.bases.Begin(uint64(l.source), uint16(f.VP9.TL0), 0xFF)
		}
	}
}

// place is where m belongs on the line of timestamps behind what the line has carried so far of the same publication. Of two
// encodings the publisher's reports tell what both call one time: one that begins late, because its keyframe is large, would
// else shift the picture against the sound.
func (l *line) place(now time.Time, m *media, from origin) (uint32, bool) {
	old := l.origin
	if old == from {
		return l.numbers.TimestampOf(l.source, m.in.Timestamp)
	}
	if old.encoding == nil || old.encoding == m.encoding || old.encoding.publication != m.encoding.publication {
		return 0, false
	}
	before, ok1 := old.encoding.timestampAt(now, old.epoch)
	same, ok2 := m.encoding.timestampAt(now, m.epoch)
	at, ok3 := l.numbers.TimestampOf(l.source, before)
	return at + m.in.Timestamp - same, ok1 && ok2 && ok3
}

// tune finds what m's codec is sent as by the agreement in use.
func (l *line) tune(m *media) {
	if t := (tuned{l.used, m.codec, m.h264}); l.tuned != t {
		l.codec, l.tuned = l.used.codec(m), t
	}
}

// began notes that the line carries something new from this packet on. Another encoding of the same is nothing new.
func (l *line) began(now time.Time, s *subscription, o *outbox) {
	if l.told == s {
		return
	}
	l.told = s
	l.to.reconsider(now) // what it takes is known from now on
	l.begun = beginning{s, o.out.Timestamp}
	o.news.begun = true
	if l.video && !o.settled {
		o.settled = true
		o.news.settled = true
	}
}
