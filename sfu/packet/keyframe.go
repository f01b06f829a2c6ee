package packet

import "encoding/binary"

// Keyframe says whether payload is the first packet of a frame that a decoder can start with. For H.264 the parameter sets
// in front of an IDR picture count as its start, so that a stream begun there is complete.
func Keyframe(c Codec, payload []byte) bool {
	switch c {
	case VP8:
		var d VP8Descriptor
		return ParseVP8(payload, &d) && d.Keyframe
	case VP9:
		return keyframeVP9(payload)
	case H264:
		return keyframeH264(payload)
	case AV1:
		return keyframeAV1(payload)
	}
	return false
}

// keyframeVP9 walks the payload descriptor of RFC 9628 §4.2 to the frame's own header: P alone also marks intra-only frames,
// and some senders in flexible mode never set it.
func keyframeVP9(b []byte) bool {
	const (
		hasPictureID = 0x80
		predicted    = 0x40
		hasLayers    = 0x20
		flexible     = 0x10
		start        = 0x08
		hasStructure = 0x02
	)
	if len(b) < 1 || b[0]&start == 0 || b[0]&predicted != 0 {
		return false
	}
	flags, at := b[0], 1
	if flags&hasPictureID != 0 {
		if at >= len(b) {
			return false
		}
		at += 1 + int(b[at]>>7)
	}
	if flags&hasLayers != 0 {
		if at >= len(b) || b[at]>>1&0x07 != 0 { // A picture starts with its lowest spatial layer.
			return false
		}
		at++
		if flags&flexible == 0 {
			at++ // TL0PICIDX
		}
	}
	if flags&hasStructure != 0 {
		if at = skipStructureVP9(b, at); at < 0 {
			return false
		}
	}
	return at < len(b) && keyframeHeaderVP9(b[at])
}

// keyframeHeaderVP9 reads the first byte of the uncompressed header (VP9 bitstream §6.2): frame marker 2, then profile,
// show_existing_frame, frame_type. Profile 3 has one reserved bit more.
func keyframeHeaderVP9(b byte) bool {
	if b>>6 != 2 {
		return false
	}
	if b&0x30 == 0x30 {
		return b&0x06 == 0
	}
	return b&0x0C == 0
}

// skipStructureVP9 returns where the scalability structure that starts at ends, or -1 when it leaves b.
func skipStructureVP9(b []byte, at int) int {
	if at >= len(b) {
		return -1
	}
	head := b[at]
	at++
	if head&0x10 != 0 { // Y: width and height of each spatial layer
		at += 4 * (int(head>>5) + 1)
	}
	if head&0x08 == 0 { // G
		return at
	}
	if at >= len(b) {
		return -1
	}
	pictures := int(b[at])
	at++
	for range pictures {
		if at >= len(b) {
			return -1
		}
		at += 1 + int(b[at]>>2&0x03)
	}
	return at
}

// NAL unit types of RFC 6184 §5.2.
const (
	nalIDR   = 5
	nalSPS   = 7
	nalSTAPA = 24
	nalFUA   = 28
)

func keyframeH264(b []byte) bool {
	if len(b) < 2 {
		return false
	}
	switch t := b[0] & 0x1F; t {
	case nalIDR, nalSPS:
		return true
	case nalSTAPA:
		for b = b[1:]; len(b) > 2; {
			n := int(binary.BigEndian.Uint16(b))
			if b = b[2:]; n == 0 || n > len(b) {
				return false
			}
			if t := b[0] & 0x1F; t == nalIDR || t == nalSPS {
				return true
			}
			b = b[n:]
		}
	case nalFUA:
		t := b[1] & 0x1F
		return b[1]&0x80 != 0 && (t == nalIDR || t == nalSPS)
	}
	return false
}

// keyframeAV1 looks at the aggregation header of the AV1 RTP specification §4.4: N opens a coded video sequence, which has
// its sequence header in the same packet, and Z would continue an older fragment.
func keyframeAV1(b []byte) bool {
	const (
		continues      = 0x80
		newSequence    = 0x08
		sequenceHeader = 1
	)
	if len(b) < 2 || b[0]&continues != 0 || b[0]&newSequence == 0 {
		return false
	}
	count := int(b[0] >> 4 & 0x03)
	b = b[1:]
	for i := 1; len(b) > 0; i++ {
		n, size := len(b), 0
		if i != count { // All but the last of a counted list carry their length.
			if n, size = leb128(b); size == 0 || n > len(b)-size {
				return false
			}
		}
		b = b[size:]
		if n > 0 && b[0]>>3&0x0F == sequenceHeader {
			return true
		}
		b = b[n:]
	}
	return false
}

// leb128 reads an unsigned number of at most 4 bytes, which is more than a packet can hold. Size 0: malformed.
func leb128(b []byte) (n, size int) {
	for i := 0; i < len(b) && i < 4; i++ {
		n |= int(b[i]&0x7F) << (7 * i)
		if b[i]&0x80 == 0 {
			return n, i + 1
		}
	}
	return 0, 0
}
