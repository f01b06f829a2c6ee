// Package history knows which calls were made: who was in them and how long, and how to find them again.
//
// It is pure. Its owner brings the calls as they end, holds the lock around an Index, and reads the records that it names.
package history

import (
	"slices"
	"time"

	"github.com/parleyrtc/parley/signaling/journal"
)

// maxAttendees bounds the users of one call: a named session that never ends has visitors without end. Who left longest ago is
// forgotten first.
const maxAttendees = 1000

// maxDevices bounds the devices that are remembered of one user in one call; the newest stay.
const maxDevices = 8

// Attendance says who was in a call's room, in the order in which they first came.
type Attendance []Attendee

// Attendee is one user's time in the room, over all devices and returns.
type Attendee struct {
	UID      string        `json:"uid"`
	Devices  []string      `json:"devices,omitempty"`
	Joins    int           `json:"joins"`
	JoinedAt time.Time     `json:"joinedAt"`        // first
	LeftAt   time.Time     `json:"leftAt,omitzero"` // last; zero while in the room
	Total    time.Duration `json:"total,omitzero"`  // of the visits that are over
	Quality  Quality       `json:"quality,omitzero"`
}

// Quality sums up the scores of one user, each counted for as long as it held.
type Quality struct {
	Worst   float64   `json:"worst"`
	Sum     float64   `json:"sum"`            // score × seconds
	Seconds float64   `json:"seconds"`        // measured
	Score   float64   `json:"score"`          // at present
	Since   time.Time `json:"since,omitzero"` // of Score; zero when there is none at present
	Known   bool      `json:"known"`          // there was a score at all
}

// Mean is the average score over time; the last one, when none held for any time.
func (q Quality) Mean() float64 {
	if q.Seconds <= 0 {
		return q.Score
	}
	return q.Sum / q.Seconds
}

// rest counts the present score up to now.
func (q *Quality) rest(now time.Time) {
	if q.Since.IsZero() {
		return
	}
	if held := now.Sub(q.Since).Seconds(); held > 0 {
		q.Sum += q.Score * held
		q.Seconds += held
	}
	q.Since = time.Time{}
}

// With returns the attendance after what the entries tell. The attendance itself is not changed.
func (a Attendance) With(entries []journal.Entry) Attendance {
	next := a
	for _, e := range entries {
		if e.Kind != journal.Joined && e.Kind != journal.Left {
			continue
		}
		if len(next) > 0 && len(a) > 0 && &next[0] == &a[0] || len(next) == 0 {
			next = slices.Clone(a)
		}
		next = next.note(e)
	}
	return next
}

// note changes the attendance in place, but for what it shares with others.
func (a Attendance) note(e journal.Entry) Attendance {
	i := slices.IndexFunc(a, func(who Attendee) bool { return who.UID == e.UID })
	if i < 0 {
		a = append(a.withRoom(), Attendee{UID: e.UID, JoinedAt: e.At})
		i = len(a) - 1
	}
	who := &a[i]
	if e.Kind == journal.Left {
		who.Total += max(0, e.At.Sub(e.Since))
		who.LeftAt = e.At
		who.Quality.rest(e.At)
		return a
	}
	who.Joins++
	who.LeftAt = time.Time{}
	devices := slices.DeleteFunc(slices.Clone(who.Devices), func(d string) bool { return d == e.Device })
	devices = append(devices, e.Device)
	who.Devices = devices[max(0, len(devices)-maxDevices):]
	return a
}

// withRoom forgets somebody if there are many.
func (a Attendance) withRoom() Attendance {
	oldest := -1
	for i := range a {
		if !a[i].LeftAt.IsZero() && (oldest < 0 || a[i].LeftAt.Before(a[oldest].LeftAt)) {
			oldest = i
		}
	}
	if len(a) < maxAttendees || oldest < 0 {
		return a
	}
	return slices.Delete(a, oldest, oldest+1)
}

// Measured returns the attendance with a new score of somebody in the room. Nobody else's counts.
func (a Attendance) Measured(now time.Time, uid string, score float64) Attendance {
	i := slices.IndexFunc(a, func(who Attendee) bool { return who.UID == uid && who.LeftAt.IsZero() })
	if i < 0 {
		return a
	}
	next := slices.Clone(a)
	q := &next[i].Quality
	now = now.UTC().Round(0)
	q.rest(now)
	if !q.Known || score < q.Worst {
		q.Worst = score
	}
	q.Score, q.Since, q.Known = score, now, true
	return next
}
