package transport

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sync"

	"github.com/pion/stun/v4"
)

// What the mux must know of STUN (RFC 8489 §5) before anybody has checked a message: lengths in it may say anything.
const (
	stunHeader = 20
	stunCookie = 0x2112A442

	stunRequest    = 0x0001 // a binding request
	stunIndication = 0x0011
	stunSuccess    = 0x0101

	stunUsername = 0x0006
)

// transaction is a STUN transaction id.
type transaction [12]byte

// stunClass returns the type of a binding message, 0 when it is no such message.
func stunClass(b []byte) int {
	if len(b) < stunHeader || len(b) > maxQueued || binary.BigEndian.Uint32(b[4:]) != stunCookie {
		return 0
	}
	return int(binary.BigEndian.Uint16(b))
}

// username returns the part of USERNAME that is ours, before the colon (RFC 8445 §7.2.2), nil when there is none. b must have
// a class.
func username(b []byte) []byte {
	for b = b[stunHeader:]; len(b) >= 4; {
		kind, size := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		b = b[4:]
		if size > len(b) {
			return nil
		}
		if kind == stunUsername {
			ours, _, _ := bytes.Cut(b[:size], []byte{':'})
			return ours
		}
		b = b[min(len(b), (size+3)&^3):]
	}
	return nil
}

// authentic says whether a message has a right MESSAGE-INTEGRITY (RFC 8489 §14.5). Without a password none has.
func authentic(b []byte, password string) bool {
	m := &stun.Message{Raw: slices.Clip(b)} // the library writes behind it
	return password != "" && m.Decode() == nil && stun.NewShortTermIntegrity(password).Check(m) == nil
}

// pending is how many checks of one conn may be without an answer: as many as a round of checks to maxRemotes addresses has.
const pending = maxRemotes

// transactions knows whose checks wait for an answer. Addresses would not do: an answer may be there before the goroutine that
// asked has noted the address, and two clients may both be asking at one.
type transactions struct {
	mu    sync.Mutex
	conns map[transaction]*muxConn // guarded by mu
}

// asked notes a check that is about to be sent. The conn's oldest gives way.
func (t *transactions) asked(c *muxConn, b []byte) {
	id := transaction(b[8:stunHeader])
	t.mu.Lock()
	defer t.mu.Unlock()
	if c.over {
		return // closed meanwhile
	}
	if t.conns == nil {
		t.conns = map[transaction]*muxConn{}
	}
	last := &c.asked[c.next]
	c.next = (c.next + 1) % pending
	delete(t.conns, *last)
	*last = id
	t.conns[id] = c
}

// answered returns who asked, once.
func (t *transactions) answered(b []byte) *muxConn {
	id := transaction(b[8:stunHeader])
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.conns[id]
	delete(t.conns, id)
	return c
}

// forget removes what a conn has asked, and will.
func (t *transactions) forget(c *muxConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c.over = true
	for _, id := range c.asked {
		if t.conns[id] == c {
			delete(t.conns, id)
		}
	}
}
