package budget

import (
	"cmp"
	"math"
	"slices"
	"time"
)

const (
	// spare is the part of the budget that stays free when somebody gets more than before: what layers take is measured.
	spare = 40
	// What is had is kept for as long as ride while the budget falls short of it by this part of it at most: estimates waver by less, and
	// what is sent too much meanwhile waits a tenth of a second.
	short = 12
	ride  = 1500 * time.Millisecond
	// wait is how long whoever went down for want of bitrate does not go up, and waitMost how long at most when going up proved
	// to be a mistake within regret: with about the same budget, of which changed is left. With less of it, it is the network that
	// has changed, and going up was none.
	wait     = 2 * time.Second
	waitMost = 16 * time.Second
	regret   = 10 * time.Second
	changed  = 0.8
	// With so much of the budget idle nobody waits longer than that: it is not a rate that is tried, but one that was there before.
	roomy     = 0.6
	waitRoomy = time.Second
)

// memory is what an Allocator knows of a subscription from before.
type memory struct {
	fresh  bool      // never allocated to
	choice int       // -1: paused
	until  time.Time // does not go up before
	sooner time.Time // nor before this when there is plenty
	wait   time.Duration
	raised time.Time
	with   Rate   // the budget then
	called uint64 // the last call it was part of
}

// climber is a subscription while it is allocated to.
type climber struct {
	at     int // in the caller's list
	s      *Subscription
	m      *memory
	ladder []int
	kept   int  // the rung it had before
	rung   int  // the one it has; -1: paused
	done   bool // the next one did not fit, and will not
}

// Allocator shares one subscriber's bitrate. It has one owner and no lock.
type Allocator struct {
	memories map[uint64]*memory
	calls    uint64

	climbers []climber
	rungs    []int
	plan     Plan

	budget Rate
	keeps  Rate           // what may be used to keep what is had
	strain time.Time      // since when more is used than the budget; zero when it is not
	held   Rate           // kept free for those who wait
	least  [Rest + 1]Rate // the smallest rate that somebody of a class was refused
}

// New returns an allocator that knows of nobody.
func New() *Allocator { return &Allocator{memories: map[uint64]*memory{}} }

// Allocate shares budget. The plan is valid until the next call.
func (a *Allocator) Allocate(now time.Time, budget Rate, subscriptions []Subscription) *Plan {
	a.calls++
	a.budget, a.held, a.keeps = budget, 0, budget
	if a.strain.IsZero() || now.Sub(a.strain) < ride {
		a.keeps += budget / short
	}
	for class := range a.least {
		a.least[class] = math.MaxInt64
	}
	a.plan = Plan{Grants: a.plan.Grants[:0]}
	a.prioritize(subscriptions)
	a.share(now)
	switch {
	case a.plan.Used <= budget:
		a.strain = time.Time{}
	case a.strain.IsZero():
		a.strain = now
	}
	a.settle(now, subscriptions)
	return &a.plan
}

// prioritize orders the subscriptions and finds what is of use to each.
func (a *Allocator) prioritize(subscriptions []Subscription) {
	a.climbers = slices.Grow(a.climbers[:0], len(subscriptions))
	total := 0
	for i := range subscriptions {
		total += len(subscriptions[i].Choices)
	}
	a.rungs = slices.Grow(a.rungs[:0], total)
	for i := range subscriptions {
		s := &subscriptions[i]
		m := a.memories[s.ID]
		if m == nil {
			m = &memory{fresh: true, choice: -1, wait: wait}
			a.memories[s.ID] = m
		}
		m.called = a.calls
		start := len(a.rungs)
		a.rungs = climb(a.rungs, s)
		c := climber{at: i, s: s, m: m, ladder: a.rungs[start:len(a.rungs):len(a.rungs)], kept: -1, rung: -1}
		for rung, choice := range c.ladder {
			if choice <= m.choice {
				c.kept = rung
			}
		}
		a.climbers = append(a.climbers, c)
	}
	slices.SortFunc(a.climbers, func(x, y climber) int {
		return cmp.Or(cmp.Compare(x.s.Class, y.s.Class), cmp.Compare(x.s.Order, y.s.Order), cmp.Compare(x.s.ID, y.s.ID))
	})
	for id, m := range a.memories {
		if m.called != a.calls {
			delete(a.memories, id)
		}
	}
}

