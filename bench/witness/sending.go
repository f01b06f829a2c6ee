package witness

import (
	"math/rand/v2"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/parleyrtc/parley/bench/verdict"
)

const (
	// kept is how many packets of a stream can be sent again, over a second of the largest.
	kept = 1024
	// burst is what leaves at once: libwebrtc's pacer lets go what five milliseconds allow at two and a half times the rate.
	burst     = 5 * time.Millisecond
	paceTimes = 2.5
	// reportSpacing is how often senders and receivers report, as browsers do.
	reportSpacing = time.Second
	// soundBytes is an Opus frame of 20 ms of speech at 32 kbit/s.
	soundBytes = 80
	// silentBytes is the payload of somebody who does not speak: Opus says little of it.
	silentBytes = 40
)

// outgoing is one stream that a witness sends: a microphone, or one encoding of a camera. The witness's lock guards it.
type outgoing struct {
	track   *track
	mid     string
	rate    uint32 // of its timestamps
	encoder *encoder
	number  uint8  // of the encoding; 0 is the smallest
	paused  bool   // the server said that nobody watches
	before  []byte // the frame of sound before, for RED

	header   rtp.Header
	repair   rtp.Header
	queue    [][]byte // payloads that wait for the pacer; of a camera only
	stamps   []uint32 // their timestamps
	last     []bool   // they end a frame
	credit   float64  // bytes that may leave
	sent     [kept]packet
	packets  uint32
	octets   uint32
	reportAt time.Time
	asked    int // keyframes
	resent   int
}

// packet is one that may be sent again.
type packet struct {
	header  rtp.Header
	payload []byte
	sealed  []byte    // as it left
	again   time.Time // when it was sent again last
}

func newOutgoing(t *track, mid string, rate uint32) *outgoing {
	o := &outgoing{track: t, mid: mid, rate: rate}
	o.header = rtp.Header{Version: 2, SSRC: t.ssrc, SequenceNumber: uint16(rand.Uint32() & 0x7fff), PayloadType: vp8Type}
	if rate == 48000 {
		o.header.PayloadType = opusType
	}
	o.repair = rtp.Header{Version: 2, SSRC: t.repair, SequenceNumber: uint16(rand.Uint32() & 0x7fff), PayloadType: rtxType}
	for _, extension := range []struct {
		uri, value, repair string
	}{{uriMID, mid, uriMID}, {uriRID, t.rid, uriRepairedRID}} {
		if extension.value == "" {
			continue
		}
		_ = setExtension(&o.header, t.ids[extension.uri], []byte(extension.value))
		_ = setExtension(&o.repair, t.ids[extension.repair], []byte(extension.value))
	}
	return o
}

// setExtension sets a header extension that was negotiated.
func setExtension(h *rtp.Header, id uint8, value []byte) error {
	if id == 0 {
		return nil
	}
	return h.SetExtension(id, value)
}

// capture makes the frames of a camera that are due, and queues their packets.
func (o *outgoing) capture(w *Witness, frame uint32, captured time.Time) {
	if o.paused {
		o.encoder.begun = false // begins with a keyframe again
		return
	}
	img := o.encoder.encode(captured, frame)
	sizes := split(img.bytes, mostPayload)
	for i, size := range sizes {
		payload := make([]byte, max(size, vp8Prefix+verdict.VideoStamp))
		describe(payload, &img, i == 0, o.encoder.layers, o.encoder.size.Height)
		verdict.Piece{
			Source: w.cfg.Source, Encoding: o.number, Frame: img.frame, Refers: img.refers, Index: uint8(i), Count: uint8(len(sizes)),
			Temporal: img.layer, Height: uint16(o.encoder.size.Height), Captured: captured,
		}.Write(payload[vp8Prefix:])
		o.queue = append(o.queue, payload)
		o.stamps = append(o.stamps, o.timestamp(w, captured))
		o.last = append(o.last, i == len(sizes)-1)
	}
}

// timestamp is the RTP timestamp of a time; the encodings of a camera share it, as in libwebrtc.
func (o *outgoing) timestamp(w *Witness, at time.Time) uint32 {
	return w.stampBase + uint32(int64(at.Sub(w.epoch))/1000*int64(o.rate)/1e6)
}

