package transport

import (
	"encoding/binary"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/parleyrtc/parley/sfu/packet"
)

const (
	// arenaSize bounds what waits in a batch, in bytes: as much as stays in a processor's second-level cache.
	arenaSize = 128 << 10
	// fullSize is the longest packet, in bytes: a payload that fits an Ethernet frame, the number in front of a repetition, a
	// header with every extension and the tag.
	fullSize = 1502 + packet.MaxHeaderSize + 16
	// maxRTCP is how long a compound packet may be, in bytes: with what SRTP, UDP and a relay add it must fit any road.
	maxRTCP = 1150
)

// Outgoing is one packet to send.
type Outgoing struct {
	Stream *Stream
	// Header's SSRC is Stream.SSRC or Stream.RTX, and its Sequence is the low half of Index.
	Header packet.Header
	// Index is the extended sequence number: Index>>16 is the roll-over counter (RFC 3711 §3.3.1). It is never the same for two
	// different packets of one SSRC.
	Index int64
	// Head is the beginning of the payload where this receiver's differs from the others': the number in front of a
	// repetition, a changed VP8 descriptor. Mostly it is empty.
	Head []byte
	// Payload is the rest, which all receivers share. It is only read.
	Payload []byte
}

// Batch collects packets for any number of peers and sends them with as few system calls as it takes. One goroutine may use it
// at a time.
type Batch struct {
	plane *Plane
	lane  int    // which of an address's sockets it sends from
	arena []byte // sealed packets, one after the other; on pion's path payloads

	departures uint64          // how often what was added has left
	told       []*atomic.Int64 // who is told when it leaves next

	// Of our own path.
	trains   []train
	outboxes []outbox // by index of the local address
	single   [1]arrival
	lent     []byte // what single is of

	// Of pion's path.
	packets   []waiting
	reports   []rtcp.Packet // of compounds, one after the other
	compounds []compound
	header    rtp.Header // of the packet being written
	level     [1]byte
	number    [2]byte // transport-wide
}

// waiting is one packet; its payload is arena[from:to].
type waiting struct {
	stream   *Stream
	header   packet.Header
	from, to int
}

// compound is one RTCP packet made of reports[from:to].
type compound struct {
	peer     *Peer
	from, to int
}

// Batch returns an empty batch, to be given back to Recycle.
func (p *Plane) Batch() *Batch {
	if b, ok := p.batches.Get().(*Batch); ok {
		return b
	}
	return p.newBatch(0)
}

func (p *Plane) newBatch(lane int) *Batch {
	return &Batch{plane: p, lane: lane, outboxes: make([]outbox, len(p.sockets))}
}

// Recycle flushes a batch, which is not to be used any more. It is called without locks.
func (p *Plane) Recycle(b *Batch) {
	b.Flush()
	p.batches.Put(b)
}

// Reserve makes room for so many packets of full size, of which 64 fit in any case, by a Flush when need be. It is called
// without locks.
func (b *Batch) Reserve(packets int) {
	if len(b.arena)+packets*fullSize > arenaSize {
		b.Flush()
	}
}

// Add takes one packet for a peer; false: it will not be sent, because the peer has no way to send on yet or any more. What o
// points to is lent until Add returns. Packets of one peer are added by one goroutine at a time, each in the order of its
// numbers.
func (b *Batch) Add(p *Peer, o *Outgoing) bool {
	if p.closed.Load() {
		return false
	}
	if p.shadow != nil {
		return b.seal(p.shadow, o)
	}
	if o.Stream.writer == nil {
		return false
	}
	header := o.Header
	if n := len(b.arena); len(header.Dependency) > 0 {
		b.arena = append(b.arena, header.Dependency...)
		header.Dependency = b.arena[n:len(b.arena):len(b.arena)]
	}
	from := len(b.arena)
	b.arena = append(append(b.arena, o.Head...), o.Payload...)
	b.packets = append(b.packets, waiting{o.Stream, header, from, len(b.arena)})
	return true
}

