package sfu

import (
	"github.com/parleyrtc/parley/sfu/history"
	"github.com/parleyrtc/parley/sfu/layer"
	"github.com/parleyrtc/parley/sfu/munge"
	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/red"
)

const (
	// maxPayload is the longest RTP payload that is forwarded, in bytes: more does not fit an Ethernet frame.
	maxPayload = 1500
	// maxDescriptor is the longest dependency descriptor that a header extension carries, in bytes (RFC 8285 §4.3), and what a
	// receiver of a part is told more.
	maxDescriptor = 255 + 5
	// maxRun is how many packets go their way together: some frames of video. Whoever else sends waits for no more.
	maxRun = 64
)

// media is one packet on its way from a publication to its subscribers. Its payload is lent.
type media struct {
	encoding *encoding
	epoch    uint64 // see encoding
	index    uint8  // of encoding
	codec    packet.Codec
	h264     packet.H264Format

	in     munge.In // its source and VP8 indices are set by each line in turn
	marker bool
	late   bool // packets that were sent after it have come before it

	// Of video.
	facts      layer.Packet
	arriving   uint8  // a bit for each of the publication's encodings, by index
	dependency []byte // the descriptor as it came; empty when there is none that can be read

	audioLevel           uint8
	voice, hasAudioLevel bool

	unheard bool   // its microphone is off the stage
	stretch uint64 // how often its microphone has come onto it

	redundant bool // the payload has copies of earlier sounds (RFC 2198)
	red       red.Payload
	looked    bool // copies has been filled, with the sounds before this one
	copies    [red.MaxDistance]red.Copy

	payload []byte
	spare   int    // bytes of capacity behind payload that may be written to
	sent    []byte // payload with the padding that evens it out
}

// fill makes m the packet that p describes; m must not move after that. The inbox's lock is held.
func (m *media) fill(e *encoding, p *history.Packet) {
	m.encoding, m.epoch, m.index, m.codec, m.h264 = e, e.epoch, e.index, e.codec, e.h264
	m.in = munge.In{Sequence: p.Sequence, Timestamp: p.Timestamp, Arrived: p.Arrived, Start: p.Keyframe}
	m.marker, m.late = p.Marker, false
	m.unheard, m.stretch = false, 0
	if m.redundant = false; !e.publication.video {
		m.unfold(p.Payload, e.publication.owner.incoming.codecs[p.PayloadType].Redundant)
	}
	m.audioLevel, m.voice, m.hasAudioLevel = p.AudioLevel, p.Voice, p.HasAudioLevel
	m.payload, m.sent, m.spare = p.Payload, p.Payload, 0
	m.dependency = p.Dependency
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
	unheard     int // of them: they go to nobody
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
	r.parts = append(r.parts, part{publication: pub, packets: 1})
	return &r.packets[n]
}

// maxEven is by how many bytes a packet is lengthened at most. Encoders split a frame into packets that differ by one.
const maxEven = 8

// even lengthens packets to the length of their frame's longest, by RTP padding (RFC 3550 §5.1). The kernel cuts a train into
// datagrams of one length, of which only the last may be shorter: what differs by a byte would go as two trains, and each costs
// as much as some packets do. All receivers share the padding. The inbox's lock is held.
func (r *run) even() {
	for from, to := 0, 0; from < len(r.packets); from = to {
		first, longest := &r.packets[from], 0
		for to = from; to < len(r.packets); to++ {
			m := &r.packets[to]
			if m.encoding != first.encoding || m.in.Timestamp != first.in.Timestamp || m.epoch != first.epoch {
				break
			}
			longest = max(longest, len(m.payload))
		}
		if !first.encoding.publication.video {
			continue
		}
		for i := from; i < to-1; i++ {
			if m := &r.packets[i]; len(m.payload) > 0 {
				m.pad(longest - len(m.payload))
			}
		}
	}
}

// pad puts padding behind the payload, if there is room. A repetition without RTX must have it, too.
func (m *media) pad(n int) {
	if n == 0 || n > min(maxEven, m.spare) {
		return
	}
	m.sent = appendPadding(m.payload[:len(m.payload):len(m.payload)+n], n)
	if p, ok := m.encoding.history.Get(m.in.Sequence); ok {
		p.Padding = uint8(n)
	}
}

// appendPadding appends n bytes of RTP padding, the last of which counts them.
func appendPadding(b []byte, n int) []byte {
	for range n - 1 {
		b = append(b, 0)
	}
	return append(b, byte(n))
}
