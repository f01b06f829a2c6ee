package signaling

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/parleyrtc/parley/signaling/wire"
)

// client is one device on one socket.
type client struct {
	t     testing.TB
	node  *node
	uid   string
	conn  *websocket.Conn
	hello wire.HelloResult

	events chan event
	ended  chan struct{}

	writing sync.Mutex

	mu      sync.Mutex
	next    int
	replies map[int]chan outcome
	closed  *websocket.CloseError
	lost    error
	lastSeq uint64
}

type event struct {
	Seq  uint64          `json:"seq"`
	Type string          `json:"type"`
	Data json.RawMessage `json:"data"`
}

// text reads one field of the event's data by its path, such as call.status.
func (e event) text(path string) string {
	var v any
	_ = json.Unmarshal(e.Data, &v)
	for _, name := range strings.Split(path, ".") {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

type outcome struct {
	Result json.RawMessage `json:"result"`
	Error  *refusal        `json:"error"`
}

type refusal struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    struct {
		Code    string         `json:"code"`
		Field   string         `json:"field"`
		Details map[string]any `json:"details"`
	} `json:"data"`
}

// code is the ERR_ code, "" for success.
func (r outcome) code() string {
	if r.Error == nil {
		return ""
	}
	return r.Error.Data.Code
}

func (r outcome) into(t testing.TB, v any) {
	t.Helper()
	if r.Error != nil {
		t.Fatalf("refused: %s %s", r.Error.Data.Code, r.Error.Message)
	}
	if err := json.Unmarshal(r.Result, v); err != nil {
		t.Fatal(err)
	}
}

func (r outcome) call(t testing.TB) wire.CallView {
	t.Helper()
	var result struct{ Call wire.CallView }
	r.into(t, &result)
	return result.Call
}

// dial opens a socket and says nothing.
func (n *node) dial() *websocket.Conn {
	n.t.Helper()
	conn, _, err := websocket.DefaultDialer.Dial(n.url(), nil)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// open connects a user on a new device.
func (n *node) open(uid string) *client {
	n.t.Helper()
	return n.openWith(uid, nil)
}

// openWith connects a user and lets the test change the hello.
func (n *node) openWith(uid string, adjust func(hello map[string]any)) *client {
	n.t.Helper()
	hello := map[string]any{"token": mint(n.t, uid, time.Hour), "protocol": "1.0"}
	if adjust != nil {
		adjust(hello)
	}
	c := &client{
		t: n.t, node: n, uid: uid, conn: n.dial(), events: make(chan event, 4096), ended: make(chan struct{}),
		replies: map[int]chan outcome{},
	}
	go c.read()
	n.t.Cleanup(func() {
		_ = c.conn.Close()
		<-c.ended
	})
	c.do("hello", hello).into(n.t, &c.hello)
	return c
}

// again connects the same device anew and asks to resume.
func (c *client) again(n *node) *client {
	c.t.Helper()
	c.mu.Lock()
	last := c.lastSeq
	c.mu.Unlock()
	return n.openWith(c.uid, func(hello map[string]any) {
		hello["deviceId"] = c.hello.DeviceID
		hello["resume"] = map[string]any{"connectionId": c.hello.ConnectionID, "lastSeq": last}
	})
}

func (c *client) read() {
	defer close(c.ended)
	defer close(c.events)
	for {
		_, message, err := c.conn.ReadMessage()
		if err != nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			_ = errors.As(err, &c.closed)
			c.lost = err
			for _, waiting := range c.replies {
				close(waiting)
			}
			c.replies = nil
			return
		}
		var m struct {
			ID     int
			Method string
			Params event
			outcome
		}
		if err := json.Unmarshal(message, &m); err != nil {
			c.t.Errorf("the server sent %s: %v", message, err)
			return
		}
		if m.Method == "event" {
			c.mu.Lock()
			c.lastSeq = m.Params.Seq
			c.mu.Unlock()
			c.events <- m.Params
			continue
		}
		c.mu.Lock()
		waiting := c.replies[m.ID]
		delete(c.replies, m.ID)
		c.mu.Unlock()
		if waiting != nil {
			waiting <- m.outcome
		}
	}
}

// send sends a request and returns where its reply will come.
func (c *client) send(method string, params map[string]any) chan outcome {
	c.t.Helper()
	waiting := make(chan outcome, 1)
	c.mu.Lock()
	c.next++
	id := c.next
	if c.replies == nil {
		close(waiting)
	} else {
		c.replies[id] = waiting
	}
	c.mu.Unlock()
	text, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": id, "method": method, "params": params})
	if err != nil {
		c.t.Fatal(err)
	}
	c.write(text)
	return waiting
}

func (c *client) write(message []byte) {
	c.writing.Lock()
	defer c.writing.Unlock()
	_ = c.conn.WriteMessage(websocket.TextMessage, message) // a closed socket shows when reading
}

// do sends a request and waits for its reply. Mutations get an id of their own if the params have none.
func (c *client) do(method string, params map[string]any) outcome {
	c.t.Helper()
	return c.wait(c.send(method, params))
}

func (c *client) wait(waiting chan outcome) outcome {
	c.t.Helper()
	select {
	case r, ok := <-waiting:
		if !ok {
			c.t.Fatalf("%s's socket is closed: %v", c.uid, c.lost)
		}
		return r
	case <-time.After(10 * time.Second):
		c.t.Fatalf("%s waited in vain for a reply", c.uid)
	}
	return outcome{}
}

// mutate is do with a fresh mutationId.
func (c *client) mutate(method string, params map[string]any) outcome {
	c.t.Helper()
	if params["mutationId"] == nil {
		params["mutationId"] = newID("m_")
	}
	return c.do(method, params)
}

// on is mutate for methods that need the session only.
func (c *client) on(method, session string) outcome {
	c.t.Helper()
	return c.mutate(method, map[string]any{"sessionId": session})
}

// ring starts a 1:1 video call.
func (c *client) ring(uid string) wire.CallView {
	c.t.Helper()
	return c.mutate("call.initiate", map[string]any{"receiverId": uid, "receiverType": "user", "type": "video"}).call(c.t)
}

// hear waits for the next event.
func (c *client) hear() event {
	c.t.Helper()
	select {
	case e, ok := <-c.events:
		if !ok {
			c.t.Fatalf("%s waits for an event, but the socket is closed: %v", c.uid, c.lost)
		}
		return e
	case <-time.After(10 * time.Second):
		c.t.Fatalf("%s waited in vain for an event", c.uid)
	}
	return event{}
}

// expect waits for the next event, which must be of this type.
func (c *client) expect(kind string) event {
	c.t.Helper()
	e := c.hear()
	if e.Type != kind {
		c.t.Fatalf("%s expected %s, got %s %s", c.uid, kind, e.Type, e.Data)
	}
	return e
}

// expectStatus waits for the next event, which must be of this type and show the call in this status.
func (c *client) expectStatus(kind, status string) event {
	c.t.Helper()
	e := c.expect(kind)
	if got := e.text("call.status"); got != status {
		c.t.Fatalf("%s: %s shows status %q, want %q", c.uid, kind, got, status)
	}
	return e
}

// quiet checks that no event has come: the server has answered a ping since, and events keep their order.
func (c *client) quiet() {
	c.t.Helper()
	c.do("ping", nil)
	select {
	case e, ok := <-c.events:
		if ok {
			c.t.Fatalf("%s should hear nothing, got %s %s", c.uid, e.Type, e.Data)
		}
	default:
	}
}

// cut drops the connection without a word, as a dead network does.
func (c *client) cut() {
	_ = c.conn.NetConn().(*net.TCPConn).SetLinger(0)
	_ = c.conn.NetConn().Close()
	<-c.ended
}

// expectClose waits for the server to close the socket with a code and a reason.
func (c *client) expectClose(want wire.Close) {
	c.t.Helper()
	select {
	case <-c.ended:
	case <-time.After(10 * time.Second):
		c.t.Fatalf("%s's socket stays open, want %v", c.uid, want)
	}
	if c.closed == nil || c.closed.Code != want.Code || c.closed.Text != want.Reason {
		c.t.Fatalf("%s's socket ended with %v, want %v", c.uid, c.lost, want)
	}
}
