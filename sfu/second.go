package sfu

import (
	"time"

	"github.com/parleyrtc/parley/sfu/pacer"
	"github.com/parleyrtc/parley/sfu/transport"
)

// mostSeconds bounds the second copies that wait for one receiver: some frames. Others are not made.
const mostSeconds = 64

// seconds are the second copies of repetitions, each of which leaves a moment after the first (nack.Copies). The zero value is ready;
// memory is taken at the first.
type seconds []second

type second struct {
	at     time.Time
	waiter waiter
	size   int
}

// push adds one, behind those before it.
func (s *seconds) push(at time.Time, w *waiter, size int) {
	if *s == nil {
		*s = make([]second, 0, mostSeconds)
	}
	if len(*s) < mostSeconds {
		*s = append(*s, second{at, *w, size})
	}
}

// deadline is when the first is to leave; zero: there is none.
func (s seconds) deadline() time.Time {
	if len(s) == 0 {
		return time.Time{}
	}
	return s[0].at
}

// ripen lets the second copies that are due wait for what the network carries, behind what is repeated for the first time.
func (o *outbox) ripen(now time.Time) {
	s, c := &o.seconds, o.pace
	due := 0
	for ; due < len(*s) && !(*s)[due].at.After(now); due++ {
		one := &(*s)[due]
		c.offered += int64(one.size)
		c.again += int64(one.size)
		c.queue.Push(now, pacer.Packet[waiter]{Item: one.waiter, Class: pacer.Retransmission, Size: one.size})
	}
	o.seconds.drop(due)
}

// drop forgets the first so many.
func (s *seconds) drop(n int) {
	if n > 0 {
		left := copy(*s, (*s)[n:])
		clear((*s)[left:])
		*s = (*s)[:left]
	}
}

// secondCopies sends the second copies at once, where nothing waits, and returns how many.
func (o *outbox) secondCopies(now time.Time, peer *transport.Peer, out *transport.Batch) (sent int) {
	for i := range o.seconds {
		one := pacer.Release[waiter]{Packet: pacer.Packet[waiter]{Item: o.seconds[i].waiter}}
		if o.release(now, &one, peer, out) == forwarded {
			sent++
		}
	}
	o.seconds.drop(len(o.seconds))
	return sent
}
