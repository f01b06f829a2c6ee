package packet

import "encoding/binary"

// HeaderSize is the length of an RTP header with its CSRCs and extensions in bytes, 0 when b does not begin with one. Unlike
// Parse it needs nothing to be decrypted.
func HeaderSize(b []byte) int {
	if len(b) < fixedHeader || b[0]>>6 != 2 {
		return 0
	}
	n := fixedHeader + 4*int(b[0]&0x0F)
	if b[0]&0x10 != 0 {
		if len(b) < n+4 {
			return 0
		}
		n += 4 + 4*int(binary.BigEndian.Uint16(b[n+2:]))
	}
	if len(b) < n {
		return 0
	}
	return n
}
