package transport

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"net"
	"net/netip"
	"os"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/protect"
)

// patience bounds every wait for what must happen.
const patience = 10 * time.Second

// fastPlane is a plane on loopback whose media takes our own path.
func fastPlane(t testing.TB, adjust func(*Config)) *Plane {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the fast path needs Linux")
	}
	config := Config{UDP: []string{"127.0.0.1:0"}, Disconnected: 10 * time.Second, Failed: 25 * time.Second, Path: FastPath, Logger: quiet}
	if adjust != nil {
		adjust(&config)
	}
	p, err := Listen(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// udp is where a plane's media port is.
func (p *Plane) udp() netip.AddrPort { return p.local[0] }

// ear is a Sink that keeps what it is handed, and complains when it is entered twice at once.
type ear struct {
	t      testing.TB
	inside atomic.Int32
	held   atomic.Int32 // how often Packets has waited

	mu      sync.Mutex
	gate    chan struct{} // guarded by mu; Packets waits for it, unless it is nil
	packets [][]byte      // guarded by mu
	reports []rtcp.Packet // guarded by mu
}

// Packets implements Sink.
func (e *ear) Packets(_ time.Time, batch []Datagram, _ *Batch) {
	if e.inside.Add(1) != 1 {
		e.t.Error("two goroutines hand packets up at once")
	}
	defer e.inside.Add(-1)
	e.mu.Lock()
	gate := e.gate
	e.mu.Unlock()
	if gate != nil {
		e.held.Add(1)
		<-gate
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, d := range batch {
		e.packets = append(e.packets, bytes.Clone(d.Data))
	}
}

// RTCP implements Sink.
func (e *ear) RTCP(_ time.Time, packets []rtcp.Packet, _ *Batch) {
	if e.inside.Add(1) != 1 {
		e.t.Error("two goroutines hand packets up at once")
	}
	defer e.inside.Add(-1)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.reports = append(e.reports, packets...)
}

// Message implements Sink.
func (e *ear) Message([]byte) {}

// State implements Sink.
func (e *ear) State() {}

// hold makes whoever hands packets up wait until the returned function is called.
func (e *ear) hold() (release func()) {
	gate := make(chan struct{})
	e.mu.Lock()
	e.gate = gate
	e.mu.Unlock()
	return func() {
		e.mu.Lock()
		e.gate = nil
		e.mu.Unlock()
		close(gate)
	}
}

// heard is how many RTP packets came up.
func (e *ear) heard() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.packets)
}

// sequences are those of the RTP packets that came up, in order.
func (e *ear) sequences() (all []int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, p := range e.packets {
		all = append(all, int(binary.BigEndian.Uint16(p[2:])))
	}
	return all
}

// wire is a client's UDP socket in the hands of the test: pion gets STUN and DTLS, the test everything else. It is a
// net.PacketConn.
type wire struct {
	t       testing.TB
	local   net.Addr
	control chan letterbox
	media   chan []byte // sealed
	readers sync.WaitGroup
	closing chan struct{}
	once    sync.Once

	mu      sync.Mutex
	conn    *net.UDPConn
	outward func(b []byte) bool // of pion's; false: it is lost
	checks  [][]byte            // authentic checks that pion sent
	random  []byte              // of the ServerHello
	log     bytes.Buffer        // of DTLS keys
}

// letterbox is one datagram for pion.
type letterbox struct {
	b    []byte
	from net.Addr
}

func newWire(t testing.TB) *wire {
	w := &wire{t: t, control: make(chan letterbox, 256), media: make(chan []byte, 1<<16), closing: make(chan struct{})}
	w.rebind()
	w.local = w.conn.LocalAddr()
	return w
}

// rebind puts another port in the place of the socket's, as a NAT does behind the client's back.
func (w *wire) rebind() {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		w.t.Fatal(err)
	}
	_ = conn.SetReadBuffer(4 << 20)
	w.mu.Lock()
	old := w.conn
	w.conn = conn
	w.mu.Unlock()
	if old != nil {
		_ = old.Close()
	}
	w.readers.Go(func() { w.read(conn) })
}

func (w *wire) read(conn *net.UDPConn) {
	buffer := make([]byte, 2048)
	for {
		n, from, err := conn.ReadFromUDP(buffer)
		if err != nil {
			return
		}
		b := bytes.Clone(buffer[:n])
		if n > 0 && isMedia(b) {
			w.media <- b
			continue
		}
		if random := helloRandom(b); random != nil {
			w.mu.Lock()
			w.random = random
			w.mu.Unlock()
		}
		select {
		case w.control <- letterbox{b, from}:
		case <-w.closing:
			return
		}
	}
}

// helloRandom finds the server's random in a datagram of DTLS records (RFC 6347 §4.1, §4.2.2).
func helloRandom(b []byte) []byte {
	for len(b) >= 13+12+2+randomSize && b[0] == 22 {
		if b[13] == 2 {
			return b[13+12+2:][:randomSize]
		}
		n := 13 + int(binary.BigEndian.Uint16(b[11:]))
		if n > len(b) {
			return nil
		}
		b = b[n:]
	}
	return nil
}

