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
