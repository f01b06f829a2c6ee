package report

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
)

// chartColours are those of a chart's lines, in order.
var chartColours = []color.Color{red, blue, orange, ink, pale}

// plot draws all lines of a chart over the time of the run, from zero up.
func (c Chart) plot() *plot.Plot {
	p := newPlot(c.Name, "time of the run", "")
	top := 0.0
	for i, s := range c.Series {
		var points plotter.XYs
		for _, point := range s.Points {
			if !math.IsNaN(point.Value) && !math.IsInf(point.Value, 0) {
				points = append(points, plotter.XY{X: point.At.Seconds(), Y: point.Value})
				top = max(top, point.Value)
			}
		}
		line, err := plotter.NewLine(points)
		if err != nil {
			continue // there are no points
		}
		line.Color, line.Width = chartColours[i%len(chartColours)], vg.Points(1.2)
		p.Add(line)
		p.Legend.Add(s.Name, line)
	}
	p.X.Tick.Marker, p.Y.Tick.Marker = unitTicks(Seconds), unitTicks(c.Unit)
	p.Y.Min, p.Y.Max = 0, max(top*1.2, 1e-9)
	return p
}
