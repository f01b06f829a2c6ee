package turn

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/stun/v4"
	pion "github.com/pion/turn/v5"
)

// client is the library's client with a fresh credential.
func (w *world) client(network, uid, session string) *pion.Client {
	w.t.Helper()
	username, password := w.mint(uid, session, time.Hour)
	server := w.at(network, true)
	quiet := logging.NewDefaultLoggerFactory()
	quiet.DefaultLogLevel = logging.LogLevelDisabled
	conn := w.dial(network)
	c, err := pion.NewClient(&pion.ClientConfig{
		STUNServerAddr: server, TURNServerAddr: server, Conn: conn, Username: username, Password: password, Realm: "parley", LoggerFactory: quiet,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := c.Listen(); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close(); _ = conn.Close() })
	return c
}

func TestMediaComesBackThroughTheRelay(t *testing.T) {
	both(t, func(t *testing.T, start starter) {
		w := start(nil)
		for _, network := range []string{"udp", "tcp", "tls"} {
			relay, err := w.client(network, "alice", "s-"+network).Allocate()
			if err != nil {
				t.Fatalf("%s: %v", network, err)
			}
			if w.Allocations() != 1 || w.metric("parley_turn_allocations", "") != 1 {
				t.Errorf("%s: %d allocations", network, w.Allocations())
			}
			b := make([]byte, 2000)
			for i := range 20 { // By indications first, then through a channel.
				message := strings.Repeat("x", 10+i*60)
				if _, err := relay.WriteTo([]byte(message), net.UDPAddrFromAddrPort(w.media4)); err != nil {
					t.Fatalf("%s: %v", network, err)
				}
				_ = relay.SetReadDeadline(time.Now().Add(patience))
				n, from, err := relay.ReadFrom(b)
				if err != nil || string(b[:n]) != message || from.String() != w.media4.String() {
					t.Fatalf("%s: %d bytes from %v, %v", network, n, from, err)
				}
			}
			if err := relay.Close(); err != nil {
				t.Fatalf("%s: %v", network, err)
			}
			eventually(t, "the allocation is gone", func() bool { return w.Allocations() == 0 })
		}
		if to, back := w.metric("parley_turn_bytes_total", "to_peer"), w.metric("parley_turn_bytes_total", "to_client"); to != back || to < 30000 {
			t.Errorf("%v bytes there, %v back", to, back)
		}
		if text := w.log.text(); text != "" {
			t.Errorf("the log says %s", text)
		}
	})
}

func TestBothFamiliesOverEither(t *testing.T) {
	both(t, func(t *testing.T, start starter) {
		w := start(nil)
		for _, v4 := range []bool{true, false} {
			for _, family := range []struct {
				attrs []stun.Setter
				media netip.AddrPort
			}{{nil, netip.AddrPort{}}, {[]stun.Setter{family6}, w.media6}, {[]stun.Setter{attr{stun.AttrRequestedAddressFamily, []byte{1, 0, 0, 0}}}, w.media4}} {
				media := family.media
				if !media.IsValid() { // Browsers leave it out: then the listener's family counts.
					if media = w.media6; v4 {
						media = w.media4
					}
				}
				username, password := w.mint("alice", "s", time.Hour)
				c := w.caller("udp", v4, username, password)
				got := c.expect(0, stun.MethodAllocate, append(family.attrs, udpTransport)...)
				if got.Contains(stun.AttrSoftware) {
					t.Error("the server tells what it is")
				}
				c.expect(0, stun.MethodCreatePermission, peerAddr(media))
				c.expect(0, stun.MethodChannelBind, channel, peerAddr(media))
				if _, err := c.conn.Write([]byte{0x40, 0x01, 0, 2, 'h', 'i'}); err != nil {
					t.Fatal(err)
				}
				b := make([]byte, 100)
				_ = c.conn.SetReadDeadline(time.Now().Add(patience))
				if n, err := c.conn.Read(b); err != nil || n < 6 || string(b[4:6]) != "hi" {
					t.Fatalf("%d bytes, %v", n, err)
				}
				c.expect(0, stun.MethodRefresh, attr{stun.AttrLifetime, make([]byte, 4)})
			}
		}
	})
}

func TestQuotaIsPerCredentialAndGivenBack(t *testing.T) {
	both(t, func(t *testing.T, start starter) {
		w := start(func(c *Config) { c.QuotaPerCredential = 3 })
		var mine []*caller
		for range 3 {
			username, password := w.mint("alice", "s", time.Hour)
			c := w.caller("udp", true, username, password)
			c.expect(0, stun.MethodAllocate, udpTransport)
			mine = append(mine, c)
		}
		username, password := w.mint("alice", "s", 2*time.Hour)
		fourth := w.caller("udp", true, username, password)
		fourth.expect(stun.CodeAllocQuotaReached, stun.MethodAllocate, udpTransport)
		other, pass := w.mint("bob", "s", time.Hour)
		w.caller("udp", true, other, pass).expect(0, stun.MethodAllocate, udpTransport)
		mine[1].expect(0, stun.MethodRefresh, attr{stun.AttrLifetime, make([]byte, 4)})
		fourth.expect(0, stun.MethodAllocate, udpTransport)
		if got := w.metric("parley_turn_denied_total", "quota"); got != 1 {
			t.Errorf("%v denied", got)
		}
	})
}

