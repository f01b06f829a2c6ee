package signaling

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parleyrtc/parley/signaling/token"
	"github.com/parleyrtc/parley/signaling/wire"
)

// openAs connects with a token of these claims.
func (n *node) openAs(claims token.Claims) *client {
	n.t.Helper()
	raw, err := token.Mint(testKey, testSecret, claims, time.Now(), time.Hour)
	if err != nil {
		n.t.Fatal(err)
	}
	return n.openWith(claims.UID, func(hello map[string]any) { hello["token"] = raw })
}

// enter comes into a named session.
func (c *client) enter(name string) wire.JoinResult {
	c.t.Helper()
	var result wire.JoinResult
	c.mutate("session.enter", map[string]any{"session": name}).into(c.t, &result)
	return result
}

// open is quick with sessions that everybody may enter.
func open() Config {
	config := quick()
	config.OpenSessions = true
	return config
}

func TestANamedSessionTakesInWhoeverComes(t *testing.T) {
	n := serve(t, open())
	alice, bob := n.open("alice"), n.open("bob")
	first := alice.enter("weekly")
	id := first.Call.SessionID
	if first.Call.Status != "ongoing" || first.Call.ReceiverType != "session" || first.Call.Receiver.Session != "weekly" ||
		id == "weekly" || first.Pairs != 4 || !first.Rights.Moderate || !first.Rights.Subscribe || len(first.Rights.Publish) != 4 {
		t.Fatalf("the first one finds %+v", first)
	}
	n.media.awaits(t, "join alice open=true pairs=4")
	n.media.raise(MediaEvent{Kind: MediaConnected, Room: id, Participant: first.ParticipantID})
	second := bob.enter("weekly")
	if second.Call.SessionID != id || second.Rights.Moderate || len(second.Participants) != 1 || second.Participants[0].ParticipantID != first.ParticipantID {
		t.Fatalf("the second one finds %+v", second)
	}
	if e := alice.expect("call.member"); e.text("uid") != "alice" {
		t.Errorf("alice hears of %s", e.Data)
	}
	if again := alice.enter("weekly"); again.Call.SessionID != id || !again.Rights.Moderate {
		t.Errorf("who began comes back and is told %+v", again.Rights)
	}
	if e := alice.expect("call.member"); e.text("uid") != "bob" || e.text("state") != "joined" {
		t.Errorf("alice hears of %s", e.Data)
	}
	if got := bob.mutate("call.initiate", map[string]any{"receiverId": "carol", "receiverType": "user", "type": "audio"}); got.code() != wire.CodeBusySelf {
		t.Errorf("bob, who is in a session, rings carol: %q", got.code())
	}
	alice.on("session.leave", id).into(t, &struct{}{})
	bob.on("session.leave", id).into(t, &struct{}{})
	n.media.awaits(t, "close left")

	again := bob.enter("weekly")
	if again.Call.SessionID == id || again.Call.Status != "ongoing" {
		t.Errorf("after its end the session is %+v, want a new call", again.Call)
	}
}

func TestManyWhoComeAtOnceMeetInOneSession(t *testing.T) {
	n := serve(t, open())
	ids := make([]string, 8)
	clients := make([]*client, len(ids))
	for i := range clients {
		clients[i] = n.open("user" + string(rune('a'+i)))
	}
	var all sync.WaitGroup
	for i, c := range clients {
		all.Go(func() { ids[i] = c.enter("weekly").Call.SessionID })
	}
	all.Wait()
	slices.Sort(ids)
	if len(slices.Compact(ids)) != 1 {
		t.Errorf("they are in %v", ids)
	}
}

func TestWhoBeginsModeratesWhereEverybodyMayEnter(t *testing.T) {
	guest := token.Claims{UID: "guest-1", Guest: true, Session: &token.SessionGrant{Name: "weekly"}}
	if first := serve(t, open()).openAs(guest).enter("weekly"); first.Rights.Moderate {
		t.Errorf("a guest who comes first is told %+v", first.Rights)
	}
	host := token.Claims{UID: "host", Grants: []string{token.GrantEnter}}
	if first := serve(t, quick()).openAs(host).enter("weekly"); first.Rights.Moderate {
		t.Errorf("where sessions are granted, who comes first is told %+v", first.Rights)
	}
}

