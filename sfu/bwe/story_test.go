package bwe_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/parleyrtc/parley/bench/netlab/link"
	"github.com/parleyrtc/parley/sfu/bwe"
)

const second = time.Second

func always(rules link.Rules) link.Config { return link.Config{Seed: 1, Rules: rules} }

func steady(rate int64) link.Config { return always(link.Rules{Rate: rate, Queue: 300 * ms}) }

// seeds is how many lots are drawn: 2, and 10 in the long run of make test-long, which sets PARLEY_CYCLES to 1000.
func seeds() uint64 {
	cycles, err := strconv.Atoi(os.Getenv("PARLEY_CYCLES"))
	if err != nil {
		return 2
	}
	return uint64(max(2, cycles/100))
}

// alone runs one flow.
func alone(t testing.TB, cfg link.Config, rtt, until time.Duration) *flow {
	f := newFlow(t, cfg.Seed)
	newWorld(cfg, rtt, f).run(until)
	return f
}

// At least 85 % of a steady link is to be used when there is that much to send, and at most 1 % of packets lost.
func TestASteadyLinkIsUsed(t *testing.T) {
	t.Parallel()
	for _, rate := range []int64{300_000, 1_000_000, 2_500_000, 10_000_000} {
		for _, rtt := range []time.Duration{50 * ms, 200 * ms} {
			t.Run(fmt.Sprintf("%d kbit per second, %v", rate/1000, rtt), func(t *testing.T) {
				f := alone(t, steady(rate), rtt, 40*second)
				from, to := 5*second, 40*second
				used, lost := f.carried(from, to)/float64(rate), f.lost(0, to)
				begun := f.reaches(0, 0.8*float64(rate), 200*ms)
				t.Logf("used %.1f %%, lost %.2f %% (beginning included), 80 %% after %v, %s", 100*used, 100*lost, begun, f.line(from, to))
				if used < 0.85 || lost > 0.01 || f.delay(from, to, 0.95) > 150*ms {
					t.Error("not within bounds")
				}
				if begun < 0 || begun > 5*second {
					t.Error("the start takes too long")
				}
			})
		}
	}
}

func TestASlowLinkIsNotOverrun(t *testing.T) {
	t.Parallel()
	for _, rate := range []int64{60_000, 100_000, 200_000} {
		f := alone(t, steady(rate), 50*ms, 40*second)
		used, lost := f.carried(5*second, 40*second)/float64(rate), f.lost(5*second, 40*second)
		t.Logf("%d k, less than the start: used %.1f %%, lost %.2f %%, %s", rate/1000, 100*used, 100*lost, f.line(5*second, 40*second))
		if used < 0.85 || lost > 0.01 {
			t.Error("not within bounds")
		}
	}
}

// Sound shares the path's queue with key frames, so they may not fill it.
func TestKeyFramesLeaveSoundInPeace(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 1)
	f.keyEvery, f.keySize = 3*second, 8
	newWorld(steady(1_000_000), 50*ms, f).run(40 * second)
	t.Logf("key frames of 8 others every 3 s: %s", f.line(5*second, 40*second))
	if f.carried(5*second, 40*second) < 850_000 || f.delay(5*second, 40*second, 0.95) > 150*ms {
		t.Error("not within bounds")
	}
}

// changing is the pattern that Signal tests with: 4 Mbit/s for 20 s, 1 Mbit/s for 10 s.
func changing(seed uint64) link.Config {
	return link.Config{Seed: seed, Repeat: true, Steps: []link.Step{
		{For: 20 * second, Rules: link.Rules{Rate: 4_000_000, Queue: 300 * ms}},
		{For: 10 * second, Rules: link.Rules{Rate: 1_000_000, Queue: 300 * ms}},
	}}
}

func TestAStepOfTheRateIsFollowed(t *testing.T) {
	t.Parallel()
	for seed := range seeds() {
		for _, rtt := range []time.Duration{50 * ms, 100 * ms, 200 * ms} {
			f := alone(t, changing(seed), rtt, 72*second)
			for _, down := range []time.Duration{20 * second, 50 * second} {
				up := down + 10*second
				below, delay, again := f.below(down, 1_000_000), f.delay(down+3*second, up, 0.95), f.reaches(up, 3_200_000, second)
				t.Logf("seed %d, %v: below after %v, then queue p95 %v, carried %.0f k; 80 %% again after %v", seed, rtt, below, delay, f.carried(down+3*second, up)/1000, again)
				if below < 0 || below > 2*second || delay > 150*ms || f.carried(down+3*second, up) < 850_000 || again < 0 || again > 8*second {
					t.Error("not within bounds")
				}
			}
		}
	}
}

func TestLateTimersDoNoHarm(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 1)
	f.timer = 5 * ms
	newWorld(changing(1), 50*ms, f).run(42 * second)
	below, delay, again := f.below(20*second, 1_000_000), f.delay(23*second, 30*second, 0.95), f.reaches(30*second, 3_200_000, second)
	t.Logf("timers of 5 ms: %s; step: below after %v, queue p95 %v, again after %v", f.line(5*second, 20*second), below, delay, again)
	if f.carried(5*second, 20*second) < 0.85*4_000_000 || below > 2*second || delay > 150*ms || again < 0 || again > 8*second {
		t.Error("not within bounds")
	}
}

