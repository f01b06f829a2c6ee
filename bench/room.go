package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/parleyrtc/parley/bench/client"
	"github.com/parleyrtc/parley/bench/load"
)

// ringSeconds is how long the call rings: members come one after the other, and a big room takes its time.
const ringSeconds = 300

// room is one call with light clients. Its methods may be called from any goroutine.
type room struct {
	target    Target
	shape     Shape
	sessionID string
	lost      chan string // first reasons why members fell out, of what fits

	mu      sync.Mutex
	members []*member
}

// member is one client in a room.
type member struct {
	uid      string
	client   *client.Client
	media    *load.Client
	leaving  atomic.Bool
	listened chan struct{} // closed when nobody reads the events any more
}

func newRoom(t Target, shape Shape) *room {
	return &room{target: t, shape: shape, lost: make(chan string, 16)}
}

// openGroup makes the group and has its first member ring the others. The first one must enter before long.
func openGroup(ctx context.Context, t Target, shape Shape, guid string, uids []string) (*room, error) {
	if err := t.Group(ctx, guid, uids); err != nil {
		return nil, err
	}
	r := newRoom(t, shape)
	first, err := r.dial(ctx, uids[0])
	if err != nil {
		return nil, err
	}
	if err := r.ring(ctx, first, guid, "group"); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// openPairCall has one user ring another. It must be closed even if that fails.
func openPairCall(ctx context.Context, t Target, shape Shape, caller, callee string) (*room, error) {
	r := newRoom(t, shape)
	first, err := r.dial(ctx, caller)
	if err != nil {
		return r, err
	}
	return r, r.ring(ctx, first, callee, "user")
}

// ring starts the call.
func (r *room) ring(ctx context.Context, caller *member, receiver, kind string) error {
	callType := "video"
	if r.shape.Audio {
		callType = "audio"
	}
	var body struct {
		Call client.Call `json:"call"`
	}
	err := caller.client.Request(ctx, "call.initiate", map[string]any{
		"receiverId": receiver, "receiverType": kind, "type": callType, "timeoutSeconds": ringSeconds, "mutationId": client.NewMutationID(),
	}, &body)
	if err != nil {
		return r.target.explain("start the call", err)
	}
	r.sessionID = body.Call.SessionID
	return nil
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
		if ev.Type != "session.closed" || m.leaving.Load() {
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
	if m := r.member(uid); m != nil {
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

func (r *room) member(uid string) *member {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.members {
		if m.uid == uid {
			return m
		}
	}
	return nil
}

// bring brings a client in.
func (r *room) bring(ctx context.Context, uid string, media *load.Client) error {
	m, err := r.enter(ctx, uid)
	if err != nil {
		return err
	}
	pairs := r.shape.Publishers
	if r.shape.OneToOne {
		pairs = 1
	}
	if err := media.Join(ctx, m.client, load.JoinConfig{SessionID: r.sessionID, Pairs: pairs, Answer: r.target.Answer}); err != nil {
		return r.target.explain(uid+" joins", err)
	}
	m.media = media
	return nil
}

// take takes a client out again.
func (r *room) take(ctx context.Context, uid string) error {
	m := r.member(uid)
	if m == nil {
		return nil
	}
	r.mu.Lock()
	for _, o := range r.members {
		if o == m || r.shape.OneToOne { // who is left alone in a call is put out as well
			o.leaving.Store(true)
		}
	}
	r.members = slices.DeleteFunc(r.members, func(o *member) bool { return o == m })
	r.mu.Unlock()
	err := m.media.Leave(ctx)
	m.client.Close()
	<-m.listened
	return err
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
			if m.media != nil {
				m.media.Close()
			}
			m.client.Close()
			<-m.listened
		})
	}
	wg.Wait()
}
