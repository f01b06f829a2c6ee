package protect

import (
	"errors"
	"testing"

	"pgregory.net/rapid"
)

// interesting are indexes beside which something changes: sign, lap, end.
var interesting = []int64{0, 1, 1 << 15, 1<<15 - 1, 1 << 16, 1<<16 + 1<<15, 1 << 17, 1<<31 + 7, 1 << 32, 1<<32 + 1<<15, endOfIndex - 1<<16, endOfIndex - 1<<15, endOfIndex - 1}

// anIndex draws one near an interesting place or anywhere.
func anIndex(t *rapid.T, name string) int64 {
	i := rapid.SampledFrom(interesting).Draw(t, name) + rapid.Int64Range(-3, 3).Draw(t, name+" off")
	if rapid.Bool().Draw(t, name+" anywhere") {
		i = rapid.Int64Range(0, endOfIndex-1).Draw(t, name+" at")
	}
	return min(max(i, 0), endOfIndex-1)
}

// nearest is the rule of RFC 3711 §3.3.1 told as what it is for: of all indexes with these low bits, the nearest that is not
// before the first lap, and on a tie the one of the same lap.
func nearest(highest int64, seq uint16) int64 {
	lap := highest >> 16
	best, distance := int64(-1), int64(1<<62)
	for _, roc := range []int64{lap, lap - 1, lap + 1} {
		index := roc<<16 | int64(seq)
		if d := max(index-highest, highest-index); roc >= 0 && d < distance {
			best, distance = index, d
		}
	}
	return best
}

func TestEstimateIsTheNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		highest := anIndex(t, "highest")
		// On the first lap, what would be half a lap before the start is ahead instead.
		s := &source{highest: highest}
		seq := uint16(highest + int64(rapid.SampledFrom([]int{0, 1, -1, 1<<15 - 1, 1 << 15, 1<<15 + 1, 300}).Draw(t, "step")))
		if rapid.Bool().Draw(t, "any") {
			seq = rapid.Uint16().Draw(t, "seq")
		}
		want := nearest(highest, seq)
		if got := s.estimate(seq); got != want {
			t.Fatalf("highest %x, sequence %x: %x, not %x", highest, seq, got, want)
		}
	})
}

func TestEstimateFollowsEveryPathWithinHalfALap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		highest := int64(rapid.Uint16().Draw(t, "first"))
		s := &source{highest: highest}
		for range 200 {
			index := highest + rapid.Int64Range(-(1<<15-1), 1<<15-1).Draw(t, "step")
			if index < 0 {
				continue // No sender has such a packet.
			}
			if got := s.estimate(uint16(index)); got != index {
				t.Fatalf("highest %x: %x was taken for %x", highest, index, got)
			}
			highest = max(highest, index)
			s.accept(index)
		}
	})
}

func TestWindowRemembersWhatItSaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := anIndex(t, "start")
		s := &source{highest: start}
		s.accept(start)
		seen, highest := map[int64]bool{start: true}, start
		for range 300 {
			step := rapid.SampledFrom([]int64{1, 2, 63, 64, 65, window - 1, window, window + 1, 5000}).Draw(t, "ahead")
			index := highest + step
			if rapid.IntRange(0, 2).Draw(t, "way") > 0 {
				index = highest - rapid.Int64Range(0, window+3).Draw(t, "behind")
			}
			if index < 0 {
				continue
			}
			want := !seen[index] && highest-index < window
			if got := s.fresh(index); got != want {
				t.Fatalf("%d behind %d: fresh %v, not %v", index, highest, got, want)
			}
			if want {
				s.accept(index)
				seen[index], highest = true, max(highest, index)
			}
		}
	})
}

// The last index is opened, and what would come after it is not taken for something old.
func TestOpenerEndsWithItsKeys(t *testing.T) {
	for _, profile := range []Profile{GCM128, CM80} {
		salt := make([]byte, profile.saltSize())
		keys := Keys{Profile: profile, LocalKey: make([]byte, 16), LocalSalt: salt, RemoteKey: make([]byte, 16), RemoteSalt: salt}
		s, err := NewSealer(keys)
		if err != nil {
			t.Fatal(err)
		}
		o, err := NewOpener(keys)
		if err != nil {
			t.Fatal(err)
		}
		o.media.accept(nil, 7, endOfIndex-3)
		sealed := func(seq uint16, index int64) []byte {
			head := []byte{0x80, 96, byte(seq >> 8), byte(seq), 0, 0, 0, 0, 0, 0, 0, 7}
			packet, err := s.Seal(head, 0, []byte("words"), 7, index)
			if err != nil {
				t.Fatal(err)
			}
			return packet
		}
		if _, err := o.Open(sealed(0xFFFF, endOfIndex-1), 12, 7, 0xFFFF); err != nil {
			t.Errorf("%s: the last packet: %v", profile, err)
		}
		if _, err := o.Open(sealed(0, 0), 12, 7, 0); !errors.Is(err, ErrExhausted) {
			t.Errorf("%s: the packet after the last: %v", profile, err)
		}
		if _, err := o.Open(sealed(0xFFFE, endOfIndex-2), 12, 7, 0xFFFE); err != nil {
			t.Errorf("%s: one that was late: %v", profile, err)
		}
	}
}

// The index of SRTCP is never used again, not even when there is none left.
func TestSealerRTCPEndsWithItsKeys(t *testing.T) {
	s, err := NewSealer(Keys{Profile: GCM128, LocalKey: make([]byte, 16), LocalSalt: make([]byte, 12)})
	if err != nil {
		t.Fatal(err)
	}
	s.srtcp.SetIndex(7, lastRTCPIndex-1)
	plain := []byte{0x80, 201, 0, 1, 0, 0, 0, 7}
	if _, err := s.SealRTCP(nil, plain); err != nil {
		t.Errorf("the last packet: %v", err)
	}
	for range 2 {
		if dst, err := s.SealRTCP([]byte("kept"), plain); !errors.Is(err, ErrExhausted) || string(dst) != "kept" {
			t.Errorf("after the last packet: %q, %v", dst, err)
		}
	}
}
