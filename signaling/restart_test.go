package signaling

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/store"
	"github.com/parleyrtc/parley/signaling/wire"
)

func TestARingingCallRingsOutOnItsDeadlineThroughARestart(t *testing.T) {
	config := quick()
	config.RingTimeout = 1500 * time.Millisecond
	n := serve(t, config)
	alice, bob := n.open("alice"), n.open("bob")
	c := alice.ring("bob")
	bob.expect("call.incoming")

	n = n.restart()
	alice.expectClose(wire.CloseRestart)
	back := alice.again(n)
	if back.hello.Resumed || len(back.hello.Snapshot.Calls) != 1 || back.hello.Snapshot.Calls[0].RingDeadline != c.RingDeadline {
		t.Fatalf("hello gives %+v", back.hello)
	}
	e := back.expectStatus("call.unanswered", "unanswered")
	late := time.Since(time.UnixMilli(c.RingDeadline))
	if late < 0 || late > 2*time.Second {
		t.Errorf("it rang out %v after its deadline: %s", late, e.Data)
	}
	if again := bob.again(n); again.hello.Snapshot.Calls[0].Status != "unanswered" {
		t.Errorf("bob's snapshot has %+v", again.hello.Snapshot.Calls)
	}
}

func TestACallWhoseDeadlinePassedDuringTheOutageIsUnanswered(t *testing.T) {
	config := quick()
	config.RingTimeout = 300 * time.Millisecond
	n := serve(t, config)
	alice := n.open("alice")
	c := alice.ring("bob")
	n.stop()
	time.Sleep(time.Until(time.UnixMilli(c.RingDeadline)) + 50*time.Millisecond)
	n = n.restart()
	if got := n.settled(c.SessionID); got.Status != "unanswered" {
		t.Errorf("the call is %+v", got)
	}
	if got := alice.again(n).ring("carol"); got.Status != "initiated" {
		t.Errorf("alice is free, but %+v", got)
	}
}

// settled waits for a call to be over.
func (n *node) settled(id string) wire.CallView {
	n.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		view, err := n.Call(context.Background(), id)
		if err != nil {
			n.t.Fatal(err)
		}
		if call.Status(view.Status).Terminal() {
			return view
		}
		if time.Now().After(deadline) {
			n.t.Fatalf("the call is still %s", view.Status)
		}
	}
}

func TestAnOngoingCallTakesItsParticipantsBackAfterARestart(t *testing.T) {
	config := quick()
	config.Grace, config.JoinDeadline = 700*time.Millisecond, 700*time.Millisecond
	n := serve(t, config)
	alice, bob := n.open("alice"), n.open("bob")
	id, _, _ := talk(t, alice, bob)

	n = n.restart()
	alice, bob = alice.again(n), bob.again(n)
	if got := alice.do("session.offer", offering(id, "v=0")); got.code() != wire.CodeNotJoined {
		t.Fatalf("an offer for the old session gives %q", got.code())
	}
	if r := alice.join(id); r.Call.Status != "ongoing" {
		t.Errorf("alice rejoins %+v", r.Call)
	}
	bob.join(id)
	n.media.awaits(t, "join bob open=true pairs=1")
	time.Sleep(2 * config.Grace)
	if got := alice.do("call.get", map[string]any{"sessionId": id}).call(t); got.Status != "ongoing" {
		t.Fatalf("both are back, but the call is %+v", got)
	}
	if busy := n.open("carol").ring("bob"); busy.Status != "busy" {
		t.Errorf("bob is still in a call, but carol's is %s", busy.Status)
	}
	alice.on("call.end", id).call(t)
}

func TestAnOngoingCallEndsWhenNobodyComesBackAfterARestart(t *testing.T) {
	config := quick()
	config.Grace = 300 * time.Millisecond
	n := serve(t, config)
	alice, bob := n.open("alice"), n.open("bob")
	id, _, _ := talk(t, alice, bob)
	n = n.restart()
	if got := n.settled(id); got.Status != "ended" || got.Reason != "lost" {
		t.Errorf("the call is %+v", got)
	}
	alice = alice.again(n)
	if alice.hello.Snapshot.Calls[0].Status != "ended" {
		t.Errorf("alice's snapshot has %+v", alice.hello.Snapshot.Calls)
	}
	if got := alice.ring("bob"); got.Status != "initiated" {
		t.Errorf("nobody stays busy, but %+v", got)
	}
}

func TestDrainingRefusesNewCallsAndEndsNone(t *testing.T) {
	n := serve(t, quick())
	alice, bob, carol := n.open("alice"), n.open("bob"), n.open("carol")
	id, _, _ := talk(t, alice, bob)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	var drained sync.WaitGroup
	drained.Go(func() { n.Drain(ctx) })
	if e := carol.expect("server.draining"); e.text("deadline") == "0" {
		t.Errorf("draining: %s", e.Data)
	}
	if got := carol.mutate("call.initiate", map[string]any{"receiverId": "dave", "receiverType": "user", "type": "audio"}); got.code() != wire.CodeDraining {
		t.Errorf("a new call gives %q", got.code())
	}
	drained.Wait()
	if got := alice.do("call.get", map[string]any{"sessionId": id}).call(t); got.Status != "ongoing" {
		t.Errorf("draining ended the call: %+v", got)
	}
	n = n.restart()
	alice.expect("server.draining")
	alice.expectClose(wire.CloseRestart)
	if got := alice.again(n).do("call.get", map[string]any{"sessionId": id}).call(t); got.Status != "ongoing" {
		t.Errorf("closing ended the call: %+v", got)
	}

	idle := serve(t, quick())
	idle.Drain(t.Context()) // with no call it returns at once
}

