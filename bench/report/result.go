// Package report is what a load run found, and how it is shown: as a table, as JSON and as a page with plots.
package report

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Unit says what a figure counts, and so how it is printed.
type Unit int

// The units of figures. The value is always a float64 in the unit itself.
const (
	Count         Unit = iota // things
	Nanoseconds               // of time or CPU
	Microseconds              // of time
	Milliseconds              // of time
	Seconds                   // of time
	Bytes                     // of memory, printed with binary prefixes
	Times                     // a ratio, printed as 1.50 ×
	Fraction                  // 0 to 1, printed in percent
	PerSecond                 // events a second
	Cores                     // CPU seconds a second
	BitsPerSecond             // of media or of a link
	BytesPerHour              // drift of memory
	PerHour                   // drift of anything else, a fraction of it an hour
)

// Better says which way a figure improves; a comparison needs it to tell good news from bad.
type Better int

// The directions of figures.
const (
	Neither Better = iota // a fact of the run, not a merit of the server
	Lower
	Higher
)

// Figure is one measured number.
type Figure struct {
	Key    string  // JSON key; a dot nests: "latency_us.p50"
	Label  string  // the same for people: "latency p50"
	Value  float64 // in Unit
	Unit   Unit
	Better Better
	// Noise is the half-width within which the same build repeats, as a fraction of Value; zero when it was not measured.
	Noise float64
	// Goal is the bar that the project sets for the figure; nil: none.
	Goal *Goal
}

// Goal is a limit that a figure has to keep whatever the flags say.
type Goal struct {
	Limit float64
	Min   bool // the figure must be at least Limit; otherwise at most
}

// Kept says whether a value keeps it. What is no number keeps none.
func (g Goal) Kept(value float64) bool {
	return g.Min && value >= g.Limit || !g.Min && value <= g.Limit
}

// Result is what one scenario found.
type Result struct {
	Scenario   string // the command: "forward"
	Shape      string // what was asked: "4 publishers × 50 subscribers, video, 30 frames/s × 10 packets of 1100 B"
	Arrivals   string // how load arrived: "frames in bursts of 10 packets"
	Figures    []Figure
	Series     []Series
	Histograms []Histogram
	Curves     []Curve
	Charts     []Chart
	Clients    Clients
	Notes      []string // whole sentences, for what numbers alone would hide
	Failures   []string // what makes the run a failure whatever the thresholds say, for instance a leak
	Partial    bool     // it was interrupted; the figures are of the time until then
	Began      time.Time
	Took       time.Duration
}

// Clients is what the load itself cost.
type Clients struct {
	Cores float64 // CPU seconds a second that the clients used
	Limit float64 // cores they could have used
	Bound bool    // they were the limit: the server may carry more than the figures say
}

// Series is one value over the time of the run.
type Series struct {
	Name   string
	Unit   Unit
	Points []Point
}

// Point is one sample of a Series.
type Point struct {
	At    time.Duration // since the run began
	Value float64
}

// Histogram is a distribution of times.
type Histogram struct {
	Name string
	Bars []Bar // ascending
}

// Bar counts the values above the bar before it and up to its own limit.
type Bar struct {
	UpTo  float64 `json:"up_to_us"` // microseconds
	Count int64   `json:"count"`
}

// Bars are the occupied bars of a histogram whose values are in units of so many microseconds.
func Bars(h *hdrhistogram.Histogram, unit float64) []Bar {
	var bars []Bar
	for _, b := range h.Distribution() {
		if b.Count > 0 {
			bars = append(bars, Bar{UpTo: float64(b.To) * unit, Count: b.Count})
		}
	}
	return bars
}

// Chart is several values of one unit over the time of the run, in one plot.
type Chart struct {
	Name   string
	Unit   Unit
	Series []Series // their units do not matter
}

// Curve is one value over another, such as loss over participants, with the knee where it bends.
type Curve struct {
	X     string  `json:"x"` // label of the axis
	Lines []Line  `json:"lines"`
	Knee  float64 `json:"knee,omitempty"` // on the x axis; zero when none was found
}

// Line is one line of a Curve. Lines of different units share the x axis only. Its numbers are finite.
type Line struct {
	Name string    `json:"name"`
	Unit Unit      `json:"-"`
	X    []float64 `json:"x"`
	Y    []float64 `json:"y"`
}

// Timed fills in when the scenario began and how long it took, where it does not say so itself.
func (r *Result) Timed(began, ended time.Time) {
	if r.Took == 0 {
		r.Began, r.Took = began, ended.Sub(began)
	}
}

// Add appends a figure.
func (r *Result) Add(key, label string, value float64, unit Unit, better Better) {
	r.Figures = append(r.Figures, Figure{Key: key, Label: label, Value: value, Unit: unit, Better: better})
}

// AddGoal appends a figure with a bar.
func (r *Result) AddGoal(key, label string, value float64, unit Unit, goal Goal) {
	better := Lower
	if goal.Min {
		better = Higher
	}
	r.Figures = append(r.Figures, Figure{Key: key, Label: label, Value: value, Unit: unit, Better: better, Goal: &goal})
}

// AddLatency appends p50, p99, p99.9 and the maximum of a histogram in microseconds, under key.p50 and so on, and keeps the
// histogram for the page. Of an empty histogram there is nothing to say.
func (r *Result) AddLatency(key, label string, h *hdrhistogram.Histogram) {
	if h.TotalCount() == 0 {
		return
	}
	for _, q := range []struct {
		key, label string
		quantile   float64
	}{{"p50", "p50", 50}, {"p99", "p99", 99}, {"p999", "p99.9", 99.9}} {
		r.Add(key+"."+q.key, label+" "+q.label, float64(h.ValueAtQuantile(q.quantile)), Microseconds, Lower)
	}
	r.Add(key+".max", label+" max", float64(h.Max()), Microseconds, Neither) // one value of thousands is no merit
	r.Histograms = append(r.Histograms, Histogram{Name: label, Bars: Bars(h, 1)})
}

// Figure finds a figure by its key.
func (r *Result) Figure(key string) (Figure, bool) {
	for _, f := range r.Figures {
		if f.Key == key {
			return f, true
		}
	}
	return Figure{}, false
}
