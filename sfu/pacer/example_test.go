package pacer_test

import (
	"fmt"
	"time"

	"github.com/parleyrtc/parley/sfu/bwe"
	"github.com/parleyrtc/parley/sfu/pacer"
)

// A subscriber's sender: what is forwarded goes through the pacer, what leaves is told to the estimator, and what the estimator says
// sets the pacer. In earnest the owner is asked again at the earlier of the two deadlines, and gives feedback to the estimator.
func Example() {
	now := time.Unix(0, 0)
	estimate := bwe.New(now, bwe.Config{})
	estimate.SetWant(1_500_000)
	waiting := pacer.New[string](now, estimate.Pacing(), pacer.Config{})
	var number int64

	send := func(now time.Time) {
		estimate.Tick(now)
		if probe, ok := estimate.Probe(now); ok {
			waiting.Probe(now, probe)
		}
		waiting.SetRate(now, estimate.Pacing())
		for _, r := range waiting.Due(now, nil) {
			name := r.Item
			if r.Class == pacer.Padding {
				name = fmt.Sprint(r.Size, " bytes of padding")
			}
			number++
			estimate.Sent(now, number, r.Size, r.Cluster)
			fmt.Printf("%v: %s, probe %d\n", now.Sub(time.Unix(0, 0)), name, r.Cluster)
		}
		for _, lost := range waiting.Dropped() {
			fmt.Println("a key frame instead of", lost.Item)
		}
	}

	waiting.Push(now, pacer.Packet[string]{Item: "picture", Class: pacer.Video, Size: 1000})
	waiting.Push(now, pacer.Packet[string]{Item: "sound", Class: pacer.Audio, Size: 120})
	for !waiting.Deadline().IsZero() {
		now = waiting.Deadline()
		send(now)
	}
	// Output:
	// 0s: sound, probe 1
	// 1ms: picture, probe 1
	// 9.455556ms: 293 bytes of padding, probe 1
	// 12.06ms: 293 bytes of padding, probe 1
	// 14.664445ms: 294 bytes of padding, probe 1
}
