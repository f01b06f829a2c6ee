package link

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const ms = time.Millisecond

var t0 = time.Unix(1000, 0)

// send puts n packets of size bytes, one every gap, and returns the time that each took; -1 for those that did not come.
func send(l *Link, n, size int, gap time.Duration) []time.Duration {
	took := make([]time.Duration, n)
	for i := range n {
		took[i] = -1
		now := t0.Add(time.Duration(i) * gap)
		for _, d := range l.Put(now, size) {
			took[d.Index] = d.At.Sub(now)
		}
	}
	return took
}

func share(took []time.Duration, is func(time.Duration) bool) float64 {
	n := 0
	for _, t := range took {
		if is(t) {
			n++
		}
	}
	return float64(n) / float64(len(took))
}

func lost(t time.Duration) bool { return t < 0 }

func TestAPerfectLinkDeliversAtOnce(t *testing.T) {
	for i, took := range send(New(t0, Config{}), 100, 1200, ms) {
		if took != 0 {
			t.Fatalf("packet %d took %v", i, took)
		}
	}
}

func TestTheRateSpacesPackets(t *testing.T) {
	l := New(t0, Config{Rules: Rules{Rate: 1_000_000, Delay: 20 * ms}})
	for i, took := range send(l, 10, 1250, 0) { // 10 ms each
		if want := 20*ms + time.Duration(i+1)*10*ms; took != want {
			t.Fatalf("packet %d took %v, want %v", i, took, want)
		}
	}
}

