package sfu

import (
	"sync/atomic"
	"time"

	"github.com/parleyrtc/parley/sfu/transport"
)

const (
	// What waits asks again this soon whether what it must not overtake has left, and goes by itself after that long: whoever has it may
	// have failed.
	loadedAgain = time.Millisecond
	loadedMost  = 50 * time.Millisecond
	loadedLost  = time.Second
	// So much later than it was noted a packet may leave without anybody being told: it is the unit of the reports of arrival times.
	leftLate = 250 * time.Microsecond
	// loads is how many batches may hold packets for one client at the same time and be asked when they leave: one for each goroutine
	// that serves it just now, mostly one. What more of them hold counts as left when it was made.
	loads = 4
)

// boarding knows which batches hold packets for a client that have not left yet, because what waits must not overtake them; and tells
// the estimate when they leave, because those that a busy server made long before look like packets that a full network held up.
// Guarded by participant.sending.
type boarding struct {
	loads  [loads]load
	newest *load            // that packets are added to; nil: none
	batch  *transport.Batch // that it is in
	before uint64           // how often that had left
}

// load is packets that leave together, by their transport-wide numbers [from, to).
type load struct {
	left     atomic.Int64 // when they did, told by the batch; 0 before
	from, to int64
	since    time.Time // they have been waiting for it
	used     bool
}

// board notes that the next packet is in a batch.
func (c *pace) board(now time.Time, out *transport.Batch) {
	b := &c.aboard
	if b.batch != out || b.before != out.Departures() {
		c.land()
		c.estimate.Part()
		b.newest, b.batch, b.before = b.free(now), out, out.Departures()
		if l := b.newest; l != nil {
			l.left.Store(0)
			l.from, l.since, l.used = c.number, now, true
			out.Tell(&l.left)
		}
	}
	if b.newest != nil {
		b.newest.to = c.number + 1
	}
}

// land tells the estimate when what has left did so.
func (c *pace) land() {
	b := &c.aboard
	for i := range b.loads {
		if l := &b.loads[i]; l.used && l.left.Load() != 0 {
			if at := c.plane.Time(l.left.Load()); at.Sub(l.since) > leftLate {
				c.estimate.Left(l.from, l.to, at)
			}
			l.used = false
			if b.newest == l {
				b.newest, b.batch = nil, nil
			}
		}
	}
}

// free is a place for a load; nil when there is none. One that has not left for so long never will.
func (b *boarding) free(now time.Time) *load {
	for i := range b.loads {
		if l := &b.loads[i]; !l.used || now.Sub(l.since) > loadedLost {
			return l
		}
	}
	return nil
}

// waits says whether something is on its way to the socket.
func (b *boarding) waits(now time.Time) bool {
	for i := range b.loads {
		if l := &b.loads[i]; l.used && l.left.Load() == 0 && now.Sub(l.since) < loadedMost {
			return true
		}
	}
	return false
}
