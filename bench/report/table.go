package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Style says how a table may look.
type Style struct {
	Color bool // escape sequences for colours
	Width int  // columns of the terminal; 0: no limit
}

// WriteTable writes the report for people: what was run and where, then one table for each scenario.
func (r Report) WriteTable(w io.Writer, style Style) error {
	var out strings.Builder
	for _, line := range r.heading() {
		fmt.Fprintln(&out, line)
	}
	for i := range r.Results {
		result := &r.Results[i]
		fmt.Fprintf(&out, "\n%s · %s\n", style.paint(text.Bold, result.Scenario), result.Shape)
		fmt.Fprintln(&out, resultTable(result, style))
		for _, line := range result.remarks() {
			fmt.Fprintln(&out, line)
		}
		for _, failure := range result.Failures {
			fmt.Fprintln(&out, style.paint(text.FgRed, "FAILED: "+failure))
		}
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// heading says what made the report and where.
func (r Report) heading() []string {
	m := r.Machine
	machine := []string{Plural(m.Cores, "core")}
	if m.CPU != "" {
		machine = append(machine, m.CPU)
	}
	if m.Kernel != "" {
		machine = append(machine, m.OS+" "+m.Kernel)
	}
	machine = append(machine, m.Go+" "+m.OS+"/"+m.Arch)
	lines := []string{"parley-bench " + r.Version + " · " + r.Began.UTC().Format("2006-01-02 15:04 UTC"), "machine: " + strings.Join(machine, ", ")}
	server := r.Target
	if r.Server != "" {
		server = "parley " + r.Server + ", " + server
	}
	lines = append(lines, "server:  "+server)
	if r.Others >= quietOthers {
		lines = append(lines, fmt.Sprintf("OTHERS:  other processes used %.2f of the %s meanwhile, so times and rates are worse than the server's own.",
			r.Others, Plural(m.Cores, "core")))
	}
	return lines
}

// quietOthers is what other processes may use, in cores, before a report says that they disturbed it.
const quietOthers = 0.1

// remarks are the sentences under a table.
func (r *Result) remarks() []string {
	var lines []string
	if r.Arrivals != "" {
		lines = append(lines, "Arrivals: "+r.Arrivals+".")
	}
	lines = append(lines, fmt.Sprintf("The clients used %.2f of %s.", r.Clients.Cores, Plural(int(r.Clients.Limit), "core")))
	if r.Clients.Bound {
		lines = append(lines, "CLIENT-BOUND: the clients were the limit, so the server carries at least what is said here, perhaps more.")
	}
	if r.Partial {
		lines = append(lines, fmt.Sprintf("INTERRUPTED after %s: these figures are of the time until then.", Format(r.Took.Seconds(), Seconds)))
	}
	return append(lines, r.Notes...)
}

func resultTable(r *Result, style Style) string {
	t := style.table()
	header := table.Row{"figure", "value"}
	noisy, barred := false, false
	for _, f := range r.Figures {
		noisy, barred = noisy || f.Noise > 0, barred || f.Goal != nil
	}
	if noisy {
		header = append(header, "± noise")
	}
	if barred {
		header = append(header, "bar", "")
	}
	t.AppendHeader(header)
	for _, f := range r.Figures {
		row := table.Row{f.Label, r.value(f)}
		if noisy {
			row = append(row, noiseText(f))
		}
		if barred {
			row = append(row, barText(f), f.barVerdict(style))
		}
		t.AppendRow(row)
	}
	right := []table.ColumnConfig{{Number: 2, Align: text.AlignRight}, {Number: 3, Align: text.AlignRight}}
	if noisy && barred {
		right = append(right, table.ColumnConfig{Number: 4, Align: text.AlignRight})
	}
	t.SetColumnConfigs(right)
	return t.Render()
}

func noiseText(f Figure) string {
	if f.Noise == 0 {
		return ""
	}
	return "± " + percent1(f.Noise)
}

// barText is the bar of a figure: ≤ 1.00 %.
func barText(f Figure) string {
	switch {
	case f.Goal == nil:
		return ""
	case f.Goal.Min:
		return "≥ " + Format(f.Goal.Limit, f.Unit)
	}
	return "≤ " + Format(f.Goal.Limit, f.Unit)
}

func (f Figure) barVerdict(style Style) string {
	switch {
	case f.Goal == nil:
		return ""
	case f.Goal.Kept(f.Value):
		return style.paint(text.FgGreen, "reaches it")
	}
	return style.paint(text.FgRed, notReached)
}

// notReached is said of a figure that misses its bar.
const notReached = "does not reach the bar"

// value prints a figure. Where the clients were the limit, what would be the server's best is only a lower bound.
func (r *Result) value(f Figure) string {
	printed := Format(f.Value, f.Unit)
	if r.Clients.Bound && f.Better == Higher {
		return "at least " + printed
	}
	return printed
}

// WriteTable writes the comparison for people; changes within the noise are there too, so that nobody must guess.
func (c Comparison) WriteTable(w io.Writer, style Style) error {
	var out strings.Builder
	fmt.Fprintf(&out, "\nAgainst the baseline of %s (version %s):\n", c.Baseline.Began, c.Baseline.Version)
	t := style.table()
	t.AppendHeader(table.Row{"scenario", "figure", "before", "now", "change", "noise", ""})
	last := ""
	for _, change := range c.Changes {
		if name := change.Scenario + change.Shape; last != name {
			if last != "" {
				t.AppendSeparator()
			}
			last = name
		}
		t.AppendRow(table.Row{change.Scenario, change.Figure.Label, Format(change.Before, change.Figure.Unit),
			Format(change.Figure.Value, change.Figure.Unit), signed(change.Delta), "± " + percent1(change.Noise), change.verdict(style)})
	}
	right := []table.ColumnConfig{}
	for column := 3; column <= 6; column++ {
		right = append(right, table.ColumnConfig{Number: column, Align: text.AlignRight})
	}
	t.SetColumnConfigs(right)
	fmt.Fprintln(&out, t.Render())
	for _, note := range c.Notes {
		fmt.Fprintln(&out, note)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func (c Change) verdict(style Style) string {
	switch c.Verdict {
	case Improved:
		return style.paint(text.FgGreen, string(c.Verdict))
	case Regressed:
		return style.paint(text.FgRed, string(c.Verdict))
	}
	return string(c.Verdict)
}

// table makes an empty table that fits the style.
func (s Style) table() table.Writer {
	t := table.NewWriter()
	look := table.StyleRounded
	look.Format.Header = text.FormatDefault
	look.Options.SeparateRows = false
	t.SetStyle(look)
	if s.Width > 0 {
		t.SetAllowedRowLength(s.Width)
	}
	return t
}

func (s Style) paint(color text.Color, words string) string {
	if !s.Color {
		return words
	}
	return text.Escape(words, color.EscapeSeq())
}

// Plural counts things in words: 1 core, 2 cores.
func Plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
