package signaling

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/wire"
)

// order has a call's loop do something at the operator's wish, and waits for the answer.
func (s *Server) order(ctx context.Context, id string, do func(*loop, answer)) (any, error) {
	l := s.calls.loop(id)
	if l == nil || l.published.Load().call.Terminal() {
		if _, refusal := s.pastCall(id); refusal != nil && l == nil {
			return nil, refusal
		}
		return nil, wire.Refuse(wire.CodeTerminated, "The call has already ended.")
	}
	type outcome struct {
		result  any
		refusal *wire.Error
	}
	done := make(chan outcome, 1)
	reply := once(func(result any, refusal *wire.Error) { done <- outcome{result, refusal} })
	l.box.request(step{do: func() { do(l, reply) }, refuse: func(refusal *wire.Error) { reply(nil, refusal) }})
	select {
	case <-ctx.Done():
		return nil, wire.Internal()
	case o := <-done:
		if o.refusal != nil {
			return nil, o.refusal
		}
		return o.result, nil
	}
}

// Participants lists who is in a call's room, in the order in which they came.
func (s *Server) Participants(ctx context.Context, id string) ([]wire.ParticipantView, error) {
	result, err := s.order(ctx, id, func(l *loop, reply answer) {
		views := []wire.ParticipantView{}
		for _, p := range l.room.byID {
			views = append(views, p.view())
		}
		slices.SortFunc(views, func(a, b wire.ParticipantView) int {
			return cmp.Or(cmp.Compare(a.JoinedAt, b.JoinedAt), cmp.Compare(a.ParticipantID, b.ParticipantID))
		})
		reply(views, nil)
	})
	if err != nil {
		return nil, err
	}
	return result.([]wire.ParticipantView), nil
}

// Mute notes a publication as muted and asks its client to make it so.
func (s *Server) Mute(ctx context.Context, id, publication string) error {
	_, err := s.order(ctx, id, func(l *loop, reply answer) { l.muteFor(wire.UserView{}, publication, reply) })
	return err
}

// Expel puts the user of a participant out of a call of several.
func (s *Server) Expel(ctx context.Context, id, participant string) error {
	_, err := s.order(ctx, id, func(l *loop, reply answer) { l.expelFor(call.Device{}, true, participant, reply) })
	return err
}

// Terminate ends a call for everybody. One that is over stays as it is.
func (s *Server) Terminate(ctx context.Context, id string) (wire.CallView, error) {
	_, err := s.order(ctx, id, func(l *loop, reply answer) {
		if refusal := l.apply(time.Now(), call.Close{}); refusal != nil {
			reply(nil, refusal)
			return
		}
		reply(wire.Empty{}, nil)
	})
	if refusal, ok := err.(*wire.Error); ok && refusal.Code != wire.CodeTerminated {
		return wire.CallView{}, err
	}
	return s.Call(ctx, id)
}
