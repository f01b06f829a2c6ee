package bwe_test

import (
	"testing"
	"time"

	"github.com/parleyrtc/parley/bench/netlab/link"
	"github.com/parleyrtc/parley/sfu/bwe"
)

func TestJitterIsNoOveruse(t *testing.T) {
	t.Parallel()
	for _, jitter := range []time.Duration{5 * ms, 30 * ms} {
		f := newFlow(t, 1)
		f.want = func(time.Duration) bwe.Rate { return 1_000_000 }
		f.est.SetWant(1_100_000)
		newWorld(always(link.Rules{Jitter: jitter}), 50*ms, f).run(40 * second)
		low, over := f.lowest(15*second, 40*second)
		t.Logf("jitter %v: target not below %d k, overuse in %.1f %% of the time, %s", jitter, low/1000, 100*over, f.line(5*second, 40*second))
		if low < 900_000 || over > 0.02 {
			t.Error("jitter is taken for a queue")
		}
	}
	f := alone(t, always(link.Rules{Rate: 4_000_000, Queue: 300 * ms, Jitter: 30 * ms}), 50*ms, 40*second)
	t.Log("on a full link: " + f.line(10*second, 40*second))
	if f.carried(10*second, 40*second) < 0.7*4_000_000 {
		t.Error("jitter hides the link")
	}
	mixed := alone(t, always(link.Rules{Rate: 4_000_000, Queue: 300 * ms, Late: 0.05, Duplicate: 0.05}), 50*ms, 40*second)
	t.Log("reordered and doubled: " + mixed.line(5*second, 40*second))
	if mixed.carried(5*second, 40*second) < 0.85*4_000_000 {
		t.Error("reordering hides the link")
	}
}

func TestWhatIsNotUsedDoesNotGrow(t *testing.T) {
	t.Parallel()
	quiet := func(at time.Duration) bwe.Rate {
		if at >= 15*second && at < 45*second {
			return 200_000
		}
		return 100_000_000
	}
	run := func(off func(*bwe.Estimator)) *flow {
		f := newFlow(t, 1)
		f.want = quiet
		off(f.est)
		newWorld(steady(2_500_000), 50*ms, f).run(60 * second)
		return f
	}
	f := run(func(e *bwe.Estimator) { e.SetWant(2_500_000) })
	at := func(f *flow, t time.Duration) bwe.Rate { return f.targets[t/(10*ms)] }
	before, after := at(f, 15*second), at(f, 45*second)
	back := f.reaches(45*second, 0.8*2_500_000, second)
	t.Logf("before %d k, after 30 s of little use %d k; then 80 %% after %v, %s", before/1000, after/1000, back, f.line(45*second, 60*second))
	if float64(after) > 1.3*float64(before) || float64(after) < 0.5*float64(before) || back < 0 || back > 2*second || f.delay(45*second, 60*second, 0.95) > 150*ms {
		t.Error("not within bounds")
	}
	drift := run(func(e *bwe.Estimator) { e.Without(bwe.Limited | bwe.Probing) })
	t.Logf("without knowing that it is not used the target drifts to %d k", at(drift, 45*second)/1000)
	if at(drift, 45*second) < 2*after {
		t.Error("the detector changes nothing")
	}
}

// ladder sends the highest layer that fits, as a forwarder does, and wants the highest there is.
func ladder(f *flow, layers ...bwe.Rate) {
	f.est.SetWant(layers[len(layers)-1] + soundRate)
	f.want = func(time.Duration) bwe.Rate {
		best := layers[0]
		for _, l := range layers {
			if l+soundRate <= f.est.Target() {
				best = l
			}
		}
		return best
	}
}

func TestLayersFollowAStep(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 1)
	ladder(f, 150_000, 500_000, 1_500_000, 3_000_000)
	newWorld(changing(1), 50*ms, f).run(40 * second)
	below, delay, again := f.below(20*second, 1_000_000), f.delay(23*second, 30*second, 0.95), f.reaches(30*second, 3_000_000+soundRate, second)
	t.Logf("the low layer after %v, then queue p95 %v, lost %.2f %%; the high layer after %v", below, delay, 100*f.lost(23*second, 30*second), again)
	if below < 0 || below > 2*second || delay > 50*ms || f.carried(23*second, 30*second) < 500_000 || again < 0 || again > 2*second {
		t.Error("not within bounds")
	}
}

