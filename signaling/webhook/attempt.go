package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/parleyrtc/parley/signaling/outbound"
	"github.com/parleyrtc/parley/signaling/store"
)

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
