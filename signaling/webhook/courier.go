package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/parleyrtc/parley/signaling/journal"
	"github.com/parleyrtc/parley/signaling/store"
	"github.com/parleyrtc/parley/signaling/webhook/lanes"
)

// courier brings one target's letters.
type courier struct {
	// Set at construction.
	target    Target
	client    Client
	userAgent string
	log       *slog.Logger
	metrics   *metrics
	queue     *store.Queue
	dead      *store.Queue
	items     chan store.Item
	results   chan result
	cleared   chan struct{}

	sending sync.WaitGroup // senders and buriers

	// Owned by run.
	lanes   *lanes.Lanes
	letters map[uint64]waiting // by number: those that must stay in the queue
	next    uint64             // greater than the numbers of all items that were read
	done    []uint64           // need not stay in the queue
	busy    bool               // with clearing the queue
	failed  int                // attempts since warned
	warned  time.Time
}

// waiting is a letter in the lanes.
type waiting struct {
	letter
	at time.Time // put into the queue
}

// result is what came of an attempt.
type result struct {
	number   uint64
	attempt  int
	reason   string        // "": delivered
	hopeless bool          // trying again cannot help
	wait     time.Duration // the target asks for it
	buried   bool          // it is among the dead letters
}

// over reports whether the letter need not be sent again.
func (r result) over() bool { return r.buried || r.reason == "" }

// queueSlack is how much longer the queue keeps what is given up after MaxAge: what waits behind it gets an attempt, too.
const queueSlack = 24 * time.Hour

func newCourier(ctx context.Context, config Config, target Target, s *store.JetStream, m *metrics) (*courier, error) {
	c := &courier{
		target: target, client: config.Client, userAgent: config.UserAgent, log: config.Logger.With("webhook", target.Name), metrics: m,
		items: make(chan store.Item), results: make(chan result), cleared: make(chan struct{}), lanes: lanes.New(config.policy()), letters: map[uint64]waiting{},
	}
	var err error
	if c.queue, err = s.Queue(ctx, store.QueueConfig{
		Name: "webhook_" + target.Name, MaxBytes: config.QueueBytes, MaxAge: config.MaxAge + queueSlack,
	}); err != nil {
		return nil, err
	}
	c.dead, err = s.Queue(ctx, store.QueueConfig{
		Name: "dead_" + target.Name, MaxBytes: config.DeadBytes, MaxAge: config.DeadAge, Forget: true,
	})
	return c, err
}

func (c *courier) wants(kind journal.Kind) bool {
	return len(c.target.Events) == 0 || slices.Contains(c.target.Events, kind)
}

// put keeps the entries that the target wants. Its results are those of told.
func (c *courier) put(ctx context.Context, told []journal.Told) []error {
	errs := make([]error, len(told))
	var items []store.NewItem
	var of []int // the place in told of each item
	for i, t := range told {
		if c.wants(t.Entry.Kind) {
			id := idOf(t)
			items = append(items, store.NewItem{ID: id, Value: encode(letter{id, t.Call.ID, string(t.Entry.Kind), encode(bodyOf(t))})})
			of = append(of, i)
		}
	}
	for i, err := range c.queue.Put(ctx, items...) {
		if errors.Is(err, store.ErrFull) {
			c.metrics.count(c.target.Name, resultLost)
			err = nil
		}
		errs[of[i]] = err
	}
	return errs
}

// run brings letters until the context ends.
func (c *courier) run(ctx context.Context) {
	defer c.end()
	c.sending.Go(func() { c.read(ctx) })
	clearing := time.NewTicker(clearEvery)
	defer clearing.Stop()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		c.send(ctx)
		c.metrics.pending(c.target.Name, c.lanes.Len())
		items := c.items
		if c.lanes.Full() {
			items = nil
		}
		if due := c.lanes.Due(); !due.IsZero() {
			timer.Reset(time.Until(due))
		}
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case item := <-items:
			c.take(item)
		case r := <-c.results:
			c.finish(ctx, r)
		case <-clearing.C:
			c.clear(ctx)
		case <-c.cleared:
			c.busy = false
		}
	}
}

// readAgain is how long to wait after the store failed.
const readAgain = time.Second

// read brings the queue's items in their order, from the oldest that is there.
func (c *courier) read(ctx context.Context) {
	var last uint64
	for ctx.Err() == nil {
		err := c.queue.Read(ctx, last, func(item store.Item) {
			select {
			case c.items <- item:
				last = item.Number
			case <-ctx.Done():
			}
		})
		if ctx.Err() == nil {
			c.log.Error("the queue of webhooks cannot be read", "error", err)
			sleep(ctx, readAgain)
		}
	}
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (c *courier) take(item store.Item) {
	c.next = item.Number + 1
	w := waiting{at: item.At}
	if err := json.Unmarshal(item.Value, &w.letter); err != nil {
		c.log.Error("a queued webhook cannot be read and is passed over", "number", item.Number, "error", err)
		return
	}
	c.letters[item.Number] = w
	c.lanes.Add(lanes.Message{Number: item.Number, Lane: w.Call, Since: item.At})
}

// send sets off everything that may go now.
func (c *courier) send(ctx context.Context) {
	for {
		m, attempt, ok := c.lanes.Next(time.Now())
		if !ok {
			return
		}
		w := c.letters[m.Number]
		c.sending.Go(func() {
			r := c.attempt(ctx, w.letter)
			r.number, r.attempt = m.Number, attempt
			if r.reason == "" {
				c.metrics.delay.WithLabelValues(c.target.Name).Observe(time.Since(w.at).Seconds())
			}
			c.results <- r // run listens until all have ended
		})
	}
}

// finish notes what came of an attempt.
func (c *courier) finish(ctx context.Context, r result) {
	now := time.Now()
	if r.buried {
		c.drop(r.number)
		return
	}
	if r.reason == "" {
		c.metrics.count(c.target.Name, resultDelivered)
		c.lanes.Delivered(now, r.number)
		c.drop(r.number)
		return
	}
	c.metrics.count(c.target.Name, resultFailed)
	c.warn(now, r.reason)
	if c.lanes.Failed(now, r.number, r.hopeless, r.wait, rand.Float64()) == lanes.GiveUp {
		w := c.letters[r.number]
		c.sending.Go(func() {
			if c.bury(ctx, r, w) {
				c.results <- result{number: r.number, buried: true}
			}
		})
	}
}

// drop says that a letter need not stay in the queue.
func (c *courier) drop(number uint64) {
	delete(c.letters, number)
	c.done = append(c.done, number)
}

// warnEvery is how often a target that fails is a line in the log.
const warnEvery = time.Minute

func (c *courier) warn(now time.Time, reason string) {
	c.failed++
	if now.Sub(c.warned) >= warnEvery {
		c.log.Warn("webhooks were not delivered; they will be tried again", "attempts", c.failed, "reason", reason)
		c.failed, c.warned = 0, now
	}
}
