package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/parleyrtc/parley/signaling/store"
)

// The errors of looking at dead letters.
var (
	ErrNoTarget = errors.New("webhook: there is no such target")
	ErrNoLetter = errors.New("webhook: there is no such dead letter")
	ErrFull     = errors.New("webhook: the queue of the target is full")
)

// DeadLetter is a message that a target would not take.
type DeadLetter struct {
	Number    uint64          `json:"number" doc:"Names it among the dead letters of its target."`
	ID        string          `json:"webhookId" doc:"The webhook-id; it stays the same when it is sent anew."`
	Type      string          `json:"type" doc:"The event, such as call.ended."`
	SessionID string          `json:"sessionId"`
	Attempts  int             `json:"attempts"`
	Reason    string          `json:"reason" doc:"What came of the last attempt."`
	QueuedAt  time.Time       `json:"queuedAt"`
	DiedAt    time.Time       `json:"diedAt"`
	Body      json.RawMessage `json:"body" doc:"What was sent."`
}

// State is how one target stands.
type State struct {
	Name    string   `json:"name"`
	Events  []string `json:"events" nullable:"false" doc:"What it is told; empty: everything."`
	Pending int      `json:"pending" doc:"Messages that wait or are on their way."`
	Dead    int      `json:"deadLetters" doc:"Messages that were given up."`
}

// States lists the targets, in the order of the configuration.
func (p *Post) States(ctx context.Context) ([]State, error) {
	states := []State{}
	for _, c := range p.couriers {
		pending, err := c.queue.Len(ctx)
		if err != nil {
			return nil, err
		}
		dead, err := c.dead.Len(ctx)
		if err != nil {
			return nil, err
		}
		state := State{Name: c.target.Name, Events: []string{}, Pending: pending, Dead: dead}
		for _, kind := range c.target.Events {
			state.Events = append(state.Events, string(kind))
		}
		states = append(states, state)
	}
	return states, nil
}

func (p *Post) courier(target string) (*courier, error) {
	for _, c := range p.couriers {
		if c.target.Name == target {
			return c, nil
		}
	}
	return nil, ErrNoTarget
}

// DeadLetters lists dead letters of a target with greater numbers than after, the oldest first, at most limit.
func (p *Post) DeadLetters(ctx context.Context, target string, after uint64, limit int) ([]DeadLetter, error) {
	c, err := p.courier(target)
	if err != nil {
		return nil, err
	}
	items, err := c.dead.Page(ctx, after, limit)
	if err != nil {
		return nil, err
	}
	letters := make([]DeadLetter, 0, len(items))
	for _, item := range items {
		var d deadLetter
		if err := json.Unmarshal(item.Value, &d); err != nil {
			return nil, fmt.Errorf("webhook: a dead letter does not parse: %w", err)
		}
		letters = append(letters, DeadLetter{
			Number: item.Number, ID: d.ID, Type: d.Type, SessionID: d.Call, Attempts: d.Attempts, Reason: d.Reason,
			QueuedAt: d.QueuedAt, DiedAt: item.At.UTC(), Body: d.Body,
		})
	}
	return letters, nil
}

// Replay puts a dead letter back into its queue, at the end.
func (p *Post) Replay(ctx context.Context, target string, number uint64) error {
	c, err := p.courier(target)
	if err != nil {
		return err
	}
	item, err := c.dead.Get(ctx, number)
	if errors.Is(err, store.ErrNotFound) {
		return ErrNoLetter
	}
	if err != nil {
		return err
	}
	return c.replay(ctx, item)
}

// replayPage is how many dead letters ReplayAll holds in memory.
const replayPage = 100

// ReplayAll puts all dead letters of a target that are there now back into its queue, in their order, and says how many it were.
func (p *Post) ReplayAll(ctx context.Context, target string) (int, error) {
	c, err := p.courier(target)
	if err != nil {
		return 0, err
	}
	began, after := time.Now(), uint64(0)
	for done := 0; ; {
		items, err := c.dead.Page(ctx, after, replayPage)
		if err != nil {
			return done, err
		}
		for _, item := range items {
			if item.At.After(began) { // has died again meanwhile
				return done, nil
			}
			if err := c.replay(ctx, item); err != nil {
				return done, err
			}
			done, after = done+1, item.Number
		}
		if len(items) < replayPage {
			return done, nil
		}
	}
}

func (c *courier) replay(ctx context.Context, item store.Item) error {
	var d deadLetter
	if err := json.Unmarshal(item.Value, &d); err != nil {
		return fmt.Errorf("webhook: a dead letter does not parse: %w", err)
	}
	// Were its id the one it had at first, the queue would take it for a repetition and drop it.
	err := c.queue.Put(ctx, store.NewItem{ID: fmt.Sprint(d.ID, "/replay/", item.Number), Value: encode(d.letter)})[0]
	if errors.Is(err, store.ErrFull) {
		return ErrFull
	}
	if err != nil {
		return err
	}
	c.metrics.count(c.target.Name, resultReplayed)
	return c.dead.Remove(ctx, item.Number)
}
