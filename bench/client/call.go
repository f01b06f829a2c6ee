package client

import (
	"context"
	"fmt"
)

// Initiate rings a user ("user") or a group ("group") with a call of type "audio" or "video".
func (c *Client) Initiate(ctx context.Context, receiverID, receiverType, callType string) (Call, error) {
	return c.change(ctx, "call.initiate", map[string]any{"receiverId": receiverID, "receiverType": receiverType, "type": callType})
}

// Accept answers a ringing call.
func (c *Client) Accept(ctx context.Context, sessionID string) (Call, error) {
	return c.change(ctx, "call.accept", map[string]any{"sessionId": sessionID})
}

// Enter comes into the session of a name, which nobody is rung for, and negotiates media as Join does. Session.ID is the call that
// the session is now.
func (c *Client) Enter(ctx context.Context, session string, cfg SessionConfig) (*Session, error) {
	return c.enter(ctx, "session.enter", map[string]any{"session": session, "mutationId": NewMutationID()}, cfg)
}

// Reject declines a ringing call with status "rejected" or "busy".
func (c *Client) Reject(ctx context.Context, sessionID, status string) (Call, error) {
	return c.change(ctx, "call.reject", map[string]any{"sessionId": sessionID, "status": status})
}

// Cancel takes back a call that still rings.
func (c *Client) Cancel(ctx context.Context, sessionID string) (Call, error) {
	return c.change(ctx, "call.cancel", map[string]any{"sessionId": sessionID})
}

// End hangs up. On a call that is over it returns the final call.
func (c *Client) End(ctx context.Context, sessionID string) (Call, error) {
	return c.change(ctx, "call.end", map[string]any{"sessionId": sessionID})
}

// Get returns a call of this user, also one that is over.
func (c *Client) Get(ctx context.Context, sessionID string) (Call, error) {
	var body struct {
		Call Call `json:"call"`
	}
	err := c.Request(ctx, "call.get", map[string]any{"sessionId": sessionID}, &body)
	return body.Call, err
}

// Active returns this user's calls that are not over.
func (c *Client) Active(ctx context.Context) ([]Call, error) {
	var body struct {
		Calls []Call `json:"calls"`
	}
	err := c.Request(ctx, "call.active", map[string]any{}, &body)
	return body.Calls, err
}

// change sends a mutation under a new mutation id.
func (c *Client) change(ctx context.Context, method string, params map[string]any) (Call, error) {
	params["mutationId"] = NewMutationID()
	var body struct {
		Call Call `json:"call"`
	}
	err := c.Request(ctx, method, params, &body)
	return body.Call, err
}

// WaitEvent reads events until one of the wanted type arrives and returns it; earlier ones of other types are dropped.
func (c *Client) WaitEvent(ctx context.Context, eventType string) (Event, error) {
	for {
		select {
		case ev, ok := <-c.events:
			if !ok {
				return Event{}, fmt.Errorf("waiting for %s: %w", eventType, c.closeError())
			}
			if ev.Type == eventType {
				return ev, nil
			}
		case <-ctx.Done():
			return Event{}, fmt.Errorf("waiting for %s: %w", eventType, ctx.Err())
		}
	}
}
