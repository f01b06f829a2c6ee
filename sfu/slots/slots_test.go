package slots

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func camera(p string, order uint64) Group {
	return Group{Participant: p, Order: order, Audio: p + "-mic", Video: p + "-cam"}
}

func screen(p string, order uint64) Group {
	return Group{Participant: p, Screen: true, Order: order, Video: p + "-screen"}
}

func on(t *Table) string {
	s := ""
	for i := range t.pairs {
		g, ok := t.At(i)
		switch {
		case !ok:
			s += "."
		case g.Screen:
			s += "[" + g.Participant + "]"
		default:
			s += g.Participant
		}
	}
	return s
}

func TestACallGrowsAndShrinks(t *testing.T) {
	table := New("me", 30)
	for _, step := range []struct {
		what   string
		pairs  int
		groups []Group
		want   string
		needed int
		moved  int
	}{
		{"nobody else", 1, []Group{camera("me", 1)}, ".", 0, 0},
		{"the other one", 1, []Group{camera("me", 1), camera("b", 2)}, "b", 0, 1},
		{"a third has no room", 1, []Group{camera("b", 2), camera("c", 3)}, "b", 4, 0},
		{"the pool grew", 4, []Group{camera("b", 2), camera("c", 3)}, "bc..", 0, 1},
		{"a screen takes the next", 4, []Group{camera("b", 2), camera("c", 3), screen("b", 2)}, "bc[b].", 0, 1},
		{"two more, one without room", 4, []Group{camera("b", 2), camera("c", 3), screen("b", 2), camera("d", 4), camera("e", 5)}, "bc[b]d", 8, 1},
		{"a second screen waits for the pool to grow", 4, []Group{camera("b", 2), camera("c", 3), screen("b", 2), camera("d", 4), screen("c", 3)}, "bc[b]d", 8, 0},
		{"leaving makes room", 4, []Group{camera("c", 3), screen("c", 3), camera("d", 4)}, "[c]c.d", 0, 2},
		{"all gone", 4, nil, "....", 0, 3},
	} {
		changes, needed := table.Assign(step.pairs, step.groups)
		if on(table) != step.want || needed != step.needed || len(changes) != step.moved {
			t.Fatalf("%s: %s, needs %d, %d changes %+v; want %s, %d, %d", step.what, on(table), needed, len(changes), changes, step.want, step.needed, step.moved)
		}
	}
}

// Somebody shares a screen in a call of two: the sound and the picture that are there already go on without a change.
func TestAScreenMovesNobodyUnlessThePoolIsAtItsEnd(t *testing.T) {
	both := []Group{camera("b", 2), screen("b", 2)}
	table := New("me", 30)
	table.Assign(1, both[:1])
	for _, step := range []struct {
		pairs  int
		want   string
		needed int
	}{{1, "b", 4}, {4, "b[b]..", 0}} {
		_, needed := table.Assign(step.pairs, both)
		if on(table) != step.want || needed != step.needed {
			t.Errorf("%d pairs: %s, needs %d; want %s, %d", step.pairs, on(table), needed, step.want, step.needed)
		}
	}
	small := New("me", 1)
	small.Assign(1, both[:1])
	if _, needed := small.Assign(1, both); on(small) != "[b]" || needed != 0 {
		t.Errorf("a pool that cannot grow: %s, needs %d", on(small), needed)
	}
}

// Voices come onto pairs by taking those of who has been silent for longest, one move each; who falls silent stays.
func TestEverybodyIsHeardOnFewPairs(t *testing.T) {
	now := time.Unix(1000, 0)
	const people = 20
	groups := make([]Group, people)
	for i := range groups {
		groups[i] = camera(string(rune('a'+i)), uint64(i))
	}
	table := New("me", 4)
	table.Assign(4, groups)
	speak := func(who string, want string, moved int) {
		t.Helper()
		now = now.Add(time.Second)
		for i := range groups {
			switch g := &groups[i]; {
			case g.Participant == who:
				g.Voice, g.Spoke = Speaker, now
			case g.Voice == Speaker:
				g.Voice = Heard
			case g.Voice == Heard && now.Sub(g.Spoke) > 2*time.Second:
				g.Voice = Silent
			}
		}
		changes, needed := table.Assign(4, groups)
		if on(table) != want || needed != 0 || len(changes) != moved || table.Waiting() != people-4 {
			t.Fatalf("%s spoke: %s, %d moves, %d wait; want %s, %d", who, on(table), len(changes), table.Waiting(), want, moved)
		}
	}
	speak("b", "abcd", 0)
	speak("q", "abcq", 1) // Nobody there has spoken but b; d joined last.
	speak("r", "abrq", 1)
	speak("a", "abrq", 0)
	speak("s", "asrq", 1) // b has been silent for longest.
	speak("q", "asrq", 0)
	speak("t", "astq", 1)
}

