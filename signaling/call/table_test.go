package call

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// table is every event from every role in every state of one kind of call.
type table struct {
	title  string
	states []state
	roles  []string // devices; one without an id is a server acting for the user
}

// state is a situation and how one gets there.
type state struct {
	name   string
	script []string
}

// events are the last words of a line of a story, after the role. Those of byUID take the role's user in front.
var (
	events = []string{
		"accept", "accept takeover", "accept busyin=s2", "reject", "busy", "reject-as ended", "cancel",
		"end", "end forall", "end forall moderator", "join", "join takeover", "join busyin=s2", "leave",
		"online", "media", "signaling", "offline", "failed",
	}
	byUID = []string{"add", "remove"}
)

var directTable = table{
	title: "A 1:1 call from alice/a1 to bob",
	roles: []string{"alice/a1", "alice/a2", "alice", "bob/b1", "bob/b2", "bob", "mallory/m1"},
	states: []state{
		{"ringing", []string{"call alice/a1 bob"}},
		{"ringing, the caller has joined", []string{"call alice/a1 bob", "alice/a1 join"}},
		{"accepted", []string{"call alice/a1 bob", "bob/b1 accept"}},
		{"the called has joined", []string{"call alice/a1 bob", "bob/b1 accept", "bob/b1 join"}},
		{"talking", []string{"call alice/a1 bob", "alice/a1 join", "bob/b1 accept", "bob/b1 join"}},
		{"placed and accepted by servers", []string{"call alice bob", "bob accept"}},
		{"rejected", []string{"call alice/a1 bob", "bob/b1 reject"}},
		{"busy, said the client", []string{"call alice/a1 bob", "bob/b1 busy"}},
		{"busy at once", []string{"call alice/a1 bob busy=bob"}},
		{"cancelled", []string{"call alice/a1 bob", "alice/a1 cancel"}},
		{"unanswered", []string{"call alice/a1 bob", "deadline"}},
		{"ended", []string{"call alice/a1 bob", "alice/a1 join", "bob/b1 accept", "bob/b1 join", "alice/a1 end"}},
	},
}

var (
	ringing = []string{"call alice/a1 team of=alice,bob,carol,dave,erin,frank,gus busy=frank", "remove gus"}
	going   = slices.Concat(ringing, []string{
		"alice/a1 join", "erin/e1 accept", "bob/b1 accept", "dave/d1 reject", "erin/e1 join", "bob/b1 join", "erin/e1 leave",
	})
)

var groupTable = table{
	title: "A group call from alice/a1: erin has left from e1 where she can have, frank is busy elsewhere, gus was removed",
	roles: []string{
		"alice/a1", "alice/a2", "alice", "bob/b1", "bob/b2", "bob", "carol/c1", "dave/d1", "erin/e1", "erin/e2", "erin",
		"frank/f1", "gus/g1", "mallory/m1",
	},
	states: []state{
		{"ringing, dave has rejected", slices.Concat(ringing, []string{"dave/d1 reject"})},
		{"ringing, the caller has joined", slices.Concat(ringing, []string{"alice/a1 join"})},
		{"only bob rings on", slices.Concat(ringing, []string{"carol/c1 reject", "dave/d1 reject", "erin/e1 reject"})},
		{"bob has accepted", slices.Concat(ringing, []string{"bob/b1 accept"})},
		{"going on, carol rings, dave has rejected", going},
		{"going on after the ringing", slices.Concat(going, []string{"deadline"})},
		{"only bob is left", slices.Concat(going, []string{"alice/a1 leave"})},
		{"rejected", slices.Concat(ringing, []string{"bob/b1 reject", "carol/c1 reject", "dave/d1 reject", "erin/e1 reject"})},
		{"cancelled", slices.Concat(ringing, []string{"dave/d1 reject", "alice/a1 cancel"})},
		{"unanswered", slices.Concat(ringing, []string{"dave/d1 reject", "deadline"})},
		{"ended", slices.Concat(going, []string{"alice/a1 end forall"})},
	},
}

func TestEveryEventInEveryDirectState(t *testing.T) { directTable.test(t, "testdata/table/direct.txt") }
func TestEveryEventInEveryGroupState(t *testing.T)  { groupTable.test(t, "testdata/table/group.txt") }

