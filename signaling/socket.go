package signaling

import (
	"errors"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"

	"github.com/parleyrtc/parley/signaling/resume"
	"github.com/parleyrtc/parley/signaling/wire"
)

// closeLinger is how long a closed socket is still read, so that the close frame isn't lost to a TCP reset.
const closeLinger = time.Second

// The reasons of a socket that the server did not close; they are counted and never sent.
var (
	closedByClient = wire.Close{Reason: "client"}
	closedLost     = wire.Close{Reason: "lost"}
)

// message is one message to a client: an answer as it is, or an event, which gets its envelope when it is written.
type message struct {
	answer []byte
	seq    uint64 // of the event; 0 for an answer
	event  resume.Event
}

func (m message) size() int { return len(m.answer) + len(m.event.Data) }

func (m message) text() []byte {
	if m.seq == 0 {
		return m.answer
	}
	return wire.Event(m.seq, m.event.Type, m.event.At, m.event.Data)
}

// socket is one WebSocket connection. The goroutine that serves it reads and handles requests one by one; a second one writes.
type socket struct {
	// Set at construction.
	server *Server
	conn   *websocket.Conn
	log    *slog.Logger
	known  func() // the client has said who it is: it does not count for its address any more

	// Owned by the reader.
	requests  *rate.Limiter
	refused   int // in a row, for their rate
	malformed int
	lenient   bool // the client's minor version is newer

	// Set by the reader before it greets, constant afterwards.
	device *device

	wake    chan struct{} // the writer should look at what mu guards
	written chan struct{} // closed when the writer has ended

	// Guarded by mu.
	mu      sync.Mutex
	greeted bool // until then the writer only writes a close
	queue   []message
	bytes   int
	missed  allowance // what a resume had to send again at once, and may wait besides
	closing *wire.Close
	closeBy time.Time
	closed  bool // the close frame is out
}

func newSocket(s *Server, conn *websocket.Conn, log *slog.Logger, known func()) *socket {
	return &socket{
		server: s, conn: conn, log: log, known: known,
		requests: rate.NewLimiter(rate.Limit(s.config.RequestRate), s.config.RequestBurst),
		wake:     make(chan struct{}, 1), written: make(chan struct{}),
	}
}

// serve runs the connection until it is closed. Both of its goroutines have ended when it returns.
func (k *socket) serve() {
	go k.write()
	k.read()
	if k.device != nil {
		k.server.hub.detach(time.Now(), k, k.device)
	}
	k.cut(closedLost) // unless something else closed it
	<-k.written
	_ = k.conn.Close()
	k.mu.Lock()
	reason := k.closing.Reason
	k.mu.Unlock()
	k.server.metrics.closed.WithLabelValues(reason).Inc()
	k.log.Debug("socket closed", "reason", reason)
}

// read greets the client and handles its requests. A panic ends only this connection.
func (k *socket) read() {
	defer k.recovered("socket")
	k.control()
	if !k.hello() {
		k.drain()
		return
	}
	k.conn.SetReadLimit(int64(k.server.config.OfferBytes))
	for {
		k.deadline(k.server.config.IdleTimeout)
		kind, message, err := k.conn.ReadMessage()
		if err != nil {
			k.cut(closeFor(err, wire.CloseIdle))
			k.drain()
			return
		}
		if k.cutting() {
			continue
		}
		k.take(kind == websocket.TextMessage, message)
	}
}

// drain reads what still comes until the peer has seen the close frame or the linger is over.
func (k *socket) drain() {
	rest := make([]byte, 4096)
	for {
		if _, err := k.conn.NetConn().Read(rest); err != nil {
			return
		}
	}
}

// deadline sets how long the reader waits; a socket that is closed already keeps its linger.
func (k *socket) deadline(idle time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.closed {
		_ = k.conn.SetReadDeadline(time.Now().Add(idle))
	}
}

// control counts control frames like requests, so that they can neither flood nor keep an empty connection for nothing.
func (k *socket) control() {
	k.conn.SetPingHandler(func(payload string) error {
		if _, ok := allow(k.requests, time.Now()); !ok {
			k.cut(wire.CloseTooManyErrors)
			return nil
		}
		if k.device != nil {
			k.deadline(k.server.config.IdleTimeout)
		}
		err := k.conn.WriteControl(websocket.PongMessage, []byte(payload), time.Now().Add(time.Second))
		var timeout net.Error
		if errors.Is(err, websocket.ErrCloseSent) || errors.As(err, &timeout) && timeout.Timeout() {
			return nil // the writer is busy or gone; its own deadline decides
		}
		return err
	})
	k.conn.SetPongHandler(func(string) error {
		if _, ok := allow(k.requests, time.Now()); !ok {
			k.cut(wire.CloseTooManyErrors)
		}
		return nil
	})
}

