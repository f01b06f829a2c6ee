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

const (
	// askSpacing is how often a line that waits for a keyframe says so; the publication has its own, wider spacing.
	askSpacing = 200 * time.Millisecond
	// complainSpacing is how often a line that cannot decode says so.
	complainSpacing = time.Second
)

// origin is what a line's packets come from: their numbers have nothing to do with those of another origin.
type origin struct {
	encoding *encoding
	epoch    uint64 // of encoding
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
	origin     origin
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
	given      given
	reportAt   time.Time // zero: nothing sent yet
	sent       time.Time
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

// prepare makes o's packet of m, or says why not. The receiver's lock is held.
func (l *line) prepare(now time.Time, s *subscription, m *media, o *outbox) dropReason {
	if from := (origin{m.encoding, m.epoch}); l.carried != s || l.origin != from {
		if l.carried == s && l.origin.encoding == m.encoding && m.epoch < l.origin.epoch {
			return dropStale
		}
		l.turn(s, from)
	}
	if l.tuned != l.used {
		l.tune(m)
	}
	if l.codec.PayloadType == 0 {
		if now.Sub(l.complained) > complainSpacing && m.codec != packet.VP8 && m.codec.Video() {
			l.complained = now
			o.news.undecodable = true
		}
		return dropCodec
	}
	m.in.Source = l.source
	if len(m.payload) == 0 {
		l.numbers.Skip(&m.in)
		return dropPadding
	}
	switch l.numbers.Map(&m.in, &o.out) {
	case munge.Forward:
	case munge.Waiting:
		if now.Sub(l.asked) > askSpacing {
			l.asked = now
			s.publication.wantKeyframe(now, true)
		}
		return dropWaiting
	case munge.Duplicate:
		return dropDuplicate
	case munge.Other:
		return dropStale
	default:
		return dropLate
	}
	if o.out.Switched {
		l.began(s, o)
	}
	l.pack(m, o)
	return forwarded
}

// renew takes up the newest agreement, and notes since when it has been in use.
func (l *line) renew(o *outbox, now time.Time) {
	if a := l.agreed.Load(); a != l.used {
		l.used = a
		if a.transport != 0 && o.pace == nil && l.to.room.sfu.config.Pacing != transport.Off {
			o.pace = newPace(now, l.to)
		}
		if highest, ok := l.numbers.Highest(); ok {
			l.usedFrom = highest + 1
		}
	}
}

// turn makes an encoding's source and codec the next that the line carries.
func (l *line) turn(s *subscription, from origin) {
	l.carried, l.origin = s, from
	l.source++
	l.numbers.Switch(l.source)
	l.asked = time.Time{}
	l.tuned = nil
}

// tune finds what m's codec is sent as by the agreement in use.
func (l *line) tune(m *media) { l.codec, l.tuned = l.used.codec(m), l.used }

// began notes that the line carries something new from this packet on.
func (l *line) began(s *subscription, o *outbox) {
	l.begun = beginning{s, o.out.Timestamp}
	o.news.begun = true
	if l.video && !o.settled {
		o.settled = true
		o.news.settled = true
	}
}

// pack makes o's packet of m and its numbers in o. It is the same for the same packet and numbers, whenever it is made: a
// repetition without RTX must be identical.
func (l *line) pack(m *media, o *outbox) {
	h := &o.packet.Header
	h.Marker, h.PayloadType, h.SSRC = m.marker, l.codec.PayloadType, l.stream.SSRC
	h.Sequence, h.Timestamp = uint16(o.out.Sequence), o.out.Timestamp
	h.AudioLevelID = 0
	if m.hasAudioLevel {
		h.AudioLevelID, h.AudioLevel, h.Voice = l.used.level, m.audioLevel, m.voice
	}
	o.packet.Stream, o.packet.Index = l.stream, o.out.Sequence
	h.Padding = len(m.sent) > len(m.payload)
	o.packet.Head, o.packet.Payload = nil, m.sent
	if o.out.Patch {
		n := copy(o.head[rtxHead:], m.sent[:m.vp8.Size])
		o.packet.Head, o.packet.Payload = o.head[rtxHead:rtxHead+n], m.sent[n:]
		m.vp8.Patch(o.packet.Head, o.out.PictureID, o.out.TL0, o.out.KeyIdx)
	}
}
