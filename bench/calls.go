package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"golang.org/x/time/rate"

	"github.com/parleyrtc/parley/bench/client"
	"github.com/parleyrtc/parley/bench/report"
)

// callTimeout is how long one call may take from initiate to its end; slower ones are failures.
const callTimeout = 15 * time.Second

// failedPause is how long a pair waits after a failed call, so that refusals are not a load of their own.
const failedPause = 100 * time.Millisecond

// rateKept is the share of the calls asked for by rate that must have begun, or the report says that they did not.
const rateKept = 0.9

// CallsConfig says how calls are set up.
type CallsConfig struct {
	Pairs     int           // pairs of users who call each other, one call at a time each; default 4
	Rate      float64       // calls a second over all pairs; 0: as fast as the pairs come round
	Duration  time.Duration // default 10 s
	Signaling bool          // no media: nobody joins the session

	// Sink is where the server sends webhooks and pushes, as Webhooks and Push say; nil: nowhere.
	Sink           *Sink
	Webhooks, Push bool
}

// callsResult is what the pairs found, together.
type callsResult struct {
	mu                 sync.Mutex // guards the fields below
	ring, media, setup *hdrhistogram.Histogram
	calls, failed      int64
	firstFailure       error
}

// newLatencies is a histogram of 1 µs to 10 min.
func newLatencies() *hdrhistogram.Histogram {
	return hdrhistogram.New(1, int64(10*time.Minute/time.Microsecond), 3)
}

// record adds a latency; one above ten minutes counts as ten.
func record(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(d.Microseconds(), 1), h.HighestTrackableValue()))
}

// Calls measures call set-ups: one user of a pair rings the other, who accepts; both join with media, and when both hear the
// other, one hangs up. An ended context gives what was measured until then.
func Calls(ctx context.Context, t Target, cfg CallsConfig, p Progress) (report.Result, error) {
	if cfg.Pairs == 0 {
		cfg.Pairs = 4
	}
	if cfg.Duration == 0 {
		cfg.Duration = 10 * time.Second
	}
	pairs, err := openPairs(ctx, t, cfg.Pairs, p)
	defer func() {
		for _, pair := range pairs {
			pair.close()
		}
	}()
	if err != nil {
		return report.Result{}, err
	}
	if cfg.Push {
		for _, pair := range pairs {
			if err := pair.callee.registerPush(ctx); err != nil {
				return report.Result{}, fmt.Errorf("register for pushes: %w", err)
			}
		}
	}
	found := &callsResult{ring: newLatencies(), media: newLatencies(), setup: newLatencies()}
	m, measuring := startMeter(ctx, t, p, "calling", elapsed(cfg.Duration))
	timed, stop := context.WithTimeout(measuring, cfg.Duration)
	runPairs(timed, measuring, cfg, pairs, found)
	stop()
	partial, died := interrupted(ctx, measuring)
	took := m.finish()

	r := report.Result{Scenario: "calls", Shape: cfg.String(), Arrivals: cfg.arrivals(), Partial: partial}
	found.fill(&r, took, cfg)
	if m.accounts && found.calls > 0 {
		r.Add("server_cpu_us_per_call", "server CPU per call", float64(m.serverCPU().Microseconds())/float64(found.calls), report.Microseconds, report.Lower)
	}
	m.fill(&r, took)
	cfg.told(&r, found.calls, partial)
	if made := float64(found.calls + found.failed); !partial && made < rateKept*cfg.Rate*took.Seconds() {
		r.Notes = append(r.Notes, fmt.Sprintf("The rate was not kept: %.1f calls a second began, because no pair was free; use more pairs.", made/took.Seconds()))
	}
	if died != nil {
		return r, died
	}
	if found.calls == 0 && found.firstFailure != nil && !partial {
		return r, fmt.Errorf("no call got through: %w", found.firstFailure)
	}
	return r, nil
}

// String says what is run.
func (c CallsConfig) String() string {
	kind := "with sound both ways"
	if c.Signaling {
		kind = "signaling only"
	}
	if c.Webhooks {
		kind += ", webhooks"
	}
	if c.Push {
		kind += ", pushes"
	}
	return report.Plural(c.Pairs, "pair") + " of users, " + kind
}

