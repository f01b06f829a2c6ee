package transport

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"github.com/parleyrtc/parley/sfu/transport/datagram"
)

// late is a Sink that is told of reports, and asks how late they are.
type late struct {
	*ear
	plane   *Plane
	arrived time.Time
	behind  time.Duration
}

// RTCP implements Sink.
func (l *late) RTCP(arrived time.Time, _ []rtcp.Packet, _ *Batch) {
	l.arrived, l.behind = arrived, l.plane.Behind()
}

// While a worker handles what has waited for it, everybody can know for how long; and a report came when the kernel says so.
func TestHowLateWeAreIsKnown(t *testing.T) {
	sink := &late{ear: &ear{t: t}}
	in := newInsider(t, sink)
	sink.plane = in.plane
	in.plane.workers = []*worker{in.worker}
	const waited = 200 * time.Millisecond
	now := time.Now()
	batch := func(n int) []datagram.Message {
		messages := make([]datagram.Message, n)
		for i := range messages {
			raw, err := (&rtcp.PictureLossIndication{SenderSSRC: 1}).Marshal()
			if err != nil {
				t.Fatal(err)
			}
			messages[i] = datagram.Message{Data: in.seal(raw, 0), From: in.from, At: now.Add(-waited).UnixNano()}
		}
		return messages
	}
	in.handle(now, batch(receiveBatch))
	if sink.behind < waited-time.Millisecond || sink.behind > waited+time.Millisecond || in.plane.Behind() != sink.behind {
		t.Errorf("behind by %v, and by %v while there is more", sink.behind, in.plane.Behind())
	}
	if ago := now.Sub(sink.arrived); ago < waited-time.Millisecond || ago > waited+time.Millisecond {
		t.Errorf("the report came %v ago", ago)
	}
	in.handle(now, batch(1))
	if sink.behind < waited-time.Millisecond || in.plane.Behind() != 0 {
		t.Errorf("behind by %v, and by %v when all is done", sink.behind, in.plane.Behind())
	}
}

// A batch reads the clock when it leaves, and not before.
func TestABatchTellsWhenItLeaves(t *testing.T) {
	p := &Plane{born: time.Now().Add(-time.Hour)}
	b := p.newBatch(0)
	var left [2]atomic.Int64
	b.Tell(&left[0])
	b.Tell(&left[1])
	before := time.Now()
	b.arena = append(b.arena, 0) // something to send
	b.Flush()
	for i := range left {
		if at := p.Time(left[i].Load()); at.Before(before) || time.Since(at) < 0 {
			t.Errorf("left %v after it was told to", at.Sub(before))
		}
	}
	left[0].Store(0)
	b.arena = append(b.arena, 0)
	if b.Flush(); left[0].Load() != 0 || b.Departures() != 2 {
		t.Errorf("told again, after %d departures", b.Departures())
	}
}