func TestWithoutItsPartsAStepIsFollowedWorse(t *testing.T) {
	t.Parallel()
	measure := func(off func(*bwe.Estimator)) (delay, again time.Duration) {
		f := newFlow(t, 1)
		off(f.est)
		newWorld(changing(1), 50*ms, f).run(45 * second)
		if again = f.reaches(30*second, 3_200_000, second); again < 0 {
			again = 15 * second
		}
		return f.delay(23*second, 30*second, 0.95), again
	}
	delay, again := measure(func(*bwe.Estimator) {})
	blind, _ := measure(func(e *bwe.Estimator) { e.Without(bwe.Trend | bwe.Queue) })
	standing, _ := measure(func(e *bwe.Estimator) { e.Without(bwe.Queue) })
	_, slow := measure(func(e *bwe.Estimator) { e.Without(bwe.Probing) })
	t.Logf("queue p95 %v; with the trend alone %v, with neither trend nor queue %v", delay, standing, blind)
	t.Logf("80 %% again after %v, without probes %v", again, slow)
	if blind < delay+20*ms {
		t.Error("the delay tells nothing")
	}
	if slow < 2*again {
		t.Error("probes find nothing")
	}
}

func TestRandomLossDoesNotCollapseTheRate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		loss  float64
		rate  int64
		least float64 // of what the link lets through
	}{{0.02, 4_000_000, 0.85}, {0.1, 4_000_000, 0.7}, {0.1, 1_000_000, 0.7}, {0.1, 10_000_000, 0.7}, {0.3, 4_000_000, 0.08}} {
		f := alone(t, always(link.Rules{Rate: c.rate, Queue: 300 * ms, Loss: c.loss}), 50*ms, 40*second)
		used := f.carried(5*second, 40*second) / (float64(c.rate) * (1 - c.loss))
		t.Logf("%.0f %% of %d k lost: used %.1f %% of the rest, queue p95 %v", 100*c.loss, c.rate/1000, 100*used, f.delay(5*second, 40*second, 0.95))
		if used < c.least {
			t.Errorf("less than %.0f %%", 100*c.least)
		}
	}
}

func TestBurstsOfLossAreRiddenOut(t *testing.T) {
	t.Parallel()
	bursty := alone(t, always(link.Rules{Rate: 4_000_000, Queue: 300 * ms, Bursts: link.Bursts{Enter: 0.01, Leave: 0.2}}), 50*ms, 40*second)
	t.Log("Gilbert-Elliott, 4.8 %: " + bursty.line(5*second, 40*second))
	if bursty.carried(5*second, 40*second) < 0.7*4_000_000 {
		t.Error("bursts of 5 packets collapse the rate")
	}
	for name, hole := range map[string]link.Rules{"lost": {Rate: 4_000_000, Queue: 300 * ms, Loss: 1}, "held": {Stopped: true, Queue: 300 * ms}} {
		f := alone(t, link.Config{Repeat: true, Steps: []link.Step{
			{For: 4800 * ms, Rules: link.Rules{Rate: 4_000_000, Queue: 300 * ms}}, {For: 200 * ms, Rules: hole},
		}}, 50*ms, 41*second)
		worst := time.Duration(0)
		for at := 10 * second; at < 40*second; at += 5 * second {
			back := f.reaches(at, 0.7*4_000_000, 500*ms)
			if back < 0 {
				back = 5 * second
			}
			worst = max(worst, back)
		}
		t.Logf("200 ms %s every 5 s: 70 %% again after %v at worst; %s", name, worst, f.line(5*second, 40*second))
		if worst > second || f.carried(5*second, 40*second) < 0.8*4_000_000 {
			t.Error("an outage of 200 ms costs too much")
		}
	}
}

func TestALongOutage(t *testing.T) {
	t.Parallel()
	dark := link.Config{Steps: []link.Step{
		{For: 20 * second, Rules: link.Rules{Rate: 4_000_000, Queue: 300 * ms}}, {For: 3 * second, Rules: link.Rules{Loss: 1}},
		{For: time.Hour, Rules: link.Rules{Rate: 4_000_000, Queue: 300 * ms}},
	}}
	f := alone(t, dark, 50*ms, 35*second)
	low, _ := f.lowest(20*second, 23*second)
	back := f.reaches(23*second, 3_200_000, second)
	t.Logf("after 3 s without anything %d k, back after %v", low/1000, back)
	if low > 1_500_000 || back < 0 || back > 5*second {
		t.Error("not within bounds")
	}
	deaf := newFlow(t, 1)
	deaf.est.Without(bwe.Silent)
	newWorld(dark, 50*ms, deaf).run(24 * second)
	if stays, _ := deaf.lowest(20*second, 23*second); stays < 2*low {
		t.Errorf("without falling back the target would be %d", stays)
	}
}
