package transport

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/ice/v4"
)

// framed is a packet as RFC 4571 §2 has it on a stream.
func framed(b []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...)
}

// streams is the TCP side of a plane, with one client and one connection of theirs that has sent a check.
type streams struct {
	counts tcpCounts
	face   *tcpFace
	client *client
	conn   net.PacketConn // ours
	theirs net.Conn
	from   net.Addr
}

func newStreams(t *testing.T) *streams {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	muxes := tcpMuxes{{netip.MustParseAddr("127.0.0.1"), ice.NewTCPMuxDefault(ice.TCPMuxParams{
		Listener: l, Logger: loggers{quiet}.NewLogger("ice"), ReadBufferSize: 64, WriteBufferSize: tcpWriteBuffer,
	})}}
	t.Cleanup(func() { must(t, muxes.Close()) })
	s := &streams{client: &client{tcp: make(chan string, 8)}}
	s.face = muxes.peer(s.client, &s.counts)
	conns, err := s.face.GetAllConns("anna", false, net.IPv4(127, 0, 0, 1))
	must(t, err)
	s.conn = conns[0]
	t.Cleanup(func() { must(t, s.conn.Close()) })
	s.theirs, err = net.Dial("tcp", l.Addr().String())
	must(t, err)
	t.Cleanup(func() { s.theirs.Close() })
	s.send(t, request("anna:x"))
	s.from = s.next(t)
	return s
}

func (s *streams) send(t *testing.T, b []byte) {
	t.Helper()
	_, err := s.theirs.Write(framed(b))
	must(t, err)
}

// next waits for the next packet that pion would see, which must be a check.
func (s *streams) next(t *testing.T) net.Addr {
	t.Helper()
	b := make([]byte, 2048)
	n, from, err := s.conn.ReadFrom(b)
	must(t, err)
	if stunClass(b[:n]) != stunRequest {
		t.Fatalf("pion sees %x", b[:n])
	}
	return from
}

func TestMediaOverTCPIsTakenOff(t *testing.T) {
	s := newStreams(t)
	s.send(t, media)
	s.send(t, request("anna:x"))
	s.next(t)
	if n := s.counts.strange.Load(); n != 1 || len(s.client.tcp) != 0 {
		t.Errorf("media of a connection that has proved nothing: %d counted, %d given on", n, len(s.client.tcp))
	}
	s.face.learn(s.from.(*net.TCPAddr).AddrPort())
	s.send(t, media)
	s.send(t, append([]byte{191}, media...))
	s.send(t, nil)
	s.send(t, request("anna:x"))
	b := make([]byte, 16)
	if n, _, err := s.conn.ReadFrom(b); n != 0 || err != nil {
		t.Errorf("an empty packet: %d, %v", n, err)
	}
	s.next(t)
	for _, want := range []string{string(media), "\xbf" + string(media)} {
		if got := <-s.client.tcp; got != want {
			t.Errorf("owner got %x, want %x", got, want)
		}
	}
}

func TestAnAnswerOverTCP(t *testing.T) {
	s := newStreams(t)
	n, err := s.conn.WriteTo(media, s.from)
	if err != nil || n < len(media) {
		t.Fatalf("wrote %d, %v", n, err)
	}
	b := make([]byte, 2+len(media))
	_, err = io.ReadFull(s.theirs, b)
	must(t, err)
	if string(b) != string(framed(media)) {
		t.Errorf("the client got %x", b)
	}
}

func TestAClientThatDoesNotReadLosesPacketsAndHoldsNobodyUp(t *testing.T) {
	s := newStreams(t)
	packet := make([]byte, 1200)
	begin, sent := time.Now(), 0
	for s.counts.dropped.Load() == 0 {
		if sent++; sent > 100_000 {
			t.Fatal("120 MB were queued for a client that does not read")
		}
		_, _ = s.conn.WriteTo(packet, s.from)
	}
	t.Logf("%d packets of %d bytes were taken before the first was dropped, in %v", sent-1, len(packet), time.Since(begin))
	r := bufio.NewReader(s.theirs)
	_, err := r.Discard(sent / 2 * (2 + len(packet))) // now they read, and get what comes
	must(t, err)
	for before := s.counts.dropped.Load(); ; {
		_, _ = s.conn.WriteTo(packet, s.from)
		if s.counts.dropped.Load() == before {
			return
		}
		before = s.counts.dropped.Load()
		_, err := r.Discard(2 + len(packet))
		must(t, err)
	}
}

func TestTCPFaceKeepsToItsClient(t *testing.T) {
	s := newStreams(t)
	if c, err := s.face.GetConnByUfrag("anna", false, net.IPv4(127, 0, 0, 1)); err != nil {
		t.Error(err)
	} else {
		must(t, c.Close())
	}
	if _, err := s.face.GetConnByUfrag("anna", false, net.IPv4(127, 0, 0, 9)); err == nil {
		t.Error("a conn at an address without a listener")
	}
	must(t, s.face.Close())
	s.send(t, request("anna:x")) // the listener is still there
	s.next(t)
	for i := range maxRemotes + 1 {
		s.face.learn(port(i))
		s.face.learn(port(1))
	}
	known := func(i int) bool { return s.face.knows(net.TCPAddrFromAddrPort(port(i))) }
	if known(0) || !known(1) || !known(2) || !known(maxRemotes) || len(*s.face.proven.Load()) != maxRemotes {
		t.Errorf("of %d addresses are known: %v", maxRemotes+1, *s.face.proven.Load())
	}
	if s.face.knows(net.UDPAddrFromAddrPort(port(1))) {
		t.Error("a UDP address is known to TCP")
	}
	s.face.RemoveConnByUfrag("anna")
	if _, _, err := s.conn.ReadFrom(make([]byte, 1)); err == nil {
		t.Error("read from a connection that was closed")
	}
}
