package sfu

import (
	"time"

	"github.com/parleyrtc/parley/sfu/layer"
	"github.com/parleyrtc/parley/sfu/transport"
)

// Who comes to a picture that others see already is shown its last keyframe and what followed, out of the encoding's history, with
// the timestamps that they had. The publisher is not asked for anything, and ten who come at once cost nobody a keyframe. What is too
// much for the receiver's network is replaced by the same of a smaller encoding, until the next keyframe of the larger one.
const (
	// replayAge is how old that keyframe may be: a decoder that is given ten seconds at once drops frames, and asks for a keyframe
	// in the end.
	replayAge = 2 * time.Second
	// replayAhead is how old it may be for somebody whose connection is still being made.
	replayAhead = time.Second
	// replaySpan is how long a replay may take to leave: live packets wait behind it, and are not to be given up (see pacer).
	replaySpan = 400 * time.Millisecond
	// replayMost times the target is how fast it may leave at most: that trains come through at once is no reason for more of them.
	replayMost = 2
	// replayBytes is for who has no estimate, and gets it all at once.
	replayBytes = 150_000
	// replayLive is how long ago the publisher's newest packet may have come: the replay begins with the next.
	replayLive = 150 * time.Millisecond
)

// replay is what of an encoding's history a subscription is still to be shown.
type replay struct {
	encoding  *encoding
	epoch     uint64
	next, end int64 // its numbers
	low       int64 // the lowest of the packets that have just come, which go their own way
}

// start asks for what a new receiver can begin with, unless the history has it and the line can be shown it: see plan. The room's lock
// is held.
func (s *subscription) start(now time.Time, within time.Duration) {
	pub := s.publication
	if !pub.video {
		return
	}
	in := &pub.owner.incoming
	in.mu.Lock()
	e := pub.nearest(s.line.first().Encoding)
	e.watch() // or what comes is not kept
	index := e.index
	from, _, size, ok := e.picture(now, within)
	ok = ok && size <= replayBytes && now.Sub(e.heard) <= replayLive
	if first, found := e.history.Get(from); found && s.line.until.After(first.Arrived) {
		ok = false
	}
	in.mu.Unlock()
	if !ok {
		pub.wantKeyframe(now, index, true)
	}
}

// picture is the range in the history from the last keyframe on, if that is young enough, and its size in bytes. The inbox's lock
// is held.
func (e *encoding) picture(now time.Time, within time.Duration) (from, to int64, size int, ok bool) {
	from, ok = e.history.Keyframe()
	if !ok {
		return 0, 0, 0, false
	}
	first, _ := e.history.Get(from)
	to, _ = e.history.Newest()
	for n := from; n <= to; n++ {
		if p, ok := e.history.Get(n); ok {
			size += overhead + len(p.Payload)
		}
	}
	return from, to + 1, size, now.Sub(first.Arrived) <= within
}

// begin shows a subscription that has just begun what came before this run.
func (s *subscription) begin(now time.Time, r *run, out *transport.Batch) {
	for more := true; more; {
		out.Reserve(maxRun)
		var due time.Time
		if more, due = s.replay(now, r, out); !due.IsZero() {
			s.line.to.pacing.by(due)
		}
	}
}

// replay sends some of it, under the subscriber's lock, and says whether there is more, and when what waits may leave.
func (s *subscription) replay(now time.Time, r *run, out *transport.Batch) (more bool, due time.Time) {
	l, p := s.line, s.line.to
	defer p.recovered()
	p.sending.Lock()
	defer p.sending.Unlock()
	peer, o := p.peer.Load(), &p.outgoing
	if l.assigned.Load() != s || peer == nil {
		return false, due
	}
	l.renew(o, now)
	now = o.pace.advance(now)
	if !s.begun.Load() {
		s.begun.Store(true)
		s.plan(now, r)
	}
	shown, sent := &s.shows, 0
	for n := 0; n < maxRun && shown.next < shown.end; shown.next++ {
		if r.has(shown, shown.next) || !shown.encoding.repeat(shown.epoch, shown.next, &o.again, o.space()) {
			continue
		}
		n++
		o.again.arriving = s.arriving
		if s.pass(now, &o.again, r, peer, out) {
			sent++
		}
	}
	if c := o.pace; c != nil {
		o.settle(now, &r.tally)
		due = c.deadline()
	}
	if sent > 0 {
		r.tally.out[1] += sent
		p.room.sfu.metrics.replayed.Add(float64(sent))
		l.sent = now
	}
	if more = shown.next < shown.end; !more {
		s.shows = replay{}
		s.aim(s.arriving) // it may have begun with less than is wanted
	}
	return more, due
}

// plan decides what is replayed. A line that has carried something until now is not taken back in time: its timestamps would
// leave the line that sound and picture are held together by, and would go on ahead of it by the age of the keyframe, for as long as the
// line carries this. It waits for a new keyframe, which start has asked for. The receiver's lock is held.
func (s *subscription) plan(now time.Time, r *run) {
	l := s.line
	if l.carried != s {
		l.turn(s)
	}
	for i := range r.packets {
		if m := &r.packets[i]; m.encoding.publication == s.publication && s.arriving != m.arriving {
			s.aim(m.arriving)
		}
	}
	index, wants := s.selector.Wants()
	if _, shown := s.selector.Current(); shown || !wants {
		return
	}
	in := &s.publication.owner.incoming
	in.mu.Lock()
	defer in.mu.Unlock()
	most, line := l.to.outgoing.replayable(), l.numbers.Latest()
	e := s.publication.encoding(index)
	from, to, ok := e.shown(now, line, most)
	for i := int(e.index) - 1; !ok && i >= 0; i-- { // a smaller picture at once, and the larger with its next keyframe
		e = s.publication.encodings[i]
		if from, to, ok = e.shown(now, line, most); ok {
			s.selector.Set(layer.Layer{Encoding: e.index, Spatial: layer.All, Temporal: layer.All}, false)
		}
	}
	if !ok {
		return
	}
	s.shows = replay{encoding: e, epoch: e.epoch, next: from, end: to, low: to}
	for i := range r.packets {
		if m := &r.packets[i]; m.encoding == e {
			s.shows.low = min(s.shows.low, m.in.Sequence)
		}
	}
}

// shown is the range in the history that may be replayed on a line whose newest picture came at a time, if that is no more than
// so many bytes. The inbox's lock is held.
func (e *encoding) shown(now, line time.Time, most int) (from, to int64, ok bool) {
	from, to, size, ok := e.picture(now, replayAge)
	if !ok || size > most {
		return 0, 0, false
	}
	first, _ := e.history.Get(from)
	return from, to, !line.After(first.Arrived)
}

// replayable is how many bytes may be replayed at once.
func (o *outbox) replayable() int {
	if o.pace == nil || o.pace.deaf {
		return replayBytes
	}
	rate := min(o.pace.estimate.Pacing(), replayMost*o.pace.estimate.Target())
	return int(float64(rate)/8*replaySpan.Seconds()) + max(o.pace.opening, 0)
}

// has says whether a packet that a replay would come to is in the run.
func (r *run) has(shown *replay, sequence int64) bool {
	if sequence < shown.low {
		return false
	}
	for i := range r.packets {
		if m := &r.packets[i]; m.encoding == shown.encoding && m.in.Sequence == sequence {
			return true
		}
	}
	return false
}
