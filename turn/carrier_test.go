package turn

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/parleyrtc/parley/turn/credential"
	"github.com/pion/stun/v4"
	"github.com/prometheus/client_golang/prometheus"
)

func TestARouterInBetween(t *testing.T) {
	both(t, func(t *testing.T, start starter) {
		public := netip.MustParseAddrPort("198.51.100.9:7000") // What clients know our media as; nothing is there.
		w := start(func(c *Config) {
			local := c.Peers[0]
			c.Peers = []netip.AddrPort{public}
			c.PeerAliases = map[netip.AddrPort]netip.AddrPort{public: local}
			c.Relays[0].Advertise = netip.MustParseAddr("198.51.100.9")
		})
		relay, err := w.client("udp", "alice", "s").Allocate()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = relay.Close() }()
		if ip := addrPort(relay.LocalAddr()).Addr(); ip != public.Addr() {
			t.Errorf("relayed at %v", ip)
		}
		if _, err := relay.WriteTo([]byte("hello"), net.UDPAddrFromAddrPort(public)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 100)
		_ = relay.SetReadDeadline(time.Now().Add(patience))
		if n, from, err := relay.ReadFrom(b); err != nil || string(b[:n]) != "hello" || from.String() != public.String() {
			t.Errorf("%q from %v, %v", b[:n], from, err)
		}
		username, password := w.mint("bob", "s", time.Hour)
		c := w.caller("udp", true, username, password)
		c.expect(0, stun.MethodAllocate, udpTransport)
		c.expect(stun.CodeForbidden, stun.MethodCreatePermission, peerAddr(w.media4))
	})
}

func TestAClientThatDoesNotReadIsLetGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe() // Holds not one byte.
		defer func() { _ = there.Close() }()
		st := newStream(&Server{}, here, time.Now())
		began := time.Now()
		if err := st.write(make([]byte, 100), nil); err == nil {
			t.Fatal("written to nobody")
		}
		if took := time.Since(began); took != writeTime {
			t.Errorf("it took %v", took)
		}
		if _, err := here.Write([]byte{1}); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("the connection is still open: %v", err)
		}
	})
}

func TestAnAllocationOutlivesTheOneBeforeIt(t *testing.T) {
	both(t, func(t *testing.T, start starter) {
		w := start(nil)
		username, password := w.mint("alice", "s", time.Hour)
		c := w.caller("udp", true, username, password)
		for range 200 { // The reader of the former relay ends whenever it ends.
			c.expect(0, stun.MethodAllocate, udpTransport)
			c.expect(0, stun.MethodRefresh)
			c.expect(0, stun.MethodRefresh, attr{stun.AttrLifetime, make([]byte, 4)})
		}
	})
}

func TestAPanicOfOursCostsOneMessage(t *testing.T) {
	log := &logs{}
	m, err := newMetrics(prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{log: slog.New(slog.NewTextHandler(log, nil)), metrics: m} // Most of it is missing.
	c := newCarrier(s, nil)
	b := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodCreatePermission, stun.ClassRequest), peerAddr(netip.MustParseAddrPort("1.2.3.4:5"))).Raw
	if c.accept(b, nil, netip.AddrPort{}) {
		t.Error("the message passed")
	}
	username, _ := credential.Mint(secret, "alice", "s", time.Now(), time.Hour)
	if _, _, ok := c.authorize(&authRequest{Username: username}); ok {
		t.Error("the user passed")
	}
	if text := log.text(); strings.Count(text, "stack=") != 2 {
		t.Errorf("the log says %s", text)
	}
}

func TestTheLibrarysLogIsThinnedOut(t *testing.T) {
	log := &logs{}
	b := &bridge{log: slog.New(slog.NewTextHandler(log, nil))}
	for range 1000 {
		b.Errorf("%s happened", "something")
		b.Debugf("%s", "a packet")
	}
	b.last = time.Time{}
	b.Warn("100% sure")
	if text := log.text(); strings.Count(text, "\n") != 2 || !strings.Contains(text, "suppressed=999") || !strings.Contains(text, "100% sure") {
		t.Errorf("the log says %s", text)
	}
}

func TestRevokedSessionsAreForgottenInTime(t *testing.T) {
	b := newBooks(1, 1)
	now := time.Unix(1000, 0)
	for i := range maxRevoked {
		b.revoke(string(rune('a'+i%26))+time.Duration(i).String(), now, now.Add(time.Duration(i+1)*time.Second))
	}
	b.revoke("one more", now, now.Add(time.Hour))
	if len(b.revoked) > maxRevoked || b.isRevoked("a0s") || !b.isRevoked("b1ns") || !b.isRevoked("one more") {
		t.Errorf("%d remembered", len(b.revoked))
	}
	b.revoke("later", now.Add(100*time.Second), now.Add(time.Hour))
	if len(b.revoked) > maxRevoked-90 {
		t.Errorf("%d remembered", len(b.revoked))
	}
}

