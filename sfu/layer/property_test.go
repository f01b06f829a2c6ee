package layer

import (
	"testing"

	"github.com/parleyrtc/parley/sfu/munge"
	"pgregory.net/rapid"
)

// TestWhateverIsWishedForCanBeDecoded drives each kind of encoder with random wishes and keyframes. What is forwarded
// can always be decoded, and the picture never stands still: a switch leaves no picture of the lowest rate out.
func TestWhateverIsWishedForCanBeDecoded(t *testing.T) {
	for name, make := range map[string]func() []encoder{
		"simulcast": func() []encoder { return []encoder{newVP8(0, 5), newVP8(1, 1<<31), newVP8(2, 0xFFFFF000)} },
		"svc":       func() []encoder { return []encoder{&vp9{}} },
		"k-svc":     func() []encoder { return []encoder{&vp9{key: true}} },
		"dd time":   func() []encoder { return []encoder{&described{t: t, kind: l1t3, number: 0xFF00}} },
		"dd size":   func() []encoder { return []encoder{&described{t: t, kind: l2t2}} },
		"dd k-svc":  func() []encoder { return []encoder{&described{t: t, kind: l2t2Key, number: 0x7FF0}} },
		"dd simulcast": func() []encoder {
			return []encoder{&described{t: t, kind: l1t3}, &described{t: t, kind: l1t3, encoding: 1, number: 0xFFF0}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) { wander(t, r, make()) })
		})
	}
}

func wander(t *testing.T, r *rapid.T, encoders []encoder) {
	var s Selector
	d := &decoder{t: t}
	road := newRoad(t)
	quiet := 0 // pictures since the last one forwarded
	for range rapid.IntRange(20, 200).Draw(r, "pictures") {
		if rapid.IntRange(0, 9).Draw(r, "wish") == 0 {
			s.Set(Layer{
				Encoding: uint8(rapid.IntRange(0, len(encoders)-1).Draw(r, "encoding")),
				Spatial:  rapid.SampledFrom([]uint8{0, 1, All}).Draw(r, "spatial"),
				Temporal: rapid.SampledFrom([]uint8{0, 1, All}).Draw(r, "temporal"),
			}, rapid.Bool().Draw(r, "urgent"))
		}
		wanted, ask := s.Wants()
		before, running := s.Current()
		shown := false
		for i, e := range encoders {
			key := rapid.IntRange(0, 30).Draw(r, "key") == 0 || ask && int(wanted) == i && rapid.IntRange(0, 3).Draw(r, "answered") == 0
			frames := e.picture(key)
			for j := range frames {
				c := s.Choose(&frames[j].Packet)
				road.step(&frames[j], c)
				if c.Verdict == Forward || c.Verdict == Begin {
					d.take(&frames[j], c.Verdict)
					shown = true
				}
			}
		}
		quiet++
		if shown || !running {
			quiet = 0
		}
		if quiet > 4 {
			t.Fatalf("frozen for %d pictures at %+v", quiet, before)
		}
	}
}

// road is what a subscription does with the verdicts: the numbers it sends have no gap.
type road struct {
	t       *testing.T
	numbers *munge.Stream
	source  munge.Source
	next    [3]int64
	sent    int64
}

func newRoad(t *testing.T) *road {
	return &road{t: t, numbers: munge.New(munge.Config{ClockRate: 90000, Video: true, Sequence: 7})}
}

func (o *road) step(f *frame, c Decision) {
	in := munge.In{Source: o.source, Sequence: o.next[f.Encoding], Timestamp: f.Timestamp, Start: f.Keyframe}
	o.next[f.Encoding]++
	var out munge.Out
	switch c.Verdict {
	case Begin:
		o.source++
		in.Source, in.Start = o.source, true
		o.numbers.Switch(o.source)
		fallthrough
	case Forward:
		if v := o.numbers.Map(&in, &out); v != munge.Forward || out.Sequence != 7+o.sent || out.Switched != (c.Verdict == Begin) {
			o.t.Fatalf("%v: munge says %v %+v after %d packets", c.Verdict, v, out, o.sent)
		}
		o.sent++
	case Skip:
		o.numbers.Skip(&in)
	}
}

// FuzzChoose shows a selector packets that follow no rule.
func FuzzChoose(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
	f.Fuzz(func(t *testing.T, b []byte) {
		var s Selector
		encoders := []encoder{&described{t: t, kind: l2t2Key}, &described{t: t, kind: l1t3, encoding: 1}, &vp9{}}
		for ; len(b) >= 4; b = b[4:] {
			switch b[0] % 8 {
			case 0:
				s.Set(Layer{b[1] % 3, b[2], b[3]}, b[0]&8 != 0)
			case 1:
				s.Pause()
			default:
				frames := encoders[b[1]%3].picture(b[2]%8 == 0)
				p := frames[int(b[3])%len(frames)].Packet
				if b[2]&0x40 != 0 {
					p.Encoding = b[3] % 4
				}
				if b[2]&0x80 != 0 {
					p.Timestamp = uint32(b[3]) << 24
				}
				p.HasDependency = p.HasDependency && b[3]&0x80 == 0
				s.Choose(&p)
				s.Choose(&p)
			}
			s.Wants()
			s.Current()
		}
	})
}

func TestChoosingAllocatesNothing(t *testing.T) {
	for _, e := range []encoder{newVP8(0, 0), &vp9{}, &described{t: t, kind: l2t2}} {
		frames := e.picture(true)
		for range 100 {
			frames = append(frames, e.picture(false)...)
		}
		var s Selector
		at := 0
		if n := testing.AllocsPerRun(1000, func() {
			s.Set(Layer{Spatial: uint8(at % 3), Temporal: uint8(at % 3)}, false)
			s.Choose(&frames[at%len(frames)].Packet)
			s.Wants()
			at++
		}); n != 0 {
			t.Errorf("%T: %v allocations", e, n)
		}
	}
}

func benchmark(b *testing.B, e encoder) {
	frames := e.picture(true)
	for range 64 {
		frames = append(frames, e.picture(false)...)
	}
	var s Selector
	s.Set(Layer{Spatial: 1, Temporal: 1}, false)
	at := 0
	for b.Loop() {
		s.Choose(&frames[at].Packet)
		if at++; at == len(frames) {
			at = 0
		}
	}
}

func BenchmarkChooseVP8(b *testing.B)        { benchmark(b, newVP8(0, 0)) }
func BenchmarkChooseVP9(b *testing.B)        { benchmark(b, &vp9{}) }
func BenchmarkChooseDependency(b *testing.B) { benchmark(b, &described{t: b, kind: l2t2}) }
