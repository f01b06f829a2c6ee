package transport

import (
	"encoding/binary"
	"errors"

	"github.com/pion/rtcp"
)

var errReport = errors.New("a packet of the compound says more than it has room for")

// appendReports appends to dst what somebody here reads of a compound packet. When a part of it is malformed, nothing of it
// counts.
func appendReports(dst []rtcp.Packet, compound []byte) ([]rtcp.Packet, error) {
	all := dst
	for len(compound) > 0 {
		var h rtcp.Header
		if err := h.Unmarshal(compound); err != nil {
			return dst, err
		}
		size := 4 * (int(h.Length) + 1)
		if size > len(compound) {
			return dst, errReport
		}
		if p := report(&h); p != nil {
			if _, ok := p.(*Arrivals); ok && !plausible(compound[:size]) {
				return dst, errReport
			}
			if err := p.Unmarshal(compound[:size]); err != nil {
				return dst, err
			}
			all = append(all, p)
		}
		compound = compound[size:]
	}
	return all, nil
}

// report is an empty packet of a type that has a reader, or nil.
func report(h *rtcp.Header) rtcp.Packet {
	switch h.Type {
	case rtcp.TypeSenderReport:
		return &rtcp.SenderReport{}
	case rtcp.TypeReceiverReport:
		return &rtcp.ReceiverReport{}
	case rtcp.TypeTransportSpecificFeedback:
		switch h.Count {
		case rtcp.FormatTLN:
			return &rtcp.TransportLayerNack{}
		case rtcp.FormatTCC:
			return &Arrivals{}
		}
	case rtcp.TypePayloadSpecificFeedback:
		switch h.Count {
		case rtcp.FormatPLI:
			return &rtcp.PictureLossIndication{}
		case rtcp.FormatFIR:
			return &rtcp.FullIntraRequest{}
		case rtcp.FormatREMB:
			return &rtcp.ReceiverEstimatedMaximumBitrate{}
		}
	}
	return nil
}

// Arrivals is a report of arrival times (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1) as it came, with room for all that it
// announces. The bytes are lent. They are most of what receivers send us, and pion would make an object for each time in them.
type Arrivals struct{ rtcp.RawPacket }

// Unmarshal implements rtcp.Packet. The bytes are kept, not copied.
func (a *Arrivals) Unmarshal(b []byte) error {
	a.RawPacket = b
	return nil
}

// DestinationSSRC implements rtcp.Packet.
func (a *Arrivals) DestinationSSRC() []uint32 {
	return []uint32{binary.BigEndian.Uint32(a.RawPacket[8:])}
}

// plausible says that a report of arrival times has room for the times that it announces.
func plausible(b []byte) bool {
	const head, chunk, mostInChunk = 20, 2, 14
	if len(b) < head {
		return false
	}
	packets, at, times := int(binary.BigEndian.Uint16(b[14:])), head, 0
	if packets > 1<<16-1-mostInChunk {
		return false
	}
	for told := 0; told < packets; at += chunk {
		if at+chunk > len(b) {
			return false
		}
		n, bytes := statuses(binary.BigEndian.Uint16(b[at:]), packets-told)
		told, times = told+n, times+bytes
	}
	return at+times <= len(b)
}

// statuses is how many packets a chunk tells of (§3.1.3, §3.1.4), at most so many, and how many bytes of times follow for them.
func statuses(chunk uint16, most int) (packets, bytes int) {
	size := func(symbol uint16) int { // of the time of one packet, in bytes
		switch symbol {
		case rtcp.TypeTCCPacketReceivedSmallDelta:
			return 1
		case rtcp.TypeTCCPacketReceivedLargeDelta:
			return 2
		}
		return 0
	}
	switch {
	case chunk&0x8000 == 0: // a run of one status
		packets = min(most, int(chunk&0x1fff))
		return packets, packets * size(chunk>>13&3)
	case chunk&0x4000 == 0: // 14 statuses of one bit
		for bit := range 14 {
			bytes += size(chunk >> bit & 1)
		}
		return 14, bytes
	default: // 7 of two bits
		for pair := range 7 {
			bytes += size(chunk >> (2 * pair) & 3)
		}
		return 7, bytes
	}
}
