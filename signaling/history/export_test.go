package history

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/parleyrtc/parley/signaling/journal"
	"github.com/parleyrtc/parley/signaling/wire"
)

// logged has what CSV and spreadsheets have trouble with.
func logged() []wire.LoggedCallView {
	user := func(uid string) wire.UserView {
		return wire.UserView{UID: uid, Name: "=HYPERLINK(\"http://evil\")\n" + uid}
	}
	call := wire.CallView{
		SessionID: "-s,1", Type: "video", ReceiverType: "user", Status: "ended", Reason: "hangup", Initiator: user("@SUM(A1)"),
		Receiver: wire.UserReceiver(user("+49-30")), InitiatedAt: 1_767_323_045_678, RingDeadline: 1_767_323_090_678,
		StartedAt: 1_767_323_050_000, EndedAt: 1_767_323_060_250, Metadata: json.RawMessage(`{"a":"<b>"}`),
		Members: wire.List[wire.MemberView]{{User: user("@SUM(A1)"), State: "left"}, {User: user("+49-30"), State: "left"}},
	}
	return []wire.LoggedCallView{
		{CallView: call, Direction: "outgoing", DurationSeconds: 10.25, Participants: wire.List[wire.AttendeeView]{
			{User: user("@SUM(A1)"), DeviceIDs: wire.List[string]{"d_1", "d_2"}, Joins: 2, JoinedAt: 1, LeftAt: 2, Seconds: 10.25,
				Quality: &wire.AverageScore{Worst: 20, Mean: 71.5}},
			{User: user("+49-30"), DeviceIDs: wire.List[string]{"d_3"}, Joins: 1, JoinedAt: 1, Seconds: 7},
		}},
		{CallView: wire.CallView{SessionID: "s-2", Type: "audio", ReceiverType: "group", Status: "cancelled", Initiator: user("a"),
			Receiver: wire.GroupReceiver(wire.GroupView{GUID: "=team", Name: "x"}), InitiatedAt: 5, RingDeadline: 6, Metadata: json.RawMessage(`{}`),
			Members: wire.List[wire.MemberView]{}}, Direction: "incoming", Missed: true, Participants: wire.List[wire.AttendeeView]{}},
	}
}

func export(t *testing.T, format string) string {
	t.Helper()
	var out bytes.Buffer
	e, err := NewExporter(&out, format)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range logged() {
		if err := e.Write(c); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Flush(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestJSONLinesComeBackAsTheyWere(t *testing.T) {
	decoder := json.NewDecoder(strings.NewReader(export(t, JSONLines)))
	for i, want := range logged() {
		var got wire.LoggedCallView
		if err := decoder.Decode(&got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("line %d is\n%+v\nwant\n%+v", i+1, got, want)
		}
	}
}

func TestCSVComesBackAndIsNoFormula(t *testing.T) {
	rows, err := csv.NewReader(strings.NewReader(export(t, CSV))).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatalf("%v, %v", rows, err)
	}
	want := [][]string{Columns(), {
		"-s,1", "video", "user", "@SUM(A1)", "+49-30", "ended", "hangup", "outgoing", "false", "2026-01-02T03:04:05.678Z",
		"2026-01-02T03:04:10.000Z", "2026-01-02T03:04:20.250Z", "10.25", "@SUM(A1) +49-30", "10.25 7", "20 -", "71.5 -",
	}, {
		"s-2", "audio", "group", "a", "=team", "cancelled", "", "incoming", "true", "1970-01-01T00:00:00.005Z", "", "", "0", "", "", "", "",
	}}
	for i, row := range rows {
		for j, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) {
				t.Errorf("%q is a formula", cell)
			}
			if text := strings.TrimPrefix(cell, "'"); text != want[i][j] {
				t.Errorf("row %d has %s %q, want %q", i, want[0][j], text, want[i][j])
			}
		}
	}
}

func TestAttendanceAddsUpVisitsDevicesAndQuality(t *testing.T) {
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	joined := func(s int, uid, device string) journal.Entry {
		return journal.Entry{Kind: journal.Joined, At: at(s), UID: uid, Device: device}
	}
	left := func(s, since int, uid, device string) journal.Entry {
		return journal.Entry{Kind: journal.Left, At: at(s), Since: at(since), UID: uid, Device: device}
	}
	var a Attendance
	a = a.With([]journal.Entry{{Kind: journal.Initiated, UID: "alice"}, joined(0, "alice", "a1")})
	a = a.With([]journal.Entry{joined(2, "bob", "b1")})
	before := a
	a = a.Measured(at(4), "bob", 80).Measured(at(8), "bob", 20).Measured(at(8), "nobody", 1)
	a = a.With([]journal.Entry{left(10, 2, "bob", "b1"), joined(10, "bob", "b2")})
	a = a.With([]journal.Entry{left(15, 10, "bob", "b2")})
	if len(before) != 2 || before[1].Joins != 1 || before[1].Quality.Known {
		t.Errorf("what others hold has changed: %+v", before)
	}
	bob := a[1]
	if bob.UID != "bob" || bob.Joins != 2 || bob.Total != 13*time.Second || !bob.JoinedAt.Equal(at(2)) || !bob.LeftAt.Equal(at(15)) ||
		strings.Join(bob.Devices, " ") != "b1 b2" {
		t.Errorf("bob is %+v", bob)
	}
	if q := bob.Quality; q.Worst != 20 || q.Mean() != (80*4+20*2)/6.0 {
		t.Errorf("bob's quality is %+v, on average %v", q, q.Mean())
	}
	if a[0].LeftAt != (time.Time{}) || a[0].Total != 0 {
		t.Errorf("alice is %+v", a[0])
	}
}