func TestASessionIsEnteredByGrant(t *testing.T) {
	n := serve(t, quick())
	host := n.openAs(token.Claims{UID: "host", Grants: []string{token.GrantEnter, token.GrantModerate}})
	id := host.enter("weekly").Call.SessionID

	stranger := n.open("stranger")
	if got := stranger.mutate("session.enter", map[string]any{"session": "weekly"}); got.code() != wire.CodeNotAllowed {
		t.Errorf("without a grant: %q", got.code())
	}
	if got := stranger.on("session.join", id); got.code() != wire.CodeSessionNotFound {
		t.Errorf("by its call's id: %q", got.code())
	}

	quiet := false
	talker := n.openAs(token.Claims{UID: "guest-1", Name: "Gwen", Guest: true, Session: &token.SessionGrant{
		Name: "weekly", Publish: &[]string{"microphone"}, Subscribe: &quiet,
	}})
	joined := talker.enter("weekly")
	if joined.Pairs != 0 || joined.Rights.Subscribe || !slices.Equal(joined.Rights.Publish, []string{"microphone"}) {
		t.Errorf("who may only talk is told %+v, %d pairs", joined.Rights, joined.Pairs)
	}
	if got := joined.Call.Members[0].User.Name; got != "Gwen" && joined.Call.Members[1].User.Name != "Gwen" {
		t.Errorf("the guest is shown as %+v", joined.Call.Members)
	}
	if got := talker.do("session.offer", offering(id, "v=0")); got.code() != wire.CodeNotAllowed {
		t.Errorf("slots for who may not listen: %q", got.code())
	}
	camera := map[string]any{"sessionId": id, "sdp": "v=0", "slots": []any{}, "publications": []any{map[string]any{"mid": "0", "source": "camera"}}}
	if got := talker.do("session.offer", camera); got.code() != wire.CodeNotAllowed {
		t.Errorf("a camera for who may only talk: %q", got.code())
	}
	if got := talker.mutate("session.enter", map[string]any{"session": "another"}); got.code() != wire.CodeNotAllowed {
		t.Errorf("another session: %q", got.code())
	}
	if got := talker.mutate("call.initiate", map[string]any{"receiverId": "host", "receiverType": "user", "type": "audio"}); got.code() != wire.CodeNotAllowed {
		t.Errorf("a guest rings somebody: %q", got.code())
	}
	if _, known, err := n.directory.User(t.Context(), "guest-1"); known || err != nil {
		t.Errorf("the directory knows a guest (%v)", err)
	}
}

func TestWhoIsHiddenIsShownToNobody(t *testing.T) {
	n := serve(t, open())
	recorder := n.openAs(token.Claims{UID: "recorder", Session: &token.SessionGrant{Name: "weekly", Hidden: true}})
	if got := recorder.mutate("session.enter", map[string]any{"session": "weekly"}); got.code() != wire.CodeSessionNotFound {
		t.Errorf("a session that nobody is in: %q", got.code())
	}
	alice := n.open("alice")
	id := alice.enter("weekly").Call.SessionID
	alice.expect("call.member")
	hidden := recorder.enter("weekly")
	if !hidden.Rights.Hidden || len(hidden.Rights.Publish) != 0 {
		t.Errorf("its rights are %+v", hidden.Rights)
	}
	n.media.raise(MediaEvent{Kind: MediaConnected, Room: id, Participant: hidden.ParticipantID})
	bob := n.open("bob")
	joined := bob.enter("weekly")
	if e := alice.expect("call.member"); e.text("uid") != "bob" {
		t.Errorf("alice hears %s", e.Data)
	}
	if len(joined.Participants) != 0 || len(joined.Call.Members) != 2 {
		t.Errorf("bob sees %+v and %+v", joined.Participants, joined.Call.Members)
	}
	recorder.on("session.leave", id).into(t, &struct{}{})
	alice.quiet()
}

func TestWhoMayModerateIsToldSo(t *testing.T) {
	n := serve(t, quick())
	n.group("team", "alice", "bob", "host")
	alice, bob := n.open("alice"), n.open("bob")
	host := n.openAs(token.Claims{UID: "host", Grants: []string{token.GrantModerate}})
	id := alice.ringGroup("team").call(t).SessionID
	bob.on("call.accept", id).call(t)
	host.on("call.accept", id).call(t)
	for c, want := range map[*client]bool{alice: true, bob: false, host: true} {
		if got := c.join(id).Rights.Moderate; got != want {
			t.Errorf("%s is told %v", c.uid, got)
		}
	}
}

