package turn

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/stun/v4"
	"github.com/prometheus/client_golang/prometheus"
)

// allocate gets a caller of its own an allocation and says where it is relayed.
func (w *world) allocate(uid string) (*caller, netip.AddrPort) {
	w.t.Helper()
	username, password := w.mint(uid, "s", time.Hour)
	c := w.caller("udp", true, username, password)
	var relayed stun.XORMappedAddress
	if err := relayed.GetFromAs(c.expect(0, stun.MethodAllocate, udpTransport), stun.AttrXORRelayedAddress); err != nil {
		w.t.Fatal(err)
	}
	return c, netip.AddrPortFrom(netip.AddrFrom4([4]byte(relayed.IP.To4())), uint16(relayed.Port))
}

// release gives an allocation back.
func (c *caller) release() {
	c.t.Helper()
	c.expect(0, stun.MethodRefresh, attr{stun.AttrLifetime, make([]byte, 4)})
}

func TestADirectRelayIsReachedThroughThePlaneOnly(t *testing.T) {
	w := startDirect(t, nil)
	c, relayed := w.allocate("alice")
	if w.plane.receiver(relayed) == nil {
		t.Errorf("%v was told before it was attached", relayed)
	}
	if port := relayed.Port(); port < dynamicMin {
		t.Errorf("relayed at %v", relayed)
	}
	if pc, err := net.ListenPacket("udp4", relayed.String()); err == nil {
		_ = pc.Close()
		t.Errorf("%v can be anybody's", relayed)
	}
	c.expect(0, stun.MethodCreatePermission, peerAddr(w.media4))
	network := &world{t: t} // What it brings ends at the socket.
	network.knock(relayed, netip.AddrPort{}, 1000)
	c.expect(0, stun.MethodRefresh)
	if in, stray := w.metric("parley_turn_bytes_total", "to_client"), w.denied(deniedStray); in != 0 || stray != 0 {
		t.Errorf("%v bytes and %v datagrams came in", in, stray)
	}
	c.release()
	pc, err := net.ListenPacket("udp4", relayed.String())
	if err != nil {
		t.Fatalf("it is not given back: %v", err)
	}
	_ = pc.Close()
	if left := w.plane.addresses(); len(left) != 0 {
		t.Errorf("%v are attached", left)
	}
}

func TestARefusedAllocationIsNotAttached(t *testing.T) {
	low := freeRange(t, 2)
	w := startDirect(t, func(c *Config) { c.QuotaPerCredential, c.RelayPortMin, c.RelayPortMax = 1, low, low+1 })
	_, mine := w.allocate("alice")
	username, password := w.mint("alice", "s", time.Hour)
	for range 5 {
		w.caller("udp", true, username, password).expect(stun.CodeAllocQuotaReached, stun.MethodAllocate, udpTransport)
	}
	if got := w.plane.addresses(); len(got) != 1 || got[0] != mine {
		t.Errorf("%v are attached, want %v", got, mine)
	}
	w.allocate("bob") // The other port came back each time.
	if n := w.Revoke("s"); n != 2 || len(w.plane.addresses()) != 0 {
		t.Errorf("%d revoked, %v attached", n, w.plane.addresses())
	}
}

func TestNoClientIsRelayedAtAMediaPort(t *testing.T) {
	low := freeRange(t, 4)
	w := startDirect(t, func(c *Config) {
		public := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), low+1)
		c.Peers = append(c.Peers, public)
		c.PeerAliases = map[netip.AddrPort]netip.AddrPort{public: netip.AddrPortFrom(public.Addr(), low+2)}
		c.RelayPortMin, c.RelayPortMax = low, low+3
	})
	for _, uid := range []string{"alice", "bob"} {
		if _, relayed := w.allocate(uid); relayed.Port() != low && relayed.Port() != low+3 {
			t.Errorf("%s is relayed at %v", uid, relayed)
		}
	}
	username, password := w.mint("carol", "s", time.Hour)
	w.caller("udp", true, username, password).expect(stun.CodeInsufficientCapacity, stun.MethodAllocate, udpTransport)
}

