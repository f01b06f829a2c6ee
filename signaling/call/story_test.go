package call

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// start is the moment every story begins at.
var start = time.Date(2030, 1, 2, 3, 4, 5, 678, time.UTC)

// story plays a script against the machine, one line at a time, and checks after each what must hold in every call.
// A line is
//
//	call alice/a1 bob|team [audio] [for=20s] [policy=ring] [busy=bob,carol] [callerbusy=s2] [rungby=s2] [groupcall=s2]
//	[+3s] bob/b1 accept|reject|busy|cancel|end|join|leave [takeover] [forall] [moderator] [busyin=s2]
//	open alice/a1 weekly [busyin=s2] [hidden] [moderates] [sources=microphone,camera] [alone=5m]
//	[+3s] bob/b1 enter [takeover] [hidden] [moderates] [busyin=s2]
//	[+3s] bob/b1 expel carol [moderator]
//	[+3s] bob/b1 online|media|signaling|offline|failed [reason=…]
//	[+3s] add|remove dave [busy]
//	[+3s] close
//	[+3s] expel dave
//	[+3s] wait|restart
//	deadline
type story struct {
	now    time.Time
	call   *Call
	closed int // rooms closed so far
	opened int // times media was let through
}

// team is the group that stories call.
var team = []string{"alice", "bob", "carol", "dave"}

// step is what one line of a script brought about.
type step struct {
	timers  []Effect // done by time before the event
	effects []Effect
	err     error
}

// play works one line in.
func (s *story) play(t fataler, line string) step {
	t.Helper()
	words := strings.Fields(line)
	if strings.HasPrefix(words[0], "+") {
		d, err := time.ParseDuration(words[0][1:])
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		s.now = s.now.Add(d)
		words = words[1:]
	}
	switch words[0] {
	case "call":
		c, effects, err := New(s.now, initiate(t, words[1:]))
		if err != nil {
			return step{err: err}
		}
		s.call = c
		s.observe(t, &Call{Status: Initiated}, effects)
		return step{effects: effects}
	case "open":
		c, effects, err := NewSession(s.now, opening(t, words[1:]))
		if err != nil {
			return step{err: err}
		}
		s.call = c
		s.observe(t, &Call{Status: Initiated}, effects)
		return step{effects: effects}
	case "deadline":
		s.now = s.call.Deadline()
		return step{timers: s.advance(t)}
	case "wait":
		return step{timers: s.advance(t)}
	case "restart":
		s.call.Restore(s.now)
		s.roundTrip(t)
		return step{timers: s.advance(t)}
	}
	return s.handle(t, event(t, words))
}

func (s *story) advance(t fataler) []Effect {
	t.Helper()
	before := s.call.Clone()
	effects := s.call.Advance(s.now)
	s.observe(t, before, effects)
	if d := s.call.Deadline(); !d.IsZero() && !d.After(s.now) {
		t.Fatalf("after Advance the deadline %v is not in the future of %v", d, s.now)
	}
	return effects
}

func (s *story) handle(t fataler, e Event) step {
	t.Helper()
	timers := s.advance(t)
	before := s.call.Clone()
	effects, err := s.call.Handle(s.now, e)
	if err != nil {
		if effects != nil || !reflect.DeepEqual(before, s.call) {
			t.Fatalf("a refused %T changed the call: %v\n%s", e, effects, cmp.Diff(before, s.call))
		}
		var refusal *Error
		if !errors.As(err, &refusal) || refusal.Message == "" {
			t.Fatalf("%T was refused with %v, which is no refusal", e, err)
		}
	}
	s.observe(t, before, effects)
	return step{timers: timers, effects: effects, err: err}
}

// observe checks what holds after every change.
func (s *story) observe(t fataler, before *Call, effects []Effect) {
	t.Helper()
	c := s.call
	if before.Terminal() && (len(effects) > 0 || !reflect.DeepEqual(before, c)) {
		t.Fatalf("a call that was %s changed: %v", before.Status, effects)
	}
	for i, e := range effects {
		switch e := e.(type) {
		case OpenMedia:
			s.opened++
			if before.Status != Initiated || c.StartedAt.IsZero() {
				t.Fatal("media is opened by something else than the first acceptance")
			}
		case CloseRoom:
			s.closed++
			if !c.Terminal() || i != len(effects)-1 || e.Reason == "" || e.Reason != c.CloseReason() {
				t.Fatalf("the room is closed out of turn: %v", effects)
			}
		case Notify:
			if len(e.To) == 0 {
				t.Fatalf("%s goes to nobody", e.Kind)
			}
		}
	}
	if s.closed != btoi(c.Terminal()) || s.opened != btoi(!c.StartedAt.IsZero()) {
		t.Fatalf("a call that is %s closed its room %d times and opened it %d times", c.Status, s.closed, s.opened)
	}
	s.consistent(t)
	s.roundTrip(t)
}

