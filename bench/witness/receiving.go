package witness

import (
	"encoding/binary"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/parleyrtc/parley/bench/verdict"
)

// incoming is one stream that a witness gets: what a slot carries. The witness's lock guards it.
type incoming struct {
	ssrc    uint32
	rate    int64
	begun   bool
	base    int64
	highest int64
	count   int64 // packets, each number once or more

	missing map[int64]*absence

	// for receiver reports
	reportedExpected, reportedReceived int64
	senderReport                       uint32
	senderReportAt                     time.Time
	jitter, transit                    float64
}

// absence is a packet that has not come.
type absence struct {
	asked time.Time
	times int
}

const (
	// headers are what a packet takes besides its UDP payload: those of IPv4 and UDP.
	headers = 20 + 8
	// mostAsks and mostMissing are libwebrtc's (NackRequester).
	mostAsks    = 10
	mostMissing = 1000
	// extended numbers begin here, so that none is below zero.
	firstExtended = 1 << 32
)

// number takes a sequence number in and returns the extended one.
func (s *incoming) number(sequence uint16) int64 {
	if !s.begun {
		s.begun = true
		s.base = firstExtended + int64(sequence)
		s.highest = s.base
		s.count = 1
		return s.highest
	}
	at := s.highest + int64(int16(sequence-uint16(s.highest)))
	if at > s.highest {
		for n := s.highest + 1; n < at && at-n < mostMissing; n++ {
			s.missing[n] = &absence{}
		}
		s.highest = at
	} else {
		delete(s.missing, at)
	}
	s.count++
	return at
}

// due are the packets that are to be asked for now: at once, and then once per round trip. lost says that one was given up.
func (s *incoming) due(now time.Time, roundTrip time.Duration) (ask []uint16, lost bool) {
	if len(s.missing) > mostMissing {
		clear(s.missing)
		return nil, true
	}
	for n, a := range s.missing {
		switch {
		case a.times == mostAsks:
			delete(s.missing, n)
			lost = true
		case a.times == 0 || now.Sub(a.asked) >= roundTrip:
			a.times++
			a.asked = now
			ask = append(ask, uint16(n))
		}
	}
	return ask, lost
}

// report is a report block (RFC 3550 §6.4.1).
func (s *incoming) report(now time.Time) rtcp.ReceptionReport {
	expected, received := s.highest-s.base+1, s.count
	wanted, got := expected-s.reportedExpected, received-s.reportedReceived
	s.reportedExpected, s.reportedReceived = expected, received
	r := rtcp.ReceptionReport{SSRC: s.ssrc, LastSequenceNumber: uint32(s.highest - firstExtended), Jitter: uint32(s.jitter)}
	if wanted > got && wanted > 0 {
		r.FractionLost = uint8(min((wanted-got)*256/wanted, 255))
	}
	r.TotalLost = uint32(max(0, min(expected-received, 0x7fffff)))
	if !s.senderReportAt.IsZero() {
		r.LastSenderReport = s.senderReport
		r.Delay = uint32(now.Sub(s.senderReportAt) * 65536 / time.Second)
	}
	return r
}

// take takes media off the port.
func (w *Witness) take(sealed []byte, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.ready() {
		return
	}
	if sealed[1] >= 192 && sealed[1] <= 223 { // RFC 5761 §4
		plain, err := w.in.DecryptRTCP(w.plain[:0], sealed, nil)
		if err != nil {
			w.tally.Unreadable++
			return
		}
		w.control(plain, at)
		return
	}
	var header rtp.Header
	plain, err := w.in.DecryptRTP(w.plain[:0], sealed, &header)
	if err != nil {
		w.tally.Unreadable++
		return
	}
	w.tally.Bytes += len(sealed) + headers
	w.tally.Packets++
	if id := w.answer.transportCC; id != 0 {
		if number := header.GetExtension(id); len(number) == 2 {
			w.arrivals.Record(header.SSRC, binary.BigEndian.Uint16(number), at.UnixMicro())
		}
	}
	payload := plain[header.MarshalSize():]
	if header.Padding && len(payload) > 0 {
		payload = payload[:max(0, len(payload)-int(payload[len(payload)-1]))]
	}
	w.packet(&header, payload, len(sealed)+headers, at)
}

// packet sorts one packet of media.
func (w *Witness) packet(header *rtp.Header, payload []byte, size int, at time.Time) {
	if header.PayloadType == rtxType {
		of := w.stream(w.answer.repairs[header.SSRC], rtxType)
		if len(payload) < 2 || of == nil {
			w.tally.Padding += size
			return
		}
		w.tally.Repairs++
		of.number(binary.BigEndian.Uint16(payload))
		w.video(of, payload[2:], at)
		return
	}
	s := w.stream(header.SSRC, header.PayloadType)
	sequence := s.number(header.SequenceNumber)
	s.arrival(header.Timestamp, at)
	if len(payload) == 0 {
		w.tally.Padding += size
		return
	}
	switch header.PayloadType {
	case vp8Type:
		w.video(s, payload, at)
	case opusType:
		w.hear(s, payload, sequence, false, at)
	case redType:
		w.redundant(s, payload, sequence, at)
	}
}

