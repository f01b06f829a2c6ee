package call

import "time"

// due is the next thing that time will do to a call.
type due struct {
	at     time.Time // zero: nothing
	member int       // whose seat is lost; nobody: see reason
	reason Reason
}

// nobody stands for a thing that concerns no member alone: the ring deadline, or with ReasonAlone the end of the patience with
// who is left alone.
const nobody = -1

// Deadline is when Advance has something to do; zero when it has nothing to wait for.
func (c *Call) Deadline() time.Time { return c.next().at }

// Advance does everything that is due at now, in the order in which it fell due.
func (c *Call) Advance(now time.Time) []Effect {
	ch := &change{Call: c, now: instant(now)}
	for {
		next := c.next()
		switch {
		case next.at.IsZero() || next.at.After(ch.now):
			return ch.effects
		case next.reason == ReasonAlone:
			ch.finish(Ended, ReasonAlone, Device{})
		case next.member == nobody:
			ch.ringOut()
		default:
			ch.depart(&ch.Members[next.member], next.reason, Device{})
		}
		ch.noteAlone()
	}
}

// next finds what falls due first. Of two at the same moment the ring deadline comes first, then the members in their
// order.
func (c *Call) next() due {
	first := due{member: nobody}
	if c.Terminal() {
		return first
	}
	if c.Status == Initiated || c.anyWaiting() {
		first.at = c.RingDeadline
	}
	sooner := func(at time.Time, member int, reason Reason) {
		if first.at.IsZero() || at.Before(first.at) {
			first = due{at, member, reason}
		}
	}
	for i := range c.Members {
		s := c.Members[i].Seat
		if s != nil && !s.JoinBy.IsZero() {
			sooner(s.JoinBy, i, ReasonNeverJoined)
		}
		if s != nil && !s.GoneSince.IsZero() {
			sooner(s.GoneSince.Add(c.Policy.Grace), i, ReasonLost)
		}
	}
	if c.Policy.Alone > 0 && !c.AloneSince.IsZero() {
		sooner(c.AloneSince.Add(c.Policy.Alone), nobody, ReasonAlone)
	}
	return first
}

func (c *Call) anyWaiting() bool {
	for i := range c.Members {
		if c.Members[i].waiting() {
			return true
		}
	}
	return false
}

// ringOut stops the ringing: the call is unanswered, or in a group that goes on, those who have not answered are.
func (ch *change) ringOut() {
	if ch.Status == Initiated {
		ch.finish(Unanswered, "", Device{})
		return
	}
	ch.notify(CallUnanswered, "", ch.all(StateRinging)...)
	ch.miss()
	for i := range ch.Members {
		if m := &ch.Members[i]; m.State == StateRinging && !m.Removed {
			m.State = StateUnanswered
			ch.memberChanged(m, "")
		}
	}
}

// presence notes how the device that holds a seat is connected. The grace period runs while it is not at all.
func (ch *change) presence(e Presence) {
	if !ch.Holds(e.Device) {
		return
	}
	s := ch.member(e.Device.UID).Seat
	s.Signaling, s.Media = e.Signaling, e.Media
	switch {
	case e.Signaling || e.Media:
		s.GoneSince = time.Time{}
	case s.GoneSince.IsZero():
		s.GoneSince = ch.now
		if !e.Since.IsZero() && e.Since.Before(ch.now) {
			s.GoneSince = instant(e.Since)
		}
	}
}

// Restore is called once for a call that is loaded after a restart, at the time the server is ready for its clients.
// Nobody is connected yet, and the outage is nobody's fault: the grace periods and join deadlines start anew. The ring
// deadline stays where it is, for the caller was promised it.
func (c *Call) Restore(now time.Time) {
	now = instant(now)
	for i := range c.Members {
		s := c.Members[i].Seat
		if s == nil {
			continue
		}
		s.Signaling, s.Media = false, false
		if s.Device != "" {
			s.GoneSince = now
		}
		if !s.JoinBy.IsZero() {
			s.JoinBy = now.Add(c.Policy.Join)
		}
	}
	if !c.AloneSince.IsZero() {
		c.AloneSince = now
	}
}