// consistent checks that the parts of a call agree with one another.
func (s *story) consistent(t fataler) {
	t.Helper()
	c := s.call
	if c.MediaOpen() != (c.Status == Ongoing) || c.Terminal() == c.EndedAt.IsZero() || (c.Reason != "") != (c.Status == Ended) {
		t.Fatalf("the call contradicts itself: %+v", c)
	}
	if c.Terminal() && (len(c.BusyUsers()) > 0 || !c.Deadline().IsZero()) {
		t.Fatalf("a call that is over keeps %v busy and waits for %v", c.BusyUsers(), c.Deadline())
	}
	if c.Status == Ongoing && c.seats() == 0 {
		t.Fatal("an ongoing call has nobody in it")
	}
	for _, m := range c.Members {
		seated := m.State == StateCalling || m.State == StateAccepted || m.State == StateJoined
		if seated != (m.Seat != nil) || m.Seat != nil && m.State != StateCalling && m.Seat.Joined != (m.State == StateJoined) {
			t.Fatalf("%s is %s with the seat %+v", m.UID, m.State, m.Seat)
		}
		if c.Terminal() && m.State == StateRinging || m.Removed && m.Seat != nil {
			t.Fatalf("%s is %s in a call that is %s", m.UID, m.State, c.Status)
		}
		if c.HoldsBusy(m.UID) != slices.Contains(c.BusyUsers(), m.UID) {
			t.Fatalf("HoldsBusy and BusyUsers disagree on %s", m.UID)
		}
	}
}

// roundTrip goes on with the call as the store would give it back.
func (s *story) roundTrip(t fataler) {
	t.Helper()
	stored, err := json.Marshal(s.call)
	if err != nil {
		t.Fatal(err)
	}
	back := new(Call)
	if err := json.Unmarshal(stored, back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(s.call, back) {
		t.Fatalf("JSON does not keep the call:\n%s", cmp.Diff(s.call, back))
	}
	s.call = back
}

// fataler is the part of testing.TB and rapid.T that a story needs.
type fataler interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

var _ fataler = (*testing.T)(nil)

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// initiate reads the words after "call".
func initiate(t fataler, words []string) Initiate {
	t.Helper()
	e := Initiate{ID: "s1", Type: Video, ReceiverType: User, By: device(words[0]), Receiver: words[1]}
	if e.Receiver == "team" {
		e.ReceiverType, e.GroupMembers = Group, team
	}
	for _, w := range words[2:] {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "audio":
			e.Type = Audio
		case "for":
			e.Timeout, _ = time.ParseDuration(value)
		case "policy":
			e.Policy.WhenBusy = WhenBusy(value)
		case "of":
			e.GroupMembers = strings.Split(value, ",")
		case "busy":
			e.Busy = strings.Split(value, ",")
		case "callerbusy":
			e.CallerBusyIn = value
		case "rungby":
			e.CallerRungBy = value
		case "groupcall":
			e.GroupCall = value
		case "metadata":
			e.Metadata = json.RawMessage(value)
		case "alone":
			e.Policy.Alone, _ = time.ParseDuration(value)
		default:
			t.Fatalf("unknown word %q", w)
		}
	}
	return e
}

// opening reads the words after "open".
func opening(t fataler, words []string) Open {
	t.Helper()
	e := Open{ID: "s1", Type: Video, By: device(words[0]), Name: words[1], Rights: rights(words)}
	for _, w := range words[2:] {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "busyin":
			e.BusyIn = value
		case "alone":
			e.Policy.Alone, _ = time.ParseDuration(value)
		case "audio":
			e.Type = Audio
		}
	}
	return e
}

