package transport

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/stun/v4"
)

var (
	here  = netip.MustParseAddrPort("203.0.113.1:7701")
	there = netip.MustParseAddrPort("[2001:db8::2]:7701")
	hello = []byte{22, 0xfe, 0xfd, 1} // of DTLS
	media = []byte{128, 96, 0, 1}
)

// newQuietMux sends nowhere.
func newQuietMux() *mux {
	return newMux([]netip.AddrPort{here, there}, controlPlaces, func(int, []byte, netip.AddrPort) error { return nil })
}

func get(t *testing.T, face ice.UDPMux, ufrag string, local netip.AddrPort) *muxConn {
	t.Helper()
	c, err := face.GetConn(ufrag, net.UDPAddrFromAddrPort(local))
	if err != nil {
		t.Fatal(err)
	}
	return c.(*muxConn)
}

// got is what waits in a conn.
func got(c *muxConn) (n int) { return c.ring.waiting }

func request(user string) []byte {
	return stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername(user), stun.NewShortTermIntegrity("pwd"), stun.Fingerprint).Raw
}

func TestAStrangersCheckGoesByItsUserName(t *testing.T) {
	m := newQuietMux()
	anna, ben := get(t, m.peer(&client{}), "anna", here), get(t, m.peer(&client{}), "ben", here)
	for user, want := range map[string]*muxConn{"anna:x": anna, "ben:": ben, "ben": ben, "anna:ben:x": anna, "": nil, ":anna": nil, "carl:anna": nil} {
		before := [2]int{got(anna), got(ben)}
		if ok := m.control(0, somewhere, request(user)); ok != (want != nil) {
			t.Errorf("check of %q: %v", user, ok)
		}
		if got(anna)-before[0] != one(want == anna) || got(ben)-before[1] != one(want == ben) {
			t.Errorf("check of %q went astray", user)
		}
	}
	if m.control(1, somewhere, request("anna:x")) || m.control(7, somewhere, request("anna:x")) || m.control(-1, somewhere, request("anna:x")) {
		t.Error("a check arrived at an address that has no candidate")
	}
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestWhatIsNotSTUNGoesByItsAddress(t *testing.T) {
	m := newQuietMux()
	o := &client{}
	face := m.peer(o)
	first, second := get(t, face, "anna", here), get(t, face, "anna", there)
	indication := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodBinding, stun.ClassIndication)).Raw
	for _, b := range [][]byte{hello, indication} {
		if m.control(0, somewhere, b) {
			t.Error("a stranger's datagram was taken")
		}
	}
	m.learn(o, somewhere)
	for _, b := range [][]byte{hello, indication} {
		if !m.control(0, somewhere, b) || !m.control(1, somewhere, b) {
			t.Error("a datagram from a known address was not taken")
		}
	}
	if got(first) != 2 || got(second) != 2 {
		t.Errorf("%d and %d datagrams arrived, want 2 each", got(first), got(second))
	}
	if m.control(0, somewhere, media) || m.control(0, somewhere, nil) || m.control(0, somewhere, []byte{64}) {
		t.Error("control took what is neither STUN nor DTLS")
	}
	if !m.any(0, somewhere, media) || !m.any(0, somewhere, hello) || m.any(0, port(1), media) || m.any(0, somewhere, nil) {
		t.Error("any does not take media and DTLS from a known address, and nothing else")
	}
}

func TestAnAnswerGoesToWhoAsked(t *testing.T) {
	m := newQuietMux()
	c := get(t, m.peer(&client{}), "anna", here)
	check := stun.MustBuild(stun.TransactionID, stun.BindingRequest)
	answer := stun.MustBuild(check, stun.BindingSuccess).Raw
	if m.control(0, somewhere, answer) {
		t.Error("an answer came before the question")
	}
	if _, err := c.WriteTo(check.Raw, net.UDPAddrFromAddrPort(somewhere)); err != nil {
		t.Fatal(err)
	}
	if m.control(1, somewhere, answer) {
		t.Error("an answer was taken at another address than was asked from")
	}
	_, _ = c.WriteToAddrPort(check.Raw, somewhere)
	if !m.control(0, somewhere, answer) || m.control(0, somewhere, answer) {
		t.Error("an answer is not taken once")
	}
	for range 3 * pending {
		_, _ = c.WriteToAddrPort(stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw, somewhere)
	}
	if n := len(m.checks.conns); n != pending {
		t.Errorf("%d checks are remembered, want %d", n, pending)
	}
	_ = c.Close()
	m.checks.asked(c, check.Raw)
	if n := len(m.checks.conns); n != 0 {
		t.Errorf("%d checks of a closed conn are remembered", n)
	}
}

