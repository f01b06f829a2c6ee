package signaling

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/parleyrtc/parley/signaling/wire"
)

// Config is what an operator may say about signaling. The zero value of every field means the default in its comment.
type Config struct {
	// Who may connect.
	Origins       []string // browser origins besides the server's own, as "https://app.example"; "*" allows all
	OpenDirectory bool     // any uid may be rung, also one never seen; closed directories answer ERR_UID_NOT_FOUND
	OpenSessions  bool     // any user may enter any named session; else their token must say so

	// Calls.
	RingTimeout     time.Duration // 45s; how long a call rings when the client says nothing
	Grace           time.Duration // 30s; how long a participant may be gone, without signaling and without media
	JoinDeadline    time.Duration // 30s; how long an accepted seat may wait for its first join
	RingWhenBusy    bool          // false; true rings a busy callee and lets their client decide
	AloneTimeout    time.Duration // 0, for ever; how long one may be left alone in a call of several before it ends
	MaxParticipants int           // 50; of one group call
	HistoryTTL      time.Duration // 30 days; how long a call that is over can be asked for
	RingsPerMinute  int           // 6; how often one user may ring one other user within a minute
	Pairs           int           // 4; receive pairs of a group session at first; a 1:1 session has one
	MaxPairs        int           // 28, the most there can be

	// Sockets.
	MaxSockets    int           // 20,000; more are refused with 503
	MaxPending    int           // 256; of one address, which have not said hello yet; more are refused with 429
	HelloTimeout  time.Duration // 10s
	IdleTimeout   time.Duration // 60s
	WriteTimeout  time.Duration // 10s; for one message to leave
	SendMessages  int           // 512; events and answers waiting for a slow client
	SendBytes     int           // 1 MiB; the same in bytes
	MessageBytes  int           // 64 KiB
	OfferBytes    int           // 512 KiB; session.offer only
	ResumeTime    time.Duration // 60s; how long a device is remembered after its socket
	ResumeEvents  int           // 512
	ResumeBytes   int           // 1 MiB
	MaxDevices    int           // 64; device sessions of one user
	TokenWarning  time.Duration // 60s; token.expiring comes this long before the end
	RequestRate   float64       // 50 a second per connection
	RequestBurst  int           // 100
	UserRate      float64       // 100 a second per user
	UserBurst     int           // 200
	OfferRate     float64       // 2 a second per device
	OfferBurst    int           // 8
	MaxRefusals   int           // 200; refused for their rate in a row, then close 4429
	MaxMalformed  int           // 20; on one connection, then close 4400
	InboxRequests int           // 256; waiting for one call's loop

	Logger     *slog.Logger          // slog.Default()
	Registerer prometheus.Registerer // a registry of its own
}

// withDefaults returns the config with every zero replaced, or says which value cannot be.
func (c Config) withDefaults() (Config, error) {
	orTime(&c.RingTimeout, 45*time.Second)
	orTime(&c.Grace, 30*time.Second)
	orTime(&c.JoinDeadline, 30*time.Second)
	orTime(&c.HelloTimeout, 10*time.Second)
	orTime(&c.IdleTimeout, 60*time.Second)
	orTime(&c.WriteTimeout, 10*time.Second)
	orTime(&c.ResumeTime, 60*time.Second)
	orTime(&c.TokenWarning, 60*time.Second)
	orTime(&c.HistoryTTL, 30*24*time.Hour)
	orInt(&c.MaxParticipants, 50)
	orInt(&c.RingsPerMinute, 6)
	orInt(&c.Pairs, 4)
	orInt(&c.MaxPairs, wire.MaxPairs)
	orInt(&c.MaxSockets, 20_000)
	orInt(&c.MaxPending, 256)
	orInt(&c.SendMessages, 512)
	orInt(&c.SendBytes, 1<<20)
	orInt(&c.MessageBytes, 64<<10)
	orInt(&c.OfferBytes, 512<<10)
	orInt(&c.ResumeEvents, 512)
	orInt(&c.ResumeBytes, 1<<20)
	orInt(&c.MaxDevices, 64)
	orInt(&c.RequestBurst, 100)
	orInt(&c.UserBurst, 200)
	orInt(&c.OfferBurst, 8)
	orInt(&c.MaxRefusals, 200)
	orInt(&c.MaxMalformed, 20)
	orInt(&c.InboxRequests, 256)
	orRate(&c.RequestRate, 50)
	orRate(&c.UserRate, 100)
	orRate(&c.OfferRate, 2)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Registerer == nil {
		c.Registerer = prometheus.NewRegistry()
	}
	return c, c.check()
}

func (c Config) check() error {
	for name, d := range map[string]time.Duration{
		"RingTimeout": c.RingTimeout, "Grace": c.Grace, "JoinDeadline": c.JoinDeadline, "AloneTimeout": c.AloneTimeout, "HelloTimeout": c.HelloTimeout,
		"IdleTimeout": c.IdleTimeout, "WriteTimeout": c.WriteTimeout, "ResumeTime": c.ResumeTime, "TokenWarning": c.TokenWarning,
	} {
		if d < 0 {
			return fmt.Errorf("signaling: %s must not be negative, is %v", name, d)
		}
	}
	if c.HistoryTTL < time.Second {
		return fmt.Errorf("signaling: HistoryTTL must be at least a second, is %v", c.HistoryTTL)
	}
	if c.MaxPairs > wire.MaxPairs {
		return fmt.Errorf("signaling: MaxPairs must be at most %d, is %d", wire.MaxPairs, c.MaxPairs)
	}
	if c.Pairs > c.MaxPairs {
		return fmt.Errorf("signaling: Pairs (%d) must not be more than MaxPairs (%d)", c.Pairs, c.MaxPairs)
	}
	if c.MessageBytes > c.OfferBytes {
		return errors.New("signaling: OfferBytes must be at least MessageBytes")
	}
	return nil
}

func orTime(d *time.Duration, def time.Duration) {
	if *d == 0 {
		*d = def
	}
}

func orInt(n *int, def int) {
	if *n <= 0 {
		*n = def
	}
}

func orRate(r *float64, def float64) {
	if *r <= 0 {
		*r = def
	}
}
