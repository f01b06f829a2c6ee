package load

import (
	"encoding/binary"
	"time"

	"github.com/pion/rtcp"
)

const (
	// reportSpacing is how often senders and receivers report, as browsers do.
	reportSpacing = time.Second
	// feedbackSpacing is how often transport-wide feedback goes out, as browsers do at these rates.
	feedbackSpacing = 100 * time.Millisecond
	// reportBlocks is how many streams fit into one receiver report (RFC 3550 §6.4.2).
	reportBlocks = 31
)

// ntp is a time as RTCP writes it: seconds since 1900 in 32.32 fixed point.
func ntp(t time.Time) uint64 {
	ns := uint64(t.UnixNano())
	return (ns/1e9+2208988800)<<32 | (ns%1e9)<<32/1e9
}

// report sends a sender report once a second while media goes to the server.
func (p *publisher) report(now time.Duration) {
	st := &p.streams[Server]
	if p.route != Server || now < p.reportAt || st.packets == 0 {
		return
	}
	p.reportAt = now + reportSpacing
	compound := []rtcp.Packet{
		&rtcp.SenderReport{SSRC: st.header.SSRC, NTPTime: ntp(time.Now()), PacketCount: uint32(st.packets), OctetCount: st.octets,
			RTPTime: uint32(int64(now-p.phase) / 1000 * p.clockRate() / 1e6)},
		&rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{{Source: st.header.SSRC,
			Items: []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: "load"}}}}},
	}
	if raw, err := rtcp.Marshal(compound); err == nil {
		p.port.sendControl(raw)
	}
}

// arrived notes a packet's transport-wide sequence number.
func (s *subscriber) arrived(b []byte, ssrc uint32, at int64) {
	if number := extension(b, s.transportCC); len(number) == 2 {
		s.arrivals.Record(ssrc, binary.BigEndian.Uint16(number), at/1000)
	}
}

// extension is the content of a packet's header extension (RFC 8285 §4.2 and §4.3), nil if it is not there. The packet has
// at least 12 bytes.
func extension(b []byte, id uint8) []byte {
	at := 12 + 4*int(b[0]&0x0f)
	if b[0]&0x10 == 0 || len(b) < at+4 {
		return nil
	}
	profile := binary.BigEndian.Uint16(b[at:])
	end := at + 4 + 4*int(binary.BigEndian.Uint16(b[at+2:]))
	twoBytes := profile&0xfff0 == 0x1000
	if end > len(b) || profile != 0xbede && !twoBytes {
		return nil
	}
	for at += 4; at < end; {
		if b[at] == 0 { // padding
			at++
			continue
		}
		found, size := b[at]>>4, int(b[at]&0x0f)+1
		if at++; twoBytes {
			if at == end {
				return nil
			}
			found, size = b[at-1], int(b[at])
			at++
		} else if found == 15 { // the end, whatever follows
			return nil
		}
		if at+size > end {
			return nil
		}
		if found == id {
			return b[at : at+size]
		}
		at += size
	}
	return nil
}

// report sends receiver reports once a second and transport-wide feedback ten times a second.
func (s *subscriber) report(now time.Duration) {
	if now >= s.reportAt {
		s.reportAt = now + reportSpacing
		s.receiverReport(time.Now().UnixNano())
	}
	if s.transportCC != 0 && now >= s.feedbackAt {
		s.feedbackAt = now + feedbackSpacing
		for _, packet := range s.arrivals.BuildFeedbackPacket() { // one by one: each may be as long as a datagram
			if raw, err := packet.Marshal(); err == nil {
				s.port.sendControl(raw)
			}
		}
	}
}

// receiverReport tells of every stream from the server.
func (s *subscriber) receiverReport(at int64) {
	rr := &rtcp.ReceiverReport{SSRC: s.sender}
	for _, f := range s.received[Server].flows {
		if len(rr.Reports) < reportBlocks {
			rr.Reports = append(rr.Reports, f.report(at))
		}
	}
	if len(rr.Reports) == 0 {
		return
	}
	if raw, err := rtcp.Marshal([]rtcp.Packet{rr}); err == nil {
		s.port.sendControl(raw)
	}
}

// report is a report block (RFC 3550 §6.4.1 and appendix A.3).
func (f *flow) report(at int64) rtcp.ReceptionReport {
	expected, received := f.expected(), f.received
	wanted, got := expected-f.reportedExpected, received-f.reportedReceived
	f.reportedExpected, f.reportedReceived = expected, received
	r := rtcp.ReceptionReport{SSRC: f.ssrc, LastSequenceNumber: uint32(f.highest), Jitter: uint32(f.jitter.value)}
	if wanted > got {
		r.FractionLost = uint8(min((wanted-got)*256/wanted, 255))
	}
	if expected > received {
		r.TotalLost = uint32(min(expected-received, 0x7fffff))
	}
	if f.senderReportAt != 0 {
		r.LastSenderReport = f.senderReport
		r.Delay = uint32((at - f.senderReportAt) * 65536 / 1e9)
	}
	return r
}

// senderReport notes the newest report on a stream, so that ours can say how long ago it came.
func (s *subscriber) senderReport(sr *rtcp.SenderReport, at int64) {
	if f := s.received[Server].flows[sr.SSRC]; f != nil {
		f.senderReport, f.senderReportAt = uint32(sr.NTPTime>>16), at
	}
}
