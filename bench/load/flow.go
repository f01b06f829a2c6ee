package load

// flow follows one RTP stream by the sequence numbers of its clear headers (RFC 3550 appendix A.1, without probation: what
// comes from the server's address is the server's).
type flow struct {
	ssrc     uint32
	rate     int // of its timestamps
	begun    bool
	base     int64 // first extended sequence number
	highest  int64
	received uint64 // each number counted once
	repeated uint64
	seen     [windowSize / 64]uint64 // by sequence number: which of the last windowSize have come

	// for receiver reports
	reportedExpected, reportedReceived uint64
	jitter                             jitter
	senderReport                       uint32 // middle 32 bits of the last one's NTP time
	senderReportAt                     int64  // Unix nanoseconds
}

// windowSize is how far a packet may come late and still be told from a repetition.
const windowSize = 1024

// count takes one packet in; repeated says that this number has come before, or came too late to tell.
func (f *flow) count(sequence uint16) (repeated bool) {
	if !f.begun {
		f.begun = true
		f.base, f.highest = int64(sequence), int64(sequence)
		f.set(f.highest)
		f.received++
		return false
	}
	at := f.highest + int64(int16(sequence-uint16(f.highest)))
	switch {
	case at > f.highest:
		for n := max(f.highest+1, at-windowSize+1); n <= at; n++ {
			f.unset(n)
		}
		f.highest = at
	case at <= f.highest-windowSize || f.has(at):
		f.repeated++
		return true
	}
	f.base = min(f.base, at)
	f.set(at)
	f.received++
	return false
}

// expected is how many packets the sender numbered from the first to the highest that came.
func (f *flow) expected() uint64 {
	if !f.begun {
		return 0
	}
	return uint64(f.highest - f.base + 1)
}

func place(n int64) (word int, bit uint64) {
	i := uint64(n) % windowSize
	return int(i / 64), 1 << (i % 64)
}

func (f *flow) has(n int64) bool { w, b := place(n); return f.seen[w]&b != 0 }
func (f *flow) set(n int64)      { w, b := place(n); f.seen[w] |= b }
func (f *flow) unset(n int64)    { w, b := place(n); f.seen[w] &^= b }

// jitter is the interarrival jitter of RFC 3550 §6.4.1, in timestamp units, of the first packets of frames: the others have
// the same timestamp and come with them.
type jitter struct {
	transit   float64
	timestamp uint32
	begun     bool
	value     float64
}

func (j *jitter) add(at int64, timestamp uint32, rate int) {
	if j.begun && timestamp == j.timestamp {
		return
	}
	transit := float64(at)/1e9*float64(rate) - float64(timestamp)
	if d := transit - j.transit; j.begun && d > -float64(rate) && d < float64(rate) { // a wrapped timestamp says nothing
		if d < 0 {
			d = -d
		}
		j.value += (d - j.value) / 16
	}
	j.transit, j.timestamp, j.begun = transit, timestamp, true
}
