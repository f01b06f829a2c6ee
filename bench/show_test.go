package bench

import (
	"testing"

	"github.com/parleyrtc/parley/bench/report"
)

func TestTheKeysOfForwardAreThosePromised(t *testing.T) {
	r := ForwardResult{PacketsOutPerSecond: 61000, CPUNanosPerPacket: 2200, FloorCPUNanosPerPacket: 1500, Ratio: 1.47,
		RatioSlices: []float64{1.4, 1.5, 1.5}, ServerGoroutines: 100, Participants: 54, ClientCPUCores: 0.7, ClientCores: 1,
		Histogram: []report.Bar{{UpTo: 100, Count: 1}}}.Report()
	for _, key := range []string{"cpu_ns_per_packet", "floor_cpu_ns_per_packet", "ratio", "packets_out_per_second", "loss", "latency_us.p50",
		"latency_us.p99", "latency_us.p999", "latency_us.max", "server_rss_bytes", "server_goroutines", "participants"} {
		if _, ok := r.Figure(key); !ok {
			t.Errorf("there is no %s", key)
		}
	}
	if ratio, _ := r.Figure("ratio"); ratio.Noise < 0.03 || ratio.Noise > 0.07 {
		t.Errorf("the noise of the ratio is %v", ratio.Noise)
	}
	if r.Clients.Cores != 0.7 {
		t.Errorf("clients %+v", r.Clients)
	}
}

func TestARampShowsItsKnee(t *testing.T) {
	steps := []RampStep{{Participants: 54, Loss: 0, ClientCPUCores: 0.4}, {Participants: 108, Loss: 0.001, ClientCPUCores: 0.7}, {Participants: 162, Loss: 0.2}}
	r := RampResult{Steps: steps, Knee: steps[1], Above: steps[2], Bound: BoundLoss, Why: "20 % were lost", ServerCores: 1, ParticipantsPerCore: 108}.Report()
	if knee := value(t, r, "knee_participants"); knee != 108 || r.Curves[0].Knee != 108 {
		t.Errorf("the knee is at %v and drawn at %v", knee, r.Curves[0].Knee)
	}
	for _, line := range r.Curves[0].Lines {
		if len(line.X) != 3 || len(line.Y) != 3 {
			t.Errorf("%s has %d points", line.Name, len(line.X))
		}
	}
	if r.Clients.Cores != 0.7 {
		t.Errorf("the clients used %v cores", r.Clients.Cores)
	}
	if f, _ := r.Figure("knee_packets_out_per_second"); f.Noise != 0.5 {
		t.Errorf("the next step was half as much again, and the noise is %v", f.Noise)
	}
	none := RampResult{Steps: steps[2:], Bound: BoundLoss}.Report()
	if _, ok := none.Figure("knee_participants"); ok {
		t.Error("there is a knee where no step was good")
	}
}

func TestWhatWasNotMeasuredHasNoFigures(t *testing.T) {
	for _, r := range []report.Result{ForwardResult{Partial: true}.Report(), FloorResult{Partial: true}.Report(), RampResult{Partial: true}.Report()} {
		if len(r.Figures) != 0 || !r.Partial {
			t.Errorf("%s: %+v", r.Scenario, r.Figures)
		}
	}
}
