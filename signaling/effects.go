package signaling

import (
	"context"
	"time"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/wire"
)

// carryOut does what the machine decided, after its decision is committed. Trouble with one effect keeps none of the others.
func (l *loop) carryOut(now time.Time, effects []call.Effect) {
	for _, effect := range effects {
		l.safely("effect", func() { l.effect(now, effect) })
	}
	l.safely("observer", func() { l.server.observe(now, l.published.Load(), effects) })
}

func (l *loop) effect(now time.Time, effect call.Effect) {
	media := l.server.deps.Media
	switch e := effect.(type) {
	case call.Notify:
		l.notify(now, e)
	case call.OpenMedia:
		l.worker.add(job{name: "open", do: func(ctx context.Context) error { return media.Open(ctx, l.id) }})
	case call.RemoveParticipant:
		if p := l.room.byDevice[e.Device]; p != nil {
			l.dismiss(now, p, string(e.Reason))
		}
	case call.CloseRoom:
		l.room.clear()
		l.worker.add(job{name: "close", do: func(ctx context.Context) error { return media.Close(ctx, l.id, string(e.Reason)) }})
	}
}

// notify sends one event to the devices that the machine named.
func (l *loop) notify(now time.Time, e call.Notify) {
	view := l.published.Load().view
	var data any
	switch e.Kind {
	case call.SessionClosed:
		data = wire.ClosedEvent{SessionID: l.id, Reason: string(e.Reason), Call: view}
	case call.MemberChanged:
		data = wire.MemberEvent{Call: view, UID: e.UID, State: string(e.State)}
	default:
		event := wire.CallEvent{Call: view}
		if e.By != "" {
			by := l.user(e.By)
			event.By = &by
		}
		data = event
	}
	l.tell(now, string(e.Kind), data, e.To...)
}

// tell encodes an event once and sends it to every recipient.
func (l *loop) tell(now time.Time, kind string, data any, to ...call.Recipient) {
	if len(to) == 0 {
		return
	}
	text, err := wire.Encode(data)
	if err != nil {
		l.log.Error("encoding an event failed", "type", kind, "error", err)
		return
	}
	for _, recipient := range to {
		l.server.hub.deliver(recipient, kind, now, text)
	}
}
