package call

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestEveryCodeHasItsSentence(t *testing.T) {
	for code, message := range messages {
		if err := refuse(code); !strings.HasPrefix(err.Error(), "ERR_") || !strings.HasSuffix(err.Error(), message) || message == "" {
			t.Errorf("%q says %q", code, err.Error())
		}
	}
}

func TestRefusedInitiations(t *testing.T) {
	good := Initiate{ID: "s1", Type: Audio, ReceiverType: User, By: Device{"alice", "a1"}, Receiver: "bob"}
	for _, tt := range []struct {
		name   string
		change func(*Initiate)
		want   *Error
	}{
		{"no type", func(e *Initiate) { e.Type = "" }, badRequest("type")},
		{"unknown type", func(e *Initiate) { e.Type = "fax" }, badRequest("type")},
		{"no receiver type", func(e *Initiate) { e.ReceiverType = "" }, refuse(CodeInvalidReceiverType)},
		{"no receiver", func(e *Initiate) { e.Receiver = "" }, refuse(CodeEmptyReceiver)},
		{"negative timeout", func(e *Initiate) { e.Timeout = -time.Second }, badRequest("timeoutSeconds")},
		{"short timeout", func(e *Initiate) { e.Timeout = MinRing - 1 }, badRequest("timeoutSeconds")},
		{"long timeout", func(e *Initiate) { e.Timeout = MaxRing + 1 }, badRequest("timeoutSeconds")},
		{"oneself", func(e *Initiate) { e.Receiver = "alice" }, refuse(CodeCallingSelf)},
		{"a foreign group", func(e *Initiate) { e.ReceiverType, e.GroupMembers = Group, []string{"bob"} }, refuse(CodeGroupNotJoined)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := good
			tt.change(&e)
			c, effects, err := New(start, e)
			if c != nil || effects != nil || !reflect.DeepEqual(err, error(tt.want)) {
				t.Errorf("got %v, %v, %v; want %v", c, effects, err, tt.want)
			}
		})
	}
	for _, timeout := range []time.Duration{0, MinRing, MaxRing} {
		e := good
		e.Timeout = timeout
		if _, _, err := New(start, e); err != nil {
			t.Errorf("ringing for %v: %v", timeout, err)
		}
	}
}

func TestPolicyIsStoredWithTheCall(t *testing.T) {
	policy := Policy{Ring: 10 * time.Second, Grace: time.Second, Join: 2 * time.Second, WhenBusy: Ring}
	c, _, err := New(start, Initiate{ID: "s1", Type: Audio, ReceiverType: User, By: Device{"alice", "a1"}, Receiver: "bob", Policy: policy})
	if err != nil {
		t.Fatal(err)
	}
	if c.Policy != policy || !c.RingDeadline.Equal(start.Add(policy.Ring)) {
		t.Errorf("got %+v, ringing until %v", c.Policy, c.RingDeadline)
	}
	if _, err := c.Handle(start, Presence{Device: Device{"alice", "a1"}}); err != nil || !c.Deadline().Equal(start.Add(policy.Grace)) {
		t.Errorf("grace until %v, %v", c.Deadline(), err)
	}
	if _, err := c.Handle(start, Accept{By: Device{"bob", "b1"}}); err != nil || !c.Members[1].Seat.JoinBy.Equal(start.Add(policy.Join)) {
		t.Errorf("due in the room by %v, %v", c.Members[1].Seat.JoinBy, err)
	}
}

// A lost connection is noticed late; the grace period runs from when the device was last heard of all the same.
func TestTheGraceRunsFromTheBeginningOfTheSilence(t *testing.T) {
	policy := Policy{Ring: time.Minute, Grace: 30 * time.Second, Join: 30 * time.Second}
	heard, noticed := start.Add(5*time.Second), start.Add(15*time.Second)
	for _, row := range []struct{ since, want time.Time }{
		{heard, heard.Add(policy.Grace)},
		{time.Time{}, noticed.Add(policy.Grace)},
		{noticed.Add(time.Second), noticed.Add(policy.Grace)}, // a clock that runs ahead grants no more time
	} {
		c, _, err := New(start, Initiate{ID: "s1", Type: Audio, ReceiverType: User, By: Device{"alice", "a1"}, Receiver: "bob", Policy: policy})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Handle(noticed, Presence{Device: Device{"alice", "a1"}, Since: row.since}); err != nil || !c.Deadline().Equal(row.want) {
			t.Errorf("silent since %v: gone at %v, want %v (%v)", row.since, c.Deadline(), row.want, err)
		}
	}
}

