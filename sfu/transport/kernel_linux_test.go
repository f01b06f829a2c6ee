package transport

import (
	"io"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"
)

func TestTheKernelSaysWhatItGaveAndWhatItDropped(t *testing.T) {
	p, err := Listen(Config{UDP: []string{"127.0.0.1:0"}, Disconnected: time.Second, Failed: time.Second, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	read, write := granted(p.sockets[0])
	if read <= 0 || write <= 0 || read > socketBuffer {
		t.Errorf("buffers of %d and %d bytes", read, write)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	// A socket that nobody reads.
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetReadBuffer(1); err != nil {
		t.Fatal(err)
	}
	to := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	from, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(to.Addr(), 0)))
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	for range 100 {
		if _, err := from.WriteToUDPAddrPort(make([]byte, 1000), to); err != nil {
			t.Fatal(err)
		}
	}
	if n := overflowed(conn); n < 50 || n > 100 {
		t.Errorf("%d of 100 were dropped", n)
	}
}
