package sfu

import (
	"time"

	"github.com/parleyrtc/parley/sfu/munge"
	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/transport"
)

const (
	// askSpacing is how often a line that waits for a keyframe says so; the publication has its own, wider spacing.
	askSpacing = 200 * time.Millisecond
	// complainSpacing is how often a line that cannot decode says so.
	complainSpacing = time.Second
)

// Packets takes what the participant sends to everybody who is to receive it (transport.Sink).
func (p *participant) Packets(now time.Time, batch []transport.Datagram, out *transport.Batch) {
	defer p.recovered()
	for len(batch) > 0 {
		n := min(len(batch), maxRun)
		p.pass(now, batch[:n], out)
		batch = batch[n:]
	}
}

// pass is the road of one run of packets.
func (p *participant) pass(now time.Time, batch []transport.Datagram, out *transport.Batch) {
	r := &p.run
	r.begin(len(batch))
	at := p.incoming.take(batch, r)
	for i := range r.parts {
		r.forward(now, &r.parts[i], out)
	}
	p.room.sfu.metrics.add(&r.tally)
	if !at.IsZero() {
		p.alarm.by(at)
	}
}

// forward sends what is of one publication to each of its subscribers.
func (r *run) forward(now time.Time, part *part, out *transport.Batch) {
	pub := part.publication
	subscriptions := *pub.subscriptions.Load()
	switch {
	case !pub.owner.room.open.Load():
		r.tally.dropped[dropGate] += part.packets
	case len(subscriptions) == 0:
		r.tally.dropped[dropUnsubscribed] += part.packets
	default:
		for _, s := range subscriptions {
			s.forward(now, part, r, out)
		}
	}
}

// forward sends them to one subscriber.
func (s *subscription) forward(now time.Time, part *part, r *run, out *transport.Batch) {
	to := s.line.to
	if !to.live.Load() {
		r.tally.dropped[dropUnconnected] += part.packets
		return
	}
	out.Reserve(part.packets)
	if s.send(now, part, r, out) {
		to.alarm.by(now)
	}
}

// send does so under the subscriber's lock, and says whether its alarm has something to do.
func (s *subscription) send(now time.Time, part *part, r *run, out *transport.Batch) bool {
	l, p := s.line, s.line.to
	defer p.recovered()
	p.sending.Lock()
	defer p.sending.Unlock()
	peer := p.peer.Load()
	if l.assigned.Load() != s || peer == nil {
		r.tally.dropped[dropStale] += part.packets
		return false
	}
	l.renew()
	o := &p.outgoing
	sent := 0
	for i := range r.packets {
		m := &r.packets[i]
		if m.publication != s.publication {
			continue
		}
		if reason := l.prepare(now, s, m, o); reason != forwarded {
			r.tally.dropped[reason]++
			continue
		}
		if !out.Add(peer, &o.packet) {
			r.tally.dropped[dropWrite]++
			continue
		}
		l.books.Sent(len(m.payload))
		sent++
	}
	if sent > 0 {
		r.tally.out[kindIndex(l.video)] += sent
		l.sent = now
		if l.reportAt.IsZero() {
			l.reportAt = now
			return true
		}
	}
	return o.news != news{}
}

// prepare makes o's packet of m, or says why not. The receiver's lock is held.
func (l *line) prepare(now time.Time, s *subscription, m *media, o *outbox) dropReason {
	if l.carried != s || l.epoch != m.epoch {
		if l.carried == s && m.epoch < l.epoch {
			return dropStale
		}
		l.turn(s, m.epoch)
	}
	if l.tuned != l.used {
		l.tune(m)
	}
	if l.codec.PayloadType == 0 {
		if now.Sub(l.complained) > complainSpacing && m.codec != packet.VP8 && m.codec.Video() {
			l.complained = now
			o.news.undecodable = true
		}
		return dropCodec
	}
	m.in.Source = l.source
	if len(m.payload) == 0 {
		l.numbers.Skip(&m.in)
		return dropPadding
	}
	switch l.numbers.Map(&m.in, &o.out) {
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
	if o.out.Switched {
		l.began(s, o)
	}
	l.pack(m, o)
	return forwarded
}

// renew takes up the newest agreement, and notes since when it has been in use.
func (l *line) renew() {
	if a := l.agreed.Load(); a != l.used {
		l.used = a
		if highest, ok := l.numbers.Highest(); ok {
			l.usedFrom = highest + 1
		}
	}
}

// turn makes a publication's source and codec the next that the line carries.
func (l *line) turn(s *subscription, epoch uint64) {
	l.carried, l.epoch = s, epoch
	l.source++
	l.numbers.Switch(l.source)
	l.asked = time.Time{}
	l.tuned = nil
}

// tune finds what m's codec is sent as by the agreement in use.
func (l *line) tune(m *media) { l.codec, l.tuned = l.used.codec(m), l.used }

// began notes that the line carries something new from this packet on.
func (l *line) began(s *subscription, o *outbox) {
	l.begun = beginning{s, o.out.Timestamp}
	o.news.begun = true
	if l.video && !o.settled {
		o.settled = true
		o.news.settled = true
	}
}

// pack makes o's packet of m and its numbers in o. It is the same for the same packet and numbers, whenever it is made: a
// repetition without RTX must be identical.
func (l *line) pack(m *media, o *outbox) {
	h := &o.packet.Header
	h.Marker, h.PayloadType, h.SSRC = m.marker, l.codec.PayloadType, l.stream.SSRC
	h.Sequence, h.Timestamp = uint16(o.out.Sequence), o.out.Timestamp
	h.AudioLevelID = 0
	if m.hasAudioLevel {
		h.AudioLevelID, h.AudioLevel, h.Voice = l.used.level, m.audioLevel, m.voice
	}
	o.packet.Stream, o.packet.Index = l.stream, o.out.Sequence
	h.Padding = len(m.sent) > len(m.payload)
	o.packet.Head, o.packet.Payload = nil, m.sent
	if o.out.Patch {
		n := copy(o.head[rtxHead:], m.sent[:m.vp8.Size])
		o.packet.Head, o.packet.Payload = o.head[rtxHead:rtxHead+n], m.sent[n:]
		m.vp8.Patch(o.packet.Head, o.out.PictureID, o.out.TL0, o.out.KeyIdx)
	}
}
