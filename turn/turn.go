// Package turn is the embedded TURN server: pion/turn between a guard in front and relayed addresses that reach only our own
// media.
//
// What comes in passes [guard] before the library sees it, what the library answers is put right on its way out, and the
// relayed addresses talk to the media addresses of this cluster and to nothing else: through sockets, or, where all media is
// that of this process, with it directly ([Media]). Clients show credentials of one session (package credential), which can
// be revoked together.
//
// A panic in our own code costs one message. One in the library's would cost the process, as its goroutines cannot be
// recovered from outside: hence the strictness of the guard.
package turn

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/parleyrtc/parley/turn/peers"
	"github.com/parleyrtc/parley/turn/ports"
	"github.com/parleyrtc/parley/turn/ration"
)

// Server serves TURN until Close. Its methods may be called by any goroutine.
type Server struct {
	// Set at construction.
	cfg       Config
	log       *slog.Logger
	bridge    *bridge
	metrics   *metrics
	books     *books
	peers     *peers.Set
	now       func() time.Time
	listening []Endpoint
	closing   chan struct{}
	wg        sync.WaitGroup

	rationMu sync.Mutex
	ration   *ration.Ration

	portsMu sync.Mutex
	ports   map[bool]*ports.Ports // By whether it is IPv4.

	mu        sync.Mutex
	closed    bool
	listeners []net.Listener
	sockets   []*net.UDPConn
	conns     map[net.Conn]struct{}
	perIP     map[netip.Addr]int
}

// Endpoint is an address that the server listens on.
type Endpoint struct {
	// Network is "udp", "tcp" or "tls".
	Network string
	Addr    netip.AddrPort
}

// New starts a server. It fails when the configuration is not valid or an address cannot be listened on; nothing is left
// running then.
func New(cfg Config) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	allowed, err := peers.New(cfg.Peers, cfg.PeerAliases)
	if err != nil {
		return nil, err
	}
	m, err := newMetrics(cfg.Registerer)
	if err != nil {
		return nil, fmt.Errorf("turn: metrics: %w", err)
	}
	rate := float64(cfg.RepliesPerSecond)
	s := &Server{
		cfg: cfg, log: cfg.Logger, bridge: &bridge{log: cfg.Logger}, metrics: m, peers: allowed, now: time.Now,
		books: newBooks(cfg.QuotaPerCredential, cfg.MaxAllocations), closing: make(chan struct{}),
		ration: ration.New(rate, 4*rate), ports: relayPorts(&cfg), conns: map[net.Conn]struct{}{}, perIP: map[netip.Addr]int{},
	}
	if err := s.listen(); err != nil {
		s.Close()
		m.unregister(cfg.Registerer)
		return nil, fmt.Errorf("turn: %w", err)
	}
	return s, nil
}

// socketBuffer is what a shared socket asks of the system: some 30 ms of a gigabit.
const socketBuffer = 4 << 20

// listen opens everything, then serves it.
func (s *Server) listen() error {
	for _, addr := range s.cfg.ListenUDP {
		pc, err := net.ListenPacket("udp", addr)
		if err != nil {
			return err
		}
		conn := pc.(*net.UDPConn)            // ListenPacket's documented type for "udp".
		_ = conn.SetReadBuffer(socketBuffer) // The system grants what it allows.
		_ = conn.SetWriteBuffer(socketBuffer)
		s.sockets = append(s.sockets, conn)
		s.listening = append(s.listening, Endpoint{"udp", addrPort(conn.LocalAddr())})
		d := newDatagrams(s, conn)
		if _, err := d.start(d); err != nil {
			return err
		}
		s.wg.Go(func() { s.follow(d.carrier) })
	}
	for i, addr := range append(append([]string(nil), s.cfg.ListenTCP...), s.cfg.ListenTLS...) {
		l, err := net.Listen("tcp", addr)
		if err != nil {
			return err
		}
		network, config := "tcp", (*tls.Config)(nil)
		if i >= len(s.cfg.ListenTCP) {
			network, config = "tls", s.tlsConfig()
		}
		s.listeners = append(s.listeners, l)
		s.listening = append(s.listening, Endpoint{network, addrPort(l.Addr())})
		s.wg.Go(func() { s.acceptLoop(l, config) })
	}
	return nil
}

