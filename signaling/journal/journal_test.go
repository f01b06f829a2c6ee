package journal

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/parleyrtc/parley/signaling/call"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// story is a call whose journal is kept.
type story struct {
	t     interface{ Fatalf(string, ...any) }
	now   time.Time
	call  *call.Call
	lines []string
	all   []Entry
}

func begin(t interface{ Fatalf(string, ...any) }, receiver call.ReceiverType, busy ...string) *story {
	s := &story{t: t, now: start}
	wish := call.Initiate{ID: "s", Type: call.Video, ReceiverType: receiver, By: call.Device{UID: "alice", ID: "a1"}, Receiver: "bob", Busy: busy}
	if receiver == call.Group {
		wish.Receiver, wish.GroupMembers = "team", []string{"alice", "bob", "carol"}
	}
	c, effects, err := call.New(s.now, wish)
	if err != nil {
		t.Fatalf("%v", err)
	}
	s.note(Change{Now: s.now, After: c, Effects: effects})
	return s
}

func (s *story) note(change Change) {
	for _, e := range change.Entries() {
		s.all = append(s.all, e)
		line := fmt.Sprintf("%s %s/%s %s (%s)", e.Kind, e.UID, e.Device, e.Reason, e.Status)
		if e.UIDs != nil {
			line += " " + strings.Join(e.UIDs, ",")
		}
		s.lines = append(s.lines, line)
	}
	s.call = change.After
}

// tell works an event in, as a call's loop does; a refused one changes nothing.
func (s *story) tell(event call.Event) {
	s.pass(0)
	next := s.call.Clone()
	if effects, err := next.Handle(s.now, event); err == nil {
		s.note(Change{Now: s.now, Before: s.call, After: next, Event: event, Effects: effects})
	}
}

// pass lets time go by.
func (s *story) pass(d time.Duration) {
	s.now = s.now.Add(d)
	next := s.call.Clone()
	s.note(Change{Now: s.now, Before: s.call, After: next, Effects: next.Advance(s.now)})
}

func at(uid, device string) call.Device { return call.Device{UID: uid, ID: device} }

