// Package nack decides which lost packets to ask for again, when, and when to stop asking.
//
// A gap is asked for at once, or, where packets have overtaken each other of late, after a moment in which it may close by itself;
// then once per round trip until the packet comes, its tries are used up, or it is too old to be of use. Where much gets lost each
// request is made twice. What is given up for good is told to the caller, who for video asks for a keyframe instead (RFC 4585
// §6.2.1, §6.3.1).
package nack

import (
	"sort"
	"time"
)

// Config bounds a Generator. A zero field takes its default.
type Config struct {
	// MaxTries is how often one packet is asked for. Default 8.
	MaxTries int
	// MaxOutstanding is how many packets may be missing at a time; a wider gap is given up at once. Default 256.
	MaxOutstanding int
	// Reorder is how many packets may overtake one before it counts as lost, where any have done so of late. Default 2.
	Reorder int
	// FirstDelay is how long a gap may then take to close by itself when fewer packets than Reorder follow. Default 10 ms.
	FirstDelay time.Duration
	// MinInterval is the shortest time between two requests for one packet. Default 20 ms.
	MinInterval time.Duration
	// MaxAge is how long a packet is of use. Default 1 s.
	MaxAge time.Duration
}

const (
	// unknownRTT stands in until a round trip has been measured.
	unknownRTT = 100 * time.Millisecond
	// disorder is how long a path that has changed the order of packets is expected to do it again.
	disorder = 30 * time.Second
	// lossOver is how many packets the loss is averaged over.
	lossOver = 512
	// echoDelay is when a request is made again where much gets lost: what loses the first one may be over by then. A browser does not
	// answer both, since it repeats no packet within a round trip of its last repetition; others may, which is a repair with two copies.
	echoDelay = 10 * time.Millisecond
)

func (c Config) withDefaults() Config {
	fill := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	fillTime := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	fill(&c.MaxTries, 8)
	fill(&c.MaxOutstanding, 256)
	fill(&c.Reorder, 2)
	fillTime(&c.FirstDelay, 10*time.Millisecond)
	fillTime(&c.MinInterval, 20*time.Millisecond)
	fillTime(&c.MaxAge, time.Second)
	return c
}

// missing is one packet that has not come.
type missing struct {
	seq   int64
	found time.Time
	asked time.Time
	tries int
	echo  bool // the newest request is to be made once more
}

// Generator watches one stream's sequence numbers. It has one owner and no lock.
type Generator struct {
	cfg Config

	// gaps ascends by sequence; those not yet asked for are its tail, which starts at unasked.
	gaps    []missing
	unasked int

	highest int64
	started bool
	next    time.Time     // Not later than the first thing to do; zero when there is none.
	lost    int           // Given up since the last Due.
	late    time.Time     // When a packet came that others had overtaken; zero: none has.
	trip    time.Duration // The round trip, when last told.
	loss    float64
	credit  int // Requests that may be made.
}

// New returns a Generator within cfg's bounds.
func New(cfg Config) *Generator {
	g := &Generator{cfg: cfg.withDefaults()}
	g.Reset()
	return g
}

// Repaired takes the extended sequence number of a packet that came on another way than its own: as a repetition in a stream of such,
// or as a copy in another packet. It says whether the packet had been missing.
func (g *Generator) Repaired(seq int64) (recovered bool) {
	_, ok := g.found(seq)
	if ok {
		g.earn()
	}
	return ok
}

// Received takes the extended sequence number of a packet that came. It says whether the packet had been missing.
func (g *Generator) Received(now time.Time, seq int64) (recovered bool) {
	g.earn()
	switch {
	case !g.started:
		g.highest, g.started = seq, true
		return false
	case seq <= g.highest:
		m, ok := g.found(seq)
		if ok && (m.tries == 0 || m.tries == 1 && now.Sub(m.asked) < g.trip/2) { // sooner than any answer
			g.late = now
		}
		return ok
	}
	g.miss(now, g.highest+1, seq)
	g.highest = seq
	g.loss -= g.loss / lossOver
	if g.unasked < len(g.gaps) && g.overtaken(now, &g.gaps[g.unasked]) {
		g.wake(now)
	}
	return false
}

// earn allows one more request: no more is asked for than comes, but for a wide gap once. Where more gets lost than that, such as in
// a receiver that does not keep up, answers would only be lost as well.
func (g *Generator) earn() { g.credit = min(g.credit+1, g.cfg.MaxOutstanding) }

// Loss is the part of the packets of late that did not come at once, 0 to 1.
func (g *Generator) Loss() float64 { return g.loss }

func (g *Generator) overtaken(now time.Time, m *missing) bool {
	return !g.disordered(now) || g.highest-m.seq >= int64(g.cfg.Reorder)
}

