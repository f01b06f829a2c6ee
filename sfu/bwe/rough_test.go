package bwe_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/parleyrtc/parley/bench/netlab/link"
	"github.com/parleyrtc/parley/sfu/bwe"
)

// Quartz is good for some 100 ppm, and two clocks may be that far off in opposite directions. A receiver's that is slow makes every packet
// seem to come later than the one before.
func TestAReceiversClockMayDrift(t *testing.T) {
	t.Parallel()
	for _, drift := range []float64{-200e-6, 200e-6} {
		full := newFlow(t, 1)
		full.drift = drift
		newWorld(steady(2_500_000), 50*ms, full).run(60 * second)
		idle := newFlow(t, 2)
		idle.drift = drift
		idle.want = func(time.Duration) bwe.Rate { return 1_000_000 }
		idle.est.SetWant(1_100_000)
		newWorld(always(link.Rules{}), 50*ms, idle).run(60 * second)
		low, over := idle.lowest(10*second, 60*second)
		t.Logf("%.0f ppm: %s; on a path without limit not below %d k, overuse in %.1f %%", drift*1e6, full.line(5*second, 60*second), low/1000, 100*over)
		if full.carried(5*second, 60*second) < 0.85*2_500_000 || full.delay(5*second, 60*second, 0.95) > 150*ms || low < 1_000_000 || over > 0 {
			t.Error("a clock is taken for a queue")
		}
	}
}

// What is reported may be held somewhere on the way back, and come in heaps.
func TestFeedbackMayComeInHeaps(t *testing.T) {
	t.Parallel()
	for _, held := range []time.Duration{200 * ms, 400 * ms} {
		f := newFlow(t, 1)
		f.heap = held
		newWorld(changing(1), 50*ms, f).run(42 * second)
		below, delay, again := f.below(20*second, 1_000_000), f.delay(24*second, 30*second, 0.95), f.reaches(30*second, 3_200_000, second)
		t.Logf("held for %v: %s; step: below after %v, queue p95 %v, again after %v", held, f.line(5*second, 20*second), below, delay, again)
		if f.carried(5*second, 20*second) < 0.8*4_000_000 || f.lost(5*second, 20*second) > 0.01 || below < 0 || below > 2*second+3*held || again < 0 || again > 8*second {
			t.Error("not within bounds")
		}
	}
}

// A path may become longer, and shorter again, without anybody being told: a radio hands over, a route flaps. The delay that comes with it is no
// queue.
func TestAPathMayBecomeLonger(t *testing.T) {
	t.Parallel()
	part := func(delay time.Duration) link.Step {
		return link.Step{For: 15 * second, Rules: link.Rules{Rate: 4_000_000, Queue: 300 * ms, Delay: delay}}
	}
	f := alone(t, link.Config{Seed: 1, Repeat: true, Steps: []link.Step{part(0), part(150 * ms)}}, 50*ms, 60*second)
	for _, change := range []time.Duration{15 * second, 30 * second, 45 * second} {
		again := f.reaches(change+500*ms, 3_200_000, second)
		t.Logf("change at %v: 80 %% again after %v, carried %.0f k", change, again, f.carried(change, change+15*second)/1000)
		if again < 0 || again > 6*second || f.carried(change+5*second, change+15*second) < 0.85*4_000_000 {
			t.Error("the new delay is taken for a queue")
		}
	}
}

// Fifty subscribers in one process have nothing in common: each estimate is what it is for one alone.
func TestEstimatesShareNothing(t *testing.T) {
	t.Parallel()
	want := alone(t, steady(2_500_000), 50*ms, 8*second).targets
	flows := make([]*flow, 50)
	var all sync.WaitGroup
	for i := range flows {
		all.Go(func() { flows[i] = alone(t, steady(2_500_000), 50*ms, 8*second) })
	}
	all.Wait()
	for i, f := range flows {
		if !slices.Equal(f.targets, want) {
			t.Fatalf("the estimate of %d is another than alone", i)
		}
	}
}
