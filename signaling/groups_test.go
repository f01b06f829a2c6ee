package signaling

import (
	"errors"
	"testing"
	"time"

	"github.com/parleyrtc/parley/signaling/token"
	"github.com/parleyrtc/parley/signaling/wire"
)

// ringGroup starts a group call.
func (c *client) ringGroup(guid string) outcome {
	c.t.Helper()
	return c.mutate("call.initiate", map[string]any{"receiverId": guid, "receiverType": "group", "type": "video"})
}

// until skips what it hears of the others in a call of several until an event of this type comes.
func (c *client) until(kind string) event {
	c.t.Helper()
	for {
		e := c.hear()
		switch e.Type {
		case kind:
			return e
		case "call.member", "session.joined", "session.left", "session.updated", "session.hand":
		default:
			c.t.Fatalf("%s waited for %s, got %s %s", c.uid, kind, e.Type, e.Data)
		}
	}
}

func TestAGroupCallLivesWhileSomebodyIsIn(t *testing.T) {
	n := serve(t, quick())
	n.group("team", "alice", "bob", "carol", "dave")
	alice, bob, carol, dave := n.open("alice"), n.open("bob"), n.open("carol"), n.open("dave")
	c := alice.ringGroup("team").call(t)
	if c.Receiver.GUID != "team" || len(c.Members) != 4 {
		t.Fatalf("the call is %+v", c)
	}
	for _, member := range []*client{bob, carol, dave} {
		member.expectStatus("call.incoming", "initiated")
	}
	id := c.SessionID
	if got := bob.ringGroup("team"); got.code() != wire.CodeBusyGroup || got.Error.Data.Details["sessionId"] != id {
		t.Errorf("a second call of the group gives %+v", got.Error)
	}
	bob.on("call.accept", id).call(t)
	alice.expectStatus("call.accepted", "ongoing")
	if got := carol.mutate("call.reject", map[string]any{"sessionId": id, "status": "busy"}); got.code() != wire.CodeGroupInvalidStatus {
		t.Errorf("answering busy gives %q", got.code())
	}
	carol.mutate("call.reject", map[string]any{"sessionId": id, "status": "rejected"}).call(t)

	first := alice.join(id)
	if first.Pairs != 4 {
		t.Errorf("a group session begins with %d pairs", first.Pairs)
	}
	second := bob.join(id)
	for _, p := range []wire.JoinResult{first, second} {
		n.media.raise(MediaEvent{Kind: MediaConnected, Room: id, Participant: p.ParticipantID})
	}
	if e := alice.until("session.joined"); e.text("participant.user.uid") != "bob" {
		t.Errorf("alice hears %s", e.Data)
	}
	third := carol.join(id) // she changed her mind
	if len(third.Participants) != 2 {
		t.Errorf("carol finds %+v", third.Participants)
	}
	n.media.raise(MediaEvent{Kind: MediaConnected, Room: id, Participant: third.ParticipantID})
	alice.until("session.joined")

	bob.on("session.leave", id).into(t, &struct{}{})
	if e := alice.until("session.left"); e.text("participantId") != second.ParticipantID || e.text("reason") != "left" {
		t.Errorf("alice hears %s", e.Data)
	}
	n.media.awaits(t, "leave bob left")
	again := bob.join(id)
	if again.ParticipantID == second.ParticipantID {
		t.Error("who comes back is a new participant")
	}
	if got := bob.mutate("call.end", map[string]any{"sessionId": id, "forAll": true}); got.code() != wire.CodeNotAllowed {
		t.Errorf("ending for all without the right gives %q", got.code())
	}
	if got := alice.on("call.end", id).call(t); got.Status != "ongoing" {
		t.Errorf("alice leaves, and the call is %s", got.Status)
	}
	bob.on("call.end", id).call(t)
	if got := carol.on("call.end", id).call(t); got.Status != "ended" {
		t.Errorf("the last one leaves, and the call is %s", got.Status)
	}
	dave.until("call.cancelled")
	if got := bob.ringGroup("team"); got.code() != "" {
		t.Errorf("the group is free again, but %q", got.code())
	}
}

