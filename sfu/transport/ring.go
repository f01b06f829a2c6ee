package transport

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// maxQueued is how long a datagram may be that waits for pion, in bytes. DTLS and SCTP keep below what fits an Ethernet frame,
// STUN below that (RFC 8489 §6.1), and pion's own buffers behind the agent take 1460.
const maxQueued = 1500

// buffers holds what the rings of all clients have no use for at the moment.
var buffers = sync.Pool{New: func() any { return new([maxQueued]byte) }}

// errFuture is for deadlines that nobody sets.
var errFuture = errors.New("a deadline in the future is not supported")

// queued is a datagram in a ring.
type queued struct {
	from   netip.AddrPort
	size   int
	buffer *[maxQueued]byte // nil: the place is free
}

// ring is a queue of datagrams with a fixed number of places, for one reader and any number of writers. Full, it refuses what
// comes: a handshake goes on with what came first, and whoever sends too much loses their own.
type ring struct {
	wake chan struct{} // holds one

	mu      sync.Mutex
	places  []queued // guarded by mu, as all below
	first   int
	waiting int // datagrams in the ring
	closed  bool
	expired bool
	reading bool // the reader is asleep, or about to be
}

func newRing(places int) *ring {
	return &ring{wake: make(chan struct{}, 1), places: make([]queued, places)}
}

// put copies a datagram into the ring. It never blocks; false says that the ring is full or closed, or the datagram too long.
func (r *ring) put(from netip.AddrPort, b []byte) bool {
	if len(b) > maxQueued {
		return false
	}
	r.mu.Lock()
	if r.closed || r.waiting == len(r.places) {
		r.mu.Unlock()
		return false
	}
	q := &r.places[(r.first+r.waiting)%len(r.places)]
	r.waiting++
	q.buffer = buffers.Get().(*[maxQueued]byte)
	q.from, q.size = from, copy(q.buffer[:], b)
	rouse := r.reading
	r.reading = false
	r.mu.Unlock()
	if rouse {
		r.rouse()
	}
	return true
}

// take copies the oldest datagram into b, when there is one, and cuts off what b is too short for, as a socket does. It waits
// until there is one, unless the ring is closed or its deadline has passed.
func (r *ring) take(b []byte) (int, netip.AddrPort, error) {
	for {
		n, from, err, wait := r.poll(b)
		if !wait {
			return n, from, err
		}
		<-r.wake
	}
}

func (r *ring) poll(b []byte) (n int, from netip.AddrPort, err error, wait bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return 0, from, net.ErrClosed, false
	case r.expired:
		return 0, from, os.ErrDeadlineExceeded, false
	case r.waiting == 0:
		r.reading = true
		return 0, from, nil, true
	}
	q := &r.places[r.first]
	n, from = copy(b, q.buffer[:q.size]), q.from
	r.free(q)
	r.first = (r.first + 1) % len(r.places)
	r.waiting--
	return n, from, nil, false
}

// expire sets or clears the deadline of reading. pion sets one only to make its reader return at once.
func (r *ring) expire(at time.Time) error {
	past := !at.IsZero()
	if past && time.Until(at) > 0 {
		return errFuture
	}
	r.mu.Lock()
	r.expired = past
	r.mu.Unlock()
	r.rouse()
	return nil
}

// close gives the buffers back and makes the reader return. It may be called again.
func (r *ring) close() {
	r.mu.Lock()
	for i := range r.places {
		if r.places[i].buffer != nil {
			r.free(&r.places[i])
		}
	}
	r.waiting, r.closed = 0, true
	r.mu.Unlock()
	r.rouse()
}

func (r *ring) isClosed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}

func (r *ring) free(q *queued) {
	buffers.Put(q.buffer)
	*q = queued{}
}

// rouse makes the reader look again.
func (r *ring) rouse() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}
