package sfu

import (
	"time"

	"github.com/parleyrtc/parley/sfu/budget"
	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/quality"
	"github.com/parleyrtc/parley/sfu/report"
)

const (
	// gradeSpacing is how often a participant's call is graded.
	gradeSpacing = 2 * time.Second
	// toldFor is for how long what a client measured counts: it measures every five seconds.
	toldFor = 12 * time.Second
	// enoughPackets is how many a loss is measured over, half a second of sound.
	enoughPackets = 25
	// quiet is how long a sound may be silent to be graded still: with DTX some packets a second come at least.
	quiet = 2 * time.Second
)

// grading is what the alarm knows of a participant's call.
type grading struct {
	meter quality.Meter
	next  time.Time
}

// seen is one pair, as far as the room knows about it.
type seen struct {
	audio, video *subscription // nil: not carried, or nobody wants it
	stats        SlotStats
	fresh        bool // stats count
	wish         SlotWish
	paused       bool // the video does not fit
}

// grade grades what the participant receives and sends, and tells the room of a change.
func (p *participant) grade(now time.Time) {
	g := &p.grading
	if now.Before(g.next) {
		return
	}
	first := g.next.IsZero()
	g.next = now.Add(gradeSpacing)
	receives, sends := p.receives(now), p.sends(now)
	changed := g.meter.Update(now, &receives, &sends)
	if grade := g.meter.Grade(); grade != quality.Unknown && !first {
		p.room.sfu.metrics.quality[grade].Add(gradeSpacing.Seconds())
	}
	if !changed {
		return
	}
	p.room.mu.Lock()
	defer p.room.unlock()
	if !p.removed {
		p.room.emit(Event{Kind: Quality, Participant: p.id, Score: g.meter.Score(), Grade: g.meter.Grade().String(), Cause: g.meter.Cause().String()})
	}
}

// receives is what is known of everything that the participant receives.
func (p *participant) receives(now time.Time) (d quality.Direction) {
	for _, s := range p.seen(now) {
		if s.audio != nil {
			if a, ok := s.sound(now); ok {
				d.Audio = append(d.Audio, a)
			}
		}
		if s.video != nil {
			if v, ok := s.picture(now); ok {
				d.Video = append(d.Video, v)
			}
		}
	}
	return d
}

// seen lists the pairs that carry something which the client wants.
func (p *participant) seen(now time.Time) []seen {
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	list := make([]seen, 0, len(p.pairs))
	fresh := now.Sub(p.toldAt) < toldFor
	for i, pair := range p.pairs {
		s := seen{audio: pair.audio.current(), video: pair.video.current(), wish: p.wishes[i],
			paused: p.paused[i] == budget.Starved.String()}
		s.stats, s.fresh = p.told[i]
		s.fresh = s.fresh && fresh
		if s.video != nil && (s.video.publication.muted || s.wish.Hidden || s.wish.Paused) {
			s.video = nil
		}
		list = append(list, s)
	}
	return list
}

// sound is what is known of a pair's sound; false when nothing is.
func (s *seen) sound(now time.Time) (a quality.Audio, ok bool) {
	l := s.audio.line
	l.to.sending.Lock()
	defer l.to.sending.Unlock()
	if l.carried != s.audio || now.Sub(l.sent) > quiet {
		return a, false
	}
	if l.of >= enoughPackets {
		l.loss = max(0, float64(l.lost)/float64(l.of))
		l.lost, l.of = 0, 0
	}
	a.Loss = l.loss
	if l.codec.RED != 0 {
		a.Redundancy = l.to.outgoing.need.Distance()
	}
	a.RTT, a.FarRTT = time.Duration(l.to.rtt.Load()), time.Duration(s.audio.publication.owner.rtt.Load())
	a.Jitter = time.Duration(l.reception.Jitter()) * time.Second / time.Duration(packet.Opus.ClockRate())
	if s.fresh {
		a.Buffer = s.stats.JitterBuffer
		if s.stats.HasConcealed {
			a.Loss, a.Concealed = s.stats.Concealed, true
		}
	}
	return a, true
}

// picture is what is known of a pair's picture; false when nothing is.
func (s *seen) picture(now time.Time) (v quality.Video, ok bool) {
	if s.paused {
		return quality.Video{Paused: true, WantedPixels: s.wish.Width * s.wish.Height}, true
	}
	if !s.fresh {
		return v, false
	}
	v.Frozen, v.FrameRate, v.Pixels = s.stats.Frozen, s.stats.FrameRate, s.stats.Width*s.stats.Height
	for _, best := range s.video.publication.options(now, nil) {
		if best.Rate > 0 {
			v.WantedPixels, v.WantedFrameRate = best.width*best.height, best.FrameRate
		}
	}
	if wish := s.wish.Width * s.wish.Height; wish > 0 && (v.WantedPixels == 0 || wish < v.WantedPixels) {
		v.WantedPixels = wish
	}
	if s.wish.FrameRate > 0 && s.wish.FrameRate < v.WantedFrameRate {
		v.WantedFrameRate = s.wish.FrameRate
	}
	if v.Pixels == 0 { // not told
		v.WantedPixels = 0
	}
	if v.FrameRate == 0 {
		v.WantedFrameRate = 0
	}
	return v, true
}

// sends is what is known of the sounds that the participant sends. How its pictures arrive is seen by who receives them.
func (p *participant) sends(now time.Time) (d quality.Direction) {
	in := &p.incoming
	in.mu.Lock()
	defer in.mu.Unlock()
	for e := range in.encodings() {
		if e.publication.video || e.ssrc == 0 || now.Sub(e.heard) > quiet {
			continue
		}
		d.Audio = append(d.Audio, quality.Audio{Loss: e.graded.loss(e), Redundancy: e.copies, RTT: time.Duration(p.rtt.Load()), Jitter: e.books.Jitter()})
	}
	return d
}

// graded is how much of an encoding had come when it was graded last.
type graded struct {
	books   *report.Receiver
	highest int64
	lost    int64
	last    float64
}

// loss is the part of the packets since then that did not come, neither by repetition. The inbox's lock is held.
func (g *graded) loss(e *encoding) float64 {
	highest, _ := e.sequence.Highest()
	if g.books != e.books {
		*g = graded{books: e.books, highest: highest, lost: e.books.Lost()}
	}
	of, lost := highest-g.highest, e.books.Lost()-g.lost
	if of >= enoughPackets {
		g.last = min(1, max(0, float64(lost)/float64(of)))
		g.highest, g.lost = highest, e.books.Lost()
	}
	return g.last
}
