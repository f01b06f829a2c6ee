package hostile

import (
	"math/rand/v2"
	"net"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// tolerable is the longest silence that counts as undisturbed on a machine that tests, floods and serves on two cores.
const tolerable = 3 * time.Second

// clientHello is the first flight of a DTLS client.
func clientHello(t testing.TB) []byte {
	t.Helper()
	trap, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer trap.Close()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c, err := dtls.ClientWithOptions(conn, trap.LocalAddr(), dtls.WithInsecureSkipVerify(true),
		dtls.WithSRTPProtectionProfiles(dtls.SRTP_AES128_CM_HMAC_SHA1_80))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = c.Handshake() }() // ends with conn
	defer func() { _ = c.Close(); <-done }()
	buf := make([]byte, 2048)
	_ = trap.SetReadDeadline(time.Now().Add(patience))
	n, err := trap.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return buf[:n]
}

// unanswered fails when a stranger got anything back.
func unanswered(t *testing.T, back []*atomic.Int64) {
	t.Helper()
	for _, n := range back {
		if n.Load() > 0 {
			t.Errorf("a stranger got %d datagrams back", n.Load())
		}
	}
}

// replies counts what comes back to a stranger, until it is closed.
func replies(conn *net.UDPConn) *atomic.Int64 {
	n := &atomic.Int64{}
	go func() { // ends with conn
		buf := make([]byte, 2048)
		for {
			if _, err := conn.Read(buf); err != nil {
				return
			}
			n.Add(1)
		}
	}()
	return n
}

// flood writes datagrams from several sockets until stop is closed, at most perSecond in all, and says how many.
func flood(conns []*net.UDPConn, perSecond int, datagram func(i int) []byte, stop <-chan struct{}) <-chan int {
	sent := make(chan int, 1)
	go func() {
		n := 0
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				sent <- n
				return
			case <-tick.C:
				for range perSecond / 200 {
					_, _ = conns[n%len(conns)].Write(datagram(n)) // a full socket buffer is the attacker's loss
					n++
				}
			}
		}
	}()
	return sent
}

func TestAClientHelloFloodDoesNotKeepACallFromStarting(t *testing.T) {
	s := start(t)
	hello := clientHello(t)
	var conns []*net.UDPConn
	var back []*atomic.Int64
	for range 32 {
		conn := s.stranger()
		conns, back = append(conns, conn), append(back, replies(conn))
	}
	before, stop := s.memory(), make(chan struct{})
	sent := flood(conns, 20_000, func(int) []byte { return hello }, stop)
	for i := range 3 {
		began := time.Now()
		c := s.converse("alice", "bob")
		took := time.Since(began)
		t.Logf("call %d: from ringing to media both ways in %v", i, took.Round(time.Millisecond))
		if took > 8*time.Second {
			t.Errorf("call %d took %v to start", i, took)
		}
		if _, err := c.alice.End(wait(t), c.id); err != nil {
			t.Fatal(err)
		}
		expect(t, c.bob.Client, "call.ended")
	}
	close(stop)
	t.Logf("%d ClientHellos", <-sent)
	unanswered(t, back)
	s.grewBy("ClientHello flood", before, 96)
}

func TestAnotherCertificateThanTheOffersGetsNoMedia(t *testing.T) {
	s := start(t)
	alice, mallory := s.talker("alice"), s.dial("mallory")
	id := ring(t, mallory, "alice")
	answer(t, alice.Client, id)
	alice.join(t, id)
	wrong := strings.TrimSuffix(strings.Repeat("AB:", 32), ":")
	in, refused := intrude(t, mallory, id, func(sdp string) string {
		return regexp.MustCompile(`a=fingerprint:sha-256 \S+`).ReplaceAllString(sdp, "a=fingerprint:sha-256 "+wrong)
	})
	if refused != "" {
		t.Fatalf("the offer is refused with %s", refused)
	}
	var heard atomic.Int64
	in.pc.OnTrack(func(r *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		if _, _, err := r.ReadRTP(); err == nil {
			heard.Add(1)
		}
	})
	if reason := closedFor(t, mallory); reason != "dtls_fingerprint_mismatch" {
		t.Errorf("closed for %q", reason)
	}
	if out := s.metric(`parley_rtp_packets_total{dir="out",kind="audio"}`); out != 0 || heard.Load() > 0 {
		t.Errorf("%v packets were forwarded", out)
	}
}