// ReadFrom implements net.PacketConn.
func (w *wire) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case l := <-w.control:
		return copy(b, l.b), l.from, nil
	case <-w.closing:
		return 0, nil, net.ErrClosed
	}
}

// WriteTo implements net.PacketConn.
func (w *wire) WriteTo(b []byte, to net.Addr) (int, error) {
	w.mu.Lock()
	conn, outward := w.conn, w.outward
	if stunClass(b) == stunRequest {
		w.checks = append(w.checks, bytes.Clone(b))
	}
	w.mu.Unlock()
	if outward != nil && !outward(b) {
		return len(b), nil
	}
	_, _ = conn.WriteTo(b, to) // what a rebinding loses is lost
	return len(b), nil
}

// Close implements net.PacketConn.
func (w *wire) Close() error {
	w.once.Do(func() {
		close(w.closing)
		w.mu.Lock()
		_ = w.conn.Close()
		w.mu.Unlock()
		w.readers.Wait()
	})
	return nil
}

// LocalAddr implements net.PacketConn: pion knows nothing of a rebinding.
func (w *wire) LocalAddr() net.Addr { return w.local }

// SetDeadline implements net.PacketConn.
func (w *wire) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.PacketConn.
func (w *wire) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.PacketConn.
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// Write takes a line of the key log.
func (w *wire) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(line)
}

// filter decides what of pion's leaves from here on.
func (w *wire) filter(outward func(b []byte) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.outward = outward
}

// keys are those of the client's side, once its DTLS has come to them.
func (w *wire) keys(profile protect.Profile) (protect.Keys, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	fields := bytes.Fields(w.log.Bytes())
	if len(fields) < 3 || w.random == nil {
		return protect.Keys{}, false
	}
	h := protect.Handshake{MasterSecret: make([]byte, masterSize), ClientRandom: make([]byte, randomSize), ServerRandom: w.random,
		Hash: sha256.New, Profile: profile}
	_, err1 := hex.Decode(h.ClientRandom, fields[1])
	_, err2 := hex.Decode(h.MasterSecret, fields[2])
	k, err3 := h.Keys()
	if err1 != nil || err2 != nil || err3 != nil {
		w.t.Fatal(err1, err2, err3)
	}
	return k, true
}

// guest is a client of a plane: ICE and DTLS are pion's, SRTP is the test's.
type guest struct {
	*ear
	plane   *Plane
	peer    *Peer
	pc      *webrtc.PeerConnection
	wire    *wire // nil over TCP
	profile protect.Profile
	sealer  *protect.Sealer
	opener  *protect.Opener
	offer   string
	answer  string
}

type guestOptions struct {
	munge   func(string) string // of the offer
	outward func(b []byte) bool
	profile protect.Profile
	sink    Sink
}

// wrongFingerprint makes an offer that of another certificate.
func wrongFingerprint(sdp string) string {
	return regexp.MustCompile(`a=fingerprint:sha-256 [^\r]*`).ReplaceAllString(sdp,
		"a=fingerprint:sha-256 "+strings.TrimSuffix(strings.Repeat("AB:", 32), ":"))
}

// invite makes a client and negotiates. Whether it connects is not waited for.
func invite(t testing.TB, p *Plane, o guestOptions) *guest {
	t.Helper()
	g := &guest{ear: &ear{t: t}, plane: p, wire: newWire(t), profile: o.profile}
	if g.profile == 0 {
		g.profile = protect.GCM128
	}
	g.wire.outward = o.outward
	var e webrtc.SettingEngine
	e.SetIncludeLoopbackCandidate(true)
	e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.SetICEUDPMux(webrtc.NewICEUDPMux(loggers{quiet}.NewLogger("ice"), g.wire))
	e.SetDTLSKeyLogWriter(g.wire)
	if g.profile == protect.CM80 {
		e.SetSRTPProtectionProfiles(dtls.SRTP_AES128_CM_HMAC_SHA1_80)
	}
	e.LoggerFactory = loggers{quiet}
	var sink Sink = g
	if o.sink != nil {
		sink = o.sink
	}
	g.open(t, e, sink)
	t.Cleanup(func() { _ = g.wire.Close() }) // after the connection
	t.Cleanup(g.leave)
	g.negotiate(t, false, o.munge)
	return g
}

