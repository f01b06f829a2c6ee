package load

import (
	"fmt"
	"net/netip"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Snapshot is what an engine's clients have done until now, per route.
type Snapshot struct {
	Sent     [routes]uint64 // packets of all publishers
	Wanted   [routes]uint64 // how many should arrive of them: each as often as it has receivers
	Received [routes]Tally  // of all subscribers
	Dropped  uint64         // datagrams that clients' sockets lost for want of buffer: the clients' fault
	Refused  uint64         // packets of publishers that the kernel did not take
	Skipped  uint64         // packets of publishers that were not sent, because their time had passed: the clients' fault
	Asked    uint64         // keyframes that the server asked for
	Reports  uint64         // RTCP packets that subscribers got
}

// Add sums the snapshots of several engines.
func (s Snapshot) Add(o Snapshot) Snapshot {
	for r := range routes {
		s.Sent[r] += o.Sent[r]
		s.Wanted[r] += o.Wanted[r]
		s.Received[r] = s.Received[r].Add(o.Received[r])
	}
	s.Dropped += o.Dropped
	s.Refused += o.Refused
	s.Skipped += o.Skipped
	s.Asked += o.Asked
	s.Reports += o.Reports
	return s
}

// Snapshot counts everything at one moment. Clients that have left are still in it.
func (e *Engine) Snapshot() (Snapshot, error) {
	var s Snapshot
	err := e.do(func() {
		s = e.left
		for _, c := range e.clients {
			s = s.Add(c.snapshot())
		}
	})
	return s, err
}

// snapshot is one client's part.
func (c *Client) snapshot() Snapshot {
	s := Snapshot{Dropped: uint64(c.port.dropped)}
	for _, p := range c.publishers {
		for r := range routes {
			s.Sent[r] += p.streams[r].packets
			s.Wanted[r] += p.streams[r].copies
		}
		s.Refused += uint64(p.refused)
		s.Skipped += p.skipped
		s.Asked += p.asked
	}
	if c.subscriber != nil {
		for r := range routes {
			s.Received[r] = c.subscriber.count(Route(r))
		}
		s.Reports = c.subscriber.controls
	}
	return s
}

// gone is the snapshot of a client that is no more: it carries no streams.
func (s Snapshot) gone() Snapshot {
	for r := range routes {
		s.Received[r].Streams = 0
	}
	return s
}

// Times are the distributions since the last call of Times, in microseconds.
type Times struct {
	Latency  [routes]*hdrhistogram.Histogram // from the publisher's stamp to the kernel of the sample's sockets
	Lateness *hdrhistogram.Histogram         // from a departure's due time to the departure, also of those that were skipped: the clients' fault
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

// Route makes all publishers send there from their next frame on, those to come as well.
func (e *Engine) Route(r Route) error {
	return e.do(func() {
		e.route = r
		for _, c := range e.clients {
			for _, p := range c.publishers {
				p.route = r
			}
		}
	})
}

// UseFloor tells all clients where the floor is.
func (e *Engine) UseFloor(addr netip.AddrPort) error {
	if !addr.IsValid() {
		return fmt.Errorf("the floor has no address")
	}
	return e.do(func() {
		for _, c := range e.clients {
			c.port.floor = addr
		}
	})
}
