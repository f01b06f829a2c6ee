package main

import (
	"net"
	"net/netip"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func TestAnAddressHasItsShareOfConnections(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f := &fairListener{Listener: l, share: 1, exempt: []netip.Prefix{netip.MustParsePrefix("127.0.0.9/32")}, open: map[netip.Addr]int{},
		refused: prometheus.NewCounter(prometheus.CounterOpts{Name: "refused"})}
	dial := func(ip string) {
		t.Helper()
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
		conn, err := d.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
	}
	next := func(want string) net.Conn {
		t.Helper()
		conn, err := f.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if got := conn.RemoteAddr().(*net.TCPAddr).IP.String(); got != want {
			t.Fatalf("a connection of %s was accepted, want one of %s", got, want)
		}
		return conn
	}
	dial("127.0.0.1")
	first := next("127.0.0.1")
	dial("127.0.0.1")
	dial("127.0.0.2")
	next("127.0.0.2")
	for range 3 {
		dial("127.0.0.9")
		next("127.0.0.9")
	}
	_ = first.Close()
	_ = first.Close()
	dial("127.0.0.1")
	next("127.0.0.1")
}
