package signaling

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/wire"
)

// part is one member of a group call, in the sequential account of it.
type part struct {
	state string // ringing, in, rejected, unanswered, left
	seat  string // device, "" when not in
	last  string // device that gave up the seat last
}

// gathering is a group call as a sequential account of the protocol has it: of the initiator, a, and two others, b and c. It is
// comparable, as porcupine wants it.
type gathering struct {
	status string
	parts  [3]part
}

func (g gathering) over() bool { return g.status != "initiated" && g.status != "ongoing" }

func (g gathering) count(holds func(part) bool) (n int) {
	for _, p := range g.parts {
		if holds(p) {
			n++
		}
	}
	return n
}

func (g gathering) after(d deed) (gathering, saw) {
	refuse := func(code string) (gathering, saw) { return g, saw{refusal: code} }
	become := func(status string) (gathering, saw) {
		g.status = status
		return g, saw{status: status}
	}
	switch d.what {
	case "get":
		return g, saw{status: g.status}
	case "ring out":
		return g.ringOut(), saw{}
	}
	me, initiator := &g.parts[strings.IndexByte("abc", d.by[0])], d.by[0] == 'a'
	switch d.what {
	case "accept":
		switch {
		case g.over():
			return refuse(wire.CodeTerminated)
		case initiator && g.status == "initiated":
			return refuse(string(call.CodeNotAllowed))
		case me.seat != "" && me.seat != d.by && !d.takeover:
			return refuse(string(call.CodeGroupAlreadyJoined))
		}
		me.state, me.seat = "in", d.by
		return become("ongoing")
	case "reject":
		switch {
		case g.over() && me.state == "rejected" && d.status == "rejected":
			return become(g.status)
		case g.over():
			return refuse(wire.CodeTerminated)
		case d.status == "busy":
			return refuse(string(call.CodeGroupInvalidStatus))
		case g.status == "initiated" && initiator:
			return refuse(string(call.CodeNotAllowed))
		case me.state != "rejected" && me.state != "ringing":
			return refuse(string(call.CodeOngoingToInvalid))
		}
		me.state = "rejected"
		if g.status == "initiated" && g.count(func(p part) bool { return p.state == "ringing" }) == 0 {
			return become("rejected")
		}
		return become(g.status)
	case "cancel":
		switch {
		case g.status == "ongoing":
			return refuse(string(call.CodeOngoingToInvalid))
		case g.over() && !(initiator && g.status == "cancelled"):
			return refuse(wire.CodeTerminated)
		case !initiator:
			return refuse(string(call.CodeNotAllowed))
		}
		return become("cancelled")
	}
	switch { // end
	case g.over():
		return become(g.status)
	case g.status == "initiated" && !initiator:
		return refuse(string(call.CodeNotStarted))
	case d.forAll && g.status == "ongoing" && !initiator:
		return refuse(string(call.CodeNotAllowed))
	case d.forAll && g.status == "ongoing":
		return become("ended")
	case me.seat != "" && me.seat != d.by:
		return refuse(string(call.CodeGroupAlreadyJoined))
	case me.seat == d.by && g.status == "initiated":
		return become("cancelled")
	case me.seat == d.by && g.count(func(p part) bool { return p.seat != "" }) == 1:
		return become("ended")
	case me.seat == d.by:
		*me = part{state: "left", last: d.by}
		return become("ongoing")
	case me.state == "ringing":
		return refuse(string(call.CodeNotStarted))
	case me.state == "left" && me.last == d.by:
		return become("ongoing")
	}
	return refuse(string(call.CodeGroupAlreadyLeft))
}

// ringOut is the ring deadline.
func (g gathering) ringOut() gathering {
	switch g.status {
	case "initiated":
		g.status = "unanswered"
	case "ongoing":
		for i := range g.parts {
			if g.parts[i].state == "ringing" {
				g.parts[i].state = "unanswered"
			}
		}
	}
	return g
}

// sequentialGroup is the model of one group call.
var sequentialGroup = porcupine.Model{
	Init: func() any {
		return gathering{"initiated", [3]part{{state: "in", seat: "a1"}, {state: "ringing"}, {state: "ringing"}}}
	},
	Step: func(state, input, output any) (bool, any) {
		next, told := state.(gathering).after(input.(deed))
		return told == output.(saw), next
	},
}

// TestEveryHistoryOfAGroupHasOneOutcome is TestEveryHistoryHasOneOutcome with three users who come, go and come back.
func TestEveryHistoryOfAGroupHasOneOutcome(t *testing.T) {
	config := quick()
	config.RequestRate, config.RequestBurst, config.UserRate, config.UserBurst = 10_000, 10_000, 10_000, 10_000
	var nodes [2]*node
	var parties [2][]party
	for i, ring := range []time.Duration{time.Minute, 25 * time.Millisecond} {
		config.RingTimeout = ring
		nodes[i] = serve(t, config)
		nodes[i].group("team", "alice", "bob", "carol")
		for _, uid := range []string{"alice", "bob", "carol"} {
			for device := range 2 {
				parties[i] = append(parties[i], party{nodes[i].open(uid), fmt.Sprint(uid[:1], device+1)})
			}
		}
	}
	random := rand.New(rand.NewPCG(8, 8))
	outcomes := map[string]int{}
	for round := range 60 {
		n, all := nodes[round%2], parties[round%2]
		status, ok := playOn(t, n, all, random, sequentialGroup, func() wire.CallView {
			return all[0].mutate("call.initiate", map[string]any{"receiverId": "team", "receiverType": "group", "type": "video"}).call(t)
		})
		if outcomes[status]++; !ok {
			t.Fatalf("round %d has no single outcome", round)
		}
	}
	t.Logf("outcomes: %v", outcomes)
}
