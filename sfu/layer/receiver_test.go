package layer

import (
	"testing"

	"github.com/parleyrtc/parley/sfu/packet"
)

// TestAReceiverReadsOneStreamWhateverTheSource writes the dependency descriptor as a subscription does: the frame numbers go
// on, and the receiver knows which targets it gets.
func TestAReceiverReadsOneStreamWhateverTheSource(t *testing.T) {
	small := &described{t: t, kind: l1t3, number: 0xFFF8}
	large := &described{t: t, kind: l2t2Key, encoding: 1, number: 17}
	var (
		s        Selector
		numbers  Counter
		source   uint64
		receiver packet.DependencyReader
		last     = int64(-1)
		seen     packet.Dependency
		began    int
	)
	send := func(frames []frame) {
		for i := range frames {
			p := &frames[i].Packet
			c := s.Choose(p)
			switch c.Verdict {
			case Begin:
				source++
				began++
				numbers.Begin(source, p.Dependency.Number, 0xFFFF)
			case Forward:
			default:
				continue
			}
			d := p.Dependency
			d.Number, _ = numbers.Map(source, d.Number, 0xFFFF)
			if c.Announce {
				d.HasActive, d.Active = true, c.Active
			}
			if !receiver.Read(d.Append(nil), &seen) || seen.Frame <= last || seen.Spatial != p.Spatial || seen.Temporal != p.Temporal {
				t.Fatalf("frame %d after %d: %+v", seen.Frame, last, seen)
			}
			last = seen.Frame
			if l, _ := s.Current(); !told(&seen, l) {
				t.Fatalf("the receiver is told %b at %+v", seen.Active, l)
			}
		}
	}
	for round := range 6 {
		s.Set(Layer{Encoding: uint8(round % 2), Spatial: All, Temporal: uint8(round % 3)}, false)
		for i := range 50 {
			send(small.picture(i == 20))
			send(large.picture(i == 30))
		}
	}
	if began != 6 {
		t.Errorf("%d beginnings", began)
	}
}

// told says that the receiver knows of the target that it gets, and of none beyond it.
func told(d *packet.Dependency, l Layer) bool {
	found := false
	for i := range d.Structure.Targets() {
		if d.Active>>i&1 == 0 {
			continue
		}
		o := layerOf(d.Structure, i)
		if o.Spatial > l.Spatial || o.Temporal > l.Temporal {
			return false
		}
		found = found || o.Spatial == l.Spatial && o.Temporal == l.Temporal
	}
	return found
}
