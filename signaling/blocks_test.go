package signaling

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/parleyrtc/parley/signaling/token"
	"github.com/parleyrtc/parley/signaling/wire"
)

// listed is whom the user of a client has blocked, read page by page.
func (c *client) listed(limit int) (uids []string) {
	c.t.Helper()
	for cursor := ""; ; {
		params := map[string]any{"limit": limit}
		if cursor != "" {
			params["cursor"] = cursor
		}
		var page wire.BlockedResult
		c.do("user.blocked", params).into(c.t, &page)
		for _, user := range page.Users {
			uids = append(uids, user.UID)
		}
		if cursor = page.Next; cursor == "" {
			return uids
		}
	}
}

func TestAUserBlocksOverTheWebSocket(t *testing.T) {
	n := serve(t, quick())
	alice, bob := n.open("alice"), n.open("bob")
	block := func(method, uid string) string { return alice.mutate(method, map[string]any{"uid": uid}).code() }
	for range 2 { // blocking is idempotent
		for _, uid := range []string{"bob", "carol", "never-seen"} {
			if code := block("user.block", uid); code != "" {
				t.Fatalf("blocking %s: %s", uid, code)
			}
		}
	}
	if got := fmt.Sprint(alice.listed(2)); got != "[bob carol never-seen]" {
		t.Errorf("alice has blocked %s", got)
	}
	if got := bob.listed(100); len(got) != 0 {
		t.Errorf("bob sees %v", got)
	}

	refused := bob.mutate("call.initiate", map[string]any{"receiverId": "alice", "receiverType": "user", "type": "audio"})
	if refused.code() != wire.CodeBlockedSender || len(refused.Error.Data.Details) != 0 {
		t.Errorf("bob's call gives %+v", refused.Error)
	}
	if code := alice.mutate("call.initiate", map[string]any{"receiverId": "bob", "receiverType": "user", "type": "audio"}).code(); code != wire.CodeBlockedReceiver {
		t.Errorf("alice's call gives %s", code)
	}
	alice.quiet()
	bob.quiet()

	for range 2 {
		if code := block("user.unblock", "bob"); code != "" {
			t.Fatalf("unblocking: %s", code)
		}
	}
	if got := fmt.Sprint(alice.listed(100)); got != "[carol never-seen]" {
		t.Errorf("alice has blocked %s", got)
	}
	bob.ring("alice")
	alice.expect("call.incoming")
}

func TestBlockRequestsAreChecked(t *testing.T) {
	n := serve(t, quick())
	alice := n.open("alice")
	for _, test := range []struct {
		method, params, code, field string
	}{
		{"user.block", `{"uid":"alice","mutationId":"m1"}`, wire.CodeBadRequest, "uid"},
		{"user.block", `{"uid":"","mutationId":"m2"}`, wire.CodeBadRequest, "uid"},
		{"user.block", `{"uid":"a/b","mutationId":"m3"}`, wire.CodeBadRequest, "uid"},
		{"user.block", `{"uid":"bob"}`, wire.CodeBadRequest, "mutationId"},
		{"user.unblock", `{"uid":">","mutationId":"m4"}`, wire.CodeBadRequest, "uid"},
		{"user.blocked", `{"limit":101}`, wire.CodeBadRequest, "limit"},
		{"user.blocked", `{"limit":0}`, wire.CodeBadRequest, "limit"},
		{"user.blocked", `{"cursor":"*"}`, wire.CodeBadRequest, "cursor"},
	} {
		var params map[string]any
		if err := json.Unmarshal([]byte(test.params), &params); err != nil {
			t.Fatal(err)
		}
		got := alice.do(test.method, params)
		if got.code() != test.code || got.Error.Data.Field != test.field {
			t.Errorf("%s %s gives %+v", test.method, test.params, got.Error)
		}
	}
}

// A block list is bounded, and so is what asking for it again and again costs; WebSocket and REST have one rate.
func TestBlockListsAreBounded(t *testing.T) {
	n := serve(t, quick())
	ctx := t.Context()
	for i := range maxBlocked {
		if err := n.directory.write(ctx, change(blockKey("alice", fmt.Sprintf("u%d", i)), memberRecord{}, 0)); err != nil {
			t.Fatal(err)
		}
	}
	alice := n.open("alice")
	if code := alice.mutate("user.block", map[string]any{"uid": "one-more"}).code(); code != wire.CodeTooManyBlocked {
		t.Errorf("one more than the most gives %q", code)
	}
	if code := alice.mutate("user.block", map[string]any{"uid": "u7"}).code(); code != "" {
		t.Errorf("blocking one who is blocked gives %q", code)
	}
	if got := len(alice.listed(100)); got != maxBlocked {
		t.Errorf("%d are listed", got)
	}
	var slow outcome
	for range blockBurst + 10 {
		if slow = alice.mutate("user.unblock", map[string]any{"uid": "nobody"}); slow.Error != nil {
			break
		}
	}
	if wait, _ := slow.Error.Data.Details["retryAfterMs"].(float64); slow.code() != wire.CodeTooManyRequests || wait <= 0 {
		t.Fatalf("the rate gives %+v", slow.Error)
	}
	if _, allowed := n.directory.MayList(time.Now(), "bob"); !allowed {
		t.Error("alice has used up bob's rate")
	}
}

// Whose token is good for one session only has no list to keep and no phone to ring.
func TestATokenForOneSessionKeepsNothing(t *testing.T) {
	n := serve(t, quick())
	guest := n.openAs(token.Claims{UID: "guest-1", Name: "Gwen", Guest: true, Session: &token.SessionGrant{Name: "weekly"}})
	for method, params := range map[string]map[string]any{
		"user.block":        {"uid": "bob", "mutationId": "1"},
		"user.unblock":      {"uid": "bob", "mutationId": "2"},
		"user.blocked":      {},
		"device.register":   {"kind": "fcm", "token": "somebody's", "mutationId": "3"},
		"device.unregister": {"registrationId": "r_1", "mutationId": "4"},
		"device.list":       {},
		"call.initiate":     {"receiverId": "bob", "receiverType": "user", "type": "audio", "mutationId": "5"},
	} {
		if code := guest.do(method, params).code(); code != wire.CodeNotAllowed {
			t.Errorf("%s gives %q", method, code)
		}
	}
	keys, err := n.store.List(t.Context(), "block")
	if err != nil || len(keys) != 0 {
		t.Errorf("%v is kept (%v)", keys, err)
	}
}

func TestTheRateOfBlockListsHoldsOverREST(t *testing.T) {
	s := newRESTServer(t, RESTConfig{})
	alice := s.as("alice")
	for range blockBurst + 10 {
		if answer := s.do(alice, "GET", "/v1/users/alice/blocked", ""); answer.Code != 200 {
			if answer.Code != 429 || answer.Header().Get("Retry-After") == "" || !strings.Contains(answer.Body.String(), "retryAfterMs") {
				t.Errorf("the rate gives %d %s", answer.Code, answer.Body)
			}
			s.must(asAdmin, "PUT", "/v1/users/alice/blocked/mallory", "") // a back end has none
			return
		}
	}
	t.Error("there is no rate")
}
