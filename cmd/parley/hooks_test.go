package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parleyrtc/parley/signaling/webhook"
)

const hookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// hooked is a back end that fails at first with every fifth message, and notes what it has taken, each message once.
type hooked struct {
	t      *testing.T
	secret webhook.Secret

	mu    sync.Mutex
	asked map[string]int // by webhook-id
	seen  map[string]bool
	calls map[string][]string // by session, the types in the order in which they first came
}

func (h *hooked) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	text, err := io.ReadAll(req.Body)
	if err != nil {
		return // the server was killed
	}
	if err := h.secret.Verify(req.Header, text, time.Now()); err != nil {
		h.t.Errorf("%v: %s", err, text)
	}
	var body webhook.Body
	if err := json.Unmarshal(text, &body); err != nil {
		h.t.Error(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	id := req.Header.Get("webhook-id")
	if h.asked[id]++; len(h.asked)%5 == 0 && h.asked[id] == 1 {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	if !h.seen[id] {
		h.seen[id] = true
		h.calls[body.Data.SessionID] = append(h.calls[body.Data.SessionID], body.Type)
	}
}

// told reports whether a call's messages are these.
func (h *hooked) told(session string, want []string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Equal(h.calls[session], want)
}

// rings notes what an operator's push server is told, and that nothing rings after it was stopped.
type rings struct {
	t *testing.T

	mu    sync.Mutex
	calls map[string][]string // by session, the actions in the order in which they came
}

func (r *rings) ServeHTTP(_ http.ResponseWriter, req *http.Request) {
	var push struct {
		Data struct {
			NotificationDetails struct{ SessionID, CallAction string }
		}
	}
	if err := json.NewDecoder(req.Body).Decode(&push); err != nil {
		return // the server was killed
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	about := push.Data.NotificationDetails
	before := r.calls[about.SessionID]
	if about.CallAction == "initiated" && slices.ContainsFunc(before, func(action string) bool { return action != "initiated" }) {
		r.t.Errorf("%s rings after %v", about.SessionID, before)
	}
	r.calls[about.SessionID] = append(before, about.CallAction)
}

// TestAKillLosesNoWebhook kills the process twice while calls begin and are taken back: whatever it had acknowledged is told,
// in the order of each call. What rings yet is pushed, before the kill or after it, and what was taken back does not ring again.
func TestAKillLosesNoWebhook(t *testing.T) {
	secret, err := webhook.ParseSecret(hookSecret)
	if err != nil {
		t.Fatal(err)
	}
	h := &hooked{t: t, secret: secret, asked: map[string]int{}, seen: map[string]bool{}, calls: map[string][]string{}}
	backend := httptest.NewServer(h)
	defer backend.Close()
	phones := &rings{t: t, calls: map[string][]string{}}
	pushServer := httptest.NewServer(phones)
	defer pushServer.Close()
	s := startDev(t, t.TempDir(), "--set", "webhooks.allow=[127.0.0.0/8]", "--set",
		fmt.Sprintf("webhooks.targets=[{name: app, url: %q, secret: %s}]", backend.URL, hookSecret),
		"--set", "push.webhook_url="+pushServer.URL, "--set", "push.webhook_secret="+hookSecret, "--set", "push.allow=[127.0.0.0/8]")
	want := map[string][]string{}
	for round := range 3 {
		for i := range 15 {
			var c callState
			uid := fmt.Sprintf("u%d-%d", round, i)
			body := fmt.Sprintf(`{"uid":%q,"receiverId":"bob","receiverType":"user","type":"audio"}`, uid)
			if status := s.rest("POST", "/v1/calls", body, &c); status != http.StatusCreated {
				t.Fatalf("ringing gave %d\n%s", status, s.log)
			}
			want[c.Call.SessionID] = []string{"call.initiated"}
			if i%2 == 0 {
				path := "/v1/calls/" + c.Call.SessionID + "/cancel"
				if status := s.rest("POST", path, fmt.Sprintf(`{"uid":%q}`, uid), nil); status != http.StatusOK {
					t.Fatalf("cancelling gave %d\n%s", status, s.log)
				}
				want[c.Call.SessionID] = append(want[c.Call.SessionID], "call.cancelled")
			}
		}
		if round < 2 {
			s.signal(os.Kill)
			s.wait(runWait)
			s.start()
		}
	}
	for session, types := range want {
		s.until(session+" is told as "+strings.Join(types, ", "), func() bool { return h.told(session, types) })
		if len(types) > 1 {
			continue
		}
		s.until(session+", which rings yet, is pushed", func() bool {
			phones.mu.Lock()
			defer phones.mu.Unlock()
			return slices.Contains(phones.calls[session], "initiated")
		})
	}
}