func TestMediaInjectedFromAThirdAddressReachesNobody(t *testing.T) {
	s := start(t)
	c := s.converse("alice", "bob")
	ssrc := uint32(c.a.PC.GetSenders()[0].GetParameters().Encodings[0].SSRC) // the attacker even knows the source
	conn := s.stranger()
	back := replies(conn)
	rng := rand.New(rand.NewPCG(13, 13))
	stop := make(chan struct{})
	sent := flood([]*net.UDPConn{conn}, 10_000, func(i int) []byte {
		p := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 111, SSRC: ssrc, SequenceNumber: uint16(i), Timestamp: uint32(i) * 960}}
		p.Payload = []byte("injected by a third party")
		b, _ := p.Marshal() // it is well formed
		switch i % 4 {
		case 1:
			b[1] = 200 // looks like a sender report
		case 2:
			b[0] = byte(20 + rng.IntN(44)) // looks like DTLS
		case 3:
			for j := range b {
				b[j] = byte(rng.Uint32())
			}
		}
		return b
	}, stop)
	c.alice.hears(t, "bob", 100)
	c.bob.hears(t, "alice", 100)
	close(stop)
	t.Logf("%d packets were injected", <-sent)
	c.undisturbed("injection", tolerable)
	if n := back.Load(); n > 0 {
		t.Errorf("the attacker got %d datagrams", n)
	}
}

func TestCandidatesOfAnOfferAreSentNothing(t *testing.T) {
	s := start(t)
	var lines strings.Builder
	var hits atomic.Int64
	for i := range 8 {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, byte(1+i))})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		go func() { // ends with conn
			buf := make([]byte, 2048)
			for {
				if _, _, err := conn.ReadFrom(buf); err != nil {
					return
				}
				hits.Add(1)
			}
		}()
		ip, port, _ := net.SplitHostPort(conn.LocalAddr().String())
		kind := []string{"host", "srflx raddr 10.0.0.1 rport 9", "prflx raddr 10.0.0.1 rport 9", "relay raddr 10.0.0.1 rport 9"}[i%4]
		lines.WriteString("a=candidate:" + string(rune('1'+i)) + " 1 udp 2130706431 " + ip + " " + port + " typ " + kind + "\r\n")
	}
	for _, way := range []string{"passive", "active", "so"} {
		listener, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		go func() { // ends with listener
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				hits.Add(1)
				_ = conn.Close()
			}
		}()
		_, port, _ := net.SplitHostPort(listener.Addr().String())
		lines.WriteString("a=candidate:9 1 tcp 2130706431 127.0.0.1 " + port + " typ host tcptype " + way + "\r\n")
	}
	lines.WriteString("a=candidate:x 1 udp 1 aaaa.local 9 typ host\r\na=candidate:y 1 udp 1 169.254.169.254 80 typ host\r\na=end-of-candidates\r\n")
	alice, mallory := s.talker("alice"), s.dial("mallory")
	id := ring(t, mallory, "alice")
	answer(t, alice.Client, id)
	alice.join(t, id)
	own := regexp.MustCompile(`a=(candidate|end-of-candidates).*\r\n`)
	in, refused := intrude(t, mallory, id, func(sdp string) string {
		sdp = own.ReplaceAllString(sdp, "")
		at := strings.Index(sdp, "a=mid:")
		return sdp[:strings.Index(sdp, "m=")] + lines.String() + sdp[strings.Index(sdp, "m="):at] + lines.String() + sdp[at:]
	})
	if refused != "" {
		t.Fatal(refused)
	}
	in.connected()
	// A check would have been due within 200 ms, and again every 200 ms: ten of them pass.
	slow := time.NewTimer(2 * time.Second)
	<-slow.C
	if n := hits.Load(); n > 0 {
		t.Errorf("%d packets or connections went to addresses that an offer named", n)
	}
}

