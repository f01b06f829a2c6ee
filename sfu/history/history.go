// Package history keeps a publication's most recent packets for retransmission and replay.
//
// Memory is fixed: a table of slots found by sequence number, and one ring of bytes the payloads are copied into. A Put
// overwrites whatever is oldest in the bytes; nothing is freed and nothing grows. Hence the rule of reuse: a *Packet and
// its bytes are good until the next Put. Whoever needs a packet later (a pacer) keeps its sequence number and asks again.
//
// A History has one owner and no lock.
package history

import "time"

// Packet is one stored packet, numbered by its publisher.
type Packet struct {
	// Sequence is the extended sequence number of the publisher.
	Sequence  int64
	Timestamp uint32
	// Arrived is the time of arrival on our clock.
	Arrived     time.Time
	PayloadType uint8
	Marker      bool
	// Keyframe marks the first packet of a frame that a decoder can start with.
	Keyframe bool

	// Padding is how many bytes of RTP padding were behind the payload when it was forwarded.
	Padding uint8

	AudioLevel           uint8
	Voice, HasAudioLevel bool

	// Spatial and Temporal are the layers that the packet is of.
	Spatial, Temporal uint8

	Payload []byte
	// Dependency is the packet's dependency descriptor; nil when it has none.
	Dependency []byte

	end  uint64 // Where the payload ends, counted in bytes ever written.
	used bool
}

// History is a ring of packets. Make it with New.
type History struct {
	// Set at construction.
	mask  int64
	bytes int

	// Taken at the first Put.
	slots []Packet
	ring  []byte

	written  uint64 // Bytes ever written, skipped ends of the ring included.
	newest   int64
	keyframe int64
	started  bool
	hasKey   bool
}

// MaxPayload is the longest payload kept, with its descriptor; a longer one cannot have come out of a datagram we read.
const MaxPayload = 2048

// New returns a history of at most packets packets (rounded up to a power of two, at least 2) with at most bytes bytes of
// payload (at least 2 × MaxPayload) between them.
func New(packets, bytes int) *History {
	n := int64(2)
	for n < int64(packets) {
		n *= 2
	}
	return &History{mask: n - 1, bytes: max(bytes, 2*MaxPayload)}
}

// Put stores a copy of p. It returns the stored packet, or nil when p is too old for the table or longer than MaxPayload;
// a packet that is already there is left as it is and returned.
func (h *History) Put(p *Packet) *Packet {
	n := len(p.Payload)
	size := n + len(p.Dependency)
	if size > MaxPayload || h.started && p.Sequence <= h.newest-int64(len(h.slots)) {
		return nil
	}
	if h.slots == nil {
		h.slots = make([]Packet, h.mask+1)
		h.ring = make([]byte, h.bytes)
	}
	if old, ok := h.Get(p.Sequence); ok {
		return old
	}
	slot := &h.slots[p.Sequence&h.mask]
	room := h.room(size)
	copy(room, p.Payload)
	*slot = *p
	slot.Payload, slot.Dependency = room[:n:n], nil
	if len(p.Dependency) > 0 {
		slot.Dependency = room[n:]
		copy(slot.Dependency, p.Dependency)
	}
	slot.end = h.written
	slot.used = true
	if !h.started || p.Sequence > h.newest {
		h.newest = p.Sequence
	}
	if p.Keyframe && (!h.hasKey || p.Sequence > h.keyframe) {
		h.keyframe, h.hasKey = p.Sequence, true
	}
	h.started = true
	return slot
}

// room takes n bytes in one piece, wasting the end of the ring when they do not fit there.
func (h *History) room(n int) []byte {
	size := uint64(len(h.ring))
	at := h.written % size
	if at+uint64(n) > size {
		h.written += size - at
		at = 0
	}
	h.written += uint64(n)
	return h.ring[at : at+uint64(n) : at+uint64(n)]
}

// Get returns the packet with the extended sequence number seq, if it was stored and nothing has overwritten it.
func (h *History) Get(seq int64) (*Packet, bool) {
	if !h.started {
		return nil, false
	}
	slot := &h.slots[seq&h.mask]
	if !slot.used || slot.Sequence != seq || slot.end-uint64(len(slot.Payload)+len(slot.Dependency))+uint64(len(h.ring)) < h.written {
		return nil, false
	}
	return slot, true
}

// Newest is the highest sequence number stored.
func (h *History) Newest() (int64, bool) { return h.newest, h.started }

// Keyframe is the first packet of the newest keyframe, while it is still held: a replay runs from there to Newest.
func (h *History) Keyframe() (int64, bool) {
	if !h.hasKey {
		return 0, false
	}
	_, ok := h.Get(h.keyframe)
	return h.keyframe, ok
}

// Reset forgets every packet and keeps the memory.
func (h *History) Reset() {
	clear(h.slots)
	h.written, h.newest, h.keyframe = 0, 0, 0
	h.started, h.hasKey = false, false
}
