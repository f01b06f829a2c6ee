package webhook

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/parleyrtc/parley/signaling/journal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestTheSignatureIsThatOfTheSpecification uses the example that the libraries of Standard Webhooks are tested with.
func TestTheSignatureIsThatOfTheSpecification(t *testing.T) {
	secret, err := ParseSecret(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	header, now, body := http.Header{}, time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`)
	Sign(header, []Secret{secret}, "msg_p5jXN8AQM9LWM0D4loKWxJek", now, body)
	if got := header.Get("webhook-signature"); got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Errorf("the signature is %s", got)
	}
	other, err := ParseSecret("whsec_" + strings.Repeat("QUJD", 8))
	if err != nil {
		t.Fatal(err)
	}
	both := header.Clone()
	Sign(both, []Secret{other, secret}, "msg_p5jXN8AQM9LWM0D4loKWxJek", now, body)
	for name, good := range map[string]bool{
		"as sent":        secret.Verify(header, body, now) == nil,
		"four min later": secret.Verify(header, body, now.Add(4*time.Minute)) == nil,
		"two secrets":    secret.Verify(both, body, now) == nil && other.Verify(both, body, now) == nil,
		"too late":       secret.Verify(header, body, now.Add(6*time.Minute)) != nil,
		"too early":      secret.Verify(header, body, now.Add(-6*time.Minute)) != nil,
		"another body":   secret.Verify(header, []byte(`{"test": 2432232315}`), now) != nil,
		"another secret": other.Verify(header, body, now) != nil,
		"nothing":        secret.Verify(http.Header{}, body, now) != nil,
	} {
		if !good {
			t.Errorf("%s is judged wrongly", name)
		}
	}
	for _, bad := range []string{"", "whsec_", "whsec_QUJD", testSecret[6:], "whsec_" + strings.Repeat("QUJD", 30), testSecret + "!"} {
		if _, err := ParseSecret(bad); err == nil {
			t.Errorf("%q is a secret", bad)
		}
	}
	if text := fmt.Sprintf("%v %+v %#v %s", secret, secret, secret, secret); strings.ContainsAny(text, "0123456789") {
		t.Errorf("a secret prints as %s", text)
	}
}

// TestOrderHoldsThroughFailures has every message fail at first, some twice: each call's come in their order all the same.
func TestOrderHoldsThroughFailures(t *testing.T) {
	r := newReceiver(t, func(attempt int, b Body) int {
		if attempt <= 1+int(b.Data.Number%2) {
			return []int{500, 429, 302}[b.Data.Number%3]
		}
		return 200
	})
	p := open(t, quick(t, target(t, "app", r.server.URL)), openStore(t, t.TempDir()))
	const calls, entries = 20, 6
	for number := range uint64(entries) {
		var all []journal.Told
		for i := range calls {
			all = append(all, told(fmt.Sprint("s-", i), number+1, journal.Joined))
		}
		put(t, p, all...)
	}
	for id, order := range numbers(r.awaits(calls * entries)) {
		if order != "1 2 3 4 5 6 " {
			t.Errorf("%s came as %s", id, order)
		}
	}
}

// TestARestartLosesNothing ends the process with messages queued, on their way and failing. What comes twice has the same id.
func TestARestartLosesNothing(t *testing.T) {
	dir := t.TempDir()
	var healed atomic.Bool
	half := make(chan struct{})
	var taken atomic.Int32
	r := newReceiver(t, func(_ int, b Body) int {
		if b.Data.SessionID != "s-0" && !healed.Load() {
			return 503
		}
		if taken.Add(1) == 5 {
			close(half)
		}
		return 200
	})
	s := openStore(t, dir)
	p := open(t, quick(t, target(t, "app", r.server.URL)), s)
	for number := range uint64(10) {
		put(t, p, told("s-0", number+1, journal.Joined), told("s-1", number+1, journal.Joined))
	}
	<-half
	p.Close()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	healed.Store(true)
	s = openStore(t, dir)
	p = open(t, quick(t, target(t, "app", r.server.URL)), s)
	put(t, p, told("s-0", 11, journal.Ended), told("s-1", 11, journal.Ended))
	deadline := time.After(30 * time.Second)
	for states, err := p.States(t.Context()); err != nil || states[0].Pending > 0; states, err = p.States(t.Context()) {
		select {
		case <-deadline:
			t.Fatalf("%+v, %v", states, err)
		case <-time.After(5 * time.Millisecond):
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	last := map[string]uint64{}
	for _, b := range r.good {
		if b.Data.Number > last[b.Data.SessionID]+1 {
			t.Errorf("%s: %d comes after %d", b.Data.SessionID, b.Data.Number, last[b.Data.SessionID])
		}
		last[b.Data.SessionID] = max(last[b.Data.SessionID], b.Data.Number)
	}
	if last["s-0"] != 11 || last["s-1"] != 11 || len(r.bodies) != 22 {
		t.Errorf("the last are %v of %d", last, len(r.bodies))
	}
}

// TestWhatIsGivenUpCanBeSentAnew goes from a target that wants no more to one that takes it again.
func TestWhatIsGivenUpCanBeSentAnew(t *testing.T) {
	var healed atomic.Bool
	r := newReceiver(t, func(_ int, b Body) int {
		if b.Data.SessionID == "s-bad" && !healed.Load() {
			return 410
		}
		return 200
	})
	p := open(t, quick(t, target(t, "app", r.server.URL), target(t, "other", r.server.URL, journal.Ended)), openStore(t, t.TempDir()))
	for number := range uint64(4) {
		put(t, p, told("s-bad", number+1, journal.Joined))
	}
	put(t, p, told("s-good", 1, journal.Joined))
	r.awaits(1)
	letters := awaitDead(t, p, 4)
	first := letters[0]
	if first.Reason != "status 410" || first.Attempts != 1 || first.SessionID != "s-bad" || first.Type != "participant.joined" || len(first.Body) == 0 {
		t.Errorf("a dead letter is %+v", first)
	}
	if page, err := p.DeadLetters(t.Context(), "app", first.Number, 2); err != nil || len(page) != 2 || page[0].Number != letters[1].Number {
		t.Errorf("a page is %+v, %v", page, err)
	}
	healed.Store(true)
	if err := p.Replay(t.Context(), "app", first.Number); err != nil {
		t.Fatal(err)
	}
	r.awaits(2)
	if err := p.Replay(t.Context(), "app", first.Number); !errors.Is(err, ErrNoLetter) {
		t.Errorf("the same again gives %v", err)
	}
	if n, err := p.ReplayAll(t.Context(), "app"); n != 3 || err != nil {
		t.Errorf("%d were sent anew, %v", n, err)
	}
	if got := numbers(r.awaits(5))["s-bad"]; got != "1 2 3 4 " {
		t.Errorf("they came as %s", got)
	}
	for id, n := range r.attempts {
		if n > 2 {
			t.Errorf("%s was tried %d times", id, n)
		}
	}
	if _, err := p.DeadLetters(t.Context(), "nobody", 0, 1); !errors.Is(err, ErrNoTarget) {
		t.Errorf("a target that is not there gives %v", err)
	}
	if err := p.Replay(t.Context(), "app", 999); !errors.Is(err, ErrNoLetter) {
		t.Errorf("a letter that is not there gives %v", err)
	}
}

func awaitDead(t *testing.T, p *Post, n int) []DeadLetter {
	t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		letters, err := p.DeadLetters(t.Context(), "app", 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		if len(letters) >= n {
			return letters
		}
		select {
		case <-deadline:
			t.Fatalf("%d of %d are dead", len(letters), n)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// TestAHangingTargetDelaysNoOther has one that accepts and says nothing, one that resets, and one that is well.
func TestAHangingTargetDelaysNoOther(t *testing.T) {
	release := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		select {
		case <-release:
		case <-req.Context().Done():
		}
	}))
	defer hanging.Close()
	defer close(release)
	resetting, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for {
			conn, err := resetting.Accept()
			if err != nil {
				return
			}
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
		}
	}()
	defer func() { _ = resetting.Close(); <-gone }()
	r := newReceiver(t, nil)
	config := quick(t, target(t, "hangs", hanging.URL), target(t, "resets", "http://"+resetting.Addr().String()), target(t, "app", r.server.URL))
	p := open(t, config, openStore(t, t.TempDir()))
	for i := range 100 {
		put(t, p, told(fmt.Sprint("s-", i), 1, journal.Initiated))
	}
	r.awaits(100)
	states, err := p.States(t.Context())
	if err != nil || states[0].Pending != 100 {
		t.Errorf("%+v, %v", states, err)
	}
}

// TestASlowCallDoesNotHoldUpOthers has one call's messages fail for ever.
func TestASlowCallDoesNotHoldUpOthers(t *testing.T) {
	r := newReceiver(t, func(_ int, b Body) int {
		if b.Data.SessionID == "s-0" {
			return 500
		}
		return 200
	})
	config := quick(t, target(t, "app", r.server.URL))
	config.Parallel = 1
	p := open(t, config, openStore(t, t.TempDir()))
	for i := range 30 {
		put(t, p, told("s-0", uint64(i)+1, journal.Joined), told(fmt.Sprint("s-", i+1), 1, journal.Joined))
	}
	r.awaits(30)
}

// TestTargetsInsideAreRefused names addresses of this machine in every way that a target can come to have one.
func TestTargetsInsideAreRefused(t *testing.T) {
	var reached atomic.Int32
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer inside.Close()
	_, port, err := net.SplitHostPort(inside.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{
		"http://127.0.0.1:" + port, "https://127.0.0.1:" + port, "http://localhost:" + port, // a name, as a rebound one would be
		"http://[::ffff:127.0.0.1]:" + port, "http://169.254.169.254/latest/meta-data", "http://10.0.0.1", "http://[fd00:ec2::254]",
	} {
		config := quick(t, target(t, "app", url))
		config.Client = guarded(t)
		p := open(t, config, openStore(t, t.TempDir()))
		put(t, p, told("s-1", 1, journal.Initiated))
		if dead := awaitDead(t, p, 1); dead[0].Attempts != 1 || strings.Contains(dead[0].Reason, "latest") {
			t.Errorf("%s: %+v", url, dead[0])
		}
		p.Close()
	}
	if reached.Load() != 0 {
		t.Error("something inside was reached")
	}
}

// TestRedirectsAreNotFollowed sends the server elsewhere.
func TestRedirectsAreNotFollowed(t *testing.T) {
	var reached atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	defer elsewhere.Close()
	var asked atomic.Int32
	redirecting := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		asked.Add(1)
		http.Redirect(w, req, elsewhere.URL, http.StatusTemporaryRedirect)
	}))
	defer redirecting.Close()
	config := quick(t, target(t, "app", redirecting.URL))
	config.MaxAge = 50 * time.Millisecond
	p := open(t, config, openStore(t, t.TempDir()))
	put(t, p, told("s-1", 1, journal.Initiated))
	if dead := awaitDead(t, p, 1); dead[0].Reason != "status 307" {
		t.Errorf("%+v", dead[0])
	}
	if reached.Load() != 0 || asked.Load() == 0 {
		t.Errorf("asked %d times, led elsewhere %d times", asked.Load(), reached.Load())
	}
}

// TestAFullQueueLosesNewMessagesOfItsTargetOnly counts them.
func TestAFullQueueLosesNewMessagesOfItsTargetOnly(t *testing.T) {
	r := newReceiver(t, func(int, Body) int { return 500 })
	config := quick(t, target(t, "app", r.server.URL))
	config.QueueBytes = 20 << 10
	config.Backoff = []time.Duration{time.Minute}
	p := open(t, config, openStore(t, t.TempDir()))
	for i := range 100 {
		put(t, p, told(fmt.Sprint("s-", i), 1, journal.Initiated))
	}
	states, err := p.States(t.Context())
	if err != nil || states[0].Pending < 5 || states[0].Pending > 50 {
		t.Errorf("%+v, %v", states, err)
	}
}

func TestAConfigurationThatCannotBeIsRefused(t *testing.T) {
	s := openStore(t, t.TempDir())
	good := target(t, "app", "https://example.org/hook")
	for name, c := range map[string]Config{
		"twice":     {Targets: []Target{good, good}, Client: local(t)},
		"no name":   {Targets: []Target{{URL: good.URL, Secrets: good.Secrets}}, Client: local(t)},
		"no secret": {Targets: []Target{{Name: "a", URL: good.URL}}, Client: local(t)},
		"no URL":    {Targets: []Target{{Name: "a", URL: "ftp://x", Secrets: good.Secrets}}, Client: local(t)},
		"no client": {Targets: []Target{good}},
		"no event":  {Targets: []Target{{Name: "a", URL: good.URL, Secrets: good.Secrets, Events: []journal.Kind{"call.exploded"}}}, Client: local(t)},
	} {
		if _, err := New(t.Context(), c, s); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

// FuzzVerify gives the verifier anything: only the one good signature passes.
func FuzzVerify(f *testing.F) {
	secret, err := ParseSecret(testSecret)
	if err != nil {
		f.Fatal(err)
	}
	now, body := time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`)
	good := http.Header{}
	Sign(good, []Secret{secret}, "msg_1", now, body)
	f.Add("msg_1", good.Get("webhook-timestamp"), good.Get("webhook-signature"), body)
	f.Add("msg_1", "-1", "v1,", []byte(nil))
	f.Add("", "9223372036854775807", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= v2,x v1", body)
	f.Fuzz(func(t *testing.T, id, timestamp, signature string, text []byte) {
		header := http.Header{}
		header.Set("webhook-id", id)
		header.Set("webhook-timestamp", timestamp)
		header.Set("webhook-signature", signature)
		if secret.Verify(header, text, now) != nil {
			return
		}
		again := http.Header{}
		seconds, err := strconv.ParseInt(timestamp, 10, 64)
		if err != nil {
			t.Fatalf("%q is no time", timestamp)
		}
		Sign(again, []Secret{secret}, id, time.Unix(seconds, 0), text)
		if !strings.Contains(signature, strings.TrimPrefix(again.Get("webhook-signature"), "v1,")) && seconds >= 0 && strconv.FormatInt(seconds, 10) == timestamp {
			t.Fatalf("%q passes for %q, which is signed %q", signature, text, again.Get("webhook-signature"))
		}
	})
}
