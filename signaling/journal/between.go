package journal

import (
	"time"

	"github.com/parleyrtc/parley/signaling/call"
)

// Change is one committed change of a call.
type Change struct {
	Now     time.Time
	Before  *call.Call // nil for a new call
	After   *call.Call
	Event   call.Event // what brought it about; nil for a new call and for what time did
	Effects []call.Effect
}

// Entries says what happened with the change, not numbered yet: first who answered, then who came and went, at last how the
// call ended.
func (c Change) Entries() []Entry {
	w := &writer{Change: c, at: c.Now.UTC().Round(0)}
	w.actor, w.reason = actorOf(c.Event)
	if c.Before == nil {
		w.begin()
		return w.entries
	}
	w.answers()
	w.rooms()
	if !c.Before.Terminal() && c.After.Terminal() {
		w.end()
	}
	return w.entries
}

// writer collects the entries of one change.
type writer struct {
	Change
	at      time.Time
	actor   call.Device // zero: time, or the media side
	reason  string      // what the actor did
	entries []Entry
}

func (w *writer) add(e Entry) {
	e.At, e.Status = w.at, w.After.Status
	w.entries = append(w.entries, e)
}

// several adds one entry for what befell many at once.
func (w *writer) several(kind Kind, uids []string, device, reason string) {
	if len(uids) == 0 {
		return
	}
	e := Entry{Kind: kind, UID: uids[0], Device: device, Reason: reason}
	if len(uids) > 1 {
		e.UIDs = uids[:min(len(uids), MaxUIDs)]
	}
	w.add(e)
}

// begin is a new call, and who cannot be rung because they are in another.
func (w *writer) begin() {
	caller := &w.After.Members[0]
	device := caller.LastDevice
	if caller.Seat != nil {
		device = caller.Seat.Device
	}
	e := Entry{Kind: Initiated, UID: w.After.Initiator, Device: device, Reason: reasonInitiated}
	if w.After.ReceiverType == call.Session {
		e.Reason = reasonOpened
	}
	w.add(e)
	if w.After.Status == call.Busy {
		w.entries[0].Status = call.Initiated // it was, for this moment
	}
	var elsewhere []string
	for i := range w.After.Members {
		if m := &w.After.Members[i]; m.State == call.StateBusy {
			elsewhere = append(elsewhere, m.UID)
		}
	}
	w.several(Busy, elsewhere, "", reasonElsewhere)
}

// answers tells who accepted, said no, or has not answered in time.
func (w *writer) answers() {
	var silent, elsewhere []string
	for i := range w.After.Members {
		m := &w.After.Members[i]
		was := memberOf(w.Before, m.UID)
		if m.State == was.State && (m.Seat == nil) == (was.Seat == nil) {
			continue
		}
		switch {
		case w.After.ReceiverType == call.Session: // nobody is asked; who comes in has joined
		case w.After.ReceiverType == call.Session: // where nobody is asked
		case m.Seat != nil && was.Seat == nil && was.State != call.StateLeft:
			w.add(Entry{Kind: Accepted, UID: m.UID, Device: m.Seat.Device, Reason: reasonAccepted})
		case m.State == call.StateRejected:
			w.add(Entry{Kind: Rejected, UID: m.UID, Device: w.device(m.UID), Reason: w.refusal(reasonRejected)})
		case m.State == call.StateBusy && was.State == call.StateRinging:
			w.add(Entry{Kind: Busy, UID: m.UID, Device: w.device(m.UID), Reason: reasonBusy})
		case m.State == call.StateBusy:
			elsewhere = append(elsewhere, m.UID)
		case m.State == call.StateUnanswered && was.State == call.StateRinging && w.timedOut():
			silent = append(silent, m.UID)
		}
	}
	w.several(Busy, elsewhere, "", reasonElsewhere)
	w.several(Unanswered, silent, "", reasonTimeout)
}

// refusal is why somebody counts as having said no: they did, or they were taken out.
func (w *writer) refusal(reason string) string {
	switch w.Event.(type) {
	case call.MemberRemoved, call.Expel:
		return string(call.ReasonRemoved)
	}
	return reason
}

