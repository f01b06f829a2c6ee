package report

import "github.com/pion/rtcp"

// Reception follows what a receiver reports of one of our streams (RFC 3550 §6.4.1). The zero value is ready. It has one owner and
// no lock.
type Reception struct {
	highest uint32
	lost    int32
	jitter  uint32
	started bool
}

// implausible is how many packets at once a report cannot tell of: an hour and a half of 200 a second.
const implausible = 1 << 20

// Report takes a block about the stream, and says how many packets were lost of how many since the last one. Both are 0 for the
// first, and for one that makes no sense; lost is negative when packets came late that had been counted as lost.
func (r *Reception) Report(b *rtcp.ReceptionReport) (lost, of int) {
	total := int32(b.TotalLost<<8) >> 8 // 24 bits with a sign
	if r.started {
		lost, of = int(total-r.lost), int(int32(b.LastSequenceNumber-r.highest))
	}
	r.highest, r.lost, r.jitter, r.started = b.LastSequenceNumber, total, b.Jitter, true
	if of <= 0 || of > implausible || lost > of {
		return 0, 0
	}
	return lost, of
}

// Jitter is the interarrival jitter of the last block, in ticks of the stream's clock.
func (r *Reception) Jitter() uint32 { return r.jitter }
