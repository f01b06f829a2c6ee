package bwe_test

import (
	"fmt"
	"slices"
	"time"

	"github.com/parleyrtc/parley/sfu/bwe"
)

// between are the samples of a time.
func (f *flow) between(from, to time.Duration) []sample {
	i, _ := slices.BinarySearchFunc(f.samples, from, func(s sample, at time.Duration) int { return int(s.sent - at) })
	j, _ := slices.BinarySearchFunc(f.samples, to, func(s sample, at time.Duration) int { return int(s.sent - at) })
	return f.samples[i:j]
}

// carried is the rate that arrived.
func (f *flow) carried(from, to time.Duration) float64 {
	bytes := 0
	for _, s := range f.between(from, to) {
		if s.took >= 0 {
			bytes += s.size
		}
	}
	return float64(bytes*8) / (to - from).Seconds()
}

func (f *flow) lost(from, to time.Duration) float64 {
	lost, all := 0, f.between(from, to)
	for _, s := range all {
		if s.took < 0 {
			lost++
		}
	}
	return float64(lost) / float64(max(len(all), 1))
}

// delay is a quantile of what packets took on the path above its delay.
func (f *flow) delay(from, to time.Duration, q float64) time.Duration {
	var took []time.Duration
	for _, s := range f.between(from, to) {
		if s.took >= 0 {
			took = append(took, s.took)
		}
	}
	if len(took) == 0 {
		return -1
	}
	slices.Sort(took)
	return took[min(int(q*float64(len(took))), len(took)-1)]
}

// waited is a quantile of what video waited in the pacer.
func (f *flow) waited(from, to time.Duration, q float64) time.Duration {
	var took []time.Duration
	for _, s := range f.between(from, to) {
		if s.video {
			took = append(took, s.waited)
		}
	}
	if len(took) == 0 {
		return -1
	}
	slices.Sort(took)
	return took[min(int(q*float64(len(took))), len(took)-1)]
}

// reaches is how long after from the target is at least rate for hold.
func (f *flow) reaches(from time.Duration, rate float64, hold time.Duration) time.Duration {
	since := time.Duration(-1)
	for i := int(from / (10 * ms)); i < len(f.targets); i++ {
		at := time.Duration(i) * 10 * ms
		if float64(f.targets[i]) < rate {
			since = -1
		} else if since < 0 {
			since = at
		}
		if since >= 0 && at-since >= hold {
			return since - from
		}
	}
	return -1
}

// below is how long after from the target is first below rate.
func (f *flow) below(from time.Duration, rate bwe.Rate) time.Duration {
	for i := int(from / (10 * ms)); i < len(f.targets); i++ {
		if f.targets[i] < rate {
			return time.Duration(i)*10*ms - from
		}
	}
	return -1
}

// lowest is the lowest target of a time, and the share of it in overuse.
func (f *flow) lowest(from, to time.Duration) (low bwe.Rate, over float64) {
	i, j := int(from/(10*ms)), int(to/(10*ms))
	for _, s := range f.states[i:j] {
		if s.Overusing {
			over++
		}
	}
	return slices.Min(f.targets[i:j]), over / float64(j-i)
}

func (f *flow) line(from, to time.Duration) string {
	return fmt.Sprintf("carried %.0f k, lost %.2f %%, queue p50 %v p95 %v, pacer p95 %v, probes %d padding %d",
		f.carried(from, to)/1000, 100*f.lost(from, to), f.delay(from, to, 0.5), f.delay(from, to, 0.95), f.waited(from, to, 0.95), f.probes, f.padding)
}

// offered is the rate that was put on the path.
func (f *flow) offered(from, to time.Duration) float64 {
	bytes := 0
	for _, s := range f.between(from, to) {
		bytes += s.size
	}
	return float64(bytes*8) / (to - from).Seconds()
}

// used is the rate of what arrived of sound and pictures.
func (f *flow) used(from, to time.Duration) float64 {
	bytes := 0
	for _, s := range f.between(from, to) {
		if s.took >= 0 && !s.padding {
			bytes += s.size
		}
	}
	return float64(bytes*8) / (to - from).Seconds()
}