// closeFor says why the reader's error ends the connection.
func closeFor(err error, timedOut wire.Close) wire.Close {
	var closed *websocket.CloseError
	var timeout net.Error
	switch {
	case errors.Is(err, websocket.ErrReadLimit):
		return wire.CloseTooBig
	case errors.As(err, &closed):
		return closedByClient
	case errors.As(err, &timeout) && timeout.Timeout():
		return timedOut
	}
	return closedLost
}

// allowance is room in the queue beyond the limits.
type allowance struct{ messages, bytes int }

// greet puts the answer to hello and the missed events, of which the first follows lastSeq, in front of what is queued
// already, and lets the writer go. They do not count against a client that has just come back.
func (k *socket) greet(answer []byte, missed []resume.Event, lastSeq uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	first := make([]message, 0, 1+len(missed)+len(k.queue))
	first = append(first, message{answer: answer})
	for i, event := range missed {
		first = append(first, message{seq: lastSeq + 1 + uint64(i), event: event})
	}
	for _, m := range first {
		k.missed.bytes += m.size()
	}
	k.missed.messages = len(first)
	k.bytes += k.missed.bytes
	k.queue = append(first, k.queue...)
	k.greeted = true
	k.kick()
}

// send queues a message and never blocks. It reports false when the client is too slow, which cuts it off.
func (k *socket) send(m message) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closing != nil {
		return true
	}
	messages, bytes := k.server.config.SendMessages+k.missed.messages, k.server.config.SendBytes+k.missed.bytes
	if len(k.queue) >= messages || len(k.queue) > 0 && k.bytes+m.size() > bytes {
		k.cutLocked(wire.CloseSlowConsumer)
		k.queue, k.bytes = nil, 0
		return false
	}
	k.queue = append(k.queue, m)
	k.bytes += m.size()
	k.kick()
	return true
}

// cut closes the connection: what is queued and then the close frame are still written. The first reason counts.
func (k *socket) cut(reason wire.Close) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.cutLocked(reason)
}

func (k *socket) cutLocked(reason wire.Close) {
	if k.closing != nil {
		return
	}
	k.closing, k.closeBy = &reason, time.Now().Add(k.server.config.WriteTimeout)
	k.kick()
}

func (k *socket) cutting() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.closing != nil
}

// kick wakes the writer. The caller holds mu.
func (k *socket) kick() {
	select {
	case k.wake <- struct{}{}:
	default:
	}
}

// write writes what is queued until the connection is closed.
func (k *socket) write() {
	defer close(k.written)
	defer k.recovered("writer")
	for {
		m, ok, closing, by := k.next()
		switch {
		case ok:
			_ = k.conn.SetWriteDeadline(by)
			if err := k.conn.WriteMessage(websocket.TextMessage, m.text()); err != nil {
				k.cut(closedLost)
				_ = k.conn.Close() // lets the reader go
				return
			}
		case closing != nil:
			k.writeClose(*closing, by)
			return
		default:
			<-k.wake
		}
	}
}

// next takes the next message to write, or says how to close when there is none.
func (k *socket) next() (m message, ok bool, closing *wire.Close, by time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	by = time.Now().Add(k.server.config.WriteTimeout)
	if k.closing != nil {
		by = k.closeBy
	}
	if k.greeted && len(k.queue) > 0 {
		m = k.queue[0]
		k.queue[0] = message{} // lets the memory go before append moves the slice
		k.queue = k.queue[1:]
		k.bytes -= m.size()
		if len(k.queue) == 0 {
			k.queue, k.missed = nil, allowance{}
		}
		return m, true, nil, by
	}
	return message{}, false, k.closing, by
}

func (k *socket) writeClose(closing wire.Close, by time.Time) {
	if closing.Code != 0 {
		_ = k.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(closing.Code, closing.Reason), by)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	_ = k.conn.SetReadDeadline(time.Now().Add(closeLinger))
}

// recovered ends the connection after a panic in one of its goroutines.
func (k *socket) recovered(where string) {
	if r := recover(); r != nil {
		k.server.metrics.panics.WithLabelValues(where).Inc()
		k.log.Error("panic; closing the connection", "where", where, "panic", r, "stack", string(debug.Stack()))
		k.cut(wire.CloseInternal)
		if where == "writer" {
			_ = k.conn.Close() // nobody is left to write the close frame
		}
	}
}
