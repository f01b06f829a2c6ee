package signaling

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/parleyrtc/parley/signaling/webhook"
)

// restHooks has one target, app, with one dead letter, 7.
type restHooks struct{}

func (restHooks) States(context.Context) ([]webhook.State, error) {
	return []webhook.State{{Name: "app", Events: []string{"call.ended"}, Pending: 3, Dead: 1}}, nil
}

func (restHooks) DeadLetters(_ context.Context, target string, after uint64, _ int) ([]webhook.DeadLetter, error) {
	if target != "app" {
		return nil, webhook.ErrNoTarget
	}
	if after >= 7 {
		return []webhook.DeadLetter{}, nil
	}
	at := time.Unix(1_700_000_000, 0).UTC()
	return []webhook.DeadLetter{{
		Number: 7, ID: "msg_1", Type: "call.ended", SessionID: "s-1", Attempts: 9, Reason: "status 500", QueuedAt: at, DiedAt: at,
		Body: json.RawMessage(`{"type":"call.ended"}`),
	}}, nil
}

func (restHooks) Replay(_ context.Context, target string, number uint64) error {
	switch {
	case target != "app":
		return webhook.ErrNoTarget
	case number != 7:
		return webhook.ErrNoLetter
	}
	return nil
}

func (restHooks) ReplayAll(_ context.Context, target string) (int, error) {
	switch target {
	case "app":
		return 1, nil
	case "full":
		return 0, webhook.ErrFull
	}
	return 0, webhook.ErrNoTarget
}

func TestDeadLettersOverREST(t *testing.T) {
	s := newRESTServer(t, RESTConfig{})
	var page DeadLetterPage
	if err := json.Unmarshal(s.must(asAdmin, "GET", "/v1/webhooks/app/dead-letters?limit=1", "").Body.Bytes(), &page); err != nil {
		t.Fatal(err)
	}
	if len(page.DeadLetters) != 1 || page.Next != "7" || string(page.DeadLetters[0].Body) != `{"type":"call.ended"}` {
		t.Errorf("the page is %+v", page)
	}
	for _, row := range []struct {
		authorization, method, path string
		want                        int
	}{
		{asAdmin, "POST", "/v1/webhooks/app/dead-letters/7/replay", http.StatusOK},
		{asAdmin, "POST", "/v1/webhooks/app/dead-letters/8/replay", http.StatusNotFound},
		{asAdmin, "POST", "/v1/webhooks/app/dead-letters/0/replay", http.StatusUnprocessableEntity},
		{asAdmin, "POST", "/v1/webhooks/nobody/dead-letters/replay", http.StatusNotFound},
		{asAdmin, "POST", "/v1/webhooks/full/dead-letters/replay", http.StatusConflict},
		{asAdmin, "GET", "/v1/webhooks/a%2Fb/dead-letters", http.StatusUnprocessableEntity},
		{asReader, "GET", "/v1/webhooks/app/dead-letters", http.StatusForbidden}, // bodies are for who may change things
		{s.as("alice"), "GET", "/v1/webhooks", http.StatusForbidden},
		{"", "POST", "/v1/webhooks/app/dead-letters/replay", http.StatusUnauthorized},
	} {
		if got := s.do(row.authorization, row.method, row.path, ""); got.Code != row.want {
			t.Errorf("%s %s gives %d %s, want %d", row.method, row.path, got.Code, got.Body, row.want)
		}
	}
}
