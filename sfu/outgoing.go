package sfu

import (
	"slices"
	"time"

	"github.com/pion/rtcp"
	"golang.org/x/time/rate"

	"github.com/parleyrtc/parley/sfu/layer"
	"github.com/parleyrtc/parley/sfu/munge"
	"github.com/parleyrtc/parley/sfu/nack"
	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/red"
	"github.com/parleyrtc/parley/sfu/transport"
)

const (
	rtxHead = 2 // bytes in front of a repetition, RFC 4588 §4
	vp8Head = 6 // bytes of the longest VP8 descriptor, RFC 7741 §4.2
	vp9Head = 5 // bytes of a VP9 descriptor up to TL0PICIDX, RFC 9628 §4.2

	// maxLost bounds what one NACK may ask for; the client asks again for more.
	maxLost = 512
	// What one participant may be sent again in a second, in bytes: some part of what fills its lines. Where the network is known,
	// a part of what that carries (see pace).
	repeatRate, repeatBurst = 2000 * 1200, 2 * maxLost * 1200
)

// outbox is what the sending to one participant needs besides its lines. Guarded by participant.sending.
type outbox struct {
	pace   *pace              // nil: the client does not report when packets arrive
	packet transport.Outgoing // the one being made
	out    munge.Out          // its numbers
	choice layer.Decision     // what becomes of it
	form   form               // of a sound
	head   [rtxHead + max(vp8Head, vp9Head)]byte

	descriptor [maxDescriptor]byte // of dependencies, where this receiver's differs
	redundancy []byte              // what comes before a sound, taken at the first packet with copies
	need       red.Need            // of copies
	nothing    [paddingMost]byte   // padding being made; all 0 else

	copies  int // of earlier sounds that its network has room for in a packet
	repeats *rate.Limiter
	seconds seconds // copies of what is repeated
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
	for some := range slices.Chunk(asked, maxRun/2) {
		out.Reserve(2 * len(some)) // two copies of each
		n, due := p.repeat(now, l, some, out)
		repeated += n
		if !due.IsZero() {
			p.pacing.by(due)
		}
	}
	m := p.room.sfu.metrics
	m.nackIn.Add(float64(len(asked)))
	m.repeated.Add(float64(repeated))
	m.out[kindIndex(l.video)].Add(float64(repeated))
}

// repeat sends packets of a line again, or lets them wait, and returns how many were sent and when others may leave.
func (p *participant) repeat(now time.Time, l *line, sequences []uint16, out *transport.Batch) (repeated int, due time.Time) {
	p.sending.Lock()
	defer p.sending.Unlock()
	peer, o := p.peer.Load(), &p.outgoing
	if peer == nil {
		return 0, due
	}
	l.renew(o, now)
	now = o.pace.advance(now)
	l.requested += len(sequences)
	loss := o.loss()
	for _, sequence := range sequences {
		w, copies := l.again(now, sequence, loss, o)
		if copies == 0 {
			continue
		}
		if o.dispatchAgain(now, &w, peer, out) {
			repeated++
		}
		if copies > 1 {
			o.seconds.push(now.Add(nack.CopyDelay), &w, o.size())
		}
	}
	if o.pace == nil {
		repeated += o.secondCopies(now, peer, out)
	} else {
		due = o.pace.deadline()
	}
	return repeated, due
}

// again makes o's packet one that was sent before, and what stands for it while it waits. It says in how many copies it is to be
// sent at this loss; 0: not at all.
func (l *line) again(now time.Time, wire uint16, loss float64, o *outbox) (w waiter, copies int) {
	source, sequence, ok := l.numbers.Lookup(wire)
	if !ok || l.carried == nil {
		return w, 0
	}
	rtt := time.Duration(l.to.rtt.Load())
	times := l.answers.Allow(now, sequence^int64(source)<<32, rtt)
	if times == 0 || o.repeats.TokensAt(now) < 1 {
		return w, 0
	}
	if !l.recall(source, sequence, o) || !l.asRepair(o) || !o.repeats.AllowN(now, o.size()) {
		return w, 0
	}
	w = waiter{subscription: l.carried, source: source, sequence: sequence, repair: true}
	copies = 1
	if l.repairable() { // else both would be the identical packet, of which a receiver takes the first
		copies = nack.Copies(times, loss, rtt, o.again.facts.Temporal == 0)
	}
	if copies > 1 && !o.repeats.AllowN(now, o.size()) {
		copies = 1
	}
	return w, copies
}

// loss is the part of the packets to this receiver that is lost.
func (o *outbox) loss() float64 {
	if o.pace != nil && o.pace.estimate.Heard() {
		return o.pace.estimate.State().Loss
	}
	return o.need.Loss()
}

// asRepair makes o's packet one of the stream of repetitions, which is numbered when it leaves. Where there is none, the packet stays as
// it is: nothing different is ever sent under the same number, so there is no third way.
func (l *line) asRepair(o *outbox) bool {
	if !l.repairable() {
		return o.out.Sequence >= l.usedFrom
	}
	h := &o.packet.Header
	h.SSRC, h.PayloadType = l.stream.RTX, l.codec.RTX
	packet.AppendRTX(o.head[:0], uint16(o.out.Sequence), nil)
	o.packet.Head = o.head[:rtxHead+len(o.packet.Head)]
	h.Padding = false
	o.packet.Payload = o.packet.Payload[:len(o.packet.Payload)-(len(o.again.sent)-len(o.again.payload))]
	return true
}
