package bench

import (
	"fmt"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/parleyrtc/parley/bench/load"
	"github.com/parleyrtc/parley/bench/report"
)

const (
	// busyClients is the part of their cores from which on the clients are the limit.
	busyClients = 0.95
	// lateClients is how late publishers may be at the 99th percentile, in microseconds; beyond it, the load was not the one
	// that was asked for.
	lateClients = 5000
	// mostSkipped is the part of the packets that publishers may leave out.
	mostSkipped = 0.005
)

// result is what was measured so far.
func (r *run) result() ForwardResult {
	total := r.last.Received[load.Server]
	res := ForwardResult{
		Shape: r.cfg.Shape.String(), Arrivals: r.cfg.Shape.Arrivals(), Participants: r.participants(),
		CPUNanosPerPacket: r.server.cost(), FloorCPUNanosPerPacket: r.floor.cost(), RatioSlices: r.ratios,
		PacketsOutPerSecond: r.server.rate(), FloorPacketsPerSecond: r.floor.rate(),
		Loss: r.server.loss(), FloorLoss: r.floor.loss(),
		SequenceLoss: r.server.sequenceLoss(),
		Latency:      latencyOf(r.server.latency), FloorLatency: latencyOf(r.floor.latency), SendLateness: latencyOf(r.lateness),
		Histogram: report.Bars(r.server.latency, 1), FloorHistogram: report.Bars(r.floor.latency, 1),
		ServerRSSBytes: r.rss, ServerGoroutines: r.goroutines, Samples: r.samples, Failures: r.failures,
		CheckedPackets: total.Checked, CorruptPackets: total.Corrupt, RepeatedPackets: total.Repeated, RepairPackets: total.Repairs, PaddingPackets: total.Padding,
		Keyframes: r.last.Asked, ClientCores: r.target.available(),
	}
	if len(r.ratios) > 0 {
		res.Ratio, res.RatioMedian = r.server.cost()/r.floor.cost(), median(r.ratios)
	}
	if r.server.time > 0 {
		res.ServerCPUCores = r.server.cpu.Seconds() / r.server.time.Seconds()
		res.ClientCPUCores = r.client.Seconds() / r.server.time.Seconds()
		res.OtherCPUCores = max(0, r.others.Seconds()/r.server.time.Seconds())
	}
	if res.CorruptPackets > 0 {
		res.Failures = append(res.Failures, fmt.Sprintf("%d packets of the sample arrived damaged.", res.CorruptPackets))
	}
	if total.Copied > 0 {
		res.Failures = append(res.Failures, fmt.Sprintf("%d packets of the sample had the content of earlier ones, so more was lost than the loss says.", total.Copied))
	}
	if res.CheckedPackets == 0 && r.server.packets > 0 {
		res.Failures = append(res.Failures, "No packet of the sample could be checked.")
	}
	res.ClientBoundWhy = r.bound(res.ClientCPUCores, res.ServerCPUCores, res.SendLateness)
	res.ClientBound = res.ClientBoundWhy != ""
	return res
}

// participants is how many clients there are, or were meant to be.
func (r *run) participants() int {
	if r.stage != nil && len(r.stage.clients) > 0 {
		return len(r.stage.clients)
	}
	return r.cfg.Shape.Participants()
}

// bound says why the clients were the limit, or nothing; it takes the cores that clients and server used.
func (r *run) bound(used, server float64, lateness Latency) string {
	available := r.target.available()
	if len(r.target.Cores.Clients) == 0 {
		used += server // they share all cores
	}
	why := r.short(mostSkipped)
	switch {
	case why != "":
		return why
	case lateness.P99 > lateClients:
		return fmt.Sprintf("the publishers sent up to %.1f ms late (p99)", lateness.P99/1000)
	case used >= busyClients*available:
		return fmt.Sprintf("the clients used %.2f of the %.0f cores they have", used, available)
	}
	return ""
}

// short says what the clients did not send or take that they should have, or nothing. Publishers may leave out a part of their
// packets.
func (r *run) short(part float64) string {
	dropped, refused, skipped := r.last.Dropped-r.first.Dropped, r.last.Refused-r.first.Refused, r.last.Skipped-r.first.Skipped
	sent := uint64(0)
	for route := range r.last.Sent {
		sent += r.last.Sent[route] - r.first.Sent[route]
	}
	switch {
	case float64(skipped) > part*float64(sent):
		return fmt.Sprintf("the publishers were too late for %d of their %d packets, and left them out", skipped, sent+skipped)
	case dropped > 0:
		return fmt.Sprintf("the clients' sockets lost %d packets that they did not read in time", dropped)
	case refused > 0:
		return fmt.Sprintf("%d packets of the publishers never left this machine", refused)
	}
	return ""
}

// cost is CPU nanoseconds per packet that arrived.
func (s *side) cost() float64 {
	if s.packets == 0 {
		return 0
	}
	return float64(s.cpu) / float64(s.packets)
}

// rate is packets out a second.
func (s *side) rate() float64 {
	if s.time == 0 {
		return 0
	}
	return float64(s.packets) / s.time.Seconds()
}

// loss is the part of what was sent that did not reach a subscriber. Every publisher's packet should arrive as often as it has
// subscribers, and what arrives twice counts once.
func (s *side) loss() float64 {
	if s.wanted == 0 {
		return 0
	}
	return max(0, 1-float64(s.received)/float64(s.wanted))
}

func (s *side) sequenceLoss() float64 {
	if s.expected == 0 {
		return 0
	}
	return max(0, 1-float64(s.received)/float64(s.expected))
}

func latencyOf(h *hdrhistogram.Histogram) Latency {
	if h.TotalCount() == 0 {
		return Latency{}
	}
	return Latency{
		P50: float64(h.ValueAtQuantile(50)), P99: float64(h.ValueAtQuantile(99)), P999: float64(h.ValueAtQuantile(99.9)), Max: float64(h.Max()),
	}
}
