package pacer

import (
	"time"

	"github.com/parleyrtc/parley/sfu/bwe"
)

// bounded is a rate that the arithmetic of budgets can bear.
func bounded(rate bwe.Rate) int64 { return min(max(int64(rate), 1), rateMost) }

// present is the rate that holds: the probe's while there is one.
func (p *Pacer[T]) present() int64 {
	if p.probe.Cluster != 0 {
		return int64(p.probe.Rate)
	}
	return p.rate
}

// worth is what the present rate makes of a time, in budget.
func (p *Pacer[T]) worth(t time.Duration) int64 { return p.present() * int64(t) }

// depth is the most that the budget may hold: one train.
func (p *Pacer[T]) depth() int64 {
	if p.probe.Cluster != 0 {
		return p.worth(probeStep)
	}
	return p.worth(burst)
}

// cost is what a packet takes of the budget.
func cost(size int) int64 { return int64(size) * 8 * bitTime }

// most is what may be saved up: one train when nothing waits, and what a late timer loses when something does.
func (p *Pacer[T]) most() int64 {
	if p.bytes > 0 || p.probe.Cluster != 0 {
		return max(p.worth(late), p.depth())
	}
	return p.depth()
}

// refill gives the budget what the rate makes of the time that has passed.
func (p *Pacer[T]) refill(now time.Time) {
	passed := now.Sub(p.updated)
	if passed <= 0 {
		return
	}
	p.updated = now
	p.budget = max(p.budget, min(p.budget+p.worth(min(passed, idleMost)), p.most()))
}

// schedule sets when to ask again: when the budget holds a train, or less if less waits.
func (p *Pacer[T]) schedule(now time.Time) {
	p.next = time.Time{}
	if p.waiting[Audio].len > 0 {
		p.next = now
		return
	}
	class, size := p.first()
	if class == Padding && p.probe.Cluster == 0 {
		return
	}
	need := max(size, p.bytes)
	if class == Padding {
		need = max(size, p.probe.Bytes-p.sent)
	}
	lack := min(cost(need), p.depth()) - p.budget
	if lack <= 0 {
		p.next = now
		return
	}
	p.next = now.Add(min(max(tick, time.Duration((lack+p.present()-1)/p.present())), burst))
}
