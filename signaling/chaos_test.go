package signaling

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/parleyrtc/parley/signaling/call"
)

// witness collects how each call ended, as the devices saw it.
type witness struct {
	mu   sync.Mutex
	ends map[string]map[string]bool // by call: the final statuses seen
}

func (w *witness) note(id, status string) {
	if !call.Status(status).Terminal() || id == "" || status == "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ends[id] == nil {
		w.ends[id] = map[string]bool{}
	}
	w.ends[id][status] = true
}

// enough calls that came about say something.
const enough = 10

func (w *witness) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.ends)
}

// Eight devices of four users do whatever comes to their mind, all at once, with sockets and media that come and go.
func TestWhateverEverybodyDoesAtOnceEachCallEndsOnceAndNobodyStaysBusy(t *testing.T) {
	config := quick()
	config.Grace, config.JoinDeadline, config.RingTimeout = 200*time.Millisecond, 300*time.Millisecond, 300*time.Millisecond
	config.RequestRate, config.UserRate, config.MaxRefusals = 10_000, 10_000, 10_000
	n := serve(t, config)
	uids := []string{"alice", "bob", "carol", "dave"}
	n.group("team", uids...)
	w := &witness{ends: map[string]map[string]bool{}}
	known := make(chan string, 1024) // ids of calls, for everybody to meddle with
	began := time.Now()
	going := func() bool { // also a slow machine gets somewhere
		return time.Since(began) < 1500*time.Millisecond || w.count() < enough && time.Since(began) < time.Minute
	}
	var devices sync.WaitGroup
	for i := range 8 {
		devices.Go(func() { meddle(n, uids, i, known, w, going) })
	}
	devices.Wait()
	for _, l := range n.calls.all() {
		n.settled(l.id) // everybody is gone, so every call comes to its end
		w.note(l.id, string(l.published.Load().call.Status))
	}
	if len(w.ends) < enough {
		t.Errorf("only %d calls came about", len(w.ends))
	}
	for id, statuses := range w.ends {
		if len(statuses) != 1 {
			t.Errorf("call %s was seen to end as %v", id, statuses)
		}
	}
	for _, uid := range uids {
		if in, err := n.busyIn(uid, ""); in != "" || err != nil {
			t.Errorf("%s is still busy in %q, %v", uid, in, err)
		}
	}
	if l := n.calls.meeting(meetingKey(call.Group, "team")); l != nil {
		t.Errorf("the group still has the call %s", l.id)
	}
}

// meddle is one device's life.
func meddle(n *node, uids []string, number int, known chan string, w *witness, going func() bool) {
	random := rand.New(rand.NewPCG(uint64(number), 4))
	uid := uids[number%len(uids)]
	c := n.open(uid)
	id := ""
	for going() {
		params := map[string]any{"sessionId": id, "mutationId": newID("m_")}
		switch action := random.IntN(12); {
		case action < 2 || id == "":
			wish := map[string]any{"receiverId": uids[random.IntN(len(uids))], "receiverType": "user", "type": "audio", "mutationId": newID("m_")}
			if random.IntN(4) == 0 {
				wish["receiverId"], wish["receiverType"] = "team", "group"
			}
			if r := c.do("call.initiate", wish); r.Error == nil {
				id = r.call(n.t).SessionID
				select {
				case known <- id:
				default:
				}
			}
		case action == 2:
			c.cut()
			c = c.again(n)
			if c.hello.Snapshot != nil {
				for _, view := range c.hello.Snapshot.Calls {
					w.note(view.SessionID, view.Status)
				}
			}
		case action == 3:
			params["status"] = "rejected"
			c.do("call.reject", params)
		case action == 4:
			params["takeover"] = true
			c.do("session.join", params)
		default:
			method := []string{"call.accept", "call.accept", "call.accept", "call.cancel", "call.end", "session.join", "session.leave"}[random.IntN(7)]
			if r := c.do(method, params); r.Error == nil && method[:4] == "call" {
				view := r.call(n.t)
				w.note(view.SessionID, view.Status)
			}
		}
		for more := true; more; {
			select {
			case e := <-c.events:
				w.note(e.text("call.sessionId"), e.text("call.status"))
			default:
				more = false
			}
		}
		select {
		case id = <-known: // whatever somebody else has started
		default:
		}
	}
	c.cut()
}
