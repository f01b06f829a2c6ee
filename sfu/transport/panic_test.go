package transport

import (
	"testing"
	"time"

	"github.com/pion/rtcp"

	"github.com/parleyrtc/parley/sfu/transport/datagram"
)

// clumsy is a Sink that panics, and counts how often it is told of a new state.
type clumsy struct{ told int }

func (*clumsy) Packets(time.Time, []Datagram, *Batch) { panic("clumsy") }

func (*clumsy) RTCP(time.Time, []rtcp.Packet, *Batch) { panic("clumsy") }

func (*clumsy) Message([]byte) { panic("clumsy") }

func (c *clumsy) State() { c.told++ }

// A mistake of ours that one client's packets bring about ends that client's connection; the worker goes on.
func TestAPanicEndsNoWorker(t *testing.T) {
	w := &worker{plane: &Plane{config: Config{Logger: quiet}}} // without a mux: STUN makes it panic
	w.batch = w.plane.newBatch(0)
	for range 2 {
		w.guarded([]datagram.Message{{Data: []byte{0, 1}}})
	}
	sink := &clumsy{}
	peer := &Peer{plane: w.plane, sink: sink}
	s := &shadow{peer: peer} // without an opener: RTP makes it panic
	s.handUp(time.Now(), []arrival{{data: append([]byte{0x80, 96}, make([]byte, 40)...)}}, nil)
	if sink.told != 1 || peer.State() != Closed {
		t.Errorf("the client's participant was told %d times; its state is %v", sink.told, peer.State())
	}
}
