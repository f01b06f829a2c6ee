package packet

import "encoding/binary"

// LayersAV1 reads the layers of a frame from the OBU extension header of the packet's first OBU (AV1 bitstream §5.3.3). It
// is false when the packet continues an OBU or the stream has no layers.
func LayersAV1(payload []byte) (spatial, temporal uint8, ok bool) {
	const (
		continues    = 0x80
		hasExtension = 0x04
		frameHeader  = 3 // types below it, sequence headers and delimiters, belong to all layers
	)
	if len(payload) < 2 || payload[0]&continues != 0 {
		return 0, 0, false
	}
	count := int(payload[0] >> 4 & 0x03)
	b := payload[1:]
	for i := 1; len(b) > 0; i++ {
		n, size := len(b), 0
		if i != count { // All but the last of a counted list carry their length.
			if n, size = leb128(b); size == 0 || n > len(b)-size {
				return 0, 0, false
			}
		}
		b = b[size:]
		if n >= 2 && b[0]&hasExtension != 0 {
			return b[1] >> 3 & 0x03, b[1] >> 5, true
		}
		if n > 0 && b[0]>>3&0x0F >= frameHeader {
			return 0, 0, false
		}
		b = b[n:]
	}
	return 0, 0, false
}

// nalPrefix is the NAL unit that stands in front of a base layer's slice and tells its temporal layer (RFC 6190 §1.1.3).
const nalPrefix = 14

// LayersH264 reads the temporal layer from the prefix NAL unit that an encoder with temporal layers puts in front of each
// picture. It is false when the packet has none.
func LayersH264(payload []byte) (temporal uint8, ok bool) {
	if len(payload) < 1 {
		return 0, false
	}
	switch payload[0] & 0x1F {
	case nalPrefix:
		return prefixLayer(payload)
	case nalSTAPA:
		for b := payload[1:]; len(b) > 2; {
			n := int(binary.BigEndian.Uint16(b))
			if b = b[2:]; n == 0 || n > len(b) {
				return 0, false
			}
			if b[0]&0x1F == nalPrefix {
				return prefixLayer(b[:n])
			}
			b = b[n:]
		}
	}
	return 0, false
}

// prefixLayer reads temporal_id of nal_unit_header_svc_extension (H.264 §G.7.3.1.1); the first of its bits tells it from
// the multiview one.
func prefixLayer(nal []byte) (temporal uint8, ok bool) {
	if len(nal) < 4 || nal[1]&0x80 == 0 {
		return 0, false
	}
	return nal[3] >> 5, true
}

// DiscardableH264 says that no other picture refers to what the packet carries (nal_ref_idc is 0, RFC 6184 §1.3).
func DiscardableH264(payload []byte) bool {
	if len(payload) < 1 {
		return false
	}
	if t := payload[0] & 0x1F; t == 0 || t == nalPrefix {
		return false
	}
	return payload[0]&0x60 == 0
}
