package bwe

import "time"

// keep is how long a sent packet can still be reported: the longest round trip that makes sense in a call and some
// feedback intervals.
const keep = 3 * time.Second

const (
	firstPackets = 256
	firstTrains  = 64
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

// packet is one that was sent.
type packet struct {
	sent    time.Duration // since the epoch
	cluster int32         // of the probe that it belongs to, 0 for none
	size    uint16        // bytes
	fate    fate
	note    note
}

// entry is what is remembered of each packet: 4 bytes, because those of some seconds are kept for each subscriber, and every look at
// memory that others have used since is dear.
type entry struct {
	size uint16
	fate fate
	note note
}

// train is packets with numbers in a row that left at one moment, for one probe or for none: what they have in common.
type train struct {
	sent    time.Duration // since the epoch
	first   uint32        // low half of its first number; it ends where the next one begins
	cluster int32
}

// history remembers what was sent for a time and up to a number. What it has forgotten is neither received nor lost.
type history struct {
	ring         []entry // by sequence number modulo its length, a power of two
	oldest, next int64   // numbers in [oldest, next) are remembered

	trains     []train // by their own number modulo the length, a power of two
	begin, end int64   // trains in [begin, end) are remembered
	hint       int64   // the train that was looked for last
	apart      bool    // the next packet begins another train
}

// add remembers a packet; false when its number is not above those before it.
func (h *history) add(seq int64, p packet) bool {
	if h.ring == nil {
		h.ring, h.trains = make([]entry, firstPackets), make([]train, firstTrains)
		h.oldest, h.next = seq, seq
	}
	if seq < h.next {
		return false
	}
	if seq-h.next >= maxPackets { // nothing that is remembered would stay
		h.next = seq
		h.forget()
	}
	for h.next < seq {
		h.append(entry{})
	}
	if t := h.newest(); t == nil || h.apart || t.sent != p.sent || t.cluster != p.cluster {
		h.couple(train{sent: p.sent, first: uint32(seq), cluster: p.cluster})
	}
	h.append(entry{p.size, p.fate, p.note})
	return true
}

// extend remembers one more packet of the newest train, which is of no probe and was begun at the present time; false: it is to be added.
func (h *history) extend(seq int64, size uint16) bool {
	if seq != h.next || h.apart || h.begin == h.end || h.newest().cluster != 0 {
		return false
	}
	h.append(entry{size: size, fate: waiting})
	return true
}

// forget drops all that is remembered.
func (h *history) forget() { h.oldest, h.begin = h.next, h.end }

func (h *history) append(e entry) {
	if h.next-h.oldest == int64(len(h.ring)) {
		h.makeRoom()
	}
	*h.at(h.next) = e
	h.next++
}

// makeRoom doubles the ring, and forgets the oldest packet when it is as large as it may be.
func (h *history) makeRoom() {
	if len(h.ring) >= maxPackets {
		h.oldest++
		for h.begin+1 < h.end && h.first(h.begin+1) <= h.oldest {
			h.begin++
		}
		return
	}
	old := *h
	h.ring = make([]entry, 2*len(old.ring))
	for s := h.oldest; s < h.next; s++ {
		*h.at(s) = *old.at(s)
	}
}

// couple begins a train, and forgets those of too long ago.
func (h *history) couple(t train) {
	for h.begin < h.end && t.sent-h.train(h.begin).sent > keep {
		if h.begin++; h.begin < h.end {
			h.oldest = max(h.oldest, h.first(h.begin))
		} else {
			h.oldest = h.next
		}
	}
	if h.end-h.begin == int64(len(h.trains)) { // they are fewer than the packets, so that this has an end
		old := *h
		h.trains = make([]train, 2*len(old.trains))
		for i := h.begin; i < h.end; i++ {
			*h.train(i) = *old.train(i)
		}
	}
	*h.train(h.end) = t
	h.end++
	h.apart = false
}

// at is the place of a number.
func (h *history) at(seq int64) *entry { return &h.ring[uint64(seq)&uint64(len(h.ring)-1)] }

// train is the place of a train.
func (h *history) train(i int64) *train { return &h.trains[uint64(i)&uint64(len(h.trains)-1)] }

// newest is the train that was begun last; nil when there is none.
func (h *history) newest() *train {
	if h.begin == h.end {
		return nil
	}
	return h.train(h.end - 1)
}

// first is the number of the first packet of a train.
func (h *history) first(i int64) int64 { return h.next - int64(uint32(h.next)-h.train(i).first) }

// find returns the packet of a number; nil when it is not remembered.
func (h *history) find(seq int64) *entry {
	if seq < h.oldest || seq >= h.next {
		return nil
	}
	return h.at(seq)
}

// packet is all that is known of a number that is remembered. Whoever asks in ascending order is answered soonest.
func (h *history) packet(seq int64) packet {
	e, t := h.at(seq), h.train(h.of(seq))
	return packet{t.sent, t.cluster, e.size, e.fate, e.note}
}

// of is the train of a number that is remembered.
func (h *history) of(seq int64) int64 {
	for i := h.hint; i <= h.hint+1; i++ { // mostly
		if i >= h.begin && i < h.end && h.first(i) <= seq && (i+1 == h.end || h.first(i+1) > seq) {
			h.hint = i
			return i
		}
	}
	low, high := h.begin, h.end-1
	for low < high {
		if middle := (low + high + 1) / 2; h.first(middle) <= seq {
			low = middle
		} else {
			high = middle - 1
		}
	}
	h.hint = low
	return low
}

// left takes when the packets of numbers in [from, to) have really left, which is later than they were noted.
func (h *history) left(from, to int64, at time.Duration) {
	if from = max(from, h.oldest); from >= min(to, h.next) || h.begin == h.end {
		return
	}
	for i := h.of(from); i < h.end && h.first(i) < to; i++ {
		if t := h.train(i); h.first(i) >= from {
			t.sent = max(t.sent, at)
		}
	}
	h.apart = true
}

// rate is what was sent in a window, in bits per second.
func (h *history) rate(now, window time.Duration) float64 {
	bytes, s := int64(0), h.next
	for i := h.end - 1; i >= h.begin && now-h.train(i).sent < window; i-- {
		for first := max(h.first(i), h.oldest); s > first; {
			s--
			bytes += int64(h.at(s).size)
		}
	}
	return float64(8*bytes) / window.Seconds()
}
