package sfu

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/parleyrtc/parley/sfu/bwe"
	"github.com/parleyrtc/parley/sfu/pacer"
	"github.com/parleyrtc/parley/sfu/transport"
)

// narrows is a fan of one subscriber whose network takes so many bits a second, and whose timer the test is.
type narrows struct {
	*fan
	t        *testing.T
	to       *participant
	line     *line
	sequence uint16
}

func newNarrows(t *testing.T, rate bwe.Rate) *narrows {
	f := newFanOf(t, 1, clientOptions{silent: true, agrees: true})
	n := &narrows{fan: f, t: t, line: f.subscriptions[0].line, to: f.subscriptions[0].line.to}
	n.to.pacing.stop()
	n.to.still.Store(true)
	n.send(true) // the first packet makes the pace
	n.to.sending.Lock()
	defer n.to.sending.Unlock()
	c := n.to.outgoing.pace
	n.now = n.now.Add(time.Second)
	c.queue = pacer.New[waiter](n.now, rate, pacer.Config{})
	return n
}

// send passes on pictures of one packet each.
func (n *narrows) send(keyframes ...bool) {
	var batch []transport.Datagram
	for _, key := range keyframes {
		first := byte(1)
		if key {
			first = 0
		}
		d := transport.Datagram{Arrived: n.now, Data: picture8(first)}
		n.sequence++
		binary.BigEndian.PutUint16(d.Data[2:], n.sequence)
		binary.BigEndian.PutUint32(d.Data[4:], uint32(n.sequence)*3000)
		batch = append(batch, d)
	}
	n.pass(batch)
}

// sent is how many packets have left for the first time.
func (n *narrows) sent() int {
	n.to.sending.Lock()
	defer n.to.sending.Unlock()
	return int(n.line.books.Packets())
}

// wait lets time pass and what may leave leave.
func (n *narrows) wait(d time.Duration) {
	for end := n.now.Add(d); n.now.Before(end); {
		n.now = n.now.Add(5 * time.Millisecond)
		if n.to.depart(n.now, n.out) {
			n.out.Flush()
			n.to.departed()
		}
	}
}

// What does not fit at once leaves later, in order, under the numbers it was given, and nothing overtakes it.
func TestWhatWaitsLeavesInOrder(t *testing.T) {
	n := newNarrows(t, 1_000_000) // a packet in 10 ms
	before := n.sent()
	n.send(false, false, false)
	if got := n.sent() - before; got != 1 {
		t.Fatalf("%d packets left at once", got)
	}
	n.wait(5 * time.Millisecond)
	n.send(false)
	if got := n.sent() - before; got != 1 {
		t.Fatalf("%d packets left, one has overtaken another", got)
	}
	n.wait(100 * time.Millisecond)
	n.to.sending.Lock()
	defer n.to.sending.Unlock()
	if got := int(n.line.books.Packets()) - before; got != 4 {
		t.Fatalf("%d packets left", got)
	}
	highest, _ := n.line.numbers.Highest()
	if o := &n.to.outgoing; o.packet.Index != highest {
		t.Errorf("the last is number %d, the highest %d", o.packet.Index, highest)
	}
}

// What waited too long is given up, and all behind it up to the next key frame; none of it can be asked for again.
func TestWhatIsGivenUpIsGoneUpToTheNextKeyframe(t *testing.T) {
	n := newNarrows(t, 10_000)
	n.send(false, false, false, false)
	sent := n.sent()
	n.now = n.now.Add(time.Second)
	n.send(false) // finds that the others are too old, and is of no use itself
	n.send(false)
	if got := n.sent(); got != sent {
		t.Errorf("%d packets were sent of a broken picture", got-sent)
	}
	n.to.sending.Lock()
	highest, _ := n.line.numbers.Highest()
	for back := range int64(3) {
		if _, copies := n.line.again(n.now, uint16(highest-back), 0, &n.to.outgoing); copies > 0 {
			t.Errorf("packet %d before the last is repeated, and was never sent", back)
		}
	}
	if bytes, _ := n.to.outgoing.pace.queue.Waiting(); bytes != 0 {
		t.Errorf("%d bytes wait for nothing", bytes)
	}
	n.to.outgoing.pace.queue.SetRate(n.now, 10_000_000)
	n.to.sending.Unlock()
	n.send(true, false)
	n.wait(10 * time.Millisecond)
	if got := n.sent() - sent; got != 2 {
		t.Errorf("%d packets were sent from the key frame on", got)
	}
}

