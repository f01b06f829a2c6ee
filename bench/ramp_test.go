package bench

import (
	"context"
	"errors"
	"testing"
	"time"
)

func TestARampClimbsUntilItsLimit(t *testing.T) {
	target := testServer(t)
	shape := AudioShape(1, 2)
	r, err := Ramp(context.Background(), target, RampConfig{Shape: shape, Step: 1, StepTime: 500 * time.Millisecond, MaxParticipants: 8, MaxP99: time.Minute}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Bound == BoundClients { // a machine that is busy with other tests: the harness must say so
		t.Logf("the clients were the limit: %s", r.Why)
		return
	}
	if r.Bound != BoundMost || len(r.Steps) != 2 || r.Knee.Participants != 6 || r.Knee.Rooms != 2 || r.ServerCores < 1 {
		t.Fatalf("%+v", r)
	}
	if first, second := r.Steps[0].PacketsOutPerSecond, r.Steps[1].PacketsOutPerSecond; second < 1.5*first || r.Knee.CPUNanosPerPacket <= 0 {
		t.Errorf("%.0f and %.0f packets/s with one and two rooms; %v ns", first, second, r.Knee.CPUNanosPerPacket)
	}
}

func TestTheKneeIsTheLastGoodStep(t *testing.T) {
	c := RampConfig{}.withDefaults()
	good := RampStep{Participants: 10, PacketsOutPerSecond: 1000, Latency: Latency{P99: 49_000}, Loss: 0.01}
	for name, test := range map[string]struct {
		step RampStep
		run  ForwardResult
		want Bound
	}{
		"lossy":   {RampStep{Loss: 0.011}, ForwardResult{}, BoundLoss},
		"slow":    {RampStep{Latency: Latency{P99: 50_001}}, ForwardResult{}, BoundP99},
		"clients": {RampStep{Loss: 1}, ForwardResult{ClientBound: true}, BoundClients},
	} {
		r := RampResult{ServerCores: 2}
		r.judge(c, good, ForwardResult{})
		if r.Bound != "" {
			t.Fatalf("%s: a good step ends the ramp: %s", name, r.Bound)
		}
		r.judge(c, test.step, test.run)
		if r = r.finished(); r.Bound != test.want || r.Knee.Participants != 10 || r.ParticipantsPerCore != 5 || r.PacketsPerCoreSecond != 500 {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestTheFloorNeedsNoServer(t *testing.T) {
	cfg := ForwardConfig{Shape: VideoShape(2, 3), Duration: 500 * time.Millisecond}
	r, err := Floor(context.Background(), Target{}, cfg, nil)
	if err != nil || len(r.Failures) > 0 || r.FloorCPUNanosPerPacket <= 0 || r.Loss > 0.01 || r.CheckedPackets == 0 || r.Latency.P50 <= 0 {
		t.Fatalf("%v %+v", err, r)
	}
	if want := cfg.Shape.PacketsOut(); r.PacketsOutPerSecond < want*0.7 || r.PacketsOutPerSecond > want*1.3 {
		t.Errorf("%.0f packets/s, want about %.0f", r.PacketsOutPerSecond, want)
	}
	cfg.Shape.Subscribers = 0
	if _, err := Floor(context.Background(), Target{}, cfg, nil); !errors.Is(err, ErrShape) {
		t.Error(err)
	}
}
