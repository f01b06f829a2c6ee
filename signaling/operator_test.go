package signaling

import (
	"context"
	"encoding/json"
	"errors"
	"html"
	"slices"
	"strings"
	"testing"

	"github.com/parleyrtc/parley/signaling/wire"
)

// refusedWith checks the code of a refusal.
func refusedWith(t *testing.T, err error, code string) {
	t.Helper()
	var refusal *wire.Error
	if !errors.As(err, &refusal) || refusal.Code != code {
		t.Errorf("refused with %v, want %s", err, code)
	}
}

func TestTheOperatorLooksIntoRoomsAndClearsThem(t *testing.T) {
	n := serve(t, open())
	ctx := t.Context()
	alice, bob := n.open("alice"), n.open("bob")
	a, b := alice.enter("weekly"), bob.enter("weekly")
	id := a.Call.SessionID
	for _, p := range []wire.JoinResult{a, b} {
		n.media.raise(MediaEvent{Kind: MediaConnected, Room: id, Participant: p.ParticipantID})
	}
	n.media.raise(MediaEvent{Kind: MediaPublications, Room: id, Participant: b.ParticipantID, Publications: []MediaPublicationInfo{
		{ID: "t_b", Kind: "audio", Source: "microphone"},
	}})
	bob.until("session.updated")

	list, err := n.Participants(ctx, id)
	if err != nil || len(list) != 2 || list[0].ParticipantID != a.ParticipantID || len(list[1].Publications) != 1 {
		t.Fatalf("in the room are %+v (%v)", list, err)
	}
	if err := n.Mute(ctx, id, "t_b"); err != nil {
		t.Error(err)
	}
	if e := bob.until("session.muted"); e.text("publicationId") != "t_b" {
		t.Errorf("bob hears %s", e.Data)
	}
	refusedWith(t, n.Mute(ctx, id, "t_none"), wire.CodePublicationNotFound)
	if err := n.Expel(ctx, id, b.ParticipantID); err != nil {
		t.Error(err)
	}
	if e := bob.until("session.closed"); e.text("reason") != "removed" {
		t.Errorf("bob hears %s", e.Data)
	}
	refusedWith(t, n.Expel(ctx, id, "p_none"), wire.CodeParticipantNotFound)
	for range 2 {
		if view, err := n.Terminate(ctx, id); err != nil || view.Status != "ended" || view.Reason != "ended_for_all" {
			t.Errorf("terminating gives %+v (%v)", view, err)
		}
	}
	_, err = n.Participants(ctx, id)
	refusedWith(t, err, wire.CodeTerminated)
	_, err = n.Participants(ctx, "none")
	refusedWith(t, err, wire.CodeSessionNotFound)
	_, err = n.Terminate(ctx, "none")
	refusedWith(t, err, wire.CodeSessionNotFound)
}

func TestWhoIsBlockedRingsNobody(t *testing.T) {
	n := serve(t, quick())
	ctx := t.Context()
	alice, bob := n.open("alice"), n.open("bob")
	ring := func(from *client, to string) string {
		return from.mutate("call.initiate", map[string]any{"receiverId": to, "receiverType": "user", "type": "audio"}).code()
	}
	if err := n.directory.Block(ctx, "alice", "bob"); err != nil {
		t.Fatal(err)
	}
	if got := ring(alice, "bob"); got != wire.CodeBlockedReceiver {
		t.Errorf("alice, who has blocked bob, rings him: %q", got)
	}
	if got := ring(bob, "alice"); got != wire.CodeBlockedSender {
		t.Errorf("bob, whom alice has blocked, rings her: %q", got)
	}
	alice.quiet()
	if list, err := n.directory.blocked(ctx, "alice"); err != nil || !slices.Equal(list, []string{"bob"}) {
		t.Errorf("alice has blocked %v (%v)", list, err)
	}
	if err := n.directory.Unblock(ctx, "alice", "bob"); err != nil {
		t.Fatal(err)
	}
	if got := ring(bob, "alice"); got != "" {
		t.Errorf("bob, who is blocked no more, rings alice: %q", got)
	}
}

func TestBlockListsAreOnesOwn(t *testing.T) {
	s := newRESTServer(t, RESTConfig{})
	alice := s.as("alice")
	s.must(alice, "PUT", "/v1/users/alice/blocked/mallory", "")
	s.must(alice, "PUT", "/v1/users/alice/blocked/mallory", "")
	if got := s.must(alice, "GET", "/v1/users/alice/blocked", "").Body.String(); strings.Count(got, "mallory") != 2 { // uid and name
		t.Errorf("her list is %s", got)
	}
	s.must(asAdmin, "DELETE", "/v1/users/alice/blocked/mallory", "")
	if got := s.must(asReader, "GET", "/v1/users/alice/blocked", "").Body.String(); strings.Contains(got, "mallory") {
		t.Errorf("her list is %s", got)
	}
	s.refused(alice, "GET", "/v1/users/bob/blocked", "", 403, codeForbidden)
	s.refused(alice, "PUT", "/v1/users/bob/blocked/carol", "", 403, codeForbidden)
	s.refused(asReader, "PUT", "/v1/users/alice/blocked/bob", "", 403, codeForbidden)
	s.refused(alice, "PUT", "/v1/users/alice/blocked/alice", "", 422, wire.CodeBadRequest)
}

func TestTheDocumentIsShownToPeople(t *testing.T) {
	s := newRESTServer(t, RESTConfig{})
	page := s.must("", "GET", "/v1/docs", "")
	for id, op := range documented(s.api.OpenAPI()) {
		if !strings.Contains(page.Body.String(), `<details id="`+id+`">`) || !strings.Contains(page.Body.String(), html.EscapeString(op.Summary)) {
			t.Errorf("%s is not on the page", id)
		}
	}
	if policy := page.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'") {
		t.Errorf("its policy is %q", policy)
	}
}

// crowd is many calls.
type crowd struct{ *restCalls }

func (crowd) ActiveCalls(context.Context, string) ([]wire.CallView, error) {
	var views []wire.CallView
	for i := range 5 {
		v := exampleCall()
		v.SessionID, v.InitiatedAt = string(rune('a'+i)), int64(7+i/2)
		views = append(views, v)
	}
	return views, nil
}

func TestCallsAreListedInPages(t *testing.T) {
	s := newRESTServer(t, RESTConfig{})
	s.deps.Calls = crowd{s.calls}
	var seen string
	for after, pages := "", 0; ; pages++ {
		var page CallPage
		if err := json.Unmarshal(s.must(asReader, "GET", "/v1/calls?limit=2&after="+after, "").Body.Bytes(), &page); err != nil {
			t.Fatal(err)
		}
		for _, v := range page.Calls {
			seen += v.SessionID
		}
		if after = page.Next; after == "" || pages > 5 {
			break
		}
	}
	if seen != "abcde" {
		t.Errorf("the pages show %q", seen)
	}
}
