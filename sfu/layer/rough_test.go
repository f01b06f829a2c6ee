package layer

import (
	"testing"

	"pgregory.net/rapid"
)

// piece is one of the packets of a frame.
type piece struct {
	Packet
	frame *frame
}

// pieces cuts a frame.
func pieces(f *frame, n int) []piece {
	out := make([]piece, n)
	for i := range out {
		out[i] = piece{f.Packet, f}
		out[i].Keyframe = f.Keyframe && i == 0
		out[i].Last, out[i].Marker = f.Last && i == n-1, f.Marker && i == n-1
		out[i].Dependency.First, out[i].Dependency.Last = i == 0, i == n-1
		out[i].Dependency.Attached = f.Dependency.Attached && i == 0
	}
	return out
}

// TestOnARoughRoadFramesStayWhole loses packets and lets others come late. Packets of a frame share its fate, and no frame is
// forwarded without those it refers to, as far as they came.
func TestOnARoughRoadFramesStayWhole(t *testing.T) {
	for name, make := range map[string]func() encoder{
		"vp8":      func() encoder { return newVP8(0, 0xFFFFF000) },
		"svc":      func() encoder { return &vp9{} },
		"k-svc":    func() encoder { return &vp9{key: true} },
		"dd time":  func() encoder { return &described{t: t, kind: l1t3, number: 0xFFF0} },
		"dd size":  func() encoder { return &described{t: t, kind: l2t2} },
		"dd k-svc": func() encoder { return &described{t: t, kind: l2t2Key} },
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) { stumble(r, make()) })
		})
	}
}

func stumble(r *rapid.T, e encoder) {
	var s Selector
	s.Set(Layer{Spatial: All, Temporal: All}, false)
	fates := map[int]bool{}
	begun := -1 // the frame it began with
	var held []piece
	offer := func(p *piece) {
		c := s.Choose(&p.Packet)
		forwarded := c.Verdict == Forward || c.Verdict == Begin
		if c.Verdict == Begin {
			begun = p.frame.id
		}
		if begun < 0 || p.frame.id <= begun { // What came before the beginning is asked for again.
			return
		}
		if before, ok := fates[p.frame.id]; ok && before != forwarded {
			r.Fatalf("frame %d of %+v was forwarded in part", p.frame.id, p.frame.Layer)
		}
		fates[p.frame.id] = forwarded
		if !forwarded {
			return
		}
		for _, ref := range p.frame.refs {
			if fate, came := fates[ref]; ref > begun && came && !fate {
				r.Fatalf("frame %d of %+v is forwarded, and not %d", p.frame.id, p.frame.Layer, ref)
			}
		}
	}
	percent := rapid.IntRange(0, 99)
	for i := range rapid.IntRange(10, 120).Draw(r, "pictures") {
		if percent.Draw(r, "wish") < 10 {
			s.Set(Layer{Spatial: rapid.SampledFrom([]uint8{0, 1, All}).Draw(r, "spatial"), Temporal: rapid.SampledFrom([]uint8{0, 1, All}).Draw(r, "temporal")}, false)
		}
		frames := e.picture(i == 0 || percent.Draw(r, "key") < 5)
		for j := range frames {
			for _, p := range pieces(&frames[j], rapid.IntRange(1, 3).Draw(r, "packets")) {
				switch fate := percent.Draw(r, "fate"); {
				case fate < 5: // lost
				case fate < 12 && !p.Keyframe:
					held = append(held, p)
				default:
					offer(&p)
				}
			}
		}
		for len(held) > 0 && percent.Draw(r, "late") < 40 {
			offer(&held[0])
			held = held[1:]
		}
	}
}
