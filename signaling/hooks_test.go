package signaling

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parleyrtc/parley/signaling/journal"
	"github.com/parleyrtc/parley/signaling/outbound"
	"github.com/parleyrtc/parley/signaling/push"
	"github.com/parleyrtc/parley/signaling/store"
	"github.com/parleyrtc/parley/signaling/webhook"
)

const hookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// backend is an app's back end that is told of calls.
type backend struct {
	t      testing.TB
	server *httptest.Server
	secret webhook.Secret

	mu    sync.Mutex
	lines map[string][]string // by session, each message once
	seen  map[string]bool     // by webhook-id
	twice int
	grown chan struct{} // closed and replaced at every note
}

func newBackend(t testing.TB) *backend {
	t.Helper()
	secret, err := webhook.ParseSecret(hookSecret)
	if err != nil {
		t.Fatal(err)
	}
	b := &backend{t: t, secret: secret, lines: map[string][]string{}, seen: map[string]bool{}, grown: make(chan struct{})}
	b.server = httptest.NewServer(b)
	t.Cleanup(b.server.Close)
	return b
}

func (b *backend) ServeHTTP(_ http.ResponseWriter, req *http.Request) {
	text, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	if err := b.secret.Verify(req.Header, text, time.Now()); err != nil {
		b.t.Errorf("%v: %s", err, text)
	}
	var body webhook.Body
	if err := json.Unmarshal(text, &body); err != nil {
		b.t.Error(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if id := req.Header.Get("webhook-id"); b.seen[id] {
		b.twice++
	} else {
		b.seen[id] = true
		device := ""
		if body.Data.DeviceID != "" {
			device = " on a device"
		}
		b.lines[body.Data.SessionID] = append(b.lines[body.Data.SessionID],
			fmt.Sprintf("%s %s%s: %s, %s", body.Type, body.Data.UID, device, body.Data.Reason, body.Data.Call.Status))
	}
	close(b.grown)
	b.grown = make(chan struct{})
}

// awaits waits until a call's messages are these.
func (b *backend) awaits(session string, want ...string) {
	b.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		b.mu.Lock()
		lines, grown := slices.Clone(b.lines[session]), b.grown
		b.mu.Unlock()
		if slices.Equal(lines, want) {
			return
		}
		select {
		case <-grown:
		case <-deadline:
			b.t.Fatalf("the back end was told\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
		}
	}
}

// tells is an outbox that posts to these URLs, one target each.
func tells(t testing.TB, urls ...string) func(*store.JetStream) Outbox {
	return func(s *store.JetStream) Outbox {
		t.Helper()
		secret, err := webhook.ParseSecret(hookSecret)
		if err != nil {
			t.Fatal(err)
		}
		config := webhook.Config{
			Client:  outbound.New(outbound.Config{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}),
			Backoff: []time.Duration{20 * time.Millisecond}, Logger: slog.New(slog.DiscardHandler),
		}
		for i, url := range urls {
			config.Targets = append(config.Targets, webhook.Target{Name: fmt.Sprint("t", i), URL: url, Secrets: []webhook.Secret{secret}})
		}
		post, err := webhook.New(t.Context(), config, s)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(post.Close)
		return post
	}
}

// talkToldOf is a call from ring to end, and what a back end hears of it.
func talkToldOf(alice, bob *client) (session string, told []string) {
	session = alice.ring("bob").SessionID
	bob.on("call.accept", session).call(alice.t)
	for _, c := range []*client{alice, bob} {
		c.on("session.join", session)
	}
	bob.on("call.end", session).call(alice.t)
	return session, []string{
		"call.initiated alice on a device: initiated, initiated",
		"call.accepted bob on a device: accepted, ongoing",
		"participant.joined alice on a device: joined, ongoing",
		"participant.joined bob on a device: joined, ongoing",
		"participant.left alice on a device: hangup, ended",
		"participant.left bob on a device: hangup, ended",
		"call.ended bob on a device: hangup, ended",
	}
}

func TestABackEndIsToldOfACallFromRingToEnd(t *testing.T) {
	b := newBackend(t)
	n := serveTold(t, t.TempDir(), quick(), nil, tells(t, b.server.URL))
	alice, bob := n.open("alice"), n.open("bob")
	session, told := talkToldOf(alice, bob)
	b.awaits(session, told...)

	session = alice.ring("bob").SessionID
	bob.mutate("call.reject", map[string]any{"sessionId": session, "status": "rejected"}).call(t)
	b.awaits(session, "call.initiated alice on a device: initiated, initiated", "call.rejected bob on a device: rejected, rejected")
	session = alice.ring("bob").SessionID
	alice.on("call.cancel", session).call(t)
	b.awaits(session, "call.initiated alice on a device: initiated, initiated", "call.cancelled alice on a device: cancelled, cancelled")
}

// brokenOutbox takes nothing, as a store that is away.
type brokenOutbox struct{ asked chan struct{} }

func (brokenOutbox) Wants(journal.Kind) bool { return true }

func (b brokenOutbox) Put(_ context.Context, told []journal.Told) []error {
	select {
	case b.asked <- struct{}{}:
	default:
	}
	return slices.Repeat([]error{errors.New("not now")}, len(told))
}

// TestNothingIsLostBetweenACallAndTheOutbox ends the process when calls have changed and nobody was told: the next one tells it,
// in order. Until then a call does not leave for the history.
func TestNothingIsLostBetweenACallAndTheOutbox(t *testing.T) {
	dir := t.TempDir()
	broken := brokenOutbox{asked: make(chan struct{}, 1)}
	n := serveTold(t, dir, quick(), nil, func(*store.JetStream) Outbox { return broken })
	alice, bob := n.open("alice"), n.open("bob")
	session, told := talkToldOf(alice, bob)
	ringing := alice.ring("bob").SessionID
	<-broken.asked
	n.sweep(time.Now().Add(lingering + time.Second))
	if _, err := n.store.Get(t.Context(), callKey(session)); err != nil {
		t.Fatalf("a call that nobody was told of has left: %v", err)
	}
	n.stop()

	b := newBackend(t)
	n = serveTold(t, dir, quick(), nil, tells(t, b.server.URL))
	b.awaits(session, told...)
	b.awaits(ringing, told[0])
	n.stop()
	n = serveTold(t, dir, quick(), nil, tells(t, b.server.URL))
	n.open("alice").on("call.cancel", ringing).call(t)
	b.awaits(ringing, told[0], "call.cancelled alice on a device: cancelled, cancelled")
	for at := time.Now().Add(lingering + time.Second); ; { // as soon as it is told
		n.sweep(at)
		if _, err := n.store.Get(t.Context(), historyKey(session)); err == nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	stored, err := n.store.Get(t.Context(), historyKey(session))
	if err != nil || strings.Contains(string(stored.Value), `"entries"`) {
		t.Errorf("the history has %s, %v", stored.Value, err)
	}
}

// TestAnOutboxThatTakesNothingIsGivenUp lets a call go at last.
func TestAnOutboxThatTakesNothingIsGivenUp(t *testing.T) {
	n := serveTold(t, t.TempDir(), quick(), nil, func(*store.JetStream) Outbox { return brokenOutbox{} })
	alice := n.open("alice")
	session := alice.ring("bob").SessionID
	alice.on("call.cancel", session).call(t)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) { // its loop may be ending yet
		n.sweep(time.Now().Add(relayLimit + time.Minute))
		_, err := n.store.Get(t.Context(), historyKey(session))
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the call is still waiting: %v", err)
		}
	}
}

// failing are targets that fail in every way there is. What they return says that they were asked.
func failing(t *testing.T) map[string]func() (url string, asked *atomic.Int64) {
	release := make(chan struct{})
	let := sync.OnceFunc(func() { close(release) })
	target := func(answer func(w http.ResponseWriter, req *http.Request)) func() (string, *atomic.Int64) {
		return func() (string, *atomic.Int64) {
			asked := &atomic.Int64{}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				asked.Add(1)
				answer(w, req)
			}))
			t.Cleanup(func() {
				let() // or the server would wait for its handlers
				server.Close()
			})
			return server.URL, asked
		}
	}
	return map[string]func() (string, *atomic.Int64){
		"hangs": target(func(_ http.ResponseWriter, req *http.Request) {
			select {
			case <-release:
			case <-req.Context().Done():
			}
		}),
		"answers 500": target(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }),
		"redirects": target(func(w http.ResponseWriter, req *http.Request) {
			http.Redirect(w, req, "http://127.0.0.1:1/elsewhere", http.StatusTemporaryRedirect)
		}),
		"resets": target(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }),
	}
}