func TestAFullRingIsCounted(t *testing.T) {
	m := newQuietMux()
	c := get(t, m.peer(&client{}), "anna", here)
	check := request("anna:x")
	for i := range controlPlaces + 3 {
		if m.control(0, somewhere, check) != (i < controlPlaces) {
			t.Fatalf("datagram %d", i)
		}
	}
	if got(c) != controlPlaces || m.full.Load() != 3 || m.strange.Load() != 0 {
		t.Errorf("%d wait, %d found it full, %d were nobody's", got(c), m.full.Load(), m.strange.Load())
	}
}

func TestARestartBringsANewConnAndKeepsTheAddresses(t *testing.T) {
	m := newQuietMux()
	o := &client{}
	face := m.peer(o)
	old := get(t, face, "old", here)
	m.learn(o, somewhere)
	face.RemoveConnByUfrag("old")
	_ = old.Close()
	if m.control(0, somewhere, request("old:x")) || m.control(0, somewhere, hello) {
		t.Error("something was given to the conn that is closed")
	}
	c := get(t, face, "new", here)
	if !m.control(0, somewhere, hello) || !m.control(0, port(9), request("new:x")) || got(c) != 2 {
		t.Errorf("%d of 2 arrived after the restart", got(c))
	}
	// An agent that does not take its old fragment away cannot fill the table.
	get(t, face, "newer", here)
	if len(m.ufrags) != 1 || m.control(0, somewhere, request("new:x")) {
		t.Errorf("%d fragments of one client", len(m.ufrags))
	}
}

func TestForgetLeavesNothing(t *testing.T) {
	m := newQuietMux()
	o := &client{}
	face := m.peer(o)
	c := get(t, face, "anna", here)
	m.learn(o, somewhere)
	m.forget(o)
	m.forget(o)
	if m.control(0, somewhere, hello) || m.control(0, somewhere, request("anna:x")) {
		t.Error("a forgotten client's datagram was taken")
	}
	if _, _, err := c.ReadFrom(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("reading: %v", err)
	}
	if _, err := c.WriteToAddrPort(hello, somewhere); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("writing: %v", err)
	}
	if _, err := face.GetConn("anna", net.UDPAddrFromAddrPort(here)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a conn of a forgotten client: %v", err)
	}
	if len(m.ufrags)+len(m.parties)+len(m.checks.conns) != 0 {
		t.Error("something is left")
	}
}

func TestFacesDoNotReachEachOther(t *testing.T) {
	m := newQuietMux()
	anna, ben := m.peer(&client{}), m.peer(&client{})
	c := get(t, anna, "anna", here)
	ben.RemoveConnByUfrag("anna")
	if _, err := ben.GetConn("anna", net.UDPAddrFromAddrPort(there)); !errors.Is(err, errTaken) {
		t.Errorf("another's fragment: %v", err)
	}
	if _, err := anna.GetConn("anna", net.UDPAddrFromAddrPort(here)); !errors.Is(err, errTaken) {
		t.Errorf("a second conn of one candidate: %v", err)
	}
	for _, addr := range []net.Addr{net.UDPAddrFromAddrPort(somewhere), &net.TCPAddr{}} {
		if _, err := anna.GetConn("anna", addr); err == nil {
			t.Errorf("a conn at %v", addr)
		}
	}
	if err := ben.Close(); err != nil || !m.control(0, somewhere, request("anna:x")) {
		t.Error("closing one face closed another")
	}
	if err := anna.Close(); err != nil || m.control(0, somewhere, request("anna:x")) || !c.ring.isClosed() {
		t.Error("closing a face did not close its conn")
	}
	if addrs := anna.GetListenAddresses(); len(addrs) != 2 || addrs[0].String() != here.String() || addrs[1].String() != there.String() {
		t.Errorf("candidates at %v", addrs)
	}
	get(t, anna, "anna", here) // a closed one makes room
}

