package link

import (
	"math"
	"time"
)

const (
	defaultQueue = time.Second
	// shortest is the shortest step.
	shortest = time.Millisecond
	// maxSegments ends the search for the time at which a packet leaves: over so many steps it counts as not fitting.
	maxSegments = 1000
	forever     = time.Duration(math.MaxInt64)
)

// at gives the rules that hold at a time since start, and when they end.
func (l *Link) at(t time.Duration) (Rules, time.Duration) {
	if len(l.steps) == 0 {
		return l.rules, forever
	}
	var began time.Duration
	if l.repeat {
		began = t / l.total * l.total
	}
	for i := range l.steps {
		began += l.steps[i].For
		if t < began {
			return l.steps[i].Rules, began
		}
	}
	return l.steps[len(l.steps)-1].Rules, forever
}

// transmit queues a packet now and says when its last bit leaves; false when it does not fit.
func (l *Link) transmit(rules *Rules, size int) (left time.Duration, ok bool) {
	limit := rules.Queue
	if limit == 0 && rules.QueueBytes == 0 {
		limit = defaultQueue
	}
	begin := max(l.now, l.free)
	if waiting := l.waiting(); rules.QueueBytes > 0 && waiting > 0 && waiting+size > rules.QueueBytes {
		return 0, false
	}
	left, ok = l.finish(begin, int64(size)*8)
	if !ok || limit > 0 && (rules.Rate > 0 || rules.Stopped) && begin-l.now > limit {
		return 0, false
	}
	l.free = left
	l.bytes += size
	l.queued = append(l.queued, departure{left, size})
	return left, true
}

// finish is when so many bits that begin to leave at a time have left, through all steps on the way.
func (l *Link) finish(begin time.Duration, bits int64) (time.Duration, bool) {
	for range maxSegments {
		rules, end := l.at(begin)
		switch {
		case rules.Stopped && end == forever:
			return 0, false
		case rules.Stopped:
			begin = end
		case rules.Rate <= 0:
			return begin, true
		default:
			need := time.Duration(bits * int64(time.Second) / rules.Rate)
			if need <= end-begin {
				return begin + need, true
			}
			bits -= int64(end-begin) * rules.Rate / int64(time.Second)
			begin = end
		}
	}
	return 0, false
}

// waiting is how many bytes are in the queue now.
func (l *Link) waiting() int {
	gone := 0
	for gone < len(l.queued) && l.queued[gone].left <= l.now {
		l.bytes -= l.queued[gone].size
		gone++
	}
	l.queued = l.queued[:copy(l.queued, l.queued[gone:])]
	return l.bytes
}

// departure is a packet that leaves the queue.
type departure struct {
	left time.Duration
	size int
}
