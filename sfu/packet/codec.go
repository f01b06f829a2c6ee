package packet

import "strings"

// Codec is a payload format that Parley forwards.
type Codec uint8

// The codecs of the negotiation. Unknown is forwarded by nobody.
const (
	Unknown Codec = iota
	Opus
	VP8
	VP9
	H264
	AV1
)

var codecNames = [...]string{"unknown", "opus", "VP8", "VP9", "H264", "AV1"}

// ParseCodec reads a MIME type ("video/VP8") or the encoding name of an rtpmap line ("VP8"), in any case.
func ParseCodec(mime string) Codec {
	if i := strings.IndexByte(mime, '/'); i >= 0 {
		mime = mime[i+1:]
	}
	for c := Opus; c <= AV1; c++ {
		if strings.EqualFold(mime, codecNames[c]) {
			return c
		}
	}
	return Unknown
}

// String is the encoding name as rtpmap spells it.
func (c Codec) String() string {
	if int(c) < len(codecNames) {
		return codecNames[c]
	}
	return codecNames[Unknown]
}

// Video says whether the codec carries pictures.
func (c Codec) Video() bool { return c >= VP8 && c <= AV1 }

// ClockRate is the RTP clock of the codec in Hz: 48000 for Opus (RFC 7587 §4.1), 90000 for video, 0 for Unknown.
func (c Codec) ClockRate() uint32 {
	switch {
	case c == Opus:
		return 48000
	case c.Video():
		return 90000
	}
	return 0
}
