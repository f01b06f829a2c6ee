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
)

// Without switches parts of the estimator off.
func (e *Estimator) Without(off parts) *Estimator {
	e.off |= off
	return e
}