// open makes both ends.
func (g *guest) open(t testing.TB, e webrtc.SettingEngine, sink Sink) {
	t.Helper()
	media := &webrtc.MediaEngine{}
	err := media.RegisterDefaultCodecs()
	if err == nil {
		g.pc, err = webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithSettingEngine(e), noInterceptors).
			NewPeerConnection(webrtc.Configuration{BundlePolicy: webrtc.BundlePolicyMaxBundle})
	}
	if err == nil {
		g.peer, err = g.plane.NewPeer(sink)
	}
	if err == nil {
		_, err = g.pc.AddTransceiverFromKind(webrtc.RTPCodecTypeAudio, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
	}
	if err == nil {
		_, err = g.pc.CreateDataChannel("parley", nil)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// leave ends both.
func (g *guest) leave() {
	g.peer.Close()
	_ = g.pc.GracefulClose()
}

func (g *guest) negotiate(t testing.TB, restart bool, munge func(string) string) {
	t.Helper()
	offer, err := g.pc.CreateOffer(&webrtc.OfferOptions{ICERestart: restart})
	if err != nil {
		t.Fatal(err)
	}
	done := webrtc.GatheringCompletePromise(g.pc)
	if err := g.pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	<-done
	g.offer = g.pc.LocalDescription().SDP
	if munge != nil {
		g.offer = munge(g.offer)
	}
	description, err := ParseOffer(g.offer)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := g.peer.Negotiate(context.Background(), description, Roles{Send: []SendLine{{MID: "0", StreamID: "x"}}})
	if err != nil {
		t.Fatal(err)
	}
	g.answer = answer.SDP
	if err := g.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer.SDP}); err != nil {
		t.Fatal(err)
	}
}

// admit is invite with a client that is connected and has its keys.
func admit(t testing.TB, p *Plane, o guestOptions) *guest {
	t.Helper()
	g := invite(t, p, o)
	g.connected(t)
	return g
}

func (g *guest) connected(t testing.TB) {
	t.Helper()
	eventually(t, "the client is connected", func() bool {
		return g.peer.shadow.sealer.Load() != nil && g.peer.shadow.path.Load() != nil && g.pc.ConnectionState() == webrtc.PeerConnectionStateConnected
	})
	g.unlock(t)
}

// unlock takes the client's keys as soon as it has them.
func (g *guest) unlock(t testing.TB) {
	t.Helper()
	var keys protect.Keys
	eventually(t, "the client has keys", func() (ok bool) {
		keys, ok = g.wire.keys(g.profile)
		return ok
	})
	var err error
	if g.sealer, err = protect.NewSealer(keys); err == nil {
		g.opener, err = protect.NewOpener(keys)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// seal makes a sealed RTP packet of the client's.
func (g *guest) seal(t testing.TB, ssrc uint32, index int64, payload []byte) []byte {
	t.Helper()
	b, err := (&rtp.Header{Version: 2, PayloadType: 111, SSRC: ssrc, SequenceNumber: uint16(index), Timestamp: uint32(index) * 960}).Marshal()
	if err == nil {
		b, err = g.sealer.Seal(b, 0, payload, ssrc, index)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// send puts a datagram on the client's way to the plane.
func (g *guest) send(t testing.TB, b []byte) {
	t.Helper()
	g.wire.mu.Lock()
	conn := g.wire.conn
	g.wire.mu.Unlock()
	if _, err := conn.WriteToUDPAddrPort(b, g.plane.udp()); err != nil {
		t.Fatal(err)
	}
}

// outgoing is a packet to this client.
func outgoing(ssrc uint32, index int64, payload []byte) *Outgoing {
	return &Outgoing{Header: packet.Header{PayloadType: 111, SSRC: ssrc, Sequence: uint16(index), Timestamp: uint32(index) * 960}, Index: index, Payload: payload}
}

// received is the payload and number of the next RTP packet that the client gets.
func (g *guest) received(t testing.TB) (sequence uint16, payload []byte) {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case b := <-g.wire.media:
			if isRTCP(b) {
				continue
			}
			n := packet.HeaderSize(b)
			sequence = binary.BigEndian.Uint16(b[2:])
			plain, err := g.opener.Open(b, n, binary.BigEndian.Uint32(b[8:]), sequence)
			if err != nil {
				t.Fatalf("packet %d does not open: %v", sequence, err)
			}
			return sequence, plain[n:]
		case <-deadline:
			t.Fatal("the client receives nothing")
		}
	}
}

// eventually waits until something is so.
func eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !so() {
		if time.Now().After(deadline) {
			t.Fatalf("still not so: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// icePair is the ICE user name fragment and password of an SDP.
func icePair(sdp string) (ufrag, password string) {
	find := func(name string) string {
		m := regexp.MustCompile(`a=` + name + `:(\S+)`).FindStringSubmatch(sdp)
		if m == nil {
			return ""
		}
		return m[1]
	}
	return find("ice-ufrag"), find("ice-pwd")
}

// stranger is a UDP socket of nobody's.
func stranger(t testing.TB) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func sendFrom(t testing.TB, conn *net.UDPConn, b []byte, to netip.AddrPort) {
	t.Helper()
	if _, err := conn.WriteToUDPAddrPort(b, to); err != nil && !os.IsTimeout(err) {
		t.Fatal(err)
	}
}

// handshakeOf is the type of the DTLS handshake message that a datagram begins with (RFC 6347 §4.2.2).
func handshakeOf(b []byte) byte {
	if len(b) < 14 {
		return 0
	}
	return b[13]
}

func addrPort(a net.Addr) netip.AddrPort { return a.(*net.UDPAddr).AddrPort() }

// heap is what is in use after a collection, in bytes.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func now() time.Time { return time.Now() }
