// Package bwe estimates how much may be sent to one subscriber, from the transport-wide feedback that comes back.
//
// It follows draft-ietf-rmcat-gcc-02 with what libwebrtc has learned since: a line through the delays of groups of packets
// tells a growing queue, a model of the losses tells those of the path from those of too much traffic, probes find what the media
// alone cannot show, and nothing grows that is not used. Beyond that it measures how long the queue is, empties it after a cut,
// and returns to what the path carried while it was full.
package bwe

import (
	"math"
	"time"
)

const (
	defaultStart = 300_000
	defaultMin   = 30_000
	defaultMax   = 30_000_000

	fastWindow = 200 * time.Millisecond // in which what arrives is measured
	slowWindow = 500 * time.Millisecond

	unknownRTT = 100 * time.Millisecond
	// jump is how far a receiver's clock may go astray between two messages before its arrival times count as new ones.
	jump = 3 * time.Second

	// Without feedback for silence, or three of its usual intervals, and a round trip, silenceFactor of the target is taken, and
	// again after each silenceAgain. Receivers report every 50 to 250 ms while packets come.
	silence       = 500 * time.Millisecond
	silenceMost   = 1500 * time.Millisecond
	silenceAgain  = 250 * time.Millisecond
	silenceFactor = 0.8
	silenceAsked  = 50 * time.Millisecond // after the deadline whoever keeps up has called Tick

	paceFactor = 1.5 // of the target: a frame leaves in two thirds of its time, and a key frame does not fill a queue for sound
	paceFast   = 2.5 // of a large target, where the same frame fills a queue for so much shorter, and leaves as one train
	paceSlow   = 2_000_000
	paceLarge  = 8_000_000
	paceTight  = 1.1 // when a queue is to empty, or a short one overflows
)

// Config bounds an Estimator. A zero field takes its default.
type Config struct {
	Start Rate // before anything is known; default 300 kbit/s
	Min   Rate // the target never falls below; default 30 kbit/s
	Max   Rate // nor rises above; default 30 Mbit/s
}

func (c Config) withDefaults() Config {
	fill := func(v *Rate, d Rate) {
		if *v <= 0 {
			*v = d
		}
	}
	fill(&c.Start, defaultStart)
	fill(&c.Min, defaultMin)
	fill(&c.Max, max(defaultMax, c.Min))
	c.Max = max(c.Max, c.Min)
	c.Start = min(max(c.Start, c.Min), c.Max)
	return c
}

// Estimator is the estimate for one subscriber. It has one owner and no lock; times that it is given never run backwards.
type Estimator struct {
	cfg   Config
	epoch time.Time
	rtt   time.Duration
	want  float64 // what the application would send if it could; 0 when unknown

	history  history
	decoder  decoder
	noted    time.Time // when the last train was sent
	reported int64     // highest that any message told of
	settled  int64     // fates below have been counted as loss or not

	trend   trend
	queue   queue
	meter   meter
	limited limited
	passage passage
	control control
	losses  losses
	prober  prober

	arrived  time.Duration // latest arrival, on the receiver's clock
	heard    time.Duration // when the last feedback came; 0 before the first
	unheard  time.Duration // when the first packet after it was sent; 0 when there is none
	interval time.Duration // between messages, smoothed
	behind   time.Duration // what has come may be unread for so long
	excused  time.Duration // nobody asked for so long after the deadline: whoever did not was not reading either
	silenced time.Duration // the last time that the target was lowered for want of feedback
	spoken   float64       // the target before; 0 when there was no silence
	full     bool          // a probe has come out slower than it went in
	off      parts         // only tests switch some off
}

// New returns an estimator that starts now.
func New(now time.Time, cfg Config) *Estimator {
	e := &Estimator{cfg: cfg.withDefaults(), epoch: now.Add(-time.Nanosecond)}
	e.begin(now)
	return e
}

