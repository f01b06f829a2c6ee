package pacer

// ring is a queue that grows by doubling and then takes no more memory.
type ring[T any] struct {
	items []T // a power of two, or none
	head  int
	len   int
}

const ringFirst = 16

func (r *ring[T]) push(v T) {
	if r.len == len(r.items) {
		grown := make([]T, max(ringFirst, 2*len(r.items)))
		n := copy(grown, r.items[r.head:])
		copy(grown[n:], r.items[:r.head])
		r.items, r.head = grown, 0
	}
	r.items[(r.head+r.len)&(len(r.items)-1)] = v
	r.len++
}

// front is the oldest; there is one.
func (r *ring[T]) front() *T { return &r.items[r.head] }

// pop takes the oldest and keeps no reference to it; there is one.
func (r *ring[T]) pop() T {
	v := r.items[r.head]
	var none T
	r.items[r.head] = none
	r.head = (r.head + 1) & (len(r.items) - 1)
	r.len--
	return v
}
