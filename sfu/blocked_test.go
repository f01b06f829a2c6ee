package sfu

import (
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/parleyrtc/parley/sfu/transport"
)

// A subscriber over TCP stops reading until all that is kept for it is full, and the way of another over UDP ends. A third gets
// every packet as before, each as soon as it got them when it was alone; both are measured in the same run.
func TestABlockedSubscriberDelaysNobody(t *testing.T) {
	onlyFast(t)
	b := newBench(t, func(c *Config) { c.TCP, c.MediaPath = []string{"127.0.0.1:0"}, transport.FastPath })
	tcp := b.Addresses()[len(b.Addresses())-1].String()
	_, port, err := net.SplitHostPort(tcp)
	must(t, err)
	road := newBlockable(t, tcp)
	_, roadPort, err := net.SplitHostPort(road.listener.Addr().String())
	must(t, err)
	alice := newClient(b, "room", "alice", clientOptions{open: true})
	quick := newClient(b, "room", "quick", clientOptions{open: true, silent: true})
	b.awaitKind(Connected, "alice")
	b.awaitKind(Connected, "quick")
	<-alice.opened
	<-quick.opened
	number := 0
	frame := func() *rtp.Packet {
		number++
		p := alice.picture(number * 10) // a keyframe
		p.SequenceNumber = uint16(number)
		p.Payload = append(p.Payload, make([]byte, 1000)...)
		return p
	}
	// laps is how long it typically takes until a packet is there, one after the other. None may be lost.
	laps := func() time.Duration {
		var took []time.Duration
		for range 300 {
			p := frame()
			began := time.Now()
			must(t, alice.video.WriteRTP(p))
			if got := quick.packet(0, true); sent(got, true) != sent(p, true) {
				t.Fatalf("a packet was lost")
			}
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		return took[len(took)/2]
	}
	alone := laps()
	slow := newClient(b, "room", "slow", clientOptions{open: true, silent: true,
		engine: func(e *webrtc.SettingEngine) { e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeTCP4}) },
		answer: func(sdp string) string {
			return strings.ReplaceAll(sdp, " "+port+" typ host tcptype passive", " "+roadPort+" typ host tcptype passive")
		}})
	n := newNAT(t, *net.UDPAddrFromAddrPort(b.Addresses()[0]))
	lost := newClient(b, "room", "lost", clientOptions{open: true, silent: true, answer: n.answer})
	for _, c := range []*client{slow, lost} {
		b.awaitKind(Connected, c.id)
		must(t, alice.video.WriteRTP(frame()))
		c.packet(0, true)
		quick.packet(0, true)
	}
	unblock := road.block()
	defer unblock()
	n.mu.Lock()
	must(t, n.outside.Close()) // what is sent there is refused
	n.mu.Unlock()
	full := b.plane.Discarded()["tcp_full"]
	if full() > 0 {
		t.Fatal("the slow one lost packets before")
	}
	for full() == 0 {
		p := frame()
		must(t, alice.video.WriteRTP(p))
		if got := quick.packet(0, true); sent(got, true) != sent(p, true) {
			t.Fatalf("a packet was lost")
		}
	}
	blocked := laps()
	t.Logf("a packet takes %v alone, %v beside blocked ones", alone, blocked)
	if blocked > 20*alone {
		t.Errorf("a packet takes %v beside blocked ones, %v without them", blocked, alone)
	}
	if full() < 100 {
		t.Errorf("only %d packets were dropped for the slow one", full())
	}
}
