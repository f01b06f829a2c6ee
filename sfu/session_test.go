package sfu

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/parleyrtc/parley/sfu/transport"
)

func TestMediaContinuesThroughAnICERestart(t *testing.T) {
	b := newBench(t, nil)
	alice := newClient(b, "room", "alice", clientOptions{open: true})
	bob := newClient(b, "room", "bob", clientOptions{open: true, silent: true})
	alice.play()
	first := bob.packet(0, true)
	before := alice.ufrag()
	must(t, alice.offer(true, nil))
	if alice.ufrag() == before {
		t.Fatal("the server did not restart")
	}
	restarted := time.Now()
	for time.Since(restarted) < 2*time.Second {
		p := bob.packet(0, true)
		if p.SSRC != first.SSRC {
			t.Fatalf("SSRC changed from %d to %d", first.SSRC, p.SSRC)
		}
	}
}

// ufrag is the server's, as the client knows it.
func (c *client) ufrag() string {
	m := regexp.MustCompile(`a=ice-ufrag:(\S+)`).FindStringSubmatch(c.pc.RemoteDescription().SDP)
	return m[1]
}

func TestICETCPOnly(t *testing.T) {
	b := newBench(t, func(c *Config) { c.TCP = []string{"127.0.0.1:0"} })
	tcp := func(e *webrtc.SettingEngine) { e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeTCP4}) }
	alice := newClient(b, "room", "alice", clientOptions{open: true, engine: tcp})
	bob := newClient(b, "room", "bob", clientOptions{open: true, engine: tcp})
	alice.play()
	bob.play()
	alice.packet(0, true)
	bob.packet(0, true)
	pair, err := bob.pc.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
	must(t, err)
	if pair.Remote.Protocol != webrtc.ICEProtocolTCP {
		t.Errorf("connected by %v", pair.Remote.Protocol)
	}
}

func TestIPv6(t *testing.T) {
	b := newBench(t, func(c *Config) { c.UDP = []string{"127.0.0.1:0", "[::1]:0"} })
	six := func(e *webrtc.SettingEngine) { e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP6}) }
	alice := newClient(b, "room", "alice", clientOptions{open: true, engine: six})
	bob := newClient(b, "room", "bob", clientOptions{open: true})
	alice.play()
	bob.packet(0, true)
}

func TestAdvertisedAddressReplacesTheLocalOne(t *testing.T) {
	b := newBench(t, func(c *Config) {
		c.TCP = []string{"127.0.0.1:0"}
		c.Advertise = addresses(t, "203.0.113.7")
	})
	c := newClient(b, "room", "alice", clientOptions{open: true})
	answer := c.pc.RemoteDescription().SDP
	if !strings.Contains(answer, "203.0.113.7") || strings.Contains(answer, "127.0.0.1") {
		t.Errorf("candidates of %s", answer)
	}
	for _, a := range b.Addresses() {
		if a.Addr().String() != "203.0.113.7" {
			t.Errorf("Addresses has %v", a)
		}
	}
	if len(b.Addresses()) != 2 {
		t.Errorf("Addresses are %v, want one UDP and one TCP", b.Addresses())
	}
}

// The client's candidates are not tried: nothing is sent to an address that a client merely names.
func TestClientCandidatesAreIgnored(t *testing.T) {
	trap, err := net.ListenPacket("udp", "127.0.0.1:0")
	must(t, err)
	defer trap.Close()
	b := newBench(t, nil)
	port := trap.LocalAddr().(*net.UDPAddr).Port
	newClient(b, "room", "alice", clientOptions{open: true, munge: func(s string) string {
		line := "a=candidate:1 1 udp 2130706431 127.0.0.1 " + itoa(port) + " typ host\r\na=end-of-candidates\r\n"
		return strings.Replace(s, "a=mid:0\r\n", "a=mid:0\r\n"+line, 1)
	}})
	b.awaitKind(Connected, "alice")
	must(t, trap.SetReadDeadline(time.Now().Add(300*time.Millisecond)))
	if n, from, err := trap.ReadFrom(make([]byte, 1500)); err == nil {
		t.Errorf("%d bytes from %v", n, from)
	}
}

