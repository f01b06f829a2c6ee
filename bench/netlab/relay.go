package netlab

import (
	"net"
	"sync"
	"time"

	"github.com/parleyrtc/parley/bench/netlab/link"
)

// segment is how much TCP puts into one packet.
const segment = 1200

// resendAfter is how long TCP waits before it sends again what was lost (the least of RFC 6298 as Linux has it), besides a round
// trip.
const resendAfter = 200 * time.Millisecond

// Relay is one address that leads to a TCP port of a server, over links like a Path's. What a link loses comes once more after a
// timeout, and what is behind it waits, as TCP has it. Its methods may be called from any goroutine.
type Relay struct {
	server   string
	listener net.Listener
	wg       sync.WaitGroup

	mu      sync.Mutex
	changed *sync.Cond       // of cut, streams that are dead, closed
	rules   Rules            // guarded by mu
	streams map[*stream]bool // guarded by mu
	cut     bool             // guarded by mu
	closed  bool             // guarded by mu
}

// stream is one connection with its two ends.
type stream struct {
	near, far net.Conn
	dead      bool // guarded by the relay's mu
}

// OpenRelay makes a relay to a TCP address of a server.
func OpenRelay(server string, rules Rules) (*Relay, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &Relay{server: server, listener: listener, rules: rules, streams: map[*stream]bool{}}
	r.changed = sync.NewCond(&r.mu)
	r.wg.Go(r.accept)
	return r, nil
}

// Addr is where clients reach the server through the relay.
func (r *Relay) Addr() string { return r.listener.Addr().String() }

// Follow gives connections that are made from now on other links.
func (r *Relay) Follow(down, up link.Config) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rules.Down, r.rules.Up = down, up
}

// Cut stops everything until it is called with false: TCP has it sent then.
func (r *Relay) Cut(cut bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut = cut
	r.changed.Broadcast()
}

// Leave makes all present connections worthless for good: nothing comes through them any more, and neither end hears why.
func (r *Relay) Leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for s := range r.streams {
		s.dead = true
	}
	r.changed.Broadcast()
}

// Close ends the relay and its connections.
func (r *Relay) Close() {
	r.mu.Lock()
	r.closed = true
	for s := range r.streams {
		s.near.Close()
		s.far.Close()
	}
	r.changed.Broadcast()
	r.mu.Unlock()
	r.listener.Close()
	r.wg.Wait()
}

// accept takes connections; it ends with the listener.
func (r *Relay) accept() {
	for {
		near, err := r.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", r.server)
		if err != nil {
			near.Close()
			continue
		}
		s := &stream{near: near, far: far}
		r.mu.Lock()
		if r.closed {
			r.mu.Unlock()
			near.Close()
			far.Close()
			return
		}
		r.streams[s] = true
		number := uint64(len(r.streams))
		up, down := r.rules.Up, r.rules.Down
		r.mu.Unlock()
		up.Seed, down.Seed = r.rules.Seed<<16+number<<1, r.rules.Seed<<16+number<<1+1
		now := time.Now()
		r.wg.Go(func() { r.carry(s, near, far, link.New(now, up)) })
		r.wg.Go(func() { r.carry(s, far, near, link.New(now, down)) })
	}
}

// carry takes one direction of a stream over a link; it ends when either end is closed.
func (r *Relay) carry(s *stream, from, to net.Conn, on *link.Link) {
	arrived := make(chan struct{})
	way := newFlight(func(b []byte) {
		switch {
		case len(b) == 0:
			close(arrived)
		case r.passes(s):
			_, _ = to.Write(b) // a closed end is noticed by its reader
		}
	})
	var flying sync.WaitGroup
	flying.Go(way.run)
	buf := make([]byte, segment)
	var last time.Time
	for {
		n, err := from.Read(buf)
		if err != nil {
			break
		}
		last = arrive(on, time.Now(), n, last)
		way.put(buf[:n], last)
	}
	way.put(nil, last) // the end comes behind what is under way
	<-arrived
	way.end()
	flying.Wait()
	if r.forget(s) {
		from.Close()
		to.Close()
	}
}

// arrive is when a segment comes that is sent now, behind the one before.
func arrive(on *link.Link, now time.Time, size int, last time.Time) time.Time {
	for range 20 { // more losses in a row are no network
		if found := on.Put(now, size); len(found) > 0 {
			now = found[0].At
			break
		}
		now = now.Add(resendAfter)
	}
	if now.Before(last) {
		return last
	}
	return now
}

// passes waits while everything is cut, and says whether a stream lives.
func (r *Relay) passes(s *stream) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.cut && !s.dead && !r.closed {
		r.changed.Wait()
	}
	return !s.dead && !r.closed
}

// forget says whether the end of a stream may be told: not that of a dead one.
func (r *Relay) forget(s *stream) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.dead && !r.closed {
		return false
	}
	delete(r.streams, s)
	return true
}
