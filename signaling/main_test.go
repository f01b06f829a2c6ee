package signaling

import (
	"context"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/parleyrtc/parley/signaling/store"
	"github.com/parleyrtc/parley/signaling/token"
	"github.com/parleyrtc/parley/signaling/wire"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

const (
	testKey    = "test"
	testSecret = "a-secret-of-at-least-32-bytes-length"
)

// node is one server process on a data directory.
type node struct {
	*Server
	t         testing.TB
	dir       string
	config    Config
	store     *store.JetStream
	directory *Directory
	media     *mediaRecorder
	http      *httptest.Server
	registry  *prometheus.Registry
	observer  Observer
	outbox    func(*store.JetStream) Outbox // nil: nobody is told
	stopped   bool
}

// quick is a config in which nothing takes long.
func quick() Config {
	return Config{
		OpenDirectory: true, RingTimeout: time.Minute, Grace: time.Minute, JoinDeadline: time.Minute, RingsPerMinute: 1000,
		HelloTimeout: 5 * time.Second, IdleTimeout: time.Minute,
	}
}

// serve starts a node with a fresh data directory.
func serve(t testing.TB, config Config) *node {
	t.Helper()
	return serveOn(t, t.TempDir(), config)
}

// serveOn starts a node on a data directory that may have been used before.
func serveOn(t testing.TB, dir string, config Config) *node {
	t.Helper()
	return serveWatched(t, dir, config, nil)
}

// serveWatched is serveOn with an observer.
func serveWatched(t testing.TB, dir string, config Config, observer Observer) *node {
	t.Helper()
	return serveTold(t, dir, config, observer, nil)
}

// serveTold is serveWatched with an outbox, which may be on the node's store.
func serveTold(t testing.TB, dir string, config Config, observer Observer, outbox func(*store.JetStream) Outbox) *node {
	t.Helper()
	log := slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	st, err := store.Open(t.Context(), store.Config{Dir: dir, Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	n := &node{
		t: t, dir: dir, config: config, store: st, directory: NewDirectory(st), media: newMediaRecorder(),
		registry: prometheus.NewRegistry(), observer: observer, outbox: outbox,
	}
	t.Cleanup(n.stop)
	n.start(log)
	return n
}

func (n *node) start(log *slog.Logger) {
	tokens, err := token.New([]token.APIKey{{ID: testKey, Secret: testSecret}})
	if err != nil {
		n.t.Fatal(err)
	}
	config := n.config
	config.Logger, config.Registerer = log, n.registry
	var outbox Outbox
	if n.outbox != nil {
		outbox = n.outbox(n.store)
	}
	n.Server, err = New(config, Deps{
		Store: n.store, Media: n.media, Tokens: fragile{tokens}, Directory: n.directory,
		ICEServers: func(uid, session string) []ICEServer {
			return []ICEServer{{URLs: []string{"turn:127.0.0.1"}, Username: uid, Credential: session}}
		},
		Observer: n.observer, Outbox: outbox,
	})
	if err != nil {
		n.t.Fatal(err)
	}
	<-n.Server.past.ready // some tests change what the server depends on
	n.media.setNotify(n.Server.MediaEvent)
	n.http = httptest.NewServer(n.Handler())
}

// stop ends the process in an orderly way; the data directory stays.
func (n *node) stop() {
	if n.stopped {
		return
	}
	n.stopped = true
	if n.Server != nil {
		n.Close()
		n.http.Close()
	}
	if err := n.store.Close(); err != nil {
		n.t.Error(err)
	}
}

// restart is a new process on the same data directory.
func (n *node) restart() *node {
	n.t.Helper()
	n.stop()
	return serveOn(n.t, n.dir, n.config)
}

func (n *node) url() string { return "ws" + strings.TrimPrefix(n.http.URL, "http") + "/v1/ws" }

// group makes a group of users.
func (n *node) group(guid string, uids ...string) {
	n.t.Helper()
	ctx := n.t.Context()
	for _, uid := range uids {
		if err := n.directory.Touch(ctx, wire.UserView{UID: uid}); err != nil {
			n.t.Fatal(err)
		}
	}
	if _, err := n.directory.putGroup(ctx, wire.GroupView{GUID: guid, Name: guid}, ""); err != nil {
		n.t.Fatal(err)
	}
	for _, uid := range uids {
		if _, err := n.directory.addMember(ctx, guid, uid); err != nil {
			n.t.Fatal(err)
		}
	}
}

// mint makes a token for a user.
func mint(t testing.TB, uid string, ttl time.Duration, grants ...string) string {
	t.Helper()
	raw, err := token.Mint(testKey, testSecret, token.Claims{UID: uid, Name: strings.ToUpper(uid[:1]) + uid[1:], Grants: grants}, time.Now(), ttl)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// testWriter sends logs to the test's output.
type testWriter struct{ t testing.TB }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// fragile is a verifier that panics at one certain token.
type fragile struct{ Tokens }

func (f fragile) Verify(now time.Time, raw string) (token.Claims, error) {
	if raw == "panic" {
		panic("a mistake of ours")
	}
	return f.Tokens.Verify(now, raw)
}

// mediaRecorder is a media side that notes what it is asked and does what the test says.
type mediaRecorder struct {
	mu     sync.Mutex
	notify func(MediaEvent)
	asked  []string             // in order, such as "join alice open=false"
	joins  map[string]MediaJoin // by participant
	grown  chan struct{}        // closed and replaced at every note

	offer   func(context.Context, MediaOffer) (MediaAnswer, error) // nil: answers "answer"
	joining func(context.Context, MediaJoin) error                 // nil: fine
}

func newMediaRecorder() *mediaRecorder {
	return &mediaRecorder{joins: map[string]MediaJoin{}, grown: make(chan struct{})}
}

func (m *mediaRecorder) setNotify(notify func(MediaEvent)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.notify = notify
}

func (m *mediaRecorder) note(format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = append(m.asked, fmt.Sprintf(format, args...))
	close(m.grown)
	m.grown = make(chan struct{})
}

// who names a participant by user, for readable notes.
func (m *mediaRecorder) who(participant string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.joins[participant].UID
}

func (m *mediaRecorder) Join(ctx context.Context, j MediaJoin) error {
	m.mu.Lock()
	m.joins[j.Participant] = j
	joining := m.joining
	m.mu.Unlock()
	m.note("join %s open=%v pairs=%d", j.UID, j.Open, j.Pairs)
	if joining != nil {
		return joining(ctx, j)
	}
	return nil
}

func (m *mediaRecorder) Offer(ctx context.Context, o MediaOffer) (MediaAnswer, error) {
	m.note("offer %s %s restart=%v", m.who(o.Participant), o.SDP, o.ICERestart)
	m.mu.Lock()
	offer := m.offer
	m.mu.Unlock()
	if offer != nil {
		return offer(ctx, o)
	}
	return MediaAnswer{SDP: "answer"}, nil
}

func (m *mediaRecorder) Mute(_ context.Context, _, participant, publication string, muted bool) error {
	m.note("mute %s %s %v", m.who(participant), publication, muted)
	if publication == "none" {
		return &MediaError{Code: wire.CodePublicationNotFound, Message: "There is no such publication."}
	}
	return nil
}

func (m *mediaRecorder) Wish(_ context.Context, _, participant string, wishes []MediaSlotWish) error {
	m.note("wish %s %+v", m.who(participant), wishes)
	return nil
}

func (m *mediaRecorder) Stats(_ context.Context, _, participant string, stats []MediaSlotStats) error {
	m.note("stats %s %+v", m.who(participant), stats)
	return nil
}

func (m *mediaRecorder) Leave(_ context.Context, _, participant, reason string) error {
	m.note("leave %s %s", m.who(participant), reason)
	return nil
}

func (m *mediaRecorder) Open(context.Context, string) error {
	m.note("open")
	return nil
}

func (m *mediaRecorder) Close(_ context.Context, _, reason string) error {
	m.note("close %s", reason)
	return nil
}

// awaits waits until something was asked.
func (m *mediaRecorder) awaits(t testing.TB, what string) {
	t.Helper()
	deadline := time.After(5 * time.Second)
	for {
		m.mu.Lock()
		asked, grown := strings.Join(m.asked, "\n"), m.grown
		m.mu.Unlock()
		if strings.Contains("\n"+asked+"\n", "\n"+what+"\n") {
			return
		}
		select {
		case <-grown:
		case <-deadline:
			t.Fatalf("the media side was never asked to %q, but to:\n%s", what, asked)
		}
	}
}

// raise sends an event as the media side would.
func (m *mediaRecorder) raise(e MediaEvent) {
	m.mu.Lock()
	notify := m.notify
	m.mu.Unlock()
	notify(e)
}