func TestWrongFingerprintEndsTheSession(t *testing.T) {
	b := newBench(t, nil)
	bob := newClient(b, "room", "bob", clientOptions{open: true, silent: true})
	alice := newClient(b, "room", "alice", clientOptions{open: true, munge: func(s string) string {
		return regexp.MustCompile(`a=fingerprint:sha-256 .*`).ReplaceAllString(s,
			"a=fingerprint:sha-256 "+strings.TrimSuffix(strings.Repeat("AB:", 32), ":")+"\r")
	}})
	alice.play()
	if e := b.awaitKind(Gone, "alice"); e.Reason != ReasonFingerprint {
		t.Errorf("reason %q", e.Reason)
	}
	if n := len(bob.slot(bob.offered.Slots[0].AudioMID)); n > 0 {
		t.Errorf("%d packets came through", n)
	}
	if got := b.Count().Participants; got != 1 {
		t.Errorf("%d participants, want 1", got)
	}
}

func TestSourceFloodEndsTheFlooder(t *testing.T) {
	b := newBench(t, nil)
	alice := newClient(b, "room", "alice", clientOptions{open: true})
	bob := newClient(b, "room", "bob", clientOptions{open: true})
	bob.play()
	alice.packet(0, true)
	mallory := newClient(b, "room", "mallory", clientOptions{open: true})
	b.awaitKind(Connected, "mallory")
	stream := <-mallory.stream
	mallory.writers.Go(func() {
		for n := 0; n < 20000; n++ {
			select {
			case <-mallory.stop:
				return
			default:
			}
			_, _ = stream.WriteRTP(&rtp.Header{Version: 2, PayloadType: 111, SequenceNumber: 1, SSRC: rand.Uint32()}, []byte("x"))
			if n%100 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
	})
	if e := b.awaitKind(Gone, "mallory"); e.Reason != ReasonFailed {
		t.Errorf("reason %q", e.Reason)
	}
	drain(alice)
	alice.packet(0, true)
}

func TestMalformedPacketsAreCountedAndForgotten(t *testing.T) {
	b := newBench(t, nil)
	alice := newClient(b, "room", "alice", clientOptions{open: true})
	bob := newClient(b, "room", "bob", clientOptions{open: true})
	b.awaitKind(Connected, "alice")
	p, out := b.participant("room", "bob"), b.plane.Batch() // who sends nothing himself
	for range 1000 {
		junk := make([]byte, rand.IntN(64))
		for i := range junk {
			junk[i] = byte(rand.Uint32())
		}
		p.Packets(time.Now(), []transport.Datagram{{Arrived: time.Now(), Data: junk}}, out)
	}
	if b.count("parley_rtp_dropped_total", "malformed") == 0 {
		t.Error("nothing was counted")
	}
	alice.play()
	bob.packet(0, true)
}

func TestPanicEndsOneSession(t *testing.T) {
	b := newBench(t, nil)
	alice := newClient(b, "room", "alice", clientOptions{open: true})
	bob := newClient(b, "room", "bob", clientOptions{open: true})
	carol := newClient(b, "room", "carol", clientOptions{open: true})
	alice.play()
	carol.packet(0, true)
	p := b.participant("room", "bob")
	p.incoming.mu.Lock()
	p.incoming.publications[0].encodings[0].missing = nil // a mistake of ours, which the next packet finds
	p.incoming.mu.Unlock()
	bob.play()
	if e := b.awaitKind(Gone, "bob"); e.Reason != ReasonServer {
		t.Errorf("reason %q", e.Reason)
	}
	drain(carol)
	carol.packet(0, true)
}

func TestRoomLimit(t *testing.T) {
	b := newBench(t, func(c *Config) { c.MaxParticipants = 1 })
	ctx := context.Background()
	must(t, b.Join(ctx, Join{Room: "room", Participant: "alice"}))
	var refused *Error
	if err := b.Join(ctx, Join{Room: "room", Participant: "bob"}); !errors.As(err, &refused) || refused.Code != CodeRoomFull {
		t.Errorf("got %v", err)
	}
	if err := b.Join(ctx, Join{Room: "room", Participant: "alice"}); !errors.As(err, &refused) || refused.Code != CodeAlreadyJoined {
		t.Errorf("got %v", err)
	}
	must(t, b.Leave(ctx, "room", "alice", "left"))
	if got := b.Count(); got != (Totals{}) {
		t.Errorf("left behind: %+v", got)
	}
	if _, err := b.Offer(ctx, Offer{Room: "room", Participant: "alice"}); !errors.As(err, &refused) || refused.Code != CodeNotJoined {
		t.Errorf("got %v", err)
	}
}

func TestAClientThatVanishesIsTold(t *testing.T) {
	b := newBench(t, func(c *Config) {
		c.ICEDisconnected, c.ICEFailed, c.ConnectTimeout = time.Second, time.Second, time.Second
	})
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	must(t, err)
	newClient(b, "room", "alice", clientOptions{open: true, engine: func(e *webrtc.SettingEngine) {
		e.SetICEUDPMux(ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: socket}))
	}})
	b.awaitKind(Connected, "alice")
	must(t, socket.Close())
	b.awaitKind(Disconnected, "alice")
	if e := b.awaitKind(Gone, "alice"); e.Reason != ReasonFailed {
		t.Errorf("reason %q", e.Reason)
	}
}