// disordered says whether packets have overtaken each other of late.
func (g *Generator) disordered(now time.Time) bool {
	return !g.late.IsZero() && now.Sub(g.late) < disorder
}

// miss notes [from, to) as missing.
func (g *Generator) miss(now time.Time, from, to int64) {
	n := int(min(to-from, int64(g.cfg.MaxOutstanding)+1))
	if n == 0 {
		return
	}
	if n > g.cfg.MaxOutstanding { // The stream jumped: nothing before is of use any more.
		g.lost += len(g.gaps) + int(to-from)
		g.gaps, g.unasked = g.gaps[:0], 0
		g.wake(now)
		return
	}
	if over := len(g.gaps) + n - g.cfg.MaxOutstanding; over > 0 {
		g.lost += over
		g.drop(over)
		g.wake(now)
	}
	for seq := from; seq < to; seq++ {
		g.gaps = append(g.gaps, missing{seq: seq, found: now})
		g.loss += (1 - g.loss) / lossOver
	}
	g.wake(now.Add(g.cfg.FirstDelay))
}

// drop forgets the n oldest.
func (g *Generator) drop(n int) {
	g.gaps = g.gaps[:copy(g.gaps, g.gaps[n:])]
	g.unasked = max(0, g.unasked-n)
}

// found forgets seq, which has come, and returns what was known of it; false if it was not missing.
func (g *Generator) found(seq int64) (missing, bool) {
	i := g.index(seq)
	if i == len(g.gaps) || g.gaps[i].seq != seq {
		return missing{}, false
	}
	m := g.gaps[i]
	g.gaps = append(g.gaps[:i], g.gaps[i+1:]...)
	if i < g.unasked {
		g.unasked--
	}
	return m, true
}

func (g *Generator) index(seq int64) int {
	return sort.Search(len(g.gaps), func(i int) bool { return g.gaps[i].seq >= seq })
}

// Due appends to dst the numbers to ask for now, ascending, and says how many packets were given up since the last call.
// rtt is the round trip to the sender, 0 when unknown.
func (g *Generator) Due(now time.Time, rtt time.Duration, dst []uint16) (ask []uint16, gaveUp int) {
	if g.next.IsZero() || now.Before(g.next) {
		return dst, 0
	}
	g.next, g.trip = time.Time{}, rtt
	interval := g.interval(rtt)
	kept := g.gaps[:0]
	for _, m := range g.gaps {
		switch {
		case !now.Before(g.when(now, &m, interval)):
			if m.tries >= g.cfg.MaxTries || now.Sub(m.found) >= g.cfg.MaxAge {
				g.lost++
				continue
			}
			if g.credit == 0 {
				g.wake(now.Add(g.cfg.MinInterval))
				break
			}
			m.tries++
			m.asked, m.echo = now, g.loss >= lossy && g.credit > g.cfg.MaxOutstanding/2
			dst = append(dst, uint16(m.seq))
			g.credit--
		case m.echo && !now.Before(m.asked.Add(echoDelay)):
			m.echo = false
			if g.credit > 0 {
				dst = append(dst, uint16(m.seq))
				g.credit--
			}
		}
		if at := g.when(now, &m, interval); at.After(now) {
			g.wake(at)
		}
		if m.echo {
			g.wake(m.asked.Add(echoDelay))
		}
		kept = append(kept, m)
	}
	g.gaps = kept
	g.unasked = sort.Search(len(kept), func(i int) bool { return kept[i].tries == 0 })
	gaveUp, g.lost = g.lost, 0
	return dst, gaveUp
}

// when is the time at which m is asked for next, or given up.
func (g *Generator) when(now time.Time, m *missing, interval time.Duration) time.Time {
	switch {
	case m.tries > 0:
		return m.asked.Add(interval)
	case g.overtaken(now, m):
		return m.found
	}
	return m.found.Add(g.cfg.FirstDelay)
}

// interval waits out a round trip and a quarter, so that an answer under way is not asked for again.
func (g *Generator) interval(rtt time.Duration) time.Duration {
	if rtt <= 0 {
		rtt = unknownRTT
	}
	return max(g.cfg.MinInterval, rtt+rtt/4)
}

func (g *Generator) wake(at time.Time) {
	if g.next.IsZero() || at.Before(g.next) {
		g.next = at
	}
}

// Deadline is when Due next has something to do, at the latest; zero when nothing is missing.
func (g *Generator) Deadline() time.Time { return g.next }

// Outstanding is the number of packets missing and not given up.
func (g *Generator) Outstanding() int { return len(g.gaps) }

// Discard forgets what is missing before seq without counting it as given up: a keyframe starts there.
func (g *Generator) Discard(before int64) { g.drop(g.index(before)) }

// Reset forgets the stream.
func (g *Generator) Reset() {
	*g = Generator{cfg: g.cfg, gaps: g.gaps[:0], credit: g.cfg.MaxOutstanding}
}
