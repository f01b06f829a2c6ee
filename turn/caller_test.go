package turn

import (
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/parleyrtc/parley/turn/credential"
	"github.com/pion/stun/v4"
	pion "github.com/pion/turn/v5"
)

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