// While the pool can grow, a voice takes the pair of somebody silent, but not that of another voice, and a screen takes nobody's.
func TestAVoiceDoesNotWaitForANegotiation(t *testing.T) {
	groups := []Group{camera("a", 1), camera("b", 2), camera("c", 3), screen("c", 3)}
	groups[0].Voice = Heard
	table := New("me", 30)
	if _, needed := table.Assign(1, groups); on(table) != "a" || needed != 4 {
		t.Fatalf("%s, needs %d", on(table), needed)
	}
	groups[1].Voice = Speaker
	if table.Assign(1, groups); on(table) != "a" {
		t.Errorf("a voice was taken off: %s", on(table))
	}
	groups[0].Voice = Silent
	if table.Assign(1, groups); on(table) != "b" {
		t.Errorf("a voice waits: %s", on(table))
	}
}

func TestANewTrackChangesThePairInPlace(t *testing.T) {
	table := New("me", 30)
	g := camera("b", 1)
	g.Video = ""
	table.Assign(1, []Group{g})
	g.Video = "cam"
	changes, _ := table.Assign(1, []Group{g})
	if want := []Change{{Pair: 0, Participant: "b", Audio: "b-mic", Video: "cam"}}; !slices.Equal(changes, want) {
		t.Errorf("%+v", changes)
	}
	if changes, _ = table.Assign(1, []Group{g}); len(changes) != 0 {
		t.Errorf("nothing changed, yet %+v", changes)
	}
	g.Audio, g.Video = "", ""
	changes, _ = table.Assign(1, []Group{g})
	if want := []Change{{Pair: 0}}; !slices.Equal(changes, want) {
		t.Errorf("%+v", changes)
	}
	if _, ok := table.PairOf("b", false); ok {
		t.Error("still placed")
	}
}

func TestPoolSizes(t *testing.T) {
	for _, tt := range []struct{ current, wanted, want int }{
		{0, 0, 0}, {0, 1, 1}, {1, 1, 1}, {1, 2, 4}, {4, 4, 4}, {4, 5, 8}, {4, 9, 12}, {24, 25, 28}, {28, 99, 28}, {8, 2, 8}, {1, 27, 28},
	} {
		if got := Grow(tt.current, tt.wanted, 28); got != tt.want {
			t.Errorf("%d pairs for %d: %d, want %d", tt.current, tt.wanted, got, tt.want)
		}
	}
}

func TestWhoeverStaysKeepsThePair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := New("p0", 30)
		pairs := 0
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			var groups []Group
			for i := range 12 {
				if rapid.Bool().Draw(t, "here") {
					groups = append(groups, camera(fmt.Sprint("p", i), uint64(i)))
				}
				if rapid.IntRange(0, 5).Draw(t, "shares") == 0 {
					groups = append(groups, screen(fmt.Sprint("p", i), uint64(i)))
				}
			}
			before := slices.Clone(table.pairs)
			pairs = max(pairs, rapid.IntRange(0, 12).Draw(t, "pairs"))
			changes, needed := table.Assign(pairs, groups)
			verify(t, table, before, groups, changes, pairs, needed)
		}
	})
}

func verify(t *rapid.T, table *Table, before, groups []Group, changes []Change, pairs, needed int) {
	placed, others := 0, 0
	seen := map[key]bool{}
	for at := range pairs {
		g, ok := table.At(at)
		if ok && (seen[g.key()] || g.Participant == "p0" || !slices.Contains(groups, g)) {
			t.Fatalf("pair %d carries %+v", at, g)
		}
		if ok {
			placed++
			seen[g.key()] = true
		}
		var was Group
		if at < len(before) {
			was = before[at]
		}
		changed := slices.ContainsFunc(changes, func(c Change) bool { return c.Pair == at })
		if changed != (was.key() != g.key() || was.Audio != g.Audio || was.Video != g.Video) {
			t.Fatalf("pair %d: %+v -> %+v, changed %v", at, was, g, changed)
		}
	}
	for _, g := range groups {
		if g.Participant == "p0" {
			continue
		}
		others++
		was := slices.IndexFunc(before, func(b Group) bool { return b.key() == g.key() })
		if now, ok := table.PairOf(g.Participant, g.Screen); ok && was >= 0 && now != was {
			t.Fatalf("%+v moved from %d to %d", g, was, now)
		}
	}
	if placed != min(others, pairs) {
		t.Fatalf("%d of %d placed on %d pairs", placed, others, pairs)
	}
	if (needed > 0) != (others > pairs) || needed > 0 && (needed < others || needed > 30) {
		t.Fatalf("%d others on %d pairs: needs %d", others, pairs, needed)
	}
}
