package bench

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/parleyrtc/parley/bench/load"
)

func TestForwardComparesTheServerWithTheFloor(t *testing.T) {
	t.Parallel()
	target := testServer(t)
	shape := VideoShape(2, 4)
	shape.Rooms = 2
	updates := 0
	r, err := Forward(context.Background(), target, ForwardConfig{Shape: shape, Duration: 600 * time.Millisecond, Slice: 300 * time.Millisecond},
		func(u Update) {
			updates++
			if u.Total > 0 && u.Done > u.Total*1.5 {
				t.Errorf("%s: %v of %v %s", u.Phase, u.Done, u.Total, u.Unit)
			}
		})
	if err != nil || len(r.Failures) > 0 || r.Partial {
		t.Fatalf("%v %v", err, r.Failures)
	}
	if r.CPUNanosPerPacket <= 0 || r.FloorCPUNanosPerPacket <= 0 || r.Ratio <= 0 || len(r.RatioSlices) != 2 {
		t.Errorf("%v ns, floor %v ns, ratio %v %v", r.CPUNanosPerPacket, r.FloorCPUNanosPerPacket, r.Ratio, r.RatioSlices)
	}
	if want := shape.PacketsOut(); r.PacketsOutPerSecond < want*0.7 || r.PacketsOutPerSecond > want*1.3 {
		t.Errorf("%.0f packets/s, want about %.0f", r.PacketsOutPerSecond, want)
	}
	if r.Loss > 0.01 || r.FloorLoss > 0.01 {
		t.Errorf("loss %v, floor %v, on an idle loopback", r.Loss, r.FloorLoss)
	}
	if r.CheckedPackets == 0 || r.Latency.P50 <= 0 || r.FloorLatency.P50 <= 0 || r.Latency.P99 < r.Latency.P50 {
		t.Errorf("%d checked, latency %+v, floor %+v", r.CheckedPackets, r.Latency, r.FloorLatency)
	}
	if r.ServerRSSBytes < 1<<20 || r.ServerGoroutines < 10 || r.ClientCPUCores <= 0 || r.Participants != 12 || updates < 12 {
		t.Errorf("%d B, %d goroutines, clients %v cores, %d participants, %d updates",
			r.ServerRSSBytes, r.ServerGoroutines, r.ClientCPUCores, r.Participants, updates)
	}
}

func TestForwardOfAudioWithoutAFloor(t *testing.T) {
	t.Parallel()
	target := testServer(t)
	shape := AudioShape(3, 2)
	r, err := Forward(context.Background(), target, ForwardConfig{Shape: shape, Duration: 500 * time.Millisecond, NoFloor: true}, nil)
	if err != nil || len(r.Failures) > 0 || r.Loss > 0.01 || r.CPUNanosPerPacket <= 0 || r.Ratio != 0 {
		t.Fatalf("%v %v, loss %v, %v ns, ratio %v", err, r.Failures, r.Loss, r.CPUNanosPerPacket, r.Ratio)
	}
}

func TestAnInterruptedForwardSaysWhatItHas(t *testing.T) {
	t.Parallel()
	target := testServer(t)
	ctx, cancel := context.WithCancel(context.Background())
	r, err := Forward(ctx, target, ForwardConfig{Shape: AudioShape(1, 1), Duration: time.Minute, NoFloor: true}, func(u Update) {
		if u.Sample != nil {
			cancel()
		}
	})
	if err != nil || !r.Partial || r.CPUNanosPerPacket <= 0 || r.Latency.P50 <= 0 {
		t.Fatalf("%v, partial %v, %v ns, latency %+v", err, r.Partial, r.CPUNanosPerPacket, r.Latency)
	}
}

func TestAServerThatDiesHalfWayIsNamed(t *testing.T) {
	t.Parallel()
	target := testServer(t)
	_, err := Forward(context.Background(), target, ForwardConfig{Shape: AudioShape(1, 1), Duration: time.Minute, NoFloor: true}, func(u Update) {
		if u.Sample != nil {
			target.Owned.Kill()
		}
	})
	if !errors.Is(err, ErrServerDied) {
		t.Fatal(err)
	}
}

