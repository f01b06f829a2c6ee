package report

import (
	"math"
	"time"

	"github.com/pion/rtcp"
)

// Receiver keeps the statistics of one incoming stream, RFC 3550 §6.4.1 and appendix A. It has one owner and no lock.
type Receiver struct {
	rate float64 // Ticks per second.

	base     int64 // The lowest and the highest extended number.
	highest  int64
	received int64
	started  bool

	expectedBefore, receivedBefore int64 // At the last report.

	origin    time.Time // Arrival of the first packet: the zero of transit times.
	timestamp uint32
	transit   float64 // Ticks, relative.
	jitter    float64 // Ticks.

	lastReport uint32 // The middle of the last sender report's NTP time.
	reportAt   time.Time
}

// NewReceiver returns the books of a stream with the given RTP clock in Hz.
func NewReceiver(clockRate uint32) *Receiver { return &Receiver{rate: float64(max(clockRate, 1))} }

// Received counts a packet: each packet once, with its extended number, and not when it came by retransmission, whose
// delay is no jitter (RFC 4588 §6.3).
func (r *Receiver) Received(now time.Time, seq int64, timestamp uint32) {
	r.received++
	if !r.started {
		r.started = true
		r.base, r.highest = seq, seq
		r.origin, r.timestamp = now, timestamp
		return
	}
	r.base = min(r.base, seq)
	r.highest = max(r.highest, seq)
	// Transit times are differences to the first packet's, so that neither clock's zero matters.
	transit := now.Sub(r.origin).Seconds()*r.rate - float64(int32(timestamp-r.timestamp))
	if now.Sub(r.origin) > time.Hour { // Long before 32 bits of timestamp wrap.
		r.origin, r.timestamp = now, timestamp
		r.transit = 0
		return
	}
	r.jitter += (math.Abs(transit-r.transit) - r.jitter) / 16
	r.transit = transit
}

// SenderReport takes the NTP time of a report the sender sent.
func (r *Receiver) SenderReport(now time.Time, ntp uint64) {
	r.lastReport, r.reportAt = Middle(ntp), now
}

// maxLost is the largest loss a report can tell: 24 bits, signed.
const maxLost = 1<<23 - 1

// Report is the block about the stream ssrc to send now. The loss of the next one counts from here.
func (r *Receiver) Report(now time.Time, ssrc uint32) rtcp.ReceptionReport {
	block := rtcp.ReceptionReport{
		SSRC:               ssrc,
		TotalLost:          uint32(min(max(r.Lost(), 0), maxLost)),
		LastSequenceNumber: uint32(r.highest),
		Jitter:             uint32(min(r.jitter, math.MaxUint32)),
		LastSenderReport:   r.lastReport,
	}
	expected := r.expected()
	interval := expected - r.expectedBefore
	if lost := interval - (r.received - r.receivedBefore); interval > 0 && lost > 0 {
		block.FractionLost = uint8(min(lost*256/interval, 255))
	}
	r.expectedBefore, r.receivedBefore = expected, r.received
	if !r.reportAt.IsZero() {
		block.Delay = uint32(int64(now.Sub(r.reportAt).Seconds() * 65536))
	}
	return block
}

func (r *Receiver) expected() int64 {
	if !r.started {
		return 0
	}
	return r.highest - r.base + 1
}

// Lost is how many packets are missing in all; negative when packets came twice.
func (r *Receiver) Lost() int64 { return r.expected() - r.received }

// Jitter is the interarrival jitter (RFC 3550 §6.4.1).
func (r *Receiver) Jitter() time.Duration {
	return time.Duration(r.jitter / r.rate * float64(time.Second))
}
