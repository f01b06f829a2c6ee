package push

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/push/notice"
	"github.com/parleyrtc/parley/signaling/store"
	"github.com/parleyrtc/parley/signaling/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// post office is a sender with its registry and a fake of each provider.
type office struct {
	t        testing.TB
	fcm      *fakeFCM
	apns     *fakeAPNs
	web      *fakePushService
	store    store.Store
	registry *Registry
	sender   *Sender
	now      *clock
	prom     *prometheus.Registry
	logs     *logBook
}

// clock is the time, which a test may move on.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// logBook keeps what was logged.
type logBook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func openStore(t testing.TB) store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Config{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// openOffice starts a sender with all providers, and lets the test change the configuration.
func openOffice(t testing.TB, adjust func(*office, *Config)) *office {
	t.Helper()
	o := &office{
		t: t, fcm: newFakeFCM(t), apns: newFakeAPNs(t), web: newFakePushService(t), store: openStore(t), now: &clock{}, prom: prometheus.NewRegistry(),
		logs: &logBook{},
	}
	roots := x509.NewCertPool()
	roots.AddCert(o.apns.server.Certificate())
	config := Config{
		FCM: o.fcm.config(), APNs: o.apns.config(), Web: o.web.config(),
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Timeout: 5 * time.Second,
		TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, Now: o.now.now, Registerer: o.prom,
		Logger: slog.New(slog.NewTextHandler(o.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	o.apns.now = o.now.now
	if adjust != nil {
		adjust(o, &config)
	}
	hosts := []string(nil)
	if config.Web != nil {
		hosts = config.Web.Hosts
	}
	o.registry = NewRegistry(RegistryConfig{Kinds: config.Kinds(), WebHosts: hosts, Now: o.now.now}, o.store)
	var err error
	if o.sender, err = New(config, o.registry); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.sender.Close)
	return o
}

func (o *office) register(uid string, d notice.Device) notice.Device {
	o.t.Helper()
	if field, reason := d.Check(); field != "" {
		o.t.Fatalf("%s %s", field, reason)
	}
	d, err := o.registry.Register(context.Background(), uid, d)
	if err != nil {
		o.t.Fatal(err)
	}
	return d
}

func (o *office) devices(uid string) []notice.Device {
	o.t.Helper()
	devices, err := o.registry.Devices(context.Background(), uid)
	if err != nil {
		o.t.Fatal(err)
	}
	return devices
}

var (
	voipToken  = strings.Repeat("ab", 32)
	alertToken = strings.Repeat("cd", 32)
)

// phones registers one device of each kind for a user.
func (o *office) phones(uid string) {
	o.register(uid, notice.Device{Kind: notice.FCM, Token: "fcm-" + uid})
	o.register(uid, notice.Device{Kind: notice.VoIP, Token: voipToken})
	o.register(uid, notice.Device{Kind: notice.Alert, Token: alertToken})
	o.subscribe(uid, newBrowser(o.t))
}

func (o *office) subscribe(uid string, b browser) notice.Device {
	p256dh, auth := b.keys()
	return o.register(uid, notice.Device{Kind: notice.Web, Token: o.web.server.URL + "/push/" + uid, P256dh: p256dh, Auth: auth})
}

// ringing is a call whose changes the sender observes.
type ringing struct {
	o    *office
	call *call.Call
}

func (o *office) ring(id, from, to string, timeout time.Duration) *ringing {
	o.t.Helper()
	c, effects, err := call.New(o.now.now(), call.Initiate{
		ID: id, Type: call.Video, ReceiverType: call.User, By: call.Device{UID: from, ID: "d_" + from}, Receiver: to, Timeout: timeout,
	})
	if err != nil {
		o.t.Fatal(err)
	}
	r := &ringing{o, c}
	r.committed(effects)
	return r
}

func (r *ringing) committed(effects []call.Effect) {
	user := func(uid string) wire.UserView { return wire.UserView{UID: uid, Name: strings.ToUpper(uid)} }
	view := wire.CallView{SessionID: r.call.ID, Initiator: user(r.call.Initiator), Receiver: wire.UserReceiver(user(r.call.Receiver))}
	for _, m := range r.call.Members {
		view.Members = append(view.Members, wire.MemberView{User: user(m.UID)})
	}
	r.o.sender.Committed(r.o.now.now(), r.call, view, effects)
}

func (r *ringing) does(event call.Event) {
	r.o.t.Helper()
	effects, err := r.call.Handle(r.o.now.now(), event)
	if err != nil {
		r.o.t.Fatal(err)
	}
	r.committed(effects)
}

// settles waits until the counter of a provider, purpose and result is at n.
func (o *office) settles(provider, purpose, result string, n int) {
	o.t.Helper()
	counter := o.sender.metrics.pushes.WithLabelValues(provider, purpose, result)
	for range 400 {
		if int(testutil.ToFloat64(counter)) >= n {
			return
		}
		time.Sleep(50 * time.Millisecond) // between two looks at a counter that says nothing when it moves
	}
	o.t.Fatalf("%s %s %s is %v, want %d\n%s", provider, purpose, result, testutil.ToFloat64(counter), n, o.logs)
}
