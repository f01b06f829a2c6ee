package sfu

import (
	"time"

	"github.com/parleyrtc/parley/sfu/transport"
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
	r.begin(len(batch) + maxRestored)
	at := p.incoming.take(batch, r)
	changed := p.room.speakers.hear(now, r)
	for i := range r.parts {
		r.forward(now, &r.parts[i], out)
	}
	p.room.sfu.metrics.add(&r.tally)
	if changed {
		at = now
	}
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
	case part.unheard == part.packets:
		r.tally.dropped[dropUnheard] += part.packets
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
	if s.line.video && !s.begun.Load() {
		s.begin(now, r, out)
	}
	room := part.packets
	if s.publication.microphone != nil {
		room += catchUp
	}
	out.Reserve(room)
	news, due := s.send(now, part, r, out)
	if news {
		to.alarm.by(now)
	}
	if !due.IsZero() {
		to.pacing.by(due)
	}
}

// send does so under the subscriber's lock, and says whether its alarm has something to do, and when what waits may leave.
func (s *subscription) send(now time.Time, part *part, r *run, out *transport.Batch) (told bool, due time.Time) {
	l, p := s.line, s.line.to
	defer p.recovered()
	p.sending.Lock()
	defer p.sending.Unlock()
	peer := p.peer.Load()
	if l.assigned.Load() != s || peer == nil {
		r.tally.dropped[dropStale] += part.packets
		return false, due
	}
	o := &p.outgoing
	l.renew(o, now)
	now = o.pace.advance(now)
	sent := 0
	for i := range r.packets {
		m := &r.packets[i]
		if m.encoding.publication != s.publication {
			continue
		}
		for n := s.missed(now, m); n > 0; n-- {
			if s.recall(m, n, o) && s.pass(now, &o.again, r, peer, out) {
				sent++
			}
		}
		if s.pass(now, m, r, peer, out) {
			sent++
		}
	}
	if c := o.pace; c != nil {
		o.settle(now, &r.tally)
		due = c.deadline()
	}
	if sent > 0 {
		r.tally.out[kindIndex(l.video)] += sent
		l.sent = now
		if l.reportAt.IsZero() {
			l.reportAt = now
			return true, due
		}
	}
	return o.news != news{}, due
}

// pass sends one packet, lets it wait, or counts why not; true: it is sent. The receiver's lock is held.
func (s *subscription) pass(now time.Time, m *media, r *run, peer *transport.Peer, out *transport.Batch) bool {
	l, o := s.line, &s.line.to.outgoing
	if m.unheard {
		r.tally.dropped[dropUnheard]++
		return false
	}
	if reason := l.prepare(now, s, m, o); reason != forwarded {
		r.tally.dropped[reason]++
		return false
	}
	reason, waits := o.dispatch(now, s, m, peer, out)
	if reason != forwarded {
		r.tally.dropped[reason]++
	}
	return reason == forwarded && !waits
}
