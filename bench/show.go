package bench

import (
	"slices"
	"time"

	"github.com/parleyrtc/parley/bench/report"
)

// Report is the result as figures and plots.
func (r ForwardResult) Report() report.Result {
	out := report.Result{
		Scenario: "forward", Shape: r.Shape, Arrivals: r.Arrivals, Partial: r.Partial, Failures: slices.Clone(r.Failures),
		Clients: report.Clients{Cores: r.ClientCPUCores, Limit: r.ClientCores, Bound: r.ClientBound},
	}
	if r.ClientBoundWhy != "" {
		out.Notes = append(out.Notes, "Why client-bound: "+r.ClientBoundWhy+".")
	}
	if r.PacketsOutPerSecond == 0 { // ended before the first slice
		return out
	}
	out.Add("cpu_ns_per_packet", "server CPU per packet", r.CPUNanosPerPacket, report.Nanoseconds, report.Lower)
	if r.Ratio > 0 {
		out.Add("floor_cpu_ns_per_packet", "floor CPU per packet", r.FloorCPUNanosPerPacket, report.Nanoseconds, report.Neither)
		out.Add("ratio", "ratio to the floor", r.Ratio, report.Times, report.Lower)
		out.Figures[len(out.Figures)-1].Noise = spread(r.RatioSlices)
		out.Add("ratio_median", "ratio, median of the turns", r.RatioMedian, report.Times, report.Neither)
	}
	out.Add("packets_out_per_second", "packets out", r.PacketsOutPerSecond, report.PerSecond, report.Higher)
	out.Add("loss", "loss", r.Loss, report.Fraction, report.Lower)
	addLatencyOf(&out, "latency_us", "latency", r.Latency)
	out.Histograms = append(out.Histograms, report.Histogram{Name: "latency of forwarding", Bars: r.Histogram})
	if r.FloorCPUNanosPerPacket > 0 {
		out.Add("floor_loss", "floor loss", r.FloorLoss, report.Fraction, report.Neither)
		out.Add("floor_latency_us.p50", "floor latency p50", r.FloorLatency.P50, report.Microseconds, report.Neither)
		out.Add("floor_latency_us.p99", "floor latency p99", r.FloorLatency.P99, report.Microseconds, report.Neither)
		out.Histograms = append(out.Histograms, report.Histogram{Name: "latency of the floor", Bars: r.FloorHistogram})
	}
	out.Add("server_cpu_cores", "server CPU", r.ServerCPUCores, report.Cores, report.Lower)
	out.Add("server_rss_bytes", "server memory", float64(r.ServerRSSBytes), report.Bytes, report.Lower)
	if r.ServerGoroutines > 0 { // known from the admin listener only
		out.Add("server_goroutines", "server goroutines", float64(r.ServerGoroutines), report.Count, report.Lower)
	}
	out.Add("participants", "participants", float64(r.Participants), report.Count, report.Neither)
	out.Add("checked_packets", "packets checked", float64(r.CheckedPackets), report.Count, report.Neither)
	out.Add("corrupt_packets", "of these damaged", float64(r.CorruptPackets), report.Count, report.Lower)
	out.Add("repair_packets", "retransmissions", float64(r.RepairPackets), report.Count, report.Neither)
	out.Add("padding_packets", "padding of probes", float64(r.PaddingPackets), report.Count, report.Neither)
	out.Add("send_lateness_us.p999", "publishers late p99.9", r.SendLateness.P999, report.Microseconds, report.Neither)
	out.Series = sampleSeries(r.Samples)
	return out
}

// addLatencyOf appends the four figures of a latency. The largest of thousands of values is no merit either way.
func addLatencyOf(r *report.Result, key, label string, l Latency) {
	r.Add(key+".p50", label+" p50", l.P50, report.Microseconds, report.Lower)
	r.Add(key+".p99", label+" p99", l.P99, report.Microseconds, report.Lower)
	r.Add(key+".p999", label+" p99.9", l.P999, report.Microseconds, report.Lower)
	r.Add(key+".max", label+" max", l.Max, report.Microseconds, report.Neither)
}

// sampleSeries are the plots over time. Samples of the floor's turns are left out: the server rests then.
func sampleSeries(samples []Sample) []report.Series {
	cpu := report.Series{Name: "server CPU", Unit: report.Cores}
	memory := report.Series{Name: "server memory", Unit: report.Bytes}
	packets := report.Series{Name: "packets out", Unit: report.PerSecond}
	latency := report.Series{Name: "latency p99", Unit: report.Microseconds}
	for _, s := range samples {
		at := time.Duration(s.At * float64(time.Second))
		memory.Points = append(memory.Points, report.Point{At: at, Value: float64(s.ServerRSSBytes)})
		if s.Phase == "floor" {
			continue
		}
		cpu.Points = append(cpu.Points, report.Point{At: at, Value: s.ServerCPUCores})
		packets.Points = append(packets.Points, report.Point{At: at, Value: s.PacketsOutPerSecond})
		latency.Points = append(latency.Points, report.Point{At: at, Value: s.P99})
	}
	return []report.Series{cpu, memory, packets, latency}
}
