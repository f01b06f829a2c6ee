package sfu

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"github.com/parleyrtc/parley/sfu/nack"
	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/transport"
)

// ask has the receiver ask for its newest picture again, and returns how many repetitions leave at once.
func (n *narrows) ask() int {
	n.to.sending.Lock()
	highest, _ := n.line.numbers.Highest()
	n.to.sending.Unlock()
	repeated, _ := n.to.repeat(n.now, n.line, []uint16{uint16(highest)}, n.out)
	n.out.Flush()
	return repeated
}

// repeated is how many repetitions have left since there were so many.
func (n *narrows) repeated(before int64) int64 {
	n.to.sending.Lock()
	defer n.to.sending.Unlock()
	return n.line.repairs - before
}

// ring lets the timer of what waits ring.
func (n *narrows) ring() {
	if due, _ := n.to.beat(n.now); due && n.to.depart(n.now, n.out) {
		n.out.Flush()
		n.to.departed()
	}
}

// loses has the receiver report that it loses so much, 50 ms away.
func (n *narrows) loses(percent int) {
	n.to.rtt.Store(int64(50 * time.Millisecond))
	n.to.sending.Lock()
	n.to.outgoing.need.Lost(10*percent, 1000)
	n.to.sending.Unlock()
}

// Who loses much is sent what pictures wait for twice, the second time a moment later, by a timer that rings for it; who loses little
// is not, and nor is anybody for whose repetitions there is no room.
func TestASecondCopyLeavesAMomentLater(t *testing.T) {
	n := newNarrows(t, 10_000_000)
	n.send(false)
	if got := n.ask(); got != 1 || len(n.to.outgoing.seconds) != 0 {
		t.Fatalf("%d repetitions at once, %d to come, where nothing was lost", got, len(n.to.outgoing.seconds))
	}
	n.loses(10)
	n.now = n.now.Add(time.Second)
	n.send(false)
	if got := n.ask(); got != 1 || len(n.to.outgoing.seconds) != 1 {
		t.Fatalf("%d repetitions at once, %d to come", got, len(n.to.outgoing.seconds))
	}
	n.to.sending.Lock()
	before, due := n.line.repairs, n.to.outgoing.pace.deadline()
	n.to.sending.Unlock()
	if want := n.now.Add(nack.CopyDelay); !due.Equal(want) {
		t.Errorf("the timer rings after %v", due.Sub(n.now))
	}
	n.now = n.now.Add(nack.CopyDelay - time.Millisecond)
	n.ring()
	if got := n.repeated(before); got != 0 {
		t.Errorf("%d left before their time", got)
	}
	n.now = n.now.Add(time.Millisecond)
	n.ring()
	if got := n.repeated(before); got != 1 {
		t.Errorf("%d left when it was time", got)
	}
	n.to.sending.Lock()
	n.to.outgoing.repeats.SetBurst(1500)
	n.to.sending.Unlock()
	n.now = n.now.Add(time.Second)
	n.send(false)
	if got := n.ask(); got != 1 || len(n.to.outgoing.seconds) != 0 {
		t.Errorf("%d repetitions, %d to come, where there is room for one", got, len(n.to.outgoing.seconds))
	}
}

// Where nothing waits, as the client does not say when packets arrive, both leave at once; and of what is repeated as it was there is
// one.
func TestBothCopiesLeaveAtOnceWhereNothingWaits(t *testing.T) {
	f := newFan(t, 1)
	n := &narrows{fan: f, t: t, line: f.subscriptions[0].line, to: f.subscriptions[0].line.to}
	n.loses(10)
	n.send(true)
	if got := n.ask(); got != 2 {
		t.Errorf("%d repetitions", got)
	}
	a := *n.line.agreed.Load()
	a.codecs[packet.VP8].RTX = 0
	n.line.agreed.Store(&a)
	n.send(false)
	if got := n.ask(); got != 1 {
		t.Errorf("%v identical packets", got)
	}
}

