package bench

import (
	"context"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/parleyrtc/parley/bench/load"
	"github.com/parleyrtc/parley/bench/proc"
)

// shortestSample is the least time that makes a sample.
const shortestSample = 200 * time.Millisecond

// mark is what there is to read at one moment.
type mark struct {
	at       time.Time
	cpu      time.Duration // of whoever forwards
	client   time.Duration // of ours
	machine  time.Duration // of everybody; 0 when it cannot be read
	snapshot load.Snapshot
}

func (r *run) mark(route load.Route) (mark, error) {
	var m mark
	var err error
	if m.snapshot, err = r.stage.count(); err != nil {
		return m, err
	}
	m.at = time.Now()
	if route == load.Server {
		m.cpu, err = r.target.cpu()
	} else {
		m.cpu, err = proc.CPU(r.stage.floor.PID())
	}
	if err != nil {
		return m, err
	}
	m.machine, _ = proc.Busy() // only tells how much others disturb
	m.client, err = proc.Self()
	return m, err
}

// slice sends everything one way for a while and returns the CPU nanoseconds per packet. It is done of total into the run.
func (r *run) slice(ctx context.Context, route load.Route, done, total time.Duration) (float64, error) {
	before, err := r.stage.count()
	if err != nil {
		return 0, err
	}
	if err := r.stage.route(route); err != nil {
		return 0, err
	}
	if err := r.sleep(ctx, settle); err != nil {
		return 0, err
	}
	if _, err := r.stage.times(); err != nil { // of the time before
		return 0, err
	}
	from, err := r.mark(route)
	if err != nil {
		return 0, err
	}
	waited := r.watch(ctx, route, done, total, from)
	to, err := r.mark(route)
	if err != nil {
		return 0, err
	}
	if _, err := r.takeTimes(route); err != nil {
		return 0, err
	}
	if g, err := r.target.Metric(context.Background(), "go_goroutines"); err == nil { // here, where asking costs the figures nothing
		r.goroutines = max(r.goroutines, int(g))
	}
	if err := r.stage.route(load.Paused); err != nil {
		return 0, err
	}
	after, err := r.drained(context.WithoutCancel(ctx), route) // also after an interruption: what is under way is no loss
	if err != nil {
		return 0, err
	}
	if _, err := r.takeTimes(route); err != nil { // what came last took longest
		return 0, err
	}
	r.last = after
	return r.account(route, before, after, from, to), waited
}

// watch takes a sample a second until the slice is over.
func (r *run) watch(ctx context.Context, route load.Route, done, total time.Duration, from mark) error {
	phase := "server"
	if route == load.Floor {
		phase = "floor"
	}
	last := from
	for end := from.at.Add(r.cfg.Slice); ; {
		left := time.Until(end)
		if left <= 0 {
			return nil
		}
		if err := r.sleep(ctx, min(left, time.Second)); err != nil {
			return err
		}
		now, err := r.mark(route)
		if err != nil {
			return err
		}
		u := Update{Phase: "measuring the " + phase, Unit: "s", Done: (done + now.at.Sub(from.at)).Seconds(), Total: total.Seconds()}
		if now.at.Sub(last.at) > shortestSample {
			s, err := r.sampled(route, phase, last, now)
			if err != nil {
				return err
			}
			u.Sample = &s
		}
		r.progress.tell(u)
		last = now
	}
}

// sampled makes a sample of the time between two marks.
func (r *run) sampled(route load.Route, phase string, from, to mark) (Sample, error) {
	took := to.at.Sub(from.at).Seconds()
	latency, err := r.takeTimes(route)
	if err != nil {
		return Sample{}, err
	}
	s := Sample{
		At: to.at.Sub(r.began).Seconds(), Phase: phase, ServerCPUCores: (to.cpu - from.cpu).Seconds() / took,
		PacketsOutPerSecond: float64(to.snapshot.Received[route].Packets-from.snapshot.Received[route].Packets) / took,
		P99:                 latencyOf(latency).P99,
	}
	if u, err := r.target.Usage(); err == nil {
		s.ServerRSSBytes = u.RSS
		r.rss = max(r.rss, u.RSS)
	}
	r.samples = append(r.samples, s)
	return s, nil
}

// takeTimes adds the newest times to the side that forwards, and returns them.
func (r *run) takeTimes(route load.Route) (*hdrhistogram.Histogram, error) {
	times, err := r.stage.times()
	if err != nil {
		return nil, err
	}
	r.lateness.Merge(times.Lateness)
	r.side(route).latency.Merge(times.Latency[route])
	return times.Latency[route], nil
}

// side is the server's or the floor's.
func (r *run) side(route load.Route) *side {
	if route == load.Floor {
		return &r.floor
	}
	return &r.server
}

// account adds one slice to its side.
func (r *run) account(route load.Route, before, after load.Snapshot, from, to mark) float64 {
	s := r.side(route)
	if route == r.routes[0] {
		r.client += to.client - from.client
		r.others += (to.machine - from.machine) - (to.client - from.client) - (to.cpu - from.cpu)
	}
	packets := to.snapshot.Received[route].Packets - from.snapshot.Received[route].Packets
	cpu := to.cpu - from.cpu
	s.packets += packets
	s.cpu += cpu
	s.time += to.at.Sub(from.at)
	s.wanted += after.Wanted[route] - before.Wanted[route]
	s.received += after.Received[route].Packets - before.Received[route].Packets
	s.expected += after.Received[route].Expected - before.Received[route].Expected
	if packets == 0 {
		return 0
	}
	return float64(cpu) / float64(packets)
}