func TestTheJournalTellsWhoDidWhatWhereAndWhy(t *testing.T) {
	for name, row := range map[string]struct {
		receiver call.ReceiverType
		busy     []string
		story    func(*story)
		want     string
	}{
		"talk": {receiver: call.User, story: func(s *story) {
			s.tell(call.Accept{By: at("bob", "b1")})
			s.tell(call.Join{By: at("alice", "a1")})
			s.tell(call.Join{By: at("bob", "b1")})
			s.tell(call.Join{By: at("bob", "b1")})
			s.tell(call.End{By: at("bob", "b1")})
		}, want: `
call.initiated alice/a1 initiated (initiated)
call.accepted bob/b1 accepted (ongoing)
participant.joined alice/a1 joined (ongoing)
participant.joined bob/b1 joined (ongoing)
participant.left alice/a1 hangup (ended)
participant.left bob/b1 hangup (ended)
call.ended bob/b1 hangup (ended)`},
		"rejected": {receiver: call.User, story: func(s *story) { s.tell(call.Reject{By: at("bob", "b1"), Status: call.Rejected}) }, want: `
call.initiated alice/a1 initiated (initiated)
call.rejected bob/b1 rejected (rejected)`},
		"busy says the client": {receiver: call.User, story: func(s *story) { s.tell(call.Reject{By: at("bob", "b1"), Status: call.Busy}) }, want: `
call.initiated alice/a1 initiated (initiated)
call.busy bob/b1 busy (busy)`},
		"busy elsewhere": {receiver: call.User, busy: []string{"bob"}, story: func(*story) {}, want: `
call.initiated alice/a1 initiated (initiated)
call.busy bob/ in_another_call (busy)`},
		"cancelled on another device": {receiver: call.User, story: func(s *story) { s.tell(call.Cancel{By: at("alice", "a2")}) }, want: `
call.initiated alice/a1 initiated (initiated)
call.cancelled alice/a2 cancelled (cancelled)`},
		"unanswered": {receiver: call.User, story: func(s *story) { s.pass(time.Minute) }, want: `
call.initiated alice/a1 initiated (initiated)
call.unanswered bob/ ring_timeout (unanswered)`},
		"the caller is lost": {receiver: call.User, story: func(s *story) {
			s.tell(call.Presence{Device: at("alice", "a1")})
			s.pass(40 * time.Second)
		}, want: `
call.initiated alice/a1 initiated (initiated)
call.cancelled alice/ lost (cancelled)`},
		"lost in the call": {receiver: call.User, story: func(s *story) {
			s.tell(call.Accept{By: at("bob", "b1")})
			s.tell(call.Join{By: at("alice", "a1")})
			s.tell(call.Join{By: at("bob", "b1")})
			s.tell(call.Presence{Device: at("bob", "b1")})
			s.pass(time.Minute)
		}, want: `
call.initiated alice/a1 initiated (initiated)
call.accepted bob/b1 accepted (ongoing)
participant.joined alice/a1 joined (ongoing)
participant.joined bob/b1 joined (ongoing)
participant.left alice/a1 lost (ended)
participant.left bob/b1 lost (ended)
call.ended bob/b1 lost (ended)`},
		"taken over": {receiver: call.User, story: func(s *story) {
			s.tell(call.Accept{By: at("bob", "b1")})
			s.tell(call.Join{By: at("bob", "b1")})
			s.tell(call.Join{By: at("bob", "b2"), Takeover: true})
		}, want: `
call.initiated alice/a1 initiated (initiated)
call.accepted bob/b1 accepted (ongoing)
participant.joined bob/b1 joined (ongoing)
participant.left bob/b1 taken_over (ongoing)
participant.joined bob/b2 joined (ongoing)`},
		"group": {receiver: call.Group, story: func(s *story) {
			s.tell(call.Reject{By: at("bob", "b1"), Status: call.Rejected})
			s.tell(call.Join{By: at("alice", "a1")})
			s.tell(call.Accept{By: at("carol", "c1")})
			s.tell(call.Join{By: at("carol", "c1")})
			s.tell(call.Join{By: at("bob", "b1")})
			s.tell(call.Leave{By: at("carol", "c1")})
			s.tell(call.MediaFailed{Device: at("bob", "b1")})
			s.tell(call.End{By: at("alice", ""), ForAll: true})
		}, want: `
call.initiated alice/a1 initiated (initiated)
call.rejected bob/b1 rejected (initiated)
participant.joined alice/a1 joined (initiated)
call.accepted carol/c1 accepted (ongoing)
participant.joined carol/c1 joined (ongoing)
call.accepted bob/b1 accepted (ongoing)
participant.joined bob/b1 joined (ongoing)
participant.left carol/c1 left (ongoing)
participant.left bob/b1 failed (ongoing)
participant.left alice/a1 ended_for_all (ended)
call.ended alice/ ended_for_all (ended)`},
		"nobody of a group answers": {receiver: call.Group, story: func(s *story) { s.pass(time.Minute) }, want: `
call.initiated alice/a1 initiated (initiated)
call.unanswered bob/ ring_timeout (unanswered) bob,carol`},
		"put out by a moderator, closed by the operator": {receiver: call.Group, story: func(s *story) {
			s.tell(call.Join{By: at("alice", "a1")})
			s.tell(call.Accept{By: at("bob", "b1")})
			s.tell(call.Join{By: at("bob", "b1")})
			s.tell(call.Expel{By: at("alice", "a1"), UID: "bob"})
			s.tell(call.Expel{UID: "carol"})
			s.tell(call.Close{})
		}, want: `
call.initiated alice/a1 initiated (initiated)
participant.joined alice/a1 joined (initiated)
call.accepted bob/b1 accepted (ongoing)
participant.joined bob/b1 joined (ongoing)
participant.left bob/b1 removed (ongoing)
call.rejected carol/ removed (ongoing)
participant.left alice/a1 ended_for_all (ended)
call.ended alice/ ended_for_all (ended)`},
		"closed while it rings": {receiver: call.Group, story: func(s *story) { s.tell(call.Close{}) }, want: `
call.initiated alice/a1 initiated (initiated)
call.cancelled alice/ ended_for_all (cancelled)`},
		"a user is deleted": {receiver: call.User, story: func(s *story) { s.tell(call.MemberRemoved{UID: "bob"}) }, want: `
call.initiated alice/a1 initiated (initiated)
call.rejected bob/ removed (rejected)`},
	} {
		t.Run(name, func(t *testing.T) {
			s := begin(t, row.receiver, row.busy...)
			row.story(s)
			if got := "\n" + strings.Join(s.lines, "\n"); got != row.want {
				t.Errorf("the journal is%s\nwant%s", got, row.want)
			}
		})
	}
}

