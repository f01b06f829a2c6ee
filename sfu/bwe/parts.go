package bwe

import "math"

// parts are mechanisms of the estimator that a test can do without, to show what they are good for.
type parts uint16

const (
	trendPart parts = 1 << iota
	queuePart
	lossPart
	probePart
	limitedPart
	silencePart
	passagePart
	sustainPart
	tightPart
	confirmPart
)

func (p parts) has(part parts) bool { return p&part != 0 }

// blind takes the facts away that the missing parts would have found.
func (p parts) blind(f *facts) {
	if p.has(trendPart) {
		f.usage = normal
	}
	if p.has(queuePart) {
		f.queue = 0
	}
	if p.has(limitedPart) {
		f.limited, f.slow = false, math.Inf(1)
	}
}
