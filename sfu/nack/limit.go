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

// Allow says whether the outgoing packet seq may be sent again now; rtt is the round trip to the receiver, 0 when unknown.
// A yes counts as sent.
func (l *Limiter) Allow(now time.Time, seq int64, rtt time.Duration) bool {
	if l.answers == nil {
		l.answers = make([]answer, limiterSlots)
	}
	a := &l.answers[uint64(seq)%limiterSlots]
	if a.times == 0 || a.seq != seq {
		*a = answer{seq: seq, at: now, times: 1}
		return true
	}
	if a.times >= maxAnswers || now.Sub(a.at) < max(minAnswerGap, rtt*3/4) {
		return false
	}
	a.at = now
	a.times++
	return true
}
