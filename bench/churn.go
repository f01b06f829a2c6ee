package bench

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/parleyrtc/parley/bench/report"
)

// ChurnConfig says how much coming and going there is.
type ChurnConfig struct {
	Pairs    int           // pairs of users who connect, call, talk, hang up and disconnect again and again; default 3
	Duration time.Duration // default 10 s
	Settle   time.Duration // how long the server may take to come back to the baseline; default 20 s
	// Warm is how many rounds each pair makes before the baseline is taken, because pools and lazily made things stay; default 2.
	Warm int
}

// What may be left of a churn: more than this is a leak.
const (
	spareGoroutines = 5       // an HTTP connection that is kept alive has two
	spareFDs        = 4       // the same has one
	spareHeap       = 4 << 20 // bytes, and a quarter of the baseline: history and pools
)

// level is what must come back.
type level struct{ goroutines, heap, fds float64 }

// Churn has users connect, call, talk, hang up and disconnect, and checks that goroutines, heap and file descriptors of the
// server are then where they were before. What is left over is a failure of the result.
func Churn(ctx context.Context, t Target, cfg ChurnConfig, p Progress) (report.Result, error) {
	cfg = cfg.withDefaults()
	users, err := t.names(2 * cfg.Pairs)
	if err != nil {
		return report.Result{}, err
	}
	p.tell(Update{Phase: "warming up"})
	if _, failed := churn(ctx, t, users, cfg, cfg.Warm); failed != nil && ctx.Err() == nil {
		return report.Result{}, failed
	}
	before, err := settled(ctx, t)
	if err != nil {
		return report.Result{}, err
	}
	m, measuring := startMeter(ctx, t, p, "churning", elapsed(cfg.Duration))
	timed, stop := context.WithTimeout(measuring, cfg.Duration)
	rounds, failed := churn(timed, t, users, cfg, 0)
	stop()
	partial, died := interrupted(ctx, measuring)
	took := m.finish()

	r := report.Result{Scenario: "churn", Arrivals: "closed loop, each pair comes again when it is gone", Partial: partial,
		Shape: report.Plural(cfg.Pairs, "pair") + " of users, who connect, call, talk, hang up and disconnect"}
	r.Add("rounds", "rounds", float64(rounds), report.Count, report.Neither)
	r.Add("rounds_per_second", "rounds a second", float64(rounds)/took.Seconds(), report.PerSecond, report.Higher)
	m.fill(&r, took)
	if died != nil {
		return r, died
	}
	if failed != nil {
		r.Failures = append(r.Failures, fmt.Sprintf("a round failed: %v", explain(failed)))
	}
	// Also after Ctrl-C the comparison with the baseline is what was measured so far, so it gets some time.
	if partial {
		cfg.Settle = min(cfg.Settle, hurriedSettle)
	}
	after, err := comeBack(context.WithoutCancel(ctx), t, p, before, cfg.Settle)
	if err != nil {
		return r, err
	}
	before.compare(&r, after, rounds)
	return r, nil
}

func (c ChurnConfig) withDefaults() ChurnConfig {
	if c.Pairs == 0 {
		c.Pairs = 3
	}
	if c.Duration == 0 {
		c.Duration = 10 * time.Second
	}
	if c.Settle == 0 {
		c.Settle = 20 * time.Second
	}
	if c.Warm == 0 {
		c.Warm = 2
	}
	return c
}

