package bwe_test

import (
	"testing"
	"time"

	"github.com/parleyrtc/parley/bench/netlab/link"
	"github.com/parleyrtc/parley/sfu/bwe"
)

// Where trains come through at once, a frame leaves as one although its rate is near the target; where they do not, it is paced as ever.
func TestTrainsLeaveAtOnceWhereTheyComeThroughAtOnce(t *testing.T) {
	t.Parallel()
	run := func(rules link.Rules, off func(*bwe.Estimator)) *flow {
		f := newFlow(t, 1)
		f.want = func(time.Duration) bwe.Rate { return 2_500_000 }
		f.est.SetWant(2_750_000)
		off(f.est)
		newWorld(always(rules), 50*ms, f).run(20 * second)
		return f
	}
	all, without := func(*bwe.Estimator) {}, func(e *bwe.Estimator) { e.Without(bwe.Trains) }
	open, held := run(link.Rules{}, all), run(link.Rules{}, without)
	wait, waitHeld := open.waited(5*second, 20*second, 0.95), held.waited(5*second, 20*second, 0.95)
	t.Logf("an endless path: %v in the pacer, %v if trains told nothing", wait, waitHeld)
	if wait > 2*ms || waitHeld < 5*ms {
		t.Error("not within bounds")
	}
	narrow := link.Rules{Rate: 4_000_000, Queue: 300 * ms}
	full, fullHeld := run(narrow, all), run(narrow, without)
	t.Logf("4 Mbit/s: %s; if trains told nothing: %s", full.line(5*second, 20*second), fullHeld.line(5*second, 20*second))
	if full.delay(5*second, 20*second, 0.95) > fullHeld.delay(5*second, 20*second, 0.95)+2*ms {
		t.Error("a narrow path is filled with trains")
	}
}

// When a path becomes narrow, trains are short again before they are a queue.
func TestTrainsAreShortWhereTheyDoNotComeThroughAnyMore(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 1)
	f.want = func(time.Duration) bwe.Rate { return 1_500_000 }
	f.est.SetWant(1_650_000)
	cfg := link.Config{Steps: []link.Step{{For: 10 * second}, {For: 20 * second, Rules: link.Rules{Rate: 2_000_000, Queue: 300 * ms}}}}
	newWorld(cfg, 50*ms, f).run(30 * second)
	before, after := f.waited(5*second, 10*second, 0.95), f.delay(11*second, 30*second, 0.95)
	t.Logf("%v in the pacer, then %v on the path: %s", before, after, f.line(11*second, 30*second))
	if before > 5*ms || after > 30*ms {
		t.Error("not within bounds")
	}
}

// Who gets all that there is to send is not probed for more, although its path is nearly full.
func TestWhoGetsAllIsNotProbed(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 1)
	f.want = func(time.Duration) bwe.Rate { return 2_500_000 }
	f.est.SetWant(2_750_000)
	w := newWorld(steady(2_900_000), 50*ms, f).run(10 * second)
	probes := f.probes
	w.run(60 * second)
	t.Logf("%d probes in 10 s, %d in the next 50, %s", probes, f.probes-probes, f.line(10*second, 60*second))
	if f.probes-probes > 1 || f.carried(10*second, 60*second) < 2_400_000 {
		t.Error("not within bounds")
	}
}
