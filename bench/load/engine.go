// Package load is synthetic WebRTC clients: publishers that send frames by the clock, subscribers that count what arrives.
//
// Each client is real up to its media: pion makes the SDP, ICE and DTLS. Media never reaches pion. An Engine, one thread with
// its own sockets, takes RTP and RTCP off by the first byte, counts RTP by its clear headers and answers with receiver reports
// and transport-wide feedback. A sample of the subscribers also decrypts, checks every byte and measures how long packets
// took. So one core can be fifty clients and still have time left, which every report says.
package load

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/parleyrtc/parley/sfu/transport/datagram"
)

const (
	// receiveBatch is how many messages are taken from one socket before the others get their turn.
	receiveBatch = 16
	// sendBatch is how many packets leave with one system call.
	sendBatch = 64
	// maxPacket is more than any Ethernet frame holds.
	maxPacket = 2048
	// socketBuffer holds what comes while the thread is busy elsewhere.
	socketBuffer = 4 << 20
	// tickSpacing is how often the engine looks who has to report.
	tickSpacing = 20 * time.Millisecond
	// longestLatency bounds the histograms, in microseconds.
	longestLatency = 60_000_000
)

// Route says where publishers send.
type Route int

// The routes.
const (
	Paused Route = iota - 1 // nowhere
	Server                  // to the server
	Floor                   // to the floor
	routes = int(Floor) + 1
)

// ErrClosed answers calls on an engine that is closed.
var ErrClosed = errors.New("the load engine is closed")

// Engine runs clients on one thread. Its methods may be called from any goroutine.
type Engine struct {
	// set at construction
	epoch    time.Time
	poller   *datagram.Poller
	commands chan func()
	quit     chan struct{} // closed by Close
	done     chan struct{} // closed when the thread has ended

	// owned by the thread
	inbox       *datagram.Inbox
	outbox      *datagram.Outbox
	packets     [sendBatch][]byte // what is in the outbox
	plain       []byte            // one packet before it is sealed, or after it is opened
	ports       map[int32]*port
	nextPort    int32
	publishers  []*Publisher
	subscribers []*Subscriber
	schedule    schedule
	tickAt      time.Duration
	latency     [routes]*hdrhistogram.Histogram
	lateness    *hdrhistogram.Histogram
}

// NewEngine starts an engine. Publishers' frames are due at multiples of their interval after epoch, also across engines.
func NewEngine(epoch time.Time) (*Engine, error) {
	poller, err := datagram.NewPoller()
	if err != nil {
		return nil, fmt.Errorf("load engine: %w", err)
	}
	e := &Engine{
		epoch: epoch, poller: poller, commands: make(chan func(), 16), quit: make(chan struct{}), done: make(chan struct{}),
		inbox: datagram.NewInbox(receiveBatch, datagram.MaxTrain), outbox: datagram.NewOutbox(sendBatch),
		plain: make([]byte, maxPacket), ports: map[int32]*port{},
	}
	for i := range e.packets {
		e.packets[i] = make([]byte, maxPacket)
	}
	e.reset()
	go e.run()
	return e, nil
}

// reset empties the histograms.
func (e *Engine) reset() {
	for i := range e.latency {
		e.latency[i] = hdrhistogram.New(1, longestLatency, 3)
	}
	e.lateness = hdrhistogram.New(1, longestLatency, 3)
}

// Close ends the thread and closes the sockets. The clients' sessions should be closed before.
func (e *Engine) Close() {
	close(e.quit)
	e.poller.Wake()
	<-e.done
}

// do has the thread run f and waits for it.
func (e *Engine) do(f func()) error {
	ran := make(chan struct{})
	select {
	case e.commands <- func() { f(); close(ran) }:
	case <-e.done:
		return ErrClosed
	}
	e.poller.Wake()
	select {
	case <-ran:
		return nil
	case <-e.done:
		return ErrClosed
	}
}

// run is the thread.
func (e *Engine) run() {
	runtime.LockOSThread() // never unlocked: the sharp timer goes with the thread
	datagram.SharpTimers()
	defer close(e.done)
	defer e.closeSockets()
	for {
		select {
		case <-e.quit:
			return
		default:
		}
		e.obey()
		next := min(e.sendDue(), e.tickAt)
		for _, id := range e.poller.Wait(next - e.now()) {
			if p := e.ports[id]; p != nil {
				e.receive(p)
				e.sendDue() // frames keep their time however much arrives
			}
		}
		if now := e.now(); now >= e.tickAt {
			e.tickAt = now + tickSpacing
			e.tick(now)
		}
	}
}

// now is the time since the epoch.
func (e *Engine) now() time.Duration { return time.Since(e.epoch) }

func (e *Engine) obey() {
	for {
		select {
		case f := <-e.commands:
			f()
		default:
			return
		}
	}
}

func (e *Engine) receive(p *port) {
	batch, err := e.inbox.Receive(p.socket, false)
	if err != nil {
		p.errors++ // for instance a refused connection, told by ICMP; ICE notices what lasts
		return
	}
	var at int64
	for i := range batch {
		m := &batch[i]
		p.dropped = max(p.dropped, m.Dropped)
		if m.At == 0 {
			if at == 0 {
				at = time.Now().UnixNano()
			}
			m.At = at
		}
		p.deliver(m)
	}
}

// sendDue sends every frame that is due and returns when the next one is.
func (e *Engine) sendDue() time.Duration {
	for len(e.schedule) > 0 {
		now := e.now()
		next := e.schedule[0]
		if next.due > now {
			return next.due
		}
		if next.route != Paused {
			_ = e.lateness.RecordValue(int64((now - next.due) / time.Microsecond)) // only values beyond a minute are refused
			next.emit(now)
		}
		next.advance(now)
		e.schedule.sift()
	}
	return e.now() + time.Hour
}

// tick reports for every client whose time has come.
func (e *Engine) tick(now time.Duration) {
	for _, p := range e.publishers {
		p.report(now)
	}
	for _, s := range e.subscribers {
		s.report(now)
	}
}

// open adds a port.
func (e *Engine) open(local netip.Addr, timestamps bool) (*port, error) {
	socket, err := datagram.Listen(netip.AddrPortFrom(local, 0), datagram.Options{Buffer: socketBuffer, GRO: true, Timestamps: timestamps})
	if err != nil {
		return nil, err
	}
	p := newPort(e, socket)
	err = ErrClosed
	if failed := e.do(func() {
		p.id = e.nextPort
		e.nextPort++
		e.ports[p.id] = p
		err = e.poller.Add(socket, p.id)
	}); failed != nil || err != nil {
		socket.Close()
		return nil, cmp.Or(failed, err)
	}
	return p, nil
}

// shut closes a port. The thread must do it, since it may be reading.
func (e *Engine) shut(p *port) {
	if _, ok := e.ports[p.id]; !ok {
		return
	}
	delete(e.ports, p.id)
	e.poller.Remove(p.socket)
	p.close()
}

func (e *Engine) closeSockets() {
	for _, p := range e.ports {
		e.shut(p)
	}
	e.poller.Close()
}

func (e *Engine) removePublisher(p *Publisher) {
	e.publishers = slices.DeleteFunc(e.publishers, func(o *Publisher) bool { return o == p })
	e.schedule = slices.DeleteFunc(e.schedule, func(o *Publisher) bool { return o == p })
	e.schedule.order()
	e.shut(p.port)
}

func (e *Engine) removeSubscriber(s *Subscriber) {
	e.subscribers = slices.DeleteFunc(e.subscribers, func(o *Subscriber) bool { return o == s })
	e.shut(s.port)
}
