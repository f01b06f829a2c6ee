package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/parleyrtc/parley/bench/report"
)

// SuiteConfig says how thorough a suite is. Its scenarios are fixed, so that two reports can be compared.
type SuiteConfig struct {
	Rounds int           // times each scenario is run, one after the other and again from the start; default 3
	Time   time.Duration // of one measurement; default 10 s
}

// part is one scenario of the suite.
type part struct {
	name string
	run  func(context.Context, Target, Progress) (report.Result, error)
}

// suiteParts are the scenarios. What they run must not change lightly: a saved report has nothing to compare with then.
func suiteParts(each time.Duration) []part {
	forward := func(shape Shape) func(context.Context, Target, Progress) (report.Result, error) {
		return func(ctx context.Context, t Target, p Progress) (report.Result, error) {
			found, err := Forward(ctx, t, ForwardConfig{Shape: shape, Duration: each}, p)
			return found.Report(), err
		}
	}
	return []part{
		{"forward video", forward(VideoShape(4, 50))},
		{"forward audio", forward(AudioShape(10, 60))},
		{"calls", func(ctx context.Context, t Target, p Progress) (report.Result, error) {
			return Calls(ctx, t, CallsConfig{Pairs: 8, Duration: each}, p)
		}},
		{"calls, signaling only", func(ctx context.Context, t Target, p Progress) (report.Result, error) {
			return Calls(ctx, t, CallsConfig{Pairs: 32, Duration: each, Signaling: true}, p)
		}},
		{"join", func(ctx context.Context, t Target, p Progress) (report.Result, error) {
			return Join(ctx, t, JoinConfig{Clients: 40}, p)
		}},
		{"churn", func(ctx context.Context, t Target, p Progress) (report.Result, error) {
			return Churn(ctx, t, ChurnConfig{Duration: each}, p)
		}},
		{"turn", func(ctx context.Context, t Target, p Progress) (report.Result, error) {
			return Turn(ctx, t, TurnConfig{Duration: each / 2}, p)
		}},
	}
}

// Suite runs a fixed set of scenarios several times over. Each result is the median of its rounds, with half the distance between
// the lowest and the highest as its noise. When a round fails or is interrupted, the results say what was measured until then.
func Suite(ctx context.Context, t Target, cfg SuiteConfig, p Progress) ([]report.Result, error) {
	if cfg.Rounds == 0 {
		cfg.Rounds = 3
	}
	if cfg.Time == 0 {
		cfg.Time = 10 * time.Second
	}
	if _, err := t.Usage(); err != nil {
		return nil, err
	}
	if _, err := readLevel(ctx, t); err != nil {
		return nil, err
	}
	parts := suiteParts(cfg.Time)
	rounds := make([][]report.Result, len(parts))
	var failed error
	for round := range cfg.Rounds {
		for i, one := range parts {
			began := time.Now()
			result, err := one.run(ctx, t, within(p, fmt.Sprintf("%s %d/%d", one.name, round+1, cfg.Rounds)))
			result.Timed(began, time.Now())
			if err != nil {
				err = fmt.Errorf("%s: %w", one.name, err)
			}
			if len(result.Figures) > 0 {
				rounds[i] = append(rounds[i], result)
			}
			if ctx.Err() != nil || errors.Is(err, ErrServerDied) {
				return merged(rounds), errors.Join(failed, err)
			}
			failed = errors.Join(failed, err)
		}
	}
	return merged(rounds), failed
}

// within puts the scenario's name before its phases.
func within(p Progress, name string) Progress {
	return func(u Update) {
		u.Phase = name + ", " + u.Phase
		p.tell(u)
	}
}

func merged(rounds [][]report.Result) []report.Result {
	var out []report.Result
	for _, results := range rounds {
		if len(results) > 0 {
			out = append(out, merge(results))
		}
	}
	return out
}

// merge makes one result of several of the same scenario. What is not a number is the first round's, and what went wrong in any
// of them went wrong.
func merge(rounds []report.Result) report.Result {
	out := rounds[0]
	out.Figures = slices.Clone(out.Figures)
	out.Notes, out.Failures = nil, nil
	for i, f := range out.Figures {
		var values []float64
		for _, round := range rounds {
			if same, ok := round.Figure(f.Key); ok {
				values = append(values, same.Value)
			}
		}
		middle := median(values)
		out.Figures[i].Value = middle
		if spread := slices.Max(values) - slices.Min(values); len(values) > 1 && middle != 0 {
			out.Figures[i].Noise = max(spread/2/max(middle, -middle), 1e-6)
		}
	}
	for _, round := range rounds {
		out.Clients.Cores = max(out.Clients.Cores, round.Clients.Cores)
		out.Clients.Bound = out.Clients.Bound || round.Clients.Bound
		out.Partial = out.Partial || round.Partial
		for _, note := range round.Notes {
			if !slices.Contains(out.Notes, note) {
				out.Notes = append(out.Notes, note)
			}
		}
		out.Failures = append(out.Failures, round.Failures...)
	}
	if len(rounds) > 1 {
		out.Notes = append(out.Notes, fmt.Sprintf("Medians of %d rounds; plots are of the first.", len(rounds)))
	}
	return out
}
