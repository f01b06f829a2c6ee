package bench

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/parleyrtc/parley/bench/netlab"
	"github.com/parleyrtc/parley/bench/netlab/link"
	"github.com/parleyrtc/parley/bench/report"
	"github.com/parleyrtc/parley/bench/verdict"
)

// receivers are the browsers that receive; the one that sends is always Chromium.
var receivers = []string{"chromium", "firefox"}

func browserRows() []QualityRow {
	return []QualityRow{
		{Name: "b-first-frame", Network: "browsers, clean: one calls another", Browsers: true, run: browserFirstFrame},
		{Name: "b-loss10", Network: "browsers, 10 % random loss, 50 ms round trip", Browsers: true, run: browserLoss(0.10, 0.01, 0.01)},
		{Name: "b-loss30", Network: "browsers, 30 % random loss, 50 ms round trip", Browsers: true, run: browserLoss(0.30, 0.08, 0)},
		{Name: "b-rebind", Network: "browsers, the NAT forgets one of them, 50 ms round trip", Browsers: true, run: browserRebind},
		{Name: "b-interface", Network: "browsers, one of them changes its network, 50 ms round trip", Browsers: true, run: browserInterface},
	}
}

// browserFirstFrame measures from accept to the first frame on the screen.
func browserFirstFrame(ctx context.Context, q *quality) (report.Result, error) {
	r := report.Result{Arrivals: fmt.Sprintf("%d calls for each callee, one after the other; the caller, Chromium, has joined while it rings", q.cfg.Rounds)}
	for _, kind := range receivers {
		var caller, callee []float64
		for range q.cfg.Rounds {
			took, err := q.oneCall(ctx, kind)
			if err != nil {
				return r, err
			}
			caller, callee = append(caller, ms(took[0])), append(callee, ms(took[1]))
		}
		r.AddGoal(kind+".callee_ms", "accept to first frame at the callee, "+kind+", median", median(callee), report.Milliseconds, atMost(300))
		r.AddGoal(kind+".caller_ms", "the same at the caller, Chromium", median(caller), report.Milliseconds, atMost(300))
		r.Add(kind+".worst_ms", "the same, worst of both", max(slices.Max(caller), slices.Max(callee)), report.Milliseconds, report.Lower)
	}
	return r, nil
}

func (q *quality) oneCall(ctx context.Context, kind string) (took [2]time.Duration, err error) {
	c, err := q.meet(ctx, [2]string{"chromium", kind}, [2]netlab.Rules{})
	defer c.close()
	if err == nil {
		err = c.ring(ctx)
	}
	if err == nil {
		err = q.wait(ctx, "ringing", time.Second) // people take a moment to answer
	}
	if err != nil {
		return took, err
	}
	return c.accept(ctx, 1)
}

// talk opens a call of Chromium and another browser, which has run for a while when it returns.
func (q *quality) talk(ctx context.Context, kind string, rules netlab.Rules) (*couple, error) {
	c, err := q.meet(ctx, [2]string{"chromium", kind}, [2]netlab.Rules{far(), rules})
	if err == nil {
		err = c.ring(ctx)
	}
	if err == nil {
		_, err = c.accept(ctx, 10)
	}
	if err == nil {
		err = q.wait(ctx, "settling", 2*settling)
	}
	return c, err
}

// between is what a browser got between two looks.
func (t browserTotals) since(before browserTotals) (concealed float64, seen verdict.Picture, fps float64) {
	if samples := t.Samples - before.Samples; samples > 0 {
		concealed = (t.Concealed - before.Concealed) / samples
	} else {
		concealed = 1
	}
	from, to := time.UnixMicro(int64(before.At*1000)), time.UnixMicro(int64(t.At*1000))
	seen = verdict.Screen(t.shown(), from, to)
	return concealed, seen, float64(seen.Frames) / to.Sub(from).Seconds()
}

func browserLoss(share, concealed, frozen float64) func(context.Context, *quality) (report.Result, error) {
	return func(ctx context.Context, q *quality) (report.Result, error) {
		r := report.Result{Arrivals: "from Chromium on a good network; on the downlink of the receiver packets are lost"}
		for _, kind := range receivers {
			if err := q.lossAt(ctx, &r, kind, worse(link.Rules{Loss: share}, link.Rules{}), concealed, frozen); err != nil {
				return r, fmt.Errorf("%s: %w", kind, err)
			}
		}
		return r, nil
	}
}

