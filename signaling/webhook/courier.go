package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/parleyrtc/parley/signaling/journal"
	"github.com/parleyrtc/parley/signaling/outbound"
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

// end waits for what is on its way, which is cut off, and takes what has arrived all the same out of the queue, so that only a crash
// has it sent again.
func (c *courier) end() {
	ended := make(chan struct{})
	go func() {
		c.sending.Wait()
		close(ended)
	}()
	for waiting := true; waiting; {
		select {
		case r := <-c.results:
			if r.over() {
				delete(c.letters, r.number)
				c.done = append(c.done, r.number)
			}
		case <-c.cleared:
			c.busy = false
		case <-ended:
			waiting = false
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), endWait)
	defer cancel()
	c.empty(ctx, c.done, c.floor())
}

// clearEvery is how often what was delivered is taken out of the queue. One by one would cost as much as putting it in; all that
// was delivered within this time is sent again after a crash.
const clearEvery = 250 * time.Millisecond

// endWait bounds the last clearing.
const endWait = 2 * time.Second

// floor is the number below which nothing has to stay in the queue.
func (c *courier) floor() uint64 {
	floor := c.next
	for number := range c.letters {
		floor = min(floor, number)
	}
	return floor
}

// clear takes what is done out of the queue, beside everything else.
func (c *courier) clear(ctx context.Context) {
	if c.busy || len(c.done) == 0 {
		return
	}
	done, floor := c.done, c.floor()
	c.busy, c.done = true, nil
	c.sending.Go(func() {
		c.empty(ctx, done, floor)
		c.cleared <- struct{}{}
	})
}

// empty removes everything below the floor together, and the rest one by one: those overtook a message that is still to go.
func (c *courier) empty(ctx context.Context, done []uint64, floor uint64) {
	var err error
	if slices.ContainsFunc(done, func(n uint64) bool { return n < floor }) {
		err = c.queue.RemoveBefore(ctx, floor)
	}
	for _, number := range done {
		if number >= floor {
			err = errors.Join(err, c.queue.Remove(ctx, number))
		}
	}
	if err != nil && ctx.Err() == nil {
		c.log.Error("delivered webhooks stay in their queue, and will be sent again after a restart", "error", err)
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

// bury moves a letter to the dead ones. Should the process end between the two steps, it is tried once more.
func (c *courier) bury(ctx context.Context, r result, w waiting) bool {
	value := encode(deadLetter{letter: w.letter, Attempts: r.attempt, Reason: r.reason, QueuedAt: w.at.UTC()})
	// The number is in the id: what is replayed and dies again is another dead letter.
	if err := c.dead.Put(ctx, store.NewItem{ID: fmt.Sprint(w.ID, "/", r.number), Value: value})[0]; err != nil {
		if ctx.Err() == nil {
			c.log.Error("a webhook that was given up stays in its queue", "error", err)
		}
		return false
	}
	c.metrics.count(c.target.Name, resultDead)
	c.log.Warn("a webhook was given up; it is a dead letter now", "call", w.Call, "type", w.Type, "attempts", r.attempt, "reason", r.reason)
	return true
}

// attempt sends a letter once.
func (c *courier) attempt(ctx context.Context, l letter) result {
	start := time.Now()
	defer func() { c.metrics.duration.WithLabelValues(c.target.Name).Observe(time.Since(start).Seconds()) }()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.target.URL, bytes.NewReader(l.Body))
	if err != nil {
		return result{reason: "the URL is not usable", hopeless: true}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", c.userAgent)
	Sign(req.Header, c.target.Secrets, l.ID, start, l.Body)
	answer, err := c.client.Do(req)
	switch {
	case errors.Is(err, outbound.ErrURL), errors.Is(err, outbound.ErrAddress), errors.Is(err, outbound.ErrPlain):
		return result{reason: err.Error(), hopeless: true}
	case err != nil:
		return result{reason: err.Error()}
	case answer.Status/100 == 2:
		return result{}
	}
	// 410 says that the target wants no more of it. A redirect is a failure like others: the new address is not one that the operator
	// has named.
	r := result{reason: "status " + strconv.Itoa(answer.Status), hopeless: answer.Status == http.StatusGone}
	if seconds, err := strconv.Atoi(answer.Header.Get("Retry-After")); err == nil && seconds > 0 {
		r.wait = time.Duration(min(seconds, 24*3600)) * time.Second
	}
	return r
}
