package call

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestEveryOrderHasOneOutcome lets users, devices, time and restarts act in any order and checks after each step, beside
// what every story checks, that each device believes what is so: whether it rings and whether it is in the session.
// Whatever happened, the call ends when everybody has gone, and everyone in it has been told or has done it themselves.
func TestEveryOrderHasOneOutcome(t *testing.T) {
	for name, first := range map[string][]string{
		"direct":  {"call alice/1 bob", "call alice bob for=20s", "call alice/1 bob busy=bob policy=ring"},
		"session": {"open alice/1 weekly", "open alice/1 weekly alone=5m", "open alice/1 weekly moderates sources=microphone"},
		"group":   {"call alice/1 team", "call alice/2 team busy=carol for=300s", "call alice team of=alice,bob"},
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				lines := []string{rapid.SampledFrom(first).Draw(t, "first")}
				if rapid.Bool().Draw(t, "talking") {
					lines = append(lines, "alice/1 join", "bob/1 accept", "bob/1 join", "carol/1 join")
				}
				lines = append(lines, rapid.SliceOfN(anyLine(), 0, 40).Draw(t, "lines")...)
				for _, d := range []string{"alice/1", "alice/2", "bob/1", "bob/2", "carol/1", "carol/2", "dave/1", "dave/2", "erin/1", "erin/2"} {
					lines = append(lines, d+" offline")
				}
				lines = append(lines, "+1h wait", "bob/1 accept", "alice/1 end", "bob/2 reject")

				once := watch(t, lines)
				if !once.call.Terminal() {
					t.Fatalf("everybody has gone, and the call is %s", once.call.Status)
				}
				again := watch(t, lines)
				if !reflect.DeepEqual(once.told, again.told) || !reflect.DeepEqual(once.call, again.call) {
					t.Fatal("the same events had two outcomes")
				}
			})
		})
	}
}

// anyLine draws one line of a story.
func anyLine() *rapid.Generator[string] {
	users := []string{"alice", "alice", "bob", "bob", "bob", "carol", "dave", "erin"}
	likely := []string{"enter", "enter takeover", "enter hidden", "expel bob moderator", "expel alice", "accept", "accept", "join", "join", "join", "join takeover", "leave", "end", "reject", "offline"}
	return rapid.Custom(func(t *rapid.T) string {
		after := rapid.SampledFrom([]string{"", "", "", "", "", "", "", "", "+1s ", "+1s ", "+10s ", "+31s "}).Draw(t, "after")
		user := rapid.SampledFrom(users).Draw(t, "user")
		switch rapid.IntRange(0, 14).Draw(t, "what") {
		case 0:
			return after + rapid.SampledFrom([]string{"add ", "remove "}).Draw(t, "membership") + user
		case 1:
			return after + rapid.SampledFrom([]string{"wait", "restart"}).Draw(t, "time")
		case 2:
			if rapid.IntRange(0, 9).Draw(t, "operator") == 0 {
				return after + rapid.SampledFrom([]string{"close", "expel bob"}).Draw(t, "order")
			}
		}
		dev := rapid.SampledFrom([]string{"/1", "/1", "/2", ""}).Draw(t, "device")
		return after + user + dev + " " + rapid.SampledFrom(slices.Concat(events, likely)).Draw(t, "event")
	})
}

// audience is what all devices believe from the events they were sent and from the answers to what they asked.
type audience struct {
	story
	told    []Effect
	ringing map[Device]bool
	calling map[Device]bool // shows that another device of its user is calling
	session map[Device]bool
	room    map[Device]bool
	missed  map[string]int
}

// watch plays the lines before an audience.
func watch(t *rapid.T, lines []string) *audience {
	a := &audience{
		story:   story{now: start},
		ringing: make(map[Device]bool), calling: make(map[Device]bool), session: make(map[Device]bool),
		room: make(map[Device]bool), missed: make(map[string]int),
	}
	for _, line := range lines {
		var seats []Device
		if a.call != nil {
			seats = a.seated()
		}
		done := a.play(t, line)
		a.hear(t, done.timers)
		actor := a.act(line, done)
		a.hear(t, done.effects)
		a.check(t, line)
		if len(seats) > 0 && a.call.Terminal() {
			a.checkTold(t, seats, actor, slices.Concat(done.timers, done.effects))
		}
	}
	return a
}

