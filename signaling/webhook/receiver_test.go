package webhook

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/journal"
	"github.com/parleyrtc/parley/signaling/outbound"
	"github.com/parleyrtc/parley/signaling/store"
)

const testSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// receiver is an app's back end: it checks what it gets and notes it.
type receiver struct {
	t      testing.TB
	server *httptest.Server
	answer func(attempt int, b Body) int // status; nil: 204

	mu       sync.Mutex
	attempts map[string]int // by webhook-id
	good     []Body         // answered with 2xx
	bodies   map[string]string
	grown    chan struct{} // closed and replaced at every note
}

func newReceiver(t testing.TB, answer func(attempt int, b Body) int) *receiver {
	r := &receiver{t: t, answer: answer, attempts: map[string]int{}, bodies: map[string]string{}, grown: make(chan struct{})}
	r.server = httptest.NewServer(r)
	t.Cleanup(r.server.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	text, err := io.ReadAll(req.Body)
	if err != nil {
		return // cut off by the sender's end
	}
	secret, err := ParseSecret(testSecret)
	if err != nil {
		r.t.Error(err)
	}
	if err := secret.Verify(req.Header, text, time.Now()); err != nil {
		r.t.Errorf("%v: %v %s", err, req.Header, text)
	}
	var b Body
	if err := json.Unmarshal(text, &b); err != nil || req.Header.Get("Content-Type") != "application/json" {
		r.t.Errorf("%s does not parse: %v", text, err)
	}
	id := req.Header.Get("webhook-id")
	r.mu.Lock()
	r.attempts[id]++
	attempt := r.attempts[id]
	if was := r.bodies[id]; was != "" && was != string(text) {
		r.t.Errorf("%s was\n%s\nand is\n%s", id, was, text)
	}
	r.bodies[id] = string(text)
	r.mu.Unlock()
	status := http.StatusNoContent
	if r.answer != nil {
		status = r.answer(attempt, b)
	}
	r.mu.Lock()
	if status/100 == 2 {
		r.good = append(r.good, b)
	}
	close(r.grown)
	r.grown = make(chan struct{})
	r.mu.Unlock()
	w.WriteHeader(status)
}

// awaits waits until so many were taken, and returns them.
func (r *receiver) awaits(n int) []Body {
	r.t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		r.mu.Lock()
		good, grown := r.good, r.grown
		r.mu.Unlock()
		if len(good) >= n {
			return good
		}
		select {
		case <-grown:
		case <-deadline:
			r.t.Fatalf("%d of %d webhooks came: %v", len(good), n, good)
		}
	}
}

// numbers lists what came of each call, in order.
func numbers(bodies []Body) map[string]string {
	out := map[string]string{}
	for _, b := range bodies {
		out[b.Data.SessionID] += fmt.Sprint(b.Data.Number, " ")
	}
	return out
}

func openStore(t testing.TB, dir string) *store.JetStream {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func guarded(t testing.TB, allow ...string) *outbound.Client {
	t.Helper()
	var prefixes []netip.Prefix
	for _, a := range allow {
		prefixes = append(prefixes, netip.MustParsePrefix(a))
	}
	client := outbound.New(outbound.Config{Allow: prefixes, Timeout: 5 * time.Second})
	t.Cleanup(client.Close)
	return client
}

// local is a client that may reach the test's own servers.
func local(t testing.TB) *outbound.Client { return guarded(t, "127.0.0.0/8", "::1/128") }

func target(t testing.TB, name, url string, events ...journal.Kind) Target {
	t.Helper()
	secret, err := ParseSecret(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	return Target{Name: name, URL: url, Secrets: []Secret{secret}, Events: events}
}

// quick tries again at once.
func quick(t testing.TB, targets ...Target) Config {
	return Config{Targets: targets, Client: local(t), Backoff: []time.Duration{10 * time.Millisecond}, Logger: slog.New(slog.DiscardHandler)}
}

func open(t testing.TB, c Config, s *store.JetStream) *Post {
	t.Helper()
	p, err := New(t.Context(), c, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

var began = time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)

// told is one entry of a made-up call.
func told(id string, number uint64, kind journal.Kind) journal.Told {
	return journal.Told{
		Call: &call.Call{ID: id, Type: call.Video, ReceiverType: call.User, Initiator: "alice", Receiver: "bob", InitiatedAt: began,
			Metadata: json.RawMessage(`{"order":"<7>"}`)},
		Entry: journal.Entry{Number: number, Kind: kind, At: began.Add(time.Second), UID: "alice", Device: "d_1", Reason: "initiated", Status: call.Initiated},
	}
}

func put(t testing.TB, p *Post, all ...journal.Told) {
	t.Helper()
	for i, err := range p.Put(t.Context(), all) {
		if err != nil {
			t.Fatalf("%v: %v", all[i], err)
		}
	}
}

func TestABodySaysWhoDidWhatWhereAndWhy(t *testing.T) {
	r := newReceiver(t, nil)
	p := open(t, quick(t, target(t, "app", r.server.URL)), openStore(t, t.TempDir()))
	put(t, p, told("s-1", 1, journal.Initiated))
	r.awaits(1)
	for _, body := range r.bodies {
		want := `{"type":"call.initiated","timestamp":"2026-01-02T03:04:06.678Z","data":{"sessionId":"s-1","number":1,"uid":"alice",` +
			`"deviceId":"d_1","reason":"initiated","call":{"type":"video","receiverType":"user","initiator":"alice","receiver":"bob",` +
			`"status":"initiated","initiatedAt":1767323045678,"metadata":{"order":"\u003c7\u003e"}}}}`
		if body != want {
			t.Errorf("the body is\n%s\nwant\n%s", body, want)
		}
	}
	if id := idOf(told("s-1", 1, journal.Initiated)); r.attempts[id] != 1 || strings.ContainsAny(id, ". \r\n") {
		t.Errorf("the id is %q of %v", id, r.attempts)
	}
}
