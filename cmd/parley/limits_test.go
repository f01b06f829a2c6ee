package main

import (
	"testing"

	"github.com/parleyrtc/parley/configs"
	"github.com/parleyrtc/parley/sfu"
	"github.com/parleyrtc/parley/signaling/wire"
)

// TestEverybodyMeansTheSameMostPairs holds a number together that parts name which do not import each other.
func TestEverybodyMeansTheSameMostPairs(t *testing.T) {
	if sfu.MaxPairs != wire.MaxPairs {
		t.Errorf("the SFU takes %d pairs, the protocol allows %d", sfu.MaxPairs, wire.MaxPairs)
	}
	c := configs.Default()
	if c.Calls.MaxPairs != wire.MaxPairs {
		t.Errorf("calls.max_pairs is %d by default, the protocol allows %d", c.Calls.MaxPairs, wire.MaxPairs)
	}
	sources := 4 // microphone, camera, screen, screen audio
	if lines := 2*wire.MaxPairs + sources + 1; lines > wire.MaxMediaLines {
		t.Errorf("a full pool, every source and the data channel need %d m-lines of %d", lines, wire.MaxMediaLines)
	}
}
