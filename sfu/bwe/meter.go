package bwe

import "time"

const (
	meterStep = 10 * time.Millisecond
	meterLen  = 64
)

// meter measures what arrives, on the receiver's clock.
type meter struct {
	bytes   [meterLen]int64 // by time in steps modulo meterLen
	head    int64           // the step of the latest arrival
	started bool
	first   int64 // step of the first arrival
}

// add counts an arrival. One that is older than the meter remembers is counted nowhere.
func (m *meter) add(at time.Duration, size int) {
	step := int64(at / meterStep)
	if !m.started {
		*m = meter{head: step, first: step, started: true}
	}
	m.advance(step)
	if step > m.head-meterLen {
		m.bytes[uint64(step)%meterLen] += int64(size)
	}
}

func (m *meter) advance(step int64) {
	for n := min(step-m.head, meterLen); n > 0; n-- {
		m.bytes[uint64(step-n+1)%meterLen] = 0
	}
	m.head = max(m.head, step)
}

// rate is what arrived in the window of whole steps before at, in bits per second; over less than the window in the beginning, and
// 0 before there is anything.
func (m *meter) rate(at, window time.Duration) float64 {
	if !m.started {
		return 0
	}
	m.advance(int64(at / meterStep))
	steps := min(int64(window/meterStep), m.head-m.first, meterLen-1)
	var sum int64
	for s := m.head - steps; s < m.head; s++ {
		sum += m.bytes[uint64(s)%meterLen]
	}
	if steps == 0 {
		return 0
	}
	return float64(sum*8) / (time.Duration(steps) * meterStep).Seconds()
}