// TestNoFailingTargetDelaysARing compares rings without webhooks and pushes to rings with a target of both that fails. Did a ring wait
// for a hanging target, it would wait for its ten seconds, and for one that is tried again for longer.
func TestNoFailingTargetDelaysARing(t *testing.T) {
	config := quick()
	config.RequestRate, config.UserRate = 10_000, 10_000
	without := ringTimes(serve(t, config))
	for how, start := range failing(t) {
		t.Run(how, func(t *testing.T) {
			hooks, hooked := start()
			phones, pushed := start()
			secret, err := webhook.ParseSecret(hookSecret)
			if err != nil {
				t.Fatal(err)
			}
			sender, err := push.New(push.Config{
				Webhook: &push.WebhookConfig{URL: phones, Secrets: []webhook.Secret{secret}},
				Allow:   []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Logger: slog.New(slog.DiscardHandler),
			}, push.NewRegistry(push.RegistryConfig{}, emptyStore{}))
			if err != nil {
				t.Fatal(err)
			}
			n := serveTold(t, t.TempDir(), config, sender, tells(t, hooks))
			with := ringTimes(n)
			n.stop()
			sender.Close()
			middle := len(with) / 2
			t.Logf("until the callee hears, median and slowest: %v %v without, %v %v with",
				without[middle], without[len(without)-1], with[middle], with[len(with)-1])
			if with[middle] > without[middle]+time.Second {
				t.Errorf("a ring takes %v, and %v without", with[middle], without[middle])
			}
			if hooked.Load() == 0 || pushed.Load() == 0 {
				t.Errorf("%d webhooks and %d pushes were tried", hooked.Load(), pushed.Load())
			}
		})
	}
}

// emptyStore is a store in which nobody has registered a device.
type emptyStore struct{ store.Store }

func (emptyStore) Get(context.Context, string) (store.Record, error) {
	return store.Record{}, store.ErrNotFound
}

// ringTimes rings and cancels, and says how long the callee waited for the ring each time, sorted.
func ringTimes(n *node) []time.Duration {
	alice, bob := n.open("alice"), n.open("bob")
	times := make([]time.Duration, 60)
	for i := range times {
		start := time.Now()
		asked := alice.send("call.initiate", map[string]any{"receiverId": "bob", "receiverType": "user", "type": "video", "mutationId": newID("m_")})
		bob.expect("call.incoming")
		times[i] = time.Since(start)
		alice.on("call.cancel", alice.wait(asked).call(n.t).SessionID).call(n.t)
		bob.expect("call.cancelled")
		bob.expect("call.missed")
	}
	slices.Sort(times)
	return times
}