// TestAParticipantWhoSendsMalformedMediaHarmsNobody sends it inside valid SRTP, where nothing before the SFU stops it.
func TestAParticipantWhoSendsMalformedMediaHarmsNobody(t *testing.T) {
	s := start(t)
	c := s.converse("alice", "bob")
	mallory, trent := s.dial("mallory"), s.talker("trent")
	id := ring(t, mallory, "trent")
	answer(t, trent.Client, id)
	trent.join(t, id)
	in, refused := intrude(t, mallory, id, nil)
	if refused != "" {
		t.Fatal(refused)
	}
	in.connected()
	before := s.memory()
	rng := rand.New(rand.NewPCG(15, 15))

	seal := in.tap.sealer(t)
	send := func(i int, b []byte, err error) {
		if err == nil { // what cannot even be sealed cannot get past the server's SRTP
			_, _ = in.socket.WriteTo(b, s.media())
		}
		if i%100 == 99 {
			<-time.After(2 * time.Millisecond) // so that the loopback interface does not drop it
		}
	}
	good, err := seal.EncryptRTP(nil, mustMarshal(t, &rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 111, SSRC: uint32(in.track.ssrc), SequenceNumber: 1}, Payload: []byte("<mallory>")}), nil)
	send(0, good, err)
	eventually(t, "the seal is the right one", func() bool { return trent.count("mallory") > 0 })
	t.Run("RTP", func(t *testing.T) {
		sequence := uint16(1)
		for i := range 20_000 {
			sequence += uint16(1 + rng.IntN(20))
			b, err := seal.EncryptRTP(nil, strangeRTP(rng, uint32(in.track.ssrc), sequence), nil)
			send(i, b, err)
		}
	})
	t.Run("RTCP", func(t *testing.T) {
		for i := range 5_000 {
			b, err := seal.EncryptRTCP(nil, strangeRTCP(rng, uint32(in.track.ssrc)), nil)
			send(i, b, err)
		}
	})
	t.Run("datagrams", func(t *testing.T) {
		for i := range 20_000 {
			b := make([]byte, rng.IntN(1400))
			for j := range b {
				b[j] = byte(rng.Uint32())
			}
			if len(b) > 0 { // first bytes of STUN, DTLS, RTP, TURN channels
				b[0] = []byte{0, 1, 20, 22, 23, 64, 128, 144, 191, 255}[i%10]
			}
			_, _ = in.socket.WriteTo(b, s.media())
			if i%100 == 99 {
				<-time.After(2 * time.Millisecond)
			}
		}
	})
	c.undisturbed("malformed media of another call", tolerable)
	s.grewBy("malformed media", before, 96)
	if in.pc.ConnectionState() != webrtc.PeerConnectionStateConnected {
		t.Logf("the hostile participant is %s", in.pc.ConnectionState())
	}
	dropped := 0.0
	for _, reason := range []string{"malformed", "payload_type", "padding", "unknown_source", "too_long", "late", "duplicate"} {
		dropped += s.metric(`parley_rtp_dropped_total{reason="` + reason + `"}`)
	}
	if dropped == 0 {
		t.Error("nothing was counted as dropped")
	}
}

// strangeRTP is a packet with a header that can be sealed, and everything behind it wrong in some way.
func strangeRTP(rng *rand.Rand, ssrc uint32, sequence uint16) []byte {
	const version, padding, extension = 0x80, 0x20, 0x10
	b := []byte{version, 111, byte(sequence >> 8), byte(sequence), 0, 0, 0, 0, byte(ssrc >> 24), byte(ssrc >> 16), byte(ssrc >> 8), byte(ssrc)}
	noise := func(n int) {
		for range n {
			b = append(b, byte(rng.Uint32()))
		}
	}
	if rng.IntN(2) == 0 {
		b[1] = byte(rng.Uint32()) // any payload type and marker
	}
	if rng.IntN(4) == 0 {
		csrcs := rng.IntN(16)
		b[0] |= byte(csrcs)
		noise(4 * csrcs)
	}
	if rng.IntN(2) == 0 {
		b[0] |= extension
		words := rng.IntN(12)
		b = append(b, 0xBE, 0xDE, 0, byte(words)) // one-byte headers whose lengths are noise
		if rng.IntN(3) == 0 {
			b[len(b)-4], b[len(b)-3] = 0x10, byte(rng.IntN(16)) // two-byte headers
		}
		noise(4 * words)
	}
	if rng.IntN(5) > 0 {
		noise(rng.IntN(1200))
	}
	if rng.IntN(3) == 0 {
		b[0] |= padding // by as much as the last byte says, whatever that is
		b[len(b)-1] = []byte{0, 1, 255, byte(len(b)), byte(rng.Uint32())}[rng.IntN(5)]
	}
	return b
}

// strangeRTCP is a header that says one thing and a body that says another.
func strangeRTCP(rng *rand.Rand, ssrc uint32) []byte {
	raw := make([]byte, 8+4*rng.IntN(60))
	for j := range raw {
		raw[j] = byte(rng.Uint32())
	}
	raw[0] = 0x80 | byte(rng.IntN(64))
	raw[1] = byte(192 + rng.IntN(20))
	raw[2], raw[3] = 0, byte(len(raw)/4-1)
	if rng.IntN(3) == 0 {
		raw[2], raw[3] = byte(rng.Uint32()), byte(rng.Uint32())
	}
	if rng.IntN(2) == 0 {
		raw[4], raw[5], raw[6], raw[7] = byte(ssrc>>24), byte(ssrc>>16), byte(ssrc>>8), byte(ssrc)
	}
	return raw
}

func mustMarshal(t testing.TB, p *rtp.Packet) []byte {
	t.Helper()
	b, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}
