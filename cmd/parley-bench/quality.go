package main

import (
	"context"
	"fmt"
	"time"

	"github.com/parleyrtc/parley/bench"
	"github.com/parleyrtc/parley/bench/report"
)

type qualityCommand struct {
	Row      []string      `group:"load" placeholder:"NAME" help:"Only these networks, by name; may be repeated. --list prints them."`
	List     bool          `group:"load" help:"Print the networks and end."`
	Duration time.Duration `group:"load" default:"20s" help:"How long each steady network is measured."`
	Rounds   int           `group:"load" default:"7" help:"Rounds of what is measured as a median."`
	Browsers bool          `group:"load" help:"Run the rows of real browsers, too: Chromium and Firefox, driven by Node from the source around."`
	Seed     uint64        `group:"load" default:"1" help:"Seed of all networks: the same one has the same luck."`
	common
}

// Run tries calls on bad networks.
func (c qualityCommand) Run(p *process, o *outcome) error {
	if c.List {
		for _, row := range bench.QualityRows() {
			fmt.Fprintf(p.stdout, "%-14s %s\n", row.Name, row.Network)
		}
		return nil
	}
	if err := anyOf(positive("--duration", c.Duration.Seconds()), positive("--rounds", float64(c.Rounds))); err != nil {
		return err
	}
	cfg := bench.QualityConfig{Rows: c.Row, Time: c.Duration, Rounds: c.Rounds, Seed: c.Seed}
	if c.Browsers {
		var err error
		if cfg.Browsers, err = bench.OpenBrowsers(browserScript); err != nil {
			return err
		}
		defer cfg.Browsers.Close()
	}
	if err := cfg.Check(); err != nil {
		return err
	}
	c.anywhere, c.env = true, bench.QualityEnv()
	return c.run(p, o, func(ctx context.Context, t bench.Target, tell bench.Progress) ([]report.Result, error) {
		return bench.Quality(ctx, t, cfg, tell)
	})
}

// browserScript is where the source has what drives the browsers.
const browserScript = "web/e2e/quality.mjs"
