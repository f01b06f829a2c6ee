package signaling

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/gorilla/websocket"
)

// newUpgrader accepts WebSocket connections from the server's own origin and the operator's others, without compression.
func (s *Server) newUpgrader() *websocket.Upgrader {
	return &websocket.Upgrader{
		HandshakeTimeout: s.config.HelloTimeout,
		ReadBufferSize:   4096,
		WriteBufferSize:  4096,
		WriteBufferPool:  &sync.Pool{}, // an idle connection holds none
		CheckOrigin:      s.allowedOrigin,
		Error: func(w http.ResponseWriter, _ *http.Request, status int, reason error) {
			w.Header().Set("Sec-Websocket-Version", "13")
			http.Error(w, reason.Error(), status)
		},
	}
}

// allowedOrigin reports whether a browser page of this origin may connect. Programs that are no browsers send none.
func (s *Server) allowedOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil {
		return false
	}
	if u.Host != "" && strings.EqualFold(u.Host, r.Host) {
		return true
	}
	return slices.ContainsFunc(s.config.Origins, func(allowed string) bool {
		return allowed == "*" || strings.EqualFold(strings.TrimSuffix(allowed, "/"), origin)
	})
}

// serveSocket is the endpoint /v1/ws. It returns when the connection is closed.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	address := cmp.Or(addressOf(r.RemoteAddr), "unknown") // as of a UNIX socket
	if status := s.reserve(address); status != http.StatusOK {
		s.metrics.closed.WithLabelValues("refused").Inc()
		w.Header().Set("Retry-After", "1")
		http.Error(w, "too many connections", status)
		return
	}
	release := sync.OnceFunc(func() { s.release(address) })
	defer release()
	conn, err := s.upgrader.Upgrade(w, r, nil)
	if err != nil {
		s.metrics.closed.WithLabelValues("upgrade").Inc()
		return // Upgrade has answered
	}
	k := newSocket(s, conn, s.log.With("socket", newID(""), "remote", r.RemoteAddr), release)
	if !s.register(k) {
		_ = conn.Close()
		return
	}
	defer s.unregister(k)
	k.serve()
}

// reserve reports, as an HTTP status, whether there is place for one more connection, and counts it for its address until
// release. One address has a share of its own before hello, so that a stranger who opens connections and says nothing
// cannot take the places of all others.
func (s *Server) reserve(address string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed || len(s.sockets) >= s.config.MaxSockets:
		return http.StatusServiceUnavailable
	case s.pending[address] >= s.config.MaxPending:
		return http.StatusTooManyRequests
	}
	s.pending[address]++
	return http.StatusOK
}

// release says that a connection of the address has said a good hello, or is gone.
func (s *Server) release(address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pending[address]--; s.pending[address] == 0 {
		delete(s.pending, address)
	}
}

// register takes responsibility for k, whose serve the caller runs now. It reports false when the server is full or closed.
func (s *Server) register(k *socket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.sockets) >= s.config.MaxSockets {
		return false
	}
	s.sockets[k] = struct{}{}
	s.serving.Add(1)
	s.metrics.connections.Inc()
	return true
}

func (s *Server) unregister(k *socket) {
	s.mu.Lock()
	delete(s.sockets, k)
	s.mu.Unlock()
	s.metrics.connections.Dec()
	s.serving.Done()
}
