package seq

import "testing"

// starts are the places where 16 bits change sign, wrap, or neither.
var starts = []uint16{0, 1, 0x7FFE, 0x7FFF, 0x8000, 0x8001, 0xFFFE, 0xFFFF}

func TestNumbersRunOnAcrossEveryWrap(t *testing.T) {
	for _, start := range starts {
		var s Sequence
		if _, ok := s.Highest(); ok {
			t.Fatal("a highest before the first")
		}
		for i := range int64(200000) {
			if got := s.Unwrap(start + uint16(i)); got != int64(start)+i {
				t.Fatalf("start %x: number %d became %d", start, i, got)
			}
		}
	}
}

func TestAnOlderNumberMovesNothing(t *testing.T) {
	for _, start := range starts {
		var s Sequence
		first := s.Unwrap(start)
		for _, back := range []uint16{1, 2, 100, 0x7FFF} {
			if got := s.Unwrap(start - back); got != first-int64(back) {
				t.Errorf("start %x: %d back is %d", start, back, got)
			}
		}
		if h, _ := s.Highest(); h != first {
			t.Errorf("start %x: highest moved to %d", start, h)
		}
		if got := s.Peek(start + 10); got != first+10 {
			t.Errorf("start %x: peek %d", start, got)
		}
		if got := s.Unwrap(start + 10); got != first+10 {
			t.Errorf("start %x: unwrap %d", start, got)
		}
	}
}

func FuzzSequence(f *testing.F) {
	f.Add([]byte{0xFF, 0xFF, 0, 0, 0x80, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var s Sequence
		for ; len(b) >= 2; b = b[2:] {
			wire := uint16(b[0])<<8 | uint16(b[1])
			before, started := s.Highest()
			x := s.Unwrap(wire)
			if after, _ := s.Highest(); uint16(x) != wire || started && (after < before || x-before > 0x7FFF || before-x > 0x8000) {
				t.Fatalf("%d -> %d, highest %d -> %d", wire, x, before, after)
			}
		}
	})
}

func BenchmarkUnwrap(b *testing.B) {
	var s Sequence
	var i uint16
	for b.Loop() {
		s.Unwrap(i)
		i++
	}
}
