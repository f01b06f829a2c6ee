package sfu

import (
	"testing"
	"time"

	"github.com/pion/rtcp"

	"github.com/parleyrtc/parley/sfu/transport"
)

// Packets that a batch holds back were sent when it left: the estimate sees no queue in that.
func TestPacketsAreSentWhenTheirBatchLeaves(t *testing.T) {
	f := newFanOf(t, 1, clientOptions{silent: true, agrees: true})
	to := f.subscriptions[0].line.to
	f.pass([]transport.Datagram{{Arrived: f.now, Data: picture8(0)}})
	f.trust() // so that no probe leaves in between
	c := to.outgoing.pace
	first := uint16(c.number)
	var left [2]time.Time
	for i := range left {
		data := picture8(0)
		data[3] = byte(1 + i)
		f.publisher.Packets(f.now, []transport.Datagram{{Arrived: f.now, Data: data}}, f.out)
		if !c.aboard.waits(f.now) {
			t.Fatal("nobody knows that it has not left")
		}
		time.Sleep(time.Duration(i) * 150 * time.Millisecond) // the second is made at the time of the first, and leaves later
		f.out.Flush()
		if c.aboard.waits(f.now) {
			t.Fatal("it seems not to have left")
		}
		left[i] = c.plane.Time(c.aboard.newest.left.Load())
	}
	late := left[1].Sub(left[0]).Microseconds() / 250 * 250
	if late < 150_000 {
		t.Fatalf("the second left %d µs after the first", late)
	}
	report, err := (&rtcp.TransportLayerCC{
		Header:             rtcp.Header{Count: rtcp.FormatTCC, Type: rtcp.TypeTransportSpecificFeedback, Length: 6},
		BaseSequenceNumber: first, PacketStatusCount: 2,
		PacketChunks: []rtcp.PacketStatusChunk{&rtcp.RunLengthChunk{PacketStatusSymbol: 2, RunLength: 2}},
		RecvDeltas:   []*rtcp.RecvDelta{{Type: 2}, {Type: 2, Delta: late}},
	}).Marshal()
	must(t, err)
	to.arrivals(time.Now(), report)
	to.sending.Lock()
	defer to.sending.Unlock()
	if s := c.estimate.State(); s.Queue > time.Millisecond || s.Acknowledged == 0 {
		t.Errorf("what we were late by counts as a queue: %+v", s)
	}
}