// rights reads those words of a line that give rights.
func rights(words []string) Rights {
	var r Rights
	for _, w := range words {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "hidden":
			r.Hidden = true
		case "moderates":
			r.Moderator = true
		case "sources":
			r.Limited, r.Sources = true, strings.Split(value, ",")
		}
	}
	return r
}

func device(s string) Device {
	uid, id, _ := strings.Cut(s, "/")
	return Device{UID: uid, ID: id}
}

// event reads the words of a line that is an event.
func event(t fataler, words []string) Event {
	t.Helper()
	has := func(w string) bool { return slices.Contains(words, w) }
	value := func(key string) string {
		for _, w := range words {
			if v, ok := strings.CutPrefix(w, key+"="); ok {
				return v
			}
		}
		return ""
	}
	switch words[0] {
	case "add":
		return MemberAdded{UID: words[1], Busy: has("busy")}
	case "remove":
		return MemberRemoved{UID: words[1]}
	case "close":
		return Close{}
	case "expel":
		return Expel{UID: words[1]}
	}
	d := device(words[0])
	switch words[1] {
	case "accept":
		return Accept{By: d, Takeover: has("takeover"), BusyIn: value("busyin")}
	case "reject":
		return Reject{By: d, Status: Rejected}
	case "busy":
		return Reject{By: d, Status: Busy}
	case "reject-as":
		return Reject{By: d, Status: Status(words[2])}
	case "cancel":
		return Cancel{By: d}
	case "end":
		return End{By: d, ForAll: has("forall"), Moderator: has("moderator")}
	case "join":
		return Join{By: d, Takeover: has("takeover"), BusyIn: value("busyin")}
	case "enter":
		r := rights(words)
		return Join{By: d, Takeover: has("takeover"), BusyIn: value("busyin"), Rights: &r}
	case "expel":
		return Expel{By: d, UID: words[2], Moderator: has("moderator")}
	case "leave":
		return Leave{By: d}
	case "online":
		return Presence{Device: d, Signaling: true, Media: true}
	case "media":
		return Presence{Device: d, Media: true}
	case "signaling":
		return Presence{Device: d, Signaling: true}
	case "offline":
		return Presence{Device: d}
	case "failed":
		return MediaFailed{Device: d, Reason: Reason(value("reason"))}
	}
	t.Fatalf("unknown event %q", words)
	return nil
}

// describe tells where the call stands, on one line.
func (s *story) describe() string {
	c := s.call
	var b strings.Builder
	b.WriteString(string(c.Status))
	if c.Reason != "" {
		fmt.Fprintf(&b, " (%s)", c.Reason)
	}
	for _, m := range c.Members {
		fmt.Fprintf(&b, " · %s %s", m.UID, m.State)
		if m.Removed {
			b.WriteString(" removed")
		}
		if m.Barred {
			b.WriteString(" barred")
		}
		if m.Seat != nil {
			fmt.Fprintf(&b, " on %s", or(m.Seat.Device, "any device"))
			if m.Seat.Joined && m.State != StateJoined {
				b.WriteString(", joined")
			}
		}
	}
	if d := c.Deadline(); !d.IsZero() {
		fmt.Fprintf(&b, " · until %v", d.Sub(start))
	}
	return b.String()
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// show writes an effect for people.
func show(e Effect) string {
	switch e := e.(type) {
	case Notify:
		var to []string
		for _, r := range e.To {
			switch {
			case r.Device != "":
				to = append(to, r.UID+"/"+r.Device)
			case r.Except != "":
				to = append(to, r.UID+" but not "+r.Except)
			default:
				to = append(to, r.UID)
			}
		}
		s := fmt.Sprintf("%s → %s", e.Kind, strings.Join(to, ", "))
		if e.UID != "" {
			s += fmt.Sprintf(": %s is %s", e.UID, e.State)
		}
		if e.Reason != "" {
			s += ": " + string(e.Reason)
		}
		if e.By != "" {
			s += " by " + e.By
		}
		return s
	case OpenMedia:
		return "open media"
	case RemoveParticipant:
		return fmt.Sprintf("take %s/%s out of the room: %s", e.Device.UID, e.Device.ID, e.Reason)
	case CloseRoom:
		return "close the room: " + string(e.Reason)
	}
	return fmt.Sprintf("%T", e)
}
