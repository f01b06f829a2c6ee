package munge

// windowSize is how many outgoing numbers back a packet can still be forwarded or asked for: 3 s of 3 Mbit/s video.
const windowSize = 1024

// maxJump is the widest gap in a source that stays a gap.
const maxJump = windowSize / 2

// maxOff is the part of a second by which the place of a new source may differ from its time of arrival: a keyframe is delayed by
// its size.
const maxOff = 2

// window remembers one bit for each of the last windowSize outgoing numbers.
type window [windowSize / 64]uint64

func (w *window) has(n, highest int64) bool {
	if n > highest || n <= highest-windowSize {
		return false
	}
	return w[uint64(n)%windowSize/64]>>(uint64(n)%64)&1 != 0
}

func (w *window) set(n int64) { w[uint64(n)%windowSize/64] |= 1 << (uint64(n) % 64) }

func (w *window) clear(n int64) { w[uint64(n)%windowSize/64] &^= 1 << (uint64(n) % 64) }

// advance clears the bits of (from, to], which now stand for new numbers.
func (w *window) advance(from, to int64) {
	if to-from >= windowSize {
		*w = window{}
		return
	}
	for n := from + 1; n <= to; n++ {
		w.clear(n)
	}
}
