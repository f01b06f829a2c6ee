package verdict

import (
	"slices"
	"time"
)

const (
	// step is how fine a buffer's delay is.
	step = FrameTime
	// sampled is the time of which the longest delay counts.
	sampled = 500 * time.Millisecond
	// decided is how often a buffer thinks again.
	decided = 100 * time.Millisecond
)

// delays is what a buffer has seen as time goes on.
type delays struct {
	buffer  Buffer
	best    time.Duration
	come    []Sound // by arrival
	next    int
	memory  []delay
	highest int64 // counter
	hold    time.Duration
	again   time.Time // when to think again
}

type delay struct {
	at      time.Time
	by      time.Duration // beyond the best
	ordered bool
}

func newDelays(arrived []Sound, buffer Buffer, best time.Duration) *delays {
	come := slices.Clone(arrived)
	slices.SortFunc(come, func(a, b Sound) int { return a.At.Compare(b.At) })
	return &delays{buffer: buffer, best: best, come: come, hold: buffer.Least}
}

// at is how long the buffer holds a frame that comes at a moment at best. Moments do not go back.
func (d *delays) at(now time.Time) time.Duration {
	for d.next < len(d.come) && !d.come[d.next].At.After(now) {
		s := d.come[d.next]
		d.memory = append(d.memory, delay{s.At, s.At.Sub(s.Sent) - d.best, s.Counter > d.highest})
		d.highest = max(d.highest, s.Counter)
		d.next++
	}
	for len(d.memory) > 0 && now.Sub(d.memory[0].at) > d.buffer.Memory {
		d.memory = d.memory[1:]
	}
	if len(d.memory) > 0 && !now.Before(d.again) {
		d.again = now.Add(decided)
		d.hold = min(max(d.inOrder(), d.repeated(), d.buffer.Least), d.buffer.Most)
	}
	return d.hold
}

// inOrder covers a share of the longest delays.
func (d *delays) inOrder() time.Duration {
	var longest []time.Duration
	var until time.Time
	for _, one := range d.memory {
		switch {
		case !one.ordered:
		case one.at.After(until):
			until = one.at.Add(sampled)
			longest = append(longest, one.by)
		default:
			longest[len(longest)-1] = max(longest[len(longest)-1], one.by)
		}
	}
	if len(longest) == 0 {
		return 0
	}
	slices.Sort(longest)
	return rounded(longest[min(int(d.buffer.Covers*float64(len(longest))), len(longest)-1)])
}

// repeated weighs waiting against what it saves.
func (d *delays) repeated() time.Duration {
	counts := make([]int, d.buffer.Most/step+1)
	for _, one := range d.memory {
		counts[min(int(rounded(one.by)/step), len(counts)-1)]++
	}
	late := len(d.memory)
	var cheapest, hold time.Duration
	for i, n := range counts {
		late -= n
		wait := time.Duration(i) * step
		cost := wait + time.Duration(float64(late)/float64(len(d.memory))*100*float64(d.buffer.Percent))
		if i == 0 || cost < cheapest {
			cheapest, hold = cost, wait
		}
	}
	return hold
}

// rounded is a delay in whole steps, up.
func rounded(by time.Duration) time.Duration { return (by + step - 1) / step * step }