func TestAModeratorEndsAGroupCallForAll(t *testing.T) {
	n := serve(t, quick())
	n.group("team", "alice", "bob", "carol")
	alice, bob := n.open("alice"), n.open("bob")
	carol := n.openWith("carol", func(h map[string]any) { h["token"] = mint(t, "carol", time.Hour, token.GrantModerate) })
	id := alice.ringGroup("team").call(t).SessionID
	bob.expect("call.incoming")
	bob.on("call.accept", id).call(t)
	alice.until("call.accepted")
	alice.join(id)
	if got := carol.mutate("call.end", map[string]any{"sessionId": id, "forAll": true}).call(t); got.Status != "ended" || got.Reason != "ended_for_all" {
		t.Errorf("ended for all: %+v", got)
	}
	alice.until("call.ended")
	if e := alice.until("session.closed"); e.text("reason") != "ended_for_all" {
		t.Errorf("alice's session: %s", e.Data)
	}
	n.media.awaits(t, "close ended_for_all")
}

func TestARoomHasALimit(t *testing.T) {
	config := quick()
	config.MaxParticipants = 2
	n := serve(t, config)
	n.group("team", "alice", "bob", "carol")
	alice, bob, carol := n.open("alice"), n.open("bob"), n.open("carol")
	id := alice.ringGroup("team").call(t).SessionID
	bob.on("call.accept", id).call(t)
	alice.join(id)
	bob.join(id)
	if got := carol.on("session.join", id); got.code() != wire.CodeRoomFull {
		t.Errorf("the third gives %q", got.code())
	}
	bob.join(id) // the same device again takes no more room
	tablet := n.open("bob")
	if got := tablet.mutate("session.join", map[string]any{"sessionId": id, "takeover": true}); got.code() != "" {
		t.Errorf("another device in the place of the first gives %q", got.code())
	}
	tablet.on("session.leave", id)
	carol.join(id)
}

func TestGroupsAndStrangersToThem(t *testing.T) {
	n := serve(t, quick())
	n.group("team", "alice", "bob")
	eve := n.open("eve")
	if got := eve.ringGroup("team"); got.code() != wire.CodeGroupNotJoined {
		t.Errorf("ringing another's group gives %q", got.code())
	}
	if got := eve.ringGroup("nothing"); got.code() != wire.CodeGUIDNotFound {
		t.Errorf("ringing no group gives %q", got.code())
	}
}

func TestWhoComesIntoTheGroupIsRungAndWhoGoesIsOut(t *testing.T) {
	n := serve(t, quick())
	n.group("team", "alice", "bob")
	alice, bob, carol := n.open("alice"), n.open("bob"), n.open("carol")
	id := alice.ringGroup("team").call(t).SessionID
	bob.expect("call.incoming")
	n.MemberAdded("team", "carol")
	carol.expect("call.incoming")
	bob.on("call.accept", id).call(t)
	alice.until("call.accepted")
	bob.join(id)
	n.MemberRemoved("team", "bob")
	if e := bob.until("session.closed"); e.text("reason") != "removed" {
		t.Errorf("bob hears %s", e.Data)
	}
	n.media.awaits(t, "leave bob removed")
	if got := bob.on("session.join", id); got.code() != wire.CodeSessionNotFound {
		t.Errorf("bob is a stranger now, but gets %q", got.code())
	}
	n.UserDeleted("carol")
	carol.expectClose(wire.CloseUnauthorized)
}

