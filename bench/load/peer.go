package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/webrtc/v4"

	"github.com/parleyrtc/parley/bench/client"
	"github.com/parleyrtc/parley/bench/keys"
)

// Payload types of our offers. The server answers with the same ones.
const (
	opusType = 111
	vp8Type  = 96
	rtxType  = 97
)

// The header extensions that are of use to somebody in these calls.
const (
	uriTransportCC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
	uriAudioLevel  = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
	uriMID         = "urn:ietf:params:rtp-hdrext:sdes:mid"
)

// connectWait is how long ICE and DTLS may take; fifty clients that come at once need some of it.
const connectWait = 30 * time.Second

// JoinConfig says how a client joins.
type JoinConfig struct {
	SessionID string
	Pairs     int // receive slot pairs of a subscriber
	// Answer may change the server's SDP, for instance to lead media through a lossy path; nil leaves it.
	Answer func(sdp string) string
}

// api builds PeerConnections on a port, without interceptors and with the codecs of these clients only.
func (p *port) api() (*webrtc.API, error) {
	media := &webrtc.MediaEngine{}
	video := []webrtc.RTCPFeedback{{Type: "transport-cc"}, {Type: "ccm", Parameter: "fir"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"}}
	for _, c := range []struct {
		kind       webrtc.RTPCodecType
		parameters webrtc.RTPCodecParameters
	}{
		{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecParameters{PayloadType: opusType, RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1",
			RTCPFeedback: video[:1]}}},
		{webrtc.RTPCodecTypeVideo, webrtc.RTPCodecParameters{PayloadType: vp8Type, RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeVP8, ClockRate: 90000, RTCPFeedback: video}}},
		{webrtc.RTPCodecTypeVideo, webrtc.RTPCodecParameters{PayloadType: rtxType, RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: "apt=" + strconv.Itoa(vp8Type)}}},
	} {
		if err := media.RegisterCodec(c.parameters, c.kind); err != nil {
			return nil, err
		}
	}
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
		for _, uri := range []string{uriMID, uriTransportCC, uriAudioLevel} {
			if uri == uriAudioLevel && kind == webrtc.RTPCodecTypeVideo {
				continue
			}
			if err := media.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, kind); err != nil {
				return nil, err
			}
		}
	}
	settings := webrtc.SettingEngine{LoggerFactory: &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled}}
	settings.SetICEUDPMux(p)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6})
	settings.SetIncludeLoopbackCandidate(true)
	// Media does not count as a sign of life, since pion does not see it; checks do.
	settings.SetICETimeouts(10*time.Second, 25*time.Second, 2*time.Second)
	settings.SetDTLSKeyLogWriter(p.keys)
	settings.SetDTLSCipherSuites(keys.CipherSuite)
	settings.SetSRTPProtectionProfiles(keys.Profile)
	return webrtc.NewAPI(webrtc.WithMediaEngine(media), webrtc.WithSettingEngine(settings),
		webrtc.WithInterceptorRegistry(&interceptor.Registry{})), nil
}

// join brings a session up on the port and returns once ICE and DTLS are done.
func (p *port) join(ctx context.Context, c *client.Client, cfg JoinConfig, session client.SessionConfig) (*client.Session, error) {
	api, err := p.api()
	if err != nil {
		return nil, err
	}
	session.API, session.Answer = api, cfg.Answer
	session.ICEServers = []webrtc.ICEServer{} // straight to the server
	s, err := c.Join(ctx, cfg.SessionID, session)
	if err != nil {
		return nil, err
	}
	deadline := time.NewTimer(connectWait)
	defer deadline.Stop()
	select {
	case <-s.Connected():
	case <-deadline.C:
		s.Close()
		return nil, fmt.Errorf("no media connection within %v", connectWait)
	case <-ctx.Done():
		s.Close()
		return nil, ctx.Err()
	}
	ready := false
	if err := p.engine.do(func() { ready = p.ready() && p.remote.IsValid() }); err != nil {
		s.Close()
		return nil, err
	}
	if !ready {
		s.Close()
		return nil, errors.New("the handshake gave no SRTP keys: the server must speak DTLS 1.2 with AEAD_AES_128_GCM")
	}
	return s, nil
}

// extensionID finds a header extension's id in an SDP, 0 if it is not there.
func extensionID(sdp, uri string) uint8 {
	for line := range strings.Lines(sdp) {
		rest, ok := strings.CutPrefix(line, "a=extmap:")
		if !ok || !strings.Contains(rest, uri) {
			continue
		}
		number, _, _ := strings.Cut(rest, " ")
		number, _, _ = strings.Cut(number, "/")
		if id, err := strconv.ParseUint(number, 10, 8); err == nil {
			return uint8(id)
		}
	}
	return 0
}
