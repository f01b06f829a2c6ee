package bench

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/parleyrtc/parley/bench/load"
)

// The server counts on its own what it takes in and hands to its sockets.
func TestServerAndClientsCountTheSamePackets(t *testing.T) {
	t.Parallel()
	target := testServer(t)
	ctx := context.Background()
	shape := AudioShape(2, 3)
	stage, err := newStage(target, shape, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer stage.close()
	if err := stage.size(ctx, stage.units(1), nil); err != nil {
		t.Fatal(err)
	}
	r := newRun(target, ForwardConfig{Shape: shape}, nil, load.Server)
	r.stage = stage
	if err := r.warmUp(ctx); err != nil {
		t.Fatal(err)
	}
	for range 2 { // a stream that pauses goes on where it was
		if err := stage.route(load.Server); err != nil {
			t.Fatal(err)
		}
		time.Sleep(400 * time.Millisecond)
		if err := stage.route(load.Paused); err != nil {
			t.Fatal(err)
		}
		time.Sleep(drain)
	}
	got, err := stage.count()
	if err != nil {
		t.Fatal(err)
	}
	received := got.Received[load.Server]
	for metric, ours := range map[string]uint64{
		`parley_rtp_packets_total{dir="in",kind="audio"}`:  got.Sent[load.Server],
		`parley_rtp_packets_total{dir="out",kind="audio"}`: received.Packets + received.Repeated,
	} {
		theirs, err := target.Metric(ctx, metric)
		if err != nil || theirs < 50 || theirs != float64(ours) {
			t.Errorf("%s is %v for the server, %d for the clients, %v", metric, theirs, ours, err)
		}
	}
	if received.Checked != received.Packets || received.Corrupt != 0 || got.Reports == 0 {
		t.Errorf("all subscribers are of the sample: %+v, %d sender reports", received, got.Reports)
	}
}

func TestTheSampleIsOfTheMiddleOfTheRoom(t *testing.T) {
	for _, row := range []struct {
		shape  Shape
		sample int
		want   []int // by the order of subscribers
	}{
		{VideoShape(4, 50), 10, []int{5, 15, 25, 35, 45}},
		{VideoShape(1, 4), 2, []int{1, 3}},
		{VideoShape(1, 3), 10, []int{2}},
		{AudioShape(1, 1), 10, []int{0}},
		{VideoShape(1, 3), 1, []int{0, 1, 2}},
	} {
		s := &stage{shape: row.shape, sample: row.sample}
		var got []int
		for place := range row.shape.Subscribers {
			if s.samples(row.shape.Publishers + place) {
				got = append(got, place)
			}
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("one in %d of %d subscribers: %v, want %v", row.sample, row.shape.Subscribers, got, row.want)
		}
	}
}
