package sfu

import (
	"slices"
	"time"

	"github.com/pion/rtcp"
	"golang.org/x/time/rate"

	"github.com/parleyrtc/parley/sfu/layer"
	"github.com/parleyrtc/parley/sfu/munge"
	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/transport"
)

const (
	rtxHead = 2 // bytes in front of a repetition, RFC 4588 §4
	vp8Head = 6 // bytes of the longest VP8 descriptor, RFC 7741 §4.2
	vp9Head = 5 // bytes of a VP9 descriptor up to TL0PICIDX, RFC 9628 §4.2

	// maxLost bounds what one NACK may ask for; the client asks again for more.
	maxLost = 512
	// What one participant may be sent again in a second, in packets: one in twenty of what fills its lines.
	repeatRate, repeatBurst = 2000, 2 * maxLost
)

// outbox is what the sending to one participant needs besides its lines. Guarded by participant.sending.
type outbox struct {
	pace   *pace              // nil: the client does not report when packets arrive
	packet transport.Outgoing // the one being made
	out    munge.Out          // its numbers
	choice layer.Decision     // what becomes of it
	head   [rtxHead + max(vp8Head, vp9Head)]byte

	descriptor [maxDescriptor]byte // of dependencies, where this receiver's differs

	repeats *rate.Limiter
	again   media   // the packet being repeated
	copied  *copied // its bytes, taken at the first repetition

	settled bool // the first picture is there, or will not come
	news    news
}

// space is where the bytes of a repeated packet go.
func (o *outbox) space() *copied {
	if o.copied == nil {
		o.copied = &copied{}
	}
	return o.copied
}

// lost repeats what a NACK asks for.
func (p *participant) lost(now time.Time, n *rtcp.TransportLayerNack, out *transport.Batch) {
	l := (*p.lines.Load())[n.MediaSSRC]
	if l == nil || !p.live.Load() {
		return
	}
	var asked []uint16
	for i := range n.Nacks {
		n.Nacks[i].Range(func(sequence uint16) bool {
			asked = append(asked, sequence)
			return len(asked) < maxLost
		})
	}
	repeated := 0
	for some := range slices.Chunk(asked, maxRun) {
		out.Reserve(len(some))
		repeated += p.repeat(now, l, some, out)
	}
	m := p.room.sfu.metrics
	m.nackIn.Add(float64(len(asked)))
	m.repeated.Add(float64(repeated))
	m.out[kindIndex(l.video)].Add(float64(repeated))
}

// repeat sends packets of a line again, and returns how many.
func (p *participant) repeat(now time.Time, l *line, sequences []uint16, out *transport.Batch) (repeated int) {
	p.sending.Lock()
	defer p.sending.Unlock()
	peer := p.peer.Load()
	if peer == nil {
		return 0
	}
	now = p.outgoing.pace.advance(now)
	for _, sequence := range sequences {
		if l.again(now, sequence, &p.outgoing) && p.outgoing.emitAgain(now, l, peer, out) {
			repeated++
		}
	}
	return repeated
}

// again makes o's packet one that was sent before: by RTX, numbered now, or the identical packet where there is no RTX.
// Nothing different is ever sent under the same number, so there is no third way.
func (l *line) again(now time.Time, wire uint16, o *outbox) bool {
	source, sequence, ok := l.numbers.Lookup(wire)
	if !ok || l.carried == nil {
		return false
	}
	if !l.answers.Allow(now, sequence^int64(source)<<32, time.Duration(l.to.rtt.Load())) || !o.repeats.AllowN(now, 1) {
		return false
	}
	l.renew(o, now)
	if !l.recall(source, sequence, o) {
		return false
	}
	rtx := l.codec.RTX != 0 && l.stream.RTX != 0
	if !rtx && o.out.Sequence < l.usedFrom {
		return false
	}
	if rtx {
		l.repairs++
		h := &o.packet.Header
		h.SSRC, h.PayloadType, h.Sequence = l.stream.RTX, l.codec.RTX, uint16(l.repairs)
		o.packet.Index = l.repairs
		packet.AppendRTX(o.head[:0], uint16(o.out.Sequence), nil)
		o.packet.Head = o.head[:rtxHead+len(o.packet.Head)]
		h.Padding = false
		o.packet.Payload = o.packet.Payload[:len(o.packet.Payload)-(len(o.again.sent)-len(o.again.payload))]
	}
	return true
}
