package main

import (
	"net"
	"net/netip"
	"slices"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/parleyrtc/parley/configs"
)

// fairListener closes connections of an address that has its share already: idle ones cost little each, and a process has
// only so many file descriptors for everybody.
type fairListener struct {
	net.Listener
	share   int
	exempt  []netip.Prefix // proxies, behind which many people are
	refused prometheus.Counter

	mu   sync.Mutex
	open map[netip.Addr]int // guarded by mu; addresses with connections
}

// newShare is the share that an address has of the public listener, which is still to be filled in.
func newShare(cfg configs.Config, registry *prometheus.Registry) (*fairListener, error) {
	f := &fairListener{share: cfg.HTTP.MaxConnections, open: map[netip.Addr]int{}}
	for _, text := range cfg.HTTP.TrustedProxies {
		prefix, err := configs.ParsePrefix(text)
		if err != nil {
			return nil, err
		}
		f.exempt = append(f.exempt, prefix)
	}
	f.refused = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "parley_http_refused_total", Help: "Connections to the public listener closed because their address had too many.",
	})
	return f, registry.Register(f.refused)
}

// Accept returns the next connection of an address with room left.
func (f *fairListener) Accept() (net.Conn, error) {
	for {
		conn, err := f.Listener.Accept()
		if err != nil {
			return nil, err
		}
		tcp, ok := conn.RemoteAddr().(*net.TCPAddr)
		if !ok {
			return conn, nil
		}
		from := tcp.AddrPort().Addr().Unmap().WithZone("")
		if slices.ContainsFunc(f.exempt, func(p netip.Prefix) bool { return p.Contains(from) }) {
			return conn, nil
		}
		if from.Is6() { // one customer has a whole /64
			if network, err := from.Prefix(64); err == nil {
				from = network.Addr()
			}
		}
		if f.take(from) {
			return &fairConn{Conn: conn, free: sync.OnceFunc(func() { f.free(from) })}, nil
		}
		f.refused.Inc()
		_ = conn.Close()
	}
}

func (f *fairListener) take(from netip.Addr) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open[from] >= f.share {
		return false
	}
	f.open[from]++
	return true
}

func (f *fairListener) free(from netip.Addr) {
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

// Close closes the connection and gives its place back.
func (c *fairConn) Close() error {
	c.free()
	return c.Conn.Close()
}
