package turn

import (
	"errors"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"syscall"

	"github.com/parleyrtc/parley/turn/guard"
	"github.com/pion/stun/v4"
	pion "github.com/pion/turn/v5"
)

// carrier is one way by which clients' messages come: a UDP socket, or one TCP or TLS connection. Each has a library
// server of its own, whose only read loop handles one message at a time. So the message in hand is known to every callback
// the library makes and to every answer it writes, and both can be put right here.
type carrier struct {
	// Set at construction.
	server *Server
	local  net.Addr
	write  func(b []byte, to net.Addr) error
	// freed is called when the last allocation is gone; nil for none.
	freed func()
	// rationed: answers to strangers are limited, because their address may be forged.
	rationed bool

	// Owned by the library's read loop, which calls ReadFrom and, between two calls, the callbacks and WriteTo.
	msg  guard.Message
	hand request

	mu     sync.Mutex
	byAddr map[netip.AddrPort]*relay

	relays sync.WaitGroup // The library's reading loops of relays.
	once   sync.Once
	done   chan struct{} // Closed when the library's read loop has had its last error.
}

// request is the message in hand.
type request struct {
	active        bool // It wants an answer.
	answered      bool
	authenticated bool
	forbidden     bool // It names a peer that is no media address.
	from          net.Addr
	source        netip.AddrPort
	key           []byte         // Of the credential it is signed with; nil as long as none was looked at.
	code          stun.ErrorCode // What to answer instead of the library's error; 0 for as it is.
	session       string
}

func newCarrier(s *Server, local net.Addr) *carrier {
	return &carrier{server: s, local: local, byAddr: map[netip.AddrPort]*relay{}, done: make(chan struct{})}
}

// start hands the carrier's connection to a library server.
func (c *carrier) start(conn net.PacketConn) (*pion.Server, error) {
	return pion.NewServer(pion.ServerConfig{
		PacketConnConfigs: []pion.PacketConnConfig{{
			PacketConn: conn, RelayAddressGenerator: (*generator)(c), PermissionHandler: c.permit,
		}},
		Realm:         c.server.cfg.Realm,
		LoggerFactory: c.server.bridge,
		AuthHandler:   c.authorize,
		EventHandler:  pion.EventHandler{OnAuth: c.onAuth},
		InboundMTU:    guard.MaxMessage + 1,
	})
}

// finish tells that the library will not read again.
func (c *carrier) finish() { c.once.Do(func() { close(c.done) }) }

// accept looks at a message before the library does. False: it ends here.
func (c *carrier) accept(b []byte, from net.Addr, source netip.AddrPort) (ok bool) {
	defer func() {
		if p := recover(); p != nil {
			c.panicked(p)
			ok = false
		}
	}()
	c.hand = request{}
	err := guard.Check(b, &c.msg)
	if err != nil {
		c.refuse(err, from, source)
		return false
	}
	m := &c.msg
	if !m.Request {
		return c.acceptData(source)
	}
	c.hand = request{active: true, from: from, source: source}
	for _, p := range m.Peers() {
		allowed := c.server.peers.Host(p.Addr())
		if m.Method == guard.ChannelBind {
			allowed = c.server.peers.Allowed(p)
		}
		if !allowed {
			c.hand.forbidden = true
		}
	}
	return true
}

// acceptData passes what is to be relayed for a client that has an allocation.
func (c *carrier) acceptData(source netip.AddrPort) bool {
	if c.relayOf(source) == nil {
		c.server.metrics.deny(deniedStray)
		return false
	}
	for _, p := range c.msg.Peers() {
		if !c.server.peers.Allowed(p) {
			c.server.metrics.deny(deniedPeer)
			return false
		}
	}
	return true
}

