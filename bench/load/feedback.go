package load

import (
	"encoding/binary"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
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
func (p *Publisher) report(now time.Duration) {
	st := &p.streams[Server]
	if p.route != Server || now < p.reportAt || st.packets == 0 {
		return
	}
	p.reportAt = now + reportSpacing
	rate := int64(90000)
	if p.pattern.Audio {
		rate = 48000
	}
	compound := []rtcp.Packet{
		&rtcp.SenderReport{SSRC: st.header.SSRC, NTPTime: ntp(time.Now()), PacketCount: uint32(st.packets), OctetCount: st.octets,
			RTPTime: uint32(int64(now-p.phase) / 1000 * rate / 1e6)},
		&rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{{Source: st.header.SSRC,
			Items: []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: "load"}}}}},
	}
	if raw, err := rtcp.Marshal(compound); err == nil {
		p.port.sendControl(raw)
	}
}

// arrived notes a packet's transport-wide sequence number.
func (s *Subscriber) arrived(b []byte, ssrc uint32, at int64) {
	var h rtp.Header
	if _, err := h.Unmarshal(b); err != nil {
		return
	}
	if ext := h.GetExtension(s.transportCC); len(ext) == 2 {
		s.arrivals.Record(ssrc, binary.BigEndian.Uint16(ext), at/1000)
	}
}

// report sends receiver reports once a second and transport-wide feedback ten times a second.
func (s *Subscriber) report(now time.Duration) {
	if now >= s.reportAt {
		s.reportAt = now + reportSpacing
		s.receiverReport(time.Now().UnixNano())
	}
	if s.transportCC != 0 && now >= s.feedbackAt {
		s.feedbackAt = now + feedbackSpacing
		packets := s.arrivals.BuildFeedbackPacket()
		if len(packets) == 0 {
			return
		}
		if raw, err := rtcp.Marshal(packets); err == nil {
			s.port.sendControl(raw)
		}
	}
}

// receiverReport tells of every stream from the server.
func (s *Subscriber) receiverReport(at int64) {
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

// rtcp takes sender reports, so that ours can say how long ago they came.
func (s *Subscriber) rtcp(b []byte, at int64) {
	if !s.port.ready() {
		return
	}
	plain, err := s.port.in.DecryptRTCP(s.engine.plain[:0], b, nil)
	if err != nil {
		s.port.errors++
		return
	}
	packets, err := rtcp.Unmarshal(plain)
	if err != nil {
		s.port.errors++
		return
	}
	s.controls++
	for _, packet := range packets {
		sr, ok := packet.(*rtcp.SenderReport)
		if !ok {
			continue
		}
		if f := s.received[Server].flows[sr.SSRC]; f != nil {
			f.senderReport, f.senderReportAt = uint32(sr.NTPTime>>16), at
		}
	}
}
