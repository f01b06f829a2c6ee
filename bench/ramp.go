package bench

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/parleyrtc/parley/bench/load"
	"github.com/parleyrtc/parley/bench/proc"
)

// The defaults of RampConfig.
const (
	rampStepTime = 5 * time.Second
	rampMaxLoss  = 0.01
	rampMaxP99   = 50 * time.Millisecond
	rampMost     = 2000
)

// leftOut is the part of their packets that publishers have no time for when they can do no more.
const leftOut = 0.02

// smallStep is how much a step adds close to the knee, which is known as well as that.
const smallStep = 0.05

// RampConfig says how Ramp climbs.
type RampConfig struct {
	Shape           Shape         // of one room; Rooms is how many there are at first
	Step            int           // subscribers, or one-to-one calls, added each time; if zero, the fewer the busier the server is
	StepTime        time.Duration // measured time of each step, 5 s if zero
	MaxLoss         float64       // 0.01 if zero
	MaxP99          time.Duration // 50 ms if zero
	MaxParticipants int           // 2000 if zero
	Floor           bool          // a floor takes the server's place: what these clients can load at all
}

// RampStep is what the server did under one load.
type RampStep struct {
	Rooms               int     `json:"rooms"`
	Participants        int     `json:"participants"`
	PacketsOutPerSecond float64 `json:"packets_out_per_second"`
	Loss                float64 `json:"loss"`
	Latency             Latency `json:"latency_us"`
	CPUNanosPerPacket   float64 `json:"cpu_ns_per_packet"`
	ServerCPUCores      float64 `json:"server_cpu_cores"`
	ServerRSSBytes      uint64  `json:"server_rss_bytes"`
	ClientCPUCores      float64 `json:"client_cpu_cores"`
	SendLateP99         float64 `json:"send_lateness_p99_us"` // of the publishers behind their clock
	Repeated            bool    `json:"repeated,omitempty"`   // the same load had failed before
	Failed              string  `json:"failed,omitempty"`     // why it was too much
	ClientBound         string  `json:"client_bound,omitempty"`
}

// Bound is what ended a ramp.
type Bound string

// What ends a ramp.
const (
	BoundLoss    Bound = "loss"    // more was lost than allowed
	BoundP99     Bound = "p99"     // it took longer than allowed
	BoundJoin    Bound = "join"    // no more clients could join
	BoundClients Bound = "clients" // the clients could not do more: the knee is at least there
	BoundMost    Bound = "most"    // there are as many participants as were asked for at most
)

// RampResult is what Ramp found.
type RampResult struct {
	Shape                string     `json:"shape"` // of one room
	Arrivals             string     `json:"arrivals"`
	Steps                []RampStep `json:"steps"`
	Knee                 RampStep   `json:"knee"`  // the last good step
	Above                RampStep   `json:"above"` // the lowest load that was too much for the server; zero if none was
	Bound                Bound      `json:"bound"`
	Why                  string     `json:"why"` // in words
	ServerCores          float64    `json:"server_cores"`
	ParticipantsPerCore  float64    `json:"participants_per_core"` // at the knee
	PacketsPerCoreSecond float64    `json:"packets_out_per_core_second"`
	ClientCores          float64    `json:"client_cores"`
	ClientBound          bool       `json:"client_bound"`
	Failures             []string   `json:"failures,omitempty"`
	Partial              bool       `json:"partial"`
}

