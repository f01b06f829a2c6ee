package bwe

import (
	"math"
	"time"
)

// The idea and some figures are those of libwebrtc's second loss-based estimator: the losses of the last seconds are explained by a
// loss that the path has whatever is sent, and by a bandwidth above which the rest is dropped; the most likely pair wins. So a
// radio link that loses a tenth of everything is not slowed down, and a policer is found although it makes no queue.
const (
	lossSpan      = 250 * time.Millisecond // of an observation
	lossSpanMost  = time.Second
	lossPackets   = 10 // of an observation, unless it takes too long
	lossWindow    = 20 // observations
	lossWeight    = 0.9
	lossOutage    = 2     // observations that a short outage falls into
	lossInherent  = 0.001 // least
	lossMost      = 0.95
	lossStep      = 0.95 // to the next lower bandwidth that is considered
	lossBias      = 0.15 // in favour of the higher one: nats a packet for a factor of e
	lossBisection = 10

	// A path that lost little a moment ago has probably not begun to lose much whatever is sent: each part of inherent loss above
	// what is usual in lossFloor, once lossSample packets are known, costs so many nats a packet. Lowering the rate then shows what is
	// true, since that makes only losses of bandwidth disappear.
	lossDoubt  = 0.5
	lossFloor  = 15 * time.Second
	lossSample = 60

	// More than lossChance times the least of lossFloor and lossRoom is unusual, and nothing grows (draft-ietf-rmcat-gcc-02 §6).
	lossChance = 1.5
	lossRoom   = 0.02

	// Above lossAccepted of loss, which no path should have, the rate is bounded by lossBalance/(loss-lossAccepted): 1.5 Mbit/s
	// at 20 %, 0.5 at 30 %. The circuit breaker of RFC 8083 §4.3 has the same purpose: it trips at ten times what TCP would get.
	lossAccepted = 0.15
	lossBalance  = 75_000
)

// observation is the fate of the packets sent in some time.
type observation struct {
	packets, lost float64
	rate          float64 // at which they were sent, bits per second
}

// losses finds the rate above which a path begins to lose more.
type losses struct {
	packets, lost int // of the observation that is open
	bytes         int64
	first, last   time.Duration

	window [lossWindow]observation
	count  int

	limit    float64 // bits per second for so much loss; infinite when there is little
	inherent float64 // loss that the path has whatever is sent
	average  float64 // loss of late
	steady   float64 // the same without the worst observations
	floor    lowest[float64]
}

// add takes the fate of a packet, in the order of sending, and says whether that closes an observation.
func (l *losses) add(p *packet) (closed bool) {
	if l.packets == 0 {
		l.first = p.sent
	}
	l.packets++
	l.last = p.sent
	l.bytes += int64(p.size)
	if p.fate == missing {
		l.lost++
	}
	span := l.last - l.first
	if span < lossSpan || l.packets < lossPackets && span < lossSpanMost {
		return false
	}
	l.window[l.count%lossWindow] = observation{
		packets: float64(l.packets), lost: float64(l.lost), rate: float64(l.bytes*8) / span.Seconds(),
	}
	l.count++
	l.packets, l.lost, l.bytes = 0, 0, 0
	return true
}

// forget drops all observations.
func (l *losses) forget() { *l = losses{limit: math.Inf(1), inherent: l.inherent, floor: l.floor} }

// update returns the rate that explains the losses best, at most now, which is what is allowed at present; acked is what arrives.
func (l *losses) update(now, acked float64) float64 {
	l.measure()
	l.limit = math.Inf(1)
	if l.steady > lossAccepted {
		l.limit = lossBalance / (l.steady - lossAccepted)
	}
	if l.average == 0 {
		return now
	}
	best, score := now, math.Inf(-1)
	for _, b := range [...]float64{now, now * lossStep, acked} {
		if b <= 0 || b > now {
			continue
		}
		if s, p := l.score(b); s > score {
			best, score, l.inherent = b, s, p
		}
	}
	return best
}

// usual is the loss that the path has had at its best in the last half minute, with room for chance; 1 when that is not known.
func (l *losses) usual() float64 {
	if !l.floor.started {
		return 1
	}
	return l.floor.value()*lossChance + lossRoom
}

// rises says whether the loss of late is more than usual.
func (l *losses) rises() bool { return l.steady > l.usual() }

// measure averages the loss of the window, with and without its worst observations: a short outage is over when it shows.
func (l *losses) measure() {
	var packets, lost float64
	var worst [lossOutage]part
	w := 1.0
	for i := range min(l.count, lossWindow) {
		o := l.age(i)
		p := part{w * o.packets, w * o.lost}
		packets += p.packets
		lost += p.lost
		for j := range worst {
			if p.lost > worst[j].lost {
				p, worst[j] = worst[j], p
			}
		}
		w *= lossWeight
	}
	l.average = share(lost, packets)
	l.steady = l.average
	if l.count > 2*lossOutage {
		for _, p := range worst {
			packets -= p.packets
			lost -= p.lost
		}
		l.steady = share(lost, packets)
	}
	if packets >= lossSample {
		l.floor.add(l.last, l.steady, lossFloor)
	}
}

// part is what an observation contributes to an average.
type part struct{ packets, lost float64 }

func share(of, all float64) float64 {
	if all <= 0 {
		return 0
	}
	return max(of/all, 0)
}

// age is the observation that n others followed.
func (l *losses) age(n int) *observation { return &l.window[(l.count-1-n)%lossWindow] }

// score is how well a bandwidth explains the losses, with the inherent loss that goes best with it.
func (l *losses) score(bandwidth float64) (score, inherent float64) {
	low, high := lossInherent, lossMost
	for range lossBisection { // the likelihood is concave in the inherent loss
		middle := (low + high) / 2
		if l.slope(bandwidth, middle) > 0 {
			low = middle
		} else {
			high = middle
		}
	}
	inherent = (low + high) / 2
	var sum, packets float64
	w := 1.0
	for i := range min(l.count, lossWindow) {
		o := l.age(i)
		p := expected(o, bandwidth, inherent)
		sum += w * (o.lost*math.Log(p) + (o.packets-o.lost)*math.Log(1-p))
		packets += w * o.packets
		w *= lossWeight
	}
	return sum/packets + lossBias*math.Log(bandwidth) - lossDoubt*max(0, inherent-l.usual()), inherent
}

// expected is the share that a path of this bandwidth and inherent loss loses of an observation.
func expected(o *observation, bandwidth, inherent float64) float64 {
	p := inherent
	if o.rate > bandwidth {
		p += (1 - inherent) * (1 - bandwidth/o.rate)
	}
	return min(p, 0.999)
}

// slope is that of the likelihood over the inherent loss.
func (l *losses) slope(bandwidth, inherent float64) float64 {
	var sum float64
	w := 1.0
	for i := range min(l.count, lossWindow) {
		o := l.age(i)
		p := expected(o, bandwidth, inherent)
		sum += w * (1 - p) / (1 - inherent) * (o.lost/p - (o.packets-o.lost)/(1-p))
		w *= lossWeight
	}
	return sum
}