func TestForwardRefusesWhatItCannotMeasure(t *testing.T) {
	target := testServer(t)
	for name, shape := range map[string]Shape{"nobody": VideoShape(1, 0), "too many publishers": AudioShape(29, 1), "too many": VideoShape(1, 1000),
		"no packets": {Rooms: 1, Publishers: 1, Subscribers: 1, FPS: 30, PacketBytes: 1100}, "tiny packets": {Rooms: 1, Publishers: 1, Subscribers: 1, FPS: 30, PacketsPerFrame: 1, PacketBytes: 20}} {
		if _, err := Forward(context.Background(), target, ForwardConfig{Shape: shape}, nil); !errors.Is(err, ErrShape) {
			t.Errorf("%s: %v", name, err)
		}
	}
	target.PID = 0
	if _, err := Forward(context.Background(), target, ForwardConfig{Shape: VideoShape(1, 1)}, nil); !errors.Is(err, ErrNoAccounting) {
		t.Errorf("no process id: %v", err)
	}
}

func TestOneToOneCallsAreMeasuredLikeRooms(t *testing.T) {
	t.Parallel()
	target := testServer(t)
	shape := CallShape(3)
	r, err := Forward(context.Background(), target, ForwardConfig{Shape: shape, Duration: 500 * time.Millisecond, Sample: 2}, nil)
	if err != nil || len(r.Failures) > 0 || r.Participants != 6 {
		t.Fatalf("%v %v, %d participants", err, r.Failures, r.Participants)
	}
	if want := shape.PacketsOut(); want != 3*2*350 || r.PacketsOutPerSecond < want*0.7 || r.PacketsOutPerSecond > want*1.3 {
		t.Errorf("%.0f packets/s, want about %.0f", r.PacketsOutPerSecond, want)
	}
	if r.Loss > 0.01 || r.FloorLoss > 0.01 || r.Ratio <= 0 || r.Latency.P50 <= 0 || r.FloorLatency.P50 <= 0 {
		t.Errorf("loss %v, floor %v; ratio %v; latency %+v, floor %+v", r.Loss, r.FloorLoss, r.Ratio, r.Latency, r.FloorLatency)
	}
}

func TestPublishersAreEvenlyApart(t *testing.T) {
	for name, shape := range map[string]Shape{"rooms": VideoShape(4, 50), "calls": CallShape(25), "spread": {Rooms: 3, Publishers: 2, Subscribers: 1, FPS: 30,
		PacketsPerFrame: 10, PacketBytes: 100, Spread: true}} {
		for _, p := range shape.sends(0) {
			count := shape.Rooms * shape.publishersOf()
			step := p.Interval
			if p.Spread {
				step /= time.Duration(p.Packets)
			}
			for n := range count {
				gap := (shape.phase(p, (n+1)%count, shape.Rooms) - shape.phase(p, n, shape.Rooms) + step) % step
				if want := step / time.Duration(count); (gap - want).Abs() > time.Microsecond {
					t.Fatalf("%s: %v between publishers %d and %d, want %v", name, gap, n, n+1, want)
				}
			}
			seen := map[time.Duration]bool{}
			for n := range 100 { // how many there will be is not known
				seen[shape.phase(p, n, 0)*20/step] = true
			}
			if len(seen) != 20 {
				t.Errorf("%s: a hundred publishers leave parts of the interval empty: %v", name, seen)
			}
		}
	}
}

func TestTheRatioHasWhatIsPaidOnlyNowAndThen(t *testing.T) {
	r := newRun(Target{}, ForwardConfig{}, nil, load.Server, load.Floor)
	began := time.Now()
	for turn := range 10 {
		costs := map[load.Route]float64{}
		for route, cost := range map[load.Route]time.Duration{load.Server: 2000, load.Floor: 1000} {
			if route == load.Server && turn%5 == 4 {
				cost = 3000 // a collection of garbage
			}
			from, to := mark{at: began}, mark{at: began.Add(time.Second), cpu: cost * 60_000}
			to.snapshot.Received[route].Packets = 60_000
			costs[route] = r.account(route, load.Snapshot{}, to.snapshot, from, to)
		}
		r.ratios = append(r.ratios, costs[load.Server]/costs[load.Floor])
	}
	if got := r.result(); math.Abs(got.Ratio-2.2) > 1e-9 || got.RatioMedian != 2 {
		t.Errorf("a ratio of 2, and of 3 in every fifth turn, is called %v, its median %v", got.Ratio, got.RatioMedian)
	}
}