func TestTheJournalOfASessionThatNobodyIsCalledTo(t *testing.T) {
	s := &story{t: t, now: start}
	c, effects, err := call.NewSession(s.now, call.Open{
		ID: "s", Name: "lobby", Type: call.Video, By: at("alice", "a1"), Policy: call.Policy{Alone: time.Minute},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.note(Change{Now: s.now, After: c, Effects: effects})
	s.tell(call.Join{By: at("alice", "a1")})
	s.tell(call.Join{By: at("bob", "b1"), Rights: &call.Rights{}})
	s.tell(call.Leave{By: at("alice", "a1")})
	s.pass(time.Minute)
	want := `
call.initiated alice/a1 opened (ongoing)
participant.joined alice/a1 joined (ongoing)
participant.joined bob/b1 joined (ongoing)
participant.left alice/a1 left (ongoing)
participant.left bob/b1 alone (ended)
call.ended bob/b1 alone (ended)`
	if got := "\n" + strings.Join(s.lines, "\n"); got != want {
		t.Errorf("the journal is%s\nwant%s", got, want)
	}
}

// TestTheJournalAgreesWithTheCall lets anything happen in any order: what the journal says must lead to the state that the call is in.
func TestTheJournalAgreesWithTheCall(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := begin(t, rapid.SampledFrom([]call.ReceiverType{call.User, call.Group}).Draw(t, "receiver"))
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			uid := rapid.SampledFrom([]string{"alice", "bob", "carol"}).Draw(t, "uid")
			d := at(uid, uid+rapid.SampledFrom([]string{"1", "2"}).Draw(t, "device"))
			takeover := rapid.Bool().Draw(t, "takeover")
			switch rapid.IntRange(0, 11).Draw(t, "event") {
			case 0:
				s.tell(call.Accept{By: d, Takeover: takeover})
			case 1:
				s.tell(call.Reject{By: d, Status: call.Rejected})
			case 2:
				s.tell(call.Join{By: d, Takeover: takeover})
			case 3, 4:
				s.tell(call.Join{By: d, Takeover: true})
			case 5:
				s.tell(call.Leave{By: d})
			case 6:
				s.tell(call.Presence{Device: d, Signaling: takeover})
			case 7:
				s.pass(time.Duration(rapid.IntRange(1, 40).Draw(t, "seconds")) * time.Second)
			case 8:
				s.tell(call.MemberRemoved{UID: uid})
			case 10:
				s.tell(call.Expel{By: d, UID: rapid.SampledFrom([]string{"alice", "bob", "carol"}).Draw(t, "whom")})
			case 11:
				if takeover {
					s.tell(call.Close{})
				}
			case 9:
				s.tell(call.End{By: d, ForAll: takeover})
			}
		}
		s.check(t)
	})
}

func (s *story) check(t *rapid.T) {
	in, ends := map[string]string{}, 0
	for i, e := range s.all {
		switch {
		case (e.Kind == Initiated) != (i == 0):
			t.Fatalf("initiated is not the first alone: %v", s.lines)
		case e.UID == "" || e.Reason == "":
			t.Fatalf("%v lacks who or why", e)
		case e.Kind == Joined && in[e.UID] != "" || e.Kind == Left && in[e.UID] != e.Device:
			t.Fatalf("who comes was out, and who goes was in: %v", s.lines)
		}
		switch e.Kind {
		case Joined:
			in[e.UID] = e.Device
		case Left:
			delete(in, e.UID)
		}
		if e.Status.Terminal() && e.Kind != Left && e.Kind != Joined {
			ends++
		}
	}
	for i := range s.call.Members {
		if m := &s.call.Members[i]; inRoom(*m) != in[m.UID] {
			t.Fatalf("%s is in the room as %q, the journal says %q", m.UID, inRoom(*m), in[m.UID])
		}
	}
	if s.call.Terminal() && ends != 1 || !s.call.Terminal() && ends != 0 {
		t.Fatalf("a call that is %s has %d ends: %v", s.call.Status, ends, s.lines)
	}
}

func TestWhatIsInSafeHandsIsNotKept(t *testing.T) {
	all := func(Kind) bool { return true }
	j := Journal{}.Next(0, []Entry{{Kind: Initiated}, {Kind: Accepted}}, all)
	j = j.Next(1, []Entry{{Kind: Joined}, {Kind: Ended}}, func(k Kind) bool { return k != Joined })
	var numbers []uint64
	for _, e := range j.Entries {
		numbers = append(numbers, e.Number)
	}
	if !slices.Equal(numbers, []uint64{2, 4}) || j.Last != 4 {
		t.Errorf("kept %v, last %d", numbers, j.Last)
	}
	full := j.Next(4, make([]Entry, 3*maxKept), all)
	if len(full.Entries) != maxKept || full.Entries[0].Number != 4+2*maxKept+1 {
		t.Errorf("%d are kept, from %d on", len(full.Entries), full.Entries[0].Number)
	}
	if left := j.After(2); len(left) != 1 || left[0].Number != 4 {
		t.Errorf("after 2 comes %v", left)
	}
}
