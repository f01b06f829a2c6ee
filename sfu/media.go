package sfu

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/parleyrtc/parley/sfu/munge"
	"github.com/parleyrtc/parley/sfu/packet"
)

// maxPayload is the longest RTP payload that is forwarded, in bytes: more does not fit an Ethernet frame.
const maxPayload = 1500

// media is one packet on its way from a publication to the subscriptions. All share it; nobody writes to it once it is
// queued. The last one to release it gives it back to the pool.
type media struct {
	references atomic.Int32

	publication *publication
	epoch       uint64 // see publication
	codec       packet.Codec
	h264        packet.H264Format
	sequence    int64
	timestamp   uint32
	arrived     time.Time
	marker      bool
	start       bool // first packet of a keyframe

	audioLevel           uint8
	voice, hasAudioLevel bool

	hasVP8 bool
	vp8    packet.VP8Descriptor

	payload []byte // in data
	data    [maxPayload]byte
}

var mediaPool = sync.Pool{New: func() any { return new(media) }}

// newMedia returns an empty packet with one reference.
func newMedia() *media {
	m := mediaPool.Get().(*media)
	m.references.Store(1)
	return m
}

func (m *media) release() {
	if m.references.Add(-1) == 0 {
		m.publication = nil
		mediaPool.Put(m)
	}
}

// in is the packet as a line's renumbering sees it.
func (m *media) in(source munge.Source) munge.In {
	in := munge.In{Source: source, Sequence: m.sequence, Timestamp: m.timestamp, Arrived: m.arrived, Start: m.start}
	if m.hasVP8 {
		in.VP8 = &m.vp8
	}
	return in
}
