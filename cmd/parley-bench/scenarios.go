package main

import (
	"context"
	"fmt"
	"time"

	"github.com/parleyrtc/parley/bench"
	"github.com/parleyrtc/parley/bench/report"
)

// single makes a measure of a scenario with one result. A result without figures was not measured.
func single(scenario func(context.Context, bench.Target, bench.Progress) (report.Result, error)) measure {
	return func(ctx context.Context, t bench.Target, p bench.Progress) ([]report.Result, error) {
		began := now()
		result, err := scenario(ctx, t, p)
		result.Timed(began, now())
		if len(result.Figures) == 0 && len(result.Failures) == 0 {
			return nil, err
		}
		return []report.Result{result}, err
	}
}

// positive refuses durations and counts that measure nothing.
func positive(name string, v float64) error {
	if v <= 0 {
		return fmt.Errorf("%w: %s must be above zero", errUsage, name)
	}
	return nil
}

type callsCommand struct {
	Pairs     int           `group:"load" default:"8" help:"Pairs of users who call each other, one call at a time each."`
	Rate      float64       `group:"load" placeholder:"N" help:"Calls a second over all pairs; otherwise as fast as the pairs come round."`
	Signaling bool          `group:"load" help:"Signaling only: nobody joins with media."`
	Duration  time.Duration `group:"load" default:"10s" help:"How long to call."`
	Webhooks  bool          `group:"load" help:"With --serve: the server sends webhooks, to a target in this process."`
	Push      bool          `group:"load" help:"With --serve: the called users are also pushed, by a Firebase in this process."`
	common
}

// Run measures call set-ups.
func (c callsCommand) Run(p *process, o *outcome) error {
	if err := anyOf(positive("--pairs", float64(c.Pairs)), positive("--duration", c.Duration.Seconds())); err != nil {
		return err
	}
	cfg := bench.CallsConfig{Pairs: c.Pairs, Rate: max(0, c.Rate), Duration: c.Duration, Signaling: c.Signaling, Webhooks: c.Webhooks, Push: c.Push}
	if c.Webhooks || c.Push {
		if !c.Serve || c.Netns {
			return fmt.Errorf("%w: --webhooks and --push go with --serve, and not with --netns: their targets are on the loopback interface", errUsage)
		}
		sink, err := bench.NewSink()
		if err != nil {
			return err
		}
		defer sink.Close()
		cfg.Sink, c.env = sink, sink.Env(c.Webhooks, c.Push)
	}
	return c.run(p, o, single(func(ctx context.Context, t bench.Target, tell bench.Progress) (report.Result, error) {
		return bench.Calls(ctx, t, cfg, tell)
	}))
}

// anyOf is the first error.
func anyOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

type joinCommand struct {
	Clients int           `group:"load" default:"30" help:"Clients who join at once."`
	Wait    time.Duration `group:"load" default:"30s" help:"How long the last one may take."`
	common
}

// Run measures a storm.
func (c joinCommand) Run(p *process, o *outcome) error {
	if err := anyOf(positive("--clients", float64(c.Clients)), positive("--wait", c.Wait.Seconds())); err != nil {
		return err
	}
	return c.run(p, o, single(func(ctx context.Context, t bench.Target, tell bench.Progress) (report.Result, error) {
		return bench.Join(ctx, t, bench.JoinConfig{Clients: c.Clients, Wait: c.Wait}, tell)
	}))
}

type churnCommand struct {
	Pairs    int           `group:"load" default:"3" help:"Pairs of users who connect, call, talk, hang up and disconnect again and again."`
	Duration time.Duration `group:"load" default:"10s" help:"How long to come and go."`
	Settle   time.Duration `group:"load" default:"20s" help:"How long the server may take to come back to the baseline."`
	common
}

// Run looks for leaks.
func (c churnCommand) Run(p *process, o *outcome) error {
	if err := anyOf(positive("--pairs", float64(c.Pairs)), positive("--duration", c.Duration.Seconds())); err != nil {
		return err
	}
	cfg := bench.ChurnConfig{Pairs: c.Pairs, Duration: c.Duration, Settle: c.Settle}
	return c.run(p, o, single(func(ctx context.Context, t bench.Target, tell bench.Progress) (report.Result, error) {
		return bench.Churn(ctx, t, cfg, tell)
	}))
}

type turnCommand struct {
	Transport   []string      `group:"load" placeholder:"udp,tcp,tls" help:"Only these; otherwise all that the server offers."`
	Clients     int           `group:"load" default:"8" help:"Clients with an allocation each."`
	Rate        int           `group:"load" default:"10000" help:"Packets a second over all of them."`
	PacketBytes int           `group:"load" default:"1000" help:"Payload bytes of a packet."`
	Duration    time.Duration `group:"load" default:"4s" help:"Of each half, allocating and relaying, over each transport."`
	common
}

// Run measures TURN.
func (c turnCommand) Run(p *process, o *outcome) error {
	cfg := bench.TurnConfig{Transports: c.Transport, Clients: c.Clients, Rate: c.Rate, PacketBytes: c.PacketBytes, Duration: c.Duration}
	if err := anyOf(positive("--clients", float64(c.Clients)), positive("--rate", float64(c.Rate)),
		positive("--packet-bytes", float64(c.PacketBytes)), positive("--duration", c.Duration.Seconds()), cfg.Check()); err != nil {
		return err
	}
	return c.run(p, o, single(func(ctx context.Context, t bench.Target, tell bench.Progress) (report.Result, error) {
		return bench.Turn(ctx, t, cfg, tell)
	}))
}

type suiteCommand struct {
	Rounds   int           `group:"load" default:"3" help:"Times that everything is run; the spread of the rounds is the noise."`
	Duration time.Duration `group:"load" default:"10s" help:"Of each measurement."`
	common
}

// Run runs everything.
func (c suiteCommand) Run(p *process, o *outcome) error {
	if err := anyOf(positive("--rounds", float64(c.Rounds)), positive("--duration", c.Duration.Seconds())); err != nil {
		return err
	}
	return c.run(p, o, func(ctx context.Context, t bench.Target, tell bench.Progress) ([]report.Result, error) {
		return bench.Suite(ctx, t, bench.SuiteConfig{Rounds: c.Rounds, Time: c.Duration}, tell)
	})
}
