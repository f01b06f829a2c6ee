package signaling

import (
	"testing"
	"time"

	"github.com/parleyrtc/parley/signaling/wire"
)

// called is the user who is called, wherever their devices are.
type called struct {
	n       *node
	devices []*client // that are connected while it rings
	lost    []*client // whose sockets were lost after it rang
}

// present has the devices that hear of the outcome: those that stayed, those that came back, and the one that comes only now.
func (c *called) present() []*client {
	c.n.t.Helper()
	for _, old := range c.lost {
		again := old.again(c.n)
		if !again.hello.Resumed {
			c.n.t.Fatal("the device was not resumed")
		}
		c.devices = append(c.devices, again)
	}
	c.lost = nil
	if len(c.devices) == 0 {
		c.devices = append(c.devices, c.n.open("bob"))
	}
	return c.devices
}

// snapshotOf is the status of the only call in a greeting.
func (c *client) snapshotOf(id string) string {
	c.t.Helper()
	if c.hello.Snapshot == nil || len(c.hello.Snapshot.Calls) != 1 || c.hello.Snapshot.Calls[0].SessionID != id {
		c.t.Fatalf("%s's snapshot is %+v", c.uid, c.hello.Snapshot)
	}
	return c.hello.Snapshot.Calls[0].Status
}

// situations are where the devices of the called user are, from the ring on.
var situations = map[string]func(n *node, ring func() string) (*called, string){
	"connected": func(n *node, ring func() string) (*called, string) {
		bob := n.open("bob")
		return rung(n, ring, bob)
	},
	"disconnected": func(n *node, ring func() string) (*called, string) {
		return &called{n: n}, ring()
	},
	"on three devices": func(n *node, ring func() string) (*called, string) {
		return rung(n, ring, n.open("bob"), n.open("bob"), n.open("bob"))
	},
	"losing the socket": func(n *node, ring func() string) (*called, string) {
		bob := n.open("bob")
		c, id := rung(n, ring, bob)
		bob.cut()
		c.devices, c.lost = nil, []*client{bob}
		return c, id
	},
}

func rung(n *node, ring func() string, devices ...*client) (*called, string) {
	id := ring()
	for _, d := range devices {
		d.expectStatus("call.incoming", "initiated")
	}
	return &called{n: n, devices: devices}, id
}

// outcomes are what becomes of a call, with what the caller hears, and what the called user's devices hear that did not do it.
var outcomes = map[string]struct {
	status, caller string
	others         []string
	does           func(t *testing.T, alice *client, bob *called, id string) (actor *client)
}{
	"accepted": {"ongoing", "call.accepted", []string{"call.answeredElsewhere"}, func(t *testing.T, _ *client, bob *called, id string) *client {
		actor := bob.present()[0]
		if got := actor.on("call.accept", id).call(t); got.Status != "ongoing" {
			t.Errorf("accepting gives %+v", got)
		}
		return actor
	}},
	"rejected": {"rejected", "call.rejected", []string{"call.declinedElsewhere"}, func(t *testing.T, _ *client, bob *called, id string) *client {
		actor := bob.present()[0]
		got := actor.mutate("call.reject", map[string]any{"sessionId": id, "status": "rejected"}).call(t)
		if got.Status != "rejected" {
			t.Errorf("rejecting gives %+v", got)
		}
		return actor
	}},
	"cancelled": {"cancelled", "", []string{"call.cancelled", "call.missed"}, func(t *testing.T, alice *client, _ *called, id string) *client {
		if got := alice.on("call.cancel", id).call(t); got.Status != "cancelled" {
			t.Errorf("cancelling gives %+v", got)
		}
		return nil
	}},
	"missed": {"unanswered", "call.unanswered", []string{"call.unanswered", "call.missed"}, func(*testing.T, *client, *called, string) *client {
		return nil // its time comes by itself
	}},
}

// A call is accepted, rejected, cancelled and missed, each wherever the called user's devices are, and everybody hears one outcome, once.
func TestEveryOutcomeInEverySituation(t *testing.T) {
	for where, situation := range situations {
		for what, outcome := range outcomes {
			t.Run(what+" while "+where, func(t *testing.T) {
				t.Parallel()
				config := quick()
				if what == "missed" {
					config.RingTimeout = time.Second
				}
				n := serve(t, config)
				alice := n.open("alice")
				bob, id := situation(n, func() string { return alice.ring("bob").SessionID })
				cold := len(bob.devices) == 0 && len(bob.lost) == 0

				actor := outcome.does(t, alice, bob, id)
				if outcome.caller != "" {
					alice.expectStatus(outcome.caller, outcome.status)
				}
				alice.quiet()
				for _, device := range bob.present() {
					switch {
					case cold && actor == device:
						if got := device.snapshotOf(id); got != "initiated" {
							t.Errorf("who comes while it rings finds it %s", got)
						}
					case cold:
						if got := device.snapshotOf(id); got != outcome.status {
							t.Errorf("who comes afterwards finds it %s", got)
						}
					case actor != device:
						for _, kind := range outcome.others {
							device.expectStatus(kind, outcome.status)
						}
					}
					device.quiet()
					if got := device.do("call.get", map[string]any{"sessionId": id}).call(t); got.Status != outcome.status {
						t.Errorf("a device finds the call %s", got.Status)
					}
				}
				onlyOutcome(t, alice, bob.devices[len(bob.devices)-1], id, outcome.status)
			})
		}
	}
}

// onlyOutcome tries everything else that could become of the call.
func onlyOutcome(t *testing.T, alice, bob *client, id, status string) {
	t.Helper()
	want := wire.CodeTerminated
	if status == "ongoing" {
		want = wire.CodeOngoingToInvalid
	}
	for _, r := range []struct {
		by     *client
		method string
		same   string // the outcome that this repeats
	}{{alice, "call.cancel", "cancelled"}, {bob, "call.reject", "rejected"}, {bob, "call.accept", "ongoing"}} {
		params := map[string]any{"sessionId": id}
		if r.method == "call.reject" {
			params["status"] = "rejected"
		}
		got := r.by.mutate(r.method, params)
		if r.same != status && got.code() != want && got.code() != wire.CodeUserAlreadyJoined {
			t.Errorf("%s of a call that is %s gives %q", r.method, status, got.code())
		}
	}
	if got := alice.do("call.get", map[string]any{"sessionId": id}).call(t); got.Status != status {
		t.Errorf("now the call is %s", got.Status)
	}
	alice.quiet()
}
