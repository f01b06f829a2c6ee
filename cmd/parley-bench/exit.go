package main

import (
	"context"
	"errors"

	"github.com/parleyrtc/parley/bench"
)

// The exit codes; docs/benchmarking.md lists them for people.
const (
	exitOK           = 0
	exitFailed       = 1 // something else went wrong
	exitUsage        = 2 // flags that make no sense
	exitThreshold    = 3 // measured, and a threshold or the baseline was missed
	exitVerdict      = 4 // measured, and the scenario itself says no: a leak, failed calls, corrupt packets
	exitUnreachable  = 5
	exitUnauthorized = 6
	exitServerDied   = 7
	exitNoAccounting = 8
	exitRefused      = 9   // another machine without --allow-remote, or no right to make namespaces
	exitInterrupted  = 130 // Ctrl-C, as shells have it
)

// errUsage marks what the person at the keyboard can put right in the command line.
var errUsage = errors.New("usage")

// exitCode is the code for an error.
func exitCode(err error) int {
	for _, row := range []struct {
		is   error
		code int
	}{
		{errUsage, exitUsage}, {bench.ErrShape, exitUsage}, {bench.ErrUnreachable, exitUnreachable},
		{bench.ErrUnauthorized, exitUnauthorized}, {bench.ErrServerDied, exitServerDied}, {bench.ErrNoAccounting, exitNoAccounting},
		{bench.ErrRemote, exitRefused}, {bench.ErrNamespace, exitRefused}, {context.Canceled, exitInterrupted},
	} {
		if errors.Is(err, row.is) {
			return row.code
		}
	}
	return exitFailed
}
