package signaling

import (
	"testing"
	"time"

	"github.com/parleyrtc/parley/signaling/wire"
)

func TestACallIsRungAcceptedAndHungUp(t *testing.T) {
	n := serve(t, quick())
	alice, bob, desk := n.open("alice"), n.open("bob"), n.open("bob")
	tab := n.open("alice")

	c := alice.ring("bob")
	if c.Status != "initiated" || c.Initiator.Name != "Alice" || c.Receiver.Name != "Bob" || c.RingDeadline-c.InitiatedAt != 60_000 {
		t.Fatalf("the call is %+v", c)
	}
	if e := bob.expectStatus("call.incoming", "initiated"); e.text("by.uid") != "alice" {
		t.Errorf("by = %s", e.Data)
	}
	desk.expect("call.incoming")
	tab.expect("call.outgoing")

	if got := bob.on("call.accept", c.SessionID).call(t); got.Status != "ongoing" || got.StartedAt == 0 {
		t.Fatalf("accepted: %+v", got)
	}
	if e := alice.expectStatus("call.accepted", "ongoing"); e.text("by.uid") != "bob" {
		t.Errorf("by = %s", e.Data)
	}
	desk.expectStatus("call.answeredElsewhere", "ongoing")
	tab.expectStatus("call.outgoingOver", "ongoing")
	tab.quiet()
	bob.quiet()
	n.media.awaits(t, "open")

	if got := bob.on("call.end", c.SessionID).call(t); got.Status != "ended" || got.Reason != "hangup" {
		t.Fatalf("ended: %+v", got)
	}
	alice.expectStatus("call.ended", "ended")
	n.media.awaits(t, "close hangup")
	for range 2 {
		if got := alice.on("call.end", c.SessionID).call(t); got.Status != "ended" {
			t.Fatalf("ending again: %+v", got)
		}
	}
	bob.quiet()
	desk.quiet()
	if again := alice.ring("bob"); again.Status != "initiated" {
		t.Fatalf("both are free again, got %+v", again)
	}
}

func TestOtherOutcomesOfRinging(t *testing.T) {
	for name, row := range map[string]struct {
		act                    func(t *testing.T, alice, bob *client, id string)
		status                 string
		caller, callee, second string // events: at the caller, the callee, the callee's other device
	}{
		"rejected": {func(t *testing.T, _, bob *client, id string) {
			bob.mutate("call.reject", map[string]any{"sessionId": id, "status": "rejected"}).call(t)
		}, "rejected", "call.rejected", "", "call.declinedElsewhere"},
		"busy": {func(t *testing.T, _, bob *client, id string) {
			bob.mutate("call.reject", map[string]any{"sessionId": id, "status": "busy"}).call(t)
		}, "busy", "call.rejected", "", "call.declinedElsewhere"},
		"cancelled": {func(t *testing.T, alice, _ *client, id string) {
			alice.on("call.cancel", id).call(t)
		}, "cancelled", "", "call.cancelled", "call.cancelled"},
		"ended by the caller": {func(t *testing.T, alice, _ *client, id string) {
			alice.on("call.end", id).call(t)
		}, "cancelled", "", "call.cancelled", "call.cancelled"},
	} {
		t.Run(name, func(t *testing.T) {
			n := serve(t, quick())
			alice, bob, desk := n.open("alice"), n.open("bob"), n.open("bob")
			c := alice.ring("bob")
			bob.expect("call.incoming")
			desk.expect("call.incoming")
			row.act(t, alice, bob, c.SessionID)
			if row.caller != "" {
				alice.expectStatus(row.caller, row.status)
			}
			if row.callee != "" {
				bob.expectStatus(row.callee, row.status)
			}
			desk.expectStatus(row.second, row.status)
			late := bob.on("call.accept", c.SessionID)
			if late.code() != wire.CodeTerminated {
				t.Fatalf("a late accept gives %q", late.code())
			}
			final, _ := late.Error.Data.Details["call"].(map[string]any)
			if final["status"] != row.status {
				t.Errorf("the refusal shows %v", final)
			}
			alice.quiet()
		})
	}
}

