// Package webhook tells an operator's back ends what happens in calls, by signed HTTP requests.
//
// Each target has a queue on disk. What is in it is sent at least once, in the order of each call, and tried again with growing
// pauses; what a target does not take in a day goes to its dead letters, from where it can be sent anew. Nobody waits for a
// target: not the calls, which only write to a journal of their own, and not the other targets.
package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/parleyrtc/parley/signaling/journal"
	"github.com/parleyrtc/parley/signaling/outbound"
	"github.com/parleyrtc/parley/signaling/store"
	"github.com/parleyrtc/parley/signaling/webhook/lanes"
)

// Target is somebody to tell.
type Target struct {
	Name    string         // 1 to 32 of A-Z a-z 0-9 _ -, unique; its queue goes by it
	URL     string         // see outbound.Check
	Secrets []Secret       // at least one; each signs, so that a receiver can change from one to the next
	Events  []journal.Kind // empty: all
}

// Config says who is told, and how hard it is tried. Zero values mean the defaults in the comments.
type Config struct {
	Targets []Target
	Client  Client // needed with targets, closed by Close; *outbound.Client is one

	Parallel   int             // 16; requests to one target at once, each of another call
	MaxAge     time.Duration   // 24h; how long it is tried
	Backoff    []time.Duration // 5s, 30s, 2m … 1h
	QueueBytes int64           // 256 MiB of one target; then what happens is not told to it, and counted
	DeadBytes  int64           // 64 MiB of one target; then the oldest dead letters are forgotten
	DeadAge    time.Duration   // 7 days; then a dead letter is forgotten

	UserAgent  string                // "Parley"
	Logger     *slog.Logger          // slog.Default()
	Registerer prometheus.Registerer // a registry of its own
}

// Client sends a request and reads the answer. It follows no redirect.
type Client interface {
	Do(req *http.Request) (outbound.Answer, error)
	Close()
}

// Post brings what happens to the targets. Its methods may be called from any goroutine.
type Post struct {
	couriers []*courier
	client   Client
	wanted   map[journal.Kind]bool
	cancel   context.CancelFunc
	running  sync.WaitGroup
}

var targetName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

// New opens the queues and goes on with what is in them. The store must stay open until after Close.
func New(ctx context.Context, config Config, s *store.JetStream) (*Post, error) {
	if err := config.check(); err != nil {
		return nil, err
	}
	config = config.withDefaults()
	p := &Post{client: config.Client, wanted: map[journal.Kind]bool{}}
	metrics := newMetrics(config.Registerer)
	for _, target := range config.Targets {
		c, err := newCourier(ctx, config, target, s, metrics)
		if err != nil {
			return nil, err
		}
		p.couriers = append(p.couriers, c)
		for _, kind := range journal.Kinds() {
			p.wanted[kind] = p.wanted[kind] || c.wants(kind)
		}
	}
	running, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	for _, c := range p.couriers {
		p.running.Go(func() { c.run(running) })
	}
	return p, nil
}

func (c Config) check() error {
	seen := map[string]bool{}
	for _, t := range c.Targets {
		switch err := outbound.Check(t.URL); {
		case !targetName.MatchString(t.Name) || seen[t.Name]:
			return fmt.Errorf("webhook: %q is no name for a target, or is there twice", t.Name)
		case err != nil:
			return fmt.Errorf("webhook: the URL of %s: %w", t.Name, err)
		case len(t.Secrets) == 0:
			return fmt.Errorf("webhook: %s has no secret", t.Name)
		case c.Client == nil:
			return errors.New("webhook: targets need a client")
		}
		for _, kind := range t.Events {
			if !slices.Contains(journal.Kinds(), kind) {
				return fmt.Errorf("webhook: %s wants %q, which never happens", t.Name, kind)
			}
		}
		seen[t.Name] = true
	}
	return nil
}

func (c Config) withDefaults() Config {
	if c.MaxAge <= 0 {
		c.MaxAge = 24 * time.Hour
	}
	if c.QueueBytes <= 0 {
		c.QueueBytes = 256 << 20
	}
	if c.DeadBytes <= 0 {
		c.DeadBytes = 64 << 20
	}
	if c.DeadAge <= 0 {
		c.DeadAge = 7 * 24 * time.Hour
	}
	if c.UserAgent == "" {
		c.UserAgent = "Parley"
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Registerer == nil {
		c.Registerer = prometheus.NewRegistry()
	}
	return c
}

func (c Config) policy() lanes.Policy {
	return lanes.Policy{Parallel: c.Parallel, Patience: c.MaxAge, Backoff: c.Backoff}
}

// Wants reports whether any target is told of this kind.
func (p *Post) Wants(kind journal.Kind) bool { return p.wanted[kind] }

// Put keeps the entries for the targets that want them. It has one result for each, nil when it is on disk. A target whose queue is
// full is left out, so that the others do not suffer for it.
func (p *Post) Put(ctx context.Context, told []journal.Told) []error {
	errs := make([][]error, len(p.couriers))
	var all sync.WaitGroup
	for i, c := range p.couriers {
		all.Go(func() { errs[i] = c.put(ctx, told) })
	}
	all.Wait()
	result := make([]error, len(told))
	for _, of := range errs {
		for i, err := range of {
			result[i] = errors.Join(result[i], err)
		}
	}
	return result
}

// Close stops sending. What is on its way is cut off, and sent again by the next process.
func (p *Post) Close() {
	p.cancel()
	p.running.Wait()
	if p.client != nil {
		p.client.Close()
	}
}
