// Package packet turns the bytes of an RTP packet into one value, once.
//
// Everybody past the door works with [Info]; nothing further down looks at header bytes again. All functions are
// safe on any input, allocate nothing and keep no state; what they return aliases the bytes they were given.
package packet

import (
	"encoding/binary"
	"errors"
)

// Why a packet is refused. A refused packet is dropped and counted, never answered.
var (
	// ErrShort says that the packet ends inside its fixed header or its CSRC list.
	ErrShort = errors.New("packet: header cut short")
	// ErrVersion says that the version is not 2 (RFC 3550 §5.1).
	ErrVersion = errors.New("packet: version is not 2")
	// ErrExtension says that a header extension leaves its block or the packet (RFC 8285 §4).
	ErrExtension = errors.New("packet: header extension out of bounds")
	// ErrPadding says that the padding count is zero or longer than the payload (RFC 3550 §5.1).
	ErrPadding = errors.New("packet: padding out of bounds")
)

// URIs of the header extensions that Parse knows, as they stand in SDP.
const (
	URIMID         = "urn:ietf:params:rtp-hdrext:sdes:mid"
	URIRID         = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
	URIRepairedRID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
	URIAudioLevel  = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
	URITransportCC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
	// URIAbsSendTime names the sender's 24-bit clock at the moment of sending.
	URIAbsSendTime = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
)

// Extensions holds the header extension ids that one participant negotiated, 1 to 255. Zero: not negotiated.
type Extensions struct {
	MID, RID, RepairedRID, AudioLevel, TransportCC, AbsSendTime, Dependency uint8
}

// Info is one parsed RTP packet. Its slices alias the parsed bytes.
type Info struct {
	Marker      bool
	PayloadType uint8
	Sequence    uint16
	Timestamp   uint32
	SSRC        uint32

	// HeaderSize is the length of fixed header, CSRCs and extensions in bytes.
	HeaderSize int
	// PaddingSize is the length of the padding that was cut from Payload, in bytes.
	PaddingSize int
	// Payload is what is left between header and padding; it may be empty.
	Payload []byte

	// MID, RID and RepairedRID are nil when the packet does not carry them.
	MID, RID, RepairedRID []byte

	// AudioLevel is in -dBov, 0 (loudest) to 127 (silence); Voice is the sender's own voice detection (RFC 6464 §3).
	AudioLevel           uint8
	Voice, HasAudioLevel bool

	TransportSequence    uint16
	HasTransportSequence bool

	// AbsSendTime is in 2^-18 s, 24 bits, wrapping every 64 s.
	AbsSendTime    uint32
	HasAbsSendTime bool

	// Dependency is the dependency descriptor, see DependencyReader; nil when the packet does not carry one.
	Dependency []byte
}

const fixedHeader = 12

// Profiles of the extension block, RFC 8285 §4.2 and §4.3.
const (
	profileOneByte     = 0xBEDE
	profileTwoByte     = 0x1000
	profileTwoByteMask = 0xFFF0
)

// Parse reads a decrypted RTP packet into info, overwriting all of it. On an error info is not to be used.
func Parse(b []byte, ids *Extensions, info *Info) error {
	if err := ParseHeader(b, ids, info); err != nil {
		return err
	}
	end := len(b)
	if b[0]&0x20 != 0 {
		if end <= info.HeaderSize {
			return ErrPadding
		}
		n := int(b[end-1])
		if n == 0 || n > end-info.HeaderSize {
			return ErrPadding
		}
		info.PaddingSize = n
		end -= n
	}
	info.Payload = b[info.HeaderSize:end:end]
	return nil
}

// ParseHeader reads only the header, which SRTP leaves in the clear: payload and padding stay unset. Nothing it says is
// authenticated before the packet is.
func ParseHeader(b []byte, ids *Extensions, info *Info) error {
	if len(b) < fixedHeader {
		return ErrShort
	}
	if b[0]>>6 != 2 {
		return ErrVersion
	}
	*info = Info{
		Marker:      b[1]&0x80 != 0,
		PayloadType: b[1] & 0x7F,
		Sequence:    binary.BigEndian.Uint16(b[2:]),
		Timestamp:   binary.BigEndian.Uint32(b[4:]),
		SSRC:        binary.BigEndian.Uint32(b[8:]),
	}
	at := fixedHeader + 4*int(b[0]&0x0F)
	if len(b) < at {
		return ErrShort
	}
	if b[0]&0x10 == 0 {
		info.HeaderSize = at
		return nil
	}
	if len(b) < at+4 {
		return ErrExtension
	}
	profile := binary.BigEndian.Uint16(b[at:])
	end := at + 4 + 4*int(binary.BigEndian.Uint16(b[at+2:]))
	if len(b) < end {
		return ErrExtension
	}
	info.HeaderSize = end
	switch {
	case profile == profileOneByte:
		return info.oneByte(b[at+4:end], ids)
	case profile&profileTwoByteMask == profileTwoByte:
		return info.twoByte(b[at+4:end], ids)
	}
	return nil // RFC 3550 §5.3.1: an unknown profile is skipped.
}

// oneByte walks a block of one-byte elements, RFC 8285 §4.2.
func (info *Info) oneByte(block []byte, ids *Extensions) error {
	for i := 0; i < len(block); {
		if block[i] == 0 { // padding
			i++
			continue
		}
		id, n := block[i]>>4, int(block[i]&0x0F)+1
		if id == 0 || id == 15 {
			return nil // Reserved: what came before counts, the rest does not.
		}
		i++
		if n > len(block)-i {
			return ErrExtension
		}
		info.element(id, block[i:i+n:i+n], ids)
		i += n
	}
	return nil
}

// twoByte walks a block of two-byte elements, RFC 8285 §4.3.
func (info *Info) twoByte(block []byte, ids *Extensions) error {
	for i := 0; i < len(block); {
		if block[i] == 0 {
			i++
			continue
		}
		if len(block)-i < 2 {
			return ErrExtension
		}
		id, n := block[i], int(block[i+1])
		i += 2
		if n > len(block)-i {
			return ErrExtension
		}
		info.element(id, block[i:i+n:i+n], ids)
		i += n
	}
	return nil
}

// element takes one extension whose id (never 0) was negotiated; one of the wrong length is as good as absent.
func (info *Info) element(id uint8, v []byte, ids *Extensions) {
	switch {
	case id == ids.TransportCC && len(v) == 2:
		info.TransportSequence = binary.BigEndian.Uint16(v)
		info.HasTransportSequence = true
	case id == ids.AbsSendTime && len(v) == 3:
		info.AbsSendTime = uint32(v[0])<<16 | uint32(v[1])<<8 | uint32(v[2])
		info.HasAbsSendTime = true
	case id == ids.AudioLevel && len(v) >= 1: // RFC 6464 §3: the two-byte form may carry a padding byte.
		info.AudioLevel = v[0] & 0x7F
		info.Voice = v[0]&0x80 != 0
		info.HasAudioLevel = true
	case len(v) == 0:
	case id == ids.MID:
		info.MID = v
	case id == ids.RID:
		info.RID = v
	case id == ids.RepairedRID:
		info.RepairedRID = v
	case id == ids.Dependency:
		info.Dependency = v
	}
}