func TestPortRangeIsUsedUpAndUsableAgain(t *testing.T) {
	both(t, func(t *testing.T, start starter) {
		low := freeRange(t, 4)
		w := start(func(c *Config) { c.RelayPortMin, c.RelayPortMax = low, low+3 })
		var held []*caller
		for round := range 3 {
			seen := map[uint16]bool{}
			for range 4 {
				username, password := w.mint("alice", "s", time.Hour)
				c := w.caller("udp", true, username, password)
				var relayed stun.XORMappedAddress
				if err := relayed.GetFromAs(c.expect(0, stun.MethodAllocate, udpTransport), stun.AttrXORRelayedAddress); err != nil {
					t.Fatal(err)
				}
				if port := uint16(relayed.Port); seen[port] || port < low || port > low+3 || !relayed.IP.Equal(net.IPv4(127, 0, 0, 1)) {
					t.Fatalf("round %d: relayed at %v", round, relayed)
				}
				seen[uint16(relayed.Port)] = true
				held = append(held, c)
			}
			username, password := w.mint("bob", "s", time.Hour)
			w.caller("udp", true, username, password).expect(stun.CodeInsufficientCapacity, stun.MethodAllocate, udpTransport)
			for _, c := range held {
				c.expect(0, stun.MethodRefresh, attr{stun.AttrLifetime, make([]byte, 4)})
			}
			held = nil
		}
	})
}

// freeRange finds n free UDP ports in a row.
func freeRange(t *testing.T, n uint16) uint16 {
	t.Helper()
	for low := uint16(41000); low < 60000; low += n {
		free := true
		for port := low; port < low+n && free; port++ {
			pc, err := net.ListenPacket("udp4", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port).String())
			if free = err == nil; free {
				_ = pc.Close()
			}
		}
		if free {
			return low
		}
	}
	t.Fatal("no free ports")
	return 0
}

func TestWhatIsNotOfferedIsRefused(t *testing.T) {
	both(t, func(t *testing.T, start starter) {
		w := start(func(c *Config) { c.Relays = c.Relays[:1] })
		username, password := w.mint("alice", "s", time.Hour)
		c := w.caller("udp", true, username, password)
		c.expect(stun.CodeUnsupportedTransProto, stun.MethodAllocate, tcpTransport)
		c.expect(stun.CodeAddrFamilyNotSupported, stun.MethodAllocate, udpTransport, family6)
		c.expect(stun.CodeInsufficientCapacity, stun.MethodAllocate, udpTransport, attr{stun.AttrEvenPort, []byte{0x80}})
		c.expect(stun.CodeInsufficientCapacity, stun.MethodAllocate, udpTransport, attr{stun.AttrReservationToken, make([]byte, 8)})
		c.expect(stun.CodeAllocMismatch, stun.MethodRefresh)
		c.expect(stun.CodeAllocMismatch, stun.MethodCreatePermission, peerAddr(w.media4))
		c.expect(0, stun.MethodAllocate, udpTransport)
		c.expect(stun.CodeAllocMismatch, stun.MethodAllocate, udpTransport)
		if m := c.ask(100*time.Millisecond, c.signed(stun.MethodConnect, peerAddr(w.media4))); m != nil {
			t.Errorf("CONNECT was answered with %v", m)
		}
	})
}

func TestConfigurationsThatCannotBeMeant(t *testing.T) {
	good := Config{
		ListenUDP: []string{"127.0.0.1:0"}, Secret: secret, Relays: []Relay{{Bind: netip.MustParseAddr("127.0.0.1")}},
	}
	for name, change := range map[string]func(*Config){
		"no listener":         func(c *Config) { c.ListenUDP = nil },
		"TLS without keys":    func(c *Config) { c.ListenTLS = []string{":0"} },
		"short secret":        func(c *Config) { c.Secret = []byte("short") },
		"ports upside down":   func(c *Config) { c.RelayPortMin, c.RelayPortMax = 9, 8 },
		"ports without start": func(c *Config) { c.RelayPortMax = 8 },
		"no relay":            func(c *Config) { c.Relays = nil },
		"two of a family":     func(c *Config) { c.Relays = append(c.Relays, c.Relays[0]) },
		"advertised nowhere":  func(c *Config) { c.Relays = []Relay{{Bind: netip.IPv4Unspecified()}} },
		"mixed families":      func(c *Config) { c.Relays = []Relay{{netip.MustParseAddr("::1"), netip.MustParseAddr("1.2.3.4")}} },
		"peer on no port":     func(c *Config) { c.Peers = []netip.AddrPort{netip.MustParseAddrPort("1.2.3.4:0")} },
		"negative":            func(c *Config) { c.MaxConnections = -1 },
		"negative time":       func(c *Config) { c.Idle = -1 },
		"address in use":      func(c *Config) { c.ListenUDP = []string{"127.0.0.1:0", "192.0.2.1:1"} },
	} {
		c := good
		c.Relays = append([]Relay(nil), good.Relays...)
		change(&c)
		if s, err := New(c); err == nil {
			s.Close()
			t.Errorf("%s: accepted", name)
		}
	}
	s, err := New(good)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	s.Close()
}
