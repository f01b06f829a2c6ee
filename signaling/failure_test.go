package signaling

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/parleyrtc/parley/signaling/store"
	"github.com/parleyrtc/parley/signaling/wire"
)

// breaking is a store whose commits fail when told to.
type breaking struct {
	store.Store
	mu     sync.Mutex
	before error // fails without writing
	after  error // fails having written
}

func (b *breaking) Commit(ctx context.Context, changes []store.Change) ([]uint64, error) {
	b.mu.Lock()
	before, after := b.before, b.after
	b.before, b.after = nil, nil
	b.mu.Unlock()
	if before != nil {
		return nil, before
	}
	revisions, err := b.Store.Commit(ctx, changes)
	if err == nil && after != nil {
		return nil, after
	}
	return revisions, err
}

func (b *breaking) fail(before, after error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.before, b.after = before, after
}

func TestACommitThatFailsLeavesTheCallAsItWas(t *testing.T) {
	n := serve(t, quick())
	b := &breaking{Store: n.store}
	n.Server.deps.Store = b
	alice, bob := n.open("alice"), n.open("bob")
	id := alice.ring("bob").SessionID
	bob.expect("call.incoming")

	b.fail(context.DeadlineExceeded, nil)
	accept := map[string]any{"sessionId": id, "mutationId": "m-1"}
	if got := bob.do("call.accept", accept); got.code() != wire.CodeInternal {
		t.Fatalf("accepting gives %q", got.code())
	}
	alice.quiet()
	if got := alice.do("call.get", map[string]any{"sessionId": id}).call(t); got.Status != "initiated" {
		t.Fatalf("the call is %s", got.Status)
	}
	if got := bob.do("call.accept", accept).call(t); got.Status != "ongoing" {
		t.Fatalf("the same attempt again gives %+v", got)
	}
	alice.expect("call.accepted")

	// A commit that was written although it failed is found out, and told once.
	b.fail(nil, context.DeadlineExceeded)
	end := map[string]any{"sessionId": id, "mutationId": "m-2"}
	if got := bob.do("call.end", end); got.code() != wire.CodeInternal {
		t.Fatalf("ending gives %q", got.code())
	}
	if got := bob.do("call.end", end).call(t); got.Status != "ended" {
		t.Fatalf("ending again gives %+v", got)
	}
	alice.expect("call.ended")
	alice.quiet()
}

func TestAFactIsNotLostWhenTheStoreFails(t *testing.T) {
	n := serve(t, quick())
	b := &breaking{Store: n.store}
	n.Server.deps.Store = b
	n.group("team", "alice", "bob", "carol")
	alice, bob := n.open("alice"), n.open("bob")
	c := alice.ringGroup("team").call(t)
	bob.expect("call.incoming")
	bob.on("call.accept", c.SessionID).call(t)
	bob.on("session.join", c.SessionID)
	b.fail(context.DeadlineExceeded, nil)
	n.MemberRemoved("team", "bob")
	if e := bob.until("session.closed"); e.text("reason") != "removed" {
		t.Errorf("bob hears %q", e.text("reason"))
	}
}

func TestANewCallWhoseCommitSeemedToFailIsWithdrawn(t *testing.T) {
	n := serve(t, quick())
	b := &breaking{Store: n.store}
	n.Server.deps.Store = b
	alice := n.open("alice")
	b.fail(nil, context.DeadlineExceeded)
	ring := func() outcome {
		return alice.mutate("call.initiate", map[string]any{"receiverId": "bob", "receiverType": "user", "type": "audio"})
	}
	if got := ring(); got.code() != wire.CodeInternal {
		t.Fatalf("ringing gives %q", got.code())
	}
	busy := ring()
	if busy.code() != wire.CodeBusySelf {
		t.Fatalf("the call is in the store, but ringing again gives %q", busy.code())
	}
	id := busy.Error.Data.Details["sessionId"].(string)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if view, err := n.Call(t.Context(), id); err == nil && view.Status == "cancelled" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody takes the call back")
		}
	}
	if got := ring().call(t); got.Status != "initiated" {
		t.Errorf("alice is free again, but %+v", got)
	}
}
