package load

import (
	"fmt"
	"net/netip"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/parleyrtc/parley/bench/floor"
)

// Snapshot is what an engine's clients have done until now, per route.
type Snapshot struct {
	Sent     [routes]uint64 // packets of all publishers
	Received [routes]Tally  // of all subscribers
	Dropped  uint64         // datagrams that clients' sockets lost for want of buffer: the clients' fault
	Refused  uint64         // packets of publishers that the kernel did not take
	Asked    uint64         // keyframes that the server asked for
	Reports  uint64         // RTCP packets that subscribers got
}

// Add sums the snapshots of several engines.
func (s Snapshot) Add(o Snapshot) Snapshot {
	for r := range routes {
		s.Sent[r] += o.Sent[r]
		s.Received[r] = s.Received[r].Add(o.Received[r])
	}
	s.Dropped += o.Dropped
	s.Refused += o.Refused
	s.Asked += o.Asked
	s.Reports += o.Reports
	return s
}

// Snapshot counts everything at one moment.
func (e *Engine) Snapshot() (Snapshot, error) {
	var s Snapshot
	err := e.do(func() {
		for _, p := range e.publishers {
			for r := range routes {
				s.Sent[r] += p.streams[r].packets
			}
			s.Refused += uint64(p.refused)
			s.Asked += p.asked
		}
		for _, sub := range e.subscribers {
			for r := range routes {
				s.Received[r] = s.Received[r].Add(sub.count(Route(r)))
			}
			s.Reports += sub.controls
		}
		for _, p := range e.ports {
			s.Dropped += uint64(p.dropped)
		}
	})
	return s, err
}

// Times are the distributions since the last call of Times, in microseconds.
type Times struct {
	Latency  [routes]*hdrhistogram.Histogram // from the publisher's stamp to the kernel of the sample's sockets
	Lateness *hdrhistogram.Histogram         // from a frame's due time to its departure: the clients' fault
}

// Times takes the distributions out; the next call starts with empty ones.
func (e *Engine) Times() (Times, error) {
	var t Times
	err := e.do(func() {
		t = Times{Latency: e.latency, Lateness: e.lateness}
		e.reset()
	})
	return t, err
}

// Merge adds another engine's distributions.
func (t *Times) Merge(o Times) {
	if t.Lateness == nil {
		*t = o
		return
	}
	for i := range t.Latency {
		t.Latency[i].Merge(o.Latency[i])
	}
	t.Lateness.Merge(o.Lateness)
}

// Route makes all publishers send there from their next frame on.
func (e *Engine) Route(r Route) error {
	return e.do(func() {
		for _, p := range e.publishers {
			p.route = r
		}
	})
}

// FloorPublisher prepares a publisher for the floor and returns what the floor must know of it.
func (p *Publisher) FloorPublisher(room int) (floor.Publisher, error) {
	key := make([]byte, floor.KeySize+floor.SaltSize)
	copy(key, filled(len(key), uint64(p.Source)+1)) // it keeps no secret
	c, err := floor.NewCipher(key)
	if err != nil {
		return floor.Publisher{}, err
	}
	var ssrc uint32
	err = p.engine.do(func() {
		p.floorKey = c
		// Sources are all different, random SSRCs need not be.
		p.streams[Floor].header.SSRC = p.Source + 1
		ssrc = p.Source + 1
	})
	return floor.Publisher{SSRC: ssrc, Room: room, Key: key}, err
}

// FloorSubscriber is what the floor must know of a subscriber.
func (s *Subscriber) FloorSubscriber(room int) floor.Subscriber {
	return floor.Subscriber{Addr: s.Addr(), Room: room, Key: s.FloorKey}
}

// UseFloor tells all clients where the floor is.
func (e *Engine) UseFloor(addr netip.AddrPort) error {
	if !addr.IsValid() {
		return fmt.Errorf("the floor has no address")
	}
	return e.do(func() {
		for _, p := range e.publishers {
			p.floorTo = addr
		}
		for _, s := range e.subscribers {
			s.floorFrom = addr
		}
	})
}
