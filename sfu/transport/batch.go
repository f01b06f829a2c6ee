package transport

import (
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/parleyrtc/parley/sfu/packet"
)

const (
	// arenaSize bounds what waits in a batch, in bytes of payload.
	arenaSize = 512 << 10
	// fullSize is the longest payload, in bytes: what fits an Ethernet frame, and the number in front of a repetition.
	fullSize = 1502
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
	plane   *Plane
	packets []waiting
	arena   []byte // payloads of packets, one after the other

	reports   []rtcp.Packet // of compounds, one after the other
	compounds []compound

	header rtp.Header // of the packet being written
	level  [1]byte
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
	return &Batch{plane: p}
}

// Recycle flushes a batch, which is not to be used any more. It is called without locks.
func (p *Plane) Recycle(b *Batch) {
	b.Flush()
	p.batches.Put(b)
}

// Unsent counts packets that were added to a batch, and that the sockets then did not take.
func (p *Plane) Unsent() uint64 { return p.unsent.Load() }

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
	if p.closed.Load() || o.Stream.writer == nil {
		return false
	}
	from := len(b.arena)
	b.arena = append(append(b.arena, o.Head...), o.Payload...)
	b.packets = append(b.packets, waiting{o.Stream, o.Header, from, len(b.arena)})
	return true
}

// AddRTCP takes packets for a peer, to be sent as one compound packet, or as several when they do not fit one. They belong to
// the batch until it is flushed. Other goroutines may add for the same peer meanwhile.
func (b *Batch) AddRTCP(p *Peer, packets []rtcp.Packet) {
	from, size := len(b.reports), 0
	for _, packet := range packets {
		n := packet.MarshalSize()
		if size+n > maxRTCP && len(b.reports) > from {
			b.compounds = append(b.compounds, compound{p, from, len(b.reports)})
			from, size = len(b.reports), 0
		}
		b.reports = append(b.reports, packet)
		size += n
	}
	if len(b.reports) > from {
		b.compounds = append(b.compounds, compound{p, from, len(b.reports)})
	}
}

// Flush sends what was added, each peer's packets in order, and returns how many failed. It is called without locks. A client
// that does not read, over TCP, loses packets.
func (b *Batch) Flush() (failed int) {
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
		Marker:         w.header.Marker,
		PayloadType:    w.header.PayloadType,
		SequenceNumber: w.header.Sequence,
		Timestamp:      w.header.Timestamp,
		SSRC:           w.header.SSRC,
		Extensions:     h.Extensions[:0],
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
	_, err := w.stream.writer.WriteRTP(h, b.arena[w.from:w.to])
	return err
}
