package report

import (
	_ "embed"
	"html/template"
	"io"

	"gonum.org/v1/plot"
)

//go:embed page.html
var pageSource string

var page = template.Must(template.New("page").Parse(pageSource))

// pageData is what page.html shows.
type pageData struct {
	Title      string
	Heading    []string
	Results    []pageResult
	Misses     []string
	Comparison *pageComparison
}

type pageResult struct {
	Scenario, Shape string
	Rows            []pageRow
	Noisy           bool // some row has noise
	Barred          bool // some row has a bar
	Remarks         []string
	Failures        []string
	Plots           []template.HTML
}

type pageRow struct {
	Label, Key, Value, Noise string
	Bar, Verdict             string
	Missed                   bool // the bar
}

type pageComparison struct {
	Began, Version string
	Rows           []pageChange
	Notes          []string
}

type pageChange struct{ Scenario, Label, Before, Now, Delta, Noise, Verdict string }

// WriteHTML writes one page that needs nothing else: tables and plots. misses and comparison may be nil.
func (r Report) WriteHTML(w io.Writer, misses []Miss, comparison *Comparison) error {
	data := pageData{Title: "parley-bench " + r.name(), Heading: r.heading()}
	for i := range r.Results {
		result, err := r.Results[i].page()
		if err != nil {
			return err
		}
		data.Results = append(data.Results, result)
	}
	for _, miss := range misses {
		data.Misses = append(data.Misses, miss.String())
	}
	if comparison != nil {
		data.Comparison = comparison.page()
	}
	return page.Execute(w, data)
}

func (r *Result) page() (pageResult, error) {
	out := pageResult{Scenario: r.Scenario, Shape: r.Shape, Remarks: r.remarks(), Failures: r.Failures}
	for _, f := range r.Figures {
		out.Noisy = out.Noisy || f.Noise > 0
		out.Barred = out.Barred || f.Goal != nil
		out.Rows = append(out.Rows, pageRow{Label: f.Label, Key: f.Key, Value: r.value(f), Noise: noiseText(f), Bar: barText(f),
			Verdict: f.barVerdict(Style{}), Missed: f.Goal != nil && !f.Goal.Kept(f.Value)})
	}
	add := func(p *plot.Plot, title string) error {
		element, err := svg(p, title)
		// The element is drawn by the plot library, which escapes the words in it.
		out.Plots = append(out.Plots, template.HTML(element)) //nolint:gosec
		return err
	}
	for _, h := range r.Histograms {
		if len(h.Bars) == 0 {
			continue
		}
		if err := add(h.plot(), h.Name); err != nil {
			return out, err
		}
	}
	for _, c := range r.Charts {
		if err := add(c.plot(), c.Name); err != nil {
			return out, err
		}
	}
	for _, s := range r.Series {
		if len(s.Points) == 0 {
			continue
		}
		if err := add(s.plot(), s.Name); err != nil {
			return out, err
		}
	}
	for _, c := range r.Curves {
		for i, p := range c.plots() {
			if err := add(p, c.Lines[i].Name); err != nil {
				return out, err
			}
		}
	}
	return out, nil
}

func (c Comparison) page() *pageComparison {
	out := &pageComparison{Began: c.Baseline.Began, Version: c.Baseline.Version, Notes: c.Notes}
	for _, change := range c.Changes {
		out.Rows = append(out.Rows, pageChange{
			Scenario: change.Scenario, Label: change.Figure.Label, Before: Format(change.Before, change.Figure.Unit),
			Now: Format(change.Figure.Value, change.Figure.Unit), Delta: signed(change.Delta), Noise: "± " + percent1(change.Noise),
			Verdict: string(change.Verdict),
		})
	}
	return out
}
