package transport

import (
	"fmt"

	"github.com/pion/webrtc/v4"

	"github.com/parleyrtc/parley/sfu/packet"
)

// engine returns the codecs and header extensions we answer with. Few, because every one costs in every m-line of every
// offer. The payload types are ours only by name: an answer uses those of the offer.
func engine() (*webrtc.MediaEngine, error) {
	m := &webrtc.MediaEngine{}
	audio := []webrtc.RTCPFeedback{{Type: "transport-cc"}, {Type: "nack"}}
	if err := m.RegisterCodec(webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2,
			SDPFmtpLine: "minptime=10;useinbandfec=1", RTCPFeedback: audio,
		},
		PayloadType: 111,
	}, webrtc.RTPCodecTypeAudio); err != nil {
		return nil, err
	}
	if err := m.RegisterCodec(webrtc.RTPCodecParameters{
		RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: "audio/red", ClockRate: 48000, Channels: 2}, // of any payload type
		PayloadType:        63,
	}, webrtc.RTPCodecTypeAudio); err != nil {
		return nil, err
	}
	video := []webrtc.RTCPFeedback{
		{Type: "transport-cc"}, {Type: "ccm", Parameter: "fir"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"},
	}
	for i, c := range []struct{ mime, fmtp string }{
		{webrtc.MimeTypeVP8, ""},
		// Constrained baseline, baseline, main and high; only packetization mode 1, which every browser speaks.
		{webrtc.MimeTypeH264, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"},
		{webrtc.MimeTypeH264, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f"},
		{webrtc.MimeTypeH264, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d001f"},
		{webrtc.MimeTypeH264, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=640c1f"},
		{webrtc.MimeTypeH264, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=64001f"},
		{webrtc.MimeTypeVP9, "profile-id=0"},
		{webrtc.MimeTypeAV1, ""},
	} {
		pt := webrtc.PayloadType(96 + 2*i)
		for _, p := range []webrtc.RTPCodecParameters{
			{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: c.mime, ClockRate: 90000, SDPFmtpLine: c.fmtp, RTCPFeedback: video}, PayloadType: pt},
			{RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: fmt.Sprintf("apt=%d", pt)}, PayloadType: pt + 1},
		} {
			if err := m.RegisterCodec(p, webrtc.RTPCodecTypeVideo); err != nil {
				return nil, err
			}
		}
	}
	return m, extensions(m)
}

// extensions registers those that somebody here reads: a sender spends bytes on what is negotiated.
func extensions(m *webrtc.MediaEngine) error {
	both := []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo}
	for _, e := range []struct {
		uri   string
		kinds []webrtc.RTPCodecType
	}{
		{packet.URIMID, both},
		{packet.URITransportCC, both},
		{packet.URIAudioLevel, both[:1]},
		{packet.URIRID, both[1:]},
		{packet.URIRepairedRID, both[1:]},
		{packet.URIDependencyDescriptor, both[1:]},
	} {
		for _, kind := range e.kinds {
			if err := m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: e.uri}, kind); err != nil {
				return err
			}
		}
	}
	return nil
}