// Whoever asks for everything all the time gets no more than its share, in one copy or two, and memory for it does not grow.
func TestAStormOfRequestsIsAnsweredWithinItsShare(t *testing.T) {
	n := newNarrows(t, 100_000_000)
	n.loses(50)
	n.to.sending.Lock()
	share := float64(n.to.outgoing.repeats.Limit())
	burst := n.to.outgoing.repeats.Burst()
	before := n.line.repairs
	n.to.sending.Unlock()
	const seconds = 10
	for range seconds * 100 {
		n.now = n.now.Add(10 * time.Millisecond)
		n.send(false, false, false, false, false)
		var all []rtcp.NackPair
		n.to.sending.Lock()
		highest, _ := n.line.numbers.Highest()
		n.to.sending.Unlock()
		for back := range uint16(60) {
			all = append(all, rtcp.NackPair{PacketID: uint16(highest) - 17*back, LostPackets: 0xFFFF})
		}
		n.to.lost(n.now, &rtcp.TransportLayerNack{MediaSSRC: n.line.stream.SSRC, Nacks: all}, n.out)
		n.out.Flush()
		n.ring()
		if got := len(n.to.outgoing.seconds); got > mostSeconds {
			t.Fatalf("%d second copies wait", got)
		}
	}
	got, most := float64(n.repeated(before))*1100, float64(burst)+seconds*share
	if got > most*1.1 {
		t.Errorf("%.0f bytes were repeated in %d s, want at most %.0f", got, seconds, most)
	}
	if got == 0 {
		t.Error("nothing was repeated")
	}
}

// layered is a picture of one packet of a temporal layer.
func (n *narrows) layered(sequence uint16, layer byte, key bool) transport.Datagram {
	d := transport.Datagram{Arrived: n.now, Data: make([]byte, 1112)}
	copy(d.Data, []byte{0x80, 96, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0x90, 0xE0, 0x80, byte(sequence), byte(sequence), layer << 6, 1}) // I, L and T
	if key {
		d.Data[18] = 0
	}
	binary.BigEndian.PutUint16(d.Data[2:], sequence)
	binary.BigEndian.PutUint32(d.Data[4:], uint32(sequence)*3000)
	return d
}

// leaving is in which order pictures leave that wait, by their numbers.
func (n *narrows) leaving() (order []int64) {
	n.to.sending.Lock()
	defer n.to.sending.Unlock()
	n.now = n.now.Add(100 * time.Millisecond)
	c := n.to.outgoing.pace
	c.queue.SetRate(n.now, 1_000_000_000)
	for range 2 { // a train has what is left of the budget of before
		n.now = n.now.Add(10 * time.Millisecond)
		for _, r := range c.queue.Due(n.now, nil) {
			order = append(order, r.Item.sequence)
		}
	}
	return order
}

// After an outage what pictures wait for goes before what is new, and what nobody needs any more behind it: of what comes from the
// publisher again, and of what the receiver asks for.
func TestWhatPicturesWaitForIsRepairedFirst(t *testing.T) {
	n := newNarrows(t, 100_000) // which takes nothing more at once
	n.sequence = 10
	n.pass([]transport.Datagram{n.layered(11, 0, true), n.layered(12, 2, false)})
	n.wait(time.Second)
	n.pass([]transport.Datagram{n.layered(17, 0, false)}) // 13 to 16 are lost
	n.pass([]transport.Datagram{n.layered(18, 2, false)})
	n.pass([]transport.Datagram{n.layered(13, 0, false), n.layered(14, 2, false), n.layered(15, 1, false), n.layered(16, 0, false)})
	if got, want := n.leaving(), []int64{13, 16, 18, 14, 15}; !slices.Equal(got, want) {
		t.Errorf("from the publisher: %v leave after the newest that was due, want %v", got, want)
	}
	n = newNarrows(t, 1_000_000_000)
	n.sequence = 10
	for i, layer := range []byte{0, 2, 1, 2, 0, 2, 1, 2} {
		n.pass([]transport.Datagram{n.layered(uint16(11+i), layer, i == 0)})
	}
	n.to.sending.Lock()
	highest, _ := n.line.numbers.Highest()
	n.to.outgoing.pace.queue.SetRate(n.now, 1000)
	n.to.outgoing.pace.queue.Due(n.now, nil)
	n.to.sending.Unlock()
	n.pass([]transport.Datagram{n.layered(19, 0, false)})
	var asked []uint16
	for back := int64(7); back >= 0; back-- {
		asked = append(asked, uint16(highest-back))
	}
	n.to.repeat(n.now, n.line, asked, n.out)
	if got := n.leaving(); len(got) < 8 || !slices.Equal(got[:2], []int64{11, 15}) {
		t.Errorf("for the receiver: %v", got)
	}
}
