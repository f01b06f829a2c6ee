package transport

import (
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/parleyrtc/parley/sfu/packet"
)

// Stream is one m-line that we send on. Its SSRCs stay the same for life.
type Stream struct {
	MID   string
	Video bool
	SSRC  uint32
	RTX   uint32 // SSRC of retransmissions; 0: none negotiated

	id     string // of the MediaStream that the client sees
	writer webrtc.TrackLocalWriter

	// Owned by the caller of Send.
	header rtp.Header
	level  [1]byte
}

// Outgoing is one packet to send. Payload is only read.
type Outgoing struct {
	Stream  *Stream
	Header  packet.Header // its SSRC is Stream.SSRC or Stream.RTX
	Payload []byte
}

// write seals and sends one packet. The caller of Send owns every stream of the peer, and with them the only use of the
// SRTP keys for media: nothing different may ever be sealed twice under one SSRC and sequence number.
func (s *Stream) write(o *Outgoing) error {
	h := &s.header
	extensions := h.Extensions[:0]
	*h = rtp.Header{
		Version:        2,
		Marker:         o.Header.Marker,
		PayloadType:    o.Header.PayloadType,
		SequenceNumber: o.Header.Sequence,
		Timestamp:      o.Header.Timestamp,
		SSRC:           o.Header.SSRC,
		Extensions:     extensions,
	}
	if o.Header.AudioLevelID != 0 {
		s.level[0] = o.Header.AudioLevel & 0x7f
		if o.Header.Voice {
			s.level[0] |= 0x80
		}
		if err := h.SetExtension(o.Header.AudioLevelID, s.level[:]); err != nil {
			return err
		}
	}
	_, err := s.writer.WriteRTP(h, o.Payload)
	return err
}

// track is the face of a Stream towards pion.
type track struct{ stream *Stream }

// Bind learns the negotiated SSRCs. pion hands over the codecs of all m-lines of the kind, so those are read from the
// answer instead, m-line by m-line.
func (t track) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	t.stream.SSRC = uint32(c.SSRC())
	t.stream.RTX = uint32(c.SSRCRetransmission())
	t.stream.writer = c.WriteStream()
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
