package sfu

import (
	"testing"
	"time"

	"github.com/pion/rtcp"

	"github.com/parleyrtc/parley/sfu/layer"
	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/red"
	"github.com/parleyrtc/parley/sfu/transport"
)

// However many ask, a publisher is asked for a keyframe after the configured time at the earliest, after a longer one when keyframes
// are large, and sooner for who has no picture at all.
func TestRequestsForKeyframesAreSpaced(t *testing.T) {
	f := newFan(t, 1)
	e, in := f.subscriptions[0].publication.encodings[0], &f.publisher.incoming
	in.mu.Lock()
	defer in.mu.Unlock()
	spacing := f.publisher.room.sfu.config.KeyframeSpacing
	for _, tt := range []struct {
		bytes       int
		rate        int64
		later, soon time.Duration
	}{
		{0, 0, spacing, min(spacing, firstSpacing)},
		{1000, 1_000_000, spacing, min(spacing, firstSpacing)},
		{50_000, 200_000, keyframeLongest, keyframeLongest / 4},
	} {
		e.cost = cost{bytes: tt.bytes}
		e.known = []measure{{Measure: layer.Measure{Rate: tt.rate}}}
		for first, want := range map[bool]time.Duration{false: tt.later, true: tt.soon} {
			e.wanted, e.first, e.asked = false, false, f.now
			sent := 0
			for past := time.Duration(0); past <= 10*want; past += time.Millisecond {
				e.want(first)
				sent += len(e.askKeyframe(f.now.Add(past), in, nil))
			}
			if sent != 10 {
				t.Errorf("keyframes of %d bytes at %d bit/s, first picture %v: %d requests in %v", tt.bytes, tt.rate, first, sent, 10*want)
			}
		}
	}
}

// What is missing of an encoding that nobody watches is not asked for; of one that is watched it is, and what never comes is replaced by
// a keyframe.
func TestWhatNobodyWatchesIsNotMissed(t *testing.T) {
	f := newFan(t, 1)
	e, in := f.subscriptions[0].publication.encodings[0], &f.publisher.incoming
	in.mu.Lock()
	defer in.mu.Unlock()
	e.repairs, e.rid = true, "q"
	for _, watched := range []bool{false, true} {
		e.missing.Reset()
		e.missing.Received(f.now, 1)
		e.missing.Received(f.now, 3)
		e.wanted = false
		if e.watched.Store(0); watched {
			e.watch()
		}
		if asked := len(e.askAgain(f.now, 0, in, nil)); (asked > 0) != watched {
			t.Errorf("watched %v: asked for %d", watched, asked)
		}
		for past := time.Duration(0); past < 5*time.Second; past += 10 * time.Millisecond {
			e.askAgain(f.now.Add(past), 0, in, nil)
		}
		if e.wanted != watched {
			t.Errorf("watched %v: a keyframe is wanted for what never came: %v", watched, e.wanted)
		}
	}
}

// Reports tell of what is received of late, and arrival times when they are due.
func TestReportsTellOfWhatIsReceived(t *testing.T) {
	f := newFan(t, 1)
	f.pass([]transport.Datagram{{Arrived: f.now, Data: picture8(0)}})
	p, in := f.publisher, &f.publisher.incoming
	reports := func(now time.Time) (n int) {
		in.mu.Lock()
		in.reportAt = now
		in.mu.Unlock()
		packets, _ := p.tell(now, nil)
		for _, packet := range packets {
			if rr, ok := packet.(*rtcp.ReceiverReport); ok {
				n += len(rr.Reports)
			}
		}
		return n
	}
	if n := reports(f.now.Add(4 * time.Second)); n != 1 {
		t.Errorf("%d reports of what came 4 s ago", n)
	}
	if n := reports(f.now.Add(6 * time.Second)); n != 0 {
		t.Errorf("%d reports of what came 6 s ago", n)
	}
	in.mu.Lock()
	in.arrived(f.now, &packet.Info{SSRC: 7, TransportSequence: 1}, &transport.Codec{Codec: packet.VP8})
	due := in.feedbackAt
	in.mu.Unlock()
	if _, next := p.tell(due.Add(-time.Millisecond), nil); next.After(due) {
		t.Errorf("told %v after it is due", next.Sub(due))
	}
}

