package sfu

import (
	"time"

	"github.com/parleyrtc/parley/sfu/transport"
)

// overhead is what a packet takes on the wire besides its payload, in bytes: IPv4, UDP, the RTP header with its extensions and the
// tag of SRTP.
const overhead = 20 + 8 + 12 + 12 + 16

// paddingMost is the longest RTP padding, in bytes: its last one counts it (RFC 3550 §5.1).
const paddingMost = 255

// size is what the packet in o takes on the wire.
func (o *outbox) size() int { return overhead + len(o.packet.Head) + len(o.packet.Payload) }

// emit gives the packet in o, which has never been sent, to the batch under the next transport-wide number. False: it will not be
// sent.
func (o *outbox) emit(now time.Time, l *line, peer *transport.Peer, out *transport.Batch, cluster int32) bool {
	h := &o.packet.Header
	h.TransportCCID = l.used.transport
	c := o.pace
	if c == nil || h.TransportCCID == 0 {
		h.TransportCCID = 0
		return out.Add(peer, &o.packet)
	}
	h.TransportSequence = uint16(c.number)
	if !out.Add(peer, &o.packet) {
		return false
	}
	switch {
	case !l.repairable():
		l.given.put(o.packet.Index, c.number, l.video)
	case l.video:
		c.padded = l
	}
	c.sent(now, o.size(), cluster, out)
	if l.video && !c.filmed {
		c.filmed = true
		c.follow(now)
	}
	return true
}

// sent takes note of a packet under the next number.
func (c *pace) sent(now time.Time, size int, cluster int32, out *transport.Batch) {
	c.board(now, out)
	c.estimate.Sent(now, c.number, size, cluster)
	c.number++
	if c.opening > 0 {
		if c.opening -= size; c.opening <= 0 {
			c.follow(now)
		}
	}
}

// repair is emit for a packet of a stream of repetitions, which is numbered now.
func (o *outbox) repair(now time.Time, l *line, peer *transport.Peer, out *transport.Batch, cluster int32) bool {
	l.repairs++
	o.packet.Header.Sequence, o.packet.Index = uint16(l.repairs), l.repairs
	return o.emit(now, l, peer, out, cluster)
}

// emitAgain is emit for a repetition. One without RTX carries the number of the first time, because nothing different may be
// sealed under its sequence number; when that is forgotten it is not sent.
func (o *outbox) emitAgain(now time.Time, l *line, peer *transport.Peer, out *transport.Batch, cluster int32) bool {
	h := &o.packet.Header
	if h.SSRC != l.stream.SSRC {
		return o.repair(now, l, peer, out, cluster)
	}
	if o.pace == nil || l.used.transport == 0 {
		h.TransportCCID = 0
		return out.Add(peer, &o.packet)
	}
	number, ok := l.given.find(o.packet.Index)
	if !ok {
		return false
	}
	h.TransportCCID, h.TransportSequence = l.used.transport, uint16(number)
	if !out.Add(peer, &o.packet) {
		return false
	}
	o.pace.estimate.Again(number)
	return true
}

// pad sends so many bytes of nothing, for a probe: as packets of padding in a stream of repetitions, whose numbers mean nothing to
// a decoder.
func (o *outbox) pad(now time.Time, size int, cluster int32, peer *transport.Peer, out *transport.Batch) {
	l := o.pace.padded
	if l == nil || l.used == nil || !l.repairable() {
		return
	}
	for ; size > 0; size -= o.size() {
		n := min(max(size-overhead, 1), paddingMost)
		h := &o.packet.Header
		h.PayloadType, h.SSRC, h.Timestamp = l.codec.RTX, l.stream.RTX, l.numbers.Position(now)
		h.Marker, h.Padding, h.AudioLevelID = false, true, 0
		o.nothing[n-1] = byte(n)
		o.packet.Stream, o.packet.Head, o.packet.Payload = l.stream, nil, o.nothing[:n]
		sent := o.repair(now, l, peer, out, cluster)
		o.nothing[n-1] = 0
		if !sent {
			return
		}
		l.to.room.sfu.metrics.padding.Add(float64(o.size()))
	}
}

// repairable says that what the line carries is repeated by RTX.
func (l *line) repairable() bool { return l.codec.RTX != 0 && l.stream.RTX != 0 }

// How many packets of a line that is repeated without RTX have their transport-wide numbers remembered: as many as can be asked
// for again.
const (
	givenAudio = audioPackets
	givenVideo = 512
)

// given remembers the transport-wide numbers of a line's newest packets. The zero value is ready; memory is taken at the first put.
type given struct{ entries []givenEntry }

type givenEntry struct {
	sequence, number int64
	used             bool
}

func (g *given) put(sequence, number int64, video bool) {
	if g.entries == nil {
		size := givenAudio
		if video {
			size = givenVideo
		}
		g.entries = make([]givenEntry, size)
	}
	g.entries[uint64(sequence)%uint64(len(g.entries))] = givenEntry{sequence, number, true}
}

func (g *given) find(sequence int64) (number int64, ok bool) {
	if g.entries == nil {
		return 0, false
	}
	e := &g.entries[uint64(sequence)%uint64(len(g.entries))]
	return e.number, e.used && e.sequence == sequence
}
