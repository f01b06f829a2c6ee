// Package netlab is a bad network in user space: a UDP path to a server that loses, delays and damages media by the rules of
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
)

// queueLength is how many packets may be under way to one client.
const queueLength = 4096

// Rules say what happens to RTP on its way from the server to a client. Everything else passes.
type Rules struct {
	Lose   int           // one of so many packets is lost, at a random place among them; 0 loses none
	Delay  time.Duration // of every packet
	Damage int           // one of so many packets has one random byte changed behind the RTP header; 0 changes none
	Seed   uint64
}

// Path is one address that leads to the server. Its methods may be called from any goroutine.
type Path struct {
	server netip.AddrPort
	rules  Rules
	front  *net.UDPConn
	wg     sync.WaitGroup

	mu      sync.Mutex
	clients map[netip.AddrPort]*net.UDPConn // guarded by mu; one way up for each client
	closed  bool
}

// Open makes a path to the media address of a server.
func Open(server netip.AddrPort, rules Rules) (*Path, error) {
	front, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), 0)))
	if err != nil {
		return nil, err
	}
	p := &Path{server: server, rules: rules, front: front, clients: map[netip.AddrPort]*net.UDPConn{}}
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

// Close ends the path and waits until it carries nothing any more.
func (p *Path) Close() {
	p.mu.Lock()
	p.closed = true
	for _, c := range p.clients {
		c.Close()
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
		if c := p.way(from); c != nil {
			_, _ = c.Write(buf[:n]) // UDP
		}
	}
}

// way is the socket that stands for a client.
func (p *Path) way(client netip.AddrPort) *net.UDPConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.clients[client]; c != nil || p.closed {
		return c
	}
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(p.server))
	if err != nil {
		return nil
	}
	_ = c.SetReadBuffer(4 << 20) // what is lost here would be held against the server
	p.clients[client] = c
	late := make(chan packet, queueLength)
	rules := newRuler(p.rules, uint64(len(p.clients)))
	p.wg.Go(func() { p.down(c, rules, late) })
	p.wg.Go(func() { p.deliver(client, late) })
	return c
}

// packet is one on its way.
type packet struct {
	data []byte
	due  time.Time
}

// down takes packets from the server; it ends with its socket.
func (p *Path) down(c *net.UDPConn, rules *ruler, late chan<- packet) {
	defer close(late)
	buf := make([]byte, 65536)
	for {
		n, err := c.Read(buf)
		if err != nil {
			if p.over() {
				return
			}
			continue // the server's port may be closed for a while
		}
		data := append([]byte(nil), buf[:n]...)
		if lost, delay := rules.apply(data); !lost {
			late <- packet{data, time.Now().Add(delay)}
		}
	}
}

func (p *Path) over() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// deliver hands packets over when they are due; it ends when no more come.
func (p *Path) deliver(client netip.AddrPort, late <-chan packet) {
	for pkt := range late {
		time.Sleep(time.Until(pkt.due))
		_, _ = p.front.WriteToUDPAddrPort(pkt.data, client) // UDP
	}
}

// ruler applies the rules to one client's packets.
type ruler struct {
	rules           Rules
	random          *rand.Rand
	lose, damage    int // countdown to the end of the present block
	losing, hurting int // place in the block
}

func newRuler(rules Rules, client uint64) *ruler {
	return &ruler{rules: rules, random: rand.New(rand.NewPCG(rules.Seed, client))}
}

// apply says whether a packet is lost and how late it comes, and may damage it.
func (r *ruler) apply(b []byte) (lost bool, delay time.Duration) {
	if !isRTP(b) {
		return false, 0
	}
	if r.turn(r.rules.Damage, &r.damage, &r.hurting) {
		b[12+r.random.IntN(len(b)-12)] ^= byte(1 + r.random.IntN(255))
	}
	return r.turn(r.rules.Lose, &r.lose, &r.losing), r.rules.Delay
}

// turn is true once in every block of n packets, at a random place.
func (r *ruler) turn(n int, left, place *int) bool {
	if n == 0 {
		return false
	}
	if *left == 0 {
		*left, *place = n, 1+r.random.IntN(n)
	}
	hit := *left == *place
	*left--
	return hit
}

// isRTP tells RTP from STUN, DTLS (RFC 7983) and RTCP (RFC 5761 §4).
func isRTP(b []byte) bool {
	return len(b) > 12 && b[0] >= 128 && b[0] <= 191 && (b[1] < 192 || b[1] > 223)
}
