package turn

import (
	"crypto/rand"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/parleyrtc/parley/turn/credential"
	"github.com/pion/stun/v4"
)

// special are targets that servers have been talked into reaching: loopback, private and link-local networks, metadata
// services, multicast, documentation, and IPv4 in every IPv6 spelling.
var special = []string{
	"0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.2", "127.255.255.254", "168.63.129.16",
	"169.254.169.254", "172.16.0.1", "192.0.0.192", "192.0.2.1", "192.168.0.1", "198.18.0.1", "203.0.113.7", "224.0.0.1",
	"240.0.0.1", "255.255.255.255", "8.8.8.8",
	"::", "::2", "::127.0.0.1", "::169.254.169.254", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
	"::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "2002:7f00:1::", "2002:a9fe:a9fe::1",
	"2001:0:7f00:1::", "2001::80ff:fffe", "fe80::1", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "100::1", "2001:db8::1",
	"2606:4700:4700::1111",
}

func TestEverySpecialAddressIsForbidden(t *testing.T) {
	both(t, func(t *testing.T, start starter) {
		w := start(nil)
		for _, family := range []struct {
			name  string
			attrs []stun.Setter
			media netip.AddrPort
		}{{"v4", nil, w.media4}, {"v6", []stun.Setter{family6}, w.media6}} {
			username, password := w.mint("alice", "s", time.Hour)
			c := w.caller("udp", true, username, password)
			c.expect(0, stun.MethodAllocate, append(family.attrs, udpTransport)...)
			for _, ip := range append(special, "::ffff:"+w.media4.Addr().String()) {
				// The port of our own media, so that the address alone decides.
				target := netip.AddrPortFrom(netip.MustParseAddr(ip), family.media.Port())
				c.expect(stun.CodeForbidden, stun.MethodCreatePermission, peerAddr(target))
				c.expect(stun.CodeForbidden, stun.MethodChannelBind, channel, peerAddr(target))
				c.expect(stun.CodeForbidden, stun.MethodCreatePermission, peerAddr(family.media), peerAddr(target))
				c.expect(stun.CodeForbidden, stun.MethodCreatePermission, peerAddr(target), peerAddr(family.media))
			}
			// Other ports of our own address: no channel leads there, and a permission, which has no port, is of no use.
			elsewhere := echo(t, family.media.Addr().String())
			c.expect(stun.CodeForbidden, stun.MethodChannelBind, channel, peerAddr(elsewhere))
			c.expect(0, stun.MethodCreatePermission, peerAddr(elsewhere))
			send := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodSend, stun.ClassIndication), peerAddr(elsewhere), attr{stun.AttrData, []byte("knock")})
			if got := c.ask(50*time.Millisecond, send); got != nil {
				t.Errorf("%s: %v", family.name, got)
			}
			if got := w.metric("parley_turn_bytes_total", "to_peer"); got != 0 {
				t.Errorf("%s: %v bytes went out", family.name, got)
			}
		}
	})
}

func TestARelayTalksToNobodyElse(t *testing.T) {
	both(t, func(t *testing.T, start starter) {
		w := start(nil)
		username, password := w.mint("alice", "s", time.Hour)
		c := w.caller("udp", true, username, password)
		var relayed stun.XORMappedAddress
		if err := relayed.GetFromAs(c.expect(0, stun.MethodAllocate, udpTransport), stun.AttrXORRelayedAddress); err != nil {
			t.Fatal(err)
		}
		c.expect(0, stun.MethodCreatePermission, peerAddr(w.media4)) // For 127.0.0.1, where the stranger is too.
		stranger := netip.MustParseAddrPort("127.0.0.1:9")
		w.knock(addrPort(&net.UDPAddr{IP: relayed.IP.To4(), Port: relayed.Port}), stranger, 100)
		eventually(t, "they are counted", func() bool { return w.metric("parley_turn_denied_total", "stray") == 100 })
		if got := w.metric("parley_turn_bytes_total", "to_client"); got != 0 || w.log.text() != "" {
			t.Errorf("%v bytes came in; log %s", got, w.log.text())
		}
		// Even if the library had it written there.
		w.books.mu.Lock()
		for r := range w.books.relays {
			if n, err := r.WriteTo([]byte("knock"), net.UDPAddrFromAddrPort(stranger)); n != 5 || err != nil {
				t.Errorf("%d %v", n, err)
			}
		}
		w.books.mu.Unlock()
		if got := w.metric("parley_turn_bytes_total", "to_peer"); got != 0 {
			t.Errorf("%v bytes went out", got)
		}
	})
}