func TestLayersAreClimbed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		link  int64
		layer float64
	}{{2_500_000, 1_500_000}, {1_000_000, 500_000}, {300_000, 150_000}} {
		f := newFlow(t, 1)
		ladder(f, 150_000, 500_000, 1_500_000)
		newWorld(steady(c.link), 50*ms, f).run(40 * second)
		got := f.carried(5*second, 40*second) - soundRate
		reached := f.reaches(0, c.layer+soundRate, second)
		t.Logf("link %d k: carries %.0f k of the layer of %.0f k, reached after %v, %s", c.link/1000, got/1000, c.layer/1000, reached, f.line(5*second, 40*second))
		if got < 0.95*c.layer || reached < 0 || reached > 2*second || f.lost(0, 40*second) > 0.01 || f.delay(5*second, 40*second, 0.95) > 150*ms {
			t.Error("not within bounds")
		}
	}
	stuck := newFlow(t, 1)
	stuck.est.Without(bwe.Probing)
	ladder(stuck, 150_000, 500_000, 1_500_000)
	newWorld(steady(2_500_000), 50*ms, stuck).run(20 * second)
	if stuck.carried(0, 20*second) > 1_000_000 {
		t.Error("probes are not needed to climb")
	}
}

func TestTwoFlowsShare(t *testing.T) {
	t.Parallel()
	for seed := range seeds() / 2 {
		for _, rate := range []int64{1_000_000, 4_000_000} {
			for _, late := range []time.Duration{0, 10 * second} {
				a, b := newFlow(t, 1+2*seed), newFlow(t, 2+2*seed)
				b.begin = late
				newWorld(steady(rate), 50*ms, a, b).run(80 * second)
				x, y := a.carried(20*second, 80*second), b.carried(20*second, 80*second)
				jain, delay := (x+y)*(x+y)/2/(x*x+y*y), a.delay(20*second, 80*second, 0.95)
				t.Logf("%d k, the second %v later: %.0f k and %.0f k, Jain's index %.3f, used %.1f %%, queue p95 %v", rate/1000, late, x/1000, y/1000, jain, 100*(x+y)/float64(rate), delay)
				if jain < 0.9 || x+y < 0.85*float64(rate) || delay > 150*ms {
					t.Error("not within bounds")
				}
			}
		}
	}
}

func TestLostFeedbackIsNoLoss(t *testing.T) {
	t.Parallel()
	for _, every := range []time.Duration{50 * ms, 100 * ms, 250 * ms} {
		f := newFlow(t, 1)
		f.lose, f.every = 0.3, every
		newWorld(changing(1), 50*ms, f).run(42 * second)
		below, delay, again := f.below(20*second, 1_000_000), f.delay(23*second, 30*second, 0.95), f.reaches(30*second, 3_200_000, second)
		t.Logf("30 %% of feedback every %v: %s; step: below after %v, queue p95 %v, again after %v", every, f.line(5*second, 20*second), below, delay, again)
		if f.carried(5*second, 20*second) < 0.8*4_000_000 || below > 2*second || delay > 150*ms || again < 0 || again > 8*second {
			t.Error("not within bounds")
		}
	}
}

func TestAShortQueue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		queue time.Duration
		most  float64 // of loss
	}{{50 * ms, 0.01}, {20 * ms, 0.04}, {12 * ms, 0.1}} {
		run := func(off func(*bwe.Estimator)) *flow {
			f := newFlow(t, 1)
			off(f.est)
			newWorld(always(link.Rules{Rate: 1_000_000, Queue: c.queue}), 50*ms, f).run(40 * second)
			return f
		}
		f, blind := run(func(*bwe.Estimator) {}), run(func(e *bwe.Estimator) { e.Without(bwe.Losses) })
		lost, without := f.lost(5*second, 40*second), blind.lost(5*second, 40*second)
		t.Logf("queue of %v: lost %.1f %%, without the losses' say %.1f %%; %s", c.queue, 100*lost, 100*without, f.line(5*second, 40*second))
		if lost > c.most || f.carried(5*second, 40*second) < 850_000 || c.queue == 12*ms && without < 2*lost {
			t.Error("not within bounds")
		}
	}
}

func TestSoundNeverWaits(t *testing.T) {
	t.Parallel()
	f := alone(t, changing(1), 50*ms, 40*second)
	for _, s := range f.samples {
		if s.size == soundSize && !s.video && s.waited > 0 {
			t.Fatalf("sound waited %v at %v", s.waited, s.sent)
		}
	}
}
