package sfu

import (
	"math"
	"time"

	"golang.org/x/time/rate"

	"github.com/parleyrtc/parley/sfu/bwe"
	"github.com/parleyrtc/parley/sfu/pacer"
	"github.com/parleyrtc/parley/sfu/transport"
)

const (
	// startRate is what a client is sent before it has reported anything: a small picture and sound.
	startRate bwe.Rate = 600_000
	// The first packets follow each other faster, as TCP's do (RFC 6928): most of a first key frame.
	openingBytes          = 10_000
	openingRate  bwe.Rate = 5_000_000
	// wantFirst is what is worth probing for before it is known what there is to send.
	wantFirst bwe.Rate = 4_000_000
	// wantSpare is what is offered times this: it changes from one second to the next.
	wantSpare = 1.2
	// repeatShare of the estimate may be packets that are sent again, or what is asked for again because it waits would fill the
	// network for good; so much of a second at once, and never less than some packets.
	repeatShare = 0.5
	repeatSpan  = 500 * time.Millisecond
	repeatLeast = 8 * 1200
	// deafAfter is how long a client that has agreed to report may be sent packets without doing so. Then it never will.
	deafAfter = 3 * time.Second
)

// pace is what is known of the network of a client that reports when packets arrive, and what waits to be sent into it. Guarded by
// participant.sending.
type pace struct {
	estimate *bwe.Estimator
	queue    *pacer.Pacer[waiter]
	most     bwe.Rate
	number   int64 // transport-wide, of the next packet
	moves    uint32
	latest   time.Time // time never runs backwards here, though publishers' goroutines overtake each other
	since    time.Time // the present network has been used
	deaf     bool      // the client does not report at all: nothing waits, as if it had not agreed to
	opening  int       // bytes that still leave faster than the estimate says
	armed    bool      // the timer rings at the estimate's deadline

	departing bool // a train is on its way to the socket

	plane  *transport.Plane
	aboard boarding // what is on its way to the socket

	repeats *rate.Limiter // participant.outgoing's
	seconds *seconds      // the same's
	filmed  bool          // pictures have been sent
	padded  *line         // that probes are filled up on; nil: none
	train   []pacer.Release[waiter]
	shared  bwe.Rate // the estimate when it was shared last
	planned bool     // it is known what there is to send at best

	// Bytes since they were counted, and rates.
	offered, sound, again     int64
	before, soundRate, repeat bwe.Rate
	counted, rated            time.Time
}

