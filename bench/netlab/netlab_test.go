package netlab

import (
	"bytes"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/parleyrtc/parley/bench/netlab/link"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lab is a client and a server with a path between them.
func lab(t *testing.T, rules Rules) (client, server *net.UDPConn, towards net.Addr) {
	t.Helper()
	open := func() *net.UDPConn {
		c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	client, server = open(), open()
	path, err := Open(server.LocalAddr().(*net.UDPAddr).AddrPort(), rules)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(path.Close)
	if _, err := client.WriteTo([]byte("hello"), path.front.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	n, from, err := server.ReadFrom(buf)
	if err != nil || string(buf[:n]) != "hello" {
		t.Fatal(string(buf[:n]), err)
	}
	return client, server, from
}

func TestThePathLosesDamagesAndDelaysExactlyWhatItIsToldTo(t *testing.T) {
	client, server, towards := lab(t, Rules{Lose: 10, Damage: 20, Delay: 5 * time.Millisecond})
	media := append([]byte{0x80, 96}, make([]byte, 98)...)
	got, damaged := 0, 0
	buf := make([]byte, 200)
	start := time.Now()
	for range 200 {
		if _, err := server.WriteTo(media, towards); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := server.WriteTo([]byte{0x80, 200, 0}, towards); err != nil { // RTCP is not lost, and is as late
		t.Fatal(err)
	}
	for {
		n, err := client.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		if n == 3 {
			break
		}
		if got++; got == 1 && time.Since(start) < 5*time.Millisecond {
			t.Error("the first packet was not delayed")
		}
		if !bytes.Equal(buf[:12], media[:12]) {
			t.Error("the header was changed")
		}
		if !bytes.Equal(buf[:n], media) {
			damaged++
		}
	}
	if got != 180 || damaged < 5 || damaged > 10 {
		t.Fatalf("%d of 200 arrived, %d damaged; want 180, and 10 less those that were lost", got, damaged)
	}
}

func TestCandidatesLeadToThePath(t *testing.T) {
	path, err := Open(netip.MustParseAddrPort("127.0.0.1:9"), Rules{})
	if err != nil {
		t.Fatal(err)
	}
	defer path.Close()
	sdp := path.Rewrite("v=0\r\na=candidate:1 1 udp 2130706431 10.0.0.1 7701 typ host\r\na=candidate:2 1 tcp 1 10.0.0.1 7701 typ host tcptype passive\r\na=mid:0\r\n")
	_, port, _ := net.SplitHostPort(path.front.LocalAddr().String())
	want := "v=0\r\na=candidate:1 1 udp 2130706431 127.0.0.1 " + port + " typ host\r\na=mid:0\r\n"
	if sdp != want {
		t.Fatalf("got %q, want %q", strings.TrimSpace(sdp), want)
	}
}

func TestTheLinksCarryBothWays(t *testing.T) {
	client, server, towards := lab(t, Rules{
		Down: link.Config{Rules: link.Rules{Rate: 8_000_000, Delay: 3 * time.Millisecond}}, // 100 bytes take 0.1 ms
		Up:   link.Config{Rules: link.Rules{Duplicate: 1}},
	})
	buf := make([]byte, 200)
	if n, _, err := server.ReadFrom(buf); err != nil || string(buf[:n]) != "hello" {
		t.Fatal("the doubled hello: ", string(buf[:n]), err)
	}
	start := time.Now()
	for i := range 100 {
		if _, err := server.WriteTo(append([]byte{byte(i)}, make([]byte, 99-headers)...), towards); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 100 {
		if _, err := client.Read(buf); err != nil || buf[0] != byte(i) {
			t.Fatalf("packet %d comes as %d, %v", i, buf[0], err)
		}
	}
	if took := time.Since(start); took < 13*time.Millisecond {
		t.Errorf("100 packets of 0.1 ms behind 3 ms of delay took %v", took)
	}
}

func TestARebindingChangesTheAddressThatTheServerSees(t *testing.T) {
	server, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	path, err := Open(server.LocalAddr().(*net.UDPAddr).AddrPort(), Rules{Up: link.Config{Rules: link.Rules{OneIn: 4}}})
	if err != nil {
		t.Fatal(err)
	}
	defer path.Close()
	client, err := net.DialUDP("udp", nil, path.front.LocalAddr().(*net.UDPAddr))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	buf := make([]byte, 100)
	hear := func() net.Addr {
		for range 2 { // one of four is lost
			if _, err := client.Write([]byte("up")); err != nil {
				t.Fatal(err)
			}
		}
		_, from, err := server.ReadFrom(buf)
		if err != nil {
			t.Fatal(err)
		}
		return from
	}
	first := hear()
	if err := path.Rebind(); err != nil {
		t.Fatal(err)
	}
	second := hear()
	for second.String() == first.String() { // what was under way
		second = hear()
	}
	for _, to := range []net.Addr{first, second} {
		if _, err := server.WriteTo([]byte(to.String()), to); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := client.Read(buf); err != nil || string(buf[:n]) != second.String() {
		t.Errorf("the client hears of %s, %v; it is %v now", buf[:n], err, second)
	}
	if up, down := path.Fates(); up.Put < 4 || up.Lost < up.Put/4 || down.Put != 1 || down.Lost != 0 {
		t.Errorf("up %+v, down %+v", up, down)
	}
}
