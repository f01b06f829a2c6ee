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

	"github.com/parleyrtc/parley/signaling/wire"
)

// closeLinger is how long a closed socket is still read, so that the close frame isn't lost to a TCP reset.
const closeLinger = time.Second

// The reasons of a socket that the server did not close; they are counted and never sent.
var (
	closedByClient = wire.Close{Reason: "client"}
	closedLost     = wire.Close{Reason: "lost"}
)

// socket is one WebSocket connection. The goroutine that serves it reads and handles requests one by one; a second one writes.
type socket struct {
	// Set at construction.
	server *Server
	conn   *websocket.Conn
	log    *slog.Logger

	// Owned by the reader.
	requests  *rate.Limiter
	user      *rate.Limiter // shared with the user's other sockets
	refused   int           // in a row, for their rate
	malformed int
	lenient   bool // the client's minor version is newer

	// Set by the reader before it greets, constant afterwards.
	device *device

	wake    chan struct{} // the writer should look at what mu guards
	written chan struct{} // closed when the writer has ended

	// Guarded by mu.
	mu      sync.Mutex
	greeted bool // until then the writer only writes a close
	queue   [][]byte
	bytes   int
	closing *wire.Close
	closeBy time.Time
	closed  bool // the close frame is out
}

func newSocket(s *Server, conn *websocket.Conn, log *slog.Logger) *socket {
	return &socket{
		server: s, conn: conn, log: log,
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
		k.message(kind == websocket.TextMessage, message)
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

// greet puts the answer to hello and the missed events in front of what is queued already, and lets the writer go.
func (k *socket) greet(answer []byte, missed [][]byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	first := append([][]byte{answer}, missed...)
	for _, message := range first {
		k.bytes += len(message)
	}
	k.queue = append(first, k.queue...)
	k.greeted = true
	k.kick()
}

// send queues a message and never blocks. It reports false when the client is too slow, which cuts it off.
func (k *socket) send(message []byte) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closing != nil {
		return true
	}
	config := &k.server.config
	if len(k.queue) >= config.SendMessages || len(k.queue) > 0 && k.bytes+len(message) > config.SendBytes {
		k.cutLocked(wire.CloseSlowConsumer)
		k.queue, k.bytes = nil, 0
		return false
	}
	k.queue = append(k.queue, message)
	k.bytes += len(message)
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
		message, closing, by := k.next()
		switch {
		case message != nil:
			_ = k.conn.SetWriteDeadline(by)
			if err := k.conn.WriteMessage(websocket.TextMessage, message); err != nil {
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
func (k *socket) next() (message []byte, closing *wire.Close, by time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	by = time.Now().Add(k.server.config.WriteTimeout)
	if k.closing != nil {
		by = k.closeBy
	}
	if k.greeted && len(k.queue) > 0 {
		message = k.queue[0]
		k.queue[0] = nil
		k.queue = k.queue[1:]
		k.bytes -= len(message)
		return message, nil, by
	}
	return nil, k.closing, by
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