// A key frame that waits behind what is given up is where the line goes on.
func TestAKeyframeThatWaitsIsKept(t *testing.T) {
	n := newNarrows(t, 20_000)
	n.send(false, false, false)
	sent := n.sent()
	n.now = n.now.Add(500 * time.Millisecond)
	n.send(true, false)
	n.now = n.now.Add(200 * time.Millisecond) // the first are too old, the key frame is not
	n.to.sending.Lock()
	n.to.outgoing.pace.queue.SetRate(n.now, 10_000_000)
	n.to.sending.Unlock()
	n.wait(20 * time.Millisecond)
	if got := n.sent() - sent; got != 2 {
		t.Errorf("%d packets were sent, want the key frame and its successor", got)
	}
	if _, shown := n.subscriptions[0].shown(); !shown {
		t.Error("it waits for another")
	}
}

// What waits and cannot be found any more is as good as lost.
func TestWhatIsForgottenMeanwhileIsGivenUp(t *testing.T) {
	n := newNarrows(t, 1_000_000)
	n.send(false, false, false)
	sent := n.sent()
	in := &n.publisher.incoming
	in.mu.Lock()
	for _, e := range n.subscriptions[0].publication.encodings {
		e.history.Reset()
	}
	in.mu.Unlock()
	n.wait(100 * time.Millisecond)
	if got := n.sent(); got != sent {
		t.Errorf("%d packets were sent out of nothing", got-sent)
	}
	if _, shown := n.subscriptions[0].shown(); shown {
		t.Error("the line goes on with a broken picture")
	}
}

// The timer is set for what the estimate waits for, also when it waited for nothing before.
func TestSilenceIsNoticedByTheTimer(t *testing.T) {
	n := newNarrows(t, 10_000_000)
	n.to.sending.Lock()
	defer n.to.sending.Unlock()
	now := time.Now()
	c := newPace(now, n.to)
	if at := c.deadline(); !at.IsZero() {
		t.Fatalf("rings after %v with nothing sent", at.Sub(now))
	}
	c.sent(now, 1000, 0, n.out)
	at := c.deadline()
	if at.IsZero() {
		t.Fatal("never rings")
	}
	if again := c.deadline(); !again.IsZero() {
		t.Error("is set twice")
	}
	before := c.estimate.Target()
	for range 20 {
		c.tick(at, false)
		at = c.deadline()
	}
	if after := c.estimate.Target(); after >= before {
		t.Errorf("%d after a silence, %d before", after, before)
	}
	c.tick(at.Add(deafAfter), true)
	if !c.deaf {
		t.Error("a client that never reports is still waited for")
	}
}

// A line of which less and less arrives asks for key frames less and less often.
func TestSetbacksAskLessAndLessOften(t *testing.T) {
	n := newNarrows(t, 10_000_000)
	l, c := n.line, n.to.outgoing.pace
	n.to.sending.Lock()
	defer n.to.sending.Unlock()
	var last time.Duration
	for i := range 5 {
		l.carried.selector.Set(everything, false)
		n.to.sending.Unlock()
		n.send(true)
		n.to.sending.Lock()
		l.setback(n.now, c)
		wait := max(0, l.asked.Sub(n.now))
		if i > 1 && wait < last || i == 0 && wait > 0 {
			t.Errorf("setback %d waits %v, the one before %v", i, wait, last)
		}
		last = wait
		n.now = n.now.Add(time.Second)
	}
	if last == 0 {
		t.Error("nothing waits")
	}
}
