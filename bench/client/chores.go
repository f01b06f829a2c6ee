package client

import (
	"context"
	"encoding/json"
	"sync"
)

// chores are what a session does in the background because the server asked for it.
type chores struct {
	context context.Context // ends with the session
	cancel  context.CancelFunc

	mu      sync.Mutex // guards over; running is added to with it held
	over    bool
	running sync.WaitGroup
}

func (c *chores) init() { c.context, c.cancel = context.WithCancel(context.Background()) }

// start does something in the background, unless the session is over.
func (c *chores) start(do func(context.Context)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over {
		c.running.Go(func() { do(c.context) })
	}
}

// end breaks off what is under way and waits for that.
func (c *chores) end() {
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
	c.cancel()
	c.running.Wait()
}

// sessionEvent has a session do what an event asks for. It is called by the connection's reader and does not wait.
func (c *Client) sessionEvent(ev Event) {
	var body struct {
		SessionID string `json:"sessionId"`
		Reason    string `json:"reason"`
		Pairs     int    `json:"pairs"`
	}
	if json.Unmarshal(ev.Data, &body) != nil {
		return // not an event of the protocol
	}
	c.mu.Lock()
	s := c.sessions[body.SessionID]
	c.mu.Unlock()
	if s == nil {
		return
	}
	switch ev.Type {
	case "session.dataWaiting":
		if s.cfg.OnData != nil {
			// Where that fails the message is lost, as it is for a client without a channel.
			s.chores.start(func(ctx context.Context) { _ = s.OpenData(ctx) })
		}
	case "session.slotsNeeded":
		if s.cfg.Grow {
			// Where that fails the session stays as it is; the server asks again when still more is needed.
			s.chores.start(func(ctx context.Context) { _ = s.AddPairs(ctx, body.Pairs) })
		}
	case "session.closed":
		s.reason.CompareAndSwap(nil, &body.Reason)
		c.ending.Go(s.Close)
	}
}
