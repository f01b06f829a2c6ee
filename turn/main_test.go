package turn

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"maps"
	"math/big"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	pion "github.com/pion/turn/v5"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var secret = []byte("a secret of the operator")

// patience is how long a test waits for what must happen.
const patience = 5 * time.Second

// echo is a media address that sends everything back.
func echo(t testing.TB, host string) netip.AddrPort {
	t.Helper()
	pc, err := net.ListenPacket("udp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 2000)
		for {
			n, from, err := pc.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = pc.WriteTo(b[:n], from)
		}
	}()
	t.Cleanup(func() { _ = pc.Close(); <-done })
	return addrPort(pc.LocalAddr())
}

// logs is a log one can read while it is written.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// world is a server on loopback with one media address per family, and its log.
type world struct {
	*Server
	t        *testing.T
	log      *logs
	registry *prometheus.Registry
	media4   netip.AddrPort
	media6   netip.AddrPort
	plane    *plane // Nil when relayed addresses have sockets.
}

// starter starts a server whose relayed addresses are of one kind.
type starter func(change func(*Config)) *world

// both tells a story once with sockets, once with the media plane in the same process.
func both(t *testing.T, story func(t *testing.T, start starter)) {
	t.Helper()
	t.Run("sockets", func(t *testing.T) {
		story(t, func(change func(*Config)) *world { return start(t, change) })
	})
	t.Run("direct", func(t *testing.T) {
		story(t, func(change func(*Config)) *world { return startDirect(t, change) })
	})
}

// start starts a server that relays through sockets.
func start(t *testing.T, change func(*Config)) *world {
	t.Helper()
	return (&world{media4: echo(t, "127.0.0.1"), media6: echo(t, "::1")}).start(t, change)
}

// startDirect starts a server that relays to a media plane in this process, which sends everything back. Nothing listens at
// its addresses.
func startDirect(t *testing.T, change func(*Config)) *world {
	t.Helper()
	w := &world{media4: netip.MustParseAddrPort("127.0.0.1:7"), media6: netip.MustParseAddrPort("[::1]:7"), plane: newPlane()}
	t.Cleanup(func() {
		if left := w.plane.addresses(); len(left) > 0 {
			t.Errorf("%v are still attached", left)
		}
	})
	return w.start(t, change)
}

func (w *world) start(t *testing.T, change func(*Config)) *world {
	t.Helper()
	w.t, w.log, w.registry = t, &logs{}, prometheus.NewRegistry()
	cfg := Config{
		ListenUDP: []string{"127.0.0.1:0", "[::1]:0"}, ListenTCP: []string{"127.0.0.1:0"}, ListenTLS: []string{"127.0.0.1:0"},
		TLS: certificate(t), Secret: secret, Peers: []netip.AddrPort{w.media4, w.media6},
		Relays: []Relay{{Bind: netip.MustParseAddr("127.0.0.1")}, {Bind: netip.MustParseAddr("::1")}},
		Logger: slog.New(slog.NewTextHandler(w.log, nil)), Registerer: w.registry,
	}
	if w.plane != nil {
		cfg.Media = w.plane
	}
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	w.Server = s
	t.Cleanup(s.Close)
	return w
}

// knock sends something to a relayed address n times, from an address that is not media.
func (w *world) knock(relayed, from netip.AddrPort, n int) {
	w.t.Helper()
	if w.plane != nil {
		for range n {
			w.plane.receiver(relayed)([]byte("unwanted"), from)
		}
		return
	}
	conn, err := net.Dial("udp", relayed.String())
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	for range n {
		if _, err := conn.Write([]byte("unwanted")); err != nil {
			w.t.Fatal(err)
		}
	}
}

// plane is a media plane that sends everything back.
type plane struct {
	mu        sync.Mutex
	receivers map[netip.AddrPort]func([]byte, netip.AddrPort)
}

func newPlane() *plane { return &plane{receivers: map[netip.AddrPort]func([]byte, netip.AddrPort){}} }

// Attach implements Media.
func (p *plane) Attach(relayed netip.AddrPort, receive func([]byte, netip.AddrPort)) (detach func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.receivers[relayed] != nil {
		panic("attached twice")
	}
	p.receivers[relayed] = receive
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.receivers, relayed)
	}
}

// Deliver implements Media.
func (p *plane) Deliver(b []byte, from, to netip.AddrPort) {
	if receive := p.receiver(from); receive != nil {
		receive(b, to)
	}
}

// receiver is what takes the datagrams for a relayed address, nil when it is not attached.
func (p *plane) receiver(relayed netip.AddrPort) func([]byte, netip.AddrPort) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.receivers[relayed]
}

// addresses are those attached.
func (p *plane) addresses() []netip.AddrPort {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Keys(p.receivers))
}

func certificate(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// at is the server's address for a network and, for "udp", a family.
func (w *world) at(network string, v4 bool) string {
	for _, e := range w.Listening() {
		if e.Network == network && e.Addr.Addr().Is4() == v4 {
			return e.Addr.String()
		}
	}
	w.t.Fatalf("no %s listener", network)
	return ""
}

// dial opens a client's side as a PacketConn.
func (w *world) dial(network string) net.PacketConn {
	w.t.Helper()
	var conn net.Conn
	var err error
	switch network {
	case "udp":
		pc, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			w.t.Fatal(err)
		}
		return pc
	case "tcp":
		conn, err = net.Dial("tcp", w.at("tcp", true))
	case "tls":
		conn, err = tls.Dial("tcp", w.at("tls", true), &tls.Config{InsecureSkipVerify: true})
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return pion.NewSTUNConn(conn)
}

// metric is the value of a counter or gauge, by name and the value of its label.
func (w *world) metric(name, label string) float64 {
	w.t.Helper()
	families, err := w.registry.Gather()
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() != name || label != "" && m.GetLabel()[0].GetValue() != label {
				continue
			}
			return m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	w.t.Fatalf("no metric %s %s", name, label)
	return 0
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not so after %v", what, patience)
		}
		time.Sleep(5 * time.Millisecond)
	}
}
