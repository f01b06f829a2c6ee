package sfu

import (
	"net"
	"strings"
	"sync"
	"testing"
)

// nat stands between one client and the SFU, as a router does: the SFU sees the client at a port of the nat's.
type nat struct {
	t      testing.TB
	inside *net.UDPConn // the client takes it for the SFU
	sfu    *net.UDPAddr
	loops  sync.WaitGroup

	mu      sync.Mutex
	outside *net.UDPConn
	client  *net.UDPAddr
}

func newNAT(t testing.TB, sfu net.UDPAddr) *nat {
	t.Helper()
	inside, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	n := &nat{t: t, inside: inside, sfu: &sfu}
	n.rebind()
	n.loops.Go(n.outwards)
	t.Cleanup(func() {
		_ = n.inside.Close()
		n.mu.Lock()
		_ = n.outside.Close()
		n.mu.Unlock()
		n.loops.Wait()
	})
	return n
}

// rebind forgets the mapping: what the client sends from here on comes from another port, and the old one is deaf.
func (n *nat) rebind() {
	n.t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(n.t, err)
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.outside != nil {
		_ = n.outside.Close()
	}
	n.outside = conn
	n.loops.Go(func() { n.inwards(conn) })
}

func (n *nat) outwards() {
	b := make([]byte, 2048)
	for {
		size, from, err := n.inside.ReadFromUDP(b)
		if err != nil {
			return
		}
		n.mu.Lock()
		n.client = from
		_, _ = n.outside.WriteToUDP(b[:size], n.sfu)
		n.mu.Unlock()
	}
}

func (n *nat) inwards(conn *net.UDPConn) {
	b := make([]byte, 2048)
	for {
		size, err := conn.Read(b)
		if err != nil {
			return
		}
		n.mu.Lock()
		client := n.client
		n.mu.Unlock()
		_, _ = n.inside.WriteToUDP(b[:size], client)
	}
}

// answer puts the nat's address in place of the SFU's.
func (n *nat) answer(sdp string) string {
	port := itoa(n.inside.LocalAddr().(*net.UDPAddr).Port)
	return strings.ReplaceAll(sdp, "127.0.0.1 "+itoa(n.sfu.Port)+" typ host", "127.0.0.1 "+port+" typ host")
}

// A NAT gives a client another port in the middle of a call. The client does not notice, and its media goes on both ways.
func TestMediaFollowsAClientWhosePortChanges(t *testing.T) {
	b := newBench(t, nil)
	n := newNAT(t, *net.UDPAddrFromAddrPort(b.Addresses()[0]))
	bob := newClient(b, "room", "bob", clientOptions{open: true, answer: n.answer})
	alice := newClient(b, "room", "alice", clientOptions{open: true})
	bob.play()
	alice.play()
	bob.packet(0, true)
	alice.packet(0, true)
	for range 2 {
		n.rebind()
		drain(bob)
		drain(alice)
		for range 100 { // more than was on its way
			bob.packet(0, true)
			alice.packet(0, true)
		}
	}
	if e, ok := b.seen(func(e Event) bool { return e.Kind == Disconnected }); ok {
		t.Errorf("%+v", e)
	}
}