func TestALatePacketDoesNotReachTheNextOwnerOfThePort(t *testing.T) {
	low := freeRange(t, 1)
	w := startDirect(t, func(c *Config) { c.RelayPortMin, c.RelayPortMax = low, low })
	c, relayed := w.allocate("alice")
	late := w.plane.receiver(relayed)
	c.release()
	next, again := w.allocate("bob")
	if again != relayed {
		t.Fatalf("%v, then %v, of one port", relayed, again)
	}
	next.expect(0, stun.MethodChannelBind, channel, peerAddr(w.media4))
	late([]byte("for alice"), w.media4)
	w.plane.receiver(relayed)([]byte("for bob"), w.media4)
	b := make([]byte, 100)
	_ = next.conn.SetReadDeadline(time.Now().Add(patience))
	if n, err := next.conn.Read(b); err != nil || !bytes.Equal(b[:n], append([]byte{0x40, 1, 0, 7}, "for bob\x00"...)) {
		t.Errorf("%q, %v", b[:n], err)
	}
	if got := w.denied(deniedStray); got != 1 {
		t.Errorf("%v counted", got)
	}
}

// alone is a direct way without a server, to a media plane that sends everything back.
func alone(t *testing.T) (*direct, *world) {
	t.Helper()
	w := &world{t: t, registry: prometheus.NewRegistry(), plane: newPlane()}
	m, err := newMetrics(w.registry)
	if err != nil {
		t.Fatal(err)
	}
	return newDirect(w.plane, m, netip.MustParseAddrPort("192.0.2.1:50000"), io.NopCloser(nil)), w
}

// denied is how much was turned away for a reason.
func (w *world) denied(reason string) float64 { return w.metric("parley_turn_denied_total", reason) }

var mediaThere = netip.MustParseAddrPort("192.0.2.1:7701")

func TestASlowClientLosesWhatIsTooMuch(t *testing.T) {
	d, w := alone(t)
	b := make([]byte, 1200)
	for i := range maxWaiting + 44 {
		binary.BigEndian.PutUint32(b, uint32(i))
		if _, err := d.WriteToUDPAddrPort(b, mediaThere); err != nil {
			t.Fatal(err)
		}
	}
	clear(b) // It was only lent.
	d.receive(make([]byte, maxDatagram+1), mediaThere)
	if lost, large := w.denied(deniedOverflow), w.denied(deniedMalformed); lost != 44 || large != 1 {
		t.Errorf("%v lost, %v too large", lost, large)
	}
	got := make([]byte, maxDatagram)
	for i := range maxWaiting {
		n, from, err := d.ReadFromUDPAddrPort(got)
		if err != nil || n != 1200 || from != mediaThere || binary.BigEndian.Uint32(got) != uint32(i) {
			t.Fatalf("%d: %d bytes %x from %v, %v", i, n, got[:4], from, err)
		}
	}
	d.receive([]byte("fits again"), mediaThere)
	if n, _, err := d.ReadFromUDPAddrPort(got); err != nil || string(got[:n]) != "fits again" {
		t.Errorf("%q %v", got[:n], err)
	}
	d.receive([]byte("too late"), mediaThere)
	if err := d.Close(); err != nil || len(w.plane.addresses()) != 0 {
		t.Errorf("%v, %v attached", err, w.plane.addresses())
	}
	if _, _, err := d.ReadFromUDPAddrPort(got); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read after Close: %v", err)
	}
	if _, err := d.WriteToUDPAddrPort(b, mediaThere); !errors.Is(err, net.ErrClosed) {
		t.Errorf("written after Close: %v", err)
	}
	if d.receive(b, mediaThere); w.denied(deniedStray) != 1 {
		t.Error("what came after Close was not counted")
	}
}

func TestCloseWakesTheReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _ := alone(t)
		done := make(chan error, 1)
		go func() {
			_, _, err := d.ReadFromUDPAddrPort(make([]byte, maxDatagram))
			done <- err
		}()
		synctest.Wait()
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-done; !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
}

func TestManyMaySendWhileItCloses(t *testing.T) {
	d, w := alone(t)
	const senders, after = 4, 10
	closed := make(chan struct{})
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() {
			b := bytes.Repeat([]byte{byte(i)}, 100+i)
			for late := 0; late < after; {
				d.receive(b, mediaThere)
				select {
				case <-closed:
					late++
				default:
				}
			}
		})
	}
	all.Go(func() {
		defer close(closed)
		b := make([]byte, maxDatagram)
		for range 2 * maxWaiting {
			n, _, err := d.ReadFromUDPAddrPort(b)
			if i := b[0]; err != nil || n != 100+int(i) || !bytes.Equal(b[:n], bytes.Repeat([]byte{i}, n)) {
				t.Errorf("%d bytes of mixed content, %v", n, err)
			}
		}
		_ = d.Close()
	})
	all.Wait()
	if got := w.denied(deniedStray); got < senders*(after-1) {
		t.Errorf("%v came after Close", got)
	}
}
