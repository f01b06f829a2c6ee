package transport

import "github.com/pion/webrtc/v4"

// Stream is one m-line that we send on. Its SSRCs stay the same for life. Nothing different may ever be sealed twice under one
// SSRC and index: whoever numbers a stream's packets does so for its whole life.
type Stream struct {
	MID   string
	Video bool
	SSRC  uint32
	RTX   uint32 // SSRC of retransmissions; 0: none negotiated

	id     string                  // of the MediaStream that the client sees
	bound  bool                    // something was agreed on
	writer webrtc.TrackLocalWriter // on pion's path
}

// track is the face of a Stream towards pion.
type track struct {
	stream *Stream
	fast   bool // media takes our path
}

// Bind learns the negotiated SSRCs. pion hands over the codecs of all m-lines of the kind, so those are read from the
// answer instead, m-line by m-line.
func (t track) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	t.stream.SSRC = uint32(c.SSRC())
	t.stream.RTX = uint32(c.SSRCRetransmission())
	t.stream.bound = true
	if !t.fast { // else there would be two who seal under one key
		t.stream.writer = c.WriteStream()
	}
	if codecs := c.CodecParameters(); len(codecs) > 0 {
		return codecs[0], nil
	}
	return webrtc.RTPCodecParameters{}, webrtc.ErrUnsupportedCodec
}

// Unbind does nothing: writes after it fail by themselves.
func (t track) Unbind(webrtc.TrackLocalContext) error { return nil }

// ID is the m-line's mid.
func (t track) ID() string { return t.stream.MID }

// RID is empty: we send one encoding.
func (t track) RID() string { return "" }

// StreamID names the MediaStream.
func (t track) StreamID() string { return t.stream.id }

// Kind is the kind of media.
func (t track) Kind() webrtc.RTPCodecType {
	if t.stream.Video {
		return webrtc.RTPCodecTypeVideo
	}
	return webrtc.RTPCodecTypeAudio
}
