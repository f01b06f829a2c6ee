package signaling

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/wire"
)

// deed is what one device does to a call between two users, whose devices are a1, a2 … of the initiator and b1, b2 … of the callee.
type deed struct {
	what     string // accept, reject, cancel, end, get; ring out: the deadline passes
	by       string // device
	status   string // reject: rejected or busy
	takeover bool   // accept
	forAll   bool   // end
}

// saw is what the device was told: the call's status, or why not.
type saw struct{ status, refusal string }

// situation is a call as a sequential account of the protocol has it, written from docs/protocol.md and not from the machine.
type situation struct {
	status         string
	caller, callee string // the devices that hold the seats, "" before
}

func (s situation) over() bool { return s.status != "initiated" && s.status != "ongoing" }

// after is what the deed makes of the situation, and what the device must be told.
func (s situation) after(d deed) (situation, saw) {
	refuse := func(code string) (situation, saw) { return s, saw{refusal: code} }
	become := func(status string) (situation, saw) {
		s.status = status
		return s, saw{status: status}
	}
	asCaller := d.by != "" && d.by[0] == 'a'
	switch d.what {
	case "ring out":
		if s.status == "initiated" {
			s.status = "unanswered"
		}
		return s, saw{}
	case "get":
		return s, saw{status: s.status}
	case "accept":
		switch {
		case s.over():
			return refuse(wire.CodeTerminated)
		case asCaller:
			return refuse(string(call.CodeNotAllowed))
		case s.callee != "" && s.callee != d.by && !d.takeover:
			return refuse(string(call.CodeUserAlreadyJoined))
		}
		s.callee = d.by
		return become("ongoing")
	case "reject":
		switch {
		case s.over() && !asCaller && s.status == d.status:
			return become(s.status)
		case s.over():
			return refuse(wire.CodeTerminated)
		case s.status == "ongoing":
			return refuse(string(call.CodeOngoingToInvalid))
		case asCaller:
			return refuse(string(call.CodeNotAllowed))
		}
		return become(d.status)
	case "cancel":
		switch {
		case s.status == "ongoing":
			return refuse(string(call.CodeOngoingToInvalid))
		case s.over() && !(asCaller && s.status == "cancelled"):
			return refuse(wire.CodeTerminated)
		case !asCaller:
			return refuse(string(call.CodeNotAllowed))
		}
		return become("cancelled")
	}
	seat := s.callee // end
	if asCaller {
		seat = s.caller
	}
	switch {
	case s.over():
		return become(s.status)
	case s.status == "initiated" && !asCaller:
		return refuse(string(call.CodeNotStarted))
	case seat != d.by:
		return refuse(string(call.CodeUserAlreadyJoined))
	case s.status == "initiated":
		return become("cancelled")
	}
	return become("ended")
}

