package signaling

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// delivery is how often everything that can come to a call comes.
type delivery int

// act delivers a mutation: as two nodes would that both got it from a client which tried twice. Copies have the same mutationId, and
// then one of their own.
func (d delivery) act(c *client, method, session string, more map[string]any) {
	c.t.Helper()
	params := func(id string) map[string]any {
		out := map[string]any{"sessionId": session, "mutationId": id}
		for name, value := range more {
			out[name] = value
		}
		return out
	}
	first := newID("m_")
	waiting := []chan outcome{c.send(method, params(first))}
	for range d - 1 {
		waiting = append(waiting, c.send(method, params(first)), c.send(method, params(newID("m_"))))
	}
	for i, w := range waiting {
		if code := c.wait(w).code(); code != "" {
			c.t.Errorf("%s, delivery %d, gives %s", method, i, code)
		}
	}
}

func (d delivery) raise(n *node, e MediaEvent) {
	for range d {
		n.media.raise(e)
	}
}

// lives are calls of every end, each with what is done to it.
var lives = map[string]func(d delivery, n *node, alice, bob *client, id string){
	"hung up": func(d delivery, n *node, alice, bob *client, id string) {
		d.act(bob, "call.accept", id, nil)
		for _, c := range []*client{alice, bob} {
			d.raise(n, MediaEvent{Kind: MediaConnected, Room: id, Participant: c.join(id).ParticipantID})
		}
		d.act(alice, "call.end", id, nil)
	},
	"left": func(d delivery, n *node, alice, bob *client, id string) {
		d.act(bob, "call.accept", id, nil)
		alice.join(id)
		bob.join(id)
		d.act(bob, "session.leave", id, nil)
	},
	"media failed": func(d delivery, n *node, alice, bob *client, id string) {
		d.act(bob, "call.accept", id, nil)
		alice.join(id)
		bob.expect("call.incoming")
		d.raise(n, MediaEvent{Kind: MediaGone, Room: id, Participant: bob.join(id).ParticipantID, Reason: "media_failed"})
		bob.until("session.closed")
	},
	"rejected": func(d delivery, _ *node, _, bob *client, id string) {
		d.act(bob, "call.reject", id, map[string]any{"status": "rejected"})
	},
	"busy": func(d delivery, _ *node, _, bob *client, id string) {
		d.act(bob, "call.reject", id, map[string]any{"status": "busy"})
	},
	"cancelled": func(d delivery, _ *node, alice, _ *client, id string) { d.act(alice, "call.cancel", id, nil) },
}

// Whatever is delivered twice or three times, by clients, by the media side, and under ids of its own, everybody hears and is told what they
// would have heard and been told of one delivery.
func TestDuplicatesChangeNothing(t *testing.T) {
	for name, live := range lives {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			once, often := lifeOf(t, 1, live), lifeOf(t, 3, live)
			for who := range once {
				if !slices.Equal(once[who], often[who]) {
					t.Errorf("of one delivery %s hears %v, of three %v", who, once[who], often[who])
				}
			}
		})
	}
}

// lifeOf is what the devices and a back end hear of a call, sorted, since devices and media have no order among each other.
func lifeOf(t *testing.T, d delivery, live func(d delivery, n *node, alice, bob *client, id string)) map[string][]string {
	t.Helper()
	config := quick()
	config.RequestRate, config.UserRate = 10_000, 10_000
	b := newBackend(t)
	n := serveTold(t, t.TempDir(), config, nil, tells(t, b.server.URL))
	alice, bob, tab := n.open("alice"), n.open("bob"), n.open("bob")
	ring := map[string]any{"receiverId": "bob", "receiverType": "user", "type": "audio", "mutationId": "ring"}
	id := alice.do("call.initiate", ring).call(t).SessionID
	for range d - 1 {
		if again := alice.do("call.initiate", ring).call(t).SessionID; again != id {
			t.Errorf("the same attempt makes another call")
		}
	}
	live(d, n, alice, bob, id)
	heard := map[string][]string{}
	for who, c := range map[string]*client{"alice": alice, "bob": bob, "bob's tab": tab} {
		c.do("ping", nil)
		for more := true; more; {
			select {
			case e := <-c.events:
				heard[who] = append(heard[who], fmt.Sprint(e.Type, " ", e.text("call.status"), e.text("reason")))
			default:
				more = false
			}
		}
		slices.Sort(heard[who])
	}
	status := alice.do("call.get", map[string]any{"sessionId": id}).call(t)
	heard["everybody"] = []string{status.Status, status.Reason}
	for _, uid := range []string{"alice", "bob"} {
		in, err := n.busyIn(uid, "")
		heard["everybody"] = append(heard["everybody"], fmt.Sprint(uid, in == id, err))
	}
	heard["back end"] = b.all(n, id)
	return heard
}

// all is what the back end was told of a call, when it has been told everything.
func (b *backend) all(n *node, id string) []string {
	l := n.calls.loop(id)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		b.mu.Lock()
		lines := slices.Clone(b.lines[id])
		b.mu.Unlock()
		if len(l.untold()) == 0 && uint64(len(lines)) == l.handed.Load() {
			slices.Sort(lines)
			return lines
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("of %d entries the back end has %v", l.handed.Load(), lines)
		}
	}
}
