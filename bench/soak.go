package bench

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/parleyrtc/parley/bench/report"
)

// soakEvery is how often a soak asks the server for its goroutines and heap.
const soakEvery = 5 * time.Second

// soakSlice is how long media flows before it pauses for a moment to be counted.
const soakSlice = 30 * time.Second

// soakWarm is the share of a soak that is left out of the drift: pools fill and caches warm up.
const soakWarm = 0.1

// shortSoak is below what a soak is for.
const shortSoak = 10 * time.Minute

// Soak runs a fixed load for long and says how memory, CPU, latency and goroutines drift. The floor is left out.
func Soak(ctx context.Context, t Target, cfg ForwardConfig, p Progress) (report.Result, error) {
	cfg.NoFloor = true
	if cfg.Slice <= 0 {
		cfg.Slice = soakSlice
	}
	watching, stop := context.WithCancel(ctx)
	var watcher sync.WaitGroup
	goroutines := report.Series{Name: "goroutines", Unit: report.Count}
	heap := report.Series{Name: "heap", Unit: report.Bytes}
	watcher.Go(func() {
		began := time.Now()
		for pause(watching, soakEvery) == nil {
			for name, series := range map[string]*report.Series{"go_goroutines": &goroutines, "go_memstats_heap_alloc_bytes": &heap} {
				if value, err := t.Metric(watching, name); err == nil {
					series.Points = append(series.Points, report.Point{At: time.Since(began), Value: value})
				}
			}
		}
	})
	began := time.Now()
	found, err := Forward(ctx, t, cfg, p)
	stop()
	watcher.Wait()
	r := found.Report()
	r.Scenario = "soak"
	r.Timed(began, time.Now())
	var memory, cpu, latency report.Series
	for _, s := range found.Samples {
		at := time.Duration(s.At * float64(time.Second))
		memory.Points = append(memory.Points, report.Point{At: at, Value: float64(s.ServerRSSBytes)})
		cpu.Points = append(cpu.Points, report.Point{At: at, Value: s.ServerCPUCores})
		latency.Points = append(latency.Points, report.Point{At: at, Value: s.P99})
	}
	addDrift(&r, "memory_drift_bytes_per_hour", "memory drift", memory, report.BytesPerHour)
	addDrift(&r, "heap_drift_bytes_per_hour", "heap drift", heap, report.BytesPerHour)
	addDrift(&r, "goroutines_drift_per_hour", "goroutines drift", goroutines, report.PerHour)
	addDrift(&r, "cpu_drift_per_hour", "CPU drift", cpu, report.PerHour)
	addDrift(&r, "latency_p99_drift_per_hour", "latency p99 drift", latency, report.PerHour)
	for _, s := range []report.Series{goroutines, heap} {
		if len(s.Points) > 0 {
			r.Series = append(r.Series, s)
		}
	}
	if r.Took < shortSoak {
		r.Notes = append(r.Notes, "A drift needs hours to show; that of a short run is mostly noise, which stands beside it.")
	}
	return r, err
}

// addDrift adds the slope of a series in its unit an hour, or relative to its mean for PerHour. Too few points have none.
func addDrift(r *report.Result, key, label string, s report.Series, unit report.Unit) {
	slope, spread, mean, ok := drift(s.Points)
	if !ok {
		return
	}
	if unit == report.PerHour {
		if mean == 0 {
			return
		}
		slope, spread = slope/mean, spread/mean
	}
	f := report.Figure{Key: key, Label: label, Value: slope, Unit: unit, Better: report.Lower}
	if slope != 0 {
		f.Noise = math.Abs(2 * spread / slope)
	}
	r.Figures = append(r.Figures, f)
}

// drift fits a line through the points after the warm-up by least squares. slope is an hour's change, spread its standard error.
func drift(points []report.Point) (slope, spread, mean float64, ok bool) {
	points = points[int(math.Ceil(float64(len(points))*soakWarm)):]
	n := float64(len(points))
	if n < 5 {
		return 0, 0, 0, false
	}
	var meanX float64
	for _, p := range points {
		meanX += p.At.Hours() / n
		mean += p.Value / n
	}
	var xx, xy, rest float64
	for _, p := range points {
		x := p.At.Hours() - meanX
		xx += x * x
		xy += x * (p.Value - mean)
	}
	if xx == 0 {
		return 0, 0, 0, false
	}
	slope = xy / xx
	if math.Abs(slope*math.Sqrt(xx/n)) < 1e-9*math.Abs(mean) { // what rounding leaves of nothing
		slope = 0
	}
	for _, p := range points {
		d := p.Value - mean - slope*(p.At.Hours()-meanX)
		rest += d * d
	}
	return slope, math.Sqrt(rest / (n - 2) / xx), mean, true
}
