// Command parley-bench puts load on a Parley server and says what it carries, what a packet costs and where it bends.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/parleyrtc/parley/bench"
	"github.com/parleyrtc/parley/bench/progress"
)

// commands is the command line. Its tags are the help.
type commands struct {
	Forward forwardCommand `cmd:"" help:"Publishers and subscribers in rooms: server CPU per forwarded packet beside the floor, loss, latency."`
	Floor   floorCommand   `cmd:"" help:"The same load with no SFU: what sealing and sending cost at least on this machine."`
	Ramp    rampCommand    `cmd:"" help:"Add rooms until loss or latency bends: the knee."`
	Calls   callsCommand   `cmd:"" help:"Call set-ups: calls a second, time until it rings, from accept to media."`
	Join    joinCommand    `cmd:"" help:"Everybody joins one room at once: time until each has media."`
	Churn   churnCommand   `cmd:"" help:"Come and go for a while; fails when goroutines, heap or file descriptors stay."`
	Soak    soakCommand    `cmd:"" help:"A fixed load for hours: how memory, CPU and latency drift."`
	Turn    turnCommand    `cmd:"" help:"The TURN server over UDP, TCP and TLS: allocations and relayed packets a second, CPU for each."`
	Quality qualityCommand `cmd:"" help:"Calls on bad networks: what people would see and hear, beside the bar for each network."`
	Suite   suiteCommand   `cmd:"" help:"A fixed set of the above in one report, to keep and compare with (--baseline)."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

const description = `Puts load on a Parley server and says what it carries.

Start a server for the run (--serve) or name one (--url). A table is printed at the end; --json and --html keep the report. Ctrl-C
ends a run early and prints what was measured until then.

Examples:

    parley-bench forward --serve --publishers 4 --subscribers 50 --html forward.html
    parley-bench calls --url http://127.0.0.1:7700 --rate 20 --max-p99 200ms
    parley-bench suite --serve --json suite.json

Exit codes:

      0  measured, and every limit kept
      2  the flags make no sense
      3  measured, and a limit (--max-…, --min) or the baseline was missed
      4  measured, and the scenario says no: a leak, failed calls, damaged packets
      5  the server cannot be reached
      6  the server refuses the credentials
      7  the server died during the run
      8  the server's CPU cannot be read
      9  not allowed: another machine, or network namespaces without root
    130  interrupted
      1  anything else`

// process is what a command may use of the world around it.
type process struct {
	context        context.Context // ends with the first Ctrl-C
	stdout, stderr io.Writer
	terminal       progress.Terminal // of stderr
	table          progress.Terminal // of stdout
	getenv         func(string) string
}

func main() {
	bench.Child()
	// The first Ctrl-C ends the run, which then prints what it has; the second ends the process at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	p := &process{
		context: ctx, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv,
		terminal: progress.Look(os.Stderr, os.Getenv), table: progress.Look(os.Stdout, os.Getenv),
	}
	os.Exit(p.run(os.Args[1:]))
}

// run carries out one command line and returns the exit code.
func (p *process) run(args []string) int {
	exited := -1
	parser, err := kong.New(&commands{},
		kong.Name("parley-bench"), kong.Description(description), kong.Writers(p.stdout, p.stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 120}),
		kong.ExplicitGroups([]kong.Group{
			{Key: "load", Title: "The load:"}, {Key: "server", Title: "The server:"},
			{Key: "report", Title: "The report:"}, {Key: "limits", Title: "Limits, which set the exit code:"},
		}),
	)
	if err != nil {
		return p.fail(err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	if exited >= 0 { // --help has been printed
		return exited
	}
	if err != nil {
		return p.fail(fmt.Errorf("%w: %w; see parley-bench --help", errUsage, err))
	}
	outcome := &outcome{}
	if err := command.Run(p, outcome); err != nil {
		return p.fail(err)
	}
	return outcome.code
}

// fail says in a sentence what went wrong and returns the exit code.
func (p *process) fail(err error) int {
	words := strings.TrimPrefix(err.Error(), errUsage.Error()+": ")
	if errors.Is(err, bench.ErrNoAccounting) {
		words += " (say --pid for its process on this machine, and --admin for its admin listener)"
	}
	fmt.Fprintln(p.stderr, "parley-bench: "+words)
	return exitCode(err)
}

// now is the clock of reports.
func now() time.Time { return time.Now() }