// sequential is the model of one call.
var sequential = porcupine.Model{
	Init: func() any { return situation{status: "initiated", caller: "a1"} },
	Step: func(state, input, output any) (bool, any) {
		next, told := state.(situation).after(input.(deed))
		return told == output.(saw), next
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v → %+v", input, output) },
}

// party is one device, and what it has seen of ends.
type party struct {
	*client
	name string
}

// do does a deed twice with one mutationId, as a client does whose first answer was lost, and says what it was told.
func (p party) act(t *testing.T, session string, d deed) saw {
	params := map[string]any{"sessionId": session}
	if d.what == "get" {
		r := p.do("call.get", params)
		return saw{r.call(t).Status, r.code()}
	}
	params["mutationId"] = newID("m_")
	switch d.what {
	case "reject":
		params["status"] = d.status
	case "accept":
		params["takeover"] = d.takeover
	case "end":
		params["forAll"] = d.forAll
	}
	first := p.send("call."+d.what, params)
	again := p.send("call."+d.what, params)
	var told [2]saw
	for i, reply := range []chan outcome{first, again} {
		r := p.wait(reply)
		told[i].refusal = r.code()
		if r.Error == nil {
			told[i].status = r.call(t).Status
		}
	}
	if told[0] != told[1] {
		t.Errorf("%s is told %+v at first, and %+v for the same attempt", p.name, told[0], told[1])
	}
	return told[0]
}

// TestEveryHistoryHasOneOutcome has six devices of two users act on one call at random, all at once, every other time against the ring
// deadline, too. What all of them were told must fit one order of their deeds that keeps to time (linearizability, checked by porcupine), and whatever
// they hear of the end must be the same end.
func TestEveryHistoryHasOneOutcome(t *testing.T) {
	config := quick()
	config.RequestRate, config.RequestBurst, config.UserRate, config.UserBurst = 10_000, 10_000, 10_000, 10_000
	config.RingsPerMinute = 10_000
	var nodes [2]*node
	var parties [2][]party
	for i, ring := range []time.Duration{time.Minute, 25 * time.Millisecond} {
		config.RingTimeout = ring
		nodes[i] = serve(t, config)
		for _, uid := range []string{"alice", "bob"} {
			for device := range 3 {
				parties[i] = append(parties[i], party{nodes[i].open(uid), fmt.Sprint(uid[:1], device+1)})
			}
		}
	}
	random := rand.New(rand.NewPCG(7, 7))
	outcomes := map[string]int{}
	for round := range 80 {
		status, ok := playRound(t, nodes[round%2], parties[round%2], random)
		if outcomes[status]++; !ok {
			t.Fatalf("round %d has no single outcome", round)
		}
	}
	t.Logf("outcomes: %v", outcomes)
	for _, status := range []string{"rejected", "cancelled", "ended"} {
		if outcomes[status] == 0 {
			t.Errorf("no call was %s, so too little was tried: %v", status, outcomes)
		}
	}
}

// playRound plays one call and reports how it ended, and whether its history has one order.
func playRound(t *testing.T, n *node, parties []party, random *rand.Rand) (status string, ok bool) {
	t.Helper()
	return playOn(t, n, parties, random, sequential, func() wire.CallView { return parties[0].ring("bob") })
}

// playOn plays a call that begins with ring, and holds its history to the model.
func playOn(t *testing.T, n *node, parties []party, random *rand.Rand, model porcupine.Model, ring func() wire.CallView) (status string, ok bool) {
	t.Helper()
	start := time.Now()
	view := ring()
	var mu sync.Mutex
	history := []porcupine.Operation{{
		ClientId: len(parties), Input: deed{what: "ring out"}, Output: saw{},
		Call: int64(time.UnixMilli(view.RingDeadline).Sub(start.Round(0))), Return: int64(time.Hour),
	}}
	var all sync.WaitGroup
	for i, p := range parties {
		deeds := draw(random, p.name)
		all.Go(func() {
			for _, d := range deeds {
				from := int64(time.Since(start))
				told := p.act(t, view.SessionID, d)
				to := int64(time.Since(start))
				mu.Lock()
				history = append(history, porcupine.Operation{ClientId: i, Input: d, Output: told, Call: from, Return: to})
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if _, err := n.Request(t.Context(), "alice", nil, wire.EndParams{SessionID: view.SessionID, ForAll: true, MutationID: newID("m_")}); err != nil {
		t.Fatal(err)
	}
	status = parties[0].act(t, view.SessionID, deed{what: "get"}).status
	result := porcupine.CheckOperationsTimeout(model, history, 30*time.Second)
	if result == porcupine.Illegal {
		slices.SortFunc(history, func(a, b porcupine.Operation) int { return int(a.Call - b.Call) })
		for _, op := range history {
			t.Logf("%v–%v %+v → %+v", time.Duration(op.Call), time.Duration(op.Return), op.Input, op.Output)
		}
	}
	for _, p := range parties {
		p.checkEnds(t, view.SessionID, status)
	}
	return status, result == porcupine.Ok
}

// draw makes up what one device does.
func draw(random *rand.Rand, device string) []deed {
	deeds := make([]deed, 1+random.IntN(4))
	for i := range deeds {
		deeds[i] = deed{what: []string{"accept", "accept", "reject", "cancel", "end", "get"}[random.IntN(6)], by: device}
		switch deeds[i].what {
		case "reject":
			deeds[i].status = []string{"rejected", "busy"}[random.IntN(2)]
		case "accept":
			deeds[i].takeover = random.IntN(3) == 0
		case "end":
			deeds[i].forAll = random.IntN(4) == 0
		}
	}
	return deeds
}

// checkEnds looks at everything the device has heard so far.
func (p party) checkEnds(t *testing.T, session, status string) {
	t.Helper()
	p.do("ping", nil)
	for {
		select {
		case e := <-p.events:
			heard := e.text("call.status")
			if e.text("call.sessionId") == session && call.Status(heard).Terminal() && heard != status {
				t.Errorf("%s heard in %s that the call is %s; it is %s", p.name, e.Type, heard, status)
			}
		default:
			return
		}
	}
}

// TestTheModelNoticesTwoOutcomes makes sure that the test above could fail.
func TestTheModelNoticesTwoOutcomes(t *testing.T) {
	for name, row := range map[string]struct {
		ops  [][2]any // at the same time, all of them
		want porcupine.CheckResult
	}{
		"accepted once":       {[][2]any{{deed{what: "accept", by: "b1"}, saw{status: "ongoing"}}, {deed{what: "cancel", by: "a1"}, saw{refusal: string(call.CodeOngoingToInvalid)}}}, porcupine.Ok},
		"accepted, cancelled": {[][2]any{{deed{what: "accept", by: "b1"}, saw{status: "ongoing"}}, {deed{what: "cancel", by: "a1"}, saw{status: "cancelled"}}}, porcupine.Illegal},
		"accepted twice":      {[][2]any{{deed{what: "accept", by: "b1"}, saw{status: "ongoing"}}, {deed{what: "accept", by: "b2"}, saw{status: "ongoing"}}}, porcupine.Illegal},
		"rejected as two":     {[][2]any{{deed{what: "reject", by: "b1", status: "busy"}, saw{status: "busy"}}, {deed{what: "reject", by: "b2", status: "rejected"}, saw{status: "rejected"}}}, porcupine.Illegal},
	} {
		var history []porcupine.Operation
		for i, op := range row.ops {
			history = append(history, porcupine.Operation{ClientId: i, Input: op[0], Output: op[1], Call: 0, Return: 10})
		}
		if got := porcupine.CheckOperationsTimeout(sequential, history, time.Minute); got != row.want {
			t.Errorf("%s is %s", name, got)
		}
	}
}