// class is the part of the climbers that is of one class.
func (a *Allocator) class(class Class) []climber {
	from, _ := slices.BinarySearchFunc(a.climbers, class, func(c climber, class Class) int { return cmp.Compare(c.s.Class, class) })
	to := from
	for to < len(a.climbers) && a.climbers[to].s.Class == class {
		to++
	}
	return a.climbers[from:to]
}

// share takes the steps of the package comment.
func (a *Allocator) share(now time.Time) {
	audio := a.class(Audio)
	for i := range audio {
		if c := &audio[i]; len(c.ladder) > 0 {
			c.rung = 0
			a.plan.Used += c.rate(0)
		}
	}
	for class := Screen; class < Rest; class++ {
		a.raise(now, a.class(class), func(*climber) int { return 0 })
	}
	for class := Screen; class < Rest; class++ {
		a.raise(now, a.class(class), func(c *climber) int { return decent(c.s, c.ladder) })
	}
	a.raise(now, a.class(Rest), func(*climber) int { return 0 })
	for class := Audio; class <= Rest; class++ {
		a.raise(now, a.class(class), func(c *climber) int { return len(c.ladder) - 1 })
	}
}

// raise lets climbers of one class climb up to a rung, in turn.
func (a *Allocator) raise(now time.Time, climbers []climber, to func(*climber) int) {
	for more := true; more; {
		more = false
		for i := range climbers {
			c := &climbers[i]
			if c.done || c.rung >= min(to(c), len(c.ladder)-1) {
				continue
			}
			if c.done = !a.step(now, c); c.done {
				least := &a.least[c.s.Class]
				*least = min(*least, c.rate(c.rung+1))
			}
			more = more || !c.done
		}
	}
}

func (c *climber) rate(rung int) Rate {
	if rung < 0 {
		return 0
	}
	return c.s.Choices[c.ladder[rung]].Rate
}

// step raises c by one rung if that fits. Nobody gets more than what an equal was just refused, lest the first one grow on
// what is too little for the second, and shrink when the budget grows.
func (a *Allocator) step(now time.Time, c *climber) bool {
	next := c.rung + 1
	cost := c.rate(next) - c.rate(c.rung)
	if next > c.kept {
		if a.plan.Used+a.held+cost > a.budget-a.budget/spare || c.rate(next) > a.least[c.s.Class] {
			return false
		}
		if now.Before(c.m.until) && (now.Before(c.m.sooner) || float64(a.plan.Used+a.held+cost) > roomy*float64(a.budget)) {
			a.held += cost
			return false
		}
	} else if a.plan.Used+cost > a.keeps {
		return false
	}
	a.plan.Used += cost
	c.rung = next
	return true
}

// settle writes the plan, and remembers it.
func (a *Allocator) settle(now time.Time, subscriptions []Subscription) {
	a.plan.Grants = slices.Grow(a.plan.Grants, len(subscriptions))[:len(subscriptions)]
	for i := range a.climbers {
		c := &a.climbers[i]
		top := len(c.ladder) - 1
		g := Grant{ID: c.s.ID, Choice: -1, Wanted: -1}
		if top >= 0 {
			g.Wanted = c.ladder[top]
		}
		if c.rung >= 0 {
			g.Choice = c.ladder[c.rung]
		}
		switch {
		case c.s.Wish.Paused:
			g.Reason = Stopped
		case c.s.Wish.Hidden && c.s.Class != Audio:
			g.Reason = Hidden
		case top < 0:
			g.Reason = Absent
		case c.rung < 0:
			g.Reason = Starved
		case c.rung < top:
			g.Reason = Reduced
		}
		a.plan.Grants[c.at] = g
		a.plan.Wanted += c.rate(top)
		if c.s.Class == Audio {
			a.plan.Audio += c.rate(c.rung)
		}
		c.m.settle(now, c, g.Choice, a.budget)
	}
}

// settle remembers a choice. Who goes down for want of bitrate has to wait before going up.
func (m *memory) settle(now time.Time, c *climber, choice int, budget Rate) {
	switch {
	case c.rung < c.kept:
		m.wait = min(2*m.wait, waitMost)
		if m.raised.IsZero() || now.Sub(m.raised) > regret || float64(budget) < changed*float64(m.with) {
			m.wait = wait
		}
		m.until, m.sooner = now.Add(m.wait), now.Add(waitRoomy)
	case choice > m.choice && !m.fresh:
		m.raised, m.with = now, budget
	}
	m.choice, m.fresh = choice, false
}