func TestAnUnansweredCallRingsOutByTheServersTimer(t *testing.T) {
	config := quick()
	config.RingTimeout = 300 * time.Millisecond
	n := serve(t, config)
	alice, bob := n.open("alice"), n.open("bob")
	c := alice.ring("bob")
	bob.expect("call.incoming")
	alice.expectStatus("call.unanswered", "unanswered")
	bob.expectStatus("call.unanswered", "unanswered")
	bob.expectStatus("call.missed", "unanswered")
	if got := alice.do("call.get", map[string]any{"sessionId": c.SessionID}).call(t); got.Status != "unanswered" {
		t.Errorf("call.get shows %+v", got)
	}
	var active struct{ Calls []wire.CallView }
	alice.do("call.active", nil).into(t, &active)
	if len(active.Calls) != 0 {
		t.Errorf("still active: %+v", active.Calls)
	}
}

func TestWhoIsBusyIsToldSo(t *testing.T) {
	n := serve(t, quick())
	alice, bob, carol := n.open("alice"), n.open("bob"), n.open("carol")
	c := alice.ring("bob")
	bob.expect("call.incoming")

	// Somebody who rings is busy for others, and cannot ring a second time.
	if got := carol.ring("alice"); got.Status != "busy" {
		t.Fatalf("alice is ringing, but the call is %s", got.Status)
	}
	carol.expectStatus("call.rejected", "busy")
	alice.expectStatus("call.missed", "busy")
	second := alice.mutate("call.initiate", map[string]any{"receiverId": "carol", "receiverType": "user", "type": "audio"})
	if second.code() != wire.CodeBusySelf || second.Error.Data.Details["sessionId"] != c.SessionID {
		t.Fatalf("a second call gives %+v", second.Error)
	}
	// Who calls the one that rings them gets that call.
	back := bob.mutate("call.initiate", map[string]any{"receiverId": "alice", "receiverType": "user", "type": "audio"})
	if back.code() != wire.CodeBusySelf || back.Error.Data.Details["sessionId"] != c.SessionID {
		t.Fatalf("calling back gives %+v", back.Error)
	}
	bob.on("call.accept", c.SessionID).call(t)
	alice.expect("call.accepted")
	if got := carol.ring("bob"); got.Status != "busy" {
		t.Fatalf("bob is in a call, but the second one is %s", got.Status)
	}
}

func TestTwoUsersWhoCallEachOtherAtOnceMeetInOneCall(t *testing.T) {
	n := serve(t, quick())
	alice, bob := n.open("alice"), n.open("bob")
	for range 20 {
		params := func(to string) map[string]any {
			return map[string]any{"receiverId": to, "receiverType": "user", "type": "audio", "mutationId": newID("m_")}
		}
		a, b := alice.send("call.initiate", params("bob")), bob.send("call.initiate", params("alice"))
		ra, rb := alice.wait(a), bob.wait(b)
		if (ra.code() == "") == (rb.code() == "") {
			t.Fatalf("one must win: %q, %q", ra.code(), rb.code())
		}
		winner, lost, won := alice, rb, ra
		if ra.code() != "" {
			winner, lost, won = bob, ra, rb
		}
		id := won.call(t).SessionID
		if lost.code() != wire.CodeBusySelf || lost.Error.Data.Details["sessionId"] != id {
			t.Fatalf("the loser gets %+v, want %s", lost.Error, id)
		}
		winner.on("call.cancel", id).call(t)
	}
}

func TestOfTwoDevicesThatAcceptAtOnceOneHasTheSeat(t *testing.T) {
	n := serve(t, quick())
	alice, phone, desk := n.open("alice"), n.open("bob"), n.open("bob")
	c := alice.ring("bob")
	accept := map[string]any{"sessionId": c.SessionID, "mutationId": "same"} // ids of two devices don't meet
	a, b := phone.send("call.accept", accept), desk.send("call.accept", accept)
	ra, rb := phone.wait(a), desk.wait(b)
	if (ra.code() == "") == (rb.code() == "") || ra.code()+rb.code() != wire.CodeUserAlreadyJoined {
		t.Fatalf("got %q and %q", ra.code(), rb.code())
	}
	alice.expect("call.accepted")
	alice.quiet()
}

