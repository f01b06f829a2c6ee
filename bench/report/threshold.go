package report

import (
	"fmt"
	"strings"
)

// Threshold is a limit that a figure has to keep.
type Threshold struct {
	Name  string // the flag, for messages: "--max-p99"
	Key   string // key of the figure; "*p99" is also every nested one, "latency_us.p99", but none of the floor's, which is no server
	Limit float64
	Min   bool // the figure must be at least Limit; otherwise at most
}

// Matches says whether the threshold is about a figure of this key.
func (t Threshold) Matches(key string) bool {
	if tail, ok := strings.CutPrefix(t.Key, "*"); ok {
		return (key == tail || strings.HasSuffix(key, "."+tail)) && !strings.HasPrefix(key, "floor_")
	}
	return key == t.Key
}

// Miss is a threshold that was not kept.
type Miss struct {
	Scenario  string
	Threshold Threshold
	Figure    Figure // zero Key: the figure was not measured
}

// String is a sentence about the miss.
func (m Miss) String() string {
	if m.Figure.Key == "" {
		return fmt.Sprintf("%s: %s has nothing to look at, because the figure was not measured", m.Scenario, m.Threshold.Name)
	}
	word := "above"
	if m.Threshold.Min {
		word = "below"
	}
	return fmt.Sprintf("%s: %s is %s, %s the %s of %s", m.Scenario, m.Figure.Label, Format(m.Figure.Value, m.Figure.Unit), word,
		Format(m.Threshold.Limit, m.Figure.Unit), m.Threshold.Name)
}

// Check holds the figures of all results against the thresholds. A threshold that fits no figure at all is a miss too: a
// limit on what was not measured must not look kept.
func (r Report) Check(thresholds []Threshold) []Miss {
	var misses []Miss
	for _, t := range thresholds {
		found := false
		for _, result := range r.Results {
			for _, f := range result.Figures {
				if !t.Matches(f.Key) {
					continue
				}
				found = true
				if kept := f.Value <= t.Limit; t.Min {
					kept = f.Value >= t.Limit
					if !kept {
						misses = append(misses, Miss{result.Scenario, t, f})
					}
				} else if !kept { // NaN keeps nothing
					misses = append(misses, Miss{result.Scenario, t, f})
				}
			}
		}
		if !found {
			misses = append(misses, Miss{Scenario: r.name(), Threshold: t})
		}
	}
	return append(misses, r.belowBars()...)
}

// belowBars are the figures that do not reach their bars.
func (r Report) belowBars() []Miss {
	var misses []Miss
	for _, result := range r.Results {
		for _, f := range result.Figures {
			if f.Goal != nil && !f.Goal.Kept(f.Value) {
				misses = append(misses, Miss{result.Scenario, Threshold{Name: "its bar", Key: f.Key, Limit: f.Goal.Limit, Min: f.Goal.Min}, f})
			}
		}
	}
	return misses
}

// name is what to call the whole report.
func (r Report) name() string {
	if len(r.Results) == 1 {
		return r.Results[0].Scenario
	}
	name := "suite"
	for i, result := range r.Results {
		first, _, _ := strings.Cut(result.Scenario, " ")
		if i > 0 && first != name {
			return "suite"
		}
		name = first
	}
	return name
}
