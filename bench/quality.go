package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/parleyrtc/parley/bench/netlab"
	"github.com/parleyrtc/parley/bench/proc"
	"github.com/parleyrtc/parley/bench/report"
)

// QualityConfig says which networks a call is tried on.
type QualityConfig struct {
	Rows     []string      // names of QualityRows; none: all of them that need no browser
	Time     time.Duration // that each steady network is measured; default 20 s
	Rounds   int           // of what is measured as a median; default 7
	Seed     uint64        // of all networks; default 1
	Browsers *Browsers     // who has real browsers; nil: nobody, and rows that need them are refused
}

// QualityEnv is how a server has to be configured for Quality (ServeConfig.Env): as by default where load runs lift a limit.
func QualityEnv() []string { return []string{fmt.Sprintf("PARLEY_MEDIA_VOICES=%d", stageSize)} }

// QualityRow is one network, and what a call has to be like on it.
type QualityRow struct {
	Name     string
	Network  string // in words
	Browsers bool   // it needs them
	run      func(context.Context, *quality) (report.Result, error)
}

// QualityRows are all of them, in the order of a report.
func QualityRows() []QualityRow {
	rows := []QualityRow{
		{Name: "first-frame", Network: "clean: one calls another", run: firstFrame},
		{Name: "newcomer", Network: "clean: somebody joins three who talk, then ten at once", run: newcomer},
		{Name: "loss10", Network: "10 % random loss, 50 ms round trip", run: lossy(0.10, 0.01, 0.01)},
		{Name: "loss30", Network: "30 % random loss, 50 ms round trip", run: lossy(0.30, 0.08, 0)},
		{Name: "bursts", Network: "nothing arrives for 200 ms every 5 s, 50 ms round trip", run: bursts},
		{Name: "steps", Network: "4 Mbit/s for 20 s, 1 Mbit/s for 10 s, repeated; queue 300 ms, 50 ms round trip", run: steps},
	}
	for _, s := range steadyRates {
		rows = append(rows, QualityRow{Name: "steady-" + s.name, Network: "steady " + s.words + ", queue 300 ms, 50 ms round trip", run: steady(s)})
	}
	rows = append(rows,
		QualityRow{Name: "two", Network: "two watch, one of them behind 300 kbit/s", run: twoSubscribers},
		QualityRow{Name: "rebind", Network: "the NAT forgets the client, 50 ms round trip", run: rebind},
		QualityRow{Name: "twenty", Network: "clean: 20 people, everyone's microphone open", run: twenty},
	)
	return append(append(rows, browserRows()...), uplinkRows()...)
}

// quality is what the rows share.
type quality struct {
	target   Target
	server   netlab.Server
	cfg      QualityConfig
	progress Progress
	couples  int // of browsers, so far
}

// Quality tries calls on bad networks, one row after the other, and holds what people would see and hear against the bars that
// the project sets itself. The server must be one that Serve started without a namespace, so that its ports are known.
func Quality(ctx context.Context, t Target, cfg QualityConfig, p Progress) ([]report.Result, error) {
	if cfg.Time == 0 {
		cfg.Time = 20 * time.Second
	}
	if cfg.Rounds == 0 {
		cfg.Rounds = 7
	}
	if cfg.Seed == 0 {
		cfg.Seed = 1
	}
	rows, err := cfg.rows()
	if err != nil {
		return nil, err
	}
	q := &quality{target: t, cfg: cfg}
	if q.server, err = t.ports(); err != nil {
		return nil, err
	}
	var results []report.Result
	var failed error
	for i, row := range rows {
		q.progress = within(p, fmt.Sprintf("%s %d/%d", row.Name, i+1, len(rows)))
		began := time.Now()
		used, _ := proc.Self() // without accounting it stays zero, which the report says
		result, err := row.run(ctx, q)
		now, _ := proc.Self()
		result.Clients = report.Clients{Cores: (now - used).Seconds() / time.Since(began).Seconds(), Limit: t.available()}
		if ctx.Err() != nil {
			return results, nil
		}
		result.Scenario, result.Shape = "quality "+row.Name, row.Network
		result.Timed(began, time.Now())
		if err != nil {
			err = t.explain("row "+row.Name, err)
			result.Failures = append(result.Failures, err.Error())
			failed = errors.Join(failed, err)
		}
		results = append(results, result)
		if errors.Is(err, ErrServerDied) {
			return results, failed
		}
	}
	return results, nil // what failed is in the results
}

// Check says which rows there are not, or not without browsers.
func (cfg QualityConfig) Check() error {
	_, err := cfg.rows()
	return err
}

// rows are those that were asked for.
func (cfg QualityConfig) rows() ([]QualityRow, error) {
	all := QualityRows()
	var names, out []string
	var rows []QualityRow
	for _, row := range all {
		names = append(names, row.Name)
		if len(cfg.Rows) == 0 && (!row.Browsers || cfg.Browsers != nil) || slices.Contains(cfg.Rows, row.Name) {
			rows = append(rows, row)
		}
		if row.Browsers && cfg.Browsers == nil && slices.Contains(cfg.Rows, row.Name) {
			out = append(out, row.Name)
		}
	}
	if len(out) > 0 {
		return nil, fmt.Errorf("%w: %s needs --browsers", ErrShape, strings.Join(out, " and "))
	}
	for _, name := range cfg.Rows {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("%w: there is no row %q; there are %s", ErrShape, name, strings.Join(names, ", "))
		}
	}
	return rows, nil
}

// ports are where the server listens, for a netlab to lead there.
func (t Target) ports() (netlab.Server, error) {
	if t.Owned == nil || t.namespace != nil {
		return netlab.Server{}, fmt.Errorf("%w: bad networks are put before a server of our own: --serve, without --netns", ErrShape)
	}
	media, err := netip.ParseAddrPort(net.JoinHostPort("127.0.0.1", t.Owned.Media))
	if err != nil {
		return netlab.Server{}, err
	}
	turn, err := netip.ParseAddrPort(net.JoinHostPort("127.0.0.1", t.Owned.TURN))
	return netlab.Server{Media: media, TURN: turn, HTTP: strings.TrimPrefix(t.Base, "http://")}, err
}

// wait lets some time of the row pass.
func (q *quality) wait(ctx context.Context, phase string, d time.Duration) error {
	began := time.Now()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	end := time.NewTimer(d)
	defer end.Stop()
	for {
		q.progress.tell(Update{Phase: phase, Done: time.Since(began).Seconds(), Total: d.Seconds(), Unit: "s"})
		select {
		case <-tick.C:
		case <-end.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-q.target.Died():
			return ErrServerDied
		}
	}
}