// test compares the file with the machine, cell by cell: a missing cell fails, and so does one that is too many.
func (tb table) test(t *testing.T, path string) {
	got := tb.play(t)
	if *update {
		if err := os.WriteFile(path, []byte(tb.write(got)), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := tb.read(t, string(file))
	for key, outcome := range got {
		switch expected, ok := want[key]; {
		case !ok:
			t.Errorf("%v: the table does not say what happens; the machine says %q", key, outcome)
		case expected != outcome:
			t.Errorf("%v: want %q, got %q", key, expected, outcome)
		}
		delete(want, key)
	}
	for key := range want {
		t.Errorf("%v: the table speaks of something that there is not", key)
	}
}

// cell is one place of the table.
type cell struct{ state, event, role string }

// allEvents are the rows of each state. The last is time itself, the same for every role.
func allEvents() []string { return slices.Concat(events, byUID, []string{"deadline", "restart"}) }

// play puts every event to every state from every role.
func (tb table) play(t *testing.T) map[cell]string {
	got := make(map[cell]string)
	for _, st := range tb.states {
		s := story{now: start}
		for _, line := range st.script {
			if done := s.play(t, line); done.err != nil {
				t.Fatalf("%s: %q: %v", st.name, line, done.err)
			}
		}
		for _, ev := range allEvents() {
			for _, role := range tb.roles {
				got[cell{st.name, ev, role}] = outcome(t, s, ev, role)
			}
		}
	}
	return got
}

// outcome plays one event in one state and says in a few words what changed.
func outcome(t *testing.T, s story, ev, role string) string {
	t.Helper()
	before := s.call
	s.call = before.Clone()
	line := role + " " + ev
	switch {
	case slices.Contains(byUID, ev):
		line = ev + " " + device(role).UID
	case ev == "deadline" && s.call.Deadline().IsZero():
		return "-"
	case ev == "deadline" || ev == "restart":
		line = ev
	}
	done := s.play(t, line)
	var refusal *Error
	if errors.As(done.err, &refusal) {
		return strings.TrimPrefix(strings.TrimPrefix(string(refusal.Code), "ERR_"), "CALL_")
	}
	return or(changes(before, s.call), "-")
}

// changes says in a few words what is different.
func changes(before, after *Call) string {
	if after.Status != before.Status && after.Terminal() {
		return strings.TrimSpace(fmt.Sprint(after.Status, " ", after.Reason))
	}
	var said []string
	if after.Status != before.Status {
		said = append(said, string(after.Status))
	}
	for _, m := range after.Members {
		was := Member{}
		if i := slices.IndexFunc(before.Members, func(b Member) bool { return b.UID == m.UID }); i >= 0 {
			was = before.Members[i]
		}
		switch {
		case m.Removed != was.Removed && m.Removed:
			said = append(said, m.UID+" removed")
		case m.State != was.State:
			said = append(said, m.UID+" "+string(m.State))
		case m.Seat == nil || was.Seat == nil:
		case m.Seat.Device != was.Seat.Device:
			said = append(said, m.UID+" on "+or(m.Seat.Device, "any"))
		case m.Seat.Joined != was.Seat.Joined:
			said = append(said, m.UID+" early")
		case !m.Seat.GoneSince.Equal(was.Seat.GoneSince):
			said = append(said, m.UID+" gone")
		case m.Seat.Signaling != was.Seat.Signaling || m.Seat.Media != was.Seat.Media:
			said = append(said, m.UID+" here")
		}
	}
	return strings.Join(said, ", ")
}

// write lays the cells out, one grid for each state.
func (tb table) write(cells map[cell]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s.\n# Events down, who across. \"-\": no change, and the call is the answer; capitals: refused.\n", tb.title)
	for _, st := range tb.states {
		fmt.Fprintf(&b, "\n== %s\n", st.name)
		grid := [][]string{slices.Concat([]string{""}, tb.roles)}
		for _, ev := range allEvents() {
			row := []string{ev}
			for _, role := range tb.roles {
				row = append(row, cells[cell{st.name, ev, role}])
			}
			grid = append(grid, row)
		}
		writeGrid(&b, grid)
	}
	return b.String()
}

func writeGrid(b *strings.Builder, grid [][]string) {
	widths := make([]int, len(grid[0]))
	for _, row := range grid {
		for i, s := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(s))
		}
	}
	for _, row := range grid {
		for i, s := range row {
			if i > 0 {
				b.WriteString(" | ")
			}
			b.WriteString(s)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(s)))
			}
		}
		b.WriteString("\n")
	}
}

// read takes the cells from what write wrote.
func (tb table) read(t *testing.T, file string) map[cell]string {
	cells := make(map[cell]string)
	var name string
	var roles []string
	for line := range strings.Lines(file) {
		line = strings.TrimSuffix(line, "\n")
		if after, ok := strings.CutPrefix(line, "== "); ok {
			name, roles = after, nil
			continue
		}
		if line == "" || line[0] == '#' {
			continue
		}
		row := strings.Split(line, "|")
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
		}
		if roles == nil {
			roles = row[1:]
			continue
		}
		if len(row) != len(roles)+1 {
			t.Fatalf("%s: %q has %d cells", name, line, len(row)-1)
		}
		for i, role := range roles {
			cells[cell{name, row[0], role}] = row[i+1]
		}
	}
	return cells
}
