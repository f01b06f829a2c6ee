package sfu

import (
	"github.com/parleyrtc/parley/sfu/history"
	"github.com/parleyrtc/parley/sfu/munge"
	"github.com/parleyrtc/parley/sfu/packet"
)

const (
	// maxPayload is the longest RTP payload that is forwarded, in bytes: more does not fit an Ethernet frame.
	maxPayload = 1500
	// maxRun is how many packets go their way together: some frames of video. Whoever else sends waits for no more.
	maxRun = 64
)

// media is one packet on its way from a publication to its subscribers. Its payload is lent.
type media struct {
	publication *publication
	epoch       uint64 // see publication
	codec       packet.Codec
	h264        packet.H264Format

	in     munge.In // its source is set by each line in turn
	vp8    packet.VP8Descriptor
	marker bool

	audioLevel           uint8
	voice, hasAudioLevel bool

	payload []byte
}

// fill makes m the packet that p describes; m must not move after that. The inbox's lock is held.
func (m *media) fill(pub *publication, p *history.Packet) {
	m.publication, m.epoch, m.codec, m.h264 = pub, pub.epoch, pub.codec, pub.h264
	m.in = munge.In{Sequence: p.Sequence, Timestamp: p.Timestamp, Arrived: p.Arrived, Start: p.Keyframe}
	m.marker = p.Marker
	m.audioLevel, m.voice, m.hasAudioLevel = p.AudioLevel, p.Voice, p.HasAudioLevel
	m.payload = p.Payload
	if pub.codec == packet.VP8 && packet.ParseVP8(p.Payload, &m.vp8) {
		m.in.VP8 = &m.vp8
	}
}

// run is packets that came together from one client. It belongs to the goroutine that received them, and is filled again and
// again.
type run struct {
	packets []media // in order of arrival
	parts   []part
	tally   tally
}

// part says how many packets of a run are of one publication.
type part struct {
	publication *publication
	packets     int
}

// begin empties the run and makes room for so many packets, so that none moves when another is added.
func (r *run) begin(packets int) {
	if cap(r.packets) < packets {
		size := 1
		for size < packets {
			size *= 2
		}
		r.packets = make([]media, 0, size)
	}
	r.packets, r.parts = r.packets[:0], r.parts[:0]
}

// add is the place of one more packet of a publication.
func (r *run) add(pub *publication) *media {
	n := len(r.packets)
	r.packets = r.packets[:n+1]
	for i := range r.parts {
		if r.parts[i].publication == pub {
			r.parts[i].packets++
			return &r.packets[n]
		}
	}
	r.parts = append(r.parts, part{pub, 1})
	return &r.packets[n]
}
