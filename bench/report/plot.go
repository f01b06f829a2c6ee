package report

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"regexp"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The size and colours of every plot.
const (
	plotWidth  = 16 * vg.Centimeter
	plotHeight = 7.5 * vg.Centimeter
)

var (
	ink    = color.RGBA{R: 0x33, G: 0x3d, B: 0x47, A: 0xff}
	faint  = color.RGBA{R: 0xe3, G: 0xe7, B: 0xeb, A: 0xff}
	blue   = color.RGBA{R: 0x2f, G: 0x6f, B: 0xb7, A: 0xff}
	pale   = color.RGBA{R: 0x9c, G: 0xbf, B: 0xe4, A: 0xff}
	orange = color.RGBA{R: 0xd9, G: 0x6b, B: 0x1c, A: 0xff}
	red    = color.RGBA{R: 0xb8, G: 0x2f, B: 0x3a, A: 0xff}
)

// newPlot has the looks that all plots share.
func newPlot(title, x, y string) *plot.Plot {
	p := plot.New()
	p.Title.Text = title
	p.X.Label.Text, p.Y.Label.Text = x, y
	sans := func(size vg.Length) font.Font {
		return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
	}
	p.Title.TextStyle.Font, p.Title.TextStyle.Color = sans(12), ink
	p.Title.Padding = vg.Points(8)
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font, axis.Label.TextStyle.Color = sans(10), ink
		axis.Tick.Label.Font, axis.Tick.Label.Color = sans(9), ink
		axis.LineStyle.Color, axis.Tick.LineStyle.Color = ink, ink
		axis.Padding = 0
	}
	p.Legend.TextStyle.Font, p.Legend.TextStyle.Color = sans(9), ink
	p.Legend.Top = true
	p.Legend.Padding = vg.Points(2)
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = faint, faint
	p.Add(grid)
	return p
}

// barsPerDecade is how fine the latency histogram is drawn: a bar is a quarter wider than the one before.
const barsPerDecade = 10

// plot draws the shares of all values over a logarithmic axis of time, with p50 and p99 marked.
func (h Histogram) plot() *plot.Plot {
	p := newPlot(h.Name, "time (logarithmic)", "share")
	shares := map[int]float64{}
	var total, low, high float64
	for i, b := range h.Bars {
		total += float64(b.Count)
		at := math.Log10(max(b.UpTo, 1))
		if i == 0 {
			low = at
		}
		high = at
		shares[int(math.Floor(at*barsPerDecade))] += float64(b.Count)
	}
	bars := &plotter.Histogram{Width: 1.0 / barsPerDecade, FillColor: pale, LineStyle: draw.LineStyle{Color: blue, Width: vg.Points(0.5)}}
	top := 0.0
	for i := int(math.Floor(low * barsPerDecade)); i <= int(math.Floor(high*barsPerDecade)); i++ {
		share := shares[i] / total
		top = max(top, share)
		bars.Bins = append(bars.Bins, plotter.HistogramBin{
			Min: float64(i) / barsPerDecade, Max: float64(i+1) / barsPerDecade, Weight: share,
		})
	}
	p.Add(bars)
	for _, mark := range []struct {
		name  string
		at    float64
		color color.Color
	}{{"p50", 0.50, orange}, {"p99", 0.99, red}} {
		value := h.quantile(mark.at)
		line := upright(math.Log10(max(value, 1)), top*1.08, mark.color)
		p.Add(line)
		p.Legend.Add(mark.name+" "+Format(value, Microseconds), line)
	}
	p.X.Tick.Marker = plot.TickerFunc(logTicks)
	p.Y.Tick.Marker = unitTicks(Fraction)
	p.Y.Min, p.Y.Max = 0, top*1.25
	p.X.Min, p.X.Max = math.Floor(low*barsPerDecade)/barsPerDecade-0.1, math.Floor(high*barsPerDecade)/barsPerDecade+0.2
	return p
}

// quantile is the value under which that share of all values lies, to the width of a bar.
func (h Histogram) quantile(share float64) float64 {
	var total, seen float64
	for _, b := range h.Bars {
		total += float64(b.Count)
	}
	for _, b := range h.Bars {
		if seen += float64(b.Count); seen >= share*total {
			return b.UpTo
		}
	}
	return 0
}

// upright is a dashed vertical line.
func upright(x, top float64, c color.Color) *plotter.Line {
	line, _ := plotter.NewLine(plotter.XYs{{X: x, Y: 0}, {X: x, Y: top}}) // fails for no points or NaN only
	line.Color, line.Width = c, vg.Points(1.2)
	line.Dashes = []vg.Length{vg.Points(4), vg.Points(3)}
	return line
}

