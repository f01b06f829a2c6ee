package layer

import (
	"math"
	"testing"
	"time"
)

var t0 = time.Unix(1000, 0)

// rate lets an encoder make 30 pictures a second of frames of 500 bytes, each for some time, and measures.
func rate(r *Rates, e encoder, from time.Time, d time.Duration) (time.Time, []Measure) {
	now := from
	for i := 0; now.Before(from.Add(d)); i++ {
		for _, f := range e.picture(i == 0) {
			r.Add(now, &f.Packet, 500)
		}
		now = now.Add(time.Second / 30)
	}
	return now, r.Measures(now, nil)
}

func TestRatesOfLayers(t *testing.T) {
	for _, tt := range []struct {
		name string
		e    encoder
		want []Measure
	}{
		{"VP8", newVP8(2, 0xFFFFF000), []Measure{
			{Layer{2, 0, 0}, 30_000, 7.5}, {Layer{2, 0, 1}, 60_000, 15}, {Layer{2, 0, 2}, 120_000, 30},
		}},
		{"VP9", &vp9{}, []Measure{
			{Layer{0, 0, 0}, 30_000, 7.5}, {Layer{0, 0, 1}, 60_000, 15}, {Layer{0, 0, 2}, 120_000, 30},
			{Layer{0, 1, 0}, 60_000, 7.5}, {Layer{0, 1, 1}, 120_000, 15}, {Layer{0, 1, 2}, 240_000, 30},
			{Layer{0, 2, 0}, 90_000, 7.5}, {Layer{0, 2, 1}, 180_000, 15}, {Layer{0, 2, 2}, 360_000, 30},
		}},
		{"full SVC", &described{t: t, kind: l2t2}, []Measure{
			{Layer{0, 0, 0}, 60_000, 15}, {Layer{0, 0, 1}, 120_000, 30}, {Layer{0, 1, 0}, 120_000, 15}, {Layer{0, 1, 1}, 240_000, 30},
		}},
		{"K-SVC, where a size is sent without the smaller ones", &described{t: t, kind: l2t2Key}, []Measure{
			{Layer{0, 0, 0}, 60_000, 15}, {Layer{0, 0, 1}, 120_000, 30}, {Layer{0, 1, 0}, 60_000, 15}, {Layer{0, 1, 1}, 120_000, 30},
		}},
	} {
		var r Rates
		if got := r.Measures(t0, nil); len(got) != 0 {
			t.Errorf("%s: %+v of nothing", tt.name, got)
		}
		now, got := rate(&r, tt.e, t0, 5*time.Second)
		if len(got) != len(tt.want) {
			t.Fatalf("%s: %+v", tt.name, got)
		}
		for i, want := range tt.want {
			if got[i].Layer != want.Layer || math.Abs(float64(got[i].Rate-want.Rate)) > 0.08*float64(want.Rate)+4500 || math.Abs(got[i].FrameRate-want.FrameRate) > 1.2 {
				t.Errorf("%s: %+v, want %+v", tt.name, got[i], want)
			}
		}
		if got := r.Measures(now.Add(2*time.Second), nil); len(got) != len(tt.want) || got[0].Rate != 1 {
			t.Errorf("%s: a still picture has stopped: %+v", tt.name, got)
		}
		if got := r.Measures(now.Add(4*time.Second), nil); len(got) != 0 {
			t.Errorf("%s: %+v after it stopped", tt.name, got)
		}
	}
}

func TestRatesAreKnownSoonAndFollow(t *testing.T) {
	var r Rates
	e := newVP8(0, 0)
	now, got := rate(&r, e, t0, 300*time.Millisecond)
	if len(got) != 3 || got[2].Rate < 100_000 || got[2].Rate > 160_000 {
		t.Errorf("after 0.3 s: %+v", got)
	}
	for i := range 40 { // Now the lowest layer alone, and large.
		f := e.picture(i == 0)[0]
		f.Temporal = 0
		r.Add(now, &f.Packet, 5000)
		now = now.Add(time.Second / 30)
	}
	if got := r.Measures(now, nil); got[0].Rate < 1_100_000 || got[0].Rate > 1_300_000 || math.Abs(got[0].FrameRate-30) > 1.5 {
		t.Errorf("%+v", got)
	}
	now = now.Add(time.Hour)
	if got := r.Measures(now, nil); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	if _, got := rate(&r, e, now, 2*time.Second); len(got) != 3 || math.Abs(float64(got[2].Rate-120_000)) > 12_000 {
		t.Errorf("after a pause: %+v", got)
	}
}

func TestMeasuringAllocatesNothing(t *testing.T) {
	var r Rates
	f := (&described{t: t, kind: l2t2}).picture(true)[0]
	buffer := make([]Measure, 0, 16)
	now := t0
	if n := testing.AllocsPerRun(1000, func() {
		now = now.Add(time.Millisecond)
		r.Add(now, &f.Packet, 1000)
		buffer = r.Measures(now, buffer[:0])
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkRates(b *testing.B) {
	var r Rates
	f := newVP8(0, 0).picture(true)[0]
	now := t0
	for b.Loop() {
		now = now.Add(time.Millisecond)
		r.Add(now, &f.Packet, 1000)
	}
}
