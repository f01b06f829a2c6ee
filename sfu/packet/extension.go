package packet

import "encoding/binary"

// FindExtension is the value of the header extension with the given id, nil when the packet has none. It is for those that
// are too rare to have a place in Info; b must have passed Parse.
func FindExtension(b []byte, id uint8) []byte {
	if id == 0 || len(b) < fixedHeader || b[0]&0x10 == 0 {
		return nil
	}
	at := fixedHeader + 4*int(b[0]&0x0F)
	if len(b) < at+4 {
		return nil
	}
	profile := binary.BigEndian.Uint16(b[at:])
	end := at + 4 + 4*int(binary.BigEndian.Uint16(b[at+2:]))
	if len(b) < end {
		return nil
	}
	wide := profile&profileTwoByteMask == profileTwoByte
	if !wide && profile != profileOneByte {
		return nil
	}
	for block := b[at+4 : end]; len(block) > 0; {
		if block[0] == 0 {
			block = block[1:]
			continue
		}
		element, head, n := block[0], 2, 0
		switch {
		case !wide:
			element, head, n = block[0]>>4, 1, int(block[0]&0x0F)+1
			if element == 0 || element == 15 {
				return nil
			}
		case len(block) < 2:
			return nil
		default:
			n = int(block[1])
		}
		if n > len(block)-head {
			return nil
		}
		if element == id {
			return block[head : head+n : head+n]
		}
		block = block[head+n:]
	}
	return nil
}

// AppendWith writes the header after dst with one more extension, such as a dependency descriptor, of at most 255 bytes. It
// uses the one-byte form while value fits that, else the two-byte form, which receivers take that agreed to
// extmap-allow-mixed (RFC 8285 §6). A value of no or too many bytes is left out.
func (h *Header) AppendWith(dst []byte, id uint8, value []byte) []byte {
	if id == 0 || len(value) == 0 || len(value) > 255 {
		return h.Append(dst)
	}
	start := len(dst)
	bare := *h
	bare.MIDID, bare.TransportCCID, bare.AbsSendTimeID, bare.AudioLevelID = 0, 0, 0, 0
	dst = bare.Append(dst)
	dst[start] |= 0x10
	if len(value) <= maxElement && id < 15 {
		dst = binary.BigEndian.AppendUint32(dst, profileOneByte<<16)
		dst = h.appendElements(dst)
		dst = append(dst, id<<4|byte(len(value)-1))
		return closeBlock(append(dst, value...), start)
	}
	dst = binary.BigEndian.AppendUint32(dst, profileTwoByte<<16)
	var scratch [MaxHeaderSize]byte
	for narrow := h.appendElements(scratch[:0]); len(narrow) > 0; {
		n := int(narrow[0]&0x0F) + 1
		dst = append(dst, narrow[0]>>4, byte(n))
		dst = append(dst, narrow[1:1+n]...)
		narrow = narrow[1+n:]
	}
	dst = append(dst, id, byte(len(value)))
	return closeBlock(append(dst, value...), start)
}

// closeBlock pads the extension block of the header that starts at start, and writes its length.
func closeBlock(dst []byte, start int) []byte {
	block := start + fixedHeader + 4
	for (len(dst)-block)%4 != 0 {
		dst = append(dst, 0)
	}
	binary.BigEndian.PutUint16(dst[block-2:], uint16((len(dst)-block)/4))
	return dst
}
