package signaling

import (
	"time"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/wire"
)

// Observer is told what the calls of this node come to. *push.Sender is one.
type Observer interface {
	// Committed says that a change of a call is on disk and that its effects are being carried out. The loop of the call waits for
	// it, so it must return at once, and nobody may change what it is given. A change may be told twice. A call that still
	// rings when the server takes it back after a restart is told as if it began: nobody knows what the old process got done.
	Committed(now time.Time, c *call.Call, view wire.CallView, effects []call.Effect)
}

// observe tells the observer of a change.
func (s *Server) observe(now time.Time, p *published, effects []call.Effect) {
	if s.deps.Observer != nil && len(effects) > 0 {
		s.deps.Observer.Committed(now, p.call, p.view, effects)
	}
}

// stillRinging is the effect by which a call that was taken back rings on.
func stillRinging(now time.Time, c *call.Call) []call.Effect {
	var to []call.Recipient
	for _, m := range c.Members {
		if m.State == call.StateRinging && !m.Removed {
			to = append(to, call.Recipient{UID: m.UID})
		}
	}
	if len(to) == 0 || c.Terminal() || !now.Before(c.RingDeadline) {
		return nil
	}
	return []call.Effect{call.Notify{Kind: call.Incoming, To: to, By: c.Initiator}}
}
