package signaling

import (
	"context"
	"time"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/wire"
)

// The rates of what receivers say of their pairs.
const (
	wishRate     = 5 // wishes a second of one participant: a window that is being resized, and a client that doesn't wait for its end
	wishBurst    = 10
	statsSpacing = 2 * time.Second // measurements that come sooner are dropped
)

// wish passes on what a receiver wishes for its pairs.
func (l *loop) wish(by call.Device, params wire.WishParams, reply answer) {
	p, refusal := l.seat(by)
	if refusal != nil {
		reply(nil, refusal)
		return
	}
	if wait, allowed := allow(p.wishes, time.Now()); !allowed {
		reply(nil, tooFast(wait))
		return
	}
	wishes := make([]MediaSlotWish, 0, len(params.Slots))
	for _, slot := range params.Slots {
		wishes = append(wishes, MediaSlotWish(slot))
	}
	l.pass("wish", reply, func(ctx context.Context) error {
		return l.server.deps.Media.Wish(ctx, l.id, p.id, wishes)
	})
}

// measured passes on what a receiver measured on its pairs, unless it did so a moment ago.
func (l *loop) measured(by call.Device, params wire.StatsParams, reply answer) {
	p, refusal := l.seat(by)
	now := time.Now()
	switch {
	case refusal != nil:
		reply(nil, refusal)
		return
	case now.Sub(p.measured) < statsSpacing:
		reply(wire.Empty{}, nil)
		return
	}
	p.measured = now
	stats := make([]MediaSlotStats, 0, len(params.Slots))
	for _, slot := range params.Slots {
		measured := MediaSlotStats{
			Pair: slot.Pair, JitterBuffer: time.Duration(slot.JitterBufferMS * float64(time.Millisecond)), Frozen: slot.Frozen,
			FrameRate: slot.FrameRate, Width: slot.Width, Height: slot.Height,
		}
		if slot.Concealed != nil {
			measured.Concealed, measured.HasConcealed = *slot.Concealed, true
		}
		stats = append(stats, measured)
	}
	l.pass("stats", reply, func(ctx context.Context) error {
		return l.server.deps.Media.Stats(ctx, l.id, p.id, stats)
	})
}

// pass hands something to the media side that has no result.
func (l *loop) pass(name string, reply answer, do func(context.Context) error) {
	l.worker.add(job{name: name, do: do, done: func(err error) {
		if err != nil {
			reply(nil, mediaRefusal(err))
			return
		}
		reply(wire.Empty{}, nil)
	}})
}
