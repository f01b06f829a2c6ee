package protect_test

import (
	"testing"

	"github.com/parleyrtc/parley/sfu/protect"
)

func TestAheadIsTheNewestOfAKnownSource(t *testing.T) {
	for _, profile := range []protect.Profile{protect.GCM128, protect.CM80} {
		s, o := newSealer(t, profile), newOpener(t, profile)
		if o.Ahead(5, 1) || o.Sources() != 0 {
			t.Error("a source that nobody has heard of is ahead")
		}
		for _, index := range []int64{65534, 65540, 65537} { // over the end of the numbers, and one late
			if _, err := o.Open(sealed(t, s, 5, index, "payload"), 12, 5, uint16(index)); err != nil {
				t.Fatal(err)
			}
		}
		for seq, want := range map[uint16]bool{65533: false, 65534: false, 1: false, 4: false, 5: true, 100: true, 40000: false} {
			if o.Ahead(5, seq) != want {
				t.Errorf("%s: %d is ahead: %v", profile, seq, !want)
			}
		}
		var reports [3][]byte
		for i := range reports {
			var err error
			if reports[i], err = s.SealRTCP(nil, report(6)); err != nil {
				t.Fatal(err)
			}
		}
		if o.AheadRTCP(reports[0]) {
			t.Error("a source that nobody has heard of is ahead")
		}
		second := append([]byte(nil), reports[1]...)
		if _, err := o.OpenRTCP(second); err != nil {
			t.Fatal(err)
		}
		if o.AheadRTCP(reports[0]) || o.AheadRTCP(reports[1]) || !o.AheadRTCP(reports[2]) || o.AheadRTCP(reports[2][:20]) {
			t.Errorf("%s: of three reports, not the third alone is ahead of the second", profile)
		}
		if o.Sources() != 2 {
			t.Errorf("%d sources, want 2", o.Sources())
		}
	}
}