func (e *Estimator) begin(now time.Time) {
	e.rtt = unknownRTT
	e.control.target = float64(e.cfg.Start)
	e.losses.limit = math.Inf(1)
	e.Tick(now)
}

// Reroute tells that packets take another path from now on, because ICE has chosen another pair. What is known of the old path is
// forgotten, reports of packets that took it included, and the search begins anew.
func (e *Estimator) Reroute(now time.Time) {
	*e = Estimator{
		cfg: e.cfg, epoch: e.epoch, want: e.want, off: e.off, history: e.history, decoder: e.decoder, prober: prober{last: e.prober.last},
	}
	e.history.forget()
	e.reported, e.settled = e.history.next-1, e.history.next
	e.begin(now)
}

// since is a time on the estimator's clock, on which 0 means never.
func (e *Estimator) since(now time.Time) time.Duration { return now.Sub(e.epoch) }

// SetRTT takes a round trip, from RTCP reports (RFC 3550 §6.4.1).
func (e *Estimator) SetRTT(rtt time.Duration) {
	if rtt > 0 {
		e.rtt = min(rtt, 2*time.Second)
	}
}

// SetBehind takes for how long what has come from the receiver may wait, because we do not keep up with reading it: so much longer may
// feedback be missing.
func (e *Estimator) SetBehind(behind time.Duration) {
	e.behind = min(max(behind, 0), silenceMost)
}

// SetWant takes what the application would send if the target allowed it, so that no probe looks for more; 0, as at first, when
// that is unknown and probes look for Config.Max.
func (e *Estimator) SetWant(rate Rate) {
	want := max(float64(rate), 0)
	if want > e.want && e.want > 0 && want > e.target() {
		e.prober.soon = true
	}
	e.want = want
}

// Sent takes a packet with its extended transport-wide number, above those before it, its size on the wire in bytes, and the number
// of the probe's cluster or 0.
func (e *Estimator) Sent(now time.Time, seq int64, size int, cluster int32) {
	size = min(max(size, 0), math.MaxUint16)
	if now == e.noted && cluster == 0 && e.unheard != 0 && e.history.extend(seq, uint16(size)) { // most packets: one more of a train
		e.limited.budget -= float64(size) * 8
		return
	}
	at := e.since(now)
	if !e.history.add(seq, packet{sent: at, size: uint16(size), cluster: cluster, fate: waiting}) {
		return
	}
	e.noted = now
	if e.unheard == 0 {
		e.unheard = at
	}
	if cluster != 0 {
		e.prober.sent(seq, size, cluster)
		return
	}
	e.limited.sent(at, float64(size)*8, e.target())
}

// Part tells that what is sent from now on does not leave together with what was sent before, even if it is noted at the same time.
func (e *Estimator) Part() { e.history.apart = true }

// Left tells when the packets of numbers in [from, to) have really left, by the same clock: a server with too much to do notes them long
// before. Who is told nothing takes them to have left when they were noted; who takes the server's own lateness for that of the path
// lowers the target for nothing.
func (e *Estimator) Left(from, to int64, at time.Time) { e.history.left(from, to, e.since(at)) }

// Again tells that the packet of a number is sent a second time as it was, because it seems to be lost: whether it arrived, and
// when, cannot be told from its number any more.
func (e *Estimator) Again(seq int64) {
	p := e.history.find(seq)
	if p == nil || p.fate == skipped || p.fate == received {
		return
	}
	p.fate, p.note = missing, again
}

// Feedback takes what the receiver tells of packets: an RTCP packet of draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1, with
// its head, which is only read. It is taken as bytes, because an object for each packet that it tells of would be most of the work.
func (e *Estimator) Feedback(now time.Time, fb []byte) {
	at := e.since(now)
	reports := e.decoder.decode(&e.history, fb)
	if len(reports) == 0 {
		return
	}
	before := e.reported
	e.take(at, reports)
	e.settle(at, before)
	e.hear(at, reports)
	f := e.facts(at)
	if e.control.update(&f) {
		e.queue.rebase()
	}
	e.advance(at)
}

