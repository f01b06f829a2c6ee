// Package link is a model of one direction of a network: it says which packets arrive, and when.
//
// A packet waits in a drop-tail queue for the link's rate, may then be lost, and travels for the delay and the jitter. The
// model knows no clock and moves no bytes, so that the same link serves tests in virtual time and a lab of real sockets;
// the same seed and the same calls give the same fates.
package link

import (
	"math/rand/v2"
	"time"
)

// Rules say what a link does to packets. The zero value is a perfect link.
type Rules struct {
	// Loss is the probability, 0 to 1, that a packet is lost after it has taken its time on the link.
	Loss float64
	// OneIn loses exactly one of so many packets, at a random place among them; 0 loses none.
	OneIn int
	// Bursts loses packets that follow each other.
	Bursts Bursts

	Delay  time.Duration // of every packet
	Jitter time.Duration // up to so much more, evenly spread; packets stay in order

	// Late is the probability that a packet is held back by LateBy (default 20 ms) while others overtake it.
	Late   float64
	LateBy time.Duration
	// Duplicate is the probability that a packet arrives twice.
	Duplicate float64

	// Rate is in bits per second; 0 is no limit.
	Rate int64
	// Queue is the longest that a packet waits for the rate, and QueueBytes how many bytes may wait; a packet that would
	// exceed one is dropped. With neither, Queue is 1 s.
	Queue      time.Duration
	QueueBytes int
	// Stopped holds what comes in the queue until the rules change, as a radio does during a handover.
	Stopped bool
}

// Bursts is the model of Gilbert (1960) and Elliott (1963): a link that is now and then in a bad state. Each packet may
// change the state. The mean burst lasts 1/Leave packets, and the share of bad ones is Enter/(Enter+Leave).
type Bursts struct {
	Enter, Leave float64 // probabilities for one packet, 0 to 1
	Lose         float64 // probability of loss in the bad state; 0 means 1
}

// Step is a time with its own rules.
type Step struct {
	For   time.Duration
	Rules Rules
}

// Config is a link's character over time.
type Config struct {
	Seed uint64
	// Rules hold when there are no Steps.
	Rules Rules
	// Steps follow each other from the start; those under 1 ms are passed over. The last one stays, or, with Repeat, the
	// first follows it again.
	Steps  []Step
	Repeat bool
}

// Delivery is one arrival.
type Delivery struct {
	At     time.Time
	Index  int           // number of the Put that it comes from; the first is 0
	Waited time.Duration // from the Put until its last bit was on the way: the queue, and the rate
}

// Fates counts what became of packets.
type Fates struct {
	Put        int
	Dropped    int // by the full queue
	Lost       int // on the way
	Duplicated int
}

// Plus adds the counts of two links.
func (f Fates) Plus(g Fates) Fates {
	return Fates{f.Put + g.Put, f.Dropped + g.Dropped, f.Lost + g.Lost, f.Duplicated + g.Duplicated}
}

// Link is one direction of a network. It has one owner and no lock.
type Link struct {
	rules  Rules
	steps  []Step
	total  time.Duration // of the steps
	repeat bool
	start  time.Time
	random *rand.Rand
	fates  Fates

	// Times since start.
	now   time.Duration // of the last Put
	free  time.Duration // when the last bit of the queue leaves
	order time.Duration // the latest arrival so far of those in order

	queued []departure
	bytes  int // of those queued
	block  Block
	bad    bool
	out    []Delivery
}

// New returns a link whose first step begins at start.
func New(start time.Time, cfg Config) *Link {
	l := &Link{rules: cfg.Rules, repeat: cfg.Repeat, start: start, random: rand.New(rand.NewPCG(cfg.Seed, 0x6c696e6b))}
	for _, s := range cfg.Steps {
		if s.For >= shortest {
			l.steps = append(l.steps, s)
			l.total += s.For
		}
	}
	return l
}

// Put sends a packet of size bytes at now and returns its arrivals: none, one or two, valid until the next call. A now
// before the last one counts as that.
func (l *Link) Put(now time.Time, size int) []Delivery {
	index := l.fates.Put
	l.fates.Put++
	l.now = max(l.now, now.Sub(l.start))
	rules, _ := l.at(l.now)
	left, ok := l.transmit(&rules, size)
	if !ok {
		l.fates.Dropped++
		return nil
	}
	if l.loses(&rules) {
		l.fates.Lost++
		return nil
	}
	l.out = append(l.out[:0], l.arrival(&rules, left, index))
	if l.chance(rules.Duplicate) {
		l.fates.Duplicated++
		l.out = append(l.out, l.arrival(&rules, left, index))
	}
	return l.out
}

// Fates counts what has become of the packets so far.
func (l *Link) Fates() Fates { return l.fates }

// Rate is the rate in bits per second that holds at a time; 0 is no limit, and -1 a link that is stopped.
func (l *Link) Rate(now time.Time) int64 {
	rules, _ := l.at(max(0, now.Sub(l.start)))
	if rules.Stopped {
		return -1
	}
	return rules.Rate
}

func (l *Link) chance(p float64) bool { return p > 0 && l.random.Float64() < p }

// loses decides about random loss. Each kind draws for every packet, so that one kind does not depend on another.
func (l *Link) loses(rules *Rules) bool {
	lost := l.chance(rules.Loss)
	if l.block.Next(rules.OneIn, l.random) {
		lost = true
	}
	b := rules.Bursts
	switch {
	case !l.bad && l.chance(b.Enter):
		l.bad = true
	case l.bad && (b.Enter == 0 || l.chance(b.Leave)):
		l.bad = false
	}
	return lost || l.bad && (b.Lose == 0 || l.chance(b.Lose))
}

// arrival is when and as what a packet comes that left the queue at a time since start.
func (l *Link) arrival(rules *Rules, left time.Duration, index int) Delivery {
	at, waited := left+rules.Delay, left-l.now
	if rules.Jitter > 0 {
		at += time.Duration(l.random.Int64N(int64(rules.Jitter)))
	}
	at = max(at, l.order)
	if l.chance(rules.Late) {
		by := rules.LateBy
		if by == 0 {
			by = 20 * time.Millisecond
		}
		return Delivery{At: l.start.Add(at + by), Index: index, Waited: waited}
	}
	l.order = at
	return Delivery{At: l.start.Add(at), Index: index, Waited: waited}
}

// Block is true once in every block of n, at a random place: its share is exact over any long run. The zero value is ready.
type Block struct{ left, place int }

// Next is for one more of n; never true for an n of 0.
func (b *Block) Next(n int, random *rand.Rand) bool {
	if n <= 0 {
		return false
	}
	if b.left == 0 {
		b.left, b.place = n, 1+random.IntN(n)
	}
	hit := b.left == b.place
	b.left--
	return hit
}
