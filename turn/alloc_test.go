//go:build !race

package turn

import "testing"

// The race detector has pools forget at random, so this is not for it.
func TestNothingIsAllocatedForADirectDatagram(t *testing.T) {
	d, _ := alone(t)
	b := make([]byte, 1200)
	if n := testing.AllocsPerRun(1000, func() {
		for range 10 {
			_, _ = d.WriteToUDPAddrPort(b, mediaThere) // The plane sends it back.
		}
		for range 10 {
			_, _, _ = d.ReadFromUDPAddrPort(b)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
