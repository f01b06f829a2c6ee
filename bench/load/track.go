package load

import (
	"sync/atomic"

	"github.com/pion/webrtc/v4"
)

// track is a webrtc.TrackLocal that takes what was negotiated and never writes: the engine sends.
type track struct {
	kind   webrtc.RTPCodecType
	mime   string
	agreed atomic.Pointer[agreement]
}

// agreement is what the answer says about a track; extension ids are 0 when the server does not want them.
type agreement struct {
	ssrc                    uint32
	payloadType             uint8
	transportCC, audioLevel uint8
}

// Bind is webrtc.TrackLocal.
func (t *track) Bind(ctx webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	for _, c := range ctx.CodecParameters() {
		if c.MimeType != t.mime {
			continue
		}
		a := &agreement{ssrc: uint32(ctx.SSRC()), payloadType: uint8(c.PayloadType)}
		for _, ext := range ctx.HeaderExtensions() {
			switch ext.URI {
			case uriTransportCC:
				a.transportCC = uint8(ext.ID)
			case uriAudioLevel:
				a.audioLevel = uint8(ext.ID)
			}
		}
		t.agreed.Store(a)
		return c, nil
	}
	return webrtc.RTPCodecParameters{}, webrtc.ErrUnsupportedCodec
}

// Unbind is webrtc.TrackLocal.
func (t *track) Unbind(webrtc.TrackLocalContext) error { return nil }

// ID is webrtc.TrackLocal.
func (t *track) ID() string { return t.kind.String() }

// RID is webrtc.TrackLocal.
func (t *track) RID() string { return "" }

// StreamID is webrtc.TrackLocal.
func (t *track) StreamID() string { return "load" }

// Kind is webrtc.TrackLocal.
func (t *track) Kind() webrtc.RTPCodecType { return t.kind }
