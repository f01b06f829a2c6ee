package bwe

import (
	"math"
	"time"
)

// Figures of draft-ietf-rmcat-gcc-02 §5.5 where one is named; the rest is ours.
const (
	growFactor  = 1.08  // a second, far from the known capacity (§5.5)
	growLeast   = 4_000 // bits/s a second, near it
	growShare   = 0.05  // of the target a second, near it, at most
	growPacket  = 1200 * 8
	growAcked   = 1.5 // times what arrives is as far as the target may grow (§5.5) …
	growAbove   = 10_000
	growShown   = 1.1 // and times what the path has been seen to carry since it was full: more is for probes to find
	climbFactor = 1.1
	growQueue   = 40 * time.Millisecond  // with more waiting on the path there is nothing to grow into
	reactAfter  = 100 * time.Millisecond // and a round trip pass until a cut shows (§5.5)
	cutShort    = 0.9                    // of what should arrive does: the last cut was not enough
	cutMost     = 0.4                    // of the target stays: a machine that pauses looks like a path that is gone
	easeFactor  = 0.85                   // of the target when it is not what fills the path
	firstLeast  = 0.4
	easeShare   = 0.8 // of the target sent: what arrives then is not what the path carries
	easeQueue   = 50 * time.Millisecond
	overQueue   = 5 * time.Millisecond   // less is a receiver that was busy, not a path
	drainTime   = 500 * time.Millisecond // in which a queue is to empty
	drainLeast  = 0.10                   // of the rate that is given up for it
	drainMost   = 0.50
	drainOwn    = 1.05
	drainEnd    = 10 * time.Millisecond // of queue: empty
	tightTime   = time.Second           // after it, in which what has waited meanwhile may not fill it again
	resumeShare = 0.95                  // of what the path carried while it was full
	standQueue  = 100 * time.Millisecond
	standTime   = 500 * time.Millisecond

	claimTime = 2 * time.Second // in which another probe may agree

	capacityWeight = 0.3
	capacityNear   = 3    // deviations
	deviationMin   = 0.02 // of the capacity
	deviationMax   = 0.05
)

// capacity is what the path carried when it was full.
type capacity struct {
	mean, variance float64 // variance relative to the mean squared
}

func (c *capacity) known() bool { return c.mean > 0 }

func (c *capacity) deviation() float64 {
	return capacityNear * c.mean * clamp(math.Sqrt(c.variance), deviationMin, deviationMax)
}

// add takes a measurement; one far off replaces what was known.
func (c *capacity) add(rate float64) {
	if rate <= 0 {
		return
	}
	if !c.known() || math.Abs(rate-c.mean) > c.deviation() {
		*c = capacity{mean: rate, variance: deviationMax * deviationMax}
		return
	}
	off := (rate - c.mean) / c.mean
	c.mean += capacityWeight * (rate - c.mean)
	c.variance += capacityWeight * (off*off - c.variance)
}

// facts are what the controller decides upon.
type facts struct {
	now     time.Duration
	usage   usage
	fast    float64 // what arrived of late, bits per second
	slow    float64 // the same over a longer time
	queue   time.Duration
	rtt     time.Duration
	sent    float64 // what was sent of late, when usage is over
	limited bool    // the application sends less than it may
	held    bool    // something else allows less than this controller
}

// control is the delay-based controller: it cuts the target when the path is used too much, empties the queue, goes back to what the
// path has been seen to carry, and feels its way up from there.
type control struct {
	target   float64
	capacity capacity

	cutAt   time.Duration // the last cut; none when 0
	grownAt time.Duration
	before  float64 // the target before the last large cut; 0 when it has been regained or forgotten

	draining   bool
	drainFrom  time.Duration // queue at the beginning
	drainSeen  time.Duration // until then what arrives was sent before
	drainUntil time.Duration
	drains     int           // times that it has been tried in vain
	tightUntil time.Duration // what leaves until then may not fill the queue again
	carried    float64       // what arrived while the path was full
	fullest    float64       // the same before the first try

	standing time.Duration // since when the queue is long; 0 when it is not

	shown     float64 // the most that the path has been seen to carry since it was full last; 0 when it has never been
	claimed   float64 // what the last probe found, when the next one has to agree; else 0
	claimedAt time.Duration
	trusting  bool    // one is enough; only in tests
	climbFrom float64 // the target after the last cut or probe
	climbed   bool    // it has grown by climbFactor since then and nothing happened
}

// update returns whether the queue's base is to be taken anew: the queue is not ours.
func (c *control) update(f *facts) (rebase bool) {
	stands := c.stands(f)
	if c.shown > 0 && f.usage == normal && f.queue < growQueue {
		c.shown = max(c.shown, f.slow)
	}
	due := c.cutAt == 0 || f.now-c.cutAt > f.rtt+reactAfter
	if c.draining {
		// What was sent before the cut shows what the path carries, and less of it than was thought is a reason to cut again. Later,
		// if what is sent arrives, it is somebody else who fills the queue.
		due = f.now-c.cutAt > reactAfter && (f.fast < c.target*cutShort || f.now < c.drainSeen && f.fast < c.carried*cutShort)
	}
	switch {
	case due && (f.usage == over && f.queue >= overQueue || stands):
		c.cut(f)
	case c.draining:
		rebase = c.drain(f)
	case f.usage == normal && !f.limited && !f.held && f.queue < growQueue:
		c.grow(f)
	}
	c.grownAt = f.now
	return rebase
}