// logTicks labels the powers of ten, and 2 and 5 of each where there is room, of microseconds.
func logTicks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for decade := math.Floor(low); decade <= math.Ceil(high); decade++ {
		for _, step := range []float64{1, 2, 5} {
			at := decade + math.Log10(step)
			if at < low || at > high {
				continue
			}
			tick := plot.Tick{Value: at}
			if step == 1 || high-low < 2 {
				tick.Label = short(math.Round(math.Pow(10, at)), Microseconds)
			}
			ticks = append(ticks, tick)
		}
	}
	return ticks
}

// unitTicks labels gonum's default ticks with the unit. Those of bytes are at round numbers of a binary prefix.
func unitTicks(unit Unit) plot.TickerFunc {
	return func(low, high float64) []plot.Tick {
		scale := 1.0
		for unit == Bytes && high/scale > 1024 {
			scale *= 1024
		}
		ticks := plot.DefaultTicks{}.Ticks(low/scale, high/scale)
		for i := range ticks {
			ticks[i].Value *= scale
			if ticks[i].Label != "" {
				ticks[i].Label = short(ticks[i].Value, unit)
			}
		}
		return ticks
	}
}

// zeros are the digits of a round number that say nothing on an axis.
var zeros = regexp.MustCompile(`\.(0+|([0-9]*[1-9])0+)( |$)`)

// short prints a value for an axis.
func short(value float64, unit Unit) string {
	if value == 0 {
		return "0"
	}
	return zeros.ReplaceAllStringFunc(Format(value, unit), func(tail string) string {
		number, space := strings.TrimRight(tail, " "), ""
		if number != tail {
			space = " "
		}
		return strings.TrimRight(strings.TrimRight(number, "0"), ".") + space
	})
}

// plot draws one value over the time of the run.
func (s Series) plot() *plot.Plot {
	p := newPlot(s.Name, "time of the run", "")
	points := plotter.XYs{}
	for _, point := range s.Points {
		if !math.IsNaN(point.Value) && !math.IsInf(point.Value, 0) {
			points = append(points, plotter.XY{X: point.At.Seconds(), Y: point.Value})
		}
	}
	addLine(p, points, s.Unit)
	p.X.Tick.Marker = unitTicks(Seconds)
	return p
}

// addLine draws points joined by a line, from zero up, so that a wiggle looks as small as it is.
func addLine(p *plot.Plot, points plotter.XYs, unit Unit) {
	p.Y.Tick.Marker = unitTicks(unit)
	if len(points) == 0 {
		return
	}
	line, dots, err := plotter.NewLinePoints(points)
	if err != nil {
		return // NaN and infinities were taken out, and there are points
	}
	line.Color, line.Width = blue, vg.Points(1.4)
	dots.Color, dots.Radius, dots.Shape = blue, vg.Points(2), draw.CircleGlyph{}
	p.Add(line)
	if len(points) <= 40 {
		p.Add(dots)
	}
	top := 0.0
	for _, point := range points {
		top = max(top, point.Y)
	}
	p.Y.Min, p.Y.Max = 0, top*1.2
	if top == 0 {
		p.Y.Max = 1
	}
}

// plots draws each line of the curve by itself, for their units differ, with the knee marked in all of them.
func (c Curve) plots() []*plot.Plot {
	var all []*plot.Plot
	for _, line := range c.Lines {
		p := newPlot(line.Name, c.X, "")
		points := plotter.XYs{}
		for i := range line.X {
			if !math.IsNaN(line.Y[i]) && !math.IsInf(line.Y[i], 0) {
				points = append(points, plotter.XY{X: line.X[i], Y: line.Y[i]})
			}
		}
		addLine(p, points, line.Unit)
		if c.Knee > 0 {
			knee := upright(c.Knee, p.Y.Max/1.1, red)
			p.Add(knee)
			p.Legend.Add(fmt.Sprintf("knee at %s", number(c.Knee)), knee)
			p.Legend.Left = true
		}
		all = append(all, p)
	}
	return all
}

// size of the SVG is the page's business, so its own is taken off.
var (
	svgProlog = regexp.MustCompile(`(?s)^.*?<svg width="[^"]*" height="[^"]*"`)
	svgFont   = regexp.MustCompile(`font-family:Liberation Sans`)
)

// svg draws a plot as an element that can stand inside HTML. title is what a screen reader says.
func svg(p *plot.Plot, title string) (string, error) {
	canvas := vgsvg.New(plotWidth, plotHeight)
	p.Draw(draw.New(canvas))
	var out bytes.Buffer
	if _, err := canvas.WriteTo(&out); err != nil {
		return "", fmt.Errorf("draw %s: %w", title, err)
	}
	element := svgProlog.ReplaceAllString(out.String(), `<svg role="img"`)
	return svgFont.ReplaceAllString(element, "font-family:'Liberation Sans',Arial,Helvetica,sans-serif"), nil
}
