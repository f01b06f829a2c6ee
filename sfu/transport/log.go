package transport

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/pion/logging"
)

// loggers hands pion's messages to slog, all of them at debug level: pion warns about what clients do, for every packet of
// it, and clients must not be able to fill a log.
type loggers struct{ to *slog.Logger }

// NewLogger makes the logger of one of pion's packages.
func (l loggers) NewLogger(scope string) logging.LeveledLogger { return logger{l.to, scope} }

type logger struct {
	to    *slog.Logger
	scope string
}

func (l logger) log(message string) { l.to.Debug(message, "pion", l.scope) }

func (l logger) logf(format string, args []any) {
	if strings.Contains(strings.ToLower(format), "pwd") {
		return // pion's agent tells both ICE passwords
	}
	if l.to.Enabled(context.Background(), slog.LevelDebug) {
		l.to.Debug(fmt.Sprintf(format, args...), "pion", l.scope)
	}
}

// Trace and Tracef are dropped: they are for each packet.
func (l logger) Trace(string)          {}
func (l logger) Tracef(string, ...any) {}

func (l logger) Debug(m string)            { l.log(m) }
func (l logger) Debugf(f string, a ...any) { l.logf(f, a) }
func (l logger) Info(m string)             { l.log(m) }
func (l logger) Infof(f string, a ...any)  { l.logf(f, a) }
func (l logger) Warn(m string)             { l.log(m) }
func (l logger) Warnf(f string, a ...any)  { l.logf(f, a) }
func (l logger) Error(m string)            { l.log(m) }
func (l logger) Errorf(f string, a ...any) { l.logf(f, a) }
