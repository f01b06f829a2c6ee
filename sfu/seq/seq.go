// Package seq unwraps the sequence numbers of RTP into 64 bits, so that nobody else compares modulo 2^16.
//
// A number is taken to be the one nearest to the highest seen so far. The first number keeps its own value; those that
// turn out older than it may be negative.
package seq

// Sequence unwraps 16-bit sequence numbers. The zero value is ready.
type Sequence struct {
	highest int64
	started bool
}

// Unwrap returns the extended number of s and moves the highest up to it.
func (u *Sequence) Unwrap(s uint16) int64 {
	if !u.started {
		u.started = true
		u.highest = int64(s)
		return u.highest
	}
	x := u.Peek(s)
	u.highest = max(u.highest, x)
	return x
}

// Peek returns what Unwrap would, and moves nothing.
func (u *Sequence) Peek(s uint16) int64 {
	if !u.started {
		return int64(s)
	}
	return u.highest + int64(int16(s-uint16(u.highest)))
}

// Highest is the highest number unwrapped; false before the first.
func (u *Sequence) Highest() (int64, bool) { return u.highest, u.started }