// refuse counts a message that does not pass; a request that only went wrong in an attribute is told so.
func (c *carrier) refuse(err error, from net.Addr, source netip.AddrPort) {
	switch {
	case errors.Is(err, guard.ErrAttribute):
		c.server.metrics.deny(deniedAttribute)
		if c.msg.Request {
			c.hand = request{active: true, from: from, source: source}
			c.answer(stun.CodeBadRequest)
		}
	case errors.Is(err, guard.ErrMethod):
		c.server.metrics.deny(deniedMethod)
	default:
		c.server.metrics.deny(deniedMalformed)
	}
}

// settle is called when the library comes back for the next message. It never answers a request that needs an allocation
// where there is none (RFC 8656 §7.3 and others want 437), so that a client whose allocation is gone tries in vain for long.
func (c *carrier) settle() {
	h := &c.hand
	if h.active && h.authenticated && !h.answered && c.msg.Method != guard.Allocate {
		c.answer(stun.CodeAllocMismatch)
	}
	*h = request{}
}

// reply writes what the library wrote, with its errors put right. Relay loops write here too, but never answers.
func (c *carrier) reply(b []byte, to net.Addr) error {
	const answer, failure = 0x01, 0x10
	if len(b) < 2 || b[0]&0xC0 != 0 || b[0]&answer == 0 || !c.hand.active {
		return c.write(b, to)
	}
	h := &c.hand
	h.answered = true
	if b[1]&failure != 0 {
		if h.forbidden && h.authenticated {
			h.code = stun.CodeForbidden
			c.server.metrics.deny(deniedPeer)
		}
		if h.code != 0 {
			c.answer(h.code)
			return nil
		}
	}
	if !h.authenticated && !c.mayAnswer() {
		return nil
	}
	return c.write(b, to)
}

// mayAnswer spends one of the answers that strangers get.
func (c *carrier) mayAnswer() bool {
	if !c.rationed || c.server.mayAnswer(c.hand.source.Addr()) {
		return true
	}
	c.server.metrics.deny(deniedRate)
	return false
}

// answer writes an error of our own to the request in hand.
func (c *carrier) answer(code stun.ErrorCode) {
	h := &c.hand
	h.answered = true
	if !h.authenticated && !c.mayAnswer() {
		return
	}
	setters := []stun.Setter{
		&stun.Message{TransactionID: c.msg.Transaction},
		stun.NewType(stun.Method(c.msg.Method), stun.ClassErrorResponse),
		stun.ErrorCodeAttribute{Code: code},
	}
	if code == stun.CodeUnauthorized { // RFC 8489 §9.2.4
		setters = append(setters, stun.NewRealm(c.server.cfg.Realm), stun.NewNonce(string(c.msg.Nonce)))
	} else if h.authenticated {
		setters = append(setters, stun.MessageIntegrity(h.key))
	}
	m, err := stun.Build(setters...)
	if err != nil {
		c.server.log.Warn("turn answer not built", "error", err)
		return
	}
	_ = c.write(m.Raw, h.from) // Whoever does not get it asks again.
}

// panicked takes note of a fault of ours that one message brought out.
func (c *carrier) panicked(p any) {
	c.server.metrics.deny(deniedPanic)
	c.server.log.Error("turn panic", "panic", p, "stack", string(debug.Stack()))
}

// enter books an allocation of the client in hand.
func (c *carrier) enter(r *relay) (denied string) {
	if denied = c.server.books.enter(r); denied != "" {
		return denied
	}
	c.server.metrics.allocations.Inc()
	c.relays.Add(1)
	c.mu.Lock()
	c.byAddr[r.client] = r
	c.mu.Unlock()
	return ""
}

// forget strikes a relay out of the carrier's table.
func (c *carrier) forget(r *relay) {
	c.mu.Lock()
	if c.byAddr[r.client] == r {
		delete(c.byAddr, r.client)
	}
	last := len(c.byAddr) == 0
	c.mu.Unlock()
	if last && c.freed != nil {
		c.freed()
	}
}

// relayOf is the allocation of a client, nil when it has none.
func (c *carrier) relayOf(client netip.AddrPort) *relay {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byAddr[client]
}

// transient says whether a socket goes on after this error: one that a datagram of ours brought back.
func transient(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.ENETUNREACH)
}
