package transport

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/rtp"
	"github.com/pion/stun/v4"
	"github.com/pion/webrtc/v4"
)

// socket is a mux behind a real socket.
type socket struct {
	t    *testing.T
	conn *net.UDPConn
	mux  *mux
}

// newSocket reads with take: control or any.
func newSocket(t *testing.T, places int, take func(m *mux, local int, from netip.AddrPort, b []byte) bool) *socket {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	s := &socket{t: t, conn: conn}
	local := []netip.AddrPort{conn.LocalAddr().(*net.UDPAddr).AddrPort()}
	s.mux = newMux(local, places, func(_ int, b []byte, to netip.AddrPort) error {
		_, err := conn.WriteToUDPAddrPort(b, to)
		return err
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.read(take)
	}()
	t.Cleanup(func() { conn.Close(); <-done })
	return s
}

func (s *socket) read(take func(m *mux, local int, from netip.AddrPort, b []byte) bool) {
	door := newIntake()
	b := make([]byte, 2048)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		if n > 0 && door.allow(time.Now(), from, b[0] < 4) {
			take(s.mux, 0, from, b[:n])
		}
	}
}

// server makes a PeerConnection behind the mux, set up as Plane does.
func (s *socket) server(o owner, k *keys) *webrtc.PeerConnection {
	s.t.Helper()
	var e webrtc.SettingEngine
	e.SetICEUDPMux(s.mux.peer(o))
	e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.SetICEBindingRequestHandler(func(_ *stun.Message, local, remote ice.Candidate, _ *ice.CandidatePair) bool {
		if _, ok := s.mux.index(endpoint(local.Address(), local.Port())); ok {
			s.mux.learn(o, endpoint(remote.Address(), remote.Port()))
		}
		return false
	})
	must(s.t, e.SetAnsweringDTLSRole(webrtc.DTLSRoleServer))
	e.SetSRTPProtectionProfiles(profiles...)
	e.SetDTLSKeyLogWriter(k)
	e.SetDTLSServerHelloMessageHook(k.hello)
	e.LoggerFactory = loggers{quiet}
	pc := s.connection(e)
	pc.SCTP().Transport().ICETransport().OnSelectedCandidatePairChange(func(pair *webrtc.ICECandidatePair) {
		s.mux.use(o, endpoint(pair.Remote.Address, int(pair.Remote.Port)))
	})
	pc.OnDataChannel(func(c *webrtc.DataChannel) {
		c.OnMessage(func(m webrtc.DataChannelMessage) { _ = c.SendText("echo " + string(m.Data)) })
	})
	return pc
}

// client makes one with sockets of its own.
func (s *socket) client() *webrtc.PeerConnection {
	s.t.Helper()
	var e webrtc.SettingEngine
	e.SetIncludeLoopbackCandidate(true)
	e.SetIPFilter(net.IP.IsLoopback)
	e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.LoggerFactory = loggers{quiet}
	return s.connection(e)
}

func (s *socket) connection(e webrtc.SettingEngine) *webrtc.PeerConnection {
	s.t.Helper()
	pc, err := webrtc.NewAPI(webrtc.WithSettingEngine(e), noInterceptors).NewPeerConnection(webrtc.Configuration{})
	must(s.t, err)
	s.t.Cleanup(func() { must(s.t, pc.GracefulClose()) })
	return pc
}

func (s *socket) fragments() int {
	s.mux.mu.Lock()
	defer s.mux.mu.Unlock()
	return len(s.mux.ufrags)
}