func (q *quality) lossAt(ctx context.Context, r *report.Result, kind string, rules netlab.Rules, concealed, frozen float64) error {
	c, err := q.talk(ctx, kind, rules)
	defer c.close()
	if err != nil {
		return err
	}
	before, err := c.totals(ctx, 1)
	if err != nil {
		return err
	}
	if err := q.wait(ctx, "measuring "+kind, q.cfg.Time); err != nil {
		return err
	}
	after, err := c.totals(ctx, 1)
	if err != nil {
		return err
	}
	heard, saw, fps := after.since(before)
	r.AddGoal(kind+".concealed", kind+": sound concealed", heard, report.Fraction, atMost(concealed))
	if frozen > 0 {
		r.AddGoal(kind+".frozen", kind+": picture frozen", saw.Share, report.Fraction, atMost(frozen))
	} else {
		r.Add(kind+".frozen", kind+": picture frozen", saw.Share, report.Fraction, report.Lower)
	}
	r.Add(kind+".freezes", kind+": freezes", float64(saw.Freezes), report.Count, report.Lower)
	r.Add(kind+".reported_freezes", kind+": freezes by its own count", after.Freezes-before.Freezes, report.Count, report.Lower)
	r.Add(kind+".fps", kind+": frames a second on the screen", fps, report.PerSecond, report.Higher)
	return nil
}

// browserRebind gives one of two another address, again and again.
func browserRebind(ctx context.Context, q *quality) (report.Result, error) {
	r := report.Result{Arrivals: "3 rebindings for each browser, in a call with Chromium"}
	for _, kind := range receivers {
		if err := q.rebindAt(ctx, &r, kind); err != nil {
			return r, fmt.Errorf("%s: %w", kind, err)
		}
	}
	return r, nil
}

func (q *quality) rebindAt(ctx context.Context, r *report.Result, kind string) error {
	c, err := q.talk(ctx, kind, far())
	defer c.close()
	if err != nil {
		return err
	}
	var before, after [2]browserTotals
	for i := range 2 {
		if before[i], err = c.totals(ctx, i); err != nil {
			return err
		}
	}
	for range 3 {
		if err := c.access[1].Rebind(); err != nil {
			return err
		}
		if err := q.wait(ctx, "after a rebinding", 4*time.Second); err != nil {
			return err
		}
	}
	for i := range 2 {
		if after[i], err = c.totals(ctx, i); err != nil {
			return err
		}
	}
	for i, side := range []string{"what the other sees", "what it sees"} {
		heard, saw, _ := after[i].since(before[i])
		key := kind + []string{".up", ".down"}[i]
		r.AddGoal(key+".freezes", kind+", "+side+": freezes", float64(saw.Freezes), report.Count, atMost(0))
		r.Add(key+".picture_gap_ms", kind+", "+side+": longest time between two frames", ms(saw.Longest), report.Milliseconds, report.Lower)
		r.Add(key+".concealed", kind+", "+side+": sound concealed", heard, report.Fraction, report.Lower)
	}
	return nil
}

// browserInterface takes one of two to another network: everything it has open is dead, and nobody tells it.
func browserInterface(ctx context.Context, q *quality) (report.Result, error) {
	r := report.Result{Arrivals: "one change for each browser, in a call with Chromium; the WebSocket dies as well, without a word"}
	for _, kind := range receivers {
		if err := q.interfaceAt(ctx, &r, kind); err != nil {
			return r, fmt.Errorf("%s: %w", kind, err)
		}
	}
	return r, nil
}

func (q *quality) interfaceAt(ctx context.Context, r *report.Result, kind string) error {
	c, err := q.talk(ctx, kind, far())
	defer c.close()
	if err != nil {
		return err
	}
	var before [2]browserTotals
	for i := range 2 {
		if before[i], err = c.totals(ctx, i); err != nil {
			return err
		}
	}
	left := time.Now()
	c.access[1].Leave()
	if err := q.wait(ctx, "after the change", 8*time.Second); err != nil {
		return err
	}
	for i, side := range []string{"what the other sees", "what it sees"} {
		after, err := c.totals(ctx, i)
		if err != nil {
			return err
		}
		key := kind + []string{".up", ".down"}[i]
		r.AddGoal(key+".back_ms", kind+", "+side+": media back after", ms(backAfter(after, left)), report.Milliseconds, atMost(1500))
		r.AddGoal(key+".told", kind+", "+side+": that somebody left, came or was put out", float64(len(after.Heard)-len(before[i].Heard)), report.Count, atMost(0))
	}
	return nil
}

// backAfter is how long after a moment the longest break that follows it ended.
func backAfter(t browserTotals, left time.Time) time.Duration {
	end := time.UnixMicro(int64(t.At * 1000))
	var longest time.Duration
	back, last := left, left
	for _, s := range append(t.shown(), verdict.Shown{At: end}) {
		if s.At.Before(left) {
			continue
		}
		if gap := s.At.Sub(last); gap > longest {
			longest, back = gap, s.At
		}
		last = s.At
	}
	return back.Sub(left)
}
