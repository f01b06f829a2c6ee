package quality

import "time"

// Grade is how a call is, in a word.
type Grade uint8

// The grades.
const (
	// Unknown: nothing has been scored yet.
	Unknown Grade = iota
	Bad
	Poor
	Fair
	Good
	Excellent
)

var gradeNames = [...]string{"unknown", "bad", "poor", "fair", "good", "excellent"}

// String is the grade as the client reads it.
func (g Grade) String() string {
	if int(g) < len(gradeNames) {
		return gradeNames[g]
	}
	return gradeNames[Unknown]
}

// bounds are where Poor and the better grades begin.
var bounds = [...]float64{50, 60, 70, 80}

const (
	// margin is how far a score must be beyond a bound to change the grade.
	margin = 1.5
	// fall and rise are how fast the score follows: bad news soon, good news when it lasts.
	fall = 2 * time.Second
	rise = 5 * time.Second
)

// Meter follows the score of one participant and gives it a grade that does not flicker. The zero value is ready. It has one
// owner and no lock.
type Meter struct {
	score   float64
	grade   Grade
	cause   Cause
	updated time.Time
}

// Update takes what the participant receives and sends, and says whether the grade changed. With neither everything stays.
func (m *Meter) Update(now time.Time, receives, sends *Direction) bool {
	score, cause, ok := receives.Score()
	if s, c, sending := sends.Score(); sending && (!ok || s < score) {
		score, cause, ok = s, c, true
	}
	if !ok {
		return false
	}
	m.follow(now, score)
	m.cause = cause
	before := m.grade
	m.regrade()
	return m.grade != before
}

func (m *Meter) follow(now time.Time, score float64) {
	if m.grade == Unknown {
		m.score = score
	} else {
		constant := rise
		if score < m.score {
			constant = fall
		}
		step := max(0, now.Sub(m.updated))
		m.score += (score - m.score) * float64(step) / float64(step+constant)
	}
	m.updated = now
}

func (m *Meter) regrade() {
	first := m.grade == Unknown
	if first {
		m.grade = Bad
	}
	slack := margin
	if first {
		slack = 0
	}
	for m.grade < Excellent && m.score >= bounds[m.grade-Bad]+slack {
		m.grade++
	}
	for m.grade > Bad && m.score < bounds[m.grade-Poor]-margin {
		m.grade--
	}
}

// Grade is the present grade.
func (m *Meter) Grade() Grade { return m.grade }

// Score is what the grade comes from, 0 to 100.
func (m *Meter) Score() float64 { return m.score }

// Cause is what the last update suffered from most.
func (m *Meter) Cause() Cause { return m.cause }
