package load

import (
	"cmp"
	"slices"
)

// schedule is the publishers, the one that sends next in front (a binary heap by due time).
type schedule []*publisher

// order makes a heap of any order.
func (s schedule) order() {
	slices.SortFunc(s, func(a, b *publisher) int { return cmp.Compare(a.due, b.due) })
}

// add puts one more in.
func (s *schedule) add(p *publisher) {
	*s = append(*s, p)
	s.order()
}

// sift restores the order after the first one's due time has grown.
func (s schedule) sift() {
	for i := 0; ; {
		least := i
		for _, child := range [2]int{2*i + 1, 2*i + 2} {
			if child < len(s) && s[child].due < s[least].due {
				least = child
			}
		}
		if least == i {
			return
		}
		s[i], s[least] = s[least], s[i]
		i = least
	}
}
