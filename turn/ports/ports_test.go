package ports

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func none(uint16) bool { return false }

func TestEveryPortOfTheRangeOnceButForTheExcluded(t *testing.T) {
	for _, row := range []struct{ low, high uint16 }{{1, 1}, {50000, 50999}, {49152, 65535}, {65535, 65535}} {
		p := New(row.low, row.high, func(port uint16) bool { return port == 50007 })
		seen := map[uint16]bool{}
		for {
			port, ok := p.Take()
			if !ok {
				break
			}
			if seen[port] || port < row.low || port > row.high || port == 50007 {
				t.Fatalf("%d of %d to %d", port, row.low, row.high)
			}
			seen[port] = true
		}
		want := int(row.high) - int(row.low) + 1
		if row.low <= 50007 && row.high >= 50007 {
			want--
		}
		if len(seen) != want {
			t.Errorf("%d ports of %d to %d, want %d", len(seen), row.low, row.high, want)
		}
	}
}

func TestAPortRestsAsLongAsThereAreOthers(t *testing.T) {
	p := New(1, 100, none)
	returned, _ := p.Take()
	p.Return(returned)
	for i := range 99 {
		port, ok := p.Take()
		if !ok || port == returned {
			t.Fatalf("%d came back after %d others", returned, i)
		}
		p.Return(port)
	}
	if port, ok := p.Take(); !ok || port != returned {
		t.Errorf("%d, want %d, which rested longest", port, returned)
	}
}

func TestNothingIsHandedOutTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 8).Draw(t, "size")
		p := New(100, uint16(99+size), none)
		var taken []uint16
		t.Repeat(map[string]func(*rapid.T){
			"take": func(t *rapid.T) {
				port, ok := p.Take()
				if ok != (len(taken) < size) || ok && slices.Contains(taken, port) {
					t.Fatalf("%d %v while %v are taken", port, ok, taken)
				}
				if ok {
					taken = append(taken, port)
				}
			},
			"return": func(t *rapid.T) {
				if len(taken) == 0 {
					t.Skip("nothing is taken")
				}
				i := rapid.IntRange(0, len(taken)-1).Draw(t, "which")
				p.Return(taken[i])
				taken = slices.Delete(taken, i, i+1)
			},
		})
	})
}
