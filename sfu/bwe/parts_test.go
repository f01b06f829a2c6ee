package bwe

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

func TestAGrowingQueueIsOveruseAndAStandingOneIsNot(t *testing.T) {
	var tr trend
	feed := func(from, to int, delay func(i int) time.Duration) (most usage) {
		for i := from; i < to; i++ {
			sent := time.Duration(i) * 10 * tick
			tr.arrived(sent, sent+delay(i))
			most = max(most, tr.state)
		}
		return most
	}
	if got := feed(0, 200, func(int) time.Duration { return 20 * tick }); got != normal {
		t.Errorf("constant delay: %d", got)
	}
	random := rand.New(rand.NewPCG(1, 1))
	if got := feed(200, 1000, func(int) time.Duration { return 20*tick + time.Duration(random.IntN(8))*tick }); got == over {
		t.Errorf("jitter: %d", got)
	}
	if got := feed(1000, 1060, func(i int) time.Duration { return 20*tick + time.Duration(i-1000)*2*tick }); got != over {
		t.Errorf("a growing delay: %d", got)
	}
	if got := feed(1060, 1100, func(i int) time.Duration { return 140*tick - time.Duration(i-1060)*3*tick }); got == normal || tr.state != under {
		t.Errorf("a shrinking delay: %d", tr.state)
	}
	feed(1100, 1200, func(int) time.Duration { return 140 * tick })
	if got := feed(1200, 1400, func(int) time.Duration { return 140 * tick }); got != normal {
		t.Errorf("a standing delay: %d", tr.state)
	}
}

func TestBurstsAreOneGroup(t *testing.T) {
	var tr trend
	for i := range 30 { // frames of 5 packets that leave within 4 ms and arrive 3 ms apart
		for j := range 5 {
			sent := time.Duration(i)*33*tick + time.Duration(j)*tick
			tr.arrived(sent, time.Duration(i)*33*tick+time.Duration(j)*3*tick)
		}
	}
	if tr.count != 28 || tr.delay != 0 {
		t.Errorf("%d groups, delay %v", tr.count, tr.delay)
	}
}

func TestTheQueueIsTheDelayAboveTheShortest(t *testing.T) {
	var q queue
	now := time.Duration(0)
	run := func(n int, delay func(i int) time.Duration) {
		for i := range n {
			now += 10 * tick
			q.add(now, delay(i)-time.Hour) // the clocks differ
		}
	}
	run(100, func(i int) time.Duration { return time.Duration(20+i%7) * tick })
	if q.length() > 2*tick {
		t.Errorf("jitter makes a queue of %v", q.length())
	}
	run(100, func(i int) time.Duration { return time.Duration(120+i%7) * tick })
	if q.length() != 100*tick {
		t.Errorf("a standing queue is %v", q.length())
	}
	q.rebase()
	if q.length() != 0 {
		t.Errorf("rebased: %v", q.length())
	}
	run(3000, func(int) time.Duration { return 150 * tick })
	if q.length() != 0 {
		t.Errorf("another route: %v", q.length())
	}
}

func TestTheMeterMeasuresWhatArrives(t *testing.T) {
	for _, begin := range []time.Duration{0, -5 * time.Second, 300 * time.Hour} {
		var m meter
		for i := range 200 {
			m.add(begin+time.Duration(i)*5*tick, 625)
		}
		end := begin + 199*5*tick
		if r := m.rate(end, fastWindow); r != 1_000_000 {
			t.Errorf("from %v: %v", begin, r)
		}
		m.add(end-10*time.Second, 1e6)
		if r := m.rate(end, slowWindow); r != 1_000_000 {
			t.Errorf("what is older than the window counts: %v", r)
		}
		if r := m.rate(end+time.Hour, fastWindow); r != 0 {
			t.Errorf("after an hour: %v", r)
		}
	}
	var empty meter
	if empty.rate(0, fastWindow) != 0 {
		t.Error("nothing arrived")
	}
}

