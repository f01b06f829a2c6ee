package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/parleyrtc/parley/bench/report"
)

// forward is a report as the forward scenario makes it.
func forward() report.Report {
	h := hdrhistogram.New(1, 60_000_000, 3)
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		_ = h.RecordValue(int64(300 * math.Exp(random.NormFloat64()*0.6)))
	}
	r := report.Result{
		Scenario: "forward", Shape: "video, 4 publishers × 50 subscribers", Arrivals: "frames in bursts of 10 packets",
		Clients: report.Clients{Cores: 0.62, Limit: 1}, Took: 10 * time.Second,
	}
	r.Add("cpu_ns_per_packet", "CPU per packet", 2210, report.Nanoseconds, report.Lower)
	r.Add("ratio", "ratio to the floor", 1.44, report.Times, report.Lower)
	r.Add("packets_out_per_second", "packets out", 61204, report.PerSecond, report.Higher)
	r.Add("loss", "loss", 0.0004, report.Fraction, report.Lower)
	r.AddLatency("latency_us", "latency", h)
	var cpu, memory report.Series
	cpu = report.Series{Name: "server CPU", Unit: report.Cores}
	memory = report.Series{Name: "server memory", Unit: report.Bytes}
	for i := range 20 {
		at := time.Duration(i) * time.Second / 2
		cpu.Points = append(cpu.Points, report.Point{At: at, Value: 0.14 + 0.01*random.Float64()})
		memory.Points = append(memory.Points, report.Point{At: at, Value: 60e6 + 1e5*float64(i)})
	}
	r.Series = []report.Series{cpu, memory}
	r.Curves = []report.Curve{{X: "participants", Knee: 150, Lines: []report.Line{
		{Name: "loss", Unit: report.Fraction, X: []float64{50, 100, 150, 200}, Y: []float64{0, 0, 0.001, 0.04}},
		{Name: "latency p99", Unit: report.Microseconds, X: []float64{50, 100, 150, 200}, Y: []float64{800, 1200, 4000, 60000}},
	}}}
	return report.Report{
		Version: "v1.0.0", Server: "v1.0.0", Target: "own server on core 0", Began: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC),
		Machine: report.Machine{Cores: 2, Kernel: "6.18", OS: "linux", Arch: "amd64", Go: "go1.26"}, Results: []report.Result{r},
	}
}

func TestJSONOfOneScenarioIsFlat(t *testing.T) {
	var out bytes.Buffer
	if err := forward().WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Scenario string  `json:"scenario"`
		CPU      float64 `json:"cpu_ns_per_packet"`
		Latency  struct {
			P50, P99, P999, Max float64
		} `json:"latency_us"`
		ClientCPU float64        `json:"client_cpu_cores"`
		Machine   report.Machine `json:"machine"`
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Scenario != "forward" || got.CPU != 2210 || got.ClientCPU != 0.62 || got.Machine.Cores != 2 {
		t.Errorf("the JSON says %+v", got)
	}
	l := got.Latency
	if l.P50 <= 0 || l.P99 < l.P50 || l.P999 < l.P99 || l.Max < l.P999 {
		t.Errorf("latencies do not ascend: %+v", l)
	}
}

func TestWhatWasNotMeasuredIsAbsentFromJSON(t *testing.T) {
	r := report.Report{Results: []report.Result{{Scenario: "calls"}}}
	r.Results[0].Add("ratio", "ratio", math.NaN(), report.Times, report.Lower)
	r.Results[0].Add("loss", "loss", math.Inf(1), report.Fraction, report.Lower)
	var out bytes.Buffer
	if err := r.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "ratio") || strings.Contains(out.String(), "loss") {
		t.Errorf("numbers that are none are in the JSON: %s", out.String())
	}
}

