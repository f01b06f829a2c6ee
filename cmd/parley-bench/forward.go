package main

import (
	"context"
	"fmt"
	"time"

	"github.com/parleyrtc/parley/bench"
	"github.com/parleyrtc/parley/bench/report"
)

// rooms are the flags of who sends what to whom.
type rooms struct {
	Rooms           int  `group:"load" default:"1" help:"Rooms at the same time; where one ramps, at first."`
	Publishers      int  `group:"load" default:"4" help:"Publishers in each room."`
	Subscribers     int  `group:"load" default:"50" help:"Subscribers in each room; each gets all publishers of it."`
	Audio           bool `group:"load" help:"Audio (50 packets of 100 B a second) instead of video (30 frames of 10 packets of 1100 B); in one-to-one calls, without the video."`
	FPS             int  `group:"load" name:"fps" placeholder:"N" help:"Frames a second of a publisher."`
	PacketsPerFrame int  `group:"load" placeholder:"N" help:"Packets of a frame."`
	PacketBytes     int  `group:"load" placeholder:"N" help:"Payload bytes of a packet."`
	Trains          bool `group:"load" help:"Hand the kernel each frame as one train, which it cuts on arrival: publishers cost less then, for rates they could not keep."`
	Even            bool `group:"load" help:"All packets of a frame have one length; otherwise the first half is a byte shorter, as libwebrtc splits frames."`
	Spread          bool `group:"load" help:"Spread the packets of a frame over its time; otherwise they leave in one burst."`
}

// shape is what the flags say, with what they do not say filled in. Any calls at all are one-to-one calls instead of rooms.
func (r rooms) shape(calls int) (bench.Shape, error) {
	out := bench.VideoShape(r.Publishers, r.Subscribers)
	if r.Audio {
		out = bench.AudioShape(r.Publishers, r.Subscribers)
	}
	out.Rooms = r.Rooms
	if calls != 0 {
		if r.Rooms > 1 {
			return out, fmt.Errorf("%w: --calls and --rooms contradict each other: each call is a room", errUsage)
		}
		out.OneToOne, out.Rooms, out.Publishers, out.Subscribers = true, calls, 0, 0
	}
	out.Spread, out.Trains, out.Even = r.Spread, r.Trains, r.Even
	for _, field := range []struct {
		said int
		into *int
	}{{r.FPS, &out.FPS}, {r.PacketsPerFrame, &out.PacketsPerFrame}, {r.PacketBytes, &out.PacketBytes}} {
		if field.said != 0 {
			*field.into = field.said
		}
	}
	return out, out.Check()
}

// flow are the flags of a load that goes on for a time.
type flow struct {
	rooms
	Calls    int           `group:"load" placeholder:"N" help:"N one-to-one calls instead of rooms: both sides send audio and video and get the other's."`
	Sample   int           `group:"load" default:"10" help:"One subscriber in so many decrypts, checks and measures latency; the others count."`
	Duration time.Duration `group:"load" default:"10s" help:"Measured time."`
}

func (f flow) config() (bench.ForwardConfig, error) {
	shape, err := f.shape(f.Calls)
	cfg := bench.ForwardConfig{Shape: shape, Duration: f.Duration, Sample: f.Sample}
	return cfg, anyOf(positive("--duration", f.Duration.Seconds()), positive("--sample", float64(f.Sample)), err)
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
	Calls           bool          `group:"load" help:"Add one-to-one calls instead of subscribers in rooms: both sides send audio and video and get the other's."`
	Floor           bool          `group:"load" help:"A floor in the server's place, for which there need not be one: what these clients can load at all."`
	Step            int           `group:"load" placeholder:"N" help:"Subscribers (or calls) added each time; otherwise as many as there are while the server rests, and a twentieth at the end."`
	StepTime        time.Duration `group:"load" default:"5s" help:"Measured time of each step."`
	KneeLoss        fraction      `group:"load" default:"1%" help:"Loss at which it bends."`
	KneeP99         time.Duration `group:"load" name:"knee-p99" default:"50ms" help:"Latency p99 at which it bends."`
	MaxParticipants int           `group:"load" default:"2000" help:"Give up at so many participants."`
	common
}

// Run looks for the knee.
func (c rampCommand) Run(p *process, o *outcome) error {
	calls := 0
	if c.Calls {
		calls = firstCalls
	}
	shape, err := c.shape(calls)
	cfg := bench.RampConfig{Shape: shape, Step: c.Step, StepTime: c.StepTime, MaxLoss: float64(c.KneeLoss), MaxP99: c.KneeP99,
		MaxParticipants: c.MaxParticipants, Floor: c.Floor}
	if err := anyOf(positive("--step-time", c.StepTime.Seconds()), positive("--knee-loss", float64(c.KneeLoss)),
		positive("--knee-p99", c.KneeP99.Seconds()), positive("--max-participants", float64(c.MaxParticipants)), err); err != nil {
		return err
	}
	if c.Floor {
		if c.Serve || c.URL != "" {
			return fmt.Errorf("%w: --floor measures no server, so it goes without --serve and --url", errUsage)
		}
		c.noServer = true
	}
	return c.run(p, o, single(func(ctx context.Context, t bench.Target, tell bench.Progress) (report.Result, error) {
		found, err := bench.Ramp(ctx, t, cfg, tell)
		return found.Report(), err
	}))
}

// firstCalls is how many one-to-one calls a ramp begins with.
const firstCalls = 5
