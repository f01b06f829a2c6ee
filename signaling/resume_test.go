package signaling

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/resume"
	"github.com/parleyrtc/parley/signaling/wire"
)

func TestAResumedSocketMissesNothingAndHearsNothingTwice(t *testing.T) {
	n := serve(t, quick())
	alice, bob := n.open("alice"), n.open("bob")
	c := alice.ring("bob")
	if e := bob.expect("call.incoming"); e.Seq != 1 {
		t.Fatalf("the first event has number %d", e.Seq)
	}
	bob.cut()
	alice.on("call.cancel", c.SessionID).call(t)
	second := alice.ring("bob")

	back := bob.again(n)
	if !back.hello.Resumed || back.hello.Snapshot != nil || back.hello.ConnectionID != bob.hello.ConnectionID || back.hello.LastSeq != 1 {
		t.Fatalf("hello gives %+v", back.hello)
	}
	for i, kind := range []string{"call.cancelled", "call.missed", "call.incoming"} {
		if e := back.expect(kind); e.Seq != uint64(i+2) {
			t.Errorf("%s has number %d", kind, e.Seq)
		}
	}
	alice.on("call.cancel", second.SessionID).call(t)
	if e := back.expect("call.cancelled"); e.Seq != 5 {
		t.Errorf("the live event after the missed ones has number %d", e.Seq)
	}
}

func TestWhoCannotResumeGetsASnapshotWithWhatEndedMeanwhile(t *testing.T) {
	config := quick()
	config.ResumeEvents = 1
	n := serve(t, config)
	alice, bob, carol := n.open("alice"), n.open("bob"), n.open("carol")
	over := alice.ring("bob").SessionID
	bob.expect("call.incoming")
	bob.cut()
	alice.on("call.cancel", over).call(t)
	live := carol.ring("bob").SessionID

	back := bob.again(n)
	if back.hello.Resumed || back.hello.Snapshot == nil || back.hello.ConnectionID == bob.hello.ConnectionID || back.hello.DeviceID != bob.hello.DeviceID {
		t.Fatalf("too many events were missed, but hello gives %+v", back.hello)
	}
	var got []string
	for _, c := range back.hello.Snapshot.Calls {
		got = append(got, c.SessionID+" "+c.Status)
	}
	if want := []string{over + " cancelled", live + " initiated"}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the snapshot has %v, want %v", got, want)
	}
	for name, adjust := range map[string]func(map[string]any){
		"a made-up connection": func(h map[string]any) { h["resume"] = map[string]any{"connectionId": "c_x", "lastSeq": 0} },
		"a number from tomorrow": func(h map[string]any) {
			h["resume"] = map[string]any{"connectionId": back.hello.ConnectionID, "lastSeq": 99}
		},
		"somebody else's connection": func(h map[string]any) {
			h["resume"] = map[string]any{"connectionId": alice.hello.ConnectionID, "lastSeq": 0}
		},
		"another device of the same user": func(h map[string]any) {
			h["deviceId"] = "d_other"
			h["resume"] = map[string]any{"connectionId": back.hello.ConnectionID, "lastSeq": 0}
		},
	} {
		if c := n.openWith("bob", adjust); c.hello.Resumed || c.hello.Snapshot == nil {
			t.Errorf("%s: %+v", name, c.hello)
		}
	}
	alice.quiet()
}

func TestTheNewestSocketWins(t *testing.T) {
	n := serve(t, quick())
	first := n.open("alice")
	second := first.again(n)
	if !second.hello.Resumed {
		t.Fatal("not resumed")
	}
	first.expectClose(wire.CloseReplaced)
	third := n.openWith("alice", func(h map[string]any) { h["deviceId"] = second.hello.DeviceID }) // the same without a resume
	second.expectClose(wire.CloseReplaced)
	n.open("bob").ring("alice")
	third.expect("call.incoming")
}

func TestADeviceIsForgottenAfterTheResumeTime(t *testing.T) {
	config := quick()
	config.ResumeTime = 50 * time.Millisecond
	n := serve(t, config)
	alice := n.open("alice")
	alice.cut()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		n.hub.mu.Lock()
		devices := len(n.hub.connections) + len(n.hub.users)
		n.hub.mu.Unlock()
		if devices == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the device is still remembered")
		}
	}
	if alice.again(n).hello.Resumed {
		t.Error("resumed a device that was forgotten")
	}
}

func TestAUserHasABoundedNumberOfDevices(t *testing.T) {
	config := quick()
	config.MaxDevices = 2
	n := serve(t, config)
	first, second := n.open("alice"), n.open("alice")
	c := n.dialHello(mint(t, "alice", time.Hour))
	c.expectClose(wire.CloseTooManyErrors)
	first.cut()
	n.awaitAway(first)
	n.open("alice") // takes the place of the one that is away
	n.dialHello(mint(t, "alice", time.Hour)).expectClose(wire.CloseTooManyErrors)
	second.quiet()
}

// awaitAway waits until the server has noticed that the client's socket is gone.
func (n *node) awaitAway(c *client) {
	n.t.Helper()
	for deadline := time.Now().Add(5 * time.Second); hasSocket(n, c); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			n.t.Fatal("the server believes the device is connected")
		}
	}
}