// memory is a PacketConn without a network: a test puts messages in and takes answers out.
type memory struct {
	*carrier
	in  chan []byte
	out chan []byte
	end sync.Once
}

var memoryClient = &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1).To4(), Port: 9}

func newMemory(s *Server) *memory {
	m := &memory{carrier: newCarrier(s, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1).To4(), Port: 3478}), in: make(chan []byte), out: make(chan []byte, 16)}
	m.write = func(b []byte, _ net.Addr) error {
		select {
		case m.out <- append([]byte(nil), b...):
		default:
		}
		return nil
	}
	return m
}

func (m *memory) ReadFrom(b []byte) (int, net.Addr, error) {
	m.settle()
	for {
		data, ok := <-m.in
		if !ok {
			m.finish()
			return 0, nil, net.ErrClosed
		}
		if n := copy(b, data); m.accept(b[:n], memoryClient, addrPort(memoryClient)) {
			return n, memoryClient, nil
		}
	}
}

func (m *memory) WriteTo(b []byte, to net.Addr) (int, error) { return len(b), m.reply(b, to) }
func (m *memory) Close() error                               { m.end.Do(func() { close(m.in) }); return nil }
func (m *memory) LocalAddr() net.Addr                        { return m.local }
func (m *memory) SetDeadline(time.Time) error                { return nil }
func (m *memory) SetReadDeadline(time.Time) error            { return nil }
func (m *memory) SetWriteDeadline(time.Time) error           { return nil }

// FuzzMessages gives guard and library whatever attributes, by turns from a stranger and well signed. Nothing may panic, and
// nothing may ever be relayed.
func FuzzMessages(f *testing.F) {
	f.Add(uint16(stun.MethodAllocate), []byte{0, 0x19, 0, 4, 17, 0, 0, 0}, true)
	f.Add(uint16(stun.MethodCreatePermission), []byte{0, 0x12, 0, 8, 0, 1, 0x21, 0x12, 0x5e, 0x12, 0xa4, 0x43}, true)
	f.Add(uint16(stun.MethodChannelBind), []byte{0, 0x0c, 0, 4, 0x40, 1, 0, 0, 0, 0x12, 0, 8, 0, 1, 0x21, 0x12, 0x5e, 0x12, 0xa4, 0x43}, true)
	f.Add(uint16(stun.MethodRefresh), []byte{0, 0x0d, 0, 4, 0, 0, 0, 0}, true)
	f.Add(uint16(0x0016), []byte{0, 0x12, 0, 0, 0, 0x13, 0, 0}, false)
	w := newFuzzWorld(f)
	f.Fuzz(func(t *testing.T, kind uint16, attrs []byte, signed bool) {
		m := stun.MustBuild(stun.TransactionID)
		m.Raw[0], m.Raw[1] = byte(kind>>8)&0x3F, byte(kind)
		for len(attrs) >= 4 {
			n := min(int(attrs[3]), len(attrs)-4)
			m.Add(stun.AttrType(uint16(attrs[0])<<8|uint16(attrs[1])), attrs[4:4+n])
			attrs = attrs[4+n:]
		}
		if signed {
			for _, s := range []stun.Setter{stun.NewUsername(w.username), stun.NewRealm("parley"), w.nonce, w.key} {
				if s.AddTo(m) != nil {
					return
				}
			}
		}
		w.in <- m.Raw
		w.in <- []byte{0} // Taken once the first is done with.
		for len(w.out) > 0 {
			<-w.out
		}
	})
}

type fuzzWorld struct {
	*memory
	username string
	key      stun.MessageIntegrity
	nonce    stun.Nonce
}

func newFuzzWorld(f *testing.F) *fuzzWorld {
	s, err := New(Config{
		ListenUDP: []string{"127.0.0.1:0"}, Secret: secret, Relays: []Relay{{Bind: netip.MustParseAddr("127.0.0.1")}},
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		f.Fatal(err)
	}
	m := newMemory(s)
	if _, err := m.start(m); err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = m.Close(); s.follow(m.carrier); s.Close() })
	m.in <- stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest)).Raw
	w := &fuzzWorld{memory: m}
	answer := &stun.Message{Raw: <-m.out}
	if answer.Decode() != nil || w.nonce.GetFrom(answer) != nil {
		f.Fatal("no nonce")
	}
	username, password := credential.Mint(secret, "fuzz", "s", time.Now(), time.Hour)
	w.username, w.key = username, stun.NewLongTermIntegrity(username, "parley", password)
	return w
}