func TestARecordThatCannotBeReadHarmsNobody(t *testing.T) {
	n := serve(t, quick())
	if _, err := n.store.Commit(t.Context(), []store.Change{{Key: callKey("broken"), Value: []byte(`rubbish`)}}); err != nil {
		t.Fatal(err)
	}
	n = n.restart()
	alice, bob := n.open("alice"), n.open("bob")
	id := alice.ring("bob").SessionID
	bob.expect("call.incoming")
	if got := bob.on("call.accept", id).call(t); got.Status != "ongoing" {
		t.Errorf("accepted: %+v", got)
	}
}

func TestAFinishedCallMovesIntoTheHistory(t *testing.T) {
	n := serve(t, quick())
	alice, eve := n.open("alice"), n.open("eve")
	id := alice.ring("bob").SessionID
	alice.on("call.cancel", id).call(t)
	n.sweep(time.Now())
	if n.calls.loop(id) == nil {
		t.Fatal("a call stays for a while after its end")
	}
	for deadline := time.Now().Add(5 * time.Second); n.calls.loop(id) != nil; time.Sleep(time.Millisecond) {
		n.sweep(time.Now().Add(lingering))
		if time.Now().After(deadline) {
			t.Fatal("the call is still there")
		}
	}
	if got := alice.on("call.end", id).call(t); got.Status != "cancelled" {
		t.Errorf("ending it gives %+v", got)
	}
	if got := alice.do("call.get", map[string]any{"sessionId": id}).call(t); got.Status != "cancelled" {
		t.Errorf("call.get gives %+v", got)
	}
	if got := alice.on("session.join", id); got.code() != wire.CodeTerminated {
		t.Errorf("joining it gives %q", got.code())
	}
	if got := alice.on("session.leave", id); got.code() != "" && got.code() != wire.CodeTerminated {
		t.Errorf("leaving it gives %q", got.code())
	}
	for _, method := range []string{"call.end", "session.join"} {
		if got := eve.on(method, id); got.code() != wire.CodeSessionNotFound {
			t.Errorf("a stranger's %s gives %q", method, got.code())
		}
	}
	if _, err := n.store.Get(t.Context(), callKey(id)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("its record among the live ones: %v", err)
	}
	if view, err := n.Call(t.Context(), id); err != nil || view.Status != "cancelled" {
		t.Errorf("REST sees %+v, %v", view, err)
	}
}

func TestCallsThatAreOverLeaveNoGoroutineBehind(t *testing.T) {
	config := quick()
	config.RequestRate, config.UserRate = 10_000, 10_000
	n := serve(t, config)
	alice, bob := n.open("alice"), n.open("bob")
	cycle := func() {
		id := alice.ring("bob").SessionID
		bob.on("call.accept", id).call(t)
		alice.join(id)
		bob.join(id)
		alice.on("session.leave", id)
		for range 3 {
			bob.on("call.end", id)
		}
		for len(alice.events)+len(bob.events) > 0 {
			select {
			case <-alice.events:
			case <-bob.events:
			}
		}
	}
	cycle()
	before := runtime.NumGoroutine()
	for range 50 {
		cycle()
	}
	after := runtime.NumGoroutine()
	for deadline := time.Now().Add(5 * time.Second); after > before+2 && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		after = runtime.NumGoroutine()
	}
	if after > before+2 {
		t.Errorf("%d goroutines before, %d after 50 calls", before, after)
	}
}

func TestFiguresCountCallsAndMessages(t *testing.T) {
	n := serve(t, quick())
	alice, bob := n.open("alice"), n.open("bob")
	first := alice.ring("bob").SessionID
	if got := testutil.ToFloat64(n.metrics.callsActive); got != 1 {
		t.Errorf("%v calls are active", got)
	}
	alice.on("call.cancel", first).call(t)
	id, _, _ := func() (string, wire.JoinResult, wire.JoinResult) {
		for _, kind := range []string{"call.incoming", "call.cancelled", "call.missed"} {
			bob.expect(kind)
		}
		return talk(t, alice, bob)
	}()
	bob.on("call.end", id).call(t)
	bob.do("call.fly", nil)
	for name, row := range map[string]struct{ got, want float64 }{
		"active":    {testutil.ToFloat64(n.metrics.callsActive), 0},
		"cancelled": {testutil.ToFloat64(n.metrics.calls.WithLabelValues("cancelled")), 1},
		"ended":     {testutil.ToFloat64(n.metrics.calls.WithLabelValues("ended")), 1},
		"sockets":   {testutil.ToFloat64(n.metrics.connections), 2},
		"accepts":   {testutil.ToFloat64(n.metrics.messages.WithLabelValues("call.accept", "ok")), 1},
		"unknown":   {testutil.ToFloat64(n.metrics.messages.WithLabelValues("unknown", "ERR_BAD_REQUEST")), 1},
	} {
		if row.got != row.want {
			t.Errorf("%s: %v, want %v", name, row.got, row.want)
		}
	}
	if problems, err := testutil.GatherAndLint(n.registry); err != nil || len(problems) > 0 {
		t.Errorf("the figures' names: %v, %v", fmt.Sprint(problems), err)
	}
}
