package netlab

import (
	"slices"
	"time"

	"github.com/parleyrtc/parley/bench/netlab/link"
)

// traceBin is how much time one entry of a trace covers.
const traceBin = 100 * time.Millisecond

// traceBins bounds a trace: an hour.
const traceBins = 36_000

// Moment is what a link did to packets that came within 100 ms.
type Moment struct {
	At      time.Time     // when it began
	Rate    int64         // of the link when the first one came, in bits per second; 0 is no limit, -1 is stopped
	Packets int           // that came
	Offered int           // bytes of those, with the headers of IPv4 and UDP
	Bytes   int           // of those that were carried
	Dropped int           // packets that the full queue did not take
	Lost    int           // packets that the link lost
	Waited  time.Duration // the longest that one of them waits in the queue
}

// Trace is what a link did over time, a Moment for each 100 ms in which packets came.
type Trace []Moment

func (t *Trace) add(now time.Time, size int, rate int64, carried []link.Delivery, lost bool) {
	if n := len(*t); n == 0 || now.Sub((*t)[n-1].At) >= traceBin {
		if n == traceBins {
			return
		}
		*t = append(*t, Moment{At: now.Truncate(traceBin), Rate: rate})
	}
	m := &(*t)[len(*t)-1]
	m.Packets++
	m.Offered += size
	switch {
	case len(carried) > 0:
		m.Bytes += size
		m.Waited = max(m.Waited, carried[0].Waited)
	case lost:
		m.Lost++
	default:
		m.Dropped++
	}
}

// Trace is what the links of all clients did from Open until now, or of the one client there is.
func (p *Path) Trace() (up, down Trace) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shared != nil {
		return p.shared.traces()
	}
	for _, w := range p.clients {
		u, d := w.lines.traces()
		up, down = append(up, u...), append(down, d...)
	}
	byTime := func(a, b Moment) int { return a.At.Compare(b.At) }
	slices.SortStableFunc(up, byTime)
	slices.SortStableFunc(down, byTime)
	return up, down
}

func (l *lines) traces() (up, down Trace) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.trace[0]), slices.Clone(l.trace[1])
}
