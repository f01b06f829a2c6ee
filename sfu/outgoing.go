package sfu

import (
	"math"
	"time"

	"github.com/pion/rtcp"

	"github.com/parleyrtc/parley/sfu/munge"
	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/transport"
)

const (
	// batchPackets is how many packets go down at once: some frames of video.
	batchPackets = 64
	// askSpacing is how often a line that waits for a keyframe says so; the publication has its own, wider spacing.
	askSpacing = 200 * time.Millisecond
	// complainSpacing is how often a line that cannot decode says so.
	complainSpacing = time.Second
	// firstPicture is how long a connected participant is not asked for more slots while its first picture is missing.
	firstPicture = 2 * time.Second
)

// outbox is what the sender goroutine keeps between two batches.
type outbox struct {
	items    [batchPackets]item
	batch    []transport.Outgoing
	held     []*media // released once the batch is sent
	copies   [][]byte // of payloads that had to be changed, one place for each packet of a batch
	copied   int
	lost     []lost
	feedback []rtcp.Packet
	live     time.Time // when the connection was up for the first time
	settled  bool
}

// send is the participant's sender: the one goroutine that sends to this client and owns the state of all its lines.
func (p *participant) send() {
	defer p.room.sfu.senders.Done()
	defer p.recovered()
	timer := time.NewTimer(reportSpacing)
	defer timer.Stop()
	for {
		select {
		case <-p.quit:
			p.discard()
			return
		case <-p.wake:
		case <-timer.C:
		}
		now := time.Now()
		if p.live.Load() {
			p.flush(now)
		} else {
			p.discard()
		}
		if now.UnixNano() >= p.armed.Load() {
			p.armed.Store(math.MaxInt64) // whoever wants to be heard from here on lowers it again
			p.armBy(p.lookAround(now))
		}
		timer.Reset(time.Unix(0, p.armed.Load()).Sub(now))
	}
}

// discard empties the queue of a client that nothing can be sent to.
func (p *participant) discard() {
	o := &p.outgoing
	for n := p.queue.pull(o.items[:]); n > 0; n = p.queue.pull(o.items[:]) {
		for i := range n {
			p.room.sfu.metrics.drop(dropUnconnected)
			o.items[i].media.release()
			o.items[i] = item{}
		}
	}
}

// flush sends everything that waits, batch by batch.
func (p *participant) flush(now time.Time) {
	o := &p.outgoing
	for n := p.queue.pull(o.items[:]); n > 0; n = p.queue.pull(o.items[:]) {
		for i := range n {
			it := o.items[i]
			o.items[i] = item{}
			if reason := p.prepare(now, it); reason != "" {
				p.room.sfu.metrics.drop(reason)
				it.media.release()
			}
		}
		p.transmit()
	}
	o.lost = p.queue.pullLost(o.lost)
	for i, l := range o.lost {
		p.repeat(now, l)
		if (i+1)%batchPackets == 0 {
			p.transmit()
		}
	}
	p.transmit()
}

// transmit hands the batch to the transport.
func (p *participant) transmit() {
	o := &p.outgoing
	if len(o.batch) == 0 {
		return
	}
	peer, plane := p.peer.Load(), p.room.sfu.plane
	out := plane.Batch()
	defer plane.Recycle(out)
	out.Reserve(len(o.batch))
	for i := range o.batch {
		if !out.Add(peer, &o.batch[i]) {
			p.room.sfu.metrics.drop(dropWrite)
		}
		p.room.sfu.metrics.out[kindIndex(o.batch[i].Stream.Video)].Inc()
		o.batch[i] = transport.Outgoing{}
		o.held[i].release()
		o.held[i] = nil
	}
	o.batch, o.held, o.copied = o.batch[:0], o.held[:0], 0
}

// prepare puts one packet into the batch, or says why not.
func (p *participant) prepare(now time.Time, it item) dropReason {
	l, m := it.subscription.line, it.media
	if l.assigned.Load() != it.subscription || l.carried == it.subscription && m.epoch < l.epoch {
		return dropStale
	}
	if l.carried != it.subscription || l.epoch != m.epoch {
		l.carried, l.epoch = it.subscription, m.epoch
		l.source++
		l.numbers.Switch(l.source)
		l.asked = time.Time{}
	}
	codec := l.use().codec(m)
	if codec.PayloadType == 0 {
		if now.Sub(l.complained) > complainSpacing && m.codec != packet.VP8 && m.codec.Video() {
			l.complained = now
			p.room.undecodable(now)
		}
		return dropCodec
	}
	in := m.in(l.source)
	if len(m.payload) == 0 {
		l.numbers.Skip(&in)
		return dropPadding
	}
	var out munge.Out
	switch l.numbers.Map(&in, &out) {
	case munge.Forward:
	case munge.Waiting:
		if now.Sub(l.asked) > askSpacing {
			l.asked = now
			m.publication.wantKeyframe(now, true)
		}
		return dropWaiting
	case munge.Duplicate:
		return dropDuplicate
	case munge.Other:
		return dropStale
	default:
		return dropLate
	}
	if out.Switched {
		p.began(l, m, &out)
	}
	l.books.Sent(len(m.payload))
	l.sent = now
	if l.reportAt.IsZero() {
		l.reportAt = now
		p.armBy(now)
	}
	p.put(l, m, l.header(m, &out, codec.PayloadType), p.patched(m, &out, 0))
	return ""
}

