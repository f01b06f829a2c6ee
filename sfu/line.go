package sfu

import (
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/parleyrtc/parley/sfu/layer"
	"github.com/parleyrtc/parley/sfu/munge"
	"github.com/parleyrtc/parley/sfu/nack"
	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/report"
	"github.com/parleyrtc/parley/sfu/transport"
)

// origin is what a line's packets come from: their numbers have nothing to do with those of another origin.
type origin struct {
	encoding *encoding
	epoch    uint64 // of encoding
	index    uint8  // of encoding, then
}

// origins is how many sources back a packet can be sent again: as many as its numbers can be joined, see layer.Counter.
const origins = 8

// tuned says what a line's codec is for.
type tuned struct {
	by    *agreement
	codec packet.Codec
	h264  packet.H264Format
}

// line is one m-line that we send on, a slot.
type line struct {
	// Set at construction.
	to     *participant
	video  bool
	name   string            // of the MediaStream, our CNAME in reports
	stream *transport.Stream // nil: nothing was agreed on for this m-line, it stays silent

	// Guarded by room.mu.
	pair  int
	until time.Time // it has carried a picture that it carries no longer

	agreed   atomic.Pointer[agreement]
	assigned atomic.Pointer[subscription] // written with room.mu held

	// Guarded by to.sending.
	numbers    *munge.Stream
	carried    *subscription
	source     munge.Source // counts what the line has begun to carry
	origin     origin       // of source; zero: nothing of carried has begun
	past       [origins]origin
	told       *subscription // the room knows that the line carries it
	stretch    uint64        // of the microphone that is carried
	begun      beginning
	pictures   layer.Counter // of VP9
	bases      layer.Counter // of VP9: TL0PICIDX
	frames     layer.Counter // of the dependency descriptor
	choices    choices
	repairs    int64 // number of the last RTX packet, extended
	answers    nack.Limiter
	books      report.Sender
	used       *agreement
	usedFrom   int64           // outgoing number with which it came into use
	codec      transport.Codec // of what is carried; payload type 0: the client cannot decode it
	tuned      tuned           // what codec is for
	asked      time.Time       // for a keyframe
	forms      forms
	reception  report.Reception
	lost, of   int     // packets that it reports lost, of how many, since loss was measured
	loss       float64 // the part of a sound that was lost lately
	requested  int     // packets asked for again since counted were sent
	counted    uint32
	complained time.Time
	given      given
	setbackAt  time.Time
	setbacks   int       // of late
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
		if old.begun.Load() {
			l.until = time.Now()
		}
	}
	l.to.reconsider(time.Now())
	if pub == nil {
		l.assigned.Store(nil)
		return
	}
	s := newSubscription(pub, l)
	l.assigned.Store(s)
	pub.subscribe(s)
	if l.to.room.open.Load() { // else the opening asks
		within := replayAhead
		if l.to.connected {
			within = replayAge
		}
		s.start(time.Now(), within)
	}
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