// tlsConfig is the operator's configuration with what must not be lower.
func (s *Server) tlsConfig() *tls.Config {
	config := s.cfg.TLS.Clone()
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	return config
}

// Listening lists the addresses in the order of the configuration: UDP, TCP, TLS.
func (s *Server) Listening() []Endpoint { return append([]Endpoint(nil), s.listening...) }

// Allocations is the number of live allocations.
func (s *Server) Allocations() int {
	s.books.mu.Lock()
	defer s.books.mu.Unlock()
	return len(s.books.relays)
}

// Revoke ends a session: its allocations are closed and its credentials are good for nothing any more. It returns the number
// of allocations closed.
func (s *Server) Revoke(session string) int {
	now := s.now()
	list := s.books.revoke(session, now, now.Add(s.cfg.MaxCredentialLife))
	for _, r := range list {
		_ = r.end()
	}
	return len(list)
}

// Close ends everything and waits for it.
func (s *Server) Close() {
	s.books.close()
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.closing)
	}
	for _, l := range s.listeners {
		_ = l.Close()
	}
	for _, c := range s.sockets {
		_ = c.Close()
	}
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

// follow waits for a carrier's end, and sees to it that its relays end with it.
func (s *Server) follow(c *carrier) {
	<-c.done
	c.mu.Lock()
	list := make([]*relay, 0, len(c.byAddr))
	for _, r := range c.byAddr {
		list = append(list, r)
	}
	c.mu.Unlock()
	for _, r := range list {
		_ = r.end()
	}
	c.relays.Wait()
}

// acceptPause is how long accepting rests when the system is out of something.
const acceptPause = 50 * time.Millisecond

func (s *Server) acceptLoop(l net.Listener, config *tls.Config) {
	for {
		conn, err := l.Accept()
		if err != nil {
			select {
			case <-s.closing:
				return
			case <-time.After(acceptPause):
				continue
			}
		}
		ip := addrPort(conn.RemoteAddr()).Addr().Unmap()
		if !s.admit(conn, ip) {
			s.metrics.deny(deniedConnections)
			_ = conn.Close()
			continue
		}
		s.wg.Go(func() {
			defer s.dismiss(conn, ip)
			s.serve(conn, config)
		})
	}
}

// admit books a connection, unless there are too many.
func (s *Server) admit(conn net.Conn, ip netip.Addr) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.conns) >= s.cfg.MaxConnections || s.perIP[ip] >= s.cfg.MaxConnectionsPerIP {
		return false
	}
	s.conns[conn] = struct{}{}
	s.perIP[ip]++
	s.metrics.connections.Inc()
	return true
}

func (s *Server) dismiss(conn net.Conn, ip netip.Addr) {
	_ = conn.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, conn)
	if s.perIP[ip]--; s.perIP[ip] <= 0 {
		delete(s.perIP, ip)
	}
	s.metrics.connections.Dec()
}

// serve runs one connection to its end.
func (s *Server) serve(conn net.Conn, config *tls.Config) {
	first := time.Now().Add(s.cfg.FirstMessage)
	if config != nil {
		secure := tls.Server(conn, config)
		ctx, cancel := context.WithDeadline(context.Background(), first)
		defer cancel()
		if err := secure.HandshakeContext(ctx); err != nil {
			s.metrics.deny(deniedMalformed)
			return
		}
		conn = secure
	}
	st := newStream(s, conn, first)
	if _, err := st.start(st); err != nil {
		s.log.Error("turn connection not served", "error", err)
		return
	}
	s.follow(st.carrier)
}

// relayFor is where relayed addresses of a family are.
func (s *Server) relayFor(v4 bool) (Relay, bool) {
	for _, r := range s.cfg.Relays {
		if r.Bind.Is4() == v4 {
			return r, true
		}
	}
	return Relay{}, false
}

// mayAnswer spends one of the answers that strangers from a neighbourhood get.
func (s *Server) mayAnswer(ip netip.Addr) bool {
	s.rationMu.Lock()
	defer s.rationMu.Unlock()
	return s.ration.Allow(s.now(), ip)
}
