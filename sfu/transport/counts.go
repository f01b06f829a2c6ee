package transport

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/parleyrtc/parley/sfu/protect"
)

// counts is what became of media that was not handed up.
type counts struct {
	strange   atomic.Uint64 // from an address that is nobody's
	malformed atomic.Uint64 // no RTP or RTCP packet
	forged    atomic.Uint64 // its tag was wrong
	repeated  atomic.Uint64 // it was there before
	sources   atomic.Uint64 // one source too many
	early     atomic.Uint64 // too many came before the keys
	tcp       tcpCounts
}

// refuse counts a datagram that did not open.
func (c *counts) refuse(err error) {
	switch {
	case errors.Is(err, protect.ErrTag):
		c.forged.Add(1)
	case errors.Is(err, protect.ErrReplay):
		c.repeated.Add(1)
	case errors.Is(err, protect.ErrSources):
		c.sources.Add(1)
	default:
		c.malformed.Add(1)
	}
}

// Refused counts datagrams and connections that were turned away because their address had sent too many.
func (p *Plane) Refused() uint64 { return p.refused.Load() }

// Unsent counts packets that were added to a batch, and that the sockets then did not take.
func (p *Plane) Unsent() uint64 { return p.unsent.Load() }

// Moved counts clients whose way changed because their media came from another address.
func (p *Plane) Moved() uint64 { return p.moved.Load() }

// Behind is for how long media that is only now being handled has waited for us, at the busiest socket: what a client seems not to have
// said since may only be unread. It is 0 while we keep up, and on pion's path, where nobody knows.
func (p *Plane) Behind() (longest time.Duration) {
	for _, w := range p.workers {
		longest = max(longest, time.Duration(w.behind.Load()))
	}
	return longest
}

// Overflowed is how many datagrams came faster than they were read, so that the kernel dropped them.
func (p *Plane) Overflowed() (n uint64) {
	for _, sockets := range p.sockets {
		for _, s := range sockets {
			n += s.Dropped()
		}
	}
	return n
}

// Discarded counts datagrams that nobody could use, by reason:
//   - stranger: from an address that belongs to no client, or for none
//   - malformed: neither RTP nor RTCP
//   - forged: the tag was wrong
//   - replayed: it was there before, or is very late
//   - sources: of more sources than anybody needs
//   - early: too many came before the keys of their client
//   - queue_full: STUN and DTLS of a client that sends more than its agent takes
//   - tcp_full: packets for a client that does not read its TCP connection
func (p *Plane) Discarded() map[string]func() uint64 {
	return map[string]func() uint64{
		"stranger":   func() uint64 { return p.counts.strange.Load() + p.mux.strange.Load() + p.counts.tcp.strange.Load() },
		"malformed":  p.counts.malformed.Load,
		"forged":     p.counts.forged.Load,
		"replayed":   p.counts.repeated.Load,
		"sources":    p.counts.sources.Load,
		"early":      p.counts.early.Load,
		"queue_full": p.mux.full.Load,
		"tcp_full":   p.counts.tcp.dropped.Load,
	}
}
