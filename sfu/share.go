package sfu

import (
	"math"
	"slices"
	"time"

	"github.com/parleyrtc/parley/sfu/budget"
	"github.com/parleyrtc/parley/sfu/bwe"
	"github.com/parleyrtc/parley/sfu/layer"
	"github.com/parleyrtc/parley/sfu/red"
)

const (
	// A client's bitrate is shared anew when something has changed, but not more often than this, and in any case so often.
	shareSpacing = 200 * time.Millisecond
	shareEvery   = time.Second
	// shareChange is by how much of what was shared the estimate must have moved to count as a change.
	shareChange = 0.05
	// endless is what a client may be sent of whose network nothing is known: what it does not wish for is still left out.
	endless = budget.Rate(math.MaxInt64 / 4)
	// untested is what a network is thought to carry at most of which nothing has shown yet that it does not, if the smallest encodings
	// take so much. What is sent finds out within some tenths of a second, and a picture that begins is not paused meanwhile.
	untested bwe.Rate = 4_000_000
	// settleTime is for how long nobody is remembered to have gone down, since the estimate still leaps.
	settleTime = 2 * time.Second
	// repeatsCount is the part of the estimate that what is sent again counts for at most: after a burst of losses there is much of it, for
	// a moment.
	repeatsCount = 4
	// soundMost of the estimate may be sound while it carries copies.
	soundMost = 0.4
	// Below lossless of loss in the last seconds copies are of no use, and in a network below narrow they are a price.
	lossless = 0.01
	narrow   = 1_000_000
	// wantRoom is how much more than the pictures are measured to take is worth looking for: their rates vary.
	wantRoom = 1.1
	// packetFull is what a full packet carries of a picture, in bytes, to tell how many headers there are.
	packetFull = 1100
)

// share is how what one client may be sent is shared among what it is shown. Owned by its alarm.
type share struct {
	allocator *budget.Allocator
	at        time.Time // the last time
	asked     []budget.Subscription
	given     []*subscription // by index of asked; nil for the sound
	measures  []measure       // of all of asked, one after the other
	choices   []budget.Choice
	pairs     []int
}

// divide shares what the client may be sent, when it is time, and says when it is again.
func (p *participant) divide(now time.Time) time.Time {
	sh := &p.share
	if p.still.Load() {
		return now.Add(shareEvery)
	}
	if due := sh.at.Add(shareSpacing); now.Before(due) {
		if p.reshare.Load() {
			return due
		}
		return sh.at.Add(shareEvery)
	}
	if !p.reshare.Swap(false) && now.Before(sh.at.Add(shareEvery)) {
		return sh.at.Add(shareEvery)
	}
	sh.at = now
	if sh.allocator == nil {
		sh.allocator = budget.New()
	}
	sh.collect(p)
	sh.measure(now)
	plan := p.obey(now)
	p.tellShares(now, plan)
	return now.Add(shareEvery)
}

// reconsider has the alarm share anew, soon. Any lock may be held.
func (p *participant) reconsider(now time.Time) {
	if !p.reshare.Swap(true) {
		p.alarm.by(now)
	}
}

// collect lists what the client is to be shown and what it wishes. It takes the room's lock.
func (sh *share) collect(p *participant) {
	sh.asked, sh.given, sh.pairs = sh.asked[:0], append(sh.given[:0], nil), append(sh.pairs[:0], -1)
	sh.asked = append(sh.asked, budget.Subscription{Class: budget.Audio})
	active := p.room.speakers.active.Load()
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	for _, pair := range p.pairs {
		s := pair.video.current()
		if s == nil {
			continue
		}
		w := p.wishes[pair.video.pair]
		class := budget.Rest
		switch owner := s.publication.owner; {
		case s.publication.source == "screen":
			class = budget.Screen
		case w.Pinned:
			class = budget.Pinned
		case owner == active:
			class = budget.Speaker
		}
		sh.given = append(sh.given, s)
		sh.pairs = append(sh.pairs, pair.video.pair)
		sh.asked = append(sh.asked, budget.Subscription{ID: s.id, Class: class, Order: s.publication.owner.order,
			Wish: budget.Wish{Hidden: w.Hidden, Paused: w.Paused, Width: w.Width, Height: w.Height, FrameRate: w.FrameRate}})
	}
}