// pace sends what the pacer lets go.
func (o *outgoing) pace(w *Witness, passed time.Duration) {
	allowed := float64(o.encoder.size.Rate) / 8 * paceTimes
	o.credit = min(o.credit+allowed*passed.Seconds(), allowed*2*burst.Seconds()+mostPayload)
	for len(o.queue) > 0 && o.credit >= float64(len(o.queue[0])) {
		o.credit -= float64(len(o.queue[0]))
		o.header.Timestamp, o.header.Marker = o.stamps[0], o.last[0]
		o.send(w, o.queue[0])
		o.queue, o.stamps, o.last = o.queue[1:], o.stamps[1:], o.last[1:]
	}
}

// send numbers a packet, keeps it and sends it.
func (o *outgoing) send(w *Witness, payload []byte) {
	o.header.SequenceNumber++
	o.packets++
	o.octets += uint32(len(payload))
	sealed := w.seal(&o.header, o.track.ids[uriTransportCC], payload)
	o.sent[o.header.SequenceNumber%kept] = packet{header: o.header.Clone(), payload: payload, sealed: sealed}
}

// sendAgain answers a NACK: by RTX (RFC 4588), or with the packet as it was. Like libwebrtc (RtpPacketHistory) it sends no packet
// again that it has sent again less than a round trip and 5 ms ago.
func (o *outgoing) sendAgain(w *Witness, sequence uint16, now time.Time) {
	p := &o.sent[sequence%kept]
	if p.payload == nil || p.header.SequenceNumber != sequence || now.Sub(p.again) < w.cfg.RoundTrip {
		return
	}
	p.again = now
	o.resent++
	if o.track.repair == 0 || o.track.repairPT == 0 {
		w.port.send(p.sealed) // the same bytes: a new transport-wide number would be another packet under the same nonce
		return
	}
	o.repair.SequenceNumber++
	o.repair.Timestamp, o.repair.Marker = p.header.Timestamp, p.header.Marker
	w.seal(&o.repair, o.track.ids[uriTransportCC], append([]byte{byte(sequence >> 8), byte(sequence)}, p.payload...))
}

// report is a sender report.
func (o *outgoing) report(w *Witness, now time.Time) []rtcp.Packet {
	if now.Before(o.reportAt) || o.packets == 0 {
		return nil
	}
	o.reportAt = now.Add(reportSpacing)
	return []rtcp.Packet{
		&rtcp.SenderReport{SSRC: o.track.ssrc, NTPTime: ntp(now), RTPTime: o.timestamp(w, now), PacketCount: o.packets, OctetCount: o.octets},
		&rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{{Source: o.track.ssrc,
			Items: []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: "witness"}}}}},
	}
}

// ntp is a time as RTCP writes it: seconds since 1900 in 32.32 fixed point.
func ntp(t time.Time) uint64 {
	ns := uint64(t.UnixNano())
	return (ns/1e9+2208988800)<<32 | (ns%1e9)<<32/1e9
}

// vp8Prefix is the payload descriptor (RFC 7741 §4.2) with all its fields, and room for the header of a keyframe.
const vp8Prefix = 6 + 10

// describe writes the VP8 descriptor and, on the first packet, the beginning of the frame (RFC 6386 §9.1).
func describe(payload []byte, img *image, first, layers bool, height int) {
	payload[0], payload[1] = 0x80, 0x80 // X; I
	payload[2], payload[3] = 0x80|byte(img.picture>>8), byte(img.picture)
	if layers {
		payload[1] = 0xe0 // I, L, T
		payload[4], payload[5] = img.tl0, img.layer<<6
		if img.sync && img.layer > 0 {
			payload[5] |= 0x20
		}
	}
	if !first {
		return
	}
	payload[0] |= 0x10
	frame := payload[4:]
	if layers {
		frame = payload[6:]
	}
	frame[0] = 0x11
	if img.key() {
		width := height * 16 / 9
		copy(frame, []byte{0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, byte(width), byte(width >> 8), byte(height), byte(height >> 8)})
	}
}
