package sfu

import (
	"time"

	"github.com/parleyrtc/parley/sfu/layer"
)

const (
	// What an option takes is averaged over this, or a key frame would look like a rate.
	optionSpan = 3 * time.Second
	// resumeTime is how long an encoding that was asked for again has to come to its rate. Until then it counts with what it took before.
	resumeTime = 3 * time.Second
)

// measure is what one way to forward a publication takes.
type measure struct {
	layer.Measure     // Rate 0: it cannot be had now
	width, height int // in pixels, 0: not known
}

// expected is what encodings take that have never been measured, from the largest: what our SDK asks browsers for.
var expected = map[string][]int64{"camera": {1_700_000, 500_000, 150_000}, "screen": {2_000_000, 400_000}}

// options appends all ways to forward the publication, from the least to the best, each in the same place every time. What we have
// had the publisher stop counts as what it would send if it were asked to. It takes the inbox's lock.
func (pub *publication) options(now time.Time, dst []measure) []measure {
	in := &pub.owner.incoming
	in.mu.Lock()
	defer in.mu.Unlock()
	for i, e := range pub.encodings {
		if e.pictures == nil {
			continue
		}
		usual := int64(0)
		if typical := expected[pub.source]; len(typical) > 0 {
			usual = typical[min(len(pub.encodings)-1-i, len(typical)-1)]
		}
		dst = e.options(now, usual, in, dst)
	}
	return dst
}

// options appends those of one encoding, which usually takes so much. The inbox's lock is held.
func (e *encoding) options(now time.Time, usual int64, in *inbox, dst []measure) []measure {
	in.measured = e.rates.Measures(now, in.measured[:0])
	flowing := len(in.measured) > 0 && !e.flow.stopped
	asked := !e.off && now.Sub(e.onAt) < resumeTime
	if flowing && !e.off && !asked {
		e.learn(now, usual, in.measured)
	}
	if len(e.known) == 0 && (e.off || asked) {
		return append(dst, measure{Measure: layer.Measure{
			Layer: layer.Layer{Encoding: e.index, Spatial: layer.All, Temporal: layer.All}, Rate: usual}})
	}
	for _, m := range e.known {
		if m.Encoding = e.index; !flowing && !e.off && !asked {
			m.Rate = 0
		}
		dst = append(dst, m)
	}
	return dst
}

// learn moves what is known of the encoding towards what was measured.
func (e *encoding) learn(now time.Time, usual int64, measured []layer.Measure) {
	if e.knownFrom.IsZero() {
		e.knownFrom, e.knownAt = now, now
	}
	passed := now.Sub(e.knownAt)
	if passed < optionSpan/100 && len(e.known) == len(measured) {
		return // several ask at once
	}
	weight := min(1, passed.Seconds()/max(passed, min(optionSpan, now.Sub(e.knownFrom))).Seconds())
	e.knownAt = now
	for i, m := range measured {
		size := e.sizes[min(m.Spatial, maxSpatial-1)]
		if i == len(e.known) {
			first := measure{Measure: m}
			if usual > 0 {
				first.Rate = min(m.Rate, usual)
			}
			e.known = append(e.known, first)
		}
		k := &e.known[i]
		if k.Layer != m.Layer { // layers have come or gone
			*k = measure{Measure: m}
		}
		k.width, k.height, k.FrameRate = int(size[0]), int(size[1]), m.FrameRate
		if passed > 0 {
			k.Rate = max(1, k.Rate+int64(weight*float64(m.Rate-k.Rate)))
		}
	}
	e.known = e.known[:len(measured)]
}
