package bwe_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/parleyrtc/parley/bench/netlab/link"
)

// cellular is a link whose rate walks about, as a radio's does.
func cellular(seed uint64, low, high int64) (cfg link.Config, mean float64) {
	random := rand.New(rand.NewPCG(seed, 9))
	cfg.Seed = seed
	rate := float64(low+high) / 2
	const steps = 300
	for range steps {
		rate = min(max(rate*(0.8+0.45*random.Float64()), float64(low)), float64(high))
		mean += rate / steps
		cfg.Steps = append(cfg.Steps, link.Step{For: 200 * ms, Rules: link.Rules{Rate: int64(rate), Queue: 300 * ms, Jitter: 10 * ms}})
	}
	return cfg, mean
}

func TestARadioLinkIsFollowed(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		cfg, mean := cellular(seed, 300_000, 4_000_000)
		f := alone(t, cfg, 60*ms, 60*second)
		t.Logf("walk %d: used %.1f %%, %s", seed, 100*f.carried(0, 60*second)/mean, f.line(0, 60*second))
		if f.carried(0, 60*second) < 0.8*mean || f.lost(0, 60*second) > 0.01 || f.delay(0, 60*second, 0.95) > 150*ms {
			t.Error("not within bounds")
		}
	}
}

// download is TCP beside us: one packet more each round trip, half of them after a loss (RFC 5681 §3.1).
type download struct {
	window   float64
	inFlight int
	answers  []answer // by time
	halved   time.Duration
	bytes    int
}

type answer struct {
	at   time.Duration
	lost bool
}

func (d *download) step(w *world) {
	n := 0
	for ; n < len(d.answers) && d.answers[n].at <= w.now; n++ {
		d.inFlight--
		switch {
		case !d.answers[n].lost:
			d.bytes += 1200
			d.window += 1 / d.window
		case w.now-d.halved > 100*ms:
			d.window = max(d.window/2, 2)
			d.halved = w.now
		}
	}
	d.answers = d.answers[n:]
	for ; float64(d.inFlight) < d.window; d.inFlight++ {
		a := answer{at: w.now + 2*w.prop + 300*ms, lost: true}
		for _, got := range w.path.Put(t0.Add(w.now), 1200) {
			a = answer{at: got.At.Sub(t0) + 2*w.prop}
		}
		d.answers = append(d.answers, a)
		for i := len(d.answers) - 1; i > 0 && d.answers[i-1].at > a.at; i-- {
			d.answers[i], d.answers[i-1] = d.answers[i-1], d.answers[i]
		}
	}
}

func TestADownloadLeavesUsAPart(t *testing.T) {
	t.Parallel()
	for _, queue := range []time.Duration{50 * ms, 100 * ms, 300 * ms} {
		f := newFlow(t, 1)
		w := newWorld(always(link.Rules{Rate: 4_000_000, Queue: queue}), 50*ms, f)
		d := download{window: 10}
		for at := time.Duration(0); at < 60*second; at += ms {
			if at > 10*second {
				d.step(w)
			}
			w.run(at)
		}
		ours, theirs := f.carried(20*second, 60*second), float64(d.bytes*8)/50
		low, _ := f.lowest(20*second, 60*second)
		t.Logf("a queue of %v beside a download: ours %.0f k, at least %d k, theirs %.0f k", queue, ours/1000, low/1000, theirs/1000)
		if ours < 0.15*4_000_000 || theirs < 0.3*4_000_000 {
			t.Error("one of them starves")
		}
	}
}
