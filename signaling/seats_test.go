package signaling

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/parleyrtc/parley/signaling/store"
	"github.com/parleyrtc/parley/signaling/wire"
)

// rendezvous is a store in which commits wait for one another a while, so that those which nothing keeps apart go side by side.
type rendezvous struct {
	store.Store
	mu      sync.Mutex
	waiting int
	both    chan struct{}
}

func (r *rendezvous) Commit(ctx context.Context, changes []store.Change) ([]uint64, error) {
	r.mu.Lock()
	if r.waiting++; r.waiting == 2 {
		close(r.both)
	}
	r.mu.Unlock()
	select {
	case <-r.both:
	case <-time.After(200 * time.Millisecond): // the other one is kept waiting, as it should be
	}
	return r.Store.Commit(ctx, changes)
}

// Whatever takes a seat for a user is done one after the other, also on two devices, and also when commits are slow.
func TestAUserTakesOneSeatAtATime(t *testing.T) {
	accept := func(from string) func(*node, *client) func() chan outcome {
		return func(n *node, bob *client) func() chan outcome {
			id := n.open(from).ring("bob").SessionID
			return func() chan outcome {
				return bob.send("call.accept", map[string]any{"sessionId": id, "mutationId": "m"})
			}
		}
	}
	ring := func(uid string) func(*node, *client) func() chan outcome {
		return func(_ *node, bob *client) func() chan outcome {
			return func() chan outcome {
				return bob.send("call.initiate", map[string]any{"receiverId": uid, "receiverType": "user", "type": "audio", "mutationId": "m"})
			}
		}
	}
	enter := func(name string) func(*node, *client) func() chan outcome {
		return func(_ *node, bob *client) func() chan outcome {
			return func() chan outcome {
				return bob.send("session.enter", map[string]any{"session": name, "mutationId": "m"})
			}
		}
	}
	for name, does := range map[string][2]func(*node, *client) func() chan outcome{
		"accepts two calls":   {accept("alice"), accept("dave")},
		"rings two users":     {ring("alice"), ring("dave")},
		"accepts and rings":   {accept("alice"), ring("dave")},
		"enters two sessions": {enter("one"), enter("two")},
		"enters and accepts":  {enter("one"), accept("dave")},
	} {
		t.Run(name, func(t *testing.T) {
			n := serve(t, open())
			phone, tab := n.open("bob"), n.open("bob")
			one, other := does[0](n, phone), does[1](n, tab)
			n.Server.deps.Store = &rendezvous{Store: n.store, both: make(chan struct{})}
			first, second := one(), other()
			outcomes := map[string]int{phone.wait(first).code(): 1}
			outcomes[tab.wait(second).code()]++
			if outcomes[""] != 1 || outcomes[wire.CodeBusySelf] != 1 {
				t.Errorf("that gives %v", outcomes)
			}
		})
	}
}

// A commit that failed and was written all the same has given a seat, which keeps its user from another one before the call's own
// loop has found out.
func TestASeatInDoubtBinds(t *testing.T) {
	n := serve(t, quick())
	b := &breaking{Store: n.store}
	n.Server.deps.Store = b
	alice, bob, dave := n.open("alice"), n.open("bob"), n.open("dave")
	id, other := alice.ring("bob").SessionID, dave.ring("bob").SessionID

	b.fail(nil, context.DeadlineExceeded)
	if got := bob.on("call.accept", id); got.code() != wire.CodeInternal {
		t.Fatalf("accepting gives %q", got.code())
	}
	got := bob.on("call.accept", other)
	if got.code() != wire.CodeBusySelf || got.Error.Data.Details["sessionId"] != id {
		t.Errorf("accepting the other one gives %q %v", got.code(), got.Error)
	}
	if got := bob.on("call.accept", id).call(t); got.Status != "ongoing" {
		t.Errorf("accepting again gives %+v", got)
	}
	bob.on("call.end", id).call(t)
	if got := bob.on("call.accept", other).call(t); got.Status != "ongoing" {
		t.Errorf("bob is free, but %+v", got)
	}

	b.fail(context.DeadlineExceeded, nil) // and one that was not written binds nobody
	bob.on("call.end", other)
	bob.on("call.end", other).call(t)
	third, fourth := alice.ring("bob").SessionID, dave.ring("bob").SessionID
	b.fail(context.DeadlineExceeded, nil)
	if got := bob.on("call.accept", third); got.code() != wire.CodeInternal {
		t.Fatalf("accepting gives %q", got.code())
	}
	if got := bob.on("call.accept", fourth).call(t); got.Status != "ongoing" {
		t.Errorf("bob has no seat, but %+v", got)
	}
}

// A session whose opening seemed to fail and did not is no place to send others to: they meet in the one that they have opened since.
func TestASessionThatWasOpenedTwiceIsTheOneThatPeopleAreIn(t *testing.T) {
	n := serve(t, open())
	b := &breaking{Store: n.store}
	n.Server.deps.Store = b
	alice, bob, carol := n.open("alice"), n.open("bob"), n.open("carol")
	b.fail(nil, context.DeadlineExceeded)
	if got := alice.mutate("session.enter", map[string]any{"session": "weekly"}); got.code() != wire.CodeInternal {
		t.Fatalf("entering gives %q", got.code())
	}
	id := bob.enter("weekly").Call.SessionID
	for deadline := time.Now().Add(20 * time.Second); len(n.calls.all()) < 2; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the first one never appears")
		}
	}
	if got := carol.enter("weekly").Call.SessionID; got != id {
		t.Errorf("carol comes into %s, where nobody is; bob is in %s", got, id)
	}
}
