// Package progress shows how far a load run is: a bar on a terminal, plain lines elsewhere.
package progress

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// plainEvery is how often a phase that goes on is told of in plain lines.
const plainEvery = 5 * time.Second

// Terminal says what a file can show.
type Terminal struct {
	Is    bool // it is a terminal, so a line can be drawn over
	Color bool // it is one, and nobody asked for no colour (NO_COLOR, see no-color.org; TERM=dumb)
	Width int  // columns
}

// Look asks a file and the environment.
func Look(file *os.File, getenv func(string) string) Terminal {
	if !term.IsTerminal(int(file.Fd())) || getenv("TERM") == "dumb" {
		return Terminal{}
	}
	width, height, err := term.GetSize(int(file.Fd()))
	if err != nil || width == 0 || height == 0 {
		return Terminal{} // nothing can be drawn on it
	}
	return Terminal{Is: true, Color: getenv("NO_COLOR") == "", Width: width}
}

// Display shows one run. Its methods want one caller at a time.
type Display struct {
	out   io.Writer
	kind  Terminal
	now   func() time.Time
	phase string

	bars *mpb.Progress // nil: plain lines
	bar  *mpb.Bar      // of the present phase, nil between phases

	lastLine time.Time // plain lines: when the last one was written
	lastText string
}

// New shows progress on w, which kind describes. now is the clock, for plain lines.
func New(w io.Writer, kind Terminal, now func() time.Time) *Display {
	d := &Display{out: w, kind: kind, now: now}
	if kind.Is {
		d.bars = mpb.New(mpb.WithOutput(w), mpb.WithWidth(36), mpb.WithRefreshRate(150*time.Millisecond))
	}
	return d
}

// steps is the resolution of a bar.
const steps = 1000

// Update tells where the run is: done of total units of a phase ("measuring", 4, 10, "s"). A total of zero is unknown.
func (d *Display) Update(phase string, done, total float64, unit string) {
	if phase == "" {
		return
	}
	text := amount(done, total, unit)
	if d.bars == nil {
		d.line(phase, text, total > 0 && done >= total)
		return
	}
	if phase != d.phase || d.bar == nil {
		d.endBar()
		d.bar = d.bars.New(steps, d.style(), mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Name(phase, decor.WC{W: 12, C: decor.DindentRight | decor.DextraSpace})),
			mpb.AppendDecorators(decor.Meta(decor.Any(func(s decor.Statistics) string { return " " + caption(s.Current, total, unit) }), d.faint)))
	}
	d.phase = phase
	if total > 0 {
		d.bar.SetCurrent(int64(min(done/total, 0.999) * steps))
	}
}

// caption says in words where a bar is.
func caption(current int64, total float64, unit string) string {
	if total <= 0 {
		return unit
	}
	return amount(float64(current)/steps*total, total, unit)
}

// line writes a plain line at the beginning and the end of a phase, and now and then between.
func (d *Display) line(phase, text string, complete bool) {
	now := d.now()
	words := phase
	if text != "" {
		words += ": " + text
	}
	if phase == d.phase && (now.Sub(d.lastLine) < plainEvery && !complete || words == d.lastText) {
		return
	}
	d.phase, d.lastLine, d.lastText = phase, now, words
	fmt.Fprintln(d.out, words)
}

// amount says how much is done.
func amount(done, total float64, unit string) string {
	if total <= 0 {
		if done <= 0 {
			return ""
		}
		return trim(done) + " " + unit
	}
	return trim(min(done, total)) + " of " + trim(total) + " " + unit
}

// trim prints at most one digit behind the point.
func trim(v float64) string {
	if v >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(float64(int64(v*10))/10, 'f', -1, 64)
}

func (d *Display) style() mpb.BarStyleComposer {
	style := mpb.BarStyle().Lbound("").Filler("━").Tip("━").Padding("─").Rbound("")
	if d.kind.Color {
		style = style.FillerMeta(cyan).TipMeta(cyan).PaddingMeta(d.faint)
	}
	return style
}

// The colours of a bar: escape sequences of ECMA-48.
func cyan(s string) string { return "\x1b[36m" + s + "\x1b[0m" }

func (d *Display) faint(s string) string {
	if !d.kind.Color {
		return s
	}
	return "\x1b[2m" + s + "\x1b[0m"
}

// endBar takes the present bar off the screen.
func (d *Display) endBar() {
	if d.bar != nil {
		d.bar.Abort(true)
		d.bar.Wait()
		d.bar = nil
	}
}

// Close takes the bar off the screen and waits until it is, so that what is written next stands by itself.
func (d *Display) Close() {
	d.endBar()
	if d.bars != nil {
		d.bars.Wait()
	}
}
