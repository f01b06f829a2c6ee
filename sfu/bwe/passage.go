package bwe

import (
	"math"
	"time"
)

const (
	passagePackets = 2                      // one alone says nothing
	passageTrains  = 8                      // of late
	passageFinest  = 250 * time.Microsecond // a report's unit, draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1.5
	passageSpan    = 5 * time.Millisecond   // of what a pacer lets go at once
	passageMore    = 2                      // times the longest train that has come through may be tried
	passageQueue   = 10 * time.Millisecond  // with more waiting on the path it is no time for long trains
)

// passage is what the path makes of trains. The packets of one leave at one moment; how far apart they arrive tells how fast the
// narrowest place lets them through (the oldest of all measurements of a path: Keshav, "A Control-Theoretic Approach to Flow Control",
// 1991). A path that lets trains of some size through at once needs no pacing of such trains, whatever it carries in the long run: they make
// no queue that sound would wait in.
type passage struct {
	sent        time.Duration // the train that is arriving
	first, last time.Duration
	bytes       int // all but the first packet's, which waits for none
	packets     int

	rates [passageTrains]float64 // bits per second, of the last trains
	sizes [passageTrains]int     // bytes
	count int
}

// add takes a packet that arrived, in the order of sending.
func (g *passage) add(p *packet, arrived time.Duration) {
	if p.sent != g.sent || g.packets == 0 {
		g.finish()
		g.sent, g.first, g.last, g.bytes, g.packets = p.sent, arrived, arrived, 0, 1
		return
	}
	g.last = max(g.last, arrived)
	g.bytes += int(p.size)
	g.packets++
}

// finish takes the measurement of a train.
func (g *passage) finish() {
	if g.packets < passagePackets {
		return
	}
	i := g.count % passageTrains
	g.rates[i] = float64(g.bytes*8) / max(g.last-g.first, passageFinest).Seconds()
	g.sizes[i] = g.bytes
	g.count++
}

// rate is at which trains may leave for all that is known, in bits per second; 0 when nothing is known. One train in passageTrains may
// have been held up by something else.
func (g *passage) rate() float64 {
	if g.count < passageTrains {
		return 0
	}
	least, second, longest := math.Inf(1), math.Inf(1), 0
	for i, r := range g.rates {
		switch {
		case r < least:
			least, second = r, least
		case r < second:
			second = r
		}
		longest = max(longest, g.sizes[i])
	}
	return min(second, float64(passageMore*longest*8)/passageSpan.Seconds())
}