func TestNineBytesDoNotPinACore(t *testing.T) {
	w := start(t, nil)
	before := processor(t)
	for range 20 {
		for _, b := range []string{"\x40\x00\xff\xfc\x01\x02\x03\x04\x05", "\x00\x01\xff\xfc\x21\x12\xa4\x42\x00", "GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02\x00"} {
			conn, err := net.Dial("tcp", w.at("tcp", true))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Write([]byte(b)); err != nil {
				t.Fatal(err)
			}
			if !drained(conn, time.Now().Add(patience)) {
				t.Fatalf("% x: still open", b)
			}
			_ = conn.Close()
		}
	}
	if used := processor(t) - before; used > 3*time.Second {
		t.Errorf("%v of CPU for 80 connections", used)
	}
	if text := w.log.text(); text != "" {
		t.Errorf("the log says %s", text)
	}
	eventually(t, "no connection is left", func() bool { return w.metric("parley_turn_connections", "") == 0 })
}

func TestSlowConnectionsAreClosedInTime(t *testing.T) {
	const first = 500 * time.Millisecond
	w := start(t, func(c *Config) { c.FirstMessage, c.Idle = first, first })
	began := time.Now()
	bind := stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw
	var conns []net.Conn
	for i := range 200 {
		network := []string{"tcp", "tls"}[i%2]
		conn, err := net.Dial("tcp", w.at(network, true))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if i%4 >= 2 { // Half of them begin a message, or a handshake.
			if _, err := conn.Write(bind[:3+i%10]); err != nil {
				t.Fatal(err)
			}
		}
		conns = append(conns, conn)
	}
	polite, err := net.Dial("tcp", w.at("tcp", true))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = polite.Close() }()
	for range 3 { // One that talks, but never allocates anything, gets its time once.
		if _, err := polite.Write(bind); err != nil {
			t.Fatal(err)
		}
	}
	for i, conn := range append(conns, polite) {
		if !drained(conn, began.Add(patience)) {
			t.Fatalf("connection %d is still open after %v", i, time.Since(began))
		}
	}
	eventually(t, "no connection is left", func() bool { return w.metric("parley_turn_connections", "") == 0 })
	if text := w.log.text(); text != "" {
		t.Errorf("the log says %s", text)
	}
}

func TestConnectionsOfOneAddressAreBounded(t *testing.T) {
	w := start(t, func(c *Config) { c.MaxConnectionsPerIP = 3 })
	for range 3 {
		conn, err := net.Dial("tcp", w.at("tcp", true))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
	}
	eventually(t, "three are open", func() bool { return w.metric("parley_turn_connections", "") == 3 })
	fourth, err := net.Dial("tcp", w.at("tls", true))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = fourth.Close() }()
	if !drained(fourth, time.Now().Add(patience)) || w.metric("parley_turn_denied_total", "connections") != 1 {
		t.Error("the fourth was let in")
	}
}

func TestGarbageOverUDPHarmsNobody(t *testing.T) {
	both(t, func(t *testing.T, start starter) {
		w := start(nil)
		username, password := w.mint("alice", "s", time.Hour)
		c := w.caller("udp", true, username, password)
		c.expect(0, stun.MethodAllocate, udpTransport)
		crash := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodSend, stun.ClassIndication), attr{stun.AttrXORPeerAddress, nil}, attr{stun.AttrData, make([]byte, 12)}, attr{0xC001, nil}).Raw
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		junk := make([]byte, 1700)
		for i := range 10000 {
			b := crash
			if i%3 != 0 {
				b = junk[:i%len(junk)]
				_, _ = rand.Read(b[:min(len(b), 40)])
				if i%3 == 2 && len(b) > 8 {
					copy(b, []byte{0, byte(i), byte(len(b) >> 8), byte(len(b) - 20), 0x21, 0x12, 0xA4, 0x42})
				}
			}
			if _, err := c.conn.Write(b); err != nil {
				t.Fatal(err)
			}
		}
		c.expect(0, stun.MethodRefresh)
		runtime.GC()
		runtime.ReadMemStats(&after)
		if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
			t.Errorf("the heap grew by %d bytes", grown)
		}
		if denied := w.metric("parley_turn_denied_total", "malformed") + w.metric("parley_turn_denied_total", "attribute"); denied < 1000 {
			t.Errorf("%v denied", denied)
		}
		if text := w.log.text(); strings.Count(text, "\n") > 1 {
			t.Errorf("the log says %s", text)
		}
	})
}

func TestWhatStandsBehindTheIntegrityIsRefused(t *testing.T) {
	both(t, func(t *testing.T, start starter) {
		w := start(nil)
		username, password := w.mint("alice", "s", time.Hour)
		c := w.caller("udp", true, username, password)
		c.expect(0, stun.MethodAllocate, udpTransport)
		m := c.signed(stun.MethodCreatePermission)
		_ = peerAddr(w.media4).AddTo(m)
		if got := c.ask(patience, m); got == nil || code(got) != stun.CodeBadRequest {
			t.Errorf("%v", got)
		}
	})
}