func TestAProbeIsMeasured(t *testing.T) {
	probe := func(n int, sent, arrived time.Duration, train int) cluster {
		var c cluster
		for i := range n {
			k := time.Duration(i / train)
			c.add(&packet{sent: k * sent, size: 1000}, time.Hour+k*sent+time.Duration(i)*arrived)
		}
		return c
	}
	for name, c := range map[string]struct {
		cluster cluster
		rate    float64
		full    bool
		ok      bool
	}{
		"an idle path":           {probe(10, tick, 0, 1), 8_000_000, false, true},
		"trains on an idle path": {probe(12, 2*tick, 0, 2), 8_000_000, false, true},
		"a full path":            {probe(10, tick, tick, 1), 3_800_000, true, true},
		"too few":                {probe(3, tick, 0, 1), 0, false, false},
		"one train":              {probe(5, tick, 0, 5), 0, false, false},
		"too long":               {probe(5, time.Second, 0, 1), 0, false, false},
	} {
		rate, full, ok := c.cluster.result(1000)
		if ok != c.ok || full != c.full || ok && (rate < c.rate*0.99 || rate > c.rate*1.01) {
			t.Errorf("%s: %.0f %v %v, want %.0f %v %v", name, rate, full, ok, c.rate, c.full, c.ok)
		}
	}
	lossy := probe(4, tick, 0, 1)
	if _, _, ok := lossy.result(10_000); ok {
		t.Error("less than half of the bytes arrived")
	}
	// Media makes trains uneven: two large packets, then a large and a small one, 5 ms apart.
	for name, c := range map[string]struct {
		bits float64 // per second of the path
		full bool
		rate float64
	}{"an idle path": {50_000_000, false, 2_000_000}, "a full path": {1_000_000, true, 950_000}} {
		var uneven cluster
		free := time.Duration(0)
		for i, size := range []int32{1200, 1200, 1200, 150} {
			p := packet{sent: []time.Duration{0, 0, 5 * tick, 10 * tick}[i], size: uint16(size)}
			free = max(free, p.sent) + time.Duration(float64(size)*8/c.bits*float64(time.Second))
			uneven.add(&p, free)
		}
		if rate, full, ok := uneven.result(3000); !ok || full != c.full || rate < c.rate*0.95 || rate > c.rate*1.05 {
			t.Errorf("uneven trains on %s: %.0f %v %v", name, rate, full, ok)
		}
	}
}

func TestLossesOfThePathAreToldFromThoseOfTheRate(t *testing.T) {
	random := rand.New(rand.NewPCG(2, 2))
	run := func(seconds int, chance func(rate float64) float64) (rate float64) {
		var l losses
		rate = 1_000_000
		now := time.Duration(0)
		for range seconds {
			for i := range 125 {
				now += 8 * tick
				p := packet{sent: now, size: uint16(rate / 1000), fate: received}
				if random.Float64() < chance(rate) {
					p.fate = missing
				}
				if l.add(&p) {
					rate = min(l.update(rate, rate*(1-chance(rate))), l.limit)
				}
				if i == 0 && !l.rises() {
					rate *= 1.05
				}
			}
		}
		return rate
	}
	if r := run(20, func(float64) float64 { return 0.1 }); r < 1_500_000 {
		t.Errorf("10 %% of everything: %.0f", r)
	}
	if r := run(20, func(rate float64) float64 { return max(0, 1-800_000/rate) }); r < 600_000 || r > 900_000 {
		t.Errorf("a policer at 800 k: %.0f", r)
	}
	if r := run(20, func(rate float64) float64 { return 0.02 + max(0, 1-800_000/rate) }); r < 500_000 || r > 950_000 {
		t.Errorf("a lossy path with a policer at 800 k: %.0f", r)
	}
	if r := run(20, func(float64) float64 { return 0.4 }); r > 400_000 {
		t.Errorf("40 %% of everything: %.0f", r)
	}
}

func TestWhatIsNotUsedIsNoticed(t *testing.T) {
	var l limited
	now := time.Duration(0)
	send := func(seconds, rate float64) {
		for range int(seconds * 100) {
			now += 10 * tick
			l.sent(now, rate/100, 1_000_000)
		}
	}
	for _, c := range []struct {
		rate float64
		want bool
	}{{1_000_000, false}, {300_000, true}, {600_000, true}, {900_000, false}, {0, true}, {700_000, true}, {2_000_000, false}} {
		if send(2, c.rate); l.is != c.want && c.rate != 600_000 && c.rate != 700_000 { // those two are in between
			t.Errorf("at %.0f of 1,000,000: %v", c.rate, l.is)
		}
	}
}

// A short queue leaves time to look twice at what arrives: a machine that paused for a moment is no path that carries less. A long one does not.
func TestAShortQueueIsLookedAtTwice(t *testing.T) {
	for queue, most := range map[time.Duration]float64{20 * tick: 1_800_000, 200 * tick: 880_000} {
		c := control{target: 2_200_000}
		c.update(&facts{now: time.Second, usage: over, fast: 1_000_000, slow: 2_000_000, sent: 2_100_000, queue: queue, rtt: 50 * tick})
		if math.Abs(c.target-most) > 1 {
			t.Errorf("a queue of %v: the target is %.0f, want %.0f", queue, c.target, most)
		}
	}
}
