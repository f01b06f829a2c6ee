package call

import (
	"encoding/json"
	"slices"
	"time"
)

// Open is the wish to come into a named session that nobody is in.
type Open struct {
	ID       string // of the new call: unguessable
	Name     string // of the session
	Type     Type
	By       Device // has a device
	Rights   Rights
	Guest    string // the name of a guest
	Metadata json.RawMessage
	Policy   Policy
	BusyIn   string // fact: id of another call the user is busy in, if any
}

// NewSession starts a session with its first member, or refuses to with an *Error. It is ongoing at once; others come in by Join
// with their rights.
func NewSession(now time.Time, e Open) (*Call, []Effect, error) {
	switch {
	case e.Type != Audio && e.Type != Video:
		return nil, nil, badRequest("type")
	case e.Name == "":
		return nil, nil, refuse(CodeEmptyReceiver)
	case e.By.ID == "":
		return nil, nil, badRequest("deviceId")
	case e.Rights.Hidden:
		return nil, nil, refuse(CodeNotFound) // who is not seen waits for somebody to look at
	case e.BusyIn != "":
		return nil, nil, busy(CodeBusySelf, e.BusyIn)
	}
	metadata, err := canonical(e.Metadata)
	if err != nil {
		return nil, nil, err
	}
	now = instant(now)
	e.Policy = e.Policy.withDefaults()
	seat := newSeat(e.By.ID)
	seat.JoinBy = now.Add(e.Policy.Join)
	ch := &change{now: now, Call: &Call{
		ID: e.ID, Type: e.Type, ReceiverType: Session, Initiator: e.By.UID, Receiver: e.Name,
		InitiatedAt: now, RingDeadline: now, Metadata: metadata, Policy: e.Policy,
		Status: Ongoing, StartedAt: now,
		Members: []Member{{UID: e.By.UID, Guest: e.Guest, State: StateAccepted, Seat: seat, Rights: e.Rights}},
	}}
	ch.effects = append(ch.effects, OpenMedia{})
	ch.noteAlone()
	return ch.Call, ch.effects, nil
}

// maxVisitors bounds the members of a named session that are remembered: one that never ends has visitors without end.
const maxVisitors = 500

// forgetVisitor makes room for another member, when there are many, by forgetting who left longest ago. One who was put out is
// remembered, and so is the first.
func (ch *change) forgetVisitor() {
	if len(ch.Members) < maxVisitors {
		return
	}
	oldest := 0
	for i := range ch.Members[1:] {
		m := &ch.Members[1+i]
		if m.Seat == nil && !m.Barred && (oldest == 0 || m.LeftAt.Before(ch.Members[oldest].LeftAt)) {
			oldest = 1 + i
		}
	}
	if oldest > 0 {
		ch.Members = slices.Delete(ch.Members, oldest, oldest+1)
	}
}

// noteAlone starts or stops the time that one member may be left alone. Those who are not seen keep nobody company, and who
// waits for an answer of others is not alone.
func (ch *change) noteAlone() {
	seats := 0
	for i := range ch.Members {
		m := &ch.Members[i]
		if m.State == StateRinging && !m.Removed {
			seats = 2
		}
		if m.Seat != nil && !m.Rights.Hidden {
			seats++
		}
	}
	switch alone := ch.Status == Ongoing && ch.isGroup() && seats < 2; {
	case !alone:
		ch.AloneSince = time.Time{}
	case ch.AloneSince.IsZero():
		ch.AloneSince = ch.now
	}
}