func TestStrangersGetFewAnswers(t *testing.T) {
	w := start(t, func(c *Config) { c.RepliesPerSecond = 5 })
	conn, err := net.Dial("udp", w.at("udp", true))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	began, sent := time.Now(), 0
	eventually(t, "the rest is counted", func() bool {
		for range 20 {
			for _, kind := range []stun.MessageType{stun.BindingRequest, stun.NewType(stun.MethodAllocate, stun.ClassRequest)} {
				n, err := conn.Write(stun.MustBuild(stun.TransactionID, kind).Raw)
				if err != nil {
					t.Fatal(err)
				}
				sent += n
			}
		}
		return w.metric("parley_turn_denied_total", "rate") > 500
	})
	most := 20 + 5*int(time.Since(began).Seconds()+1)
	got, answers := 0, 0
	b := make([]byte, 2000)
	for {
		_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		n, err := conn.Read(b)
		if err != nil {
			break
		}
		got += n
		answers++
	}
	if answers < 10 || answers > most || got > 120*answers {
		t.Errorf("%d answers of %d bytes to %d bytes", answers, got, sent)
	}
}

func TestAnExpiredCredentialOnlyServesWhatIsLive(t *testing.T) {
	both(t, func(t *testing.T, start starter) {
		w := start(nil)
		username, password := w.mint("alice", "s", 2*time.Second)
		c := w.caller("udp", true, username, password)
		c.expect(0, stun.MethodAllocate, udpTransport)
		late := w.caller("udp", true, username, password)
		claims, err := credential.Parse(username)
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "it has expired", func() bool { return claims.Expired(w.now()) })
		late.expect(stun.CodeUnauthorized, stun.MethodAllocate, udpTransport)
		late.expect(stun.CodeUnauthorized, stun.MethodRefresh)
		c.expect(0, stun.MethodRefresh)
		c.expect(0, stun.MethodCreatePermission, peerAddr(w.media4))
		c.expect(stun.CodeUnauthorized, stun.MethodAllocate, udpTransport)

		// Renewed, it serves the same allocation; another user's does not.
		c.username, password = w.mint("alice", "s", time.Hour)
		c.key = stun.NewLongTermIntegrity(c.username, "parley", password)
		c.expect(0, stun.MethodRefresh)
		c.username, password = w.mint("mallory", "s", time.Hour)
		c.key = stun.NewLongTermIntegrity(c.username, "parley", password)
		c.expect(stun.CodeAllocMismatch, stun.MethodRefresh)
		c.key = stun.NewLongTermIntegrity(c.username, "parley", "guessed")
		c.expect(stun.CodeUnauthorized, stun.MethodRefresh)
		if got := w.metric("parley_turn_auth_failures_total", ""); got != 4 {
			t.Errorf("%v failures", got)
		}
		for _, word := range []string{password, string(secret)} {
			if strings.Contains(w.log.text(), word) {
				t.Error("a secret is in the log")
			}
		}
	})
}

func TestRevokingASessionEndsItsAllocations(t *testing.T) {
	both(t, func(t *testing.T, start starter) {
		w := start(nil)
		var mine []*caller
		for _, uid := range []string{"alice", "bob"} {
			username, password := w.mint(uid, "ended", time.Hour)
			c := w.caller("udp", true, username, password)
			c.expect(0, stun.MethodAllocate, udpTransport)
			mine = append(mine, c)
		}
		username, password := w.mint("carol", "goes-on", time.Hour)
		other := w.caller("udp", true, username, password)
		other.expect(0, stun.MethodAllocate, udpTransport)
		if n := w.Revoke("ended"); n != 2 || w.Allocations() != 1 {
			t.Errorf("%d closed, %d left", n, w.Allocations())
		}
		for _, c := range mine {
			c.expect(stun.CodeUnauthorized, stun.MethodRefresh)
			c.expect(stun.CodeUnauthorized, stun.MethodAllocate, udpTransport)
		}
		other.expect(0, stun.MethodRefresh)
	})
}

func TestCloseEndsWhatIsUnderWay(t *testing.T) {
	both(t, func(t *testing.T, start starter) {
		w := start(nil)
		for _, network := range []string{"udp", "tcp", "tls"} {
			relay, err := w.client(network, "alice", "s").Allocate()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = relay.Close() }()
		}
		half, err := net.Dial("tcp", w.at("tls", true))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = half.Close() }()
		done := make(chan struct{})
		go func() { defer close(done); w.Close() }()
		select {
		case <-done:
		case <-time.After(patience):
			t.Fatal("Close does not return")
		}
		if w.Allocations() != 0 || w.metric("parley_turn_allocations", "") != 0 || w.metric("parley_turn_connections", "") != 0 {
			t.Error("something is left")
		}
	})
}
