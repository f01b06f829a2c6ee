package nack

import (
	"time"

	"github.com/pion/rtcp"
)

// AppendPairs packs sequence numbers, ascending modulo 2^16, into the pairs of RFC 4585 §6.2.1 after dst.
func AppendPairs(dst []rtcp.NackPair, seqs []uint16) []rtcp.NackPair {
	for i := 0; i < len(seqs); {
		pair := rtcp.NackPair{PacketID: seqs[i]}
		for i++; i < len(seqs); i++ {
			d := seqs[i] - pair.PacketID
			if d == 0 || d > 16 {
				break
			}
			pair.LostPackets |= 1 << (d - 1)
		}
		dst = append(dst, pair)
	}
	return dst
}

const (
	limiterSlots = 256
	maxAnswers   = 8
	// minAnswerGap keeps requests that crossed an answer on the road from being answered twice.
	minAnswerGap = 10 * time.Millisecond
)

// Limiter bounds how often one packet is sent again to one receiver, whatever it asks for. The zero value is ready; memory
// is taken at the first request.
type Limiter struct {
	answers []answer
}

type answer struct {
	seq   int64
	at    time.Time
	times int
}

// Allow says for the how manieth time the outgoing packet seq is sent again if it is now; 0: not now. rtt is the round trip to the
// receiver, 0 when unknown. What is allowed counts as sent.
func (l *Limiter) Allow(now time.Time, seq int64, rtt time.Duration) (times int) {
	if l.answers == nil {
		l.answers = make([]answer, limiterSlots)
	}
	a := &l.answers[uint64(seq)%limiterSlots]
	if a.times == 0 || a.seq != seq {
		*a = answer{seq: seq, at: now, times: 1}
		return 1
	}
	if a.times >= maxAnswers || now.Sub(a.at) < max(minAnswerGap, rtt*3/4) {
		return 0
	}
	a.at = now
	a.times++
	return a.times
}

const (
	// lossy is the part of packets lost from which on one repair is not enough where it counts.
	lossy = 0.05
	// veryLossy is the same for what others wait for and is asked for the first time: a second copy of all that is a tenth more to
	// send at most, since no more than that part is asked for.
	veryLossy = 0.08
	// longTrip is the round trip from which on a third request, and soon a second one, comes too late for a picture not to freeze, which it
	// does 150 ms after it was due (W3C webrtc-stats, freezeCount).
	longTrip = 40 * time.Millisecond
	// CopyDelay is how long after the first copy the second leaves, so that what loses the one may be over.
	CopyDelay = 7 * time.Millisecond
)

// Copies is how many copies answer a request, 1 or 2: two where a receiver loses so much that one is often lost as well, if it is the
// second request, or what is asked for is needed by the pictures that follow. Loss is a part of all packets, 0 to 1.
//
// How long a picture of 1.5 Mbit/s with three temporal layers is frozen at a loss of 10 % (model_test.go):
//
//	round trip                            40 ms   50 ms   60 ms   80 ms   more to send
//	one copy of each repair               0.5 %   0.7 %   3.4 %   7.1 %
//	two of the second                     0.1 %   0.2 %   2.5 %   5.8 %   1 %
//	and two of the first, if needed       0.0 %   0.0 %   0.5 %   1.7 %   4 %
func Copies(times int, loss float64, rtt time.Duration, needed bool) int {
	switch {
	case loss >= lossy && times > 1, loss >= veryLossy && needed && rtt >= longTrip:
		return 2
	}
	return 1
}
