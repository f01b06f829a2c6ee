package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parleyrtc/parley/bench/client"
)

func background(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// ring has alice call bob and returns the call as bob's phone sees it.
func ring(t testing.TB, alice, bob *person) client.Call {
	t.Helper()
	call, err := alice.Initiate(background(t), bob.uid, "user", "video")
	if err != nil {
		t.Fatal(err)
	}
	incoming := bob.wait(t, "call.incoming").Call()
	if incoming.SessionID != call.SessionID {
		t.Fatalf("bob's phone rings for %s, alice started %s", incoming.SessionID, call.SessionID)
	}
	return incoming
}

func accept(t testing.TB, p *person, sessionID string) {
	t.Helper()
	if _, err := p.Accept(background(t), sessionID); err != nil {
		t.Fatal(err)
	}
}

func TestACallCarriesSoundAndPictureBothWays(t *testing.T) {
	s := startServer(t)
	alice, bob := newPerson(s, "alice"), newPerson(s, "bob")
	call := ring(t, alice, bob)
	accept(t, bob, call.SessionID)
	alice.wait(t, "call.accepted")
	bob.join(t, call.SessionID, client.SessionConfig{})
	alice.join(t, call.SessionID, client.SessionConfig{})
	alice.hears(t, "bob", 25)
	bob.hears(t, "alice", 25)

	if _, err := bob.End(background(t), call.SessionID); err != nil {
		t.Fatal(err)
	}
	ended := alice.wait(t, "call.ended").Call()
	if ended.Status != "ended" || ended.Reason != "hangup" {
		t.Fatalf("alice is told %s/%s", ended.Status, ended.Reason)
	}
}

func TestNoMediaFlowsBeforeTheAcceptance(t *testing.T) {
	s := startServer(t)
	alice, bob := newPerson(s, "alice"), newPerson(s, "bob")
	call := ring(t, alice, bob)
	early := alice.join(t, call.SessionID, client.SessionConfig{})
	<-early.Connected()

	_, err := bob.Join(background(t), call.SessionID, client.SessionConfig{})
	var refused *client.Error
	if !errors.As(err, &refused) || refused.Code != "ERR_CALL_NOT_ACCEPTED" {
		t.Fatalf("bob joins before he accepts: %v, want ERR_CALL_NOT_ACCEPTED", err)
	}
	accept(t, bob, call.SessionID)
	bob.join(t, call.SessionID, client.SessionConfig{})
	bob.hears(t, "alice", 5)
	alice.hears(t, "bob", 5)
}

func TestAGroupOfThreeSeesEachOther(t *testing.T) {
	s := startServer(t)
	alice, bob, carol := newPerson(s, "alice"), newPerson(s, "bob"), newPerson(s, "carol")
	token := s.token("alice")
	s.restAs(token, "PUT", "/v1/groups/team", map[string]string{"name": "Team"})
	for _, uid := range []string{"alice", "bob", "carol"} {
		s.restAs(token, "PUT", "/v1/groups/team/members/"+uid, nil)
	}
	call, err := alice.Initiate(background(t), "team", "group", "video")
	if err != nil {
		t.Fatal(err)
	}
	people := []*person{alice, bob, carol}
	for _, p := range people[1:] {
		p.wait(t, "call.incoming")
		accept(t, p, call.SessionID)
	}
	for _, p := range people {
		p.join(t, call.SessionID, client.SessionConfig{})
	}
	for _, p := range people {
		for _, from := range people {
			if from != p {
				p.hears(t, from.uid, 10)
			}
		}
	}
}

func TestAnIceRestartDoesNotStopTheMedia(t *testing.T) {
	s := startServer(t)
	alice, bob := newPerson(s, "alice"), newPerson(s, "bob")
	call := ring(t, alice, bob)
	accept(t, bob, call.SessionID)
	bob.join(t, call.SessionID, client.SessionConfig{})
	session := alice.join(t, call.SessionID, client.SessionConfig{})
	alice.hears(t, "bob", 5)
	bob.hears(t, "alice", 5)
	if err := session.Offer(background(t), true); err != nil {
		t.Fatal(err)
	}
	alice.hears(t, "bob", 25)
	bob.hears(t, "alice", 25)
}

func TestMediaGoesThroughTurnOverEachTransport(t *testing.T) {
	s := startServer(t)
	alice, bob := newPerson(s, "alice"), newPerson(s, "bob")
	for _, path := range []string{"turn:127.0.0.1:" + s.turn, "turn:127.0.0.1:" + s.turn + "?transport=tcp", "turns:localhost:" + s.turns + "?transport=tcp"} {
		t.Run(path, func(t *testing.T) {
			call := ring(t, alice, bob)
			accept(t, bob, call.SessionID)
			bob.join(t, call.SessionID, client.SessionConfig{})
			servers := turnServers(t, alice.Client, call.SessionID, path)
			alice.join(t, call.SessionID, client.SessionConfig{Policy: webrtc.ICETransportPolicyRelay, ICEServers: servers})
			alice.hears(t, "bob", 10)
			bob.hears(t, "alice", 10)
			if _, err := alice.End(background(t), call.SessionID); err != nil {
				t.Fatal(err)
			}
			bob.wait(t, "call.ended")
		})
	}
}

func TestTurnKnowsTheMediaByItsPublicAddress(t *testing.T) {
	s := startServer(t, "PARLEY_MEDIA_ADVERTISE=198.51.100.9") // which leads nowhere
	alice, bob := newPerson(s, "alice"), newPerson(s, "bob")
	call := ring(t, alice, bob)
	accept(t, bob, call.SessionID)
	for _, p := range []*person{alice, bob} {
		servers := turnServers(t, p.Client, call.SessionID, "turn:127.0.0.1:"+s.turn)
		p.join(t, call.SessionID, client.SessionConfig{Policy: webrtc.ICETransportPolicyRelay, ICEServers: servers})
	}
	alice.hears(t, "bob", 10)
	bob.hears(t, "alice", 10)
}

// turnServers takes the credential of the session and points it at one URL.
func turnServers(t *testing.T, c *client.Client, sessionID, url string) []webrtc.ICEServer {
	t.Helper()
	var joined struct{}
	err := c.Request(background(t), "session.join", map[string]any{"sessionId": sessionID, "mutationId": client.NewMutationID()}, &joined)
	if err != nil {
		t.Fatal(err)
	}
	var body struct {
		ICEServers []struct {
			Username   string `json:"username"`
			Credential string `json:"credential"`
		} `json:"iceServers"`
	}
	if err := c.Request(background(t), "session.iceServers", map[string]any{"sessionId": sessionID}, &body); err != nil {
		t.Fatal(err)
	}
	for _, is := range body.ICEServers {
		if is.Username != "" {
			return []webrtc.ICEServer{{URLs: []string{url}, Username: is.Username, Credential: is.Credential}}
		}
	}
	t.Fatal("the server gives no TURN credential")
	return nil
}

func TestDataMessagesReachTheOthers(t *testing.T) {
	for _, row := range []struct {
		name       string
		says, hear bool // has its data channel from the first offer
	}{{"both open their channels when they need them", false, false}, {"one of them is an older client", true, false}, {"the other is", false, true}} {
		t.Run(row.name, func(t *testing.T) {
			s := startServer(t)
			alice, bob := newPerson(s, "alice"), newPerson(s, "bob")
			call := ring(t, alice, bob)
			accept(t, bob, call.SessionID)
			got := make(chan client.DataMessage, 1)
			bob.join(t, call.SessionID, client.SessionConfig{DataAtOnce: row.hear, OnData: func(m client.DataMessage) { got <- m }})
			says := alice.join(t, call.SessionID, client.SessionConfig{DataAtOnce: row.says})
			bob.hears(t, "alice", 1)
			if err := says.Send(background(t), client.DataMessage{Topic: "chat", Payload: json.RawMessage(`"hello"`)}); err != nil {
				t.Fatal(err)
			}
			select {
			case m := <-got:
				if m.From != says.ParticipantID || m.Topic != "chat" || string(m.Payload) != `"hello"` {
					t.Fatalf("bob got %+v", m)
				}
			case <-time.After(20 * time.Second):
				t.Fatal("no data message in 20 s")
			}
		})
	}
}

func TestTheServersEndOfASessionClosesIt(t *testing.T) {
	s := startServer(t)
	alice, bob := newPerson(s, "alice"), newPerson(s, "bob")
	call := ring(t, alice, bob)
	accept(t, bob, call.SessionID)
	session := alice.join(t, call.SessionID, client.SessionConfig{})
	if _, err := bob.End(background(t), call.SessionID); err != nil {
		t.Fatal(err)
	}
	select {
	case <-session.Closed():
	case <-background(t).Done():
		t.Fatal("alice's session is still open")
	}
	if session.Reason() != "hangup" {
		t.Errorf("it was closed for %q, want hangup", session.Reason())
	}
	if final, err := alice.Get(background(t), call.SessionID); err != nil || final.Status != "ended" {
		t.Errorf("the call is %q (%v), want ended", final.Status, err)
	}
	if calls, err := alice.Active(background(t)); err != nil || len(calls) != 0 {
		t.Errorf("%d calls are active (%v), want none", len(calls), err)
	}
}

func TestASessionGrowsWithTheGroup(t *testing.T) {
	s := startServer(t)
	people := []*person{newPerson(s, "alice"), newPerson(s, "bob"), newPerson(s, "carol"), newPerson(s, "dave")}
	token := s.token("alice")
	s.restAs(token, "PUT", "/v1/groups/team", map[string]string{"name": "Team"})
	for _, p := range people {
		s.restAs(token, "PUT", "/v1/groups/team/members/"+p.uid, nil)
	}
	call, err := people[0].Initiate(background(t), "team", "group", "video")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range people[1:] {
		p.wait(t, "call.incoming")
		accept(t, p, call.SessionID)
	}
	for _, p := range people {
		p.join(t, call.SessionID, client.SessionConfig{Pairs: 1, Grow: true})
	}
	for _, from := range people[1:] {
		people[0].hears(t, from.uid, 5)
	}
}

// Tokens of 61 s end soon when they are one second old: with each renewal the server tells of a later end.
func TestATokenIsRenewedBeforeItEnds(t *testing.T) {
	s := startServer(t, "PARLEY_AUTH_TOKEN_TTL=61s")
	c := s.dialAs(client.Config{Renew: func(context.Context) (string, error) { return s.Token("alice") }}, "alice")
	var before int64
	for range 2 {
		ev, err := c.WaitEvent(background(t), "token.expiring")
		if err != nil {
			t.Fatal(err)
		}
		var body struct{ ExpiresAt int64 }
		if err := json.Unmarshal(ev.Data, &body); err != nil {
			t.Fatal(err)
		}
		if body.ExpiresAt <= before {
			t.Fatalf("the token still ends at %d", before)
		}
		before = body.ExpiresAt
	}
}

func TestPeopleMeetInANamedSession(t *testing.T) {
	s := startServer(t)
	alice, bob := newPerson(s, "alice"), newPerson(s, "bob")
	first := alice.enter(t, "weekly")
	second := bob.enter(t, "weekly")
	if first.ID != second.ID {
		t.Fatalf("alice is in %s, bob in %s", first.ID, second.ID)
	}
	alice.hears(t, "bob", 10)
	bob.hears(t, "alice", 10)
	if err := second.Leave(background(t)); err != nil {
		t.Fatal(err)
	}
	if err := first.Leave(background(t)); err != nil {
		t.Fatal(err)
	}
	if call, err := alice.Get(background(t), first.ID); err != nil || call.Status != "ended" || call.ReceiverType != "session" {
		t.Errorf("afterwards the call is %+v (%v)", call, err)
	}
}
