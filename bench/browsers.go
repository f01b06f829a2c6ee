package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/parleyrtc/parley/bench/netlab"
	"github.com/parleyrtc/parley/bench/verdict"
)

// Browsers are real ones: Chromium and Firefox, which a script of Node's drives (web/e2e/quality.mjs). It does one thing at a
// time, for one caller.
type Browsers struct {
	cmd     *exec.Cmd
	input   io.WriteCloser
	answers chan browserAnswer
	next    int
}

type browserAnswer struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  string          `json:"error"`
}

// browserWait bounds what one command may take.
const browserWait = 90 * time.Second

// OpenBrowsers starts the script. The browsers start at the first need.
func OpenBrowsers(script string) (*Browsers, error) {
	if _, err := os.Stat(script); err != nil {
		return nil, fmt.Errorf("%w: the script of the browsers is in the source, at %s: %w", ErrShape, script, errors.Unwrap(err))
	}
	b := &Browsers{cmd: exec.Command("node", script), answers: make(chan browserAnswer, 1)}
	b.cmd.Stderr = os.Stderr
	var err error
	if b.input, err = b.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	output, err := b.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := b.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w: browsers need Node: %w", ErrShape, err)
	}
	go b.read(output)
	return b, nil
}

// read hands answers on; it ends with the script.
func (b *Browsers) read(output io.Reader) {
	defer close(b.answers)
	lines := bufio.NewScanner(output)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var a browserAnswer
		if json.Unmarshal(lines.Bytes(), &a) == nil {
			b.answers <- a
		}
	}
}

// do has the script do something and decodes what it says into result, unless that is nil.
func (b *Browsers) do(ctx context.Context, what string, how map[string]any, result any) error {
	b.next++
	how["id"], how["do"] = b.next, what
	line, err := json.Marshal(how)
	if err != nil {
		return err
	}
	if _, err := b.input.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("the script of the browsers is gone: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, browserWait)
	defer cancel()
	for {
		select {
		case a, ok := <-b.answers:
			switch {
			case !ok:
				return errors.New("the script of the browsers ended")
			case a.ID != b.next:
				continue // of a command that took too long
			case a.Error != "":
				return fmt.Errorf("browser: %s", a.Error)
			case result == nil:
				return nil
			}
			return json.Unmarshal(a.Result, result)
		case <-ctx.Done():
			return fmt.Errorf("browser: %s: %w", what, ctx.Err())
		}
	}
}

// Close ends the browsers.
func (b *Browsers) Close() {
	_ = b.input.Close() // the script ends with its input
	for range b.answers {
		continue
	}
	_ = b.cmd.Wait() // how it ended does not matter any more
}

// couple is two browsers in a call, each behind a network of its own.
type couple struct {
	q       *quality
	names   [2]string
	access  [2]*netlab.Access
	session string
}

// meet opens two browsers, of whom the first is to ring the second. It must be closed even if that fails.
func (q *quality) meet(ctx context.Context, kinds [2]string, rules [2]netlab.Rules) (*couple, error) {
	c := &couple{q: q}
	for i, kind := range kinds {
		q.progress.tell(Update{Phase: "opening " + kind, Done: float64(i), Total: 2, Unit: "browsers"})
		rules[i].Seed = q.cfg.Seed<<8 + uint64(i)
		access, err := netlab.OpenAccess(q.server, rules[i])
		if err != nil {
			return c, err
		}
		c.access[i] = access
		name := fmt.Sprintf("%s-%d", []string{"anna", "bert"}[i], q.couples)
		if err := q.cfg.Browsers.do(ctx, "open", map[string]any{
			"name": name, "browser": kind, "origin": access.URL(q.target.Base), "media": access.Media().Addr().String(),
		}, nil); err != nil {
			return c, err
		}
		c.names[i] = name
	}
	q.couples++
	return c, nil
}

// ring has the first one ring and join.
func (c *couple) ring(ctx context.Context) error {
	err := c.q.cfg.Browsers.do(ctx, "ring", map[string]any{"from": c.names[0], "to": c.names[1]}, &c.session)
	if err == nil {
		err = c.q.cfg.Browsers.do(ctx, "join", map[string]any{"name": c.names[0], "session": c.session}, nil)
	}
	return err
}

// accept has the second one accept and join; both see so many frames of the other when it returns. It gives the times from accept to
// the first frame on the screens.
func (c *couple) accept(ctx context.Context, frames int) (took [2]time.Duration, err error) {
	var accepted float64
	if err := c.q.cfg.Browsers.do(ctx, "join", map[string]any{"name": c.names[1], "session": c.session, "accept": true}, &accepted); err != nil {
		return took, err
	}
	for i := range 2 {
		var first float64
		if err := c.q.cfg.Browsers.do(ctx, "first", map[string]any{"name": c.names[i], "frames": frames}, &first); err != nil {
			return took, err
		}
		took[i] = time.Duration((first - accepted) * float64(time.Millisecond))
	}
	return took, nil
}

// browserTotals is what a browser has got since it began.
type browserTotals struct {
	Concealed float64   `json:"concealed"` // samples of sound
	Samples   float64   `json:"samples"`
	Freezes   float64   `json:"freezes"`
	Frozen    float64   `json:"frozen"` // seconds
	Decoded   float64   `json:"decoded"`
	Available float64   `json:"available"` // what it takes its uplink for now, bit/s
	Target    float64   `json:"target"`    // what its encoders are to make now, bit/s
	At        float64   `json:"at"`        // Unix milliseconds
	Frames    []float64 `json:"frames"`    // when they were shown
	Heard     []string  `json:"heard"`     // what the application was told of others
}

// totals asks one of the two.
func (c *couple) totals(ctx context.Context, who int) (t browserTotals, err error) {
	err = c.q.cfg.Browsers.do(ctx, "totals", map[string]any{"name": c.names[who]}, &t)
	return t, err
}

// shown are its frames as a verdict wants them.
func (t browserTotals) shown() []verdict.Shown {
	var out []verdict.Shown
	for _, at := range t.Frames {
		moment := time.UnixMicro(int64(at * 1000))
		out = append(out, verdict.Shown{At: moment, Captured: moment})
	}
	return out
}

// close ends the call and its browsers.
func (c *couple) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	for i, name := range c.names {
		if name != "" && i == 0 && c.session != "" {
			_ = c.q.cfg.Browsers.do(ctx, "hangUp", map[string]any{"name": name, "session": c.session}, nil) // the page is closed in any case
		}
		if name != "" {
			_ = c.q.cfg.Browsers.do(ctx, "close", map[string]any{"name": name}, nil)
		}
		if c.access[i] != nil {
			c.access[i].Close()
		}
	}
}
