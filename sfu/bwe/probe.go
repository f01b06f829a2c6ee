package bwe

import "time"

// Rate is in bits per second.
type Rate int64

// Probe is a wish: so many bytes in at least so many packets, sent at this rate whatever the target is, each reported to
// Estimator.Sent with the cluster's number. Media goes first, padding fills the rest.
type Probe struct {
	Cluster int32
	Rate    Rate
	Bytes   int
	Packets int
}

// Figures of libwebrtc's probe controller where one is known; ours are gentler: one cluster at a time, the next after its result.
const (
	probeFirst     = 3.0 // times the start rate
	probeNext      = 2.0 // times what the last probe, or what is allowed now
	probeTime      = 15 * time.Millisecond
	probeMore      = 1.5                   // times what is allowed, now and then: a shared path is not to be overrun
	probeLong      = 40 * time.Millisecond // then, to see what others send between their frames
	probePackets   = 5
	probePacket    = 400
	probeResult    = time.Second // and a round trip is as long as a result may take
	probeUnfull    = 0.9         // of the rate sent arrives when the path is not full
	probeFullShare = 0.95        // of what a full path carried is taken
	probeFaster    = 1.25        // times as fast as it was to be: trains of a late server leave at once, and carry no such rate for long

	probeEveryMore = time.Second / 2 // for each in a row that found nothing
	probeEveryMost = 4 * time.Second
	probeSoon      = time.Second
	probeRetry     = 300 * time.Millisecond
	probeRetries   = 3
	probeRefuted   = 3                     // doublings of that for results in a row that losses proved wrong: a policer lets bursts pass
	probeQueue     = 30 * time.Millisecond // with more waiting on the path it is full
	probeWanted    = 1.25                  // times what the application wants is enough
	probeGain      = 1.05                  // times the target is what makes a probe worth while

	probeLarge = 1.25            // times the target is a result that matters
	probeDoubt = 2 * time.Second // in which a result can be refuted

	recoverBelow = 0.66 // of the target before: a large cut, after which recoverShare of it is tried
	recoverShare = 0.85
)

// prober decides when to send a probe and how fast.
type prober struct {
	last  int32 // number of the last cluster
	ready Probe // not yet taken; Cluster 0 when there is none

	waiting bool // for the result of probe
	probe   Probe
	cluster cluster
	lastSeq int64 // of the probe's packets
	bytes   int   // sent
	until   time.Duration

	tried     int           // probes decided upon
	at        time.Duration // of the last probe's end
	fruitless int
	found     time.Duration // when a probe last found more; 0 when that has been refuted
	refuted   int
	recovered time.Duration // the cut that has been answered by a probe
	further   float64       // rate to probe at next because the last one went well
	soon      bool          // what is wanted has grown
}

// situation is what a probe depends on.
type situation struct {
	now     time.Duration
	target  float64
	most    float64 // more is of no use
	calm    bool    // no queue, no loss, feedback comes
	cutAt   time.Duration
	before  float64
	climbed bool
}

// decide makes a probe ready when it is time for one, and says whether it did.
func (p *prober) decide(s *situation) bool {
	switch {
	case p.waiting || p.ready.Cluster != 0:
		return false
	case p.tried > 0 && !s.calm:
		p.further = 0
		return false
	}
	rate := min(p.wish(s), s.most)
	if rate < s.target*probeGain {
		p.further = 0
		return false
	}
	span := probeTime
	switch {
	case p.retries(s):
		span = time.Duration(p.fruitless) * probeLong
	case rate <= probeMore*s.target:
		span = probeLong
	}
	p.further, p.soon = 0, false
	p.tried++
	p.last++
	p.ready = Probe{
		Cluster: p.last, Rate: Rate(rate), Packets: probePackets,
		Bytes: max(int(rate*span.Seconds()/8), probePackets*probePacket),
	}
	return true
}

// wish is the rate to try now; 0 for none.
func (p *prober) wish(s *situation) float64 {
	since := s.now - p.at
	every := min(probeSoon+time.Duration(p.fruitless)*probeEveryMore, probeEveryMost) << min(p.refuted, probeRefuted)
	switch {
	case p.tried == 0:
		return probeFirst * s.target
	case p.further > 0:
		return p.further
	case p.retries(s) && since > probeRetry:
		return probeNext * s.target
	case since <= probeSoon:
		return 0
	case s.before > 0 && s.cutAt > p.recovered && s.now-s.cutAt > probeSoon:
		p.recovered = s.cutAt
		return min(recoverShare*s.before, probeNext*s.target)
	case s.climbed:
		return probeNext * s.target
	case p.soon || since > every:
		return probeMore * s.target
	}
	return 0
}

// retries says whether the first probes found nothing although nothing shows that the path is full: jitter may have hidden it, and
// does less to a longer probe.
func (p *prober) retries(s *situation) bool {
	return p.tried > 0 && s.cutAt == 0 && p.fruitless > 0 && p.fruitless <= probeRetries
}

// take hands out the probe that is ready.
func (p *prober) take(now, rtt time.Duration) Probe {
	p.probe, p.ready = p.ready, Probe{}
	p.waiting, p.cluster, p.bytes, p.lastSeq = true, cluster{id: p.probe.Cluster}, 0, 0
	p.until = now + probeResult + rtt
	return p.probe
}

// sent takes a packet of a probe.
func (p *prober) sent(seq int64, size int, cluster int32) {
	if p.waiting && cluster == p.probe.Cluster {
		p.lastSeq = seq
		p.bytes += size
	}
}

// over says whether all of the probe has been sent and reported up to a sequence number, or it is too late.
func (p *prober) over(now time.Duration, reported int64) bool {
	return p.waiting && (p.bytes >= p.probe.Bytes && reported >= p.lastSeq || now > p.until)
}

// finish ends the probe and returns the rate that it found; false when it found nothing. It remembers to look further when the path
// was not full.
func (p *prober) finish(now time.Duration, target float64) (rate float64, full, ok bool) {
	p.waiting, p.at = false, now
	rate, full, ok = p.cluster.result(p.probe.Bytes)
	rate = min(rate, probeFaster*float64(p.probe.Rate))
	if ok && !full {
		p.further = probeNext * rate
	}
	if !ok || rate <= probeGain*target {
		p.fruitless++
		return rate, full, ok
	}
	p.fruitless = 0
	if rate > probeLarge*target {
		if p.found > 0 {
			p.refuted = 0
		}
		p.found = now
	}
	return rate, full, ok
}

// refute takes that losses have shown a target to be too high.
func (p *prober) refute(now time.Duration) {
	if p.found > 0 && now-p.found < probeDoubt {
		p.found = 0
		p.refuted++
	}
}
