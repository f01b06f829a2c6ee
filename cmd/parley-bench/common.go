package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/parleyrtc/parley/bench"
	"github.com/parleyrtc/parley/bench/progress"
	"github.com/parleyrtc/parley/bench/report"
)

// common are the flags of every scenario that has a server.
type common struct {
	server
	limits
	output
}

// output are the flags that say where the report goes.
type output struct {
	JSON     string `group:"report" name:"json" placeholder:"FILE" help:"Write the report as JSON; - is standard output, and the table then goes to standard error."`
	HTML     string `group:"report" name:"html" placeholder:"FILE" help:"Write the report as a page with plots."`
	Baseline string `group:"report" placeholder:"FILE" help:"Compare with this earlier --json report, and say which differences are more than noise."`
}

// outcome is the exit code of a run that measured something.
type outcome struct{ code int }

// measure is a scenario. Results that were measured before an error come with it.
type measure func(ctx context.Context, t bench.Target, p bench.Progress) ([]report.Result, error)

// run opens the target, measures, and writes the report.
func (c common) run(p *process, o *outcome, scenario measure) error {
	thresholds, err := c.thresholds()
	if err != nil {
		return err
	}
	baseline, err := c.readBaseline()
	if err != nil {
		return err
	}
	files, err := c.openFiles(p)
	if err != nil {
		return err
	}
	defer files.discard()

	display := progress.New(p.stderr, p.terminal, now)
	rep, runErr := c.measure(p, display, scenario)
	display.Close()
	if err := p.context.Err(); err != nil && !errors.Is(runErr, bench.ErrServerDied) {
		runErr = nil // whatever the interruption made fail is no news
		if len(rep.Results) == 0 {
			runErr = fmt.Errorf("interrupted before anything was measured%w", quiet{err})
		}
	}
	if len(rep.Results) == 0 {
		return runErr
	}
	code, err := c.write(p, files, rep, thresholds, baseline)
	if err != nil {
		return err
	}
	if o.code = code; p.context.Err() != nil {
		o.code = exitInterrupted
	}
	return runErr
}

// quiet is an error to be found by errors.Is that adds no words.
type quiet struct{ error }

func (quiet) Error() string   { return "" }
func (q quiet) Unwrap() error { return q.error }

// measure runs the scenario against the target of the flags.
func (c common) measure(p *process, display *progress.Display, scenario measure) (report.Report, error) {
	tell := func(u bench.Update) { display.Update(u.Phase, u.Done, u.Total, u.Unit) }
	target, err := c.open(p.context, tell)
	if err != nil {
		return report.Report{}, err
	}
	defer target.close()
	rep := report.Report{
		Version: versionOf(), Server: c.serverVersion(p.context, target.Target), Target: target.words,
		Machine: report.ThisMachine(), Began: now(),
	}
	if !c.noServer {
		if err := target.Check(p.context); err != nil {
			return rep, err
		}
	}
	outside := watchOthers(c.PID)
	rep.Results, err = scenario(p.context, target.Target, tell)
	if rep.Others = outside.cores(); !c.Serve && !c.noServer && c.PID == 0 {
		rep.Others = -1 // the server would be among them
	}
	if len(rep.Results) > 0 && err != nil && p.context.Err() == nil {
		last := &rep.Results[len(rep.Results)-1]
		last.Failures = append(last.Failures, err.Error())
	}
	return rep, err
}

// serverVersion asks the server which version it is; a server that does not say has none.
func (c common) serverVersion(ctx context.Context, t bench.Target) string {
	if c.noServer {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.Base+"/v1/config", nil)
	if err != nil {
		return ""
	}
	transport := &http.Transport{TLSClientConfig: clone(t.TLS), DisableKeepAlives: true}
	answer, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return ""
	}
	defer answer.Body.Close()
	var said struct {
		Version string `json:"version"`
	}
	if json.NewDecoder(io.LimitReader(answer.Body, 64<<10)).Decode(&said) != nil {
		return ""
	}
	return said.Version
}

func clone(cfg *tls.Config) *tls.Config {
	if cfg == nil {
		return nil
	}
	return cfg.Clone()
}

func (c common) readBaseline() (*report.Saved, error) {
	if c.Baseline == "" {
		if c.MaxRegression != nil {
			return nil, fmt.Errorf("%w: --max-regression needs a --baseline to compare with", errUsage)
		}
		return nil, nil
	}
	raw, err := os.ReadFile(c.Baseline)
	if err != nil {
		return nil, fmt.Errorf("%w: --baseline: %w", errUsage, err)
	}
	saved, err := report.ReadJSON(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: --baseline %s: %w", errUsage, c.Baseline, err)
	}
	return &saved, nil
}

// write writes the report to wherever it is wanted and returns the exit code.
func (c common) write(p *process, f *files, rep report.Report, thresholds []report.Threshold, baseline *report.Saved) (int, error) {
	misses := rep.Check(thresholds)
	var comparison *report.Comparison
	if baseline != nil {
		compared := rep.Compare(*baseline)
		comparison = &compared
	}
	if err := rep.WriteTable(f.table, f.style); err != nil {
		return 0, err
	}
	if comparison != nil {
		if err := comparison.WriteTable(f.table, f.style); err != nil {
			return 0, err
		}
	}
	if f.json != nil {
		if err := rep.WriteJSON(f.json); err != nil {
			return 0, fmt.Errorf("write the JSON: %w", err)
		}
	}
	if f.html != nil {
		if err := rep.WriteHTML(f.html, misses, comparison); err != nil {
			return 0, fmt.Errorf("write the page: %w", err)
		}
	}
	if err := f.keep(); err != nil {
		return 0, err
	}
	return c.judge(p, rep, misses, comparison), nil
}

// judge says which limits were missed and returns the exit code.
func (c common) judge(p *process, rep report.Report, misses []report.Miss, comparison *report.Comparison) int {
	var missed []string
	for _, miss := range misses {
		missed = append(missed, miss.String())
	}
	if comparison != nil && c.MaxRegression != nil {
		for _, change := range comparison.Regressions(float64(*c.MaxRegression)) {
			missed = append(missed, change.String())
		}
	}
	if len(missed) > 0 {
		fmt.Fprintln(p.stderr, "parley-bench: "+strings.Join(missed, "\nparley-bench: "))
	}
	for _, result := range rep.Results {
		if len(result.Failures) > 0 {
			return exitVerdict
		}
	}
	if len(missed) > 0 {
		return exitThreshold
	}
	return exitOK
}