// One packet is repeated once in a round trip, whatever is asked for.
func TestWhatIsOnItsWayIsNotRepeated(t *testing.T) {
	n := newNarrows(t, 10_000_000)
	n.send(false)
	n.to.rtt.Store(int64(50 * time.Millisecond))
	if got := []int{n.ask(), n.ask()}; got[0] != 1 || got[1] != 0 {
		t.Errorf("%d repetitions", got)
	}
}

// A repetition that waits too long is forgotten, and the picture goes on: who needs it asks again.
func TestARepetitionThatIsGivenUpBreaksNoPicture(t *testing.T) {
	n := newNarrows(t, 100_000) // a packet in 90 ms
	n.pass([]transport.Datagram{n.layered(11, 0, true)})
	n.wait(time.Second)
	n.pass([]transport.Datagram{n.layered(12, 2, false)})
	n.wait(100 * time.Millisecond)
	n.to.sending.Lock()
	highest, _ := n.line.numbers.Highest()
	n.to.sending.Unlock()
	n.to.repeat(n.now, n.line, []uint16{uint16(highest - 1), uint16(highest)}, n.out)
	n.to.sending.Lock()
	bytes, _ := n.to.outgoing.pace.queue.Waiting()
	n.to.sending.Unlock()
	if bytes == 0 {
		t.Fatal("nothing waits")
	}
	n.now = n.now.Add(2 * time.Second)
	n.wait(10 * time.Millisecond)
	if _, shown := n.subscriptions[0].shown(); !shown {
		t.Error("the picture waits for a keyframe")
	}
}

// Copies of sounds are as many as there is room for, in the network and in the packet.
func TestCopiesOfSoundFitTheirPacket(t *testing.T) {
	f := newFan(t, 1)
	l, o := f.subscriptions[0].line, &outbox{}
	l.codec.RED = 63
	o.need.Lost(50, 100)
	frame := func(bytes int) red.Copy { return red.Copy{Offset: 960, Frame: make([]byte, bytes)} }
	for _, tt := range []struct {
		room, own, copied int
		want              form
	}{
		{2, 100, 100, 1<<0 | 1<<1}, {1, 100, 100, 1 << 0}, {0, 100, 100, plain}, {2, 600, 400, 1 << 0}, {2, 1100, 400, plain},
	} {
		o.copies = tt.room
		m := &media{looked: true, payload: make([]byte, tt.own), copies: [red.MaxDistance]red.Copy{frame(tt.copied), frame(tt.copied)}}
		if got, ok := l.shape(m, o); !ok || got != tt.want {
			t.Errorf("%+v: form %b", tt, got)
		}
	}
}

// However many copies come at once, so many sounds are taken from them as there is room for.
func TestSoundsAreRestoredWithinBounds(t *testing.T) {
	b := newBench(t, nil)
	h, k := redTalker(b)
	h.say(k, 63, append(red.Append(nil, 111, nil), "first"...))
	var batch []transport.Datagram
	for i := range maxRun {
		k.sequence += 6 // five are lost each time, and in the next
		var copies []red.Copy
		for back := uint32(5); back > 0; back-- {
			copies = append(copies, red.Copy{Offset: back * 960, Frame: []byte{byte(i), byte(back)}})
		}
		head := packet.Header{PayloadType: 63, Sequence: k.sequence, Timestamp: uint32(k.sequence) * 960, SSRC: k.ssrc}
		batch = append(batch, transport.Datagram{Data: append(head.Append(nil), append(red.Append(nil, 111, copies), "own"...)...), Arrived: h.now})
	}
	k.p.Packets(h.now, batch, h.out)
	h.out.Flush()
	if n := b.count("parley_restored_total", ""); n != maxRestored {
		t.Errorf("%v were restored, want %d", n, maxRestored)
	}
}
