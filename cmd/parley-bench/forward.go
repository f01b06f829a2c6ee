package main

import (
	"context"
	"time"

	"github.com/parleyrtc/parley/bench"
	"github.com/parleyrtc/parley/bench/report"
)

// rooms are the flags of who sends what to whom.
type rooms struct {
	Rooms           int  `group:"load" default:"1" help:"Rooms at the same time."`
	Publishers      int  `group:"load" default:"4" help:"Publishers in each room."`
	Subscribers     int  `group:"load" default:"50" help:"Subscribers in each room; each gets all publishers of it."`
	Audio           bool `group:"load" help:"Audio (50 packets of 100 B a second) instead of video (30 frames of 10 packets of 1100 B)."`
	FPS             int  `group:"load" name:"fps" placeholder:"N" help:"Frames a second of a publisher."`
	PacketsPerFrame int  `group:"load" placeholder:"N" help:"Packets of a frame."`
	PacketBytes     int  `group:"load" placeholder:"N" help:"Payload bytes of a packet."`
	Spread          bool `group:"load" help:"Spread the packets of a frame over its time; otherwise they leave in one burst."`
}

// shape is what the flags say, with what they do not say filled in.
func (r rooms) shape() bench.Shape {
	out := bench.VideoShape(r.Publishers, r.Subscribers)
	if r.Audio {
		out = bench.AudioShape(r.Publishers, r.Subscribers)
	}
	out.Rooms, out.Spread = r.Rooms, r.Spread
	for _, field := range []struct {
		said int
		into *int
	}{{r.FPS, &out.FPS}, {r.PacketsPerFrame, &out.PacketsPerFrame}, {r.PacketBytes, &out.PacketBytes}} {
		if field.said != 0 {
			*field.into = field.said
		}
	}
	return out
}

// flow are the flags of a load that goes on for a time.
type flow struct {
	rooms
	Sample   int           `group:"load" default:"10" help:"One subscriber in so many decrypts, checks and measures latency; the others count."`
	Duration time.Duration `group:"load" default:"10s" help:"Measured time."`
}

func (f flow) config() (bench.ForwardConfig, error) {
	cfg := bench.ForwardConfig{Shape: f.shape(), Duration: f.Duration, Sample: f.Sample}
	return cfg, anyOf(positive("--duration", f.Duration.Seconds()), positive("--sample", float64(f.Sample)), cfg.Shape.Check())
}

type forwardCommand struct {
	flow
	NoFloor bool `group:"load" help:"Leave the floor out; the run takes half as long and has no ratio."`
	common
}

// Run measures forwarding.
func (c forwardCommand) Run(p *process, o *outcome) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	cfg.NoFloor = c.NoFloor
	return c.run(p, o, single(func(ctx context.Context, t bench.Target, tell bench.Progress) (report.Result, error) {
		found, err := bench.Forward(ctx, t, cfg, tell)
		return found.Report(), err
	}))
}

type soakCommand struct {
	flow
	common
}

// Run measures drift.
func (c soakCommand) Run(p *process, o *outcome) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	return c.run(p, o, single(func(ctx context.Context, t bench.Target, tell bench.Progress) (report.Result, error) {
		return bench.Soak(ctx, t, cfg, tell)
	}))
}

type floorCommand struct {
	flow
	output
	limits
}

// Run measures the floor, for which there need not be a server.
func (c floorCommand) Run(p *process, o *outcome) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	here := common{server: server{noServer: true}, limits: c.limits, output: c.output}
	return here.run(p, o, single(func(ctx context.Context, t bench.Target, tell bench.Progress) (report.Result, error) {
		found, err := bench.Floor(ctx, t, cfg, tell)
		return found.Report(), err
	}))
}

type rampCommand struct {
	rooms
	Step            int           `group:"load" placeholder:"N" help:"Rooms added each time; otherwise a quarter of those that are there."`
	StepTime        time.Duration `group:"load" default:"5s" help:"Measured time of each step."`
	KneeLoss        fraction      `group:"load" default:"1%" help:"Loss at which it bends."`
	KneeP99         time.Duration `group:"load" name:"knee-p99" default:"50ms" help:"Latency p99 at which it bends."`
	MaxParticipants int           `group:"load" default:"2000" help:"Give up at so many participants."`
	common
}

// Run looks for the knee.
func (c rampCommand) Run(p *process, o *outcome) error {
	cfg := bench.RampConfig{Shape: c.shape(), Step: c.Step, StepTime: c.StepTime, MaxLoss: float64(c.KneeLoss), MaxP99: c.KneeP99,
		MaxParticipants: c.MaxParticipants}
	if err := anyOf(positive("--step-time", c.StepTime.Seconds()), positive("--knee-loss", float64(c.KneeLoss)),
		positive("--knee-p99", c.KneeP99.Seconds()), positive("--max-participants", float64(c.MaxParticipants)), cfg.Shape.Check()); err != nil {
		return err
	}
	return c.run(p, o, single(func(ctx context.Context, t bench.Target, tell bench.Progress) (report.Result, error) {
		found, err := bench.Ramp(ctx, t, cfg, tell)
		return found.Report(), err
	}))
}
