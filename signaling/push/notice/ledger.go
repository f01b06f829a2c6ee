package notice

import (
	"time"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/wire"
)

// Order is what one user's devices are to be told at one moment.
type Order struct {
	UID     string
	Except  string // not the device with this id: it has done it
	Notices []*Notice
}

// Ledger knows for whom which calls ring, and makes orders from what calls come to. The zero value is ready. It is not safe for
// concurrent use. It holds as much as there are users being rung.
type Ledger struct {
	rings map[string]*ring // by session id
	swept time.Time
}

type ring struct {
	deadline time.Time
	uids     map[string]bool
}

// sweepEvery is how often rings that nobody stopped are forgotten. The end of a call stops its rings, so there are none, but for
// a call that another node took over.
const sweepEvery = time.Minute

// Rings reports whether the call still rings for the user.
func (l *Ledger) Rings(now time.Time, session, uid string) bool {
	r := l.rings[session]
	return r != nil && r.uids[uid] && now.Before(r.deadline)
}

// Len is how many calls ring.
func (l *Ledger) Len() int { return len(l.rings) }

// Orders works in what a call has come to and returns what is to be pushed, for each user at most one order, in the order of the
// effects. Whoever was not rung is not told to stop ringing.
func (l *Ledger) Orders(now time.Time, c *call.Call, view wire.CallView, effects []call.Effect) []Order {
	l.sweep(now)
	m := maker{now: now, call: c, view: view}
	var orders []Order
	at := map[string]int{} // by uid
	add := func(uid, except string, n *Notice) {
		i, ok := at[uid]
		if !ok {
			i = len(orders)
			at[uid] = i
			orders = append(orders, Order{UID: uid, Except: except})
		}
		orders[i].Notices = append(orders[i].Notices, n)
	}
	missed := missedBy(effects)
	for _, effect := range effects {
		e, ok := effect.(call.Notify)
		if !ok {
			continue
		}
		for _, to := range e.To {
			switch e.Kind {
			case call.Incoming:
				l.start(c, to.UID)
				add(to.UID, "", m.ring())
			case call.CallCancelled, call.CallUnanswered, call.AnsweredElsewhere, call.DeclinedElsewhere:
				if l.stop(c.ID, to.UID) {
					add(to.UID, to.Except, m.stop(e, to.UID, to.Except, missed[to.UID]))
				}
			case call.Missed:
				add(to.UID, "", m.missed())
			}
		}
	}
	if c.Terminal() {
		delete(l.rings, c.ID)
	}
	return orders
}

// missedBy lists the users who are told in these effects that they missed the call.
func missedBy(effects []call.Effect) map[string]bool {
	out := map[string]bool{}
	for _, effect := range effects {
		if e, ok := effect.(call.Notify); ok && e.Kind == call.Missed {
			for _, to := range e.To {
				out[to.UID] = true
			}
		}
	}
	return out
}

func (l *Ledger) start(c *call.Call, uid string) {
	if l.rings == nil {
		l.rings = map[string]*ring{}
	}
	r := l.rings[c.ID]
	if r == nil {
		r = &ring{deadline: c.RingDeadline, uids: map[string]bool{}}
		l.rings[c.ID] = r
	}
	r.uids[uid] = true
}

// stop reports whether it rang.
func (l *Ledger) stop(session, uid string) bool {
	r := l.rings[session]
	if r == nil || !r.uids[uid] {
		return false
	}
	if delete(r.uids, uid); len(r.uids) == 0 {
		delete(l.rings, session)
	}
	return true
}

func (l *Ledger) sweep(now time.Time) {
	if now.Sub(l.swept) < sweepEvery {
		return
	}
	l.swept = now
	for session, r := range l.rings {
		if now.Sub(r.deadline) > sweepEvery {
			delete(l.rings, session)
		}
	}
}

// maker makes the notices of one change of a call, each only once.
type maker struct {
	now  time.Time
	call *call.Call
	view wire.CallView

	ringing, gone *Notice
	stops         map[stopKey]*Notice
}

// stopKey is what stops of one change differ in.
type stopKey struct {
	action, by, except string
	missed             bool
}

func (m *maker) ring() *Notice {
	if m.ringing == nil {
		m.ringing = m.notice(Ring, "initiated", m.call.Initiator, "", spell(m.call.Type, "AUDIO CALL", "VIDEO CALL"))
	}
	return m.ringing
}

func (m *maker) missed() *Notice {
	if m.gone == nil {
		m.gone = m.notice(Missed, "missed", m.call.Initiator, "", missedText(m.call.Type))
		m.gone.Deadline = m.now.Add(missedFor)
	}
	return m.gone
}

// missedFor is how long a provider is asked to take the notice of a missed call.
const missedFor = 2 * time.Minute

func (m *maker) stop(e call.Notify, uid, except string, missed bool) *Notice {
	by, action, text := m.call.Initiator, string(call.Cancelled), missedText(m.call.Type)
	switch e.Kind {
	case call.CallUnanswered:
		action = string(call.Unanswered)
	case call.AnsweredElsewhere:
		by, action, text = uid, string(call.Ongoing), "Answered on another device"
	case call.DeclinedElsewhere:
		by, action, text = uid, string(call.Rejected), "Declined on another device"
		if member, _ := m.call.Member(uid); member.State == call.StateBusy {
			action = string(call.Busy)
		}
	}
	key := stopKey{action, by, except, missed}
	if n := m.stops[key]; n != nil {
		return n
	}
	n := m.notice(Stop, action, by, except, text)
	n.Missed = missed
	if m.stops == nil {
		m.stops = map[stopKey]*Notice{}
	}
	m.stops[key] = n
	return n
}

func spell(t call.Type, audio, video string) string {
	if t == call.Audio {
		return audio
	}
	return video
}

func missedText(t call.Type) string { return spell(t, "Missed audio call", "Missed video call") }
