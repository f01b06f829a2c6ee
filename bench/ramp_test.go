package bench

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/parleyrtc/parley/bench/load"
)

func TestARampClimbsUntilItsLimit(t *testing.T) {
	t.Parallel()
	target := testServer(t)
	shape := AudioShape(1, 2)
	r, err := Ramp(context.Background(), target, RampConfig{Shape: shape, Step: 1, StepTime: 300 * time.Millisecond, MaxParticipants: 6, MaxP99: time.Minute}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Bound == BoundClients { // a machine that is busy with other tests: the harness must say so
		t.Logf("the clients were the limit: %s", r.Why)
		return
	}
	if r.Bound != BoundMost || len(r.Steps) != 3 || r.Knee.Participants != 6 || r.Knee.Rooms != 2 || r.ServerCores < 1 {
		t.Fatalf("%+v", r)
	}
	first, second, third := r.Steps[0], r.Steps[1], r.Steps[2]
	if first.Participants != 3 || second.Participants != 5 || second.Rooms != 2 || third.PacketsOutPerSecond < 1.5*first.PacketsOutPerSecond || third.CPUNanosPerPacket <= 0 {
		t.Errorf("one room: %+v\na bit of a second: %+v\ntwo: %+v", first, second, third)
	}
	if max(first.Loss, second.Loss, third.Loss) > 0.01 {
		t.Errorf("loss %v, %v, %v: a room that is not full has fewer copies to wait for", first.Loss, second.Loss, third.Loss)
	}
}

func TestAStageGrowsAndShrinks(t *testing.T) {
	t.Parallel()
	for name, shape := range map[string]Shape{"group": AudioShape(1, 2), "calls": CallShape(1)} {
		stage, err := newStage(testServer(t), shape, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer stage.close()
		for _, units := range []int{3, 1, 2} {
			if err := stage.size(t.Context(), units, nil); err != nil {
				t.Fatalf("%s, %d: %v", name, units, err)
			}
			if len(stage.clients) != stage.participants(units) {
				t.Errorf("%s, %d: %d clients", name, units, len(stage.clients))
			}
			r := newRun(stage.target, ForwardConfig{Shape: shape}, nil, load.Server)
			r.stage = stage
			if err := r.warmUp(t.Context()); err != nil || len(r.failures) > 0 {
				t.Fatalf("%s, %d: %v %v", name, units, err, r.failures)
			}
		}
	}
}

// follow lets a climb find its knee in a server that bears so many units, and fails at random before it at the given steps.
func follow(capacity int, moods map[int]bool, step int) (knee int, steps int, r RampResult) {
	c := &climb{cfg: RampConfig{Step: step}.withDefaults(), next: 5, result: RampResult{ServerCores: 1}}
	for c.result.Bound == "" && steps < 200 {
		steps++
		s := RampStep{Participants: c.next, ServerCPUCores: float64(c.next) / float64(capacity)}
		if c.next > capacity || moods[steps] {
			s.Loss = 0.02
		}
		s.Failed, s.Repeated = c.cfg.tooMuch(s), c.tried
		c.judge(s)
	}
	return c.good, steps, c.result.finished()
}

func TestTheKneeIsFoundToAFewPercent(t *testing.T) {
	for _, capacity := range []int{20, 33, 100, 101, 250, 777, 5000} {
		for name, moods := range map[string]map[int]bool{"steady": nil, "moody": {2: true, 4: true, 7: true, 9: true}} {
			knee, steps, r := follow(capacity, moods, 0)
			if within := max(1, float64(capacity)*0.05); float64(capacity-knee) > within || knee > capacity || steps > 60 {
				t.Errorf("%s: a server that bears %d is said to bear %d, after %d steps", name, capacity, knee, steps)
			}
			if r.Bound != BoundLoss || r.Above.Participants <= capacity || !r.Above.Repeated {
				t.Errorf("%s: %+v", name, r)
			}
		}
	}
	if knee, _, _ := follow(100, nil, 30); knee != 95 {
		t.Errorf("with steps of 30 from 5 on the knee is at %d", knee)
	}
	if knee, steps, r := follow(3, nil, 0); knee != 0 || steps != 2 || r.Knee.Participants != 0 {
		t.Errorf("a server that bears nothing: knee %d after %d steps", knee, steps)
	}
}

func TestOnlyClientsThatFailAreTheLimit(t *testing.T) {
	good := RampStep{Participants: 10, PacketsOutPerSecond: 1000, Latency: Latency{P99: 49_000}, Loss: 0.01}
	c := &climb{cfg: RampConfig{}.withDefaults(), next: 10, result: RampResult{ServerCores: 2}}
	if why := c.cfg.tooMuch(good); why != "" {
		t.Fatalf("a good step is too much: %s", why)
	}
	if why := c.cfg.tooMuch(RampStep{Latency: Latency{P99: 50_001}}); why == "" {
		t.Error("50.001 ms are not too much")
	}
	c.judge(good)
	late := good
	late.Participants, late.ClientBound = 20, "the publishers were late"
	for range 2 { // it got through all the same, but that is not what was asked
		if c.result.Bound != "" {
			t.Fatalf("it ends at once: %+v", c.result)
		}
		c.judge(late)
	}
	if r := c.result.finished(); r.Bound != BoundClients || !r.ClientBound || r.Knee.Participants != 20 || r.ParticipantsPerCore != 10 || r.PacketsPerCoreSecond != 500 {
		t.Errorf("%+v", r)
	}
}

func TestARampOfTheFloorNeedsNoServer(t *testing.T) {
	t.Parallel()
	r, err := Ramp(t.Context(), Target{}, RampConfig{Shape: CallShape(1), Step: 1, StepTime: 300 * time.Millisecond, MaxParticipants: 4, MaxP99: time.Minute, Floor: true}, nil)
	if err != nil || len(r.Failures) > 0 || r.Knee.Participants < 2 || r.Knee.PacketsOutPerSecond < 300 || r.Knee.CPUNanosPerPacket <= 0 {
		t.Fatalf("%v %+v", err, r)
	}
}

func TestTheFloorNeedsNoServer(t *testing.T) {
	t.Parallel()
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

func TestLateClientsAreTheLimitOfAStepThatFailed(t *testing.T) {
	for name, row := range map[string]struct {
		skipped, dropped uint64
		late             int64 // µs
		cores            float64
		good, failed     bool // they are the limit of a step that was good, and of one that was not
	}{
		"in time":      {cores: 0.9},
		"a bit late":   {late: 20_000, failed: true},
		"busy":         {cores: 0.97, failed: true},
		"out of time":  {skipped: 10, failed: true},
		"exhausted":    {skipped: 30, good: true, failed: true},
		"lost packets": {dropped: 1, good: true, failed: true},
	} {
		r := newRun(Target{Cores: Cores{Server: []int{0}, Clients: []int{1}}}, ForwardConfig{}, nil, load.Server)
		r.last.Sent[load.Server], r.last.Skipped, r.last.Dropped = 1000, row.skipped, row.dropped
		if err := r.lateness.RecordValue(row.late); err != nil {
			t.Fatal(err)
		}
		c := RampConfig{}.withDefaults()
		if s := c.verdict(r, RampStep{ClientCPUCores: row.cores}); s.Failed != "" || (s.ClientBound != "") != row.good {
			t.Errorf("%s: a good step: %+v", name, s)
		}
		if s := c.verdict(r, RampStep{ClientCPUCores: row.cores, Loss: 0.5}); s.Failed == "" || (s.ClientBound != "") != row.failed {
			t.Errorf("%s: a step that failed: %+v", name, s)
		}
	}
}
