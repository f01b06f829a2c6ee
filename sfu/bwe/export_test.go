package bwe

// The parts that tests can do without.
const (
	Trend   = trendPart
	Queue   = queuePart
	Losses  = lossPart
	Probing = probePart
	Limited = limitedPart
	Silent  = silencePart
	Trains  = passagePart
	Sustain = sustainPart
	Tight   = tightPart
	Confirm = confirmPart
)

// Without switches parts of the estimator off.
func (e *Estimator) Without(off parts) *Estimator {
	e.off |= off
	e.control.trusting = e.off.has(confirmPart)
	return e
}