// Ramp adds participants until the server loses or delays too much. The end of ctx is as in Forward.
func Ramp(ctx context.Context, t Target, cfg RampConfig, progress Progress) (RampResult, error) {
	cfg = cfg.withDefaults()
	shape := cfg.Shape
	shape.Rooms = 1
	result := RampResult{Shape: shape.rampWords(cfg.Floor), Arrivals: shape.Arrivals(), ClientCores: t.available(), ServerCores: t.serverCores()}
	if cfg.Floor {
		t = t.withoutServer()
	} else if _, err := t.cpu(); err != nil {
		return result, err
	}
	stage, err := newStage(t, shape, 0)
	if err != nil {
		return result, err
	}
	defer stage.close()
	stage.most = 0
	c := &climb{cfg: cfg, stage: stage, progress: progress, result: result, next: stage.units(max(cfg.Shape.Rooms, 1))}
	for c.result.Bound == "" {
		if err := c.step(ctx); err != nil {
			if ctx.Err() != nil { // Ctrl-C on a terminal ends the server, too
				c.result.Partial, err = true, nil
			}
			return c.result.finished(), err
		}
	}
	return c.result.finished(), nil
}

func (c RampConfig) withDefaults() RampConfig {
	if c.StepTime <= 0 {
		c.StepTime = rampStepTime
	}
	if c.MaxLoss <= 0 {
		c.MaxLoss = rampMaxLoss
	}
	if c.MaxP99 <= 0 {
		c.MaxP99 = rampMaxP99
	}
	if c.MaxParticipants <= 0 {
		c.MaxParticipants = rampMost
	}
	return c
}

// climb is a ramp in progress. Its units are subscribers, or one-to-one calls.
type climb struct {
	cfg      RampConfig
	stage    *stage
	progress Progress
	result   RampResult

	next  int  // units of the next step
	good  int  // of the highest good one
	tried bool // the next step has failed once
	slow  bool // a large step went too far: only small ones from here on
}

// step brings participants in and measures once.
func (c *climb) step(ctx context.Context) error {
	if c.stage.participants(c.next) > c.cfg.MaxParticipants {
		c.result.Bound = BoundMost
		c.result.Why = fmt.Sprintf("there may be %d participants at most", c.cfg.MaxParticipants)
		return nil
	}
	if err := c.populate(ctx); err != nil {
		if ctx.Err() != nil || len(c.result.Steps) == 0 || c.stage.target.dead() {
			return err
		}
		c.result.Bound, c.result.Why = BoundJoin, err.Error()
		return nil
	}
	step, failures, err := c.measure(ctx)
	if step.PacketsOutPerSecond == 0 {
		return err
	}
	step.Repeated = c.tried
	c.result.Steps = append(c.result.Steps, step)
	c.result.Failures = append(c.result.Failures, failures...)
	c.judge(step)
	return err
}

// populate brings as many participants in as the next step has.
func (c *climb) populate(ctx context.Context) error {
	if !c.cfg.Floor {
		return c.stage.size(ctx, c.next, c.progress)
	}
	if err := c.stage.recast(c.next); err != nil {
		return err
	}
	return c.stage.prepareFloor()
}

// measure lets media flow for a while.
func (c *climb) measure(ctx context.Context) (RampStep, []string, error) {
	route := load.Server
	if c.cfg.Floor {
		route = load.Floor
	}
	r := newRun(c.stage.target, ForwardConfig{Shape: c.stage.shape, Duration: c.cfg.StepTime, Slice: c.cfg.StepTime}, c.progress, route)
	r.stage = c.stage
	begin := r.warmUp
	if c.cfg.Floor {
		begin = r.begin
	}
	if err := begin(ctx); err != nil {
		return RampStep{}, nil, err
	}
	err := r.turns(ctx)
	step, failures := r.step()
	step.Rooms = (len(c.stage.clients) + c.stage.shape.roomSize() - 1) / c.stage.shape.roomSize()
	return c.cfg.verdict(r, step), failures, err
}

// verdict says of a step whether it failed, and whether the clients were why.
func (c RampConfig) verdict(r *run, s RampStep) RampStep {
	s.SendLateP99 = latencyOf(r.lateness).P99
	s.Failed = c.tooMuch(s)
	s.ClientBound = r.clientBound(s) // which depends on whether it failed
	return s
}