func TestARequestWithoutADeviceActsForTheUser(t *testing.T) {
	n := serve(t, quick())
	alice, bob := n.open("alice"), n.open("bob")
	ctx := t.Context()
	view, err := n.Request(ctx, "alice", nil, wire.InitiateParams{ReceiverID: "bob", ReceiverType: "user", Type: "audio", MutationID: "m-1"})
	if err != nil || view.Status != "initiated" {
		t.Fatalf("%+v, %v", view, err)
	}
	again, err := n.Request(ctx, "alice", nil, wire.InitiateParams{ReceiverID: "bob", ReceiverType: "user", Type: "audio", MutationID: "m-1"})
	if err != nil || again.SessionID != view.SessionID {
		t.Errorf("the retry gives %+v, %v", again, err)
	}
	alice.expect("call.outgoing")
	bob.expect("call.incoming")
	if calls, err := n.ActiveCalls(ctx, "bob"); err != nil || len(calls) != 1 {
		t.Errorf("bob's calls: %v, %v", calls, err)
	}
	if calls, err := n.ActiveCalls(ctx, ""); err != nil || len(calls) != 1 {
		t.Errorf("all calls: %v, %v", calls, err)
	}
	_, err = n.Request(ctx, "eve", nil, wire.GetParams{SessionID: view.SessionID})
	var refused *wire.Error
	if !errors.As(err, &refused) || refused.Code != wire.CodeSessionNotFound {
		t.Errorf("a stranger gets %v", err)
	}
	if ended, err := n.Request(ctx, "alice", nil, wire.EndParams{SessionID: view.SessionID, MutationID: "m-2"}); err != nil || ended.Status != "cancelled" {
		t.Errorf("ended: %+v, %v", ended, err)
	}
}

func TestATokenIsRenewedOverTheOpenConnection(t *testing.T) {
	n := serve(t, quick())
	alice := n.openWith("alice", func(h map[string]any) { h["token"] = mint(t, "alice", time.Minute+time.Second) })
	alice.expect("token.expiring") // a minute before the end
	renew := func(raw string) outcome { return alice.do("token.renew", map[string]any{"token": raw}) }
	for name, raw := range map[string]string{"rubbish": "x", "another user's": mint(t, "bob", time.Hour)} {
		if got := renew(raw); got.code() != wire.CodeBadRequest || got.Error.Data.Field != "token" {
			t.Errorf("%s gives %+v", name, got.Error)
		}
	}
	var renewed wire.RenewResult
	renew(mint(t, "alice", time.Hour)).into(t, &renewed)
	if renewed.TokenExpiresAt <= alice.hello.TokenExpiresAt {
		t.Errorf("renewed until %d, before %d", renewed.TokenExpiresAt, alice.hello.TokenExpiresAt)
	}
}

func TestAnExpiredTokenStopsMutationsOnly(t *testing.T) {
	n := serve(t, quick())
	alice, bob := n.open("alice"), n.open("bob")
	id, _, _ := talk(t, alice, bob)
	n.hub.mu.Lock()
	d := n.hub.users["alice"][alice.hello.DeviceID]
	n.hub.mu.Unlock()
	d.token(time.Now(), token.Claims{ExpiresAt: time.Now().Add(-time.Second)})
	alice.expect("token.expiring")
	end := map[string]any{"sessionId": id, "mutationId": "m-end"}
	if got := alice.do("call.end", end); got.code() != wire.CodeTokenExpired {
		t.Errorf("ending with it gives %q", got.code())
	}
	if got := alice.do("session.offer", offering(id, "v=0")); got.code() != "" {
		t.Errorf("the media goes on, but an offer gives %q", got.code())
	}
	alice.do("token.renew", map[string]any{"token": mint(t, "alice", time.Hour)}).into(t, &wire.RenewResult{})
	if got := alice.do("call.end", end).call(t); got.Status != "ended" {
		t.Errorf("the same attempt with a new token gives %+v", got)
	}
}

// Ringing a group reads all its members, also for somebody who is none of them and will be refused.
func TestGroupsAreRungAtARate(t *testing.T) {
	config := quick()
	config.RequestRate, config.UserRate = 10_000, 10_000
	n := serve(t, config)
	n.group("team", "alice", "bob")
	eve := n.open("eve")
	var got outcome
	for range blockBurst + 10 {
		if got = eve.ringGroup("team"); got.code() != wire.CodeGroupNotJoined {
			break
		}
	}
	if wait, _ := got.Error.Data.Details["retryAfterMs"].(float64); got.code() != wire.CodeTooManyRequests || wait <= 0 {
		t.Errorf("that gives %+v", got.Error)
	}
}
