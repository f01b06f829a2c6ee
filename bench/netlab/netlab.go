// Package netlab is a bad network in user space: a way to a server that loses, delays and damages packets by the rules of a
// test, so that what a measurement says can be held against what really happened.
//
// A Path carries UDP, a Relay TCP; an Access is both, for a client whose whole network is bad, comes back under another address
// or dies. What happens to packets is decided by bench/netlab/link.
package netlab

import (
	"fmt"
	"net"
	"net/netip"
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
	// Together says that all addresses behind the path are one client's, as the sockets of one browser are: they share two
	// links, whose first steps begin with Open.
	Together bool
}

// Path is one address that leads to the server. Its methods may be called from any goroutine.
type Path struct {
	server netip.AddrPort
	front  *net.UDPConn
	wg     sync.WaitGroup

	mu      sync.Mutex
	rules   Rules                   // guarded by mu
	shared  *lines                  // guarded by mu; nil unless Together
	clients map[netip.AddrPort]*way // guarded by mu
	links   int                     // guarded by mu: pairs made so far, each with luck of its own
	cut     bool                    // guarded by mu
	closed  bool                    // guarded by mu
}

// Open makes a path to a UDP address of a server.
func Open(server netip.AddrPort, rules Rules) (*Path, error) {
	front, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), 0)))
	if err != nil {
		return nil, err
	}
	_ = front.SetReadBuffer(socketBuffer) // what is lost here would be held against the client
	p := &Path{server: server, rules: rules, front: front, clients: map[netip.AddrPort]*way{}}
	if rules.Together {
		p.shared = p.lines(time.Now())
	}
	p.wg.Go(p.up)
	return p, nil
}

// Addr is where clients reach the server through the path.
func (p *Path) Addr() netip.AddrPort { return p.front.LocalAddr().(*net.UDPAddr).AddrPort() }

// Rewrite puts the path in the place of the server's candidates in an SDP.
func (p *Path) Rewrite(sdp string) string {
	at := p.Addr()
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

// Follow gives the path other links, whose first steps begin now. What is under way arrives as it would have.
func (p *Path) Follow(down, up link.Config) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules.Down, p.rules.Up = down, up
	now := time.Now()
	if p.shared != nil {
		up, down := p.seeded()
		p.shared.follow(now, up, down)
	}
	for _, w := range p.clients {
		if w.lines != p.shared {
			up, down := p.seeded()
			w.lines.follow(now, up, down)
		}
	}
}

// Cut loses everything in both directions until it is called with false.
func (p *Path) Cut(cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = cut
	for _, w := range p.clients {
		w.dead.Store(cut || w.left)
	}
}

// Leave makes all present addresses of clients worthless for good, as a phone's are that walks out of the Wi-Fi: nothing comes
// from them or to them any more. Addresses that have not been seen yet are carried.
func (p *Path) Leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, w := range p.clients {
		w.left = true
		w.dead.Store(true)
	}
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
		_ = w.replace(c).SetReadDeadline(time.Unix(1, 0)) // its reader ends
		p.wg.Go(func() { p.down(w, c) })
	}
	return nil
}

// Fates counts what the links did to packets from and to all clients. What Lose took is not in it.
func (p *Path) Fates() (up, down link.Fates) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shared != nil {
		return p.shared.fates()
	}
	for _, w := range p.clients {
		u, d := w.lines.fates()
		up, down = up.Plus(u), down.Plus(d)
	}
	return up, down
}

// Close ends the path and waits until it carries nothing any more. What is under way is lost.
func (p *Path) Close() {
	p.mu.Lock()
	p.closed = true
	for _, w := range p.clients {
		w.close()
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
		if w := p.way(from); w != nil && !w.dead.Load() {
			for _, at := range w.lines.carry(time.Now(), n, true) {
				w.toServer.put(buf[:n], at)
			}
		}
	}
}

func (p *Path) dial() (*net.UDPConn, error) {
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(p.server))
	if err == nil {
		_ = c.SetReadBuffer(socketBuffer) // what is lost here would be held against the server
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
	w := newWay(c, p.rules, uint64(len(p.clients)))
	if w.lines = p.shared; w.lines == nil {
		w.lines = p.lines(time.Now())
	}
	w.toServer = newFlight(func(b []byte) { _, _ = w.current().Write(b) }) // UDP
	w.toClient = newFlight(func(b []byte) { _, _ = p.front.WriteToUDPAddrPort(b, client) })
	w.dead.Store(p.cut)
	p.clients[client] = w
	p.wg.Go(func() { p.down(w, c) })
	p.wg.Go(w.toServer.run)
	p.wg.Go(w.toClient.run)
	return w
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
		for _, at := range w.pass(buf[:n]) {
			w.toClient.put(buf[:n], at)
		}
	}
}

func (p *Path) over() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}
