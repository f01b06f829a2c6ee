package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/parleyrtc/parley/bench/proc"
	"github.com/parleyrtc/parley/bench/report"
)

const (
	// meterEvery is how often server and clients are looked at while a scenario measures.
	meterEvery = 500 * time.Millisecond
	// boundAt is the share of their cores at which the clients count as the limit: above it they wait for CPU themselves.
	boundAt = 0.9
)

// meter watches the server and the clients while a scenario measures, and tells the progress.
type meter struct {
	// set at construction
	target   Target
	progress Progress
	phase    string
	state    func() (done, total float64, unit string)
	cancel   context.CancelCauseFunc
	stopped  chan struct{} // closed when the watching goroutine ended
	began    time.Time
	accounts bool // the server's process can be looked at

	// owned by the watching goroutine until it ended
	server, clients span
	peakRSS         uint64
	cpu, memory     report.Series
}

// span is CPU time between two looks.
type span struct{ first, last time.Duration }

// startMeter watches from now on and until finish. The context ends with the given one, and with ErrServerDied as its cause
// when the server's process ends.
func startMeter(ctx context.Context, t Target, p Progress, phase string, state func() (done, total float64, unit string)) (*meter, context.Context) {
	ctx, cancel := context.WithCancelCause(ctx)
	m := &meter{
		target: t, progress: p, phase: phase, state: state, cancel: cancel, stopped: make(chan struct{}), began: time.Now(),
		cpu:    report.Series{Name: "server CPU", Unit: report.Cores},
		memory: report.Series{Name: "server memory", Unit: report.Bytes},
	}
	m.clients.first, _ = proc.Self() // without accounting the client figures stay zero, which the report says
	if t.PID != 0 {
		used, err := t.cpu()
		m.server.first, m.server.last, m.accounts = used, used, err == nil
	}
	m.look()
	go m.watch(ctx)
	return m, ctx
}

// watch ends with the context.
func (m *meter) watch(ctx context.Context) {
	defer close(m.stopped)
	tick := time.NewTicker(meterEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			m.look()
			return
		case <-tick.C:
			m.look()
		}
	}
}

// look takes one sample.
func (m *meter) look() {
	at := time.Since(m.began)
	done, total, unit := m.state()
	m.progress.tell(Update{Phase: m.phase, Done: done, Total: total, Unit: unit})
	m.clients.last, _ = proc.Self()
	if !m.accounts {
		return
	}
	used, err := m.target.cpu()
	usage, err2 := m.target.Usage()
	if err = errors.Join(err, err2); err != nil {
		if errors.Is(err, ErrServerDied) {
			m.cancel(fmt.Errorf("%w after %v of the measurement", ErrServerDied, at.Round(100*time.Millisecond)))
		}
		return
	}
	if passed := at - m.lastAt(); passed > meterEvery/4 {
		m.cpu.Points = append(m.cpu.Points, report.Point{At: at, Value: float64(used-m.server.last) / float64(passed)})
		m.server.last = used
	}
	m.memory.Points = append(m.memory.Points, report.Point{At: at, Value: float64(usage.RSS)})
	m.peakRSS = max(m.peakRSS, usage.RSS)
}

// lastAt is when the CPU was looked at before.
func (m *meter) lastAt() time.Duration {
	if n := len(m.cpu.Points); n > 0 {
		return m.cpu.Points[n-1].At
	}
	return 0
}

// finish stops watching and returns how long it took.
func (m *meter) finish() time.Duration {
	took := time.Since(m.began)
	m.cancel(nil)
	<-m.stopped
	return took
}

// serverCPU is the CPU time the server used between start and finish.
func (m *meter) serverCPU() time.Duration { return m.server.last - m.server.first }

// fill adds to a result what every scenario says: CPU and memory of the server, CPU of the clients, plots over time.
func (m *meter) fill(r *report.Result, took time.Duration) {
	r.Began, r.Took = m.began, took
	r.Clients = m.clientCPU(took)
	if !m.accounts {
		r.Notes = append(r.Notes, "The server's CPU and memory are not in here: its process is not on this machine, or not known (--pid).")
		return
	}
	r.Add("server_cpu_cores", "server CPU", m.serverCPU().Seconds()/took.Seconds(), report.Cores, report.Neither) // in a closed loop, less may be less done
	r.Add("server_rss_bytes", "server memory, most", float64(m.peakRSS), report.Bytes, report.Lower)
	r.Series = append(r.Series, m.cpu, m.memory)
}

// clientCPU says what the clients used of what they had.
func (m *meter) clientCPU(took time.Duration) report.Clients {
	limit := m.target.available()
	used := (m.clients.last - m.clients.first).Seconds() / took.Seconds()
	return report.Clients{Cores: used, Limit: limit, Bound: used >= boundAt*limit}
}

// interrupted says whether a run ended before its time because somebody asked it to, and what else ended it.
func interrupted(outer, inner context.Context) (partial bool, err error) {
	if outer.Err() != nil {
		return true, nil
	}
	if cause := context.Cause(inner); errors.Is(cause, ErrServerDied) {
		return true, cause
	}
	return false, nil
}
