//go:build !race

package protect_test

import "testing"

// Under the race detector the pool that pion takes its counter block from forgets now and then.
func TestNoAllocationPerPacket(t *testing.T) {
	for _, p := range profiles {
		s, o := newSealer(t, p), newOpener(t, p)
		payload := make([]byte, 1100)
		buffer := make([]byte, 0, 1500)
		h := head(t, 6, 5, 0)
		var index int64
		seal := func() []byte {
			index++
			h[2], h[3] = byte(index>>8), byte(index)
			packet, err := s.Seal(append(buffer, h...), 0, payload, 5, index)
			if err != nil {
				t.Fatal(err)
			}
			return packet
		}
		if _, err := o.Open(seal(), len(h), 5, uint16(index)); err != nil { // The first of a source takes memory.
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(1000, func() { seal() }); n != 0 {
			t.Errorf("%s: Seal allocates %v times", p, n)
		}
		if n := testing.AllocsPerRun(1000, func() {
			if _, err := o.Open(seal(), len(h), 5, uint16(index)); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: Seal and Open allocate %v times", p, n)
		}
		if n := testing.AllocsPerRun(1000, func() {
			packet := seal()
			packet[len(packet)-1]++
			if _, err := o.Open(packet, len(h), 5, uint16(index)); err == nil {
				t.Fatal("opened")
			}
		}); n != 0 {
			t.Errorf("%s: a wrong tag allocates %v times", p, n)
		}
	}
}