func TestAFullQueueDropsItsTail(t *testing.T) {
	for name, rules := range map[string]Rules{
		"time":  {Rate: 1_000_000, Queue: 300 * ms},
		"bytes": {Rate: 1_000_000, QueueBytes: 37_500},
	} {
		l := New(t0, Config{Rules: rules})
		took := send(l, 2000, 1250, 5*ms) // twice the rate
		if s := share(took, lost); s < 0.48 || s > 0.52 {
			t.Errorf("%s: %.3f dropped", name, s)
		}
		if longest := slices.Max(took); longest < 290*ms || longest > 310*ms {
			t.Errorf("%s: the longest wait is %v", name, longest)
		}
		if f := l.Fates(); f.Lost != 0 || f.Dropped == 0 || f.Put != 2000 {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestAStepOfTheRateServesWhatWaits(t *testing.T) {
	l := New(t0, Config{Steps: []Step{
		{For: 15 * ms, Rules: Rules{Rate: 1_000_000}},
		{Rules: Rules{Rate: 10_000_000}, For: time.Second},
	}})
	want := []time.Duration{10 * ms, 15*ms + 500*time.Microsecond, 16*ms + 500*time.Microsecond} // half of the second one is faster
	if took := send(l, 3, 1250, 0); !slices.Equal(took, want) {
		t.Errorf("%v, want %v", took, want)
	}
}

func TestStepsRepeat(t *testing.T) {
	l := New(t0, Config{Repeat: true, Steps: []Step{{For: 20 * ms}, {For: 10 * ms, Rules: Rules{Loss: 1}}}})
	for i, took := range send(l, 300, 100, ms) {
		if lost(took) != (i%30 >= 20) {
			t.Fatalf("packet %d: %v", i, took)
		}
	}
	once := New(t0, Config{Steps: []Step{{For: 20 * ms}, {For: 10 * ms, Rules: Rules{Loss: 1}}}})
	if s := share(send(once, 100, 100, ms), lost); s != 0.8 {
		t.Errorf("the last step stays: %v lost", s)
	}
}

func TestAStoppedLinkHoldsPackets(t *testing.T) {
	l := New(t0, Config{Repeat: true, Steps: []Step{{For: 800 * ms}, {For: 200 * ms, Rules: Rules{Stopped: true}}}})
	took := send(l, 1000, 100, ms)
	if took[799] != 0 || took[800] != 200*ms || took[999] != ms {
		t.Errorf("%v %v %v", took[799], took[800], took[999])
	}
	down := New(t0, Config{Rules: Rules{Stopped: true}})
	if share(send(down, 10, 100, ms), lost) != 1 {
		t.Error("a link that never starts delivers nothing")
	}
}

func TestLossIsAsOftenAsToldTo(t *testing.T) {
	for name, c := range map[string]struct {
		rules  Rules
		want   float64
		within float64
	}{
		"uniform": {Rules{Loss: 0.1}, 0.1, 0.01},
		"exact":   {Rules{OneIn: 10}, 0.1, 0},
		"bursts":  {Rules{Bursts: Bursts{Enter: 0.02, Leave: 0.2}}, 0.02 / 0.22, 0.015},
		"soft":    {Rules{Bursts: Bursts{Enter: 0.02, Leave: 0.2, Lose: 0.5}}, 0.01 / 0.22, 0.01},
		"none":    {Rules{}, 0, 0},
	} {
		if got := share(send(New(t0, Config{Seed: 1, Rules: c.rules}), 20_000, 100, ms), lost); math.Abs(got-c.want) > c.within {
			t.Errorf("%s: %.4f lost, want %.4f", name, got, c.want)
		}
	}
}

func TestBurstsAreAsLongAsToldTo(t *testing.T) {
	took := send(New(t0, Config{Seed: 3, Rules: Rules{Bursts: Bursts{Enter: 0.01, Leave: 0.1}}}), 50_000, 100, ms)
	bursts, all := 0, 0
	for i, d := range took {
		if lost(d) {
			all++
			if i == 0 || !lost(took[i-1]) {
				bursts++
			}
		}
	}
	if mean := float64(all) / float64(bursts); mean < 9 || mean > 11 {
		t.Errorf("a burst has %.1f packets, want 10", mean)
	}
}

func TestJitterKeepsTheOrderAndLatePacketsDoNot(t *testing.T) {
	arrivals := func(rules Rules) (ordered bool, first, last time.Duration) {
		l := New(t0, Config{Seed: 5, Rules: rules})
		ordered, first = true, time.Hour
		var before time.Time
		for i := range 1000 {
			now := t0.Add(time.Duration(i) * ms)
			d := l.Put(now, 100)[0]
			ordered = ordered && !d.At.Before(before)
			before = d.At
			first, last = min(first, d.At.Sub(now)), max(last, d.At.Sub(now))
		}
		return ordered, first, last
	}
	if ordered, first, last := arrivals(Rules{Delay: 10 * ms, Jitter: 30 * ms}); !ordered || first < 10*ms || last > 40*ms || last < 35*ms {
		t.Errorf("jitter: ordered %v, from %v to %v", ordered, first, last)
	}
	if ordered, first, last := arrivals(Rules{Delay: 10 * ms, Late: 0.05}); ordered || first != 10*ms || last != 30*ms {
		t.Errorf("late: ordered %v, from %v to %v", ordered, first, last)
	}
}

func TestDuplicatesCarryTheNumberOfTheirPacket(t *testing.T) {
	l := New(t0, Config{Seed: 2, Rules: Rules{Duplicate: 0.2}})
	twice := 0
	for i := range 1000 {
		d := l.Put(t0, 100)
		if len(d) == 2 && d[0].Index == i && d[1].Index == i {
			twice++
		}
	}
	if twice < 160 || twice > 240 || l.Fates().Duplicated != twice {
		t.Errorf("%d came twice", twice)
	}
}

func TestOneSeedOneFate(t *testing.T) {
	rules := Rules{Loss: 0.1, Jitter: 10 * ms, Late: 0.1, Bursts: Bursts{Enter: 0.1, Leave: 0.3}}
	a := send(New(t0, Config{Seed: 7, Rules: rules}), 1000, 100, ms)
	b := send(New(t0, Config{Seed: 7, Rules: rules}), 1000, 100, ms)
	c := send(New(t0, Config{Seed: 8, Rules: rules}), 1000, 100, ms)
	if !slices.Equal(a, b) || slices.Equal(a, c) {
		t.Error("a seed is a fate")
	}
}

func TestWhateverTheRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.Float64Range(0, 1)
		d := rapid.Custom(func(t *rapid.T) time.Duration {
			return time.Duration(rapid.Int64Range(0, int64(time.Second)).Draw(t, "d"))
		})
		step := rapid.Custom(func(t *rapid.T) Step {
			return Step{For: d.Draw(t, "for"), Rules: Rules{
				Loss: p.Draw(t, "loss"), OneIn: rapid.IntRange(0, 5).Draw(t, "one"), Delay: d.Draw(t, "delay"), Jitter: d.Draw(t, "jitter"),
				Late: p.Draw(t, "late"), Duplicate: p.Draw(t, "dup"), Rate: rapid.Int64Range(0, 10_000_000).Draw(t, "rate"),
				Queue: d.Draw(t, "queue"), QueueBytes: rapid.IntRange(0, 100_000).Draw(t, "bytes"), Stopped: rapid.Bool().Draw(t, "stopped"),
			}}
		})
		l := New(t0, Config{Seed: rapid.Uint64().Draw(t, "seed"), Steps: rapid.SliceOfN(step, 0, 4).Draw(t, "steps"), Repeat: rapid.Bool().Draw(t, "repeat")})
		now, arrived := t0, 0
		for i := range 200 {
			now = now.Add(d.Draw(t, "gap") / 10)
			out := l.Put(now, rapid.IntRange(0, 1500).Draw(t, "size"))
			arrived += len(out)
			for _, o := range out {
				if o.At.Before(now) || o.Index != i {
					t.Fatalf("packet %d of %v arrives as %d at %v", i, now, o.Index, o.At)
				}
			}
		}
		if f := l.Fates(); f.Put != 200 || arrived != f.Put-f.Lost-f.Dropped+f.Duplicated {
			t.Fatalf("%d arrived of %+v", arrived, f)
		}
	})
}

func TestPutAllocatesNothing(t *testing.T) {
	l := New(t0, Config{Rules: Rules{Loss: 0.1, Jitter: ms, Duplicate: 0.1, Rate: 1_000_000, QueueBytes: 10_000}})
	now := t0
	if n := testing.AllocsPerRun(1000, func() {
		now = now.Add(ms)
		l.Put(now, 100)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkPut(b *testing.B) {
	l := New(t0, Config{Rules: Rules{Loss: 0.1, Jitter: ms, Rate: 10_000_000, Queue: 300 * ms}})
	now := t0
	for b.Loop() {
		now = now.Add(ms)
		l.Put(now, 1200)
	}
}