// use is the line's agreement; the sender notes since when it has been in use.
func (l *line) use() *agreement {
	a := l.agreed.Load()
	if a != l.used {
		l.used = a
		if highest, ok := l.numbers.Highest(); ok {
			l.usedFrom = highest + 1
		}
	}
	return a
}

// began tells that a line carries something new from this packet on.
func (p *participant) began(l *line, m *media, out *munge.Out) {
	kind := "audio"
	if l.video {
		kind = "video"
	}
	p.room.mu.Lock()
	if !p.removed {
		p.room.emit(Event{Kind: SlotStarted, Participant: p.id, Pair: l.pair, TrackKind: kind,
			PublicationID: m.publication.id, RTPTimestamp: out.Timestamp})
	}
	p.room.unlock()
	if l.video && !p.outgoing.settled {
		p.outgoing.settled = true
		p.settled()
	}
}

// header is the same for the same packet, whenever it is asked for: a repetition without RTX must be identical.
func (l *line) header(m *media, out *munge.Out, payloadType uint8) packet.Header {
	h := packet.Header{
		Marker: m.marker, PayloadType: payloadType, Sequence: uint16(out.Sequence), Timestamp: out.Timestamp,
		SSRC: l.stream.SSRC,
	}
	if m.hasAudioLevel && l.used.level != 0 {
		h.AudioLevelID, h.AudioLevel, h.Voice = l.used.level, m.audioLevel, m.voice
	}
	return h
}

// patched is the payload with its VP8 indices as out wants them, with room bytes in front. The shared payload itself is
// never written to.
func (p *participant) patched(m *media, out *munge.Out, room int) []byte {
	if !out.Patch && room == 0 {
		return m.payload
	}
	o := &p.outgoing
	if o.copied == len(o.copies) {
		o.copies = append(o.copies, make([]byte, maxPayload+2))
	}
	b := o.copies[o.copied][:room+len(m.payload)]
	o.copied++
	copy(b[room:], m.payload)
	if out.Patch {
		m.vp8.Patch(b[room:], out.PictureID, out.TL0, out.KeyIdx)
	}
	return b
}

// put adds a packet to the batch, and with it the reference to its media.
func (p *participant) put(l *line, m *media, h packet.Header, payload []byte) {
	o := &p.outgoing
	o.batch = append(o.batch, transport.Outgoing{Stream: l.stream, Header: h, Payload: payload})
	o.held = append(o.held, m)
}

// repeat sends a packet again: by RTX, numbered now, or the identical packet where there is no RTX. Nothing different is
// ever sent under the same number, so there is no third way.
func (p *participant) repeat(now time.Time, lost lost) {
	l := lost.line
	source, sequence, ok := l.numbers.Lookup(lost.sequence)
	if !ok || source != l.source || l.carried == nil {
		return
	}
	if !l.answers.Allow(now, sequence, time.Duration(p.rtt.Load())) {
		return
	}
	m := l.carried.publication.repeat(l.epoch, sequence)
	if m == nil {
		return
	}
	in := m.in(source)
	var out munge.Out
	codec := l.use().codec(m)
	if !l.numbers.Again(&in, &out) || codec.PayloadType == 0 || codec.RTX == 0 && out.Sequence < l.usedFrom {
		m.release()
		return
	}
	h := l.header(m, &out, codec.PayloadType)
	room := 0
	if codec.RTX != 0 && l.stream.RTX != 0 {
		l.repairs++
		h.SSRC, h.PayloadType, h.Sequence, room = l.stream.RTX, codec.RTX, l.repairs, 2
	}
	payload := p.patched(m, &out, room)
	if room > 0 {
		packet.AppendRTX(payload[:0], uint16(out.Sequence), nil)
	}
	p.room.sfu.metrics.repeated.Inc()
	p.put(l, m, h, payload)
}

// lookAround does what is due by the clock, and says when to look again.
func (p *participant) lookAround(now time.Time) time.Time {
	o := &p.outgoing
	next := now.Add(reportSpacing)
	if at := p.expires.Load(); at != 0 && now.UnixNano() >= at {
		p.log.Info("no connection")
		p.fail(ReasonFailed)
		return next
	}
	if !p.live.Load() {
		return next
	}
	if o.live.IsZero() {
		o.live = now
	}
	if !o.settled && now.Sub(o.live) > firstPicture {
		o.settled = true
		p.settled()
	}
	packets, soon := p.tell(now, o.feedback[:0])
	packets = p.report(now, packets)
	if len(packets) > 0 {
		out := p.room.sfu.plane.Batch()
		out.AddRTCP(p.peer.Load(), packets)
		p.room.sfu.plane.Recycle(out)
	}
	clear(packets)
	o.feedback = packets[:0]
	if soon.Before(next) {
		next = soon
	}
	return next
}
