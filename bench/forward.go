package bench

import (
	"context"
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/parleyrtc/parley/bench/load"
	"github.com/parleyrtc/parley/bench/report"
)

const (
	// defaultSlice is how long server and floor take turns: long against a frame, short against a machine's moods.
	defaultSlice = time.Second
	// settle is the start of each slice that is not measured: caches and clocks warm up.
	settle = 300 * time.Millisecond
	// drain is how long nothing must arrive, after the publishers stopped, until nothing is under way any more.
	drain = 300 * time.Millisecond
	// longestDrain ends the wait for a server that has more waiting than it should.
	longestDrain = 5 * time.Second
)

// ForwardConfig says what Forward measures.
type ForwardConfig struct {
	Shape    Shape
	Duration time.Duration // measured time of the server, 10 s if zero; the floor gets as much again
	Slice    time.Duration // of server and floor in turns, 1 s if zero
	NoFloor  bool
	Sample   int // one in so many subscribers decrypts, checks and measures latency; 10 if zero, always at least one a room
}

// Latency is a distribution of times in microseconds.
type Latency struct {
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

// ForwardResult is what Forward found. CPU is that of the server's process and its children.
type ForwardResult struct {
	Shape                  string       `json:"shape"`
	Arrivals               string       `json:"arrivals"`
	CPUNanosPerPacket      float64      `json:"cpu_ns_per_packet"`
	FloorCPUNanosPerPacket float64      `json:"floor_cpu_ns_per_packet"`
	Ratio                  float64      `json:"ratio"`        // of the two costs
	RatioMedian            float64      `json:"ratio_median"` // of the turns
	RatioSlices            []float64    `json:"ratio_slices"` // one for each turn of server and floor
	PacketsOutPerSecond    float64      `json:"packets_out_per_second"`
	Loss                   float64      `json:"loss"`          // of what publishers sent times subscribers; 0.02 is 2 %
	SequenceLoss           float64      `json:"sequence_loss"` // by gaps in the sequence numbers; less than Loss if the server hides them
	Latency                Latency      `json:"latency_us"`
	FloorLoss              float64      `json:"floor_loss"`
	FloorLatency           Latency      `json:"floor_latency_us"`
	FloorPacketsPerSecond  float64      `json:"floor_packets_out_per_second"`
	ServerCPUCores         float64      `json:"server_cpu_cores"`
	ServerRSSBytes         uint64       `json:"server_rss_bytes"`
	ServerGoroutines       int          `json:"server_goroutines"`
	Participants           int          `json:"participants"`
	ClientCPUCores         float64      `json:"client_cpu_cores"`
	ClientCores            float64      `json:"client_cores"`    // that they could have used
	OtherCPUCores          float64      `json:"other_cpu_cores"` // that others used on this machine meanwhile: noise
	ClientBound            bool         `json:"client_bound"`    // the figures are "at least": the clients were the limit
	ClientBoundWhy         string       `json:"client_bound_why,omitempty"`
	CheckedPackets         uint64       `json:"checked_packets"`
	CorruptPackets         uint64       `json:"corrupt_packets"` // of the sample; any is a failure
	RepeatedPackets        uint64       `json:"repeated_packets"`
	RepairPackets          uint64       `json:"repair_packets"`  // RTX
	PaddingPackets         uint64       `json:"padding_packets"` // of probes
	Keyframes              uint64       `json:"keyframes_asked"`
	SendLateness           Latency      `json:"send_lateness_us"` // of the publishers behind their clock
	Samples                []Sample     `json:"samples"`
	Histogram              []report.Bar `json:"latency_histogram"`
	FloorHistogram         []report.Bar `json:"floor_latency_histogram"`
	Failures               []string     `json:"failures,omitempty"` // what makes the run worthless or wrong, in sentences
	Partial                bool         `json:"partial"`            // it was interrupted
}

// Forward measures what forwarding costs, and what is lost and delayed by it. The floor runs in turns with the server. When
// ctx ends, it returns what was measured so far, as partial and without an error.
func Forward(ctx context.Context, t Target, cfg ForwardConfig, progress Progress) (ForwardResult, error) {
	cfg = cfg.withDefaults()
	routes := []load.Route{load.Server, load.Floor}
	if cfg.NoFloor {
		routes = routes[:1]
	}
	r := newRun(t, cfg, progress, routes...)
	if _, err := t.cpu(); err != nil {
		return r.result(), err
	}
	stage, err := newStage(t, cfg.Shape, cfg.Sample)
	if err != nil {
		return r.result(), err
	}
	defer stage.close()
	r.stage = stage
	if err := stage.size(ctx, stage.units(cfg.Shape.Rooms), progress); err != nil {
		return r.ended(ctx, err)
	}
	if !cfg.NoFloor {
		if err := stage.prepareFloor(); err != nil {
			return r.ended(ctx, err)
		}
	}
	if err := r.warmUp(ctx); err != nil {
		return r.ended(ctx, err)
	}
	return r.ended(ctx, r.turns(ctx))
}

func (c ForwardConfig) withDefaults() ForwardConfig {
	if c.Duration <= 0 {
		c.Duration = 10 * time.Second
	}
	if c.Slice <= 0 {
		c.Slice = defaultSlice
	}
	c.Slice = min(c.Slice, c.Duration)
	return c
}

// run is one measurement in progress.
type run struct {
	target   Target
	cfg      ForwardConfig
	progress Progress
	routes   []load.Route // that take turns
	stage    *stage
	began    time.Time

	server, floor side
	ratios        []float64
	client        time.Duration // CPU of ours while the first route was measured
	others        time.Duration // and of everybody else on this machine
	lateness      *hdrhistogram.Histogram
	samples       []Sample
	first, last   load.Snapshot // since the first turn began
	rss           uint64
	goroutines    int
	failures      []string
}

// side is what the server, or the floor, did in all its slices.
type side struct {
	packets            uint64 // in the measured part
	wanted             uint64 // in whole slices: what should have arrived of what was sent
	received, expected uint64 // in whole slices; the latter by sequence numbers
	cpu, time          time.Duration
	latency            *hdrhistogram.Histogram
}

func newRun(t Target, cfg ForwardConfig, progress Progress, routes ...load.Route) *run {
	r := &run{target: t, cfg: cfg, progress: progress, routes: routes, began: time.Now(), lateness: newMicroseconds()}
	r.server.latency, r.floor.latency = newMicroseconds(), newMicroseconds()
	return r
}

func newMicroseconds() *hdrhistogram.Histogram { return hdrhistogram.New(1, 60_000_000, 3) }

// ended turns the end of ctx into a partial result, whatever error it led to: Ctrl-C on a terminal ends the server, too.
func (r *run) ended(ctx context.Context, err error) (ForwardResult, error) {
	result := r.result()
	if err != nil && ctx.Err() != nil {
		result.Partial = true
		return result, nil
	}
	return result, err
}

// warmUp lets media flow until every subscriber gets every publisher of its room, and stops it.
func (r *run) warmUp(ctx context.Context) error {
	if err := r.stage.route(load.Server); err != nil {
		return err
	}
	want := r.stage.streams()
	deadline := time.Now().Add(firstWait)
	for {
		now, err := r.stage.count()
		if err != nil {
			return err
		}
		streams := now.Received[load.Server].Streams
		r.progress.tell(Update{Phase: "first packets", Done: float64(streams), Total: float64(want), Unit: "streams"})
		if streams >= want {
			break
		}
		if time.Now().After(deadline) {
			if streams == 0 {
				return fmt.Errorf("no media came through in %v", firstWait)
			}
			r.failures = append(r.failures, fmt.Sprintf("%d of %d streams never began.", want-streams, want))
			break
		}
		if err := r.sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	if err := r.stage.route(load.Paused); err != nil {
		return err
	}
	return r.begin(ctx)
}

// begin waits until nothing is under way and counts from there on. What the joins left behind is collected before, not during
// the first turn.
func (r *run) begin(ctx context.Context) error {
	for _, route := range r.routes {
		if _, err := r.drained(ctx, route); err != nil {
			return err
		}
	}
	_ = r.target.Collect(ctx) // without an admin listener the first turns may pay for it
	var err error
	r.first, err = r.stage.count()
	r.last = r.first
	return err
}

// drained waits until nothing more of what was sent one way arrives, and counts. A server that is behind has not lost what it
// still holds.
func (r *run) drained(ctx context.Context, route load.Route) (load.Snapshot, error) {
	last := uint64(0)
	for end := time.Now().Add(longestDrain); ; {
		if err := r.sleep(ctx, drain); err != nil {
			return load.Snapshot{}, err
		}
		now, err := r.stage.count()
		if err != nil {
			return now, err
		}
		arrived := now.Received[route].Packets
		if arrived == last || arrived >= now.Wanted[route] || time.Now().After(end) {
			return now, nil
		}
		last = arrived
	}
}

// turns measures the routes in turns until the duration is over.
func (r *run) turns(ctx context.Context) error {
	slices := max(1, int((r.cfg.Duration+r.cfg.Slice/2)/r.cfg.Slice))
	total := time.Duration(slices*len(r.routes)) * r.cfg.Slice
	done := time.Duration(0)
	for i := range slices {
		costs := map[load.Route]float64{}
		for j := range r.routes {
			route := r.routes[(i+j)%len(r.routes)] // each goes first every other time: a machine that slows down favours nobody
			cost, err := r.slice(ctx, route, done, total)
			if err != nil {
				return err
			}
			costs[route] = cost
			done += r.cfg.Slice
		}
		if costs[load.Server] > 0 && costs[load.Floor] > 0 {
			r.ratios = append(r.ratios, costs[load.Server]/costs[load.Floor])
		}
	}
	return nil
}

// sleep waits, unless ctx ends or a client falls out.
func (r *run) sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return r.stage.fallen()
	case <-r.target.Died():
		return fmt.Errorf("%w while it was measured", ErrServerDied)
	case <-ctx.Done():
		return ctx.Err()
	}
}
