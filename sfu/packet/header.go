package packet

import (
	"encoding/binary"
	"time"
)

// Header is what we put in front of a payload we send: no CSRCs, extensions in the one-byte form (ids 1 to 14) unless the
// dependency descriptor is too long for it. An extension whose id is 0 stays out.
type Header struct {
	Marker      bool
	Padding     bool // The payload ends in padding bytes, the last of which counts them.
	PayloadType uint8
	Sequence    uint16
	Timestamp   uint32
	SSRC        uint32

	// MID is left out when empty and cut to 16 bytes, the longest a one-byte element carries.
	MID   string
	MIDID uint8

	TransportCCID     uint8
	TransportSequence uint16

	AbsSendTimeID uint8
	AbsSendTime   uint32 // 24 bits, see AbsSendTime

	AudioLevelID uint8
	AudioLevel   uint8 // -dBov, 0 to 127
	Voice        bool

	// Dependency is a dependency descriptor of at most 255 bytes; left out when empty or longer. From 17 bytes on, all
	// extensions take the two-byte form, which receivers take that agreed to extmap-allow-mixed (RFC 8285 §6).
	Dependency   []byte
	DependencyID uint8
}

// MaxHeaderSize is the largest Header.Size, in bytes.
const MaxHeaderSize = fixedHeader + 4 + (maxNarrow+maxNarrowCount+2+maxDependency+3)&^3

// What the extensions take at most: those that fit the one-byte form, one byte more for each in the two-byte form, and the
// descriptor with its head.
const (
	maxNarrow      = 17 + 3 + 4 + 2
	maxNarrowCount = 4
	maxDependency  = 255
)

// maxElement is the longest value of a one-byte element (RFC 8285 §4.2).
const maxElement = 16

// Size is the number of bytes Append adds.
func (h *Header) Size() int {
	n := h.extensionBytes()
	if n == 0 {
		return fixedHeader
	}
	return fixedHeader + 4 + (n+3)&^3
}

func (h *Header) extensionBytes() int {
	n := 0
	if h.MIDID != 0 && h.MID != "" {
		n += 1 + min(len(h.MID), maxElement)
	}
	if h.TransportCCID != 0 {
		n += 3
	}
	if h.AbsSendTimeID != 0 {
		n += 4
	}
	if h.AudioLevelID != 0 {
		n += 2
	}
	if !h.described() {
		return n
	}
	if h.narrow() {
		return n + 1 + len(h.Dependency)
	}
	for _, id := range [...]uint8{h.TransportCCID, h.AbsSendTimeID, h.AudioLevelID} {
		if id != 0 {
			n++
		}
	}
	if h.MIDID != 0 && h.MID != "" {
		n++
	}
	return n + 2 + len(h.Dependency)
}

// described says that there is a dependency descriptor, narrow that it fits the one-byte form.
func (h *Header) described() bool {
	return h.DependencyID != 0 && len(h.Dependency) > 0 && len(h.Dependency) <= maxDependency
}

func (h *Header) narrow() bool { return len(h.Dependency) <= maxElement && h.DependencyID < 15 }

// Append writes the header after dst and returns the longer slice; it allocates only when dst lacks capacity.
func (h *Header) Append(dst []byte) []byte {
	n := h.extensionBytes()
	first := byte(0x80)
	if n > 0 {
		first |= 0x10
	}
	if h.Padding {
		first |= 0x20
	}
	second := h.PayloadType & 0x7F
	if h.Marker {
		second |= 0x80
	}
	dst = append(dst, first, second)
	dst = binary.BigEndian.AppendUint16(dst, h.Sequence)
	dst = binary.BigEndian.AppendUint32(dst, h.Timestamp)
	dst = binary.BigEndian.AppendUint32(dst, h.SSRC)
	if n == 0 {
		return dst
	}
	words := (n + 3) / 4
	profile := uint32(profileOneByte)
	if h.described() && !h.narrow() {
		profile = profileTwoByte
	}
	dst = binary.BigEndian.AppendUint32(dst, profile<<16|uint32(words))
	switch {
	case !h.described():
		dst = h.appendElements(dst)
	case profile == profileOneByte:
		dst = h.appendElements(dst)
		dst = append(dst, h.DependencyID<<4|byte(len(h.Dependency)-1))
		dst = append(dst, h.Dependency...)
	default:
		dst = h.appendWide(dst)
	}
	for range words*4 - n {
		dst = append(dst, 0)
	}
	return dst
}

func (h *Header) appendElements(dst []byte) []byte {
	if h.MIDID != 0 && h.MID != "" {
		mid := h.MID[:min(len(h.MID), maxElement)]
		dst = append(dst, h.MIDID<<4|byte(len(mid)-1))
		dst = append(dst, mid...)
	}
	if h.TransportCCID != 0 {
		dst = append(dst, h.TransportCCID<<4|1, byte(h.TransportSequence>>8), byte(h.TransportSequence))
	}
	if h.AbsSendTimeID != 0 {
		t := h.AbsSendTime
		dst = append(dst, h.AbsSendTimeID<<4|2, byte(t>>16), byte(t>>8), byte(t))
	}
	if h.AudioLevelID != 0 {
		v := h.AudioLevel & 0x7F
		if h.Voice {
			v |= 0x80
		}
		dst = append(dst, h.AudioLevelID<<4, v)
	}
	return dst
}

// appendWide writes all elements in the two-byte form.
func (h *Header) appendWide(dst []byte) []byte {
	var scratch [maxNarrow]byte
	for narrow := h.appendElements(scratch[:0]); len(narrow) > 0; {
		n := int(narrow[0]&0x0F) + 1
		dst = append(dst, narrow[0]>>4, byte(n))
		dst = append(dst, narrow[1:1+n]...)
		narrow = narrow[1+n:]
	}
	dst = append(dst, h.DependencyID, byte(len(h.Dependency)))
	return append(dst, h.Dependency...)
}

// AbsSendTime is t on the 24-bit clock of the abs-send-time extension, 2^-18 s a tick.
func AbsSendTime(t time.Time) uint32 {
	seconds := uint64(t.Unix()) & 0x3F
	fraction := uint64(t.Nanosecond()) << 18 / uint64(time.Second)
	return uint32(seconds<<18 | fraction)
}
