package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/parleyrtc/parley/bench/client"
	"github.com/parleyrtc/parley/bench/load"
)

// ringSeconds is how long the call rings: members come one after the other, and a big room takes its time.
const ringSeconds = 300

// room is one group call with light clients. Its methods may be called from any goroutine.
type room struct {
	target    Target
	sessionID string
	callType  string
	pairs     int
	lost      chan string // first reasons why members fell out, of what fits

	mu      sync.Mutex
	members []*member
}

// member is one client in a room.
type member struct {
	uid        string
	client     *client.Client
	publisher  *load.Publisher
	subscriber *load.Subscriber
	listened   chan struct{} // closed when nobody reads the events any more
}

// openRoom makes the group and has its first member ring the others. The first one must enter before long.
func openRoom(ctx context.Context, t Target, guid string, uids []string, audio bool, pairs int) (*room, error) {
	if err := t.Group(ctx, guid, uids); err != nil {
		return nil, err
	}
	r := &room{target: t, callType: "video", pairs: pairs, lost: make(chan string, 16)}
	if audio {
		r.callType = "audio"
	}
	first, err := r.dial(ctx, uids[0])
	if err != nil {
		return nil, err
	}
	var body struct {
		Call client.Call `json:"call"`
	}
	err = first.client.Request(ctx, "call.initiate", map[string]any{
		"receiverId": guid, "receiverType": "group", "type": r.callType, "timeoutSeconds": ringSeconds, "mutationId": client.NewMutationID(),
	}, &body)
	if err != nil {
		r.close()
		return nil, t.explain("start the call", err)
	}
	r.sessionID = body.Call.SessionID
	return r, nil
}

// dial connects a user and listens to its events.
func (r *room) dial(ctx context.Context, uid string) (*member, error) {
	c, err := r.target.Dial(ctx, uid)
	if err != nil {
		return nil, err
	}
	m := &member{uid: uid, client: c, listened: make(chan struct{})}
	r.mu.Lock()
	r.members = append(r.members, m)
	r.mu.Unlock()
	go r.listen(m)
	return m, nil
}

// listen reads a member's events; it ends with the connection.
func (r *room) listen(m *member) {
	defer close(m.listened)
	for ev := range m.client.Events() {
		if ev.Type != "session.closed" {
			continue
		}
		var body struct {
			Reason string `json:"reason"`
		}
		_ = json.Unmarshal(ev.Data, &body) // without a reason the text is shorter
		select {
		case r.lost <- fmt.Sprintf("%s was put out of the session: %s", m.uid, body.Reason):
		default:
		}
	}
}

// enter accepts the call for a user, unless it is who rang, and returns its connection.
func (r *room) enter(ctx context.Context, uid string) (*member, error) {
	r.mu.Lock()
	var m *member
	for _, o := range r.members {
		if o.uid == uid {
			m = o
		}
	}
	r.mu.Unlock()
	if m != nil {
		return m, nil
	}
	m, err := r.dial(ctx, uid)
	if err != nil {
		return nil, err
	}
	if _, err := m.client.Accept(ctx, r.sessionID); err != nil {
		return nil, r.target.explain(uid+" accepts", err)
	}
	return m, nil
}

func (r *room) joining() load.JoinConfig {
	return load.JoinConfig{SessionID: r.sessionID, Pairs: r.pairs, Answer: r.target.Answer}
}

// publish brings a publisher in.
func (r *room) publish(ctx context.Context, uid string, p *load.Publisher) error {
	m, err := r.enter(ctx, uid)
	if err != nil {
		return err
	}
	if err := p.Join(ctx, m.client, r.joining()); err != nil {
		return r.target.explain(uid+" joins", err)
	}
	m.publisher = p
	return nil
}

// subscribe brings a subscriber in.
func (r *room) subscribe(ctx context.Context, uid string, s *load.Subscriber) error {
	m, err := r.enter(ctx, uid)
	if err != nil {
		return err
	}
	if err := s.Join(ctx, m.client, r.joining()); err != nil {
		return r.target.explain(uid+" joins", err)
	}
	m.subscriber = s
	return nil
}

// fallen says why a member fell out, if one has.
func (r *room) fallen() error {
	select {
	case why := <-r.lost:
		return errors.New(why)
	default:
		return nil
	}
}

// close hangs up for everybody, without waiting for the server's word.
func (r *room) close() {
	r.mu.Lock()
	members := r.members
	r.members = nil
	r.mu.Unlock()
	var wg sync.WaitGroup
	for _, m := range members {
		wg.Go(func() {
			if m.publisher != nil {
				m.publisher.Close()
			}
			if m.subscriber != nil {
				m.subscriber.Close()
			}
			m.client.Close()
			<-m.listened
		})
	}
	wg.Wait()
}