// timedOut reports whether it was the ring deadline that stopped the ringing, and not the end of the call.
func (w *writer) timedOut() bool {
	return w.After.Status != call.Cancelled && !w.at.Before(w.After.RingDeadline)
}

// device is that of the actor, if this is what they did themselves.
func (w *writer) device(uid string) string {
	if w.actor.UID == uid {
		return w.actor.ID
	}
	return ""
}

// rooms tells who came into the room and who went out.
func (w *writer) rooms() {
	removed := map[call.Device]call.Reason{}
	for _, effect := range w.Effects {
		if r, ok := effect.(call.RemoveParticipant); ok {
			removed[r.Device] = r.Reason
		}
	}
	for i := range w.After.Members {
		m := &w.After.Members[i]
		was := memberOf(w.Before, m.UID)
		in, wasIn := inRoom(*m), inRoom(was)
		if wasIn != "" && in != wasIn {
			reason, known := removed[call.Device{UID: m.UID, ID: wasIn}]
			if !known {
				reason = w.After.CloseReason()
			}
			w.add(Entry{Kind: Left, UID: m.UID, Device: wasIn, Reason: orLeft(reason), Since: was.JoinedAt})
		}
		if in != "" && in != wasIn {
			w.add(Entry{Kind: Joined, UID: m.UID, Device: in, Reason: reasonJoined})
		}
	}
}

func orLeft(r call.Reason) string {
	if r == "" {
		r = call.ReasonLeft
	}
	return string(r)
}

// end tells how the call ended, unless an answer has told it already.
func (w *writer) end() {
	switch w.After.Status {
	case call.Cancelled:
		reason := w.reason
		if reason == "" {
			reason = string(call.ReasonLost)
		}
		w.add(Entry{Kind: Cancelled, UID: w.After.Initiator, Device: w.device(w.After.Initiator), Reason: reason})
	case call.Ended:
		who := w.actor
		if who.UID == "" {
			who = w.missing()
		}
		w.add(Entry{Kind: Ended, UID: who.UID, Device: who.ID, Reason: string(w.After.Reason)})
	}
}

// missing finds the device whose loss ended the call, or that was left alone; the initiator, if no single one did.
func (w *writer) missing() call.Device {
	for i := range w.Before.Members {
		m := &w.Before.Members[i]
		if s := m.Seat; s != nil && (w.After.Reason == call.ReasonAlone || overdue(s.JoinBy, 0, w.at) || overdue(s.GoneSince, w.Before.Policy.Grace, w.at)) {
			return call.Device{UID: m.UID, ID: s.Device}
		}
	}
	return call.Device{UID: w.After.Initiator}
}

func overdue(since time.Time, patience time.Duration, now time.Time) bool {
	return !since.IsZero() && !now.Before(since.Add(patience))
}

// actorOf says who brought the event about, and what they did in a word; nobody for what only became known.
func actorOf(event call.Event) (call.Device, string) {
	switch e := event.(type) {
	case call.Accept:
		return e.By, ""
	case call.Reject:
		return e.By, ""
	case call.Cancel:
		return e.By, reasonCancelled
	case call.End:
		return e.By, string(call.ReasonHangup)
	case call.Join:
		return e.By, ""
	case call.Leave:
		return e.By, string(call.ReasonLeft)
	case call.MediaFailed:
		return e.Device, string(call.ReasonFailed)
	case call.Expel:
		return e.By, string(call.ReasonRemoved)
	case call.Close:
		return call.Device{}, string(call.ReasonForAll)
	case call.MemberRemoved:
		return call.Device{UID: e.UID}, string(call.ReasonRemoved)
	}
	return call.Device{}, ""
}

// memberOf is the user's part, also of one who was removed; the zero Member for a stranger.
func memberOf(c *call.Call, uid string) call.Member {
	for i := range c.Members {
		if c.Members[i].UID == uid {
			return c.Members[i]
		}
	}
	return call.Member{}
}

// inRoom is the device that is in the room for a member, "" if there is none.
func inRoom(m call.Member) string {
	if m.Seat == nil || !m.Seat.Joined {
		return ""
	}
	return m.Seat.Device
}