func TestWhoIsBusy(t *testing.T) {
	s := &story{now: start}
	for _, step := range []struct{ line, busy string }{
		{"call alice/a1 team busy=carol", "alice"},
		{"alice/a1 join", "alice"},
		{"bob/b1 accept", "alice bob"},
		{"bob/b1 join", "alice bob"},
		{"dave/d1 reject", "alice bob"},
		{"alice/a1 leave", "bob"},
		{"dave/d1 join", "bob dave"},
		{"bob/b1 end", "dave"},
		{"dave/d1 offline", "dave"},
		{"+30s wait", ""},
	} {
		s.play(t, step.line)
		if got := strings.Join(s.call.BusyUsers(), " "); got != step.busy {
			t.Errorf("after %q: busy are %q, want %q", step.line, got, step.busy)
		}
	}
}

func TestMemberKnowsWhoBelongs(t *testing.T) {
	s := &story{now: start}
	s.play(t, "call alice/a1 team")
	s.play(t, "remove carol")
	if m, ok := s.call.Member("bob"); !ok || m.State != StateRinging {
		t.Errorf("bob: %v, %t", m, ok)
	}
	for _, uid := range []string{"carol", "mallory", ""} {
		if m, ok := s.call.Member(uid); ok {
			t.Errorf("%q is a member: %v", uid, m)
		}
	}
}

func TestCloneSharesNothing(t *testing.T) {
	s := &story{now: start}
	s.play(t, `call alice/a1 bob metadata={"a":1}`)
	want := s.call.Clone()
	c := s.call.Clone()
	c.Metadata[0], c.Members[0].Seat.Device, c.Members[1].State = 'x', "other", StateLeft
	if diff := cmp.Diff(want, s.call); diff != "" {
		t.Error(diff)
	}
}

// A time of the local zone with a monotonic reading must not come back different from the store.
func TestTimesAreTheSameAfterTheStore(t *testing.T) {
	c, _, err := New(time.Now(), Initiate{ID: "s1", Type: Audio, ReceiverType: User, By: Device{"alice", "a1"}, Receiver: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	s := &story{now: c.InitiatedAt, call: c}
	s.roundTrip(t)
	if _, err := s.call.Handle(time.Now(), Accept{By: Device{"bob", "b1"}}); err != nil {
		t.Fatal(err)
	}
	s.roundTrip(t)
	s.call.Restore(time.Now())
	s.roundTrip(t)
}

func TestASessionRemembersABoundedNumberOfVisitors(t *testing.T) {
	c, _, err := NewSession(start, Open{ID: "s", Name: "lobby", Type: Video, By: Device{"host", "h1"}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 * maxVisitors {
		now, d := start.Add(time.Duration(i)*time.Second), Device{UID: fmt.Sprintf("visitor-%d", i), ID: "v"}
		c.Members[0].Seat.JoinBy = time.Time{}
		if _, err := c.Handle(now, Join{By: d, Rights: &Rights{}}); err != nil {
			t.Fatal(err)
		}
		if i > 0 { // the newest two are in
			if _, err := c.Handle(now, Leave{By: Device{UID: fmt.Sprintf("visitor-%d", i-1), ID: "v"}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(c.Members) != maxVisitors {
		t.Errorf("%d members are remembered, want %d", len(c.Members), maxVisitors)
	}
	if m, ok := c.Member(fmt.Sprintf("visitor-%d", 3*maxVisitors-1)); !ok || m.State != StateJoined || c.Members[0].UID != "host" {
		t.Error("somebody who is in the session was forgotten")
	}
}
