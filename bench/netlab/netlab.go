// Package netlab is a bad network in user space: a UDP path to a server that loses, delays and damages packets by the rules of
// a test, so that what a measurement says can be held against what really happened.
package netlab

import (
	"fmt"
	"math/rand/v2"
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

// way joins one client with the server. Its links have one owner each: up belongs to Path.up, down to Path.down.
type way struct {
	conn      *net.UDPConn // stands for the client
	up, down  *link.Link
	toServer  *flight
	toClient  *flight
	hurt      *rand.Rand // belongs to Path.down
	lose, hit link.Block
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

// Close ends the path and waits until it carries nothing any more. What is under way is lost.
func (p *Path) Close() {
	p.mu.Lock()
	p.closed = true
	for _, w := range p.clients {
		w.conn.Close()
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
		for _, d := range w.up.Put(time.Now(), n) {
			w.toServer.put(buf[:n], d.At)
		}
	}
}

// way is the one of a client; nil when the path is closed.
func (p *Path) way(client netip.AddrPort) *way {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.clients[client]; w != nil || p.closed {
		return w
	}
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(p.server))
	if err != nil {
		return nil
	}
	_ = c.SetReadBuffer(4 << 20) // what is lost here would be held against the server
	now, luck := time.Now(), p.rules.Seed<<16+uint64(len(p.clients))<<2
	up, down := p.rules.Up, p.rules.Down
	up.Seed, down.Seed = luck+1, luck+2
	w := &way{
		conn: c, up: link.New(now, up), down: link.New(now, down), hurt: rand.New(rand.NewPCG(p.rules.Seed, uint64(len(p.clients)))),
		toServer: newFlight(func(b []byte) { _, _ = c.Write(b) }), // UDP
		toClient: newFlight(func(b []byte) { _, _ = p.front.WriteToUDPAddrPort(b, client) }),
	}
	p.clients[client] = w
	p.wg.Go(func() { p.down(w) })
	p.wg.Go(w.toServer.run)
	p.wg.Go(w.toClient.run)
	return w
}

// down takes packets from the server; it ends with its socket.
func (p *Path) down(w *way) {
	buf := make([]byte, 65536)
	for {
		n, err := w.conn.Read(buf)
		if err != nil {
			if p.over() {
				return
			}
			continue // the server's port may be closed for a while
		}
		if isRTP(buf[:n]) && w.spoil(buf[:n], &p.rules) {
			continue
		}
		for _, d := range w.down.Put(time.Now(), n) {
			w.toClient.put(buf[:n], d.At.Add(p.rules.Delay))
		}
	}
}

func (p *Path) over() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// spoil says whether an RTP packet is lost, and may damage it.
func (w *way) spoil(b []byte, rules *Rules) (lost bool) {
	if w.hit.Next(rules.Damage, w.hurt) {
		b[12+w.hurt.IntN(len(b)-12)] ^= byte(1 + w.hurt.IntN(255))
	}
	return w.lose.Next(rules.Lose, w.hurt)
}

// isRTP tells RTP from STUN, DTLS (RFC 7983) and RTCP (RFC 5761 §4).
func isRTP(b []byte) bool {
	return len(b) > 12 && b[0] >= 128 && b[0] <= 191 && (b[1] < 192 || b[1] > 223)
}
