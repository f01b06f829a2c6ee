// Package slots decides who is on which pair of receive slots of one participant.
//
// A pair carries one participant's microphone and camera, or screen sound and screen. Who is on a pair keeps it: nobody is
// moved so that another fits better. Where there are more people than pairs, those whose voices are being forwarded come first:
// one of them takes the pair of whoever has been silent for longest, so that everybody is heard on any number of pairs. For
// nothing else is anybody taken off a pair while the pool can grow. Only a pool that cannot grow any more chooses between the
// others, too: screens first, then who is on a pair, then who spoke last, then who joined earlier.
package slots

import (
	"cmp"
	"slices"
	"time"
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
	// Voice says whether the group's sound is among those that everybody is to hear.
	Voice Voice
	// Spoke is when the group was heard last, zero: never.
	Spoke time.Time
}

// Voice is how much a group is to be heard.
type Voice uint8

// The voices.
const (
	Silent  Voice = iota
	Heard         // one of those that are forwarded
	Speaker       // and the one who speaks
)

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
	own     string
	max     int
	pairs   []Group // Index is the pair; no participant: empty.
	waiting int     // groups without a pair
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
	}
	if t.waiting = max(0, len(wanted)-pairs); t.waiting > 0 {
		t.rank(wanted, pairs, needed > 0)
		wanted = wanted[:pairs]
	}

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

// Waiting is how many groups found no pair.
func (t *Table) Waiting() int { return t.waiting }

// eligible is groups without duplicates, the owner's and the empty, screens first and then in order of joining.
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
		return cmp.Or(first(a.Screen, b.Screen), cmp.Compare(a.Order, b.Order), cmp.Compare(a.Participant, b.Participant))
	})
	return list
}

// rank sorts more groups than there are pairs by who is to have one. A pool that can grow keeps everybody where they are, but
// for a voice: the others get theirs when it has grown, which takes one negotiation. A screen would else interrupt the sound of
// whoever it displaced.
func (t *Table) rank(list []Group, pairs int, grows bool) {
	type place struct {
		Group
		seated bool
	}
	places := make([]place, len(list))
	for i, g := range list {
		at, ok := t.PairOf(g.Participant, g.Screen)
		places[i] = place{g, ok && at < pairs}
	}
	slices.SortStableFunc(places, func(a, b place) int {
		heard := first(a.Voice != Silent, b.Voice != Silent)
		seated := first(a.seated, b.seated)
		if grows {
			return cmp.Or(heard, seated)
		}
		return cmp.Or(heard, first(a.Voice == Speaker, b.Voice == Speaker), first(a.Screen, b.Screen), seated, b.Spoke.Compare(a.Spoke))
	})
	for i, p := range places {
		list[i] = p.Group
	}
}

// first compares by a condition: who meets it comes first.
func first(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
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
