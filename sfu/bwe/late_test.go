package bwe_test

import (
	"slices"
	"testing"
	"time"

	"github.com/parleyrtc/parley/bench/netlab/link"
	"github.com/parleyrtc/parley/sfu/bwe"
)

// busy is a server with too little processor: what it makes leaves later and later, up to 200 ms, until it has caught up after 3 s and
// all begins anew. told says whether the estimate hears when that was.
func busy(t *testing.T, told bool) *flow {
	f := newFlow(t, 1)
	f.want = func(time.Duration) bwe.Rate { return 2_500_000 }
	f.est.SetWant(2_750_000)
	f.leaves = func(at time.Duration) time.Duration {
		return at + max(0, at-10*second)%(3*second)/15
	}
	f.honest = told
	newWorld(always(link.Rules{}), 50*ms, f).run(30 * second)
	return f
}

// A server that is itself late does not take its own lateness for a full network.
func TestOwnLatenessIsNoQueue(t *testing.T) {
	t.Parallel()
	f, fooled := busy(t, true), busy(t, false)
	low, over := f.lowest(10*second, 30*second)
	lowest, overFooled := fooled.lowest(10*second, 30*second)
	t.Logf("not below %d k, overuse in %.1f %% of the time; taken out %d k and %.1f %%", low/1000, 100*over, lowest/1000, 100*overFooled)
	if low < 2_500_000 {
		t.Error("the target is lowered for nothing")
	}
	if lowest > 1_500_000 {
		t.Error("it makes no difference when packets leave")
	}
}

// A server that did not get round to reading does not take what it has not read for a silence.
func TestWhatIsUnreadIsNoSilence(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		asks   time.Duration // how often the estimate is asked while nothing is read
		behind time.Duration
		calm   bool
	}{
		"nobody asks either":    {2 * second, 0, true},
		"reading is late":       {10 * ms, 1500 * ms, true},
		"nothing is late":       {10 * ms, 0, false},
		"it lasts for too long": {10 * ms, 500 * ms, false},
	} {
		f := newFlow(t, 1)
		f.want = func(time.Duration) bwe.Rate { return 1_000_000 }
		f.est.SetWant(1_100_000)
		w := newWorld(always(link.Rules{}), 50*ms, f).run(10 * second)
		before, now := f.est.Target(), t0.Add(w.now)
		f.est.SetBehind(c.behind)
		for at := time.Duration(0); at <= 2*second; at += 10 * ms {
			f.est.Sent(now.Add(at), f.seq, 1000, 0)
			f.seq++
			if at > 0 && at%c.asks == 0 {
				f.est.Tick(now.Add(at))
			}
		}
		if after := f.est.Target(); (after == before) != c.calm {
			t.Errorf("%s: %d before, %d after", name, before, after)
		}
	}
}

// Trains of a probe that a late server sends one after the other at once do not show that the path carries so much.
func TestAProbeThatLeavesAtOnceShowsNoMore(t *testing.T) {
	t.Parallel()
	f := newFlow(t, 1)
	f.want = func(time.Duration) bwe.Rate { return 2_500_000 }
	f.est.SetWant(2_750_000)
	f.honest = true
	f.leaves = func(at time.Duration) time.Duration { return at - at%(40*ms) + 40*ms + at%(40*ms)/13 }
	newWorld(always(link.Rules{}), 50*ms, f).run(20 * second)
	high := slices.Max(f.targets)
	t.Logf("at most %d k", high/1000)
	if high > 6_000_000 {
		t.Error("a burst counts as a rate")
	}
}
