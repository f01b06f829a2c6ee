package hostile

import (
	"io"
	"net"
	"regexp"
	"strings"
	"testing"

	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/webrtc/v4"

	"github.com/parleyrtc/parley/bench/client"
)

// intruder is a participant with its hands on what an honest client leaves to its library: the SDP, the RTP and RTCP writers
// and the very UDP socket.
type intruder struct {
	t      testing.TB
	c      *client.Client
	id     string // of the session
	pc     *webrtc.PeerConnection
	socket *net.UDPConn
	tap    *wiretap
	track  *rawTrack
	answer string // the server's SDP
	offer  string // what was sent
}

// rawTrack takes the writer out of pion's hands.
type rawTrack struct {
	writer webrtc.TrackLocalWriter
	ssrc   webrtc.SSRC
	bound  chan struct{}
}

func (r *rawTrack) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	r.writer, r.ssrc = c.WriteStream(), c.SSRC()
	close(r.bound)
	for _, codec := range c.CodecParameters() {
		if codec.MimeType == webrtc.MimeTypeOpus {
			return codec, nil
		}
	}
	return webrtc.RTPCodecParameters{}, webrtc.ErrUnsupportedCodec
}
func (r *rawTrack) Unbind(webrtc.TrackLocalContext) error { return nil }
func (r *rawTrack) ID() string                            { return "raw" }
func (r *rawTrack) RID() string                           { return "" }
func (r *rawTrack) StreamID() string                      { return "raw" }
func (r *rawTrack) Kind() webrtc.RTPCodecType             { return webrtc.RTPCodecTypeAudio }

// intrude joins a session, with the offer changed by alter when that is not nil, and returns the code of a refusal.
func intrude(t testing.TB, c *client.Client, id string, alter func(string) string) (*intruder, string) {
	t.Helper()
	in := &intruder{t: t, c: c, id: id, track: &rawTrack{bound: make(chan struct{})}}
	in.open()
	if refused := ask(t, c, "session.join", mutation(map[string]any{"sessionId": id, "takeover": true})); refused != "" {
		t.Fatalf("the intruder does not get in: %s", refused)
	}
	return in, in.negotiate(alter)
}

func (in *intruder) open() {
	in.t.Helper()
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		in.t.Fatal(err)
	}
	in.socket = socket
	media := &webrtc.MediaEngine{}
	if err := media.RegisterDefaultCodecs(); err != nil {
		in.t.Fatal(err)
	}
	var s webrtc.SettingEngine
	in.tap = &wiretap{PacketConn: socket}
	s.SetICEUDPMux(webrtc.NewICEUDPMux(nil, in.tap))
	s.SetDTLSKeyLogWriter(in.tap)
	s.LoggerFactory = &logging.DefaultLoggerFactory{Writer: io.Discard} // what a closed socket says is no news
	s.SetIncludeLoopbackCandidate(true)
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	api := webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithSettingEngine(s), webrtc.WithInterceptorRegistry(&interceptor.Registry{}))
	if in.pc, err = api.NewPeerConnection(webrtc.Configuration{BundlePolicy: webrtc.BundlePolicyMaxBundle}); err != nil {
		in.t.Fatal(err)
	}
	in.t.Cleanup(in.leave)
	send := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly}
	if _, err := in.pc.AddTransceiverFromTrack(in.track, send); err != nil {
		in.t.Fatal(err)
	}
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
		receive := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
		if _, err := in.pc.AddTransceiverFromKind(kind, receive); err != nil {
			in.t.Fatal(err)
		}
	}
	if _, err := in.pc.CreateDataChannel("parley", nil); err != nil {
		in.t.Fatal(err)
	}
}

// roles is what an honest client says about the m-lines that open made.
func roles(params map[string]any) map[string]any {
	params["publications"] = []any{map[string]any{"mid": "0", "source": "microphone", "muted": false}}
	params["slots"] = []any{map[string]any{"pair": 0, "audioMid": "1", "videoMid": "2"}}
	return params
}

func (in *intruder) negotiate(alter func(string) string) string {
	in.t.Helper()
	offer, err := in.pc.CreateOffer(nil)
	if err != nil {
		in.t.Fatal(err)
	}
	if err := in.pc.SetLocalDescription(offer); err != nil {
		in.t.Fatal(err)
	}
	in.offer = in.pc.LocalDescription().SDP
	if alter != nil {
		in.offer = alter(in.offer)
	}
	var got struct {
		SDP string `json:"sdp"`
	}
	if err := in.c.Request(wait(in.t), "session.offer", roles(map[string]any{"sessionId": in.id, "sdp": in.offer}), &got); err != nil {
		return code(in.t, err)
	}
	in.answer = got.SDP
	if err := in.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: got.SDP}); err != nil {
		in.t.Fatal(err)
	}
	return ""
}

// connected waits until ICE and DTLS are up.
func (in *intruder) connected() *intruder {
	in.t.Helper()
	eventually(in.t, "the intruder is connected", func() bool { return in.pc.ConnectionState() == webrtc.PeerConnectionStateConnected })
	<-in.track.bound
	return in
}

func (in *intruder) leave() {
	_ = in.pc.Close()
	_ = in.socket.Close()
}

// credentials are the ICE user name fragment and password in an SDP.
func credentials(sdp string) (ufrag, password string) {
	return attribute(sdp, "ice-ufrag"), attribute(sdp, "ice-pwd")
}

func attribute(sdp, name string) string {
	m := regexp.MustCompile(`(?m)^a=` + name + `:(.*)$`).FindStringSubmatch(sdp)
	if m == nil {
		return ""
	}
	return strings.TrimSpace(m[1])
}

// media is the server's media port over UDP.
func (s *target) media() *net.UDPAddr {
	s.t.Helper()
	addr, err := net.ResolveUDPAddr("udp4", "127.0.0.1:"+s.Media)
	if err != nil {
		s.t.Fatal(err)
	}
	return addr
}

// stranger is a UDP socket of nobody's.
func (s *target) stranger() *net.UDPConn {
	s.t.Helper()
	conn, err := net.DialUDP("udp4", nil, s.media())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	return conn
}