func TestARetryAfterALostReplyChangesNothing(t *testing.T) {
	n := serve(t, quick())
	alice, bob := n.open("alice"), n.open("bob")
	params := map[string]any{"receiverId": "bob", "receiverType": "user", "type": "video", "mutationId": "m-1"}
	first := alice.do("call.initiate", params).call(t)
	alice.cut()
	alice = alice.again(n)
	if !alice.hello.Resumed {
		t.Fatal("not resumed")
	}
	if again := alice.do("call.initiate", params).call(t); again.SessionID != first.SessionID {
		t.Fatalf("the retry made another call: %s, %s", first.SessionID, again.SessionID)
	}
	bob.expect("call.incoming")
	bob.quiet()
	if other := alice.do("call.cancel", map[string]any{"sessionId": first.SessionID, "mutationId": "m-1"}); other.Error == nil || other.Error.Data.Field != "mutationId" {
		t.Errorf("the id is taken by another method, got %+v", other)
	}
	// A refusal is the first answer, too.
	refused := bob.do("call.cancel", map[string]any{"sessionId": first.SessionID, "mutationId": "m-2"})
	alice.on("call.cancel", first.SessionID)
	if again := bob.do("call.cancel", map[string]any{"sessionId": first.SessionID, "mutationId": "m-2"}); again.code() != refused.code() {
		t.Errorf("first %q, then %q", refused.code(), again.code())
	}
}

func TestAStrangerHearsTheSameOfARealAndAMadeUpCall(t *testing.T) {
	n := serve(t, quick())
	alice, bob, eve := n.open("alice"), n.open("bob"), n.open("eve")
	c := alice.ring("bob")
	bob.expect("call.incoming")
	bob.on("call.accept", c.SessionID).call(t)
	alice.expect("call.accepted")
	for _, method := range []string{"call.accept", "call.cancel", "call.end", "session.join", "session.leave", "call.get", "session.iceServers"} {
		var texts []string
		for _, id := range []string{c.SessionID, newID("")} {
			params := map[string]any{"sessionId": id}
			var r outcome
			if method == "call.get" || method == "session.iceServers" {
				r = eve.do(method, params)
			} else {
				r = eve.mutate(method, params)
			}
			if r.code() != wire.CodeSessionNotFound {
				t.Errorf("%s gives %q", method, r.code())
				continue
			}
			texts = append(texts, r.Error.Message)
		}
		if len(texts) == 2 && texts[0] != texts[1] {
			t.Errorf("%s tells them apart: %q", method, texts)
		}
	}
	alice.quiet()
	bob.quiet()
	if got := alice.do("call.get", map[string]any{"sessionId": c.SessionID}).call(t); got.Status != "ongoing" {
		t.Errorf("the call is %s now", got.Status)
	}
}

func TestAClosedDirectoryRingsOnlyWhomItKnows(t *testing.T) {
	config := quick()
	config.OpenDirectory = false
	n := serve(t, config)
	alice := n.open("alice")
	ring := func(uid string) outcome {
		return alice.mutate("call.initiate", map[string]any{"receiverId": uid, "receiverType": "user", "type": "audio"})
	}
	for uid, want := range map[string]string{"nobody": wire.CodeUIDNotFound, "alice": wire.CodeCallingSelf} {
		if got := ring(uid); got.code() != want {
			t.Errorf("ringing %s gives %q, want %q", uid, got.code(), want)
		}
	}
	n.open("bob")
	if got := ring("bob"); got.code() != "" {
		t.Errorf("ringing bob gives %q", got.code())
	}
}

func TestNobodyIsRungTooOften(t *testing.T) {
	config := quick()
	config.RingsPerMinute = 3
	n := serve(t, config)
	alice := n.open("alice")
	for range 3 {
		alice.on("call.cancel", alice.ring("bob").SessionID).call(t)
	}
	r := alice.mutate("call.initiate", map[string]any{"receiverId": "bob", "receiverType": "user", "type": "audio"})
	if r.code() != wire.CodeTooManyRings || r.Error.Data.Details["retryAfterMs"].(float64) < 1 {
		t.Fatalf("the fourth ring gives %+v", r.Error)
	}
	alice.ring("carol")
}
