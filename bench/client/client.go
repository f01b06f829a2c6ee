// Package client is a Parley client in Go: signaling over one WebSocket and, per joined session, media over one pion PeerConnection.
//
// Bots and tests place and answer calls with it; docs/go-client.md shows how. It is written from docs/protocol.md alone, so that
// every test that uses it also tests that page.
package client

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// protocolVersion is the version of docs/protocol.md that this client speaks.
const protocolVersion = "1.0"

// pingEvery keeps the connection from being idle; the protocol asks for something at least every 25 s.
const pingEvery = 20 * time.Second

// renewWithin is how long the renewal of a token may take; the server says 60 s ahead that it ends.
const renewWithin = 50 * time.Second

// eventQueue is how many events may wait for a reader; a client that does not read them is closed, as a stuck application would be.
const eventQueue = 1024

// ErrClosed answers every request on a connection that has ended.
var ErrClosed = errors.New("parley client: the connection is closed")

// Config says where to connect and as whom.
type Config struct {
	URL      string // ws:// or wss:// address of /v1/ws
	Token    string // JWT of docs/protocol.md §8
	DeviceID string // the device id of an earlier connection, or empty for a new one
	Resume   Resume // zero: a fresh connection
	// Renew gets a new token when the present one is about to end; nil: the connection goes on without the right to change
	// anything, and calls under way are not touched.
	Renew  func(ctx context.Context) (string, error)
	Header http.Header
	// Dialer replaces websocket.DefaultDialer, for instance to trust a test certificate.
	Dialer *websocket.Dialer
}

// Resume names the connection to continue and the last event that was seen on it.
type Resume struct {
	ConnectionID string
	LastSeq      uint64
}

// Hello is what the server said when the connection began.
type Hello struct {
	Protocol     string `json:"protocol"`
	ConnectionID string `json:"connectionId"`
	DeviceID     string `json:"deviceId"`
	User         User   `json:"user"`
	Resumed      bool   `json:"resumed"`
	LastSeq      uint64 `json:"lastSeq"`
	Snapshot     *struct {
		Calls []Call `json:"calls"`
	} `json:"snapshot"`
}

// Client is one signaling connection. Its methods may be called concurrently; Events has one reader.
type Client struct {
	// set at construction
	Hello  Hello
	conn   *websocket.Conn
	events chan Event
	done   chan struct{} // closed when the reader ends
	pinged chan struct{} // closed when the pinger has ended

	nextID  atomic.Int64
	lastSeq atomic.Uint64

	renew  func(ctx context.Context) (string, error)
	life   context.Context // ends with the connection
	die    context.CancelFunc
	ending sync.WaitGroup // sessions being closed, and the renewal of the token

	writing sync.Mutex // one writer at a time on conn (gorilla's rule)

	mu       sync.Mutex // guards the fields below
	waiting  map[int64]chan rpcMessage
	sessions map[string]*Session // by id
	err      error
}

// Dial connects and says hello. The caller must Close the client.
func Dial(ctx context.Context, cfg Config) (*Client, error) {
	dialer := cfg.Dialer
	if dialer == nil {
		dialer = &websocket.Dialer{HandshakeTimeout: 10 * time.Second}
	}
	conn, resp, err := dialer.DialContext(ctx, cfg.URL, cfg.Header)
	if err != nil {
		if resp != nil {
			return nil, fmt.Errorf("connect to %s: %w (HTTP %d)", cfg.URL, err, resp.StatusCode)
		}
		return nil, fmt.Errorf("connect to %s: %w", cfg.URL, err)
	}
	c := &Client{
		conn:     conn,
		events:   make(chan Event, eventQueue),
		done:     make(chan struct{}),
		pinged:   make(chan struct{}),
		waiting:  make(map[int64]chan rpcMessage),
		sessions: make(map[string]*Session),
		renew:    cfg.Renew,
	}
	c.life, c.die = context.WithCancel(context.Background())
	c.lastSeq.Store(cfg.Resume.LastSeq)
	go c.read()
	go c.ping()
	if err := c.hello(ctx, cfg); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// ping keeps the connection alive and lets the server forget the events that have arrived; it ends with the connection.
func (c *Client) ping() {
	defer close(c.pinged)
	tick := time.NewTicker(pingEvery)
	defer tick.Stop()
	for {
		select {
		case <-c.done:
			return
		case <-tick.C:
			ctx, cancel := context.WithTimeout(context.Background(), pingEvery)
			_ = c.Request(ctx, "ping", map[string]any{"lastSeq": c.LastSeq()}, nil) // a dead connection ends the reader
			cancel()
		}
	}
}

func (c *Client) hello(ctx context.Context, cfg Config) error {
	params := map[string]any{
		"token":    cfg.Token,
		"protocol": protocolVersion,
		"client":   map[string]string{"name": "parley-go", "version": protocolVersion},
	}
	if cfg.DeviceID != "" {
		params["deviceId"] = cfg.DeviceID
	}
	if cfg.Resume.ConnectionID != "" {
		params["resume"] = map[string]any{"connectionId": cfg.Resume.ConnectionID, "lastSeq": cfg.Resume.LastSeq}
	}
	return c.Request(ctx, "hello", params, &c.Hello)
}

// Request sends one request and waits for its answer, which is decoded into result unless that is nil. A refusal is an *Error.
func (c *Client) Request(ctx context.Context, method string, params, result any) error {
	id := c.nextID.Add(1)
	answer := make(chan rpcMessage, 1)
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return c.err
	}
	c.waiting[id] = answer
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.waiting, id)
		c.mu.Unlock()
	}()

	if err := c.write(ctx, rpcRequest{JSONRPC: "2.0", ID: id, Method: method, Params: params}); err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	select {
	case msg := <-answer:
		if msg.Error != nil {
			return msg.Error.public()
		}
		if result == nil {
			return nil
		}
		if err := json.Unmarshal(msg.Result, result); err != nil {
			return fmt.Errorf("%s: the answer does not parse: %w", method, err)
		}
		return nil
	case <-c.done:
		return c.closeError()
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", method, ctx.Err())
	}
}

