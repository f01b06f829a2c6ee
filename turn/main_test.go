package turn

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/parleyrtc/parley/turn/credential"
	"github.com/pion/stun/v4"
	pion "github.com/pion/turn/v5"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var secret = []byte("a secret of the operator")

// patience is how long a test waits for what must happen.
const patience = 5 * time.Second

// echo is a media address that sends everything back.
func echo(t *testing.T, host string) netip.AddrPort {
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
}

func start(t *testing.T, change func(*Config)) *world {
	t.Helper()
	w := &world{t: t, log: &logs{}, registry: prometheus.NewRegistry(), media4: echo(t, "127.0.0.1"), media6: echo(t, "::1")}
	cfg := Config{
		ListenUDP: []string{"127.0.0.1:0", "[::1]:0"}, ListenTCP: []string{"127.0.0.1:0"}, ListenTLS: []string{"127.0.0.1:0"},
		TLS: certificate(t), Secret: secret, Peers: []netip.AddrPort{w.media4, w.media6},
		Relays: []Relay{{Bind: netip.MustParseAddr("127.0.0.1")}, {Bind: netip.MustParseAddr("::1")}},
		Logger: slog.New(slog.NewTextHandler(w.log, nil)), Registerer: w.registry,
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

// caller speaks STUN by hand over one UDP or TCP address, so that a test may say what no client would.
type caller struct {
	t        *testing.T
	conn     net.Conn
	username string
	key      stun.MessageIntegrity
	nonce    stun.Nonce
}

func (w *world) caller(network string, v4 bool, username, password string) *caller {
	w.t.Helper()
	conn, err := net.Dial(network, w.at(network, v4))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	return &caller{t: w.t, conn: conn, username: username, key: stun.NewLongTermIntegrity(username, "parley", password)}
}

func (w *world) mint(uid, session string, ttl time.Duration) (username, password string) {
	return credential.Mint(secret, uid, session, w.now(), ttl)
}

// ask sends one message and returns the answer to it, nil when there is none within wait.
func (c *caller) ask(wait time.Duration, m *stun.Message) *stun.Message {
	c.t.Helper()
	if _, err := c.conn.Write(m.Raw); err != nil {
		c.t.Fatal(err)
	}
	if err := c.conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		c.t.Fatal(err)
	}
	b := make([]byte, 2000)
	for {
		n, err := c.conn.Read(b)
		if err != nil {
			return nil
		}
		got := &stun.Message{Raw: append([]byte(nil), b[:n]...)}
		if err := got.Decode(); err != nil {
			c.t.Fatal(err)
		}
		if got.TransactionID == m.TransactionID {
			return got
		}
	}
}

// request asks with the long-term credential, fetching a nonce first when there is none.
func (c *caller) request(method stun.Method, attrs ...stun.Setter) *stun.Message {
	c.t.Helper()
	if len(c.nonce) == 0 {
		bare := c.ask(patience, stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest), udpTransport))
		if bare == nil || code(bare) != stun.CodeUnauthorized || c.nonce.GetFrom(bare) != nil {
			c.t.Fatalf("no nonce: %v", bare)
		}
	}
	m := c.signed(method, attrs...)
	for range 10 { // As clients do over UDP.
		if got := c.ask(patience/10, m); got != nil {
			return got
		}
	}
	c.t.Fatalf("%v was not answered", method)
	return nil
}

func (c *caller) signed(method stun.Method, attrs ...stun.Setter) *stun.Message {
	setters := []stun.Setter{stun.TransactionID, stun.NewType(method, stun.ClassRequest)}
	setters = append(setters, attrs...)
	return stun.MustBuild(append(setters, stun.NewUsername(c.username), stun.NewRealm("parley"), c.nonce, c.key)...)
}

// expect asks and holds the answer to a code, 0 for success. But for 401, the answer must be signed.
func (c *caller) expect(want stun.ErrorCode, method stun.Method, attrs ...stun.Setter) *stun.Message {
	c.t.Helper()
	got := c.request(method, attrs...)
	if code(got) != want {
		c.t.Fatalf("%v: %d, want %d", method, code(got), want)
	}
	if want == 0 || want == stun.CodeForbidden || want == stun.CodeAllocMismatch && method != stun.MethodAllocate {
		if err := c.key.Check(got); err != nil {
			c.t.Fatalf("%v answered %d unsigned: %v", method, want, err)
		}
	}
	return got
}

// code is an answer's error code, 0 for a success.
func code(m *stun.Message) stun.ErrorCode {
	var e stun.ErrorCodeAttribute
	if e.GetFrom(m) != nil {
		return 0
	}
	return e.Code
}

// attr is an attribute in raw bytes.
type attr struct {
	kind  stun.AttrType
	value []byte
}

// AddTo implements stun.Setter.
func (a attr) AddTo(m *stun.Message) error { m.Add(a.kind, a.value); return nil }

var (
	udpTransport = attr{stun.AttrRequestedTransport, []byte{17, 0, 0, 0}}
	tcpTransport = attr{stun.AttrRequestedTransport, []byte{6, 0, 0, 0}}
	family6      = attr{stun.AttrRequestedAddressFamily, []byte{2, 0, 0, 0}}
	channel      = attr{stun.AttrChannelNumber, []byte{0x40, 0x01, 0, 0}}
)

// peerAddr is an XOR-PEER-ADDRESS in exactly the encoding of the address, which the library's own would normalise.
type peerAddr netip.AddrPort

// AddTo implements stun.Setter.
func (p peerAddr) AddTo(m *stun.Message) error {
	a := netip.AddrPort(p)
	family := byte(2)
	if a.Addr().Is4() {
		family = 1
	}
	port := a.Port() ^ 0x2112
	value := []byte{0, family, byte(port >> 8), byte(port)}
	key := append([]byte{0x21, 0x12, 0xA4, 0x42}, m.TransactionID[:]...)
	for i, v := range a.Addr().AsSlice() {
		value = append(value, v^key[i])
	}
	m.Add(stun.AttrXORPeerAddress, value)
	return nil
}

// drained reads a connection until the other side closes it, and says whether that was before the deadline.
func drained(conn net.Conn, by time.Time) bool {
	_ = conn.SetReadDeadline(by)
	_, err := io.Copy(io.Discard, conn)
	timeout, ok := err.(net.Error)
	return !ok || !timeout.Timeout()
}

// authRequest is what the library asks of authorize.
type authRequest = pion.RequestAttributes