// AddRTCP takes packets for a peer, to be sent as one compound packet, or as several when they do not fit one. They belong to
// the batch until it is flushed. Other goroutines may add for the same peer meanwhile.
func (b *Batch) AddRTCP(p *Peer, packets []rtcp.Packet) {
	from, size := 0, 0
	for i, packet := range packets {
		n := packet.MarshalSize()
		if size+n > maxRTCP && i > from {
			b.addCompound(p, packets[from:i])
			from, size = i, 0
		}
		size += n
	}
	if len(packets) > from {
		b.addCompound(p, packets[from:])
	}
}

func (b *Batch) addCompound(p *Peer, packets []rtcp.Packet) {
	if p.shadow != nil {
		b.sealReports(p.shadow, packets)
		return
	}
	from := len(b.reports)
	b.reports = append(b.reports, packets...)
	b.compounds = append(b.compounds, compound{p, from, len(b.reports)})
}

// Departures counts how often what was added has left. Only who uses the batch may ask.
func (b *Batch) Departures() uint64 { return b.departures }

// Tell has the time at which what was added leaves stored in at, which is to be 0 until then. Plane.Time reads it.
func (b *Batch) Tell(at *atomic.Int64) { b.told = append(b.told, at) }

// Time is one that a batch has told.
func (p *Plane) Time(told int64) time.Time { return p.born.Add(time.Duration(told)) }

// tell reads the clock once for all that is in the batch.
func (b *Batch) tell() {
	if len(b.told) == 0 {
		return
	}
	now := max(int64(time.Since(b.plane.born)), 1)
	for _, at := range b.told {
		at.Store(now)
	}
	clear(b.told)
	b.told = b.told[:0]
}

// Flush sends what was added, each peer's packets in order, and returns how many failed. It is called without locks. A client
// that does not read, over TCP, loses packets.
func (b *Batch) Flush() (failed int) {
	if len(b.arena) == 0 && len(b.compounds) == 0 && len(b.packets) == 0 {
		return 0
	}
	b.tell()
	failed = b.depart()
	for i := range b.packets {
		if b.write(&b.packets[i]) != nil {
			failed++
		}
	}
	for _, c := range b.compounds {
		if c.peer.pc.WriteRTCP(b.reports[c.from:c.to]) != nil {
			failed++ // lost like any other: reports come again
		}
	}
	b.departures++
	clear(b.packets)
	clear(b.reports)
	clear(b.compounds)
	b.packets, b.arena, b.reports, b.compounds = b.packets[:0], b.arena[:0], b.reports[:0], b.compounds[:0]
	if failed > 0 {
		b.plane.unsent.Add(uint64(failed))
	}
	return failed
}

// write seals and sends one packet.
func (b *Batch) write(w *waiting) error {
	h := &b.header
	*h = rtp.Header{
		Version:        2,
		Padding:        w.header.Padding, // it is in the payload
		Marker:         w.header.Marker,
		PayloadType:    w.header.PayloadType,
		SequenceNumber: w.header.Sequence,
		Timestamp:      w.header.Timestamp,
		SSRC:           w.header.SSRC,
		Extensions:     h.Extensions[:0],
	}
	if len(w.header.Dependency) > 16 { // all extensions take the two-byte form, or none (RFC 8285 §4.1.2)
		h.Extension, h.ExtensionProfile = true, rtp.ExtensionProfileTwoByte
	}
	if w.header.AudioLevelID != 0 {
		b.level[0] = w.header.AudioLevel & 0x7f
		if w.header.Voice {
			b.level[0] |= 0x80
		}
		if err := h.SetExtension(w.header.AudioLevelID, b.level[:]); err != nil {
			return err
		}
	}
	if w.header.TransportCCID != 0 {
		binary.BigEndian.PutUint16(b.number[:], w.header.TransportSequence)
		if err := h.SetExtension(w.header.TransportCCID, b.number[:]); err != nil {
			return err
		}
	}
	if w.header.DependencyID != 0 && len(w.header.Dependency) > 0 {
		if err := h.SetExtension(w.header.DependencyID, w.header.Dependency); err != nil {
			return err
		}
	}
	_, err := w.stream.writer.WriteRTP(h, b.arena[w.from:w.to])
	return err
}
