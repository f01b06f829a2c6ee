package witness

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"
)

// Payload types of our offers. The server answers with the same ones.
const (
	opusType = 111
	redType  = 63
	vp8Type  = 96
	rtxType  = 97
)

// The header extensions that are of use to somebody.
const (
	uriTransportCC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
	uriAudioLevel  = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
	uriMID         = "urn:ietf:params:rtp-hdrext:sdes:mid"
	uriRID         = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
	uriRepairedRID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
)

// mediaEngine has the codecs and extensions that a witness offers.
func mediaEngine(cfg Config) (*webrtc.MediaEngine, error) {
	m := &webrtc.MediaEngine{}
	video := []webrtc.RTCPFeedback{{Type: "ccm", Parameter: "fir"}, {Type: "nack"}, {Type: "nack", Parameter: "pli"}}
	audio := []webrtc.RTCPFeedback{}
	if !cfg.NoNACK {
		audio = append(audio, webrtc.RTCPFeedback{Type: "nack"})
	}
	if !cfg.NoFeedback {
		video, audio = append(video, webrtc.RTCPFeedback{Type: "transport-cc"}), append(audio, webrtc.RTCPFeedback{Type: "transport-cc"})
	}
	opus := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1", RTCPFeedback: audio}
	red := webrtc.RTPCodecCapability{MimeType: "audio/red", ClockRate: 48000, Channels: 2, SDPFmtpLine: "111/111"}
	vp8 := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000, RTCPFeedback: video}
	rtx := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeRTX, ClockRate: 90000, SDPFmtpLine: "apt=" + strconv.Itoa(vp8Type)}
	for _, c := range []struct {
		kind    webrtc.RTPCodecType
		number  webrtc.PayloadType
		codec   webrtc.RTPCodecCapability
		without bool
	}{
		{webrtc.RTPCodecTypeAudio, opusType, opus, false}, {webrtc.RTPCodecTypeAudio, redType, red, cfg.NoRED},
		{webrtc.RTPCodecTypeVideo, vp8Type, vp8, false}, {webrtc.RTPCodecTypeVideo, rtxType, rtx, cfg.NoNACK},
	} {
		if c.without {
			continue
		}
		if err := m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: c.codec, PayloadType: c.number}, c.kind); err != nil {
			return nil, err
		}
	}
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
		uris := []string{uriMID, uriAudioLevel}
		if kind == webrtc.RTPCodecTypeVideo {
			uris = []string{uriMID, uriRID, uriRepairedRID}
		}
		if !cfg.NoFeedback {
			uris = append(uris, uriTransportCC)
		}
		for _, uri := range uris {
			if err := m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, kind); err != nil {
				return nil, err
			}
		}
	}
	return m, nil
}

// likeBrowsers leaves out of an offer what browsers leave out: sources of m-lines with RIDs, and what stands there twice.
func likeBrowsers(offer string) string {
	var out strings.Builder
	sections := strings.SplitAfter(offer, "\r\nm=")
	for i, section := range sections {
		simulcast := i > 0 && strings.Contains(section, "a=simulcast:")
		seen := map[string]bool{}
		for line := range strings.Lines(section) {
			if simulcast && (strings.HasPrefix(line, "a=ssrc") || strings.HasPrefix(line, "a=msid:") && seen[line]) {
				continue
			}
			seen[line] = true
			out.WriteString(line)
		}
	}
	return out.String()
}

// answer is what the server's answer says.
type answer struct {
	transportCC uint8             // id of the extension in what we get; 0: not there
	repairs     map[uint32]uint32 // source of RTX to the one it repairs
	simulcast   map[string]bool   // mids whose encodings are all taken
	red         map[string]bool   // mids where RED is wanted before plain Opus
}

func readAnswer(text string) (answer, error) {
	a := answer{repairs: map[uint32]uint32{}, simulcast: map[string]bool{}, red: map[string]bool{}}
	var parsed sdp.SessionDescription
	if err := parsed.UnmarshalString(text); err != nil {
		return a, err
	}
	for _, m := range parsed.MediaDescriptions {
		mid, _ := m.Attribute("mid")
		a.red[mid] = len(m.MediaName.Formats) > 0 && m.MediaName.Formats[0] == strconv.Itoa(redType)
		for _, attribute := range m.Attributes {
			words := strings.Fields(attribute.Value)
			switch {
			case attribute.Key == "simulcast":
				a.simulcast[mid] = slices.Contains(words, "recv")
			case attribute.Key == "extmap" && len(words) > 1 && words[1] == uriTransportCC:
				number, _, _ := strings.Cut(words[0], "/")
				id, _ := strconv.ParseUint(number, 10, 8) // 0 is no id
				a.transportCC = uint8(id)
			case attribute.Key == "ssrc-group" && len(words) == 3 && words[0] == "FID":
				of, err1 := strconv.ParseUint(words[1], 10, 32)
				by, err2 := strconv.ParseUint(words[2], 10, 32)
				if err1 == nil && err2 == nil {
					a.repairs[uint32(by)] = uint32(of)
				}
			}
		}
	}
	return a, nil
}

// track is a webrtc.TrackLocal that takes what was negotiated and never writes.
type track struct {
	kind     webrtc.RTPCodecType
	mime     string
	rid      string
	id       string
	agreed   bool
	ssrc     uint32
	repair   uint32 // source of RTX; 0: none
	ids      map[string]uint8
	repairPT uint8
}

// Bind is webrtc.TrackLocal.
func (t *track) Bind(ctx webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	t.ids = map[string]uint8{}
	for _, e := range ctx.HeaderExtensions() {
		t.ids[e.URI] = uint8(e.ID)
	}
	for _, c := range ctx.CodecParameters() {
		if strings.EqualFold(c.MimeType, webrtc.MimeTypeRTX) {
			t.repairPT = uint8(c.PayloadType)
		}
	}
	for _, c := range ctx.CodecParameters() {
		if strings.EqualFold(c.MimeType, t.mime) {
			t.ssrc, t.repair, t.agreed = uint32(ctx.SSRC()), uint32(ctx.SSRCRetransmission()), true
			return c, nil
		}
	}
	return webrtc.RTPCodecParameters{}, webrtc.ErrUnsupportedCodec
}

// Unbind is webrtc.TrackLocal.
func (t *track) Unbind(webrtc.TrackLocalContext) error { return nil }

// ID is webrtc.TrackLocal.
func (t *track) ID() string { return t.id }

// RID is webrtc.TrackLocal.
func (t *track) RID() string { return t.rid }

// StreamID is webrtc.TrackLocal.
func (t *track) StreamID() string { return "witness" }

// Kind is webrtc.TrackLocal.
func (t *track) Kind() webrtc.RTPCodecType { return t.kind }
