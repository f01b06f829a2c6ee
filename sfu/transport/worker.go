package transport

import (
	"errors"
	"net"
	"net/netip"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/parleyrtc/parley/sfu/transport/datagram"
)

const (
	// receiveBatch is how many datagrams are taken from the kernel at once: some frames of video, and few enough that the first
	// does not wait long for the last.
	receiveBatch = 64
	// maxDatagram is more than any Ethernet frame holds, in bytes.
	maxDatagram = 2048
)

// worker is the goroutine that takes what comes to one socket all the way to the subscribers' sockets. For each local address
// there are as many as the process has processors; the kernel keeps a client's flow at one of them (SO_REUSEPORT).
type worker struct {
	plane  *Plane
	local  int
	socket *datagram.Shared
	inbox  *datagram.Inbox
	batch  *Batch
	intake *intake
	behind atomic.Int64 // for how long what is being handled has waited, in nanoseconds; 0 when nothing waits

	// Of the receive batch that is being handled.
	runs  []run
	used  int            // of runs
	from  netip.AddrPort // the last datagram's, and whose it is
	whose *remote
	away  bool // it is not where the client is taken to be
}

// run is what one client sent in one receive batch.
type run struct {
	client   *shadow
	arrivals []arrival
}

func (r *run) empty() {
	clear(r.arrivals)
	r.client, r.arrivals = nil, r.arrivals[:0]
}

// serve handles batch after batch until the socket is closed.
func (w *worker) serve() {
	for {
		messages, err := w.socket.Receive(w.inbox)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err == nil: // else it is the kernel's word on something we sent
			w.guarded(messages)
		}
	}
}

// guarded handles one batch. Our mistake costs what is left of it, and not the worker.
func (w *worker) guarded(messages []datagram.Message) {
	defer func() {
		if v := recover(); v != nil {
			w.plane.panicked(v)
			for i := range w.runs { // what it left is in buffers that are others' by the next batch
				w.runs[i].empty()
			}
			w.used, w.batch = 0, w.plane.newBatch(w.batch.lane)
		}
	}()
	w.handle(time.Now(), messages)
}

// handle takes one batch: STUN and DTLS at once, because connections live by them; then media, client by client, so that a
// frame's packets leave together.
func (w *worker) handle(now time.Time, messages []datagram.Message) {
	wall, control := now.UnixNano(), false
	if len(messages) > 0 {
		w.behind.Store(int64(now.Sub(arrived(now, wall, messages[0].At))))
	}
	w.whose, w.from = nil, netip.AddrPort{}
	for i := range messages {
		m := &messages[i]
		switch {
		case len(m.Data) == 0:
		case isMedia(m.Data):
			w.media(m, now, arrived(now, wall, m.At))
		case w.plane.relays.has(m.From): // it only says so
			w.plane.counts.strange.Add(1)
		case w.plane.trials.answered(w.local, m.From, m.Data):
		case w.intake.admit(now, m.From, m.Data):
			control = w.plane.mux.control(w.local, m.From, m.Data) || control
		default:
			w.plane.refused.Add(1)
		}
	}
	for i := range w.runs[:w.used] {
		r := &w.runs[i]
		r.client.take(now, r.arrivals, w.batch)
		r.empty()
	}
	w.used = 0
	w.batch.Flush()
	if len(messages) < receiveBatch { // there was no more
		w.behind.Store(0)
	}
	if control {
		runtime.Gosched() // STUN and DTLS never wait behind the next batch
	}
}

// media puts one datagram with the others of its client.
func (w *worker) media(m *datagram.Message, now, at time.Time) {
	if m.From != w.from || w.whose == nil {
		w.from, w.whose, w.away = m.From, w.plane.mux.at(m.From), false
		if w.whose != nil && w.plane.relays.has(m.From) { // it only says so
			w.whose = nil
		}
		if w.whose != nil {
			w.away = w.plane.away(w.whose.owner.(*Peer).shadow, w.local, m.From)
		}
	}
	a := arrival{at: at, data: m.Data}
	switch {
	case w.whose == nil:
		client := w.stray(now, m)
		if client == nil {
			w.plane.counts.strange.Add(1)
			return
		}
		a.from, a.stray = m.From, true
		w.sort(client, a)
		return
	case w.away:
		a.from = m.From
	}
	w.sort(w.whose.owner.(*Peer).shadow, a)
}

// sort puts a datagram with the others of its client.
func (w *worker) sort(client *shadow, a arrival) {
	for i := range w.runs[:w.used] {
		if w.runs[i].client == client {
			w.runs[i].arrivals = append(w.runs[i].arrivals, a)
			return
		}
	}
	if w.used == len(w.runs) {
		w.runs = append(w.runs, run{})
	}
	r := &w.runs[w.used]
	w.used++
	r.client, r.arrivals = client, append(r.arrivals, a)
}

// stray returns whose media from an address that is nobody's may be: a NAT may have given a client another one.
func (w *worker) stray(now time.Time, m *datagram.Message) *shadow {
	client := w.plane.familiar.whose(m.From.Addr(), m.Data)
	if client == nil || w.plane.relays.has(m.From) || !w.plane.away(client, w.local, m.From) || !w.intake.stray(now, m.From.Addr()) {
		return nil
	}
	return client
}

// arrived puts the kernel's time of arrival, on the clock on the wall, on the clock of now, which nobody sets. Without one, or
// with one from another age, because somebody has set the other clock, it is now.
func arrived(now time.Time, wall, kernel int64) time.Time {
	if ago := wall - kernel; kernel != 0 && ago > 0 && ago < int64(time.Second) {
		return now.Add(-time.Duration(ago))
	}
	return now
}