// A client that closed its connection, by a close_notify of DTLS as browsers do, is known to be away long before its silence
// tells. Its device may join again at once under a new id; an offer under the old one is told to join again.
func TestAClosedConnectionIsOver(t *testing.T) {
	b := newBench(t, func(c *Config) { c.ICEDisconnected = time.Minute })
	alice := newClient(b, "room", "alice", clientOptions{open: true})
	b.awaitKind(Connected, "alice")
	<-alice.opened // before the client's side of the handshake is done there is nothing it could close
	offer := alice.offered
	alice.close()
	b.awaitKind(Disconnected, "alice")
	newClient(b, "room", "alice again", clientOptions{})
	b.awaitKind(Connected, "alice again")
	var refused *Error
	if _, err := b.Offer(context.Background(), offer); !errors.As(err, &refused) || refused.Code != CodeNotJoined {
		t.Errorf("got %v", err)
	}
	b.awaitKind(Gone, "alice")
}

func TestAClientThatNeverConnectsIsGivenUp(t *testing.T) {
	b := newBench(t, func(c *Config) { c.ConnectTimeout = time.Second })
	must(t, b.Join(context.Background(), Join{Room: "room", Participant: "alice"}))
	c := build(b, "room", "alice", clientOptions{})
	c.deaf = true
	must(t, c.offer(false, nil))
	if e := b.awaitKind(Gone, "alice"); e.Reason != ReasonFailed {
		t.Errorf("reason %q", e.Reason)
	}
}

// cycles lets clients come and go, and wants goroutines and heap back where they were.
func cycles(t *testing.T, n int) {
	b := newBench(t, nil)
	resident := newClient(b, "room", "resident", clientOptions{open: true})
	resident.play()
	const together = 5
	cycle := func(i int) {
		var guests []*client
		for k := range together {
			guests = append(guests, newClient(b, "room", "guest"+itoa(i+k), clientOptions{open: true, transient: true}))
		}
		for _, c := range guests {
			c.packet(0, true)
			must(t, b.Leave(context.Background(), "room", c.id, "left"))
			c.close()
		}
		b.mu.Lock()
		b.events = nil
		b.mu.Unlock()
	}
	cycle(0)
	goroutines, heap := settledFigures()
	for i := together; i < n+together; i += together {
		cycle(i)
	}
	var now int
	eventually(t, func() bool { now = runtime.NumGoroutine(); return now <= goroutines+2 })
	_, after := settledFigures()
	t.Logf("%d cycles: goroutines %d → %d, heap %d → %d KiB", n, goroutines, now, heap>>10, after>>10)
	if after > heap+4<<20 {
		t.Errorf("heap grew from %d to %d KiB", heap>>10, after>>10)
	}
}

func settledFigures() (goroutines int, heap uint64) {
	var m runtime.MemStats
	for range 3 {
		time.Sleep(100 * time.Millisecond)
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return runtime.NumGoroutine(), m.HeapAlloc
}

func TestJoinAndLeaveLeaveNothingBehind(t *testing.T) { cycles(t, longCycles(100)) }