func TestPingLetsTheServerForget(t *testing.T) {
	n := serve(t, quick())
	alice, bob := n.open("alice"), n.open("bob")
	alice.on("call.cancel", alice.ring("bob").SessionID)
	bob.expect("call.incoming")
	bob.expect("call.cancelled")
	bob.expect("call.missed")
	bob.do("ping", map[string]any{"lastSeq": 2})
	bob.cut()
	back := n.openWith("bob", func(h map[string]any) {
		h["resume"] = map[string]any{"connectionId": bob.hello.ConnectionID, "lastSeq": 1}
	})
	if back.hello.Resumed {
		t.Error("event 2 was forgotten on request")
	}
}

func TestASlowConsumerIsCutOffAndStartsFromASnapshot(t *testing.T) {
	config := quick()
	config.SendMessages, config.WriteTimeout = 8, 3*time.Second
	n := serve(t, config)
	slow := n.dial()
	hello(t, slow, mint(t, "bob", time.Hour))
	var greeting struct{ Result wire.HelloResult }
	if err := slow.ReadJSON(&greeting); err != nil {
		t.Fatal(err)
	}
	// Bob reads no more. Events fill the kernel's buffers, then the queue; nobody waits for him.
	n.hub.mu.Lock()
	d := n.hub.users["bob"][greeting.Result.DeviceID]
	n.hub.mu.Unlock()
	d.mu.Lock()
	socket := d.socket
	d.mu.Unlock()
	data := json.RawMessage(`"` + strings.Repeat("x", 60_000) + `"`)
	for i := 0; !socket.cutting(); i++ {
		if i == 5_000 {
			t.Fatal("bob is never cut off")
		}
		n.hub.deliver(call.Recipient{UID: "bob"}, "test", time.Now(), data)
	}
	var err error
	var last uint64
	for err == nil {
		var m struct{ Params struct{ Seq uint64 } }
		if err = slow.ReadJSON(&m); err == nil {
			last = m.Params.Seq
		}
	}
	if !websocket.IsCloseError(err, wire.CloseSlowConsumer.Code) {
		t.Errorf("bob's socket ended with %v", err)
	}
	back := n.openWith("bob", func(h map[string]any) {
		h["resume"] = map[string]any{"connectionId": greeting.Result.ConnectionID, "lastSeq": last}
	})
	if back.hello.Resumed || back.hello.Snapshot == nil {
		t.Errorf("hello gives %+v", back.hello)
	}
}

// hello says hello with a token on a bare socket.
func hello(t *testing.T, conn *websocket.Conn, token string) {
	t.Helper()
	if err := conn.WriteJSON(map[string]any{
		"jsonrpc": "2.0", "id": 1, "method": "hello", "params": map[string]any{"token": token, "protocol": "1.0"},
	}); err != nil {
		t.Fatal(err)
	}
}

// dialHello opens a socket with a hello that the test expects to fail.
func (n *node) dialHello(token string) *client {
	n.t.Helper()
	c := n.bare(nil)
	c.send("hello", map[string]any{"token": token, "protocol": "1.0"})
	return c
}

// bare opens a socket that has not said hello.
func (n *node) bare(header http.Header) *client {
	n.t.Helper()
	conn, _, err := websocket.DefaultDialer.Dial(n.url(), header)
	if err != nil {
		n.t.Fatal(err)
	}
	c := &client{t: n.t, node: n, uid: "nobody", conn: conn, events: make(chan event, 16), ended: make(chan struct{}), replies: map[int]chan outcome{}}
	go c.read()
	n.t.Cleanup(func() {
		_ = conn.Close()
		<-c.ended
	})
	return c
}

func TestWhatAResumeSendsAgainLeavesRoomForWhatIsNew(t *testing.T) {
	config := quick()
	config.SendMessages = 4
	k := newSocket(&Server{config: config}, nil, nil, nil)
	k.server.config.SendBytes = 1 << 20
	k.greet([]byte("hello"), make([]resume.Event, 10), 7)
	for i := range 4 {
		if !k.send(message{answer: []byte("new")}) {
			t.Fatalf("a client that has just come back was cut off at message %d", i)
		}
	}
	for range 8 {
		if m, _, _, _ := k.next(); m.answer == nil && !strings.Contains(string(m.text()), fmt.Sprintf(`"seq":%d`, m.seq)) {
			t.Fatalf("an event is written as %s", m.text())
		}
	}
	for k.send(message{answer: []byte("too much")}) {
		if len(k.queue) > 100 {
			t.Fatal("the queue has no end")
		}
	}
}

func TestAllDevicesShareTheDataOfAnEvent(t *testing.T) {
	n := serve(t, quick())
	first, second := n.open("alice"), n.open("alice")
	n.open("bob").ring("alice")
	first.expect("call.incoming")
	second.expect("call.incoming")
	var data []*byte
	for _, d := range n.hub.named(call.Recipient{UID: "alice"}) {
		d.mu.Lock()
		events, _ := d.buffer.Since(0)
		data = append(data, &events[0].Data[0])
		d.mu.Unlock()
	}
	if len(data) != 2 || data[0] != data[1] {
		t.Error("each device has a copy of its own: a group call would cost members × changes × devices")
	}
}

func hasSocket(n *node, c *client) bool {
	connected, _ := n.hub.presence(c.uid, c.hello.DeviceID)
	return connected
}
