package report

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
)

// WriteJSON writes the report as one object. A single scenario is flat: its figures stand beside what describes the run.
// Several have their own objects in "results".
func (r Report) WriteJSON(w io.Writer) error {
	var top map[string]any
	if len(r.Results) == 1 {
		top = r.Results[0].object()
	} else {
		results := []map[string]any{}
		for i := range r.Results {
			results = append(results, r.Results[i].object())
		}
		top = map[string]any{"scenario": r.name(), "results": results}
	}
	top["version"] = r.Version
	top["server_version"] = r.Server
	top["target"] = r.Target
	top["machine"] = r.Machine
	if r.Others >= 0 {
		top["other_cpu_cores"] = round(r.Others)
	}
	top["began"] = r.Began.UTC().Format(time.RFC3339)
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(top)
}

// object is one result in JSON: figures under their keys, noise of each figure that has it under "noise".
func (r *Result) object() map[string]any {
	object := map[string]any{
		"scenario": r.Scenario, "shape": r.Shape, "arrivals": r.Arrivals,
		"client_cpu_cores": round(r.Clients.Cores), "client_cpu_limit_cores": r.Clients.Limit, "client_bound": r.Clients.Bound,
		"took_seconds": round(r.Took.Seconds()), "partial": r.Partial,
	}
	noise := map[string]any{}
	for _, f := range r.Figures {
		if math.IsNaN(f.Value) || math.IsInf(f.Value, 0) {
			continue // JSON has no such numbers; a key that is absent was not measured
		}
		put(object, f.Key, round(f.Value))
		if f.Noise > 0 {
			noise[f.Key] = round(f.Noise)
		}
	}
	if len(noise) > 0 {
		object["noise"] = noise
	}
	if bars := r.bars(); len(bars) > 0 {
		object["bars"] = bars
	}
	r.putPlots(object)
	if len(r.Notes) > 0 {
		object["notes"] = r.Notes
	}
	if len(r.Failures) > 0 {
		object["failures"] = r.Failures
	}
	return object
}

// bars are the limits of the figures that have one, and whether they are kept.
func (r *Result) bars() map[string]any {
	bars := map[string]any{}
	for _, f := range r.Figures {
		if f.Goal == nil {
			continue
		}
		limit := "at_most"
		if f.Goal.Min {
			limit = "at_least"
		}
		bars[f.Key] = map[string]any{limit: f.Goal.Limit, "kept": f.Goal.Kept(f.Value)}
	}
	return bars
}

// putPlots adds what the plots are drawn from.
func (r *Result) putPlots(object map[string]any) {
	series, charts := savedSeries(r.Series), map[string]any{}
	for _, c := range r.Charts {
		charts[c.Name] = savedSeries(c.Series)
	}
	histograms := map[string]any{}
	for _, h := range r.Histograms {
		histograms[h.Name] = coarse(h.Bars)
	}
	if len(series) > 0 {
		object["series"] = series
	}
	if len(charts) > 0 {
		object["charts"] = charts
	}
	if len(histograms) > 0 {
		object["histograms"] = histograms
	}
	if len(r.Curves) > 0 {
		object["curves"] = r.Curves
	}
}

// savedSeries are pairs of seconds and values, by name.
func savedSeries(all []Series) map[string]any {
	out := map[string]any{}
	for _, s := range all {
		points := [][2]float64{}
		for _, p := range s.Points {
			if !math.IsNaN(p.Value) && !math.IsInf(p.Value, 0) {
				points = append(points, [2]float64{round(p.At.Seconds()), round(p.Value)})
			}
		}
		out[s.Name] = points
	}
	return out
}

// coarse joins bars to at most twenty for a factor of ten, which is what a plot can show.
func coarse(bars []Bar) []Bar {
	var out []Bar
	last := math.MinInt
	for _, b := range bars {
		at := int(math.Floor(math.Log10(max(b.UpTo, 1)) * 20))
		if at == last {
			out[len(out)-1].UpTo = b.UpTo
			out[len(out)-1].Count += b.Count
			continue
		}
		last = at
		out = append(out, b)
	}
	return out
}

// put sets a nested key.
func put(object map[string]any, key string, value float64) {
	head, tail, nested := strings.Cut(key, ".")
	if !nested {
		object[head] = value
		return
	}
	inner, ok := object[head].(map[string]any)
	if !ok {
		inner = map[string]any{}
		object[head] = inner
	}
	put(inner, tail, value)
}

// round keeps six significant digits: more would be noise.
func round(v float64) float64 {
	if v == 0 {
		return 0
	}
	scale := math.Pow(10, 5-math.Floor(math.Log10(math.Abs(v))))
	return math.Round(v*scale) / scale
}

// Saved is a report that was written with WriteJSON.
type Saved struct {
	Version string
	Machine Machine
	Began   string
	Others  float64 // cores that other processes used meanwhile
	Results []SavedResult
}

// SavedResult has the numbers of one scenario by their dotted keys.
type SavedResult struct {
	Scenario string
	Shape    string
	Partial  bool
	Values   map[string]float64
	Noise    map[string]float64 // fractions
}

// ReadJSON reads a saved report.
func ReadJSON(raw []byte) (Saved, error) {
	var head struct {
		Scenario string            `json:"scenario"`
		Version  string            `json:"version"`
		Machine  Machine           `json:"machine"`
		Began    string            `json:"began"`
		Others   float64           `json:"other_cpu_cores"`
		Results  []json.RawMessage `json:"results"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return Saved{}, fmt.Errorf("not a report: %w", err)
	}
	if head.Scenario == "" {
		return Saved{}, fmt.Errorf("not a report of parley-bench: it names no scenario")
	}
	saved := Saved{Version: head.Version, Machine: head.Machine, Began: head.Began, Others: head.Others}
	if head.Results == nil {
		head.Results = []json.RawMessage{raw}
	}
	for _, one := range head.Results {
		result, err := readResult(one)
		if err != nil {
			return Saved{}, err
		}
		saved.Results = append(saved.Results, result)
	}
	return saved, nil
}

func readResult(raw []byte) (SavedResult, error) {
	var described struct {
		Scenario string             `json:"scenario"`
		Shape    string             `json:"shape"`
		Partial  bool               `json:"partial"`
		Noise    map[string]float64 `json:"noise"`
	}
	if err := json.Unmarshal(raw, &described); err != nil {
		return SavedResult{}, fmt.Errorf("not a report: %w", err)
	}
	var object map[string]any
	if err := json.Unmarshal(raw, &object); err != nil {
		return SavedResult{}, fmt.Errorf("not a report: %w", err)
	}
	for _, key := range []string{"noise", "bars", "charts", "machine", "series", "histograms", "curves"} {
		delete(object, key)
	}
	values := map[string]float64{}
	flatten(values, "", object)
	return SavedResult{
		Scenario: described.Scenario, Shape: described.Shape, Partial: described.Partial, Noise: described.Noise, Values: values,
	}, nil
}

// flatten collects the numbers of an object under dotted keys.
func flatten(into map[string]float64, prefix string, object map[string]any) {
	for key, value := range object {
		switch value := value.(type) {
		case float64:
			into[prefix+key] = value
		case map[string]any:
			flatten(into, prefix+key+".", value)
		}
	}
}
