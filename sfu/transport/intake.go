package transport

import (
	"hash/maphash"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxRemotes bounds the addresses that one client's ICE agent talks to between two ICE restarts. A check makes an address
	// a candidate, which is checked in turn up to nine times, and its source may be forged (RFC 8445 §19.5.1). A browser with
	// four networks and three ways through TURN comes from fewer than twenty.
	maxRemotes = 32

	// What one address and port may send: more than any publisher, and much less than an agent can look at.
	sourceRate, sourceBurst = 5_000, 5_000
	// How many of an IP address's datagrams may be STUN, which finds its way to an agent from any port. An office behind one
	// NAT, or everybody on our own relay, shares it.
	checkRate, checkBurst = 20_000, 20_000

	sourceBuckets, checkBuckets = 16384, 1024

	// tcpPerAddress is an office behind one NAT.
	tcpPerAddress = 256
)

// bucket is a token bucket; a fresh one is full.
type bucket struct {
	tokens float64
	at     time.Time
}

// take takes one token; false: there is none.
func (b *bucket) take(now time.Time, rate, burst float64) bool {
	if b.at.IsZero() {
		b.tokens = burst
	} else if passed := now.Sub(b.at); passed > 0 {
		b.tokens = min(burst, b.tokens+passed.Seconds()*rate)
	}
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// customer is the address, or the IPv6 network that one customer has for themselves.
func customer(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		if network, err := addr.Prefix(64); err == nil {
			return network.Addr()
		}
	}
	return addr
}

// intake refuses what one address sends above its rate. Memory is fixed: addresses share a table of buckets, at worst two of
// them one. It belongs to the one reader of a socket.
type intake struct {
	seed    maphash.Seed
	sources [sourceBuckets]bucket
	checks  [checkBuckets]bucket

	strays    [strayBuckets]bucket
	allStrays bucket
}

func newIntake() *intake { return &intake{seed: maphash.MakeSeed()} }

// admit says whether a datagram, which is not empty, may pass. An answer to a check always may: we have asked for it, or nobody
// gets it; and a flood in a client's name must not end its consent.
func (i *intake) admit(now time.Time, from netip.AddrPort, b []byte) bool {
	return stunClass(b) == stunSuccess || i.allow(now, from, b[0] < 4)
}

// allow says whether a datagram, STUN or not (RFC 7983), may pass. A yes is counted.
func (i *intake) allow(now time.Time, from netip.AddrPort, stun bool) bool {
	if stun && !i.checks[maphash.Comparable(i.seed, customer(from.Addr()))%checkBuckets].take(now, checkRate, checkBurst) {
		return false
	}
	return i.sources[maphash.Comparable(i.seed, from)%sourceBuckets].take(now, sourceRate, sourceBurst)
}

// fair is a listener that one address cannot fill.
type fair struct {
	net.Listener
	refused *atomic.Uint64

	mu   sync.Mutex
	open map[netip.Addr]int // guarded by mu
}

// Accept returns the next connection of an address that has fewer than tcpPerAddress; the others it closes.
func (f *fair) Accept() (net.Conn, error) {
	for {
		conn, err := f.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := customer(conn.RemoteAddr().(*net.TCPAddr).AddrPort().Addr())
		if f.take(from) {
			return &fairConn{Conn: conn, free: sync.OnceFunc(func() { f.free(from) })}, nil
		}
		f.refused.Add(1)
		_ = conn.Close()
	}
}

func (f *fair) take(from netip.Addr) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open[from] >= tcpPerAddress {
		return false
	}
	f.open[from]++
	return true
}

func (f *fair) free(from netip.Addr) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open[from]--; f.open[from] <= 0 {
		delete(f.open, from)
	}
}

type fairConn struct {
	net.Conn
	free func()
}

// Close closes the connection and lets its address have another.
func (c *fairConn) Close() error {
	c.free()
	return c.Conn.Close()
}
