package report

import (
	"fmt"
	"math"
	"slices"
)

// Verdict says what a difference between two reports means.
type Verdict string

// The verdicts of a comparison.
const (
	WithinNoise Verdict = "within noise"
	Improved    Verdict = "better"
	Regressed   Verdict = "worse"
	Changed     Verdict = "different" // of a figure that knows no better
)

// leastNoise is assumed for a figure whose noise was not measured: two single runs on one machine seldom agree better.
const leastNoise = 0.05

// leastLoss is a difference of a fraction, such as loss, that is none: a packet more or less among thousands.
const leastLoss = 0.0005

// Change is one figure now and in an earlier report.
type Change struct {
	Scenario string
	Shape    string
	Figure   Figure  // now
	Before   float64 // in the figure's unit
	Delta    float64 // relative to Before: 0.1 is a tenth more; infinite when Before was zero
	Noise    float64 // half-width of what the two reports' noise explains, relative to Before
	Verdict  Verdict
}

// Comparison is this report beside an earlier one.
type Comparison struct {
	Baseline Saved
	Changes  []Change
	Notes    []string // what makes the two hard to compare
}

// Compare puts every figure of the report beside the one of the same scenario, shape and key in the baseline.
func (r Report) Compare(baseline Saved) Comparison {
	c := Comparison{Baseline: baseline}
	if baseline.Machine != r.Machine {
		c.Notes = append(c.Notes, "The baseline was made on another machine or system, so differences may be the machine's.")
	}
	if max(baseline.Others, r.Others) >= quietOthers {
		c.Notes = append(c.Notes, "Other processes disturbed at least one of the two runs, which the noise does not know of.")
	}
	if !baseline.repeated() || !r.repeated() {
		c.Notes = append(c.Notes, fmt.Sprintf("Where a report has one round only, its noise is not known and taken as %s.", percent1(leastNoise)))
	}
	for _, result := range r.Results {
		i := slices.IndexFunc(baseline.Results, func(s SavedResult) bool {
			return s.Scenario == result.Scenario && s.Shape == result.Shape
		})
		if i < 0 {
			c.Notes = append(c.Notes, fmt.Sprintf("The baseline has no %s of this shape: %s.", result.Scenario, result.Shape))
			continue
		}
		before := baseline.Results[i]
		if before.Partial || result.Partial {
			c.Notes = append(c.Notes, fmt.Sprintf("One of the two runs of %s was interrupted.", result.Scenario))
		}
		for _, f := range result.Figures {
			if value, ok := before.Values[f.Key]; ok {
				c.Changes = append(c.Changes, change(result, f, value, before.Noise[f.Key]))
			}
		}
	}
	return c
}

// repeated says whether the noise of every result was measured.
func (r Report) repeated() bool {
	for _, result := range r.Results {
		if !slices.ContainsFunc(result.Figures, func(f Figure) bool { return f.Noise > 0 && f.Key != "ratio" }) {
			return false
		}
	}
	return true
}

func (s Saved) repeated() bool {
	for _, result := range s.Results {
		if _, ratio := result.Noise["ratio"]; len(result.Noise) == 0 || ratio && len(result.Noise) == 1 {
			return false // the ratio has its noise from the slices of one round
		}
	}
	return true
}

func change(result Result, f Figure, before, noiseBefore float64) Change {
	c := Change{Scenario: result.Scenario, Shape: result.Shape, Figure: f, Before: before, Verdict: WithinNoise}
	switch {
	case f.Value == before:
	case before == 0:
		c.Delta = math.Inf(1)
	default:
		c.Delta = (f.Value - before) / math.Abs(before)
	}
	// The noise of now is relative to now's value; the sum of the two is relative to the value before.
	now := max(f.Noise, leastNoise)
	if before != 0 {
		now *= math.Abs(f.Value / before)
	}
	c.Noise = max(noiseBefore, leastNoise) + now
	if math.Abs(c.Delta) <= c.Noise || f.Unit == Fraction && math.Abs(f.Value-before) < leastLoss {
		return c
	}
	switch {
	case f.Better == Neither:
		c.Verdict = Changed
	case (f.Value < before) == (f.Better == Lower):
		c.Verdict = Improved
	default:
		c.Verdict = Regressed
	}
	return c
}

// Regressions are the changes for the worse that are beyond the noise and larger than limit, a fraction.
func (c Comparison) Regressions(limit float64) []Change {
	var worse []Change
	for _, change := range c.Changes {
		if change.Verdict == Regressed && math.Abs(change.Delta) > limit {
			worse = append(worse, change)
		}
	}
	return worse
}

// String is a sentence about the change.
func (c Change) String() string {
	return fmt.Sprintf("%s: %s went from %s to %s (%s, noise ± %s)", c.Scenario, c.Figure.Label, Format(c.Before, c.Figure.Unit),
		Format(c.Figure.Value, c.Figure.Unit), signed(c.Delta), percent1(c.Noise))
}

// signed prints a relative difference.
func signed(delta float64) string {
	switch {
	case math.IsInf(delta, 0):
		return "from nothing"
	case delta > 0:
		return "+" + percent1(delta)
	}
	return percent1(delta)
}

// percent1 prints a fraction in percent with one digit, which is enough for differences.
func percent1(v float64) string { return fmt.Sprintf("%.1f %%", v*100) }