func TestASavedReportIsReadBack(t *testing.T) {
	first := forward()
	second := first.Results[0]
	second.Scenario = "calls"
	first.Results = append(first.Results, second)
	var out bytes.Buffer
	if err := first.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	saved, err := report.ReadJSON(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if len(saved.Results) != 2 || saved.Results[1].Scenario != "calls" || saved.Results[0].Values["latency_us.p99"] <= 0 {
		t.Errorf("read back %+v", saved)
	}
	if comparison := first.Compare(saved); len(comparison.Regressions(0)) != 0 || len(comparison.Changes) != 2*len(second.Figures) {
		t.Errorf("a report compared to itself: %d changes, regressions %v", len(comparison.Changes), comparison.Regressions(0))
	}
}

func TestWhatIsNoReportIsRefused(t *testing.T) {
	for _, raw := range []string{"", "[]", "{}", `{"scenario":1}`, `{"scenario":"suite","results":["x"]}`} {
		if _, err := report.ReadJSON([]byte(raw)); err == nil {
			t.Errorf("%q was read as a report", raw)
		}
	}
}

func TestThresholds(t *testing.T) {
	for name, row := range map[string]struct {
		threshold report.Threshold
		misses    int
	}{
		"kept":                        {report.Threshold{Name: "--max-loss", Key: "loss", Limit: 0.001}, 0},
		"missed":                      {report.Threshold{Name: "--max-loss", Key: "loss", Limit: 0.0001}, 1},
		"every latency":               {report.Threshold{Name: "--max-p99", Key: "*p99", Limit: 1}, 1},
		"at least, kept":              {report.Threshold{Name: "--min", Key: "packets_out_per_second", Limit: 60_000, Min: true}, 0},
		"at least, missed":            {report.Threshold{Name: "--min", Key: "packets_out_per_second", Limit: 62_000, Min: true}, 1},
		"a figure that is not there":  {report.Threshold{Name: "--max", Key: "rings", Limit: 1}, 1},
		"exactly the limit":           {report.Threshold{Name: "--max-ratio", Key: "ratio", Limit: 1.44}, 0},
		"of nothing it is kept by no": {report.Threshold{Name: "--max-p99", Key: "*p12", Limit: 1e9}, 1},
	} {
		if misses := forward().Check([]report.Threshold{row.threshold}); len(misses) != row.misses {
			t.Errorf("%s: misses %v, want %d", name, misses, row.misses)
		}
	}
}

func TestAFigureThatIsNoNumberKeepsNoThreshold(t *testing.T) {
	r := report.Report{Results: []report.Result{{Scenario: "forward"}}}
	r.Results[0].Add("loss", "loss", math.NaN(), report.Fraction, report.Lower)
	for _, least := range []bool{false, true} {
		if misses := r.Check([]report.Threshold{{Key: "loss", Limit: 1, Min: least}}); len(misses) != 1 {
			t.Errorf("NaN keeps a threshold (min %v)", least)
		}
	}
}

func TestDifferencesAreHeldAgainstTheirNoise(t *testing.T) {
	for name, row := range map[string]struct {
		better        report.Better
		before, now   float64
		noise, noiseB float64
		want          report.Verdict
	}{
		"the same":                         {report.Lower, 100, 100, 0, 0, report.WithinNoise},
		"a little, noise not measured":     {report.Lower, 100, 109, 0, 0, report.WithinNoise},
		"much, noise not measured":         {report.Lower, 100, 120, 0, 0, report.Regressed},
		"much, but both are very noisy":    {report.Lower, 100, 120, 0.15, 0.15, report.WithinNoise},
		"less is better":                   {report.Lower, 100, 70, 0, 0, report.Improved},
		"more is better":                   {report.Higher, 100, 150, 0, 0, report.Improved},
		"less is worse":                    {report.Higher, 100, 70, 0, 0, report.Regressed},
		"no better or worse":               {report.Neither, 100, 300, 0, 0, report.Changed},
		"from nothing":                     {report.Lower, 0, 3, 0, 0, report.Regressed},
		"still nothing":                    {report.Lower, 0, 0, 0, 0, report.WithinNoise},
		"noise of now is relative to now":  {report.Lower, 10, 20, 0.5, 0, report.WithinNoise},
		"a below-zero drift that improves": {report.Lower, -10, -20, 0, 0, report.Improved},
	} {
		r := report.Report{Results: []report.Result{{Scenario: "x", Figures: []report.Figure{
			{Key: "k", Label: "k", Value: row.now, Better: row.better, Noise: row.noise}}}}}
		saved := report.Saved{Results: []report.SavedResult{{Scenario: "x",
			Values: map[string]float64{"k": row.before}, Noise: map[string]float64{"k": row.noiseB}}}}
		if got := r.Compare(saved).Changes[0].Verdict; got != row.want {
			t.Errorf("%s: %v → %v is %q, want %q", name, row.before, row.now, got, row.want)
		}
	}
}

func TestFormat(t *testing.T) {
	for _, row := range []struct {
		value float64
		unit  report.Unit
		want  string
	}{
		{812, report.Nanoseconds, "812 ns"}, {1520, report.Nanoseconds, "1.52 µs"}, {4520, report.Microseconds, "4.52 ms"},
		{999.6, report.Microseconds, "1.00 ms"}, {90, report.Seconds, "90.0 s"}, {1200, report.Seconds, "20.0 min"},
		{61204, report.PerSecond, "61,204/s"}, {3.25, report.PerSecond, "3.25/s"}, {1234567, report.Count, "1,234,567"},
		{0.001, report.Fraction, "0.10 %"}, {0.00004, report.Fraction, "0.004 %"}, {1e-9, report.Fraction, "< 0.001 %"},
		{0, report.Fraction, "0.00 %"}, {1.444, report.Times, "1.44 ×"}, {64 << 20, report.Bytes, "64.0 MiB"},
		{1023.9 * 1024, report.Bytes, "1.00 MiB"}, {-1234, report.Count, "-1,234"}, {math.NaN(), report.Times, "–"},
		{-3 << 20, report.BytesPerHour, "-3.00 MiB/h"}, {0.62, report.Cores, "0.62 cores"},
	} {
		if got := report.Format(row.value, row.unit); got != row.want {
			t.Errorf("%v in unit %d is printed %q, want %q", row.value, row.unit, got, row.want)
		}
	}
}

func TestTheTableSaysWhatMattersBesideTheFigures(t *testing.T) {
	r := forward()
	r.Results[0].Clients.Bound = true
	r.Results[0].Partial = true
	r.Results[0].Failures = []string{"10 goroutines more than before"}
	var out bytes.Buffer
	if err := r.WriteTable(&out, report.Style{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"v1.0.0", "2 cores", "6.18", "go1.26", "Arrivals: frames in bursts of 10 packets.", "at least 61,204/s",
		"CLIENT-BOUND", "0.62 of 1 core.", "INTERRUPTED after 10.0 s", "FAILED: 10 goroutines"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table does not say %q:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "\x1b[") {
		t.Error("a table without colour has escape sequences")
	}
}

func TestThePageStandsByItself(t *testing.T) {
	r := forward()
	r.Results[0].Notes = []string{`<script>alert("x")</script>`}
	var out bytes.Buffer
	misses := r.Check([]report.Threshold{{Name: "--max-loss", Key: "loss", Limit: 0.0001}})
	comparison := r.Compare(report.Saved{Results: []report.SavedResult{{Scenario: "forward", Shape: r.Results[0].Shape,
		Values: map[string]float64{"ratio": 1.1}}}})
	if err := r.WriteHTML(&out, misses, &comparison); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	if got := strings.Count(text, "<svg "); got != 5 {
		t.Errorf("the page has %d plots, want 5: latency, CPU, memory, two of the knee", got)
	}
	for _, bad := range []string{"<script", "http-equiv", "src=", "<link", "<?xml"} {
		if strings.Contains(text, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if !strings.Contains(text, "--max-loss") || !strings.Contains(text, "worse") {
		t.Error("the page shows neither the missed threshold nor the regression")
	}
	if dir := os.Getenv("KEEP_PAGE"); dir != "" { // to look at it in a browser
		if err := os.WriteFile(filepath.Join(dir, "page.html"), out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAnEmptyRunMakesAPage(t *testing.T) {
	r := report.Report{Results: []report.Result{{Scenario: "join", Partial: true,
		Series:     []report.Series{{Name: "CPU"}, {Name: "one", Points: []report.Point{{Value: 1}}}, {Name: "none", Points: []report.Point{{Value: math.NaN()}}}},
		Histograms: []report.Histogram{{Name: "empty"}, {Name: "one", Bars: []report.Bar{{UpTo: 0, Count: 1}}}},
		Curves:     []report.Curve{{X: "n", Lines: []report.Line{{Name: "empty"}}}}}}}
	if err := r.WriteHTML(&bytes.Buffer{}, nil, nil); err != nil {
		t.Fatal(err)
	}
}

func TestABarIsHeldAgainstWhateverTheFlagsSay(t *testing.T) {
	r := report.Result{Scenario: "quality x"}
	r.AddGoal("concealed", "sound concealed", 0.02, report.Fraction, report.Goal{Limit: 0.01})
	r.AddGoal("used", "share of the link", 0.9, report.Fraction, report.Goal{Limit: 0.85, Min: true})
	r.AddGoal("unknown", "not measured", math.NaN(), report.Fraction, report.Goal{Limit: 1})
	r.Charts = []report.Chart{{Name: "rate", Unit: report.BitsPerSecond, Series: []report.Series{{Name: "link", Points: []report.Point{{At: time.Second, Value: 4e6}, {At: 2 * time.Second, Value: 1e6}}}, {Name: "empty"}}}}
	rep := report.Report{Results: []report.Result{r}}
	misses := rep.Check(nil)
	if len(misses) != 2 || misses[0].String() != "quality x: sound concealed is 2.00 %, above the 1.00 % of its bar" {
		t.Errorf("%v", misses)
	}
	var table, page, raw bytes.Buffer
	if err := errors.Join(rep.WriteTable(&table, report.Style{}), rep.WriteHTML(&page, misses, nil), rep.WriteJSON(&raw)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"≤ 1.00 %", "≥ 85.00 %", "does not reach the bar", "reaches it"} {
		if !strings.Contains(table.String(), want) || !strings.Contains(page.String(), want) {
			t.Errorf("%q is missing:\n%s", want, table.String())
		}
	}
	saved, err := report.ReadJSON(raw.Bytes())
	if err != nil || len(saved.Results[0].Values) > 10 || saved.Results[0].Values["concealed"] != 0.02 {
		t.Errorf("%v %v", saved, err)
	}
	if !bytes.Contains(raw.Bytes(), []byte(`"at_most": 0.01`)) || !bytes.Contains(raw.Bytes(), []byte(`"link": [`)) || !bytes.Contains(page.Bytes(), []byte("<svg")) {
		t.Errorf("bars and charts are not kept:\n%s", raw.String())
	}
}
