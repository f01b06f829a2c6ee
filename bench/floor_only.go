package bench

import (
	"context"

	"github.com/parleyrtc/parley/bench/load"
	"github.com/parleyrtc/parley/bench/report"
)

// FloorResult is what Floor found.
type FloorResult struct {
	Shape                  string       `json:"shape"`
	Arrivals               string       `json:"arrivals"`
	FloorCPUNanosPerPacket float64      `json:"floor_cpu_ns_per_packet"`
	PacketsOutPerSecond    float64      `json:"packets_out_per_second"`
	Loss                   float64      `json:"loss"`
	Latency                Latency      `json:"latency_us"`
	FloorCPUCores          float64      `json:"floor_cpu_cores"`
	Participants           int          `json:"participants"`
	ClientCPUCores         float64      `json:"client_cpu_cores"`
	ClientCores            float64      `json:"client_cores"`
	OtherCPUCores          float64      `json:"other_cpu_cores"`
	ClientBound            bool         `json:"client_bound"`
	ClientBoundWhy         string       `json:"client_bound_why,omitempty"`
	CheckedPackets         uint64       `json:"checked_packets"`
	CorruptPackets         uint64       `json:"corrupt_packets"`
	SendLateness           Latency      `json:"send_lateness_us"`
	Samples                []Sample     `json:"samples"`
	Histogram              []report.Bar `json:"latency_histogram"`
	Failures               []string     `json:"failures,omitempty"`
	Partial                bool         `json:"partial"`
}

// Floor measures what forwarding costs with no SFU. Of the target only the cores and, unless it is empty, the address count;
// there need not be a server. cfg.NoFloor has no meaning. The end of ctx is as in Forward.
func Floor(ctx context.Context, t Target, cfg ForwardConfig, progress Progress) (FloorResult, error) {
	t = t.withoutServer()
	cfg = cfg.withDefaults()
	r := newRun(t, cfg, progress, load.Floor)
	stage, err := newStage(t, cfg.Shape, cfg.Sample)
	if err != nil {
		return r.floorResult(), err
	}
	defer stage.close()
	r.stage = stage
	if err := stage.recast(stage.units(cfg.Shape.Rooms)); err != nil {
		return r.floorResult(), err
	}
	if err := stage.prepareFloor(); err != nil {
		return r.floorResult(), err
	}
	if err = r.begin(ctx); err == nil {
		err = r.turns(ctx)
	}
	result := r.floorResult()
	if err != nil && ctx.Err() != nil {
		result.Partial, err = true, nil
	}
	return result, err
}

// withoutServer is a target of which only the cores and the address count.
func (t Target) withoutServer() Target {
	if t.Base == "" {
		t.Base = "http://127.0.0.1"
	}
	t.Admin, t.PID, t.Owned = "", 0, nil
	return t
}

// floorResult is what was measured so far.
func (r *run) floorResult() FloorResult {
	all := r.result()
	total := r.last.Received[load.Floor]
	res := FloorResult{
		Shape: all.Shape, Arrivals: all.Arrivals, Participants: all.Participants, FloorCPUNanosPerPacket: all.FloorCPUNanosPerPacket,
		PacketsOutPerSecond: all.FloorPacketsPerSecond, Loss: all.FloorLoss, Latency: all.FloorLatency, Histogram: all.FloorHistogram,
		SendLateness: all.SendLateness, Samples: all.Samples, ClientCores: all.ClientCores,
		CheckedPackets: total.Checked, CorruptPackets: total.Corrupt,
	}
	if r.floor.time > 0 {
		res.FloorCPUCores = r.floor.cpu.Seconds() / r.floor.time.Seconds()
		res.ClientCPUCores = r.client.Seconds() / r.floor.time.Seconds()
		res.OtherCPUCores = max(0, r.others.Seconds()/r.floor.time.Seconds())
	}
	if total.Corrupt > 0 || total.Checked == 0 && r.floor.packets > 0 {
		res.Failures = append(res.Failures, "The floor's packets did not arrive as they were sent.")
	}
	res.ClientBoundWhy = r.bound(res.ClientCPUCores, res.FloorCPUCores, all.SendLateness)
	res.ClientBound = res.ClientBoundWhy != ""
	return res
}