func (c *Client) write(ctx context.Context, msg any) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(10 * time.Second)
	}
	if err := c.conn.SetWriteDeadline(deadline); err != nil {
		return err
	}
	return c.conn.WriteJSON(msg)
}

// read is the connection's one reader; it ends when the socket does.
func (c *Client) read() {
	defer close(c.done)
	defer close(c.events)
	defer c.die()
	for {
		var msg rpcMessage
		if err := c.conn.ReadJSON(&msg); err != nil {
			c.fail(err)
			return
		}
		if msg.Method == "event" {
			var ev Event
			if err := json.Unmarshal(msg.Params, &ev); err != nil {
				c.fail(fmt.Errorf("event does not parse: %w", err))
				return
			}
			c.lastSeq.Store(ev.Seq)
			c.serve(ev)
			select {
			case c.events <- ev:
			default:
				c.fail(errors.New("the application does not read its events"))
				return
			}
			continue
		}
		if msg.ID == nil {
			continue
		}
		c.mu.Lock()
		answer := c.waiting[*msg.ID]
		c.mu.Unlock()
		if answer != nil {
			answer <- msg
		}
	}
}

// serve does what an event asks of the client itself, besides handing it to the application. It does not wait.
func (c *Client) serve(ev Event) {
	switch ev.Type {
	case "session.dataWaiting", "session.slotsNeeded", "session.closed":
		c.sessionEvent(ev)
	case "token.expiring":
		if c.renew != nil {
			c.ending.Go(c.renewToken)
		}
	}
}

// renewToken puts a new token in place of the one that is about to end. Where it fails the old one runs out, which the
// application learns with its next request.
func (c *Client) renewToken() {
	ctx, cancel := context.WithTimeout(c.life, renewWithin)
	defer cancel()
	if token, err := c.renew(ctx); err == nil {
		_ = c.Request(ctx, "token.renew", map[string]any{"token": token}, nil)
	}
}

// add has a session hear of what concerns it.
func (c *Client) add(s *Session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sessions[s.ID] = s
}

func (c *Client) remove(s *Session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sessions[s.ID] == s {
		delete(c.sessions, s.ID)
	}
}

func (c *Client) fail(err error) {
	c.mu.Lock()
	if c.err == nil {
		c.err = fmt.Errorf("%w: %w", ErrClosed, err)
	}
	c.mu.Unlock()
	_ = c.conn.Close() // the reader is ending; a second close does no harm
}

func (c *Client) closeError() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Events delivers the server's events in order and is closed with the connection.
func (c *Client) Events() <-chan Event { return c.events }

// LastSeq is the number of the newest event, for a Resume.
func (c *Client) LastSeq() uint64 { return c.lastSeq.Load() }

// CloseCode is the WebSocket close code the server gave, or 0 when the connection lives or ended otherwise.
func (c *Client) CloseCode() int {
	var ce *websocket.CloseError
	if errors.As(c.closeError(), &ce) {
		return ce.Code
	}
	return 0
}

// Done is closed when the connection has ended.
func (c *Client) Done() <-chan struct{} { return c.done }

// Close says goodbye and waits for the client's goroutines to end.
func (c *Client) Close() {
	deadline := time.Now().Add(time.Second)
	_ = c.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), deadline)
	_ = c.conn.Close()
	<-c.done
	<-c.pinged
	c.ending.Wait()
}

// Cut drops the TCP connection without a goodbye, as a lost network does, and waits for the client's goroutines to end.
func (c *Client) Cut() {
	if tcp, ok := c.conn.NetConn().(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // an RST, not a FIN: nothing is left in flight
	}
	_ = c.conn.Close()
	<-c.done
	<-c.pinged
	c.ending.Wait()
}

// NewMutationID returns an id for one attempt at a change.
func NewMutationID() string { return rand.Text() }
