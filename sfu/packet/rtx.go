package packet

import "encoding/binary"

// AppendRTX writes a retransmission payload after dst: the original sequence number, then the original payload
// (RFC 4588 §4).
func AppendRTX(dst []byte, original uint16, payload []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, original)
	return append(dst, payload...)
}

// UnwrapRTX turns a parsed retransmission into the packet it repeats, which was sent with ssrc and payloadType. It is false,
// and info unchanged, when nothing is repeated: a sender's probe of padding only, or a payload too short for the number.
func (info *Info) UnwrapRTX(ssrc uint32, payloadType uint8) bool {
	if len(info.Payload) <= 2 {
		return false
	}
	info.Sequence = binary.BigEndian.Uint16(info.Payload)
	info.Payload = info.Payload[2:]
	info.SSRC = ssrc
	info.PayloadType = payloadType
	return true
}
