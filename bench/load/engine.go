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
	"github.com/pion/rtp"

	"github.com/parleyrtc/parley/bench/proc"
	"github.com/parleyrtc/parley/sfu/transport/datagram"
)

const (
	// receiveBatch is how many messages, each a datagram or a train of them, are taken from one socket before the others get
	// their turn.
	receiveBatch = 32
	// sendBatch is how many packets leave with one system call.
	sendBatch = 64
	// maxPacket is more than any Ethernet frame holds.
	maxPacket = 2048
	// socketBuffer holds what comes while the thread is busy elsewhere.
	socketBuffer = 4 << 20
	// pollSpacing is how often the sockets are looked at. A thread that each packet wakes would do little else, and whoever
	// sends the packet would pay for the waking; what arrives keeps the kernel's time stamp.
	pollSpacing = time.Millisecond
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
	poller   *datagram.Poller // of the clients' sockets
	bell     *datagram.Poller // of no socket: it is what wakes the thread
	commands chan func()
	quit     chan struct{} // closed by Close
	done     chan struct{} // closed when the thread has ended

	// owned by the thread
	inbox    *datagram.Inbox
	outbox   *datagram.Outbox
	packets  [sendBatch][]byte // what is in the outbox
	train    []byte            // packets of one length that leave as a train
	segment  int               // their length
	unsealed int               // the same before they were sealed
	plain    []byte            // one packet before it is sealed, or after it is opened
	parsed   rtp.Header        // of that packet, for the cipher
	ports    []*port           // by id; nil: closed
	clients  []*Client
	route    Route    // of all publishers
	left     Snapshot // what clients did that are gone
	schedule schedule
	pollAt   time.Duration
	tickAt   time.Duration
	latency  [routes]*hdrhistogram.Histogram
	lateness *hdrhistogram.Histogram
}

// NewEngine starts an engine. Publishers' frames are due at multiples of their interval after epoch, also across engines.
func NewEngine(epoch time.Time) (*Engine, error) {
	poller, err := datagram.NewPoller()
	if err != nil {
		return nil, fmt.Errorf("load engine: %w", err)
	}
	bell, err := datagram.NewPoller()
	if err != nil {
		poller.Close()
		return nil, fmt.Errorf("load engine: %w", err)
	}
	e := &Engine{
		epoch: epoch, poller: poller, bell: bell, route: Paused, commands: make(chan func(), 16), quit: make(chan struct{}), done: make(chan struct{}),
		inbox: datagram.NewInbox(receiveBatch, datagram.MaxTrain), outbox: datagram.NewOutbox(sendBatch),
		plain: make([]byte, maxPacket), train: make([]byte, 0, datagram.MaxTrain),
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
	e.bell.Wake()
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
	e.bell.Wake()
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
	proc.Favour()
	defer close(e.done)
	defer e.closeSockets()
	for {
		select {
		case <-e.quit:
			return
		default:
		}
		e.obey()
		next := min(e.sendDue(), e.pollAt, e.tickAt)
		e.bell.Wait(next - e.now())
		if now := e.now(); now >= e.pollAt {
			e.pollAt = now + pollSpacing
			e.poll()
		}
		if now := e.now(); now >= e.tickAt {
			e.tickAt = now + tickSpacing
			e.tick(now)
		}
	}
}

// poll reads every socket that has something, each about once, so that none makes the others wait.
func (e *Engine) poll() {
	for left := len(e.ports); left > 0; {
		ready := e.poller.Wait(0)
		if len(ready) == 0 {
			return
		}
		for _, id := range ready {
			if p := e.ports[id]; p != nil {
				e.receive(p)
				e.sendDue() // frames keep their time however much arrives
			}
		}
		left -= len(ready)
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
		due := next.due
		if due > now {
			return due
		}
		missed := next.advance(now)
		if next.route != Paused {
			e.late(next, now-due, missed)
			next.emit(now)
		}
		e.schedule.sift()
	}
	return e.now() + time.Hour
}

// late notes how late a departure is. Those that were missed before it would have been late as well, else one long pause
// would count as one late frame among thousands of good ones.
func (e *Engine) late(p *publisher, by time.Duration, missed int) {
	_ = e.lateness.RecordCorrectedValue(int64(by/time.Microsecond), int64(p.pattern.step()/time.Microsecond)) // only values beyond a minute are refused
	p.skipped += uint64(missed * p.pattern.perStep())
}

// tick reports for every client whose time has come.
func (e *Engine) tick(now time.Duration) {
	for _, c := range e.clients {
		for _, p := range c.publishers {
			p.report(now)
		}
		if c.subscriber != nil {
			c.subscriber.report(now)
		}
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
		p.id = int32(len(e.ports))
		e.ports = append(e.ports, p)
		err = e.poller.Add(socket, p.id)
	}); failed != nil || err != nil {
		socket.Close()
		return nil, cmp.Or(failed, err)
	}
	return p, nil
}

// shut closes a port. The thread must do it, since it may be reading.
func (e *Engine) shut(p *port) {
	if e.ports[p.id] != p {
		return
	}
	e.ports[p.id] = nil
	e.poller.Remove(p.socket)
	p.close()
}

func (e *Engine) closeSockets() {
	for _, p := range e.ports {
		if p != nil {
			e.shut(p)
		}
	}
	e.poller.Close()
	e.bell.Close()
}

// admit takes a client in.
func (e *Engine) admit(c *Client) {
	c.port.client = c
	e.clients = append(e.clients, c)
	for _, p := range c.publishers {
		p.route = e.route
		p.advance(e.now())
		e.schedule.add(p)
	}
}

// dismiss ends a client.
func (e *Engine) dismiss(c *Client) {
	at := slices.Index(e.clients, c)
	if at < 0 {
		return
	}
	e.clients = slices.Delete(e.clients, at, at+1)
	e.left = e.left.Add(c.snapshot().gone())
	e.schedule = slices.DeleteFunc(e.schedule, func(p *publisher) bool { return p.port == c.port })
	e.schedule.order()
	e.shut(c.port)
}