func endpoint(host string, port int) netip.AddrPort {
	ip, _ := netip.ParseAddr(host)
	return netip.AddrPortFrom(ip, uint16(port))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// negotiate exchanges whole descriptions; candidates of the client are kept from the server, as Plane does.
func negotiate(t *testing.T, client, server *webrtc.PeerConnection, restart bool) {
	t.Helper()
	offer, err := client.CreateOffer(&webrtc.OfferOptions{ICERestart: restart})
	must(t, err)
	must(t, client.SetLocalDescription(offer))
	must(t, server.SetRemoteDescription(offer))
	answer, err := server.CreateAnswer(nil)
	must(t, err)
	gathered := webrtc.GatheringCompletePromise(server)
	must(t, server.SetLocalDescription(answer))
	<-gathered
	must(t, client.SetRemoteDescription(*server.LocalDescription()))
}

// echoes sends over the channel until an answer comes, which SCTP does once the road is there.
func echoes(t *testing.T, c *webrtc.DataChannel, answers <-chan string, text string) {
	t.Helper()
	must(t, c.SendText(text))
	select {
	case got := <-answers:
		if got != "echo "+text {
			t.Fatalf("got %q", got)
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("no answer to %q", text)
	}
}

func channel(t *testing.T, pc *webrtc.PeerConnection) (c *webrtc.DataChannel, open <-chan struct{}, answers <-chan string) {
	t.Helper()
	c, err := pc.CreateDataChannel("test", nil)
	must(t, err)
	o, a := make(chan struct{}), make(chan string, 8)
	c.OnOpen(func() { close(o) })
	c.OnMessage(func(m webrtc.DataChannelMessage) { a <- string(m.Data) })
	return c, o, a
}

func opens(t *testing.T, open <-chan struct{}) {
	t.Helper()
	select {
	case <-open:
	case <-time.After(10 * time.Second):
		t.Fatal("the data channel did not open")
	}
}

func TestPionConnectsThroughTheMux(t *testing.T) {
	s := newSocket(t, controlPlaces, (*mux).control)
	const clients = 3
	var servers []*webrtc.PeerConnection
	var owners []*client
	for range clients {
		o, k := &client{}, &keys{}
		owners = append(owners, o)
		server, stock := s.server(o, k), s.client()
		servers = append(servers, server)
		c, open, answers := channel(t, stock)
		negotiate(t, stock, server, false)
		opens(t, open)
		echoes(t, c, answers, "hello")

		before := s.fragments()
		negotiate(t, stock, server, true)
		echoes(t, c, answers, "hello again")
		pair, err := stock.SCTP().Transport().ICETransport().GetSelectedCandidatePair()
		if err != nil || pair == nil {
			t.Fatalf("after the restart: pair %v, %v", pair, err)
		}
		if n := s.fragments(); n != before {
			t.Errorf("%d fragments after a restart, %d before", n, before)
		}
		if e := s.mux.at(endpoint(pair.Local.Address, int(pair.Local.Port))); e == nil || e.owner != o {
			t.Errorf("the client at %v belongs to %v", pair.Local, e)
		}
	}
	if n := s.mux.full.Load(); n != 0 {
		t.Errorf("%d datagrams found a full ring", n)
	}
	for i, o := range owners {
		must(t, servers[i].GracefulClose())
		s.mux.forget(o)
	}
	if s.fragments() != 0 {
		t.Error("fragments are left")
	}
}

func TestPionTakesMediaThroughTheMux(t *testing.T) {
	s := newSocket(t, mediaPlaces, (*mux).any)
	server, stock := s.server(&client{}, &keys{}), s.client()
	track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, "a", "b")
	must(t, err)
	_, err = stock.AddTrack(track)
	must(t, err)
	heard := make(chan string, 1)
	server.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		if p, _, err := track.ReadRTP(); err == nil {
			heard <- string(p.Payload)
		}
	})
	negotiate(t, stock, server, false)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(10 * time.Second)
	for n := uint16(0); ; n++ {
		select {
		case <-tick.C:
			must(t, track.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: n}, Payload: []byte("la")}))
		case got := <-heard:
			if got != "la" {
				t.Errorf("heard %q", got)
			}
			return
		case <-late:
			t.Fatal("nothing is heard")
		}
	}
}

func TestCandidatesCarryTheAddressesOfTheMux(t *testing.T) {
	s := newSocket(t, controlPlaces, (*mux).control)
	s.mux.local = []netip.AddrPort{here, there} // of a NAT in front of us
	server, stock := s.server(&client{}, &keys{}), s.client()
	channel(t, stock)
	negotiate(t, stock, server, false)
	for _, want := range []string{" 203.0.113.1 7701 typ host", " 2001:db8::2 7701 typ host"} {
		if sdp := server.LocalDescription().SDP; !strings.Contains(sdp, want) {
			t.Errorf("no candidate%s in\n%s", want, sdp)
		}
	}
}
