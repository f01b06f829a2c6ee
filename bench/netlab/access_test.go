package netlab

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/parleyrtc/parley/bench/netlab/link"
)

// echo answers every datagram and returns every byte of TCP, on one port.
func echo(t *testing.T) Server {
	t.Helper()
	udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{}, 2)
	go func() { // ends with udp
		defer func() { done <- struct{}{} }()
		buf := make([]byte, 2000)
		for {
			n, from, err := udp.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = udp.WriteTo(buf[:n], from)
		}
	}()
	go func() { // ends with tcp
		defer func() { done <- struct{}{} }()
		for {
			c, err := tcp.Accept()
			if err != nil {
				return
			}
			go func() { // ends with the connection
				_, _ = io.Copy(c, c)
				c.Close()
			}()
		}
	}()
	t.Cleanup(func() {
		udp.Close()
		tcp.Close()
		<-done
		<-done
	})
	at := udp.LocalAddr().(*net.UDPAddr).AddrPort()
	return Server{Media: at, TURN: at, HTTP: tcp.Addr().String()}
}

func access(t *testing.T, rules Rules) *Access {
	t.Helper()
	a, err := OpenAccess(echo(t), rules)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

// caller has both ways to the server open.
type caller struct {
	t        *testing.T
	udp, tcp net.Conn
}

func call(t *testing.T, a *Access) caller {
	t.Helper()
	udp, err := net.Dial("udp", a.Media().Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := net.Dial("tcp", a.URL(a.server.HTTP))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { udp.Close(); tcp.Close() })
	return caller{t, udp, tcp}
}

// answered says whether what is written on a connection comes back; nothing is waited for as long as something may come.
func answered(c net.Conn, wait time.Duration) bool {
	if _, err := c.Write([]byte("?")); err != nil {
		return false
	}
	_ = c.SetReadDeadline(time.Now().Add(wait))
	_, err := c.Read(make([]byte, 10))
	return err == nil
}

const (
	long  = 10 * time.Second       // for what comes
	short = 100 * time.Millisecond // for what does not
)

func TestWhoLeavesANetworkLosesEverythingAndCanBeginAnew(t *testing.T) {
	a := access(t, Rules{})
	old := call(t, a)
	if !answered(old.udp, long) || !answered(old.tcp, long) {
		t.Fatal("the access carries nothing")
	}
	a.Leave()
	if answered(old.udp, short) || answered(old.tcp, short) {
		t.Error("the old address still works")
	}
	if again := call(t, a); !answered(again.udp, long) || !answered(again.tcp, long) {
		t.Error("a new address does not work")
	}
	if answered(old.udp, short) {
		t.Error("the old address works again")
	}
}

func TestWhatIsCutComesBack(t *testing.T) {
	a := access(t, Rules{})
	c := call(t, a)
	if !answered(c.udp, long) || !answered(c.tcp, long) {
		t.Fatal("the access carries nothing")
	}
	a.Cut(true)
	if answered(c.udp, short) || answered(c.tcp, short) {
		t.Error("something passes the cut")
	}
	a.Cut(false)
	if !answered(c.udp, long) {
		t.Error("UDP does not come back")
	}
	_ = c.tcp.SetReadDeadline(time.Now().Add(long))
	if n, err := c.tcp.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Error("what TCP had to carry during the cut is lost:", err)
	}
}

func TestARebindingOfAnAccessIsNotNoticedByTheClient(t *testing.T) {
	a := access(t, Rules{})
	c := call(t, a)
	for range 3 {
		if !answered(c.udp, long) || !answered(c.tcp, long) {
			t.Fatal("no answer")
		}
		if err := a.Rebind(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTCPLosesNothingAndWaits(t *testing.T) {
	server := echo(t)
	r, err := OpenRelay(server.HTTP, Rules{Up: link.Config{Rules: link.Rules{Loss: 0.3, Delay: 5 * time.Millisecond}}, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	c, err := net.Dial("tcp", r.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	sent := bytes.Repeat([]byte("0123456789"), 3000)
	began := time.Now()
	go func() { _, _ = c.Write(sent) }() // ends with the reading below
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, sent) {
		t.Fatal("the bytes are not the same: ", err)
	}
	if took := time.Since(began); took < resendAfter {
		t.Errorf("30 %% of the packets were lost, and it took %v", took)
	}
}

func TestSocketsOfOneClientShareItsLink(t *testing.T) {
	server := echo(t)
	p, err := Open(server.Media, Rules{Together: true, Down: link.Config{Rules: link.Rules{Rate: 80_000}}}) // 100 bytes take 10 ms
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	began := time.Now()
	var socks []net.Conn
	for range 5 {
		c, err := net.Dial("udp", p.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write(make([]byte, 100-headers)); err != nil {
			t.Fatal(err)
		}
		socks = append(socks, c)
	}
	for _, c := range socks {
		_ = c.SetReadDeadline(time.Now().Add(long))
		if _, err := c.Read(make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(began); took < 50*time.Millisecond {
		t.Errorf("five packets of 10 ms came after %v", took)
	}
}

func TestAPathFollowsNewRulesAndRemembersWhatItDid(t *testing.T) {
	a := access(t, Rules{})
	c := call(t, a)
	for range 3 {
		if !answered(c.udp, long) {
			t.Fatal("no answer")
		}
	}
	a.Follow(link.Config{Rules: link.Rules{Loss: 1, Rate: 1_000_000}}, link.Config{})
	if answered(c.udp, short) {
		t.Error("an answer came through a link that loses all")
	}
	up, down := a.Media().Fates()
	if up.Put != 4 || up.Lost != 0 || down.Put != 4 || down.Lost != 1 {
		t.Errorf("up %+v, down %+v", up, down)
	}
	_, trace := a.Media().Trace()
	var sum Moment
	for _, m := range trace {
		sum.Packets, sum.Bytes, sum.Lost = sum.Packets+m.Packets, sum.Bytes+m.Bytes, sum.Lost+m.Lost
	}
	if sum.Packets != 4 || sum.Bytes != 3*(1+headers) || sum.Lost != 1 {
		t.Errorf("the trace has %+v", sum)
	}
}

func TestURLsLeadThroughTheAccess(t *testing.T) {
	server := Server{Media: netip.MustParseAddrPort("127.0.0.1:9"), TURN: netip.MustParseAddrPort("127.0.0.1:10"), HTTP: "127.0.0.1:11"}
	a, err := OpenAccess(server, Rules{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	turn := "turn:" + a.turn.Addr().String() + "?transport=udp"
	for url, want := range map[string]string{
		"turn:127.0.0.1:10?transport=udp": turn, "turn:127.0.0.1:10": turn, "turn:127.0.0.1:10?transport=tcp": "",
		"turns:127.0.0.1:10": "", "turn:127.0.0.1:12": "",
	} {
		if got := a.TURN(url); got != want {
			t.Errorf("%s is %q, want %q", url, got, want)
		}
	}
	if got, want := a.URL("ws://127.0.0.1:11/v1/ws"), "ws://"+a.signaling.Addr()+"/v1/ws"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
