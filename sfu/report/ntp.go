// Package report keeps the books of RTCP: what was received and how well, and what time it is where.
package report

import (
	"time"

	"github.com/pion/rtcp"
)

// ntpEpoch is 1 January 1970 on the NTP clock, in seconds since 1900.
const ntpEpoch = 2208988800

// NTP is t as a 64-bit NTP timestamp, 32 bits of seconds and 32 of fraction (RFC 3550 §4).
func NTP(t time.Time) uint64 {
	seconds := uint64(t.Unix() + ntpEpoch)
	fraction := uint64(t.Nanosecond()) << 32 / uint64(time.Second)
	return seconds<<32 | fraction
}

// Time is the inverse of NTP. It reads seconds below 2^31 as the era that begins in 2036.
func Time(ntp uint64) time.Time {
	seconds := int64(ntp >> 32)
	if seconds < 1<<31 {
		seconds += 1 << 32
	}
	nanos := int64((ntp&0xFFFFFFFF)*uint64(time.Second)+1<<31) >> 32
	return time.Unix(seconds-ntpEpoch, nanos)
}

// Middle is the middle 32 bits of an NTP timestamp, the clock of LSR and DLSR: 2^-16 s, wrapping every 18 hours.
func Middle(ntp uint64) uint32 { return uint32(ntp >> 16) }

// maxRTT bounds what is taken for a round trip: beyond it the peer's numbers are wrong.
const maxRTT = time.Minute

// RTT is the round trip that a reception report received at now tells of (RFC 3550 §6.4.1). It is false when the peer has
// had no sender report of ours yet, or its numbers make no sense.
func RTT(now time.Time, r rtcp.ReceptionReport) (time.Duration, bool) {
	if r.LastSenderReport == 0 {
		return 0, false
	}
	ticks := int32(Middle(NTP(now)) - r.LastSenderReport - r.Delay)
	if ticks < 0 {
		// The delay is rounded; one tick too many is a very short way.
		return 0, ticks >= -1
	}
	rtt := time.Duration(ticks) * time.Second >> 16
	return rtt, rtt <= maxRTT
}
