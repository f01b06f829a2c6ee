package load

import (
	"testing"

	"pgregory.net/rapid"
)

func TestAFlowCountsLossRepetitionsAndLatePackets(t *testing.T) {
	for _, start := range []uint16{0, 1, 100, 32767, 32768, 65000, 65530, 65535} {
		for name, test := range map[string]struct {
			offsets                      []int
			received, expected, repeated uint64
		}{
			"in order":         {[]int{0, 1, 2, 3}, 4, 4, 0},
			"one lost":         {[]int{0, 1, 3}, 3, 4, 0},
			"late":             {[]int{0, 2, 1, 3}, 4, 4, 0},
			"repeated":         {[]int{0, 1, 1, 2, 0}, 3, 3, 2},
			"before the first": {[]int{5, 4, 6}, 3, 3, 0},
			"a long gap":       {[]int{0, 5000}, 2, 5001, 0},
			"far too late":     {[]int{0, 5000, 1}, 2, 5001, 1},
			"a whole round":    {[]int{0, 20000, 40000, 60000, 80000}, 5, 80001, 0},
		} {
			var f flow
			for _, o := range test.offsets {
				f.count(start + uint16(o))
			}
			if f.received != test.received || f.expected() != test.expected || f.repeated != test.repeated {
				t.Errorf("%s from %d: received %d, expected %d, repeated %d; want %d, %d, %d", name, start,
					f.received, f.expected(), f.repeated, test.received, test.expected, test.repeated)
			}
		}
	}
}

func TestAFlowAgreesWithASimpleCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.Uint16().Draw(t, "start")
		var f flow
		seen := map[int]bool{}
		at, highest, lowest, repeated := 0, 0, 0, uint64(0)
		for i := range rapid.IntRange(1, 300).Draw(t, "packets") {
			offset := 0
			if i > 0 {
				at = max(highest+rapid.IntRange(-40, 40).Draw(t, "step"), 0)
				offset = at
			}
			if seen[offset] {
				repeated++
			}
			seen[offset] = true
			highest, lowest = max(highest, offset), min(lowest, offset)
			f.count(start + uint16(offset))
		}
		if f.received != uint64(len(seen)) || f.expected() != uint64(highest-lowest+1) || f.repeated != repeated {
			t.Fatalf("received %d of %d, repeated %d; want %d of %d, %d", f.received, f.expected(), f.repeated, len(seen), highest-lowest+1, repeated)
		}
	})
}

func TestAReportBlockTellsOnlyTheNewLoss(t *testing.T) {
	var f flow
	for _, n := range []uint16{1, 2, 4} { // 3 is lost
		f.count(n)
	}
	if r := f.report(0); r.FractionLost != 64 || r.TotalLost != 1 || r.LastSequenceNumber != 4 || r.Delay != 0 {
		t.Errorf("one of four: %+v", r)
	}
	f.senderReport, f.senderReportAt = 7, 1e9
	f.count(5)
	if r := f.report(3e9); r.FractionLost != 0 || r.TotalLost != 1 || r.LastSenderReport != 7 || r.Delay != 2*65536 {
		t.Errorf("none of one more, a sender report 2 s ago: %+v", r)
	}
}

func TestJitterFollowsUnevenArrivals(t *testing.T) {
	var even, uneven jitter
	for i := range int64(100) {
		even.add(i*20e6, uint32(i*960), 48000)
		uneven.add(i*20e6+(i%2)*5e6, uint32(i*960), 48000)
	}
	if even.value > 1 || uneven.value < 200 || uneven.value > 250 { // 5 ms are 240 steps of the clock
		t.Errorf("jitter of even arrivals %.1f, of uneven ones %.1f", even.value, uneven.value)
	}
}

// What a server probes with is no repetition.
func TestPaddingIsNoRepair(t *testing.T) {
	s, err := newSubscriber(&Engine{}, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	for i := range byte(5) {
		b := make([]byte, 40)
		b[0], b[1], b[3] = 0x80, rtxType, i
		if i > 1 {
			b[0] |= 0x20
		}
		s.rtp(b, Server, 0)
	}
	if got := s.count(Server); got.Repairs != 2 || got.Padding != 3 || got.Packets != 0 {
		t.Errorf("%+v", got)
	}
}
