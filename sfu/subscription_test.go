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
