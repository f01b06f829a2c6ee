package transport

import (
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"
)

func TestOneAddressDoesNotTakeTheSocketForItself(t *testing.T) {
	i := newIntake()
	now := time.Now()
	from := func(port uint16) netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), port) }
	passed := 0
	for range 3 * sourceBurst {
		if i.allow(now, from(1), false) {
			passed++
		}
	}
	if passed != sourceBurst {
		t.Errorf("%d of %d datagrams passed at once, want %d", passed, 3*sourceBurst, sourceBurst)
	}
	if !i.allow(now, from(2), false) {
		t.Error("another port of the address is refused")
	}
	if !i.allow(now.Add(time.Second), from(1), false) {
		t.Error("a second later the address is still refused")
	}
	passed = 0
	for port := range uint16(20) {
		for range sourceBurst {
			if i.allow(now, from(100+port), true) {
				passed++
			}
		}
	}
	if passed != checkBurst {
		t.Errorf("%d checks of one address passed from many ports, want %d", passed, checkBurst)
	}
}

func TestOneAddressDoesNotFillTheListener(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f := &fair{Listener: l, refused: &atomic.Uint64{}, open: map[netip.Addr]int{}}
	for range tcpPerAddress {
		f.take(netip.MustParseAddr("127.0.0.1"))
	}
	for _, ip := range []string{"127.0.0.1", "127.0.0.2"} {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
		conn, err := d.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	conn, err := f.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if got := conn.RemoteAddr().(*net.TCPAddr).IP.String(); got != "127.0.0.2" || f.refused.Load() != 1 {
		t.Errorf("the connection of %s was accepted, %d refused", got, f.refused.Load())
	}
	for range 2 {
		_ = conn.Close()
	}
	if n := len(f.open); n != 1 {
		t.Errorf("%d addresses have connections, want 1", n)
	}
}
