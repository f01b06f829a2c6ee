package sfu

import (
	"slices"
	"time"

	"github.com/parleyrtc/parley/sfu/munge"
	"github.com/parleyrtc/parley/sfu/pacer"
	"github.com/parleyrtc/parley/sfu/transport"
)

const (
	// setbackMemory is how long a lost picture counts: each one in that time makes the line wait longer before it asks for the
	// key frame that would fill the same network again, twice as long up to setbackMost doublings.
	setbackMemory = 10 * time.Second
	setbackMost   = 3
)

// waiter stands for a packet that waits for its time: not the bytes, which belong to whoever received them, but where to find them
// again, and the numbers that it has been given.
type waiter struct {
	subscription *subscription
	source       munge.Source // of the line, and its number there
	sequence     int64
	number       int64 // that the line has given it
	start        bool  // a source begins here, with a key frame
	repair       bool  // it is sent again
}

// dispatch sends the packet that o has made of m, which has never been sent, or lets it wait.
func (o *outbox) dispatch(now time.Time, s *subscription, m *media, peer *transport.Peer, out *transport.Batch) (reason dropReason, waits bool) {
	var cluster int32
	l := s.line
	if c := o.pace; c != nil {
		class, size := pacer.Audio, o.size()
		if l.video {
			class = m.class(m.late)
		}
		c.offered += int64(size)
		if !l.video {
			c.sound += int64(size)
		}
		ok := false
		if cluster, ok = c.pass(now, class, size); !ok {
			w := waiter{s, l.source, m.in.Sequence, o.out.Sequence, m.in.Start, false}
			c.queue.Push(now, pacer.Packet[waiter]{Item: w, Class: class, Size: size})
			return forwarded, true
		}
	}
	if !o.emit(now, l, peer, out, cluster) {
		return dropWrite, false
	}
	l.books.Sent(len(m.payload))
	return forwarded, false
}

// class is when a packet of video leaves. One that closes a gap goes before what is new, if pictures wait for it: after an outage there
// is much to repair, and half of it is of pictures that nobody will look at any more.
func (m *media) class(closes bool) pacer.Class {
	if closes && m.facts.Temporal == 0 {
		return pacer.Retransmission
	}
	return pacer.Video
}

// pass says whether a packet may go at once, and of which probe it is then. What would overtake a train that is still on its way to the
// socket waits with it.
func (c *pace) pass(now time.Time, class pacer.Class, size int) (cluster int32, ok bool) {
	if c.departing && class != pacer.Audio {
		return 0, false
	}
	return c.queue.Pass(now, class, size)
}

// dispatchAgain sends the packet in o, which w stands for and which was sent before, or lets it wait; false: it is not sent now.
func (o *outbox) dispatchAgain(now time.Time, w *waiter, peer *transport.Peer, out *transport.Batch) bool {
	var cluster int32
	l := w.subscription.line
	if c := o.pace; c != nil {
		class, size := pacer.Audio, o.size()
		if l.video {
			class = o.again.class(true)
		}
		c.offered += int64(size)
		c.again += int64(size)
		ok := false
		if cluster, ok = c.pass(now, class, size); !ok {
			c.queue.Push(now, pacer.Packet[waiter]{Item: *w, Class: class, Size: size})
			return false
		}
	}
	return o.emitAgain(now, l, peer, out, cluster)
}

// depart adds what may leave now to a batch, and says whether it did: then departed is to be called when the batch has left.
func (p *participant) depart(now time.Time, out *transport.Batch) bool {
	p.sending.Lock()
	defer p.sending.Unlock()
	o, peer := &p.outgoing, p.peer.Load()
	c := o.pace
	if peer == nil {
		return false
	}
	now = c.advance(now)
	c.departing = true
	_, wait := c.queue.Waiting()
	c.train = c.queue.Due(now, c.train[:0])
	var t tally
	repeated := 0
	for i := range c.train {
		r := &c.train[i]
		if r.Class == pacer.Padding {
			o.pad(now, r.Size, r.Cluster, peer, out)
			continue
		}
		switch reason := o.release(now, r, peer, out); reason {
		case forwarded:
			t.out[kindIndex(r.Item.subscription.line.video)]++
			if r.Item.repair {
				repeated++
			}
		case dropCongestion:
			t.dropped[reason]++
			r.Item.subscription.line.setback(now, c)
		default:
			t.dropped[reason]++
		}
	}
	o.settle(now, &t)
	m := p.room.sfu.metrics
	m.waited.Observe(wait.Seconds())
	if repeated > 0 {
		m.repeated.Add(float64(repeated))
	}
	m.add(&t)
	clear(c.train)
	return true
}

