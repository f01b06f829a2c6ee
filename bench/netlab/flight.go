package netlab

import (
	"container/heap"
	"sync"
	"time"
)

// queueLength is how many packets may be under way in one direction; then the socket's buffer fills.
const queueLength = 4096

// flight holds packets until they are due and then delivers them, the earliest first and, of those due at once, in the order in
// which they came.
type flight struct {
	deliver func([]byte)
	free    chan struct{} // a place for each packet under way
	changed chan struct{} // an earlier packet has come, or the end
	ended   chan struct{}

	mu    sync.Mutex
	due   schedule // guarded by mu
	count uint64   // guarded by mu
}

func newFlight(deliver func([]byte)) *flight {
	return &flight{deliver: deliver, free: make(chan struct{}, queueLength), changed: make(chan struct{}, 1), ended: make(chan struct{})}
}

// put takes a copy of a packet; it waits while too many are under way, and drops it after the end.
func (f *flight) put(b []byte, at time.Time) {
	select {
	case f.free <- struct{}{}:
	case <-f.ended:
		return
	}
	f.mu.Lock()
	f.count++
	heap.Push(&f.due, arrival{at: at, number: f.count, data: append([]byte(nil), b...)})
	first := f.due[0].number == f.count
	f.mu.Unlock()
	if first {
		select {
		case f.changed <- struct{}{}:
		default:
		}
	}
}

// end makes run return. It is called once.
func (f *flight) end() { close(f.ended) }

// run delivers until the end.
func (f *flight) run() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(f.flush())
		select {
		case <-timer.C:
		case <-f.changed:
		case <-f.ended:
			return
		}
	}
}

// flush delivers what is due and says how long the next packet has.
func (f *flight) flush() time.Duration {
	for {
		f.mu.Lock()
		if len(f.due) == 0 {
			f.mu.Unlock()
			return time.Hour
		}
		if wait := time.Until(f.due[0].at); wait > 0 {
			f.mu.Unlock()
			return wait
		}
		p := heap.Pop(&f.due).(arrival)
		f.mu.Unlock()
		<-f.free
		f.deliver(p.data)
	}
}

type arrival struct {
	at     time.Time
	number uint64
	data   []byte
}

// schedule is a heap of arrivals.
type schedule []arrival

func (s schedule) Len() int { return len(s) }
func (s schedule) Less(i, j int) bool {
	if !s[i].at.Equal(s[j].at) {
		return s[i].at.Before(s[j].at)
	}
	return s[i].number < s[j].number
}
func (s schedule) Swap(i, j int) { s[i], s[j] = s[j], s[i] }
func (s *schedule) Push(x any)   { *s = append(*s, x.(arrival)) }
func (s *schedule) Pop() any {
	last := len(*s) - 1
	x := (*s)[last]
	*s = (*s)[:last]
	return x
}