// act takes down what a device knows because it did it.
func (a *audience) act(line string, done step) Device {
	words := strings.Fields(line)
	if strings.HasPrefix(words[0], "+") {
		words = words[1:]
	}
	var refusal *Error
	if errors.As(done.err, &refusal) || len(words) < 2 {
		return Device{}
	}
	d := device(words[0])
	a.calling[d] = a.calling[d] && words[1] != "cancel" && words[1] != "end" && words[1] != "leave" // it has the answer
	switch words[1] {
	case "accept", "reject", "busy":
		a.ringing[d] = false
	case "join", "enter":
		a.ringing[d] = false
		a.session[d], a.room[d] = true, true
	case "leave":
		a.session[d] = false
		delete(a.room, d) // the effect that says so may be the closing of the room
	case "failed":
		if len(done.effects) > 0 {
			delete(a.room, d)
		}
	}
	if words[0] == "add" {
		a.missed[words[1]] = 0
	}
	return d
}

// hear delivers effects.
func (a *audience) hear(t *rapid.T, effects []Effect) {
	a.told = append(a.told, effects...)
	for _, e := range effects {
		switch e := e.(type) {
		case RemoveParticipant:
			delete(a.room, e.Device)
		case CloseRoom:
			clear(a.room)
		case Notify:
			for _, r := range e.To {
				if e.Kind == Missed {
					a.missed[r.UID]++
				}
				for _, d := range r.devices() {
					a.receive(t, e.Kind, d)
				}
			}
		}
	}
}

func (a *audience) receive(t *rapid.T, kind Kind, d Device) {
	switch kind {
	case Outgoing:
		a.calling[d] = true
	case OutgoingOver, Accepted, CallRejected, CallCancelled, CallUnanswered, SessionClosed:
		a.calling[d] = false
	}
	switch kind {
	case Incoming:
		a.ringing[d] = true
	case AnsweredElsewhere, DeclinedElsewhere, CallCancelled, CallUnanswered:
		a.ringing[d] = false
	case Accepted:
		if !a.call.Holds(d) && a.call.Members[0].Seat != nil && a.call.Members[0].Seat.Device != "" {
			t.Fatalf("%v hears of the acceptance and has no seat", d)
		}
	case SessionClosed:
		a.session[d] = false
	}
}

// devices lists whom a recipient means, of two devices for each user.
func (r Recipient) devices() []Device {
	if r.Device != "" {
		return []Device{{r.UID, r.Device}}
	}
	var ds []Device
	for _, id := range []string{"1", "2"} {
		if id != r.Except {
			ds = append(ds, Device{r.UID, id})
		}
	}
	return ds
}

// check compares what each device believes with what is so.
func (a *audience) check(t *rapid.T, line string) {
	for _, m := range a.call.Members {
		unheard := a.call.Terminal() && !m.Removed && !m.Missed && (m.State == StateUnanswered || m.State == StateBusy)
		if a.missed[m.UID] > 1 || unheard {
			t.Fatalf("%q: %s is %s and was told %d times of a missed call", line, m.UID, m.State, a.missed[m.UID])
		}
		if m.State == StateRinging && !a.now.Before(a.call.RingDeadline) {
			t.Fatalf("%q: %s rings on after the deadline", line, m.UID)
		}
		for _, d := range (Recipient{UID: m.UID}).devices() {
			if a.calling[d] && a.call.Status != Initiated {
				t.Fatalf("%q: %v shows that it is calling; the call is %s", line, d, a.call.Status)
			}
			if is := m.State == StateRinging && !m.Removed; a.ringing[d] != is {
				t.Fatalf("%q: %v believes it rings: %t; %s is %s", line, d, a.ringing[d], m.UID, m.State)
			}
			joined := m.Seat != nil && m.Seat.Device == d.ID && m.Seat.Joined
			if a.session[d] != joined || a.room[d] != joined {
				t.Fatalf("%q: %v believes it is in the session: %t; it is: %t; the room has it: %t", line, d, a.session[d], joined, a.room[d])
			}
		}
	}
}

// checkTold checks that every device with a seat has heard how the call ended, except the one that ended it.
func (a *audience) checkTold(t *rapid.T, seats []Device, actor Device, effects []Effect) {
	for _, seat := range seats {
		told := seat.ID == "" || seat == actor
		for _, e := range effects {
			n, ok := e.(Notify)
			told = told || ok && slices.ContainsFunc(n.To, func(r Recipient) bool { return slices.Contains(r.devices(), seat) }) &&
				slices.Contains([]Kind{CallRejected, CallUnanswered, CallCancelled, CallEnded, SessionClosed}, n.Kind)
		}
		if !told {
			t.Fatalf("%v had a seat and was not told that the call is %s", seat, a.call.Status)
		}
	}
}

// seated lists the devices that hold a seat.
func (a *audience) seated() []Device {
	var ds []Device
	for _, m := range a.call.Members {
		if m.Seat != nil {
			ds = append(ds, Device{m.UID, m.Seat.Device})
		}
	}
	return ds
}
