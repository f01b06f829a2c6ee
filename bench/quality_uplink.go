package bench

import (
	"context"
	"slices"
	"time"

	"github.com/parleyrtc/parley/bench/netlab"
	"github.com/parleyrtc/parley/bench/netlab/link"
	"github.com/parleyrtc/parley/bench/report"
)

// The uplinks of a browser that publishes: one that a picture of 360 lines fills, and one that falls below it and rises again.
const (
	narrowRate             = 500_000
	fallenRate, risenRate  = 300_000, 2_000_000
	fallenFor, risenFor    = 10 * time.Second, 10 * time.Second
	usedOfUplink, heardGap = 0.80, 0.01
)

func uplinkRows() []QualityRow {
	return []QualityRow{
		{Name: "b-uplink-500k", Network: "browsers, the publisher has 500 kbit/s, 50 ms round trip", Browsers: true, run: browserUplink},
		{Name: "b-uplink-steps", Network: "browsers, the publisher has 2 Mbit/s 10 s, 300 kbit/s 10 s, repeated, 50 ms round trip", Browsers: true, run: browserUplinkSteps},
	}
}

// behind has Chromium publish over an uplink to Chromium on a good network. It must be closed even if that fails.
func (q *quality) behind(ctx context.Context, uplink netlab.Rules) (*couple, error) {
	c, err := q.meet(ctx, [2]string{"chromium", "chromium"}, [2]netlab.Rules{uplink, far()})
	if err == nil {
		err = c.ring(ctx)
	}
	if err == nil {
		_, err = c.accept(ctx, 10)
	}
	return c, err
}

// browserUplink measures how well the server's feedback has a browser use a narrow uplink.
func browserUplink(ctx context.Context, q *quality) (report.Result, error) {
	r := report.Result{Arrivals: "a camera of 1280×720 in three sizes, looked at in 640×360, and a microphone; what limits is the publisher's own estimate"}
	c, err := q.behind(ctx, worse(link.Rules{}, link.Rules{Rate: narrowRate, Queue: linkQueue}))
	defer c.close()
	if err != nil {
		return r, err
	}
	began := time.Now()
	if err := q.wait(ctx, "settling", 10*time.Second); err != nil {
		return r, err
	}
	w, err := q.received(ctx, c, &r, q.cfg.Time)
	if err != nil {
		return r, err
	}
	trace, _ := c.access[0].Media().Trace()
	l := look(trace, w)
	publisher, err := c.totals(ctx, 0)
	if err != nil {
		return r, err
	}
	// The bar is on the estimate: an encoder of an easy picture makes less than it may.
	r.AddGoal("estimate", "the browser's estimate of its uplink at the end, as a share of it", publisher.Available/narrowRate, report.Fraction, atLeast(usedOfUplink))
	r.Add("target", "what its encoders were to make then, the same", publisher.Target/narrowRate, report.Fraction, report.Higher)
	r.Add("used", "share of the uplink that was used", 8*float64(l.bytes)/w.length().Seconds()/narrowRate, report.Fraction, report.Higher)
	lowest := 1.0
	for at := w.from; at.Add(time.Second).Before(w.to); at = at.Add(time.Second) {
		lowest = min(lowest, moments{between(trace, at, at.Add(time.Second)), time.Second}.carried()/narrowRate)
	}
	r.Add("lowest", "the same in the worst second", lowest, report.Fraction, report.Higher)
	r.Add("lost", "packets that the full queue dropped", share(l.dropped, l.packets), report.Fraction, report.Lower)
	r.Add("queue_p95_ms", "queueing delay p95", ms(l.waited(0.95)), report.Milliseconds, report.Lower)
	charts(&r, trace, began)
	return r, nil
}

// received measures for a time what the second of two got, and gives the time.
func (q *quality) received(ctx context.Context, c *couple, r *report.Result, length time.Duration) (window, error) {
	before, err := c.totals(ctx, 1)
	if err != nil {
		return window{}, err
	}
	w, err := q.measured(ctx, length)
	if err != nil {
		return w, err
	}
	after, err := c.totals(ctx, 1)
	if err != nil {
		return w, err
	}
	heard, saw, fps := after.since(before)
	r.AddGoal("concealed", "sound concealed", heard, report.Fraction, atMost(heardGap))
	r.Add("frozen", "picture frozen", saw.Share, report.Fraction, report.Lower)
	r.Add("fps", "frames a second on the screen", fps, report.PerSecond, report.Higher)
	return w, nil
}

// browserUplinkSteps has the uplink fall and rise.
func browserUplinkSteps(ctx context.Context, q *quality) (report.Result, error) {
	r := report.Result{Arrivals: "a camera of 1280×720 in three sizes, looked at in 640×360, and a microphone"}
	c, err := q.behind(ctx, far())
	defer c.close()
	if err != nil {
		return r, err
	}
	if err := q.wait(ctx, "settling", 10*time.Second); err != nil {
		return r, err
	}
	at := func(rate int64) link.Rules { return link.Rules{Rate: rate, Queue: linkQueue, Delay: trip / 2} }
	began := time.Now()
	c.access[0].Follow(link.Config{Rules: link.Rules{Delay: trip / 2}},
		link.Config{Repeat: true, Steps: []link.Step{{For: risenFor, Rules: at(risenRate)}, {For: fallenFor, Rules: at(fallenRate)}}})
	const rounds = 2
	if _, err := q.received(ctx, c, &r, rounds*(risenFor+fallenFor)+risenFor); err != nil {
		return r, err
	}
	trace, _ := c.access[0].Media().Trace()
	var used, back []float64
	var queued []time.Duration
	for n := range rounds {
		down := began.Add(time.Duration(n)*(risenFor+fallenFor) + risenFor)
		up := down.Add(fallenFor)
		steady := window{down.Add(3 * time.Second), up}
		l := look(trace, steady)
		used = append(used, 8*float64(l.bytes)/steady.length().Seconds()/fallenRate)
		queued = append(queued, l.waits...)
		full := moments{between(trace, down.Add(-3*time.Second), down), 3 * time.Second}.carried()
		back = append(back, ms(firstTime(trace, up, up.Add(risenFor), time.Second, func(m moments) bool { return m.carried() >= 0.8*full })))
	}
	r.AddGoal("used", "share of 300 kbit/s that is used from 3 s after the step down, worst", slices.Min(used), report.Fraction, atLeast(usedOfUplink))
	r.Add("queue_p95_ms", "queueing delay p95 from 3 s after the step down", ms(quantile(queued, 0.95)), report.Milliseconds, report.Lower)
	r.Add("back_ms", "from the step up until 80 % of what was sent before the step down, worst", slices.Max(back), report.Milliseconds, report.Lower)
	charts(&r, trace, began)
	return r, nil
}