// stream finds or begins a stream; nil when there is none of the number 0.
func (w *Witness) stream(ssrc uint32, payloadType uint8) *incoming {
	s := w.streams[ssrc]
	if s == nil && ssrc != 0 {
		s = &incoming{ssrc: ssrc, rate: 48000, missing: map[int64]*absence{}}
		if payloadType == vp8Type || payloadType == rtxType {
			s.rate = 90000
		}
		w.streams[ssrc] = s
	}
	return s
}

// arrival measures the jitter of RFC 3550 §6.4.1.
func (s *incoming) arrival(timestamp uint32, at time.Time) {
	transit := float64(at.UnixMicro())/1e6*float64(s.rate) - float64(timestamp)
	d := transit - s.transit
	s.transit = transit
	if d < 0 {
		d = -d
	}
	if d < float64(s.rate) { // a wrapped timestamp, or a first one, says nothing
		s.jitter += (d - s.jitter) / 16
	}
}

func (w *Witness) video(s *incoming, payload []byte, at time.Time) {
	p, ok := verdict.ReadPiece(payload, at)
	if !ok {
		w.tally.Unreadable++
		return
	}
	if payload[1]&0x80 != 0 && payload[2]&0x80 != 0 {
		p.PictureID = binary.BigEndian.Uint16(payload[2:]) & 0x7fff
	}
	w.tally.Media += len(payload)
	e := w.eyes[p.Source]
	if e == nil {
		e = &sight{}
		w.eyes[p.Source] = e
	}
	e.ssrc = s.ssrc
	if len(e.Shown) == 0 && e.began.IsZero() {
		e.began = at
	}
	e.See(p)
}

func (w *Witness) hear(s *incoming, payload []byte, sequence int64, copied bool, at time.Time) {
	sound, ok := verdict.ReadSound(payload, at)
	if !ok {
		w.tally.Unreadable++
		return
	}
	sound.Sequence, sound.Copy = int64(s.ssrc)<<28+sequence-firstExtended, copied
	w.tally.Media += len(payload)
	w.sounds[sound.Source] = append(w.sounds[sound.Source], sound)
}

// redundant takes RED apart (RFC 2198 §3): headers of four bytes for the copies, one for the frame itself.
func (w *Witness) redundant(s *incoming, payload []byte, sequence int64, at time.Time) {
	var sizes []int
	rest := payload
	for len(rest) > 4 && rest[0]&0x80 != 0 {
		sizes = append(sizes, int(binary.BigEndian.Uint16(rest[2:])&0x3ff))
		rest = rest[4:]
	}
	if len(rest) < 1 {
		return
	}
	rest = rest[1:]
	for _, size := range sizes {
		if size > len(rest) {
			w.tally.Unreadable++
			return
		}
		if size > 0 {
			w.tally.Copies++
			w.hear(s, rest[:size], sequence, true, at)
		}
		rest = rest[size:]
	}
	if len(rest) > 0 {
		w.hear(s, rest, sequence, false, at)
	}
}

// control takes what the server reports and asks for.
func (w *Witness) control(plain []byte, at time.Time) {
	packets, err := rtcp.Unmarshal(plain)
	if err != nil {
		w.tally.Unreadable++
		return
	}
	for _, p := range packets {
		switch p := p.(type) {
		case *rtcp.SenderReport:
			if s := w.streams[p.SSRC]; s != nil {
				s.senderReport, s.senderReportAt = uint32(p.NTPTime>>16), at
			}
		case *rtcp.PictureLossIndication:
			w.keyframe(p.MediaSSRC)
		case *rtcp.FullIntraRequest:
			for _, entry := range p.FIR {
				w.keyframe(entry.SSRC)
			}
		case *rtcp.TransportLayerNack:
			for _, o := range w.sending {
				if o.track.ssrc != p.MediaSSRC || w.cfg.NoNACK {
					continue
				}
				for _, pair := range p.Nacks {
					for _, n := range pair.PacketList() {
						o.sendAgain(w, n, at)
					}
				}
			}
		}
	}
}

func (w *Witness) keyframe(ssrc uint32) {
	for _, o := range w.sending {
		if o.track.ssrc == ssrc && o.encoder != nil {
			o.encoder.wanted = true
			o.asked++
		}
	}
}
