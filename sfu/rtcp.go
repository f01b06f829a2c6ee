package sfu

import (
	"slices"
	"time"

	"github.com/pion/rtcp"

	"github.com/parleyrtc/parley/sfu/layer"
	"github.com/parleyrtc/parley/sfu/report"
	"github.com/parleyrtc/parley/sfu/transport"
)

// idleLine is how long after its last packet a line is still reported on.
const idleLine = 5 * time.Second

// maxChunks is how many sources one description tells of: 31 fit its count, and so few fit a datagram with other reports.
const maxChunks = 16

// RTCP takes what the client reports and asks for (transport.Sink).
func (p *participant) RTCP(now time.Time, packets []rtcp.Packet, out *transport.Batch) {
	defer p.recovered()
	for _, packet := range packets {
		switch packet := packet.(type) {
		case *rtcp.SenderReport:
			p.incoming.senderReport(now, packet)
			p.roundTrip(now, packet.Reports)
			p.losses(packet.Reports)
		case *rtcp.ReceiverReport:
			p.roundTrip(now, packet.Reports)
			p.losses(packet.Reports)
		case *transport.Arrivals:
			p.arrivals(now, packet.RawPacket)
		case *rtcp.TransportLayerNack:
			p.lost(now, packet, out)
		case *rtcp.PictureLossIndication:
			p.pictureLost(now, packet.MediaSSRC)
		case *rtcp.FullIntraRequest:
			for _, entry := range packet.FIR {
				p.pictureLost(now, entry.SSRC)
			}
		}
	}
}

// senderReport ties a publication's timestamps to its publisher's clock, and that clock to ours.
func (in *inbox) senderReport(at time.Time, sr *rtcp.SenderReport) {
	in.mu.Lock()
	defer in.mu.Unlock()
	e := in.sources[sr.SSRC]
	if e == nil || e.ssrc != sr.SSRC {
		return
	}
	in.clock.Observe(at, sr.NTPTime)
	e.line.SenderReport(sr.NTPTime, sr.RTPTime)
	e.books.SenderReport(at, sr.NTPTime)
}

// roundTrip smooths the round trip as TCP does (RFC 6298 §2.3).
func (p *participant) roundTrip(at time.Time, reports []rtcp.ReceptionReport) {
	for _, r := range reports {
		if sample, ok := report.RTT(at, r); ok {
			if old := p.rtt.Load(); old != 0 {
				sample = time.Duration(old + (int64(sample)-old)/8)
			}
			p.rtt.Store(int64(max(sample, 1)))
			return
		}
	}
}

func (p *participant) pictureLost(at time.Time, ssrc uint32) {
	l := (*p.lines.Load())[ssrc]
	if l == nil {
		return
	}
	p.room.sfu.metrics.pliIn.Inc()
	if s := l.current(); s != nil && p.room.open.Load() {
		p.sending.Lock()
		shown, ok := s.shown()
		p.sending.Unlock()
		if !ok {
			shown.Encoding = layer.All
		}
		s.publication.wantKeyframe(at, shown.Encoding, false)
	}
}

// report appends sender reports for the lines that are due. They are made on our clock: the publisher's own would pull
// the sound and the picture of two publishers apart by the difference of their clocks.
func (p *participant) report(now time.Time, dst []rtcp.Packet) []rtcp.Packet {
	p.sending.Lock()
	defer p.sending.Unlock()
	if c := p.outgoing.pace; c != nil {
		c.measure(c.advance(now), p.room.sfu.metrics)
	}
	var names []rtcp.SourceDescriptionChunk
	for _, l := range *p.lines.Load() {
		if l.carried != nil && l.assigned.Load() == nil {
			l.carried, l.told, l.origin, l.past = nil, nil, origin{}, [origins]origin{}
			l.numbers.Switch(0)
		}
		if l.reportAt.IsZero() || now.Before(l.reportAt) || now.Sub(l.sent) > idleLine {
			continue
		}
		l.reportAt = now.Add(reportSpacing)
		if !l.video {
			l.requests(&p.outgoing)
		}
		sr := l.books.Report(now, l.stream.SSRC, l.position(now))
		dst = append(dst, &sr)
		names = append(names, rtcp.SourceDescriptionChunk{Source: l.stream.SSRC,
			Items: []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: l.name}}})
	}
	for chunks := range slices.Chunk(names, maxChunks) {
		dst = append(dst, &rtcp.SourceDescription{Chunks: chunks})
	}
	return dst
}

// position is the line's timestamp for what its publisher captures now: known exactly once the publisher has reported, else
// guessed from the newest packet.
func (l *line) position(now time.Time) uint32 {
	if l.origin.encoding != nil {
		if timestamp, ok := l.origin.encoding.timestampAt(now, l.origin.epoch); ok {
			if timestamp, ok = l.numbers.TimestampOf(l.source, timestamp); ok {
				return timestamp
			}
		}
	}
	return l.numbers.Position(now)
}

// timestampAt is the publication's timestamp for what is captured at a time of our clock.
func (e *encoding) timestampAt(at time.Time, epoch uint64) (uint32, bool) {
	in := &e.publication.owner.incoming
	in.mu.Lock()
	defer in.mu.Unlock()
	if e.epoch != epoch {
		return 0, false
	}
	return e.line.TimestampAt(&in.clock, at, e.codec.ClockRate())
}
