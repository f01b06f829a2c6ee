package netlab

import (
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parleyrtc/parley/bench/netlab/link"
)

// headers are what a packet takes on a link besides its UDP payload: those of IPv4 and UDP, which a shaper counts as well.
const headers = 20 + 8

// socketBuffer is how much may wait in a socket while this process is busy elsewhere.
const socketBuffer = 4 << 20

// way joins one address of a client with the server.
type way struct {
	// set at construction
	lines    *lines
	toServer *flight
	toClient *flight
	rules    Rules

	left bool        // guarded by the path's mu: its address is worthless for good
	dead atomic.Bool // carries nothing

	mu        sync.Mutex
	conn      *net.UDPConn   // guarded by mu; stands for the client
	before    []*net.UDPConn // guarded by mu; did so before a rebinding
	luck      *rand.Rand     // guarded by mu
	lose, hit link.Block     // guarded by mu
}

func newWay(c *net.UDPConn, rules Rules, number uint64) *way {
	return &way{conn: c, rules: rules, luck: rand.New(rand.NewPCG(rules.Seed, number))}
}

// current is the socket that stands for the client now.
func (w *way) current() *net.UDPConn {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.conn
}

// replace gives the client another socket and returns the one before.
func (w *way) replace(c *net.UDPConn) *net.UDPConn {
	w.mu.Lock()
	defer w.mu.Unlock()
	old := w.conn
	w.conn, w.before = c, append(w.before, old)
	return old
}

func (w *way) close() {
	w.mu.Lock()
	for _, c := range append(w.before, w.conn) {
		c.Close()
	}
	w.mu.Unlock()
	w.toServer.end()
	w.toClient.end()
}

// pass sends a packet down and returns when it arrives.
func (w *way) pass(b []byte) []time.Time {
	if w.dead.Load() {
		return nil
	}
	if isRTP(b) && w.suffers(b) {
		return nil
	}
	at := w.lines.carry(time.Now(), len(b), false)
	for i := range at {
		at[i] = at[i].Add(w.rules.Delay)
	}
	return at
}

// suffers damages a packet or says that it is lost.
func (w *way) suffers(b []byte) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.hit.Next(w.rules.Damage, w.luck) {
		b[12+w.luck.IntN(len(b)-12)] ^= byte(1 + w.luck.IntN(255))
	}
	return w.lose.Next(w.rules.Lose, w.luck)
}

// isRTP tells RTP from STUN, DTLS (RFC 7983) and RTCP (RFC 5761 §4).
func isRTP(b []byte) bool {
	return len(b) > 12 && b[0] >= 128 && b[0] <= 191 && (b[1] < 192 || b[1] > 223)
}

// lines are the two links of a client, with what they did over time.
type lines struct {
	mu       sync.Mutex
	up, down *link.Link    // guarded by mu
	before   [2]link.Fates // guarded by mu: of the links before these
	trace    [2]Trace      // guarded by mu: of up and down
}

// follow takes other links.
func (l *lines) follow(now time.Time, up, down link.Config) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.up != nil {
		l.before[0], l.before[1] = l.before[0].Plus(l.up.Fates()), l.before[1].Plus(l.down.Fates())
	}
	l.up, l.down = link.New(now, up), link.New(now, down)
}

// carry puts a packet with so much UDP payload on one of the links and returns when it arrives.
func (l *lines) carry(now time.Time, payload int, up bool) []time.Time {
	size := payload + headers
	l.mu.Lock()
	defer l.mu.Unlock()
	on, trace := l.down, &l.trace[1]
	if up {
		on, trace = l.up, &l.trace[0]
	}
	lost := on.Fates().Lost
	found := on.Put(now, size)
	arrivals := make([]time.Time, 0, 2)
	for _, d := range found {
		arrivals = append(arrivals, d.At)
	}
	trace.add(now, size, on.Rate(now), found, on.Fates().Lost > lost)
	return arrivals
}

func (l *lines) fates() (up, down link.Fates) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.before[0].Plus(l.up.Fates()), l.before[1].Plus(l.down.Fates())
}

// lines makes links by the rules; the caller holds mu.
func (p *Path) lines(now time.Time) *lines {
	l := &lines{}
	up, down := p.seeded()
	l.follow(now, up, down)
	return l
}

// seeded are the rules of the next two links, each with its own luck; the caller holds mu.
func (p *Path) seeded() (up, down link.Config) {
	number := uint64(p.links)
	p.links++
	up, down = p.rules.Up, p.rules.Down
	up.Seed, down.Seed = p.rules.Seed<<16+number<<1, p.rules.Seed<<16+number<<1+1
	return up, down
}
