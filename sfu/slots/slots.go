// Package slots decides who is on which pair of receive slots of one participant.
//
// A pair carries one participant's microphone and camera, or screen sound and screen. Who is on a pair keeps it: nobody is
// moved so that another fits better, and while the pool can grow nobody is taken off it either. Only a pool that cannot grow
// any more chooses: screens go first, then whoever joined earlier.
package slots

import (
	"cmp"
	"slices"
)

// Group is what travels together on one pair.
type Group struct {
	Participant string
	// Screen tells a participant's shared screen from its camera and microphone.
	Screen bool
	// Order is the place in the order of joining, lower is earlier.
	Order uint64
	// Audio and Video are publication ids, "" for none. A group with neither needs no pair.
	Audio, Video string
}

type key struct {
	participant string
	screen      bool
}

func (g *Group) key() key { return key{g.Participant, g.Screen} }

// Change says what a pair carries from now on; all empty when it carries nothing.
type Change struct {
	Pair         int
	Participant  string
	Screen       bool
	Audio, Video string
}

// Table is the pool of one participant. It has one owner and no lock.
type Table struct {
	own   string
	max   int
	pairs []Group // Index is the pair; no participant: empty.
}

// New returns the table of participant own, whose pool never exceeds max pairs.
func New(own string, max int) *Table { return &Table{own: own, max: max} }

// Assign puts groups on a pool of the given number of pairs and returns the pairs whose content changed, ascending. Needed
// is the size the pool should grow to, 0 when it is large enough or cannot grow. Groups of the owner and empty groups are
// left out, and of two with the same participant and kind the first counts.
func (t *Table) Assign(pairs int, groups []Group) (changes []Change, needed int) {
	pairs = max(0, min(pairs, t.max))
	wanted := t.eligible(groups)
	if size := Grow(pairs, len(wanted), t.max); size > pairs {
		needed = size
		t.seatedFirst(wanted, pairs)
	}
	wanted = wanted[:min(len(wanted), pairs)]

	next := make([]Group, max(pairs, len(t.pairs)))
	var unplaced []Group
	for _, g := range wanted {
		if at, ok := t.PairOf(g.Participant, g.Screen); ok && at < pairs {
			next[at] = g
		} else {
			unplaced = append(unplaced, g)
		}
	}
	for at := 0; len(unplaced) > 0; at++ { // There are at least as many free pairs as groups left.
		if next[at].Participant == "" {
			next[at], unplaced = unplaced[0], unplaced[1:]
		}
	}
	changes = t.changes(next)
	t.pairs = next[:pairs]
	return changes, needed
}

// eligible is groups without duplicates, the owner's and the empty, most important first.
func (t *Table) eligible(groups []Group) []Group {
	seen := make(map[key]bool, len(groups))
	list := make([]Group, 0, len(groups))
	for _, g := range groups {
		if g.Participant == "" || g.Participant == t.own || g.Audio == "" && g.Video == "" || seen[g.key()] {
			continue
		}
		seen[g.key()] = true
		list = append(list, g)
	}
	slices.SortStableFunc(list, func(a, b Group) int {
		if a.Screen != b.Screen {
			if a.Screen {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.Participant, b.Participant))
	})
	return list
}

// seatedFirst brings those who are on one of the first pairs already to the front: the others get theirs when the pool has
// grown, which takes one negotiation. A screen would else interrupt the sound of whoever it displaced.
func (t *Table) seatedFirst(list []Group, pairs int) {
	waits := func(g *Group) int {
		if at, ok := t.PairOf(g.Participant, g.Screen); ok && at < pairs {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(list, func(a, b Group) int { return cmp.Compare(waits(&a), waits(&b)) })
}

// changes lists the pairs whose content differs in next, which is at least as long as the table.
func (t *Table) changes(next []Group) []Change {
	var changes []Change
	for at, g := range next {
		var before Group
		if at < len(t.pairs) {
			before = t.pairs[at]
		}
		if before.key() == g.key() && before.Audio == g.Audio && before.Video == g.Video {
			continue
		}
		changes = append(changes, Change{Pair: at, Participant: g.Participant, Screen: g.Screen, Audio: g.Audio, Video: g.Video})
	}
	return changes
}

// At is the group on a pair; false when the pair is empty or not there.
func (t *Table) At(pair int) (Group, bool) {
	if pair < 0 || pair >= len(t.pairs) || t.pairs[pair].Participant == "" {
		return Group{}, false
	}
	return t.pairs[pair], true
}

// PairOf is the pair that carries a participant's screen, or its camera and microphone.
func (t *Table) PairOf(participant string, screen bool) (int, bool) {
	if participant == "" {
		return 0, false
	}
	at := slices.IndexFunc(t.pairs, func(g Group) bool { return g.Participant == participant && g.Screen == screen })
	return at, at >= 0
}

// chunk is how many pairs a pool grows by: each growth is a negotiation, and each pair makes the offer longer.
const chunk = 4

// Grow is the size of a pool of current pairs that shall carry wanted groups: one pair for one, else a multiple of four
// (1, 4, 8, …), never below current nor above max.
func Grow(current, wanted, max int) int {
	if wanted <= current {
		return current
	}
	size := 1
	if wanted > 1 {
		size = (wanted + chunk - 1) / chunk * chunk
	}
	if size > max {
		size = max
	}
	if size < current {
		return current
	}
	return size
}