// told adds what came of webhooks and pushes; that they come is part of the load.
func (c CallsConfig) told(r *report.Result, calls int64, partial bool) {
	if c.Sink == nil {
		return
	}
	if err := c.Sink.settle(calls, c.Webhooks, c.Push); err != nil && !partial {
		r.Failures = append(r.Failures, err.Error())
	}
	if c.Webhooks {
		r.Add("webhooks", "webhooks", float64(c.Sink.hooks.Load()), report.Count, report.Neither)
	}
	if c.Push {
		r.Add("pushes", "pushes", float64(c.Sink.pushes.Load()), report.Count, report.Neither)
	}
}

func (c CallsConfig) arrivals() string {
	if c.Rate > 0 {
		return fmt.Sprintf("%g calls a second, whether or not earlier ones are done, while a pair is free", c.Rate)
	}
	return "closed loop, each pair calls again when its call has ended"
}

// elapsed is a meter's state for scenarios that run for a time.
func elapsed(total time.Duration) func() (float64, float64, string) {
	began := time.Now()
	return func() (float64, float64, string) {
		return min(time.Since(began), total).Seconds(), total.Seconds(), "s"
	}
}

// runPairs has all pairs call until the time is over, and waits for the calls that are under way then.
func runPairs(timed, calls context.Context, cfg CallsConfig, pairs []*callPair, found *callsResult) {
	limit := rate.Inf
	if cfg.Rate > 0 {
		limit = rate.Limit(cfg.Rate)
	}
	pace := rate.NewLimiter(limit, 1)
	var all sync.WaitGroup
	for _, pair := range pairs {
		all.Go(func() {
			for timed.Err() == nil && pace.Wait(timed) == nil {
				once, cancel := context.WithTimeout(calls, callTimeout)
				times, err := pair.call(once, cfg)
				cancel()
				if calls.Err() != nil {
					return // cut off, not failed
				}
				found.add(times, err)
				if err != nil && pause(timed, failedPause) != nil {
					return
				}
			}
		})
	}
	all.Wait()
}

// callTimes are the latencies of one call.
type callTimes struct{ ring, media, setup time.Duration }

func (f *callsResult) add(t callTimes, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		f.failed++
		if f.firstFailure == nil {
			f.firstFailure = err
		}
		return
	}
	f.calls++
	record(f.ring, t.ring)
	record(f.setup, t.setup)
	if t.media > 0 {
		record(f.media, t.media)
	}
}

func (f *callsResult) fill(r *report.Result, took time.Duration, cfg CallsConfig) {
	r.Add("setups_per_second", "call set-ups", float64(f.calls)/took.Seconds(), report.PerSecond, report.Higher)
	r.Add("calls", "calls", float64(f.calls), report.Count, report.Neither)
	r.Add("failed_calls", "failed calls", float64(f.failed), report.Count, report.Lower)
	r.AddLatency("ring_us", "ring latency", f.ring)
	if !cfg.Signaling {
		r.AddLatency("accept_to_media_us", "accept to media", f.media)
	}
	r.AddLatency("setup_us", "whole set-up", f.setup)
	if f.failed > 0 {
		r.Failures = append(r.Failures, fmt.Sprintf("%d of %d calls failed; the first: %v", f.failed, f.failed+f.calls, explain(f.firstFailure)))
	}
}

// explain adds to a refusal what a load tester can do about it.
func explain(err error) error {
	var refused *client.Error
	if errors.As(err, &refused) && strings.HasPrefix(refused.Code, "ERR_") {
		switch refused.Code {
		case "ERR_CALL_TOO_MANY_RINGS":
			return fmt.Errorf("%w (raise calls.rings_per_minute of the server, or --pairs)", err)
		case "ERR_TOO_MANY_REQUESTS":
			return fmt.Errorf("%w (raise the request rates of the server, or use fewer clients)", err)
		}
	}
	return err
}
