package bench

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/parleyrtc/parley/bench/client"
)

// runID tells the users of one run from those of another.
func runID() string { return strings.ToLower(rand.Text()[:6]) }

// phone is a signed-in user whose events carry the time they arrived.
type phone struct {
	*client.Client
	uid    string
	inbox  chan arrival
	reader sync.WaitGroup
}

// arrival is an event and when it came.
type arrival struct {
	client.Event
	at time.Time
}

// openPhone signs a user in.
func openPhone(ctx context.Context, t Target, uid string) (*phone, error) {
	c, err := t.Dial(ctx, uid)
	if err != nil {
		return nil, err
	}
	p := &phone{Client: c, uid: uid, inbox: make(chan arrival, 256)}
	p.reader.Go(func() { // ends with the connection
		defer close(p.inbox)
		for event := range c.Events() {
			select {
			case p.inbox <- arrival{event, time.Now()}:
			default: // nobody waits for events: the oldest is of no use any more
				select {
				case <-p.inbox:
				default:
				}
				p.inbox <- arrival{event, time.Now()}
			}
		}
	})
	return p, nil
}

// wait returns when the event of that type about that call arrived; earlier events are dropped.
func (p *phone) wait(ctx context.Context, eventType, sessionID string) (time.Time, error) {
	for {
		select {
		case got, ok := <-p.inbox:
			if !ok {
				return time.Now(), fmt.Errorf("%s waits for %s: the connection was closed with %d", p.uid, eventType, p.CloseCode())
			}
			if got.Type == eventType && got.Call().SessionID == sessionID {
				return got.at, nil
			}
		case <-ctx.Done():
			return time.Now(), fmt.Errorf("%s waits for %s: %w", p.uid, eventType, ctx.Err())
		}
	}
}

// registerPush has the user pushed at a device of no use, beside this connection.
func (p *phone) registerPush(ctx context.Context) error {
	return p.Request(ctx, "device.register", map[string]any{"kind": "fcm", "token": "bench-" + p.uid, "mutationId": rand.Text()}, nil)
}

func (p *phone) close() {
	p.Close()
	p.reader.Wait()
}
