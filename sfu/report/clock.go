package report

import (
	"time"

	"github.com/pion/rtcp"
)

// second is one second in 2^-32 s, the unit of NTP differences.
const second = int64(1) << 32

const (
	// step is how far off a clock must be to be set instead of slewed.
	step = second
	// stepAfter is how many reports in a row must be late by a step: one may just have been held up on its way.
	stepAfter = 3
	// bucket is how long a minimum counts; it is followed by a second one of the same length. A publisher's clock that is
	// 100 ppm off drifts 6 ms in both.
	bucket = 30 * second
	// slew is the largest correction: one part in slew of the time that has passed.
	slew = 100
)

// Clock reads a publisher's NTP times on the server's clock, with one offset for all of its streams, so that they stay
// in step with each other. The shortest way a report took lately counts; a change is slewed in, so that later times at
// the publisher are later times here. The zero value is ready. It has one owner and no lock.
type Clock struct {
	offset  int64 // Server minus publisher, 2^-32 s.
	started bool

	now              uint64 // The last report's arrival.
	bucketStart      uint64
	best, bestBefore int64 // Smallest offsets of this bucket and the one before.
	late             int
}

// Observe takes the NTP time of a sender report of any of the publisher's streams, received at now.
func (c *Clock) Observe(now time.Time, ntp uint64) {
	server := NTP(now)
	// The publisher's clock may show any time of the 136 years: only the difference counts, modulo 2^64.
	sample := int64(server - ntp)
	if !c.started {
		c.reset(server, sample)
		return
	}
	switch ahead := sample - c.offset; {
	case ahead < -step: // No road is shorter than it can be: the publisher's clock was set.
		c.reset(server, sample)
		return
	case ahead > step:
		if c.late++; c.late >= stepAfter {
			c.reset(server, sample)
			return
		}
	default:
		c.late = 0
	}
	if int64(server-c.bucketStart) > bucket {
		c.bestBefore, c.best, c.bucketStart = c.best, sample, server
	}
	c.best = min(c.best, sample)
	limit := max(0, int64(server-c.now)) / slew
	c.offset += min(max(min(c.best, c.bestBefore)-c.offset, -limit), limit)
	c.now = server
}

func (c *Clock) reset(server uint64, sample int64) {
	*c = Clock{offset: sample, started: true, now: server, bucketStart: server, best: sample, bestBefore: sample}
}

// Server is the server's time at which the publisher's clock showed ntp; false before the first report.
func (c *Clock) Server(ntp uint64) (time.Time, bool) {
	return Time(ntp + uint64(c.offset)), c.started
}

// Line ties the RTP timestamps of one publication to its publisher's clock. The zero value is ready.
type Line struct {
	ntp       uint64
	timestamp uint32
	started   bool
}

// SenderReport takes both times of a sender report of the stream.
func (l *Line) SenderReport(ntp uint64, timestamp uint32) {
	l.ntp, l.timestamp, l.started = ntp, timestamp, true
}

// TimestampAt is the RTP timestamp of what the publisher captured when the server's clock showed at; false before the first
// report.
func (l *Line) TimestampAt(c *Clock, at time.Time, clockRate uint32) (uint32, bool) {
	if !l.started || !c.started {
		return 0, false
	}
	passed := int64(NTP(at) - (l.ntp + uint64(c.offset))) // 2^-32 s
	whole, part := passed>>32, passed&0xFFFFFFFF
	ticks := whole*int64(clockRate) + part*int64(clockRate)>>32
	return l.timestamp + uint32(ticks), true
}

// Sender counts what one outgoing stream sent, and reports it on the server's clock. The zero value is ready.
type Sender struct {
	packets, octets uint32 // Modulo 2^32 on the wire, RFC 3550 §6.4.1.
}

// Sent counts one packet with so many bytes of payload, padding left out.
func (s *Sender) Sent(payload int) {
	s.packets++
	s.octets += uint32(payload)
}

// Report is the sender report to send now; timestamp is the outgoing RTP timestamp that stands for now.
func (s *Sender) Report(now time.Time, ssrc, timestamp uint32) rtcp.SenderReport {
	return rtcp.SenderReport{
		SSRC:        ssrc,
		NTPTime:     NTP(now),
		RTPTime:     timestamp,
		PacketCount: s.packets,
		OctetCount:  s.octets,
	}
}

// Packets is the number of packets sent, modulo 2^32.
func (s *Sender) Packets() uint32 { return s.packets }