func TestModeratorsRule(t *testing.T) {
	n := serve(t, open())
	host := n.openAs(token.Claims{UID: "host", Grants: []string{token.GrantModerate}})
	alice, bob := n.open("alice"), n.open("bob")
	id := host.enter("weekly").Call.SessionID
	a, b := alice.enter("weekly"), bob.enter("weekly")
	for _, p := range []wire.JoinResult{a, b} {
		n.media.raise(MediaEvent{Kind: MediaConnected, Room: id, Participant: p.ParticipantID})
	}
	n.media.raise(MediaEvent{Kind: MediaPublications, Room: id, Participant: a.ParticipantID, Publications: []MediaPublicationInfo{
		{ID: "t_a", Kind: "audio", Source: "microphone"},
	}})
	alice.until("session.updated")

	hand := func(c *client, participant string, raised bool) string {
		params := map[string]any{"sessionId": id, "raised": raised}
		if participant != "" {
			params["participantId"] = participant
		}
		return c.do("session.hand", params).code()
	}
	if got := hand(alice, "", true); got != "" {
		t.Fatal(got)
	}
	if e := bob.until("session.hand"); e.text("participantId") != a.ParticipantID || e.text("raised") != "true" || e.text("at") == "" {
		t.Errorf("bob hears %s", e.Data)
	}
	late := n.open("late").enter("weekly")
	if i := slices.IndexFunc(late.Participants, func(p wire.ParticipantView) bool { return p.RaisedAt != 0 }); i < 0 || late.Participants[i].ParticipantID != a.ParticipantID {
		t.Errorf("who comes later sees no hand: %+v", late.Participants)
	}
	if got := hand(bob, a.ParticipantID, false); got != wire.CodeNotAllowed {
		t.Errorf("bob lowers alice's hand: %q", got)
	}
	if got := hand(host, a.ParticipantID, false); got != "" {
		t.Errorf("the host lowers alice's hand: %q", got)
	}
	if e := bob.until("session.hand"); e.text("raised") != "false" {
		t.Errorf("bob hears %s", e.Data)
	}

	mute := func(c *client, publication string) string {
		return c.do("session.muteOther", map[string]any{"sessionId": id, "publicationId": publication}).code()
	}
	if got := mute(bob, "t_a"); got != wire.CodeNotAllowed {
		t.Errorf("bob mutes alice: %q", got)
	}
	if got := mute(host, "none"); got != wire.CodePublicationNotFound {
		t.Errorf("the host mutes nothing: %q", got)
	}
	if got := mute(host, "t_a"); got != "" {
		t.Errorf("the host mutes alice: %q", got)
	}
	if e := alice.until("session.muted"); e.text("publicationId") != "t_a" || e.text("by.uid") != "host" {
		t.Errorf("alice hears %s", e.Data)
	}

	expel := func(c *client, participant string) string {
		return c.mutate("session.expel", map[string]any{"sessionId": id, "participantId": participant}).code()
	}
	if got := expel(bob, a.ParticipantID); got != wire.CodeNotAllowed {
		t.Errorf("bob expels alice: %q", got)
	}
	if got := expel(host, "p_nobody"); got != wire.CodeParticipantNotFound {
		t.Errorf("the host expels nobody: %q", got)
	}
	if got := expel(host, a.ParticipantID); got != "" {
		t.Errorf("the host expels alice: %q", got)
	}
	if e := alice.until("session.closed"); e.text("reason") != "removed" {
		t.Errorf("alice hears %s", e.Data)
	}
	if got := alice.mutate("session.enter", map[string]any{"session": "weekly"}); got.code() != wire.CodeNotAllowed {
		t.Errorf("alice comes back: %q", got.code())
	}
	if got := host.mutate("call.end", map[string]any{"sessionId": id, "forAll": true}); got.code() != "" {
		t.Errorf("the host ends it for all: %q", got.code())
	}
	if e := bob.until("call.ended"); e.text("by.uid") != "host" {
		t.Errorf("bob hears %s", e.Data)
	}
}

func TestNobodyIsLeftAloneForEver(t *testing.T) {
	config := open()
	config.AloneTimeout = 300 * time.Millisecond
	n := serve(t, config)
	alice := n.open("alice")
	alice.enter("weekly")
	if e := alice.until("call.ended"); e.text("call.reason") != "alone" {
		t.Errorf("alice hears %s", e.Data)
	}
	if e := alice.until("session.closed"); e.text("reason") != "alone" {
		t.Errorf("alice hears %s", e.Data)
	}
}

func TestANamedSessionGoesOnAfterARestart(t *testing.T) {
	n := serve(t, open())
	id := n.open("alice").enter("weekly").Call.SessionID
	n.open("bob").enter("weekly")
	again := n.restart()
	joined := again.open("carol").enter("weekly")
	if joined.Call.SessionID != id || len(joined.Call.Members) != 3 {
		t.Errorf("carol is in %+v, want %s", joined.Call, id)
	}
}

func TestAnInvitationIsNoToken(t *testing.T) {
	now := time.Now()
	tokens, err := token.New([]token.APIKey{{ID: testKey, Secret: testSecret}})
	if err != nil {
		t.Fatal(err)
	}
	grant := token.SessionGrant{Name: "weekly", Moderate: true}
	invitation, err := token.Invite(testKey, testSecret, grant, now, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	got, err := tokens.VerifyInvitation(now, invitation)
	if err != nil || got.Grant.Name != "weekly" || !got.Grant.Moderate || got.ID == "" {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := tokens.VerifyInvitation(now.Add(2*time.Hour), invitation); err == nil {
		t.Error("it is good after its end")
	}
	if _, err := tokens.Verify(now, invitation); err == nil {
		t.Error("it is good as a token")
	}
	raw := mint(t, "alice", time.Hour)
	if _, err := tokens.VerifyInvitation(now, raw); err == nil {
		t.Error("a token is good as an invitation")
	}
	if _, err := token.Mint(testKey, testSecret, token.Claims{UID: "guest-1", Guest: true}, now, time.Hour); err == nil {
		t.Error("a guest who is not confined to a session")
	}
	if a, b := token.Guest(), token.Guest(); a == b || !strings.HasPrefix(a, "guest-") || !wire.ValidUID(a) {
		t.Errorf("guests are called %q and %q", a, b)
	}
}
