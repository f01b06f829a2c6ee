package sfu

import "testing"

func TestTheNearestEncodingThatArrives(t *testing.T) {
	for _, tt := range []struct{ encodings, best, want uint8 }{
		{0b111, 255, 2}, {0b111, 2, 2}, {0b111, 1, 1}, {0b111, 0, 0},
		{0b011, 2, 1}, {0b001, 2, 0}, {0b101, 1, 0},
		{0b110, 0, 1}, {0b100, 0, 2}, {0b100, 1, 2}, {0b1, 255, 0},
	} {
		if got := nearest(tt.encodings, tt.best); got != tt.want {
			t.Errorf("of %03b up to %d: %d, want %d", tt.encodings, tt.best, got, tt.want)
		}
	}
}

// Whose network is not known begins with a size that it surely carries, and gets the largest when the network is found to carry it; who does
// not report what arrives gets the largest at once.
func TestAPictureBeginsSmallWhereTheNetworkIsNotKnown(t *testing.T) {
	b := newBench(t, nil)
	s := newStudio(t, b, "room", "alice", "q", "h", "f")
	s.small = 60 // bytes, 200 times a second: the largest takes 1.5 Mbit/s
	s.run()
	eventually(t, func() bool { return s.clock.Load() > 20 })
	unknown := &viewer{c: newClient(b, "room", "bob", clientOptions{silent: true, reports: true})}
	if rid, _ := unknown.next(); rid == "f" {
		t.Errorf("it begins with %s", rid)
	}
	unknown.until("f")
	silent := &viewer{c: newClient(b, "room", "carol", clientOptions{silent: true})}
	if rid, _ := silent.next(); rid != "f" {
		t.Errorf("who does not report begins with %s", rid)
	}
}
