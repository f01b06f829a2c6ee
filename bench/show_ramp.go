package bench

import (
	"fmt"
	"slices"

	"github.com/parleyrtc/parley/bench/report"
)

// Report is the result as figures and plots.
func (r FloorResult) Report() report.Result {
	out := report.Result{
		Scenario: "floor", Shape: r.Shape, Arrivals: r.Arrivals, Partial: r.Partial, Failures: slices.Clone(r.Failures),
		Clients: report.Clients{Cores: r.ClientCPUCores, Limit: r.ClientCores, Bound: r.ClientBound},
	}
	if r.ClientBoundWhy != "" {
		out.Notes = append(out.Notes, "Why client-bound: "+r.ClientBoundWhy+".")
	}
	if r.PacketsOutPerSecond == 0 { // ended before the first slice
		return out
	}
	out.Add("floor_cpu_ns_per_packet", "CPU per packet", r.FloorCPUNanosPerPacket, report.Nanoseconds, report.Lower)
	out.Add("packets_out_per_second", "packets out", r.PacketsOutPerSecond, report.PerSecond, report.Higher)
	out.Add("loss", "loss", r.Loss, report.Fraction, report.Lower)
	addLatencyOf(&out, "latency_us", "latency", r.Latency)
	out.Add("floor_cpu_cores", "CPU", r.FloorCPUCores, report.Cores, report.Lower)
	out.Add("participants", "participants", float64(r.Participants), report.Count, report.Neither)
	out.Add("send_lateness_us.p999", "publishers late p99.9", r.SendLateness.P999, report.Microseconds, report.Neither)
	out.Histograms = []report.Histogram{{Name: "latency of the floor", Bars: r.Histogram}}
	return out
}

// Report is the result as figures and plots.
func (r RampResult) Report() report.Result {
	out := report.Result{
		Scenario: "ramp", Shape: r.Shape, Arrivals: r.Arrivals, Partial: r.Partial, Failures: slices.Clone(r.Failures),
		Clients: report.Clients{Limit: r.ClientCores, Bound: r.ClientBound},
	}
	for _, step := range r.Steps {
		out.Clients.Cores = max(out.Clients.Cores, step.ClientCPUCores)
	}
	if len(r.Steps) == 0 {
		return out
	}
	if r.Why != "" {
		out.Notes = append(out.Notes, "It ended because "+r.Why+".")
	}
	if r.Knee.Participants == 0 {
		out.Notes = append(out.Notes, "Already the first step was too much, so there is no knee.")
	} else {
		r.addKnee(&out)
	}
	out.Add("steps", "steps", float64(len(r.Steps)), report.Count, report.Neither)
	out.Curves = []report.Curve{r.curve()}
	for _, step := range r.Steps {
		out.Notes = append(out.Notes, step.String())
	}
	return out
}

// String is the step in one line.
func (s RampStep) String() string {
	words := fmt.Sprintf("%5d participants: %s, loss %s, p99 %s, server CPU %s, clients %s (late p99 %s)", s.Participants,
		report.Format(s.PacketsOutPerSecond, report.PerSecond), report.Format(s.Loss, report.Fraction), report.Format(s.Latency.P99, report.Microseconds),
		report.Format(s.ServerCPUCores, report.Cores), report.Format(s.ClientCPUCores, report.Cores),
		report.Format(s.SendLateP99, report.Microseconds))
	switch {
	case s.Failed != "" && s.Repeated:
		words += ": too much, twice"
	case s.Failed != "":
		words += ": too much"
	}
	if s.ClientBound != "" {
		words += " (client-bound: " + s.ClientBound + ")"
	}
	return words + "."
}

// addKnee appends what the last good step was. How far the next one that failed is away is its noise.
func (r RampResult) addKnee(out *report.Result) {
	k := r.Knee
	first := len(out.Figures)
	out.Add("knee_participants", "participants at the knee", float64(k.Participants), report.Count, report.Higher)
	out.Add("knee_packets_out_per_second", "packets out at the knee", k.PacketsOutPerSecond, report.PerSecond, report.Higher)
	if r.ServerCores > 0 {
		out.Add("participants_per_core", "participants per core", r.ParticipantsPerCore, report.Count, report.Higher)
		out.Add("packets_out_per_core_second", "packets out per core", r.PacketsPerCoreSecond, report.PerSecond, report.Higher)
	}
	if r.Above.Participants > k.Participants {
		for i := first; i < len(out.Figures); i++ {
			out.Figures[i].Noise = float64(r.Above.Participants)/float64(k.Participants) - 1
		}
	}
	out.Add("knee_loss", "loss there", k.Loss, report.Fraction, report.Lower)
	addLatencyOf(out, "knee_latency_us", "latency there", k.Latency)
	out.Add("knee_cpu_ns_per_packet", "server CPU per packet there", k.CPUNanosPerPacket, report.Nanoseconds, report.Lower)
	out.Add("knee_server_cpu_cores", "server CPU there", k.ServerCPUCores, report.Cores, report.Neither)
	if k.ServerRSSBytes > 0 { // not of a floor
		out.Add("knee_server_rss_bytes", "server memory there", float64(k.ServerRSSBytes), report.Bytes, report.Lower)
	}
	out.Add("knee_client_cpu_cores", "clients' CPU there", k.ClientCPUCores, report.Cores, report.Neither)
}

// curve is what bends, over the participants.
func (r RampResult) curve() report.Curve {
	lines := []report.Line{
		{Name: "loss", Unit: report.Fraction}, {Name: "latency p99", Unit: report.Microseconds},
		{Name: "server CPU", Unit: report.Cores}, {Name: "packets out", Unit: report.PerSecond},
	}
	for _, step := range r.Steps {
		for i, y := range []float64{step.Loss, step.Latency.P99, step.ServerCPUCores, step.PacketsOutPerSecond} {
			lines[i].X = append(lines[i].X, float64(step.Participants))
			lines[i].Y = append(lines[i].Y, y)
		}
	}
	return report.Curve{X: "participants", Lines: lines, Knee: float64(r.Knee.Participants)}
}