// churn runs rounds of all pairs until the context ends, or so many of each pair if that is above zero. A round that is cut off
// by the context's end is finished first, as far as it got.
func churn(ctx context.Context, t Target, users []string, cfg ChurnConfig, each int) (rounds int, firstFailure error) {
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range cfg.Pairs {
		all.Go(func() {
			for n := 0; ctx.Err() == nil && (each == 0 || n < each); n++ {
				err := churnRound(context.WithoutCancel(ctx), t, users[2*i], users[2*i+1])
				mu.Lock()
				if err == nil {
					rounds++
				} else if firstFailure == nil {
					firstFailure = err
				}
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	all.Wait()
	return rounds, firstFailure
}

// churnRound is one coming and going of two users.
func churnRound(ctx context.Context, t Target, caller, callee string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	pair, err := openPair(ctx, t, caller, callee)
	defer pair.close()
	if err != nil {
		return err
	}
	_, err = pair.call(ctx, CallsConfig{})
	return err
}

// readLevel asks the server where it is now, after it has collected its garbage.
func readLevel(ctx context.Context, t Target) (level, error) {
	if err := t.Collect(ctx); err != nil {
		return level{}, fmt.Errorf("goroutines and heap need the admin listener (--admin): %w", err)
	}
	var l level
	for name, into := range map[string]*float64{
		"go_goroutines": &l.goroutines, "go_memstats_heap_alloc_bytes": &l.heap, "process_open_fds": &l.fds,
	} {
		var err error
		if *into, err = t.Metric(ctx, name); err != nil {
			return level{}, err
		}
	}
	return l, nil
}

const (
	// settleEvery is how often the server is asked whether it has settled.
	settleEvery = 250 * time.Millisecond
	// hurriedSettle is how long an interrupted churn waits for the server to come back to the baseline.
	hurriedSettle = 3 * time.Second
	// settleCalm is how long nothing must change before a baseline is one: what the warm-up left behind may rest a while before
	// it ends, and would then hide a leak of as much.
	settleCalm = time.Second
	// settleTime is how long a baseline waits for that.
	settleTime = 10 * time.Second
)

// settled reads levels until they stay the same, so that the baseline is not a moment of the warm-up's end.
func settled(ctx context.Context, t Target) (level, error) {
	deadline := time.Now().Add(settleTime)
	last, err := readLevel(ctx, t)
	for changed := time.Now(); err == nil && time.Since(changed) < settleCalm && time.Now().Before(deadline); {
		if err = pause(ctx, settleEvery); err != nil {
			break
		}
		var now level
		if now, err = readLevel(ctx, t); err == nil && (now.goroutines != last.goroutines || now.fds != last.fds) {
			changed = time.Now()
		}
		last = now
	}
	return last, err
}

// comeBack reads levels until the server is at the baseline again or its time is over.
func comeBack(ctx context.Context, t Target, p Progress, before level, wait time.Duration) (level, error) {
	began := time.Now()
	for {
		now, err := readLevel(ctx, t)
		if err != nil || len(before.leaks(now)) == 0 || time.Since(began) > wait {
			return now, err
		}
		p.tell(Update{Phase: "settling", Done: time.Since(began).Seconds(), Total: wait.Seconds(), Unit: "s"})
		if err := pause(ctx, settleEvery); err != nil {
			return now, err
		}
	}
}

// pause waits, unless the context ends.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leaks says what there is too much of, in words.
func (l level) leaks(now level) []string {
	var all []string
	if now.goroutines > l.goroutines+spareGoroutines {
		all = append(all, fmt.Sprintf("there are %.0f goroutines; before there were %.0f", now.goroutines, l.goroutines))
	}
	if now.fds > l.fds+spareFDs {
		all = append(all, fmt.Sprintf("there are %.0f file descriptors open; before there were %.0f", now.fds, l.fds))
	}
	if now.heap > l.heap*1.25+spareHeap {
		all = append(all, fmt.Sprintf("the heap is %s; before it was %s", report.Format(now.heap, report.Bytes), report.Format(l.heap, report.Bytes)))
	}
	return all
}

// compare puts the levels before and after into the result.
func (l level) compare(r *report.Result, after level, rounds int) {
	for _, row := range []struct {
		key, label    string
		before, after float64
		unit          report.Unit
	}{
		{"goroutines", "goroutines", l.goroutines, after.goroutines, report.Count},
		{"fds", "file descriptors", l.fds, after.fds, report.Count},
		{"heap_bytes", "heap", l.heap, after.heap, report.Bytes},
	} {
		r.Add(row.key+".before", row.label+" before", row.before, row.unit, report.Neither)
		r.Add(row.key+".after", row.label+" after", row.after, row.unit, report.Lower)
	}
	if rounds > 0 {
		r.Add("heap_bytes_per_round", "heap left by a round", (after.heap-l.heap)/float64(rounds), report.Bytes, report.Lower)
	}
	for _, leak := range l.leaks(after) {
		r.Failures = append(r.Failures, fmt.Sprintf("it leaks: after %d rounds %s", rounds, leak))
	}
}
