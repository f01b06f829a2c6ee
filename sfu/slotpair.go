package sfu

import (
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/parleyrtc/parley/sfu/munge"
	"github.com/parleyrtc/parley/sfu/nack"
	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/report"
	"github.com/parleyrtc/parley/sfu/transport"
)

// slotPair is an audio and a video line that carry one participant, in one MediaStream of the client.
type slotPair struct{ audio, video *line }

// clear takes both lines off what they carry. The room's lock is held.
func (s *slotPair) clear() {
	s.audio.carry(nil)
	s.video.carry(nil)
}

// subscription is one publication carried into one line. It never changes: another publication is another subscription.
type subscription struct {
	publication *publication
	line        *line
}

// line is one m-line that we send on, a slot.
type line struct {
	// Set at construction.
	to     *participant
	video  bool
	name   string            // of the MediaStream, our CNAME in reports
	stream *transport.Stream // nil: nothing was agreed on for this m-line, it stays silent

	pair int // guarded by room.mu

	agreed   atomic.Pointer[agreement]
	assigned atomic.Pointer[subscription] // written with room.mu held

	// Guarded by to.sending.
	numbers    *munge.Stream
	carried    *subscription
	epoch      uint64 // of carried
	source     munge.Source
	begun      beginning
	repairs    int64 // number of the last RTX packet, extended
	answers    nack.Limiter
	books      report.Sender
	used       *agreement
	usedFrom   int64           // outgoing number with which it came into use
	codec      transport.Codec // of what is carried; payload type 0: the client cannot decode it
	tuned      *agreement      // that codec is by
	asked      time.Time       // for a keyframe
	complained time.Time
	reportAt   time.Time // zero: nothing sent yet
	sent       time.Time
}

// agreement is what one answer says about a line. It never changes.
type agreement struct {
	codecs [packet.AV1 + 1]transport.Codec // by codec; payload type 0: the client cannot decode it
	h264   [8]transport.Codec              // all formats of H.264, in the client's order
	level  uint8                           // extension id
}

// codec is what a stream is sent as; payload type 0: the client cannot decode it.
func (a *agreement) codec(m *media) (found transport.Codec) {
	if m.codec != packet.H264 {
		return a.codecs[m.codec]
	}
	for _, c := range a.h264 {
		switch {
		case c.PayloadType == 0:
			return found
		case c.H264 == m.h264:
			return c
		case found.PayloadType == 0 && c.H264.Decodes(m.h264):
			found = c
		}
	}
	return found
}

func newLine(p *participant, pair int, video bool, name string, stream *transport.Stream) *line {
	rate := packet.Opus.ClockRate()
	if video {
		rate = packet.VP8.ClockRate()
	}
	return &line{
		to: p, pair: pair, video: video, name: name, stream: stream,
		repairs: rand.Int64N(1 << 15), // RFC 3711 §3.3.1, see munge.Config
		numbers: munge.New(munge.Config{
			ClockRate: rate, Video: video, Sequence: uint16(rand.Uint32()), Timestamp: rand.Uint32(),
		}),
	}
}

// negotiated takes over what an answer says.
func (l *line) negotiated(s *transport.Section) {
	a := &agreement{level: s.Extensions.AudioLevel}
	for c := packet.Opus; c <= packet.AV1; c++ {
		if c.Video() == l.video {
			a.codecs[c], _ = s.Find(c)
		}
	}
	if l.video {
		h264 := a.h264[:0]
		for _, c := range s.Codecs {
			if c.Codec == packet.H264 && len(h264) < len(a.h264) {
				h264 = append(h264, c)
			}
		}
	}
	if old := l.agreed.Load(); old == nil || *old != *a {
		l.agreed.Store(a)
	}
}

func (l *line) current() *subscription { return l.assigned.Load() }

// carry puts a publication on the line, nil for none. The room's lock is held.
func (l *line) carry(pub *publication) {
	if l.stream == nil {
		return
	}
	old := l.assigned.Load()
	if old != nil && old.publication == pub || old == nil && pub == nil {
		return
	}
	if old != nil {
		old.publication.unsubscribe(old)
	}
	if pub == nil {
		l.assigned.Store(nil)
		return
	}
	s := &subscription{publication: pub, line: l}
	l.assigned.Store(s)
	pub.subscribe(s)
	if l.to.connected && l.to.room.open.Load() {
		pub.wantKeyframe(time.Now(), true)
	}
}
