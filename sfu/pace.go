package sfu

import (
	"time"

	"github.com/pion/rtcp"

	"github.com/parleyrtc/parley/sfu/bwe"
	"github.com/parleyrtc/parley/sfu/transport"
)

// overhead is what a packet takes on the wire besides its payload, in bytes: IPv4, UDP, the RTP header with its extensions and the
// tag of SRTP.
const overhead = 20 + 8 + 12 + 12 + 16

// pace is what is known of the network of a client that reports when packets arrive, and of what is sent into it. Guarded by
// participant.sending.
type pace struct {
	estimate *bwe.Estimator
	number   int64 // transport-wide, of the next packet
	moves    uint32
	latest   time.Time // the estimator's time never runs backwards, though publishers' goroutines overtake each other
}

// newPace begins with no knowledge.
func newPace(now time.Time, to *participant) *pace {
	c := &pace{latest: now, estimate: bwe.New(now, bwe.Config{Max: bwe.Rate(to.room.sfu.config.MaxBitrate)})}
	if peer := to.peer.Load(); peer != nil {
		c.moves = peer.Moves()
	}
	return c
}

// advance is now, or the latest time that was before if that is later. There may be no pace.
func (c *pace) advance(now time.Time) time.Time {
	if c == nil {
		return now
	}
	if now.Before(c.latest) {
		return c.latest
	}
	c.latest = now
	return now
}

// emit gives the packet in o, which has never been sent, to the batch under the next transport-wide number. False: it will not be
// sent.
func (o *outbox) emit(now time.Time, l *line, peer *transport.Peer, out *transport.Batch) bool {
	h := &o.packet.Header
	h.TransportCCID = l.used.transport
	c := o.pace
	if c == nil || l.used.transport == 0 {
		h.TransportCCID = 0
		return out.Add(peer, &o.packet)
	}
	h.TransportSequence = uint16(c.number)
	if !out.Add(peer, &o.packet) {
		return false
	}
	if l.codec.RTX == 0 || l.stream.RTX == 0 {
		l.given.put(o.packet.Index, c.number, l.video)
	}
	c.estimate.Sent(now, c.number, overhead+len(o.packet.Head)+len(o.packet.Payload), 0)
	c.number++
	return true
}

// emitAgain is emit for a repetition. One without RTX carries the number of the first time, because nothing different may be
// sealed under its sequence number; when that is forgotten it is not sent.
func (o *outbox) emitAgain(now time.Time, l *line, peer *transport.Peer, out *transport.Batch) bool {
	h := &o.packet.Header
	if o.pace == nil || l.used.transport == 0 || h.SSRC != l.stream.SSRC {
		return o.emit(now, l, peer, out)
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

// arrivals takes a report of arrival times.
func (p *participant) arrivals(now time.Time, report *rtcp.TransportLayerCC) {
	peer := p.peer.Load()
	p.sending.Lock()
	defer p.sending.Unlock()
	c := p.outgoing.pace
	if c == nil || peer == nil {
		return
	}
	now = c.advance(now)
	if moves := peer.Moves(); moves != c.moves {
		c.moves = moves
		c.estimate.Reroute(now)
	}
	c.estimate.SetRTT(time.Duration(p.rtt.Load()))
	c.estimate.Feedback(now, report)
}

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
