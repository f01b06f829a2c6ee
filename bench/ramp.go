package bench

import (
	"context"
	"fmt"
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

// RampConfig says how Ramp climbs.
type RampConfig struct {
	Shape           Shape         // of one room; Rooms is how many there are at first
	Step            int           // rooms added each time; a quarter of what is there, at least one, if zero
	StepTime        time.Duration // measured time of each step, 5 s if zero
	MaxLoss         float64       // 0.01 if zero
	MaxP99          time.Duration // 50 ms if zero
	MaxParticipants int           // 2000 if zero
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
	Knee                 RampStep   `json:"knee"` // the last good step
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

// Ramp adds rooms until the server loses or delays too much. The end of ctx is as in Forward.
func Ramp(ctx context.Context, t Target, cfg RampConfig, progress Progress) (RampResult, error) {
	cfg = cfg.withDefaults()
	shape := cfg.Shape
	shape.Rooms = 1
	result := RampResult{Shape: shape.String(), Arrivals: shape.Arrivals(), ClientCores: t.available(), ServerCores: t.serverCores()}
	if _, err := t.cpu(); err != nil {
		return result, err
	}
	stage, err := newStage(t, shape, 0)
	if err != nil {
		return result, err
	}
	defer stage.close()
	stage.most = 0
	for add := max(cfg.Shape.Rooms, 1); result.Bound == ""; add = cfg.next(len(stage.rooms)) {
		if err := cfg.climb(ctx, stage, add, &result, progress); err != nil {
			if ctx.Err() != nil { // Ctrl-C on a terminal ends the server, too
				result.Partial, err = true, nil
			}
			return result.finished(), err
		}
	}
	return result.finished(), nil
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

// next is how many rooms the next step adds.
func (c RampConfig) next(rooms int) int {
	if c.Step > 0 {
		return c.Step
	}
	return max(1, rooms/4)
}

// climb adds rooms and measures once.
func (c RampConfig) climb(ctx context.Context, stage *stage, add int, result *RampResult, progress Progress) error {
	if perRoom := stage.shape.Participants(); (len(stage.rooms)+add)*perRoom > c.MaxParticipants {
		result.Bound = BoundMost
		result.Why = fmt.Sprintf("there may be %d participants at most", c.MaxParticipants)
		return nil
	}
	if err := stage.open(ctx, add, progress); err != nil {
		if ctx.Err() != nil || len(result.Steps) == 0 || stage.target.dead() {
			return err
		}
		result.Bound = BoundJoin
		result.Why = err.Error()
		return nil
	}
	shape := stage.shape
	shape.Rooms = len(stage.rooms)
	r := newRun(stage.target, ForwardConfig{Shape: shape, Duration: c.StepTime, Slice: c.StepTime}, progress, load.Server)
	r.stage = stage
	if err := r.warmUp(ctx, shape.Rooms); err != nil {
		return err
	}
	err := r.turns(ctx)
	if r.server.packets == 0 {
		return err
	}
	f := r.result()
	step := RampStep{
		Rooms: shape.Rooms, Participants: f.Participants, PacketsOutPerSecond: f.PacketsOutPerSecond, Loss: f.Loss, Latency: f.Latency,
		CPUNanosPerPacket: f.CPUNanosPerPacket, ServerCPUCores: f.ServerCPUCores, ServerRSSBytes: f.ServerRSSBytes, ClientCPUCores: f.ClientCPUCores,
	}
	result.Steps = append(result.Steps, step)
	result.Failures = append(result.Failures, f.Failures...)
	result.judge(c, step, f)
	return err
}

// judge says whether a step was still good, and if not, why.
func (r *RampResult) judge(c RampConfig, step RampStep, f ForwardResult) {
	p99 := time.Duration(step.Latency.P99) * time.Microsecond
	switch {
	case f.ClientBound:
		r.Bound, r.Why, r.ClientBound = BoundClients, f.ClientBoundWhy, true
	case step.Loss > c.MaxLoss:
		r.Bound, r.Why = BoundLoss, fmt.Sprintf("%.2f %% were lost with %d participants", 100*step.Loss, step.Participants)
	case p99 > c.MaxP99:
		r.Bound, r.Why = BoundP99, fmt.Sprintf("p99 was %v with %d participants", p99.Round(100*time.Microsecond), step.Participants)
	default:
		r.Knee = step
	}
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