func TestConnReadsAndWrites(t *testing.T) {
	var sent []byte
	var to netip.AddrPort
	m := newMux([]netip.AddrPort{here}, controlPlaces, func(_ int, b []byte, a netip.AddrPort) error {
		sent, to = append(sent, b...), a
		return nil
	})
	c := get(t, m.peer(&client{}), "anna", here)
	m.control(0, somewhere, request("anna:x"))
	if n, from, err := c.ReadFrom(make([]byte, maxQueued)); n == 0 || from.String() != somewhere.String() || err != nil {
		t.Errorf("read %d bytes from %v, %v", n, from, err)
	}
	if n, err := c.WriteTo(hello, net.UDPAddrFromAddrPort(somewhere)); n != len(hello) || err != nil || string(sent) != string(hello) || to != somewhere {
		t.Errorf("wrote %d bytes, %v, %x to %v", n, err, sent, to)
	}
	if _, err := c.WriteTo(hello, &net.TCPAddr{}); err == nil {
		t.Error("UDP went to a TCP address")
	}
	if c.LocalAddr().String() != here.String() || c.SetWriteDeadline(time.Now()) != nil || c.SetReadDeadline(time.Time{}) != nil {
		t.Error("conn is not what pion expects")
	}
	m.write = func(int, []byte, netip.AddrPort) error { return io.ErrShortWrite }
	if n, err := c.WriteToAddrPort(hello, somewhere); n != 0 || !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a failing socket: %d, %v", n, err)
	}
	if i, ok := m.index(netip.MustParseAddrPort("[::ffff:203.0.113.1]:7701")); i != 0 || !ok {
		t.Error("our own candidate is not known")
	}
}

func TestControlDoesNotAllocate(t *testing.T) {
	m := newQuietMux()
	o := &client{}
	c := get(t, m.peer(o), "anna", here)
	m.learn(o, somewhere)
	check, stranger, b := request("anna:x"), request("carl:x"), make([]byte, maxQueued)
	for name, do := range map[string]func(){
		"media, known":         func() { m.control(0, somewhere, media) },
		"who it is":            func() { m.at(somewhere) },
		"DTLS of a stranger":   func() { m.control(0, port(1), hello) },
		"check of a stranger":  func() { m.control(0, port(1), stranger) },
		"answer of a stranger": func() { m.control(0, port(1), answerToNobody) },
		"DTLS, known":          func() { m.control(0, somewhere, hello); _, _, _ = c.ReadFromAddrPort(b) },
		"check":                func() { m.control(0, somewhere, check); _, _, _ = c.ReadFromAddrPort(b) },
		"learned again":        func() { m.learn(o, somewhere) },
	} {
		if n := testing.AllocsPerRun(200, do); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	if got(c) != 0 {
		t.Errorf("%d datagrams wait", got(c))
	}
}

var answerToNobody = stun.MustBuild(stun.TransactionID, stun.BindingSuccess).Raw

func TestAFloodOfStrangersReachesNobody(t *testing.T) {
	m := newQuietMux()
	o := &client{}
	c := get(t, m.peer(o), "anna", here)
	m.learn(o, somewhere)
	for i := range 10_000 {
		m.control(0, spread(i), hello)
		m.control(0, spread(i), answerToNobody)
		m.control(0, spread(i), request("anno:x"))
	}
	if got(c) != 0 || m.strange.Load() != 30_000 || m.full.Load() != 0 {
		t.Errorf("%d arrived, %d were nobody's", got(c), m.strange.Load())
	}
}

func BenchmarkControl(b *testing.B) {
	m := newQuietMux()
	o := &client{}
	face := m.peer(o)
	c, _ := face.GetConn("anna", net.UDPAddrFromAddrPort(here))
	m.learn(o, somewhere)
	check, buffer := request("anna:x"), make([]byte, maxQueued)
	door, now := newIntake(), time.Now()
	for name, do := range map[string]func(){
		"allow":             func() { now = now.Add(time.Millisecond); door.allow(now, somewhere, false) },
		"stranger's DTLS":   func() { m.control(0, port(1), hello) },
		"stranger's answer": func() { m.control(0, port(1), answerToNobody) },
		"check": func() {
			m.control(0, somewhere, check)
			_, _, _ = c.(*muxConn).ReadFromAddrPort(buffer)
		},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				do()
			}
		})
	}
}
