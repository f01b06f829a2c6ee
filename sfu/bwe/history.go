package bwe

import "time"

// keep is how long a sent packet can still be reported: the longest round trip that makes sense in a call and some
// feedback intervals.
const keep = 3 * time.Second

const (
	firstPackets = 256
	maxPackets   = 8192 // more than 2 s of 30 Mbit/s
)

// fate is what is known of a sent packet.
type fate uint8

const (
	skipped  fate = iota // a number that no packet had
	waiting              // nothing has been reported
	missing              // reported as not received, which a later report may change
	received             // for good
)

// note is what else is known of it.
type note uint8

const (
	guessed note = iota + 1 // counted as arrived although nothing was reported
	again                   // sent a second time: what is reported says nothing of how long it took
)

// packet is one that was sent: 16 bytes, because those of a second and more are kept for each subscriber.
type packet struct {
	sent    time.Duration // since the epoch
	cluster int32         // of the probe that it belongs to, 0 for none
	size    uint16        // bytes
	fate    fate
	note    note
}

// history remembers what was sent for a time and up to a number. What it has forgotten is neither received nor lost.
type history struct {
	ring         []packet // by sequence number modulo its length, a power of two
	oldest, next int64    // numbers in [oldest, next) are remembered
}

// add remembers a packet; false when its number is not above those before it.
func (h *history) add(seq int64, p packet) bool {
	if h.ring == nil {
		h.ring = make([]packet, firstPackets)
		h.oldest, h.next = seq, seq
	}
	if seq < h.next {
		return false
	}
	if seq-h.next >= maxPackets { // nothing that is remembered would stay
		h.oldest, h.next = seq, seq
	}
	for h.next < seq {
		h.append(packet{sent: p.sent})
	}
	h.append(p)
	for h.oldest < h.next && p.sent-h.at(h.oldest).sent > keep {
		h.oldest++
	}
	return true
}

func (h *history) append(p packet) {
	if h.next-h.oldest == int64(len(h.ring)) {
		h.makeRoom()
	}
	*h.at(h.next) = p
	h.next++
}

// makeRoom doubles the ring, and forgets the oldest packet when it is as large as it may be.
func (h *history) makeRoom() {
	if len(h.ring) >= maxPackets {
		h.oldest++
		return
	}
	old := *h
	h.ring = make([]packet, 2*len(old.ring))
	for s := h.oldest; s < h.next; s++ {
		*h.at(s) = *old.at(s)
	}
}

// at is the place of a number.
func (h *history) at(seq int64) *packet { return &h.ring[uint64(seq)&uint64(len(h.ring)-1)] }

// find returns the packet of a number; nil when it is not remembered.
func (h *history) find(seq int64) *packet {
	if seq < h.oldest || seq >= h.next {
		return nil
	}
	return h.at(seq)
}

// rate is what was sent in a window, in bits per second.
func (h *history) rate(now, window time.Duration) float64 {
	bytes := int64(0)
	for s := h.next - 1; s >= h.oldest && now-h.at(s).sent < window; s-- {
		bytes += int64(h.at(s).size)
	}
	return float64(8*bytes) / window.Seconds()
}
