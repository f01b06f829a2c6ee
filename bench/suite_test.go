package bench

import (
	"math"
	"testing"
	"time"

	"github.com/parleyrtc/parley/bench/report"
)

func TestRoundsAreMergedToMediansWithNoise(t *testing.T) {
	var rounds []report.Result
	for _, v := range []float64{100, 120, 90} {
		r := report.Result{Scenario: "calls", Notes: []string{"the same"}, Clients: report.Clients{Cores: v / 100}}
		r.Add("ring_us.p99", "ring", v, report.Microseconds, report.Lower)
		rounds = append(rounds, r)
	}
	rounds[1].Failures = []string{"a call failed"}
	rounds[2].Clients.Bound = true
	m := merge(rounds)
	if f := m.Figures[0]; f.Value != 100 || math.Abs(f.Noise-0.15) > 1e-9 {
		t.Errorf("merged to %v ± %v, want 100 ± 0.15", f.Value, f.Noise)
	}
	if len(m.Failures) != 1 || !m.Clients.Bound || m.Clients.Cores != 1.2 {
		t.Errorf("what went wrong in one round is lost: %+v", m)
	}
	if len(m.Notes) != 2 {
		t.Errorf("notes %q; want the one of all rounds and the one about medians", m.Notes)
	}
	if rounds[0].Figures[0].Noise != 0 {
		t.Error("a round was changed")
	}
}

func TestDriftIsTheSlopeAfterTheWarmUp(t *testing.T) {
	var points []report.Point
	for i := range 100 {
		value := 1000 + 10*float64(i) // 10 a minute
		if i < 10 {
			value = 5000 // pools that fill
		}
		points = append(points, report.Point{At: time.Duration(i) * time.Minute, Value: value + float64(i%2)})
	}
	slope, spread, mean, ok := drift(points)
	if !ok || math.Abs(slope-600) > 1 || spread <= 0 || spread > 1 || math.Abs(mean-1545) > 10 {
		t.Errorf("slope %v ± %v an hour of a mean of %v, %v; want 600", slope, spread, mean, ok)
	}
	for i := range points {
		points[i].Value = 289
	}
	if slope, _, _, _ := drift(points); slope != 0 {
		t.Errorf("what stays the same drifts by %v an hour", slope)
	}
	if _, _, _, ok := drift(points[:4]); ok {
		t.Error("four points have a drift")
	}
}

func TestASoakSaysHowThingsDrift(t *testing.T) {
	t.Parallel()
	shape := AudioShape(1, 1)
	r, err := Soak(t.Context(), testServer(t), ForwardConfig{Shape: shape, Duration: 2 * time.Second, Slice: time.Second}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Scenario != "soak" || value(t, r, "packets_out_per_second") < 10 {
		t.Errorf("%s: %+v", r.Scenario, r.Figures)
	}
	if _, ok := r.Figure("ratio"); ok {
		t.Error("a soak has no floor")
	}
}