// step is what a run of one route found.
func (r *run) step() (RampStep, []string) {
	s := RampStep{Participants: r.participants()}
	if r.routes[0] == load.Floor {
		f := r.floorResult()
		s.PacketsOutPerSecond, s.Loss, s.Latency, s.CPUNanosPerPacket = f.PacketsOutPerSecond, f.Loss, f.Latency, f.FloorCPUNanosPerPacket
		s.ServerCPUCores, s.ClientCPUCores = f.FloorCPUCores, f.ClientCPUCores
		return s, f.Failures
	}
	f := r.result()
	s.PacketsOutPerSecond, s.Loss, s.Latency, s.CPUNanosPerPacket = f.PacketsOutPerSecond, f.Loss, f.Latency, f.CPUNanosPerPacket
	s.ServerCPUCores, s.ServerRSSBytes, s.ClientCPUCores = f.ServerCPUCores, f.ServerRSSBytes, f.ClientCPUCores
	return s, f.Failures
}

// clientBound says why the clients may be what made a step fail or, of one that did not, why no more can come of them; or
// nothing. Clients that work as hard as they can, or are late, and yet send all and get all in time, limit nobody.
func (r *run) clientBound(s RampStep) string {
	if s.Failed == "" {
		return r.short(leftOut)
	}
	return r.bound(s.ClientCPUCores, s.ServerCPUCores, latencyOf(r.lateness))
}

// tooMuch says why a step was too much, or nothing.
func (c RampConfig) tooMuch(s RampStep) string {
	switch p99 := time.Duration(s.Latency.P99) * time.Microsecond; {
	case s.Loss > c.MaxLoss:
		return fmt.Sprintf("%.2f %% were lost with %d participants", 100*s.Loss, s.Participants)
	case p99 > c.MaxP99:
		return fmt.Sprintf("p99 was %v with %d participants", p99.Round(100*time.Microsecond), s.Participants)
	}
	return ""
}

// judge decides what comes after a step. One that fails is tried again before it counts, since machines have moods; after a
// large one, small ones go on from the last good one.
func (c *climb) judge(s RampStep) {
	if s.Failed == "" {
		c.result.Knee, c.good = s, c.next
	}
	switch {
	case s.Failed == "" && s.ClientBound == "":
		c.tried = false
		c.next += c.more(s)
	case !c.tried:
		c.tried = true
	case c.cfg.Step == 0 && c.good > 0 && c.next > c.good+small(c.good):
		c.slow, c.tried = true, false
		c.next = c.good + small(c.good)
	case s.ClientBound != "":
		c.result.Bound, c.result.Why, c.result.ClientBound = BoundClients, s.ClientBound, true
	default:
		c.result.Above = s
		c.result.Bound, c.result.Why = BoundLoss, s.Failed
		if s.Loss <= c.cfg.MaxLoss {
			c.result.Bound = BoundP99
		}
	}
}

// small is how many units a small step adds.
func small(units int) int { return max(1, int(float64(units)*smallStep)) }

// more is how many units the next step adds after a good one.
func (c *climb) more(s RampStep) int {
	if c.cfg.Step > 0 {
		return c.cfg.Step
	}
	share := smallStep
	if cores := max(c.result.ServerCores, 1); !c.slow {
		switch busy := s.ServerCPUCores / cores; {
		case busy < 0.2:
			share = 1
		case busy < 0.5:
			share = 0.25
		case busy < 0.75:
			share = 0.1
		}
	}
	return max(1, int(math.Floor(float64(c.next)*share)))
}

// finished fills in what depends on the knee.
func (r RampResult) finished() RampResult {
	if r.ServerCores > 0 {
		r.ParticipantsPerCore = float64(r.Knee.Participants) / r.ServerCores
		r.PacketsPerCoreSecond = r.Knee.PacketsOutPerSecond / r.ServerCores
	}
	return r
}

// serverCores is how many cores the server may use.
func (t Target) serverCores() float64 {
	if cores, err := proc.CoresOf(t.PID); err == nil && t.PID != 0 {
		return float64(len(cores))
	}
	return float64(len(t.Cores.Server))
}