// departed notes that the train has left, and says when to ask again.
func (p *participant) departed() time.Time {
	p.sending.Lock()
	defer p.sending.Unlock()
	c := p.outgoing.pace
	c.departing = false
	return c.deadline()
}

// release sends a packet that has waited.
func (o *outbox) release(now time.Time, r *pacer.Release[waiter], peer *transport.Peer, out *transport.Batch) dropReason {
	w := &r.Item
	l := w.subscription.line
	if l.assigned.Load() != w.subscription || l.carried != w.subscription {
		return dropStale
	}
	if !l.recall(w.source, w.sequence, o) {
		if w.repair {
			return dropLate
		}
		l.numbers.Withdraw(w.number)
		return dropCongestion
	}
	if w.repair {
		if !l.asRepair(o) {
			return dropLate
		}
		if !o.emitAgain(now, l, peer, out, r.Cluster) {
			return dropWrite
		}
		return forwarded
	}
	if !o.emit(now, l, peer, out, r.Cluster) {
		return dropWrite
	}
	l.books.Sent(len(o.again.payload))
	l.sent = now
	if l.reportAt.IsZero() {
		l.reportAt = now
		l.to.alarm.by(now)
	}
	return forwarded
}

// settle accounts for what the queue has given up.
func (o *outbox) settle(now time.Time, t *tally) {
	c := o.pace
	for dropped := c.queue.Dropped(); len(dropped) > 0; dropped = c.queue.Dropped() {
		t.dropped[dropCongestion] += len(dropped)
		var broken []*line // rare, and few
		for i := range dropped {
			w := &dropped[i].Item
			if l := w.subscription.line; dropped[i].Class == pacer.Video && !w.repair {
				l.numbers.Withdraw(w.number)
				if len(broken) == 0 || broken[len(broken)-1] != l {
					broken = append(broken, l)
				}
			}
		}
		for _, l := range broken {
			l.setback(now, c)
		}
	}
}

// setback gives up what waits of a line up to its next key frame, because a packet before it is lost and nothing can be made of it.
// If no key frame waits, the line goes on with the next one.
func (l *line) setback(now time.Time, c *pace) {
	found := slices.ContainsFunc(c.train, func(r pacer.Release[waiter]) bool { // it is leaving
		return r.Class == pacer.Video && r.Item.start && r.Item.subscription.line == l
	})
	c.queue.Remove(now, func(w waiter, class pacer.Class) bool {
		if w.subscription.line != l || class != pacer.Video || found {
			return false
		}
		found = w.start
		return !found
	})
	if found || l.carried == nil {
		return
	}
	if _, shown := l.carried.selector.Current(); !shown {
		return // it waits for one already
	}
	l.carried.selector.Restart()
	l.origin = origin{}
	if now.Sub(l.setbackAt) > setbackMemory {
		l.setbacks = 0
	}
	if l.asked = (time.Time{}); l.setbacks > 0 { // as if it had just been asked for then
		l.asked = now.Add(l.to.room.sfu.config.KeyframeSpacing << min(l.setbacks, setbackMost))
	}
	l.setbackAt = now
	l.setbacks++
}

// abandon takes out what waits of a line that is paused.
func (l *line) abandon(now time.Time, c *pace) {
	c.queue.Remove(now, func(w waiter, _ pacer.Class) bool { return w.subscription.line == l })
}