// stands says whether a long queue stands without growing, which the line through the delays does not see.
func (c *control) stands(f *facts) bool {
	switch {
	case f.queue < standQueue || c.draining:
		c.standing = 0
	case c.standing == 0:
		c.standing = f.now
	}
	return c.standing > 0 && f.now-c.standing > standTime
}

func (c *control) cut(f *facts) {
	if f.fast <= 0 || (f.limited || f.sent < easeShare*c.target) && f.queue < easeQueue { // what is not sent fills no queue, and a short one hurts nobody
		c.lower(f.now, c.target*easeFactor)
		return
	}
	arrived := f.fast
	if f.queue < easeQueue && !c.draining { // there is time to look twice: a pause of some machine makes a moment's rate low, too
		arrived = max(arrived, f.slow)
	}
	c.capacity.add(arrived)
	c.shown = c.capacity.mean
	if !c.draining {
		c.fullest, c.drains = min(c.target, arrived), 0
	}
	c.empty(f, arrived)
}

// empty lowers the target so far below what arrives that the queue empties in drainTime.
func (c *control) empty(f *facts, arrived float64) {
	less := clamp(f.queue.Seconds()/drainTime.Seconds(), drainLeast, drainMost)
	c.carried = arrived
	c.lower(f.now, max(min(c.target, arrived)*(1-less), c.target*cutMost))
	c.draining, c.drainFrom, c.drainSeen = true, f.queue, f.now+f.rtt
	c.drainUntil = f.now + 2*time.Duration(float64(f.queue)/less) + f.rtt + 2*reactAfter
}

// lower is a cut: it sets the target, and remembers the one before when that was much higher.
func (c *control) lower(now time.Duration, target float64) {
	c.cutAt = now
	if c.before = max(c.before, c.target); target > c.before*recoverBelow {
		c.before = 0
	}
	c.target, c.climbFrom, c.climbed = target, target, false
}

// drain waits for the queue to empty and then returns to what the path carried. A queue that twice does not become shorter is not
// ours, or the path has become longer: then the rebase that it returns is due.
func (c *control) drain(f *facts) (rebase bool) {
	switch {
	case f.queue <= drainEnd:
		c.resume(c.carried)
	case f.now < c.drainUntil:
		if f.fast > c.target*drainOwn && f.queue > 2*drainEnd { // more comes out than goes in: that is what the path carries
			c.carried = f.fast
		}
	case c.drains > 0 && f.queue > c.drainFrom*3/4:
		c.resume(c.fullest)
		return true
	default:
		c.drains++
		c.empty(f, f.fast)
	}
	return false
}

func (c *control) resume(carried float64) {
	c.draining, c.tightUntil = false, c.grownAt+tightTime
	c.target = max(c.target, resumeShare*carried)
	c.climbFrom = c.target
}

func (c *control) grow(f *facts) {
	passed := min(f.now-c.grownAt, time.Second).Seconds()
	if c.capacity.known() && c.target > c.capacity.mean+c.capacity.deviation() {
		c.capacity = capacity{}
	}
	grown := c.target * math.Pow(growFactor, passed)
	if c.capacity.known() {
		rise := clamp(growPacket/(f.rtt+reactAfter).Seconds(), growLeast, max(growLeast, growShare*c.target))
		grown = c.target + rise*passed
	}
	// Nothing is learned from what is not sent, so the target stays near what arrives; but it does not sink for that.
	most := growAcked*f.slow + growAbove
	if c.shown > 0 {
		most = min(most, growShown*c.shown+growAbove)
	}
	c.target = max(c.target, min(grown, most))
	if c.target > climbFactor*c.climbFrom {
		c.climbed, c.climbFrom = true, c.target
	}
	if c.target >= c.before*resumeShare {
		c.before = 0
	}
}

// confirm returns the rate of a probe's result that counts, 0 for none. The packets of a probe seem to have come at once when a receiver
// was busy while they came. So when the result is much more than a path has been seen to carry that has been full before, the
// next one has to agree.
func (c *control) confirm(now time.Duration, rate float64, full bool) float64 {
	claimed := c.claimed
	c.claimed = 0
	switch {
	case full || c.shown == 0 || rate <= climbFactor*c.shown || c.trusting:
		return rate
	case claimed > 0 && now-c.claimedAt <= claimTime:
		return min(rate, claimed)
	}
	c.claimed, c.claimedAt = rate, now
	return 0
}

// probed takes what a probe has shown to arrive; full says that the path could carry no more. Of a full path others may have a part,
// so the target goes only half of the way, unless it has been there before or never been too high; only the first result may
// lower it.
func (c *control) probed(now time.Duration, rate float64, full, first bool) {
	if rate = c.confirm(now, rate, full); rate == 0 {
		return
	}
	switch {
	case first && full:
		rate = max(rate, firstLeast*c.target) // a busy receiver looks like that, too
	case rate <= c.target:
		return
	case full && c.cutAt > 0 && rate > c.before:
		rate = (rate + c.target) / 2
	}
	c.target, c.climbFrom = rate, rate
	if c.shown > 0 || full {
		c.shown = max(c.shown, rate)
	}
	c.grownAt = now
	if !full || c.capacity.known() && rate > c.capacity.mean+c.capacity.deviation() {
		c.capacity = capacity{}
	}
	if c.target >= c.before*resumeShare {
		c.before = 0
	}
}
