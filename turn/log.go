package turn

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/pion/logging"
)

// logEvery is how often a line that the library logs as an error gets through; the rest is counted in the next one. Strangers
// can cause such lines at will.
const logEvery = time.Minute

// bridge gives the library's log to slog. What it logs below a warning is per message, and dropped unformatted.
type bridge struct {
	log *slog.Logger

	mu         sync.Mutex
	last       time.Time
	suppressed int
}

// NewLogger implements logging.LoggerFactory.
func (b *bridge) NewLogger(string) logging.LeveledLogger { return b }

func (b *bridge) Trace(string)          {}
func (b *bridge) Tracef(string, ...any) {}
func (b *bridge) Debug(string)          {}
func (b *bridge) Debugf(string, ...any) {}
func (b *bridge) Info(string)           {}
func (b *bridge) Infof(string, ...any)  {}

// Warn implements logging.LeveledLogger.
func (b *bridge) Warn(msg string) { b.line("%s", msg) }

// Warnf implements logging.LeveledLogger.
func (b *bridge) Warnf(format string, args ...any) { b.line(format, args...) }

// Error implements logging.LeveledLogger.
func (b *bridge) Error(msg string) { b.line("%s", msg) }

// Errorf implements logging.LeveledLogger.
func (b *bridge) Errorf(format string, args ...any) { b.line(format, args...) }

func (b *bridge) line(format string, args ...any) {
	b.mu.Lock()
	now := time.Now()
	quiet := now.Sub(b.last) < logEvery
	suppressed := b.suppressed
	if quiet {
		b.suppressed++
	} else {
		b.last, b.suppressed = now, 0
	}
	b.mu.Unlock()
	if quiet {
		return
	}
	msg := fmt.Sprintf(format, args...)
	b.log.LogAttrs(context.Background(), slog.LevelWarn, "turn library", slog.String("line", msg), slog.Int("suppressed", suppressed))
}
