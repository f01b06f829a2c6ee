// Package netlab is a bad network in user space: a UDP path to a server that loses, delays and damages packets by the rules of
// a test, so that what a measurement says can be held against what really happened.
package netlab

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/parleyrtc/parley/bench/netlab/link"
)

// Rules say what happens on the way between the server and a client. Each client has links and luck of its own.
type Rules struct {
	Lose   int           // one of so many RTP packets to a client is lost, at a random place among them; 0 loses none
	Damage int           // one of so many has one random byte changed behind the RTP header; 0 changes none
	Delay  time.Duration // of everything on its way to a client, on top of Down
	Seed   uint64        // of all of it; those of Down and Up do not matter

	// Down carries everything to the client, and Up everything from it. Their first steps begin with the client's first packet.
	Down, Up link.Config
}

// Path is one address that leads to the server. Its methods may be called from any goroutine.
type Path struct {
	server netip.AddrPort
	rules  Rules
	front  *net.UDPConn
	wg     sync.WaitGroup

	mu      sync.Mutex
	clients map[netip.AddrPort]*way // guarded by mu
	closed  bool
}

// way joins one client with the server.
type way struct {
	toServer *flight
	toClient *flight

	mu        sync.Mutex
	conn      *net.UDPConn   // guarded by mu; stands for the client
	before    []*net.UDPConn // guarded by mu; did so before a rebinding
	up, down  *link.Link     // guarded by mu
	luck      *rand.Rand     // guarded by mu
	lose, hit link.Block     // guarded by mu
}

// Open makes a path to the media address of a server.
func Open(server netip.AddrPort, rules Rules) (*Path, error) {
	front, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), 0)))
	if err != nil {
		return nil, err
	}
	p := &Path{server: server, rules: rules, front: front, clients: map[netip.AddrPort]*way{}}
	p.wg.Go(p.up)
	return p, nil
}

// Rewrite puts the path in the place of the server's candidates in an SDP.
func (p *Path) Rewrite(sdp string) string {
	at := p.front.LocalAddr().(*net.UDPAddr).AddrPort()
	var out strings.Builder
	for line := range strings.Lines(sdp) {
		if strings.HasPrefix(line, "a=candidate:") {
			f := strings.Fields(line)
			if len(f) < 8 || !strings.EqualFold(f[2], "udp") {
				continue
			}
			f[4], f[5] = at.Addr().String(), fmt.Sprint(at.Port())
			line = strings.Join(f, " ") + "\r\n"
		}
		out.WriteString(line)
	}
	return out.String()
}

// Rebind gives each client another address towards the server, as a NAT does that has forgotten it. What the server sends to
// the old address is lost.
func (p *Path) Rebind() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.clients {
		c, err := p.dial()
		if err != nil {
			return err
		}
		w.mu.Lock()
		old := w.conn
		w.conn, w.before = c, append(w.before, old)
		w.mu.Unlock()
		_ = old.SetReadDeadline(time.Unix(1, 0)) // its reader ends
		p.wg.Go(func() { p.down(w, c) })
	}
	return nil
}

// Fates counts what the links did to packets from and to all clients. What Lose took is not in it.
func (p *Path) Fates() (up, down link.Fates) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.clients {
		w.mu.Lock()
		up, down = up.Plus(w.up.Fates()), down.Plus(w.down.Fates())
		w.mu.Unlock()
	}
	return up, down
}

// Close ends the path and waits until it carries nothing any more. What is under way is lost.
func (p *Path) Close() {
	p.mu.Lock()
	p.closed = true
	for _, w := range p.clients {
		w.mu.Lock()
		for _, c := range append(w.before, w.conn) {
			c.Close()
		}
		w.mu.Unlock()
		w.toServer.end()
		w.toClient.end()
	}
	p.mu.Unlock()
	p.front.Close()
	p.wg.Wait()
}

// up carries clients' packets to the server; it ends with the front socket.
func (p *Path) up() {
	buf := make([]byte, 65536)
	for {
		n, from, err := p.front.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		w := p.way(from)
		if w == nil {
			continue
		}
		w.mu.Lock()
		arrivals := slices.Clone(w.up.Put(time.Now(), n))
		w.mu.Unlock()
		for _, d := range arrivals {
			w.toServer.put(buf[:n], d.At)
		}
	}
}

func (p *Path) dial() (*net.UDPConn, error) {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(p.server))
	if err == nil {
		_ = c.SetReadBuffer(4 << 20) // what is lost here would be held against the server
	}
	return c, err
}

// way is the one of a client; nil when the path is closed.
func (p *Path) way(client netip.AddrPort) *way {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.clients[client]; w != nil || p.closed {
		return w
	}
	c, err := p.dial()
	if err != nil {
		return nil
	}
	now, number := time.Now(), uint64(len(p.clients))
	up, down := p.rules.Up, p.rules.Down
	up.Seed, down.Seed = p.rules.Seed<<16+number<<1, p.rules.Seed<<16+number<<1+1
	w := &way{conn: c, up: link.New(now, up), down: link.New(now, down), luck: rand.New(rand.NewPCG(p.rules.Seed, number))}
	w.toServer = newFlight(func(b []byte) { _, _ = w.current().Write(b) }) // UDP
	w.toClient = newFlight(func(b []byte) { _, _ = p.front.WriteToUDPAddrPort(b, client) })
	p.clients[client] = w
	p.wg.Go(func() { p.down(w, c) })
	p.wg.Go(w.toServer.run)
	p.wg.Go(w.toClient.run)
	return w
}

// current is the socket that stands for the client now.
func (w *way) current() *net.UDPConn {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.conn
}

// down takes packets from the server; it ends when its socket is no longer the client's.
func (p *Path) down(w *way, c *net.UDPConn) {
	buf := make([]byte, 65536)
	for {
		n, err := c.Read(buf)
		if err != nil {
			if p.over() || w.current() != c {
				return
			}
			continue // the server's port may be closed for a while
		}
		for _, d := range w.pass(buf[:n], &p.rules) {
			w.toClient.put(buf[:n], d.At.Add(p.rules.Delay))
		}
	}
}

func (p *Path) over() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// pass sends a packet down and returns its arrivals; it may damage it.
func (w *way) pass(b []byte, rules *Rules) []link.Delivery {
	w.mu.Lock()
	defer w.mu.Unlock()
	if isRTP(b) {
		if w.hit.Next(rules.Damage, w.luck) {
			b[12+w.luck.IntN(len(b)-12)] ^= byte(1 + w.luck.IntN(255))
		}
		if w.lose.Next(rules.Lose, w.luck) {
			return nil
		}
	}
	return slices.Clone(w.down.Put(time.Now(), len(b)))
}

// isRTP tells RTP from STUN, DTLS (RFC 7983) and RTCP (RFC 5761 §4).
func isRTP(b []byte) bool {
	return len(b) > 12 && b[0] >= 128 && b[0] <= 191 && (b[1] < 192 || b[1] > 223)
}