// newPace begins with no knowledge.
func newPace(now time.Time, to *participant) *pace {
	most := bwe.Rate(to.room.sfu.config.MaxBitrate)
	c := &pace{
		most: most, latest: now, since: now, counted: now, rated: now, opening: openingBytes,
		estimate: bwe.New(now, bwe.Config{Start: startRate, Max: most}),
		queue:    pacer.New[waiter](now, openingRate, pacer.Config{}),
		plane:    to.room.sfu.plane,
		repeats:  to.outgoing.repeats,
		seconds:  &to.outgoing.seconds,
	}
	c.estimate.SetWant(wantFirst)
	if peer := to.peer.Load(); peer != nil {
		c.moves = peer.Moves()
	}
	c.follow(now)
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

// follow makes the queue do what the estimate says.
func (c *pace) follow(now time.Time) {
	if c.filmed && !c.deaf { // sound alone makes no probe, and what fills one up needs a stream of pictures
		if probe, ok := c.estimate.Probe(now); ok {
			c.queue.Probe(now, probe)
		}
	}
	pacing := c.estimate.Pacing()
	switch {
	case c.deaf:
		pacing = c.most
	case c.opening > 0:
		pacing = max(pacing, openingRate)
	}
	c.queue.SetRate(now, pacing)
	again := repeatShare * float64(c.estimate.Target()) / 8
	if c.deaf {
		again = repeatRate
	}
	c.repeats.SetLimitAt(now, rate.Limit(again))
	c.repeats.SetBurstAt(now, max(int(again*repeatSpan.Seconds()), repeatLeast))
}

// tick does what is due without a report, and says when there is more.
func (c *pace) tick(now time.Time, reachable bool) {
	c.armed = false
	c.deaf = c.deaf || reachable && !c.estimate.Heard() && now.Sub(c.since) > deafAfter
	c.estimate.SetBehind(c.plane.Behind())
	c.estimate.Tick(now)
	c.follow(now)
}

// deadline is when the timer is to ring; zero: it need not, for all that this knows.
func (c *pace) deadline() time.Time {
	at := c.queue.Deadline()
	if second := c.seconds.deadline(); at.IsZero() || !second.IsZero() && second.Before(at) {
		at = second
	}
	if c.armed {
		return at
	}
	e := c.estimate.Deadline()
	c.armed = !e.IsZero()
	if c.armed && (at.IsZero() || e.Before(at)) {
		return e
	}
	return at
}

// measure counts once a second what there was to send, and tells the estimate as long as nobody knows better.
func (c *pace) measure(now time.Time, m *metrics) {
	passed := now.Sub(c.counted)
	if passed < time.Second {
		return
	}
	offered := bwe.Rate(float64(c.offered) * 8 / passed.Seconds())
	if !c.planned {
		c.estimate.SetWant(bwe.Rate(wantSpare * float64(max(offered, c.before, 1))))
	}
	c.before, c.offered, c.counted = offered, 0, now
	if s := c.estimate.State(); c.estimate.Heard() {
		m.target.Observe(float64(s.Target))
		m.limited[s.Reason].Inc()
	}
}

// rates are what sound takes of late, and what is sent again.
func (c *pace) rates(now time.Time) (sound, repeats bwe.Rate) {
	if passed := now.Sub(c.rated); passed >= shareSpacing {
		smooth := func(old bwe.Rate, bytes int64) bwe.Rate {
			return old + bwe.Rate(min(1, passed.Seconds())*(float64(bytes)*8/passed.Seconds()-float64(old)))
		}
		c.soundRate, c.repeat = smooth(c.soundRate, c.sound), smooth(c.repeat, c.again)
		c.sound, c.again, c.rated = 0, 0, now
	}
	return c.soundRate, c.repeat
}

// arrivals takes a report of arrival times.
func (p *participant) arrivals(now time.Time, report []byte) {
	if at := p.heard(now, report); !at.IsZero() {
		p.pacing.by(at)
	}
}

// heard does so under the sending lock, and says when the timer is to ring.
func (p *participant) heard(now time.Time, report []byte) time.Time {
	peer := p.peer.Load()
	p.sending.Lock()
	defer p.sending.Unlock()
	c := p.outgoing.pace
	if c == nil || peer == nil {
		return time.Time{}
	}
	now = c.advance(now)
	c.land()
	if moves := peer.Moves(); moves != c.moves {
		c.moves, c.since = moves, now
		c.estimate.Reroute(now)
	}
	c.estimate.SetRTT(time.Duration(p.rtt.Load()))
	c.estimate.Feedback(now, report)
	c.deaf = c.deaf && !c.estimate.Heard()
	c.follow(now)
	if target := c.estimate.Sustained(); math.Abs(float64(target-c.shared)) > shareChange*float64(c.shared) {
		p.reconsider(now)
	}
	return c.deadline()
}

// paced is what the timer of the pace calls: nothing else is looked at.
func (p *participant) paced() {
	defer p.recovered()
	now := time.Now()
	due, at := p.beat(now)
	if due {
		plane := p.room.sfu.plane
		out := plane.Batch()
		out.Reserve(maxRun)
		left := p.depart(now, out)
		plane.Recycle(out)
		if at = (time.Time{}); left {
			at = p.departed()
		}
	}
	if !at.IsZero() {
		p.pacing.by(at)
	}
}

// beat says whether packets may leave now, and if not when to ask again.
func (p *participant) beat(now time.Time) (due bool, at time.Time) {
	p.sending.Lock()
	defer p.sending.Unlock()
	c := p.outgoing.pace
	if c == nil {
		return false, time.Time{}
	}
	now = c.advance(now)
	c.tick(now, p.rtt.Load() != 0)
	p.outgoing.ripen(now)
	at = c.queue.Deadline()
	if !at.IsZero() && !at.After(now) {
		if c.aboard.waits(now) {
			return false, now.Add(loadedAgain)
		}
		return true, at
	}
	return false, c.deadline()
}