// measure finds out what there is to choose from.
func (sh *share) measure(now time.Time) {
	sh.measures, sh.choices = sh.measures[:0], sh.choices[:0]
	for i, s := range sh.given {
		from := len(sh.measures)
		if s == nil {
			sh.measures = append(sh.measures, measure{}) // set when it is known
		} else {
			sh.measures = s.publication.options(now, sh.measures)
		}
		for _, m := range sh.measures[from:] {
			sh.choices = append(sh.choices, budget.Choice{Rate: onTheWire(&m.Measure), Width: m.width, Height: m.height, FrameRate: m.FrameRate})
		}
		sh.asked[i].Choices = sh.choices[from:len(sh.choices):len(sh.choices)]
	}
	// The list may have moved while it grew.
	for i, from := 0, 0; i < len(sh.asked); i++ {
		n := len(sh.asked[i].Choices)
		sh.asked[i].Choices = sh.choices[from : from+n : from+n]
		from += n
	}
}

// onTheWire is what a measured layer takes with all headers.
func onTheWire(m *layer.Measure) budget.Rate {
	if m.Rate <= 0 {
		return 0
	}
	packets := m.FrameRate/2 + float64(m.Rate)/8/packetFull
	return budget.Rate(float64(m.Rate) + packets*8*overhead)
}

// obey makes the plan and has the client sent accordingly, under the sending lock.
func (p *participant) obey(now time.Time) *budget.Plan {
	sh := &p.share
	p.sending.Lock()
	defer p.sending.Unlock()
	c := p.outgoing.pace
	now = c.advance(now)
	amount := endless
	if c != nil && !c.deaf {
		sound, repeats := c.rates(now)
		p.outgoing.copies = c.room(sound, p.outgoing.copies)
		target := c.estimate.Sustained()
		p.proven.Store(target >= provenRate)
		if c.shared = target; !c.estimate.Bounded() {
			target = max(target, min(untested, bwe.Rate(wantRoom*float64(sh.least())))+sound)
		}
		amount = budget.Rate(target - min(repeats, target/repeatsCount))
		if now.Sub(c.since) < settleTime {
			sh.allocator = budget.New()
		}
		sh.choices[0].Rate = budget.Rate(sound)
	} else if c == nil && slices.ContainsFunc(sh.given, func(s *subscription) bool { return s != nil && s.line.reported() }) {
		amount = max(budget.Rate(startRate), budget.Rate(wantRoom*float64(sh.least()))) // nothing has been sent yet
	}
	plan := sh.allocator.Allocate(now, amount, sh.asked)
	known := false
	for i, g := range plan.Grants {
		s := sh.given[i]
		if s == nil || len(sh.asked[i].Choices) == 0 || s.line.assigned.Load() != s {
			continue
		}
		if known = true; g.Reason == budget.Absent { // what comes back is as it was
			continue
		}
		s.grant(now, g, sh.measures[sh.offset(i):], len(sh.asked[i].Choices), c)
	}
	if c != nil {
		c.planned = known
		if known {
			c.estimate.SetWant(worth(plan))
		}
		c.tick(now, p.rtt.Load() != 0) // when nothing is sent nothing is reported, and only this looks for more
		if at := c.deadline(); !at.IsZero() {
			p.pacing.by(at)
		}
	}
	return plan
}

// worth is what is worth looking for. It is never 0, which would mean that nobody knows: while all pictures are hidden or absent, padding
// would look for as much as anybody may be sent.
func worth(plan *budget.Plan) bwe.Rate { return max(bwe.Rate(wantRoom*float64(plan.Wanted)), 1) }