// take notes each report.
func (e *Estimator) take(now time.Duration, reports []report) {
	e.checkClock(now, reports)
	e.guess(reports)
	for i := range reports {
		r := &reports[i]
		p := e.history.find(r.seq)
		e.reported = max(e.reported, r.seq)
		switch {
		case p.fate == skipped || p.fate == received || p.note == again:
			continue
		case r.fate == missing:
			p.fate = missing
			continue
		}
		p.fate = received
		if r.timed {
			e.arrival(e.history.packet(r.seq), r.arrived)
		}
	}
}

// guess counts packets that no message told of, because one was lost, as arrived evenly until the first that this one tells of, but
// for the share that the path loses.
func (e *Estimator) guess(reports []report) {
	first := &reports[0]
	from := max(e.reported+1, e.history.oldest)
	n := first.seq - from
	if e.heard == 0 || n <= 0 || !first.timed || first.arrived <= e.arrived {
		return
	}
	step := (first.arrived - e.arrived) / time.Duration(n+1)
	for i := range n {
		if p := e.history.find(from + i); p != nil && p.fate == waiting {
			p.note = guessed
			e.meter.add(e.arrived+time.Duration(i+1)*step, int(float64(p.size)*(1-e.losses.average)))
		}
	}
}

// arrival takes the time at which a packet came.
func (e *Estimator) arrival(p packet, arrived time.Duration) {
	e.arrived = max(e.arrived, arrived)
	if p.note != guessed {
		e.meter.add(arrived, int(p.size))
	}
	e.queue.add(arrived, arrived-p.sent)
	e.passage.add(&p, arrived)
	if p.cluster == 0 {
		e.trend.arrived(p.sent, arrived)
		return
	}
	e.trend.cut() // a probe is meant to make a queue
	if e.prober.waiting && p.cluster == e.prober.cluster.id {
		e.prober.cluster.add(&p, arrived)
	}
}

// checkClock starts anew when the receiver's clock has jumped against ours.
func (e *Estimator) checkClock(now time.Duration, reports []report) {
	for i := range reports {
		if !reports[i].timed {
			continue
		}
		if e.heard > 0 && ((reports[i].arrived-e.arrived)-(now-e.heard)).Abs() > jump {
			e.trend.restart()
			e.queue, e.meter, e.passage = queue{}, meter{}, passage{}
			e.decoder.restart()
			e.arrived = reports[i].arrived
		}
		return
	}
}

// settle counts the fates of packets that messages before the last one told of, so that what overtook others had a chance to show
// up. What no message told of counts neither way.
func (e *Estimator) settle(now time.Duration, end int64) {
	e.settled = max(e.settled, e.history.oldest)
	for ; e.settled <= end && e.settled < e.history.next; e.settled++ {
		if p := e.history.packet(e.settled); p.fate >= missing && e.losses.add(&p) && !e.off.has(lossPart) {
			e.observed(now)
		}
	}
}

// observed asks, after an observation of losses, whether the target explains them.
func (e *Estimator) observed(now time.Duration) {
	c := &e.control
	if best := e.losses.update(c.target, e.rate(slowWindow)); best < c.target {
		c.lower(now, best)
		e.prober.refute(now)
	}
}

// rate is what arrived in the last window.
func (e *Estimator) rate(window time.Duration) float64 { return e.meter.rate(e.arrived, window) }

// facts are what the delay-based controller decides upon.
func (e *Estimator) facts(now time.Duration) facts {
	f := facts{
		now: now, usage: e.trend.state, fast: e.rate(fastWindow), slow: e.rate(slowWindow), queue: e.queue.length(), rtt: e.rtt,
		limited: e.limited.is, held: e.losses.rises() || e.losses.limit < e.control.target,
	}
	if f.usage == over {
		f.sent = e.history.rate(now, slowWindow)
	}
	e.off.blind(&f)
	return f
}