// least is what it takes to send each picture in its smallest encoding.
func (sh *share) least() (sum budget.Rate) {
	for i := range sh.given {
		from, most := sh.offset(i), budget.Rate(0)
		for j, choice := range sh.asked[i].Choices {
			if sh.measures[from+j].Encoding == sh.measures[from].Encoding {
				most = max(most, choice.Rate)
			}
		}
		sum += most
	}
	return sum
}

// room is how many copies of earlier sounds fit a packet, when sound takes so much with up to so many: what fills the network with sound
// leaves none for pictures, and loses more by that than the copies make good. Nor are they of use against losses that are over, where the
// network is known to be narrow: as when it was filled in the beginning, which whoever counts losses remembers for long.
func (c *pace) room(sound bwe.Rate, copies int) int {
	target := float64(c.estimate.Sustained())
	switch taken := float64(sound); {
	case !c.estimate.Bounded():
		return red.MaxDistance
	case taken > soundMost*target, c.estimate.State().Loss < lossless && target < narrow:
		return max(0, copies-1)
	case taken*float64(copies+2)/float64(copies+1) < soundMost*target: // at worst that is what one more makes of it
		return min(copies+1, red.MaxDistance)
	}
	return copies
}

// offset is where the choices of the i-th begin.
func (sh *share) offset(i int) (from int) {
	for _, a := range sh.asked[:i] {
		from += len(a.Choices)
	}
	return from
}

// grant follows a decision. The receiver's lock is held.
func (s *subscription) grant(now time.Time, g budget.Grant, measures []measure, choices int, c *pace) {
	if g.Choice < 0 {
		if !s.paused {
			s.pause()
			if c != nil {
				s.line.abandon(now, c)
			}
		}
		return
	}
	best := measures[g.Choice].Layer
	if g.Choice == choices-1 { // also of what has not been measured yet
		best = everything
	}
	if s.paused || s.wish != best {
		s.want(best, g.Reason == budget.Reduced)
	}
}

// tellShares tells the room what came of it: the client which videos are paused, and publishers what is watched.
func (p *participant) tellShares(now time.Time, plan *budget.Plan) {
	sh := &p.share
	r := p.room
	r.mu.Lock()
	defer r.unlock()
	if p.removed {
		return
	}
	if p.paused == nil {
		p.paused = map[int]string{}
	}
	for i, g := range plan.Grants {
		s := sh.given[i]
		if s == nil || s.line.current() != s || len(sh.asked[i].Choices) == 0 {
			continue
		}
		p.tellPaused(sh.pairs[i], g)
		switch {
		case g.Choice >= 0:
			s.granted = 1 << min(sh.measures[sh.offset(i)+g.Choice].Encoding, 7)
		case g.Reason != budget.Absent:
			s.granted = 0
		}
		s.publication.owner.tellWatched(now)
	}
	for pair := range p.paused {
		if !slices.Contains(sh.pairs, pair) { // nothing is on it any more
			delete(p.paused, pair)
			r.emit(Event{Kind: SlotPaused, Participant: p.id, Pair: pair, Reason: budget.Full.String()})
		}
	}
	p.tellWatched(now) // of what nobody has watched for a while
}

// tellPaused tells the client whether the video of a pair is paused, if that is news. The room's lock is held.
func (p *participant) tellPaused(pair int, g budget.Grant) {
	before, was := p.paused[pair]
	reason := g.Reason.String()
	switch is := g.Choice < 0; {
	case is && before != reason:
		p.paused[pair] = reason
		p.room.sfu.metrics.pauses.WithLabelValues(reason).Inc()
	case !is && was:
		delete(p.paused, pair)
	default:
		return
	}
	p.room.emit(Event{Kind: SlotPaused, Participant: p.id, Pair: pair, Paused: g.Choice < 0, Reason: reason})
}
