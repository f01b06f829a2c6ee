package history

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/parleyrtc/parley/signaling/call"
)

// Missed is a status that only a log has: to this user the call was a missed one. Without a user: nobody answered.
const Missed call.Status = "missed"

// The directions of a call, as seen by one user.
const (
	Incoming = "incoming"
	Outgoing = "outgoing"
)

// Query chooses calls. The zero value of a field chooses all.
type Query struct {
	UID          string // whose log; direction and missed are theirs
	With         string // uid of another member
	Group        string // guid of the called group
	Status       call.Status
	Type         call.Type
	ReceiverType call.ReceiverType
	Direction    string
	From, Until  time.Time // initiated at From or later, and before Until
	Attended     int       // at least so many users in the room

	Before Place // older than this; zero: from the newest on
	Limit  int   // calls, at least 1
}

// Find lists the calls, newest first, at most q.Limit of them. It walks the shortest of the lists that the query names, within its
// range of time.
func (x *Index) Find(now time.Time, q Query) []Hit {
	lists, ok := x.lists(q)
	if !ok {
		return nil
	}
	walk := lists[0]
	for _, l := range lists {
		if len(l) < len(walk) {
			walk = l
		}
	}
	var hits []Hit
	for at := q.end(walk) - 1; at >= 0 && len(hits) < q.Limit; at-- {
		r := walk[at].row
		if !q.From.IsZero() && r.At < q.From.UnixMilli() {
			break
		}
		if !r.expired(now) && inAll(r, lists) && q.admits(r.facts, roleIn(r, lists[0], q)) {
			hits = append(hits, Hit{r.Place, r.revision})
		}
	}
	return hits
}

// lists are those that a call must be in: first that of the user whose log it is, or of all.
func (x *Index) lists(q Query) ([]list, bool) {
	lists := []list{x.all}
	if q.UID != "" {
		l := x.byName[userName(q.UID)]
		if l == nil {
			return nil, false
		}
		lists[0] = *l
	}
	for _, name := range q.others() {
		l := x.byName[name]
		if l == nil {
			return nil, false
		}
		lists = append(lists, *l)
	}
	return lists, true
}

// others are the names besides the user's that a call must have.
func (q Query) others() []string {
	var names []string
	if q.With != "" {
		names = append(names, userName(q.With))
	}
	if q.Group != "" {
		names = append(names, groupName(q.Group))
	}
	return names
}

// end is the place in the list before which the calls are that may be told.
func (q Query) end(l list) int {
	end := len(l)
	if !q.Until.IsZero() {
		end, _ = l.find(Place{At: q.Until.UnixMilli()})
	}
	if q.Before != (Place{}) {
		before, _ := l.find(q.Before)
		end = min(end, before)
	}
	return end
}

func inAll(r *row, lists []list) bool {
	for _, l := range lists {
		if _, in := l.find(r.Place); !in {
			return false
		}
	}
	return true
}

func roleIn(r *row, first list, q Query) role {
	if q.UID == "" {
		return 0
	}
	at, _ := first.find(r.Place)
	return first[at].role
}

// Admits reports whether the query chooses a call that is not in the index: one that goes on, or ended a moment ago.
func (q Query) Admits(c *call.Call, attended int) bool {
	roles, at := rolesIn(c), PlaceOf(c)
	mine, ok := roles[userName(q.UID)]
	if q.UID != "" && !ok {
		return false
	}
	for _, name := range q.others() {
		if _, ok := roles[name]; !ok {
			return false
		}
	}
	switch {
	case !q.From.IsZero() && at.At < q.From.UnixMilli(), !q.Until.IsZero() && at.At >= q.Until.UnixMilli():
		return false
	case q.Before != (Place{}) && at.Compare(q.Before) >= 0:
		return false
	}
	return q.admits(factsOf(c, attended), mine)
}

func (q Query) admits(f facts, mine role) bool {
	switch {
	case q.Type != "" && f.kind != q.Type, q.ReceiverType != "" && f.receiverType != q.ReceiverType:
		return false
	case int(f.attended) < q.Attended:
		return false
	case q.Direction == Outgoing && mine&outgoing == 0, q.Direction == Incoming && mine&outgoing != 0:
		return false
	case q.Status == "":
		return true
	case q.Status != Missed:
		return f.status == q.Status
	case q.UID == "":
		return f.status == call.Unanswered || f.status == call.Busy || f.status == call.Cancelled
	}
	return mine&missed != 0
}

// errCursor refuses a cursor that is none of ours.
var errCursor = errors.New("history: not a cursor")

// Cursor writes a place as text for clients, who hand it back unread.
func (p Place) Cursor() string {
	return strconv.FormatInt(p.At, 36) + "-" + strconv.FormatUint(p.Tie, 36)
}

// ParseCursor reads what Cursor wrote; the empty text is the zero Place.
func ParseCursor(text string) (Place, error) {
	if text == "" {
		return Place{}, nil
	}
	at, tie, ok := strings.Cut(text, "-")
	if !ok {
		return Place{}, errCursor
	}
	ms, err := strconv.ParseInt(at, 36, 64)
	if err != nil || ms < 0 {
		return Place{}, errCursor
	}
	n, err := strconv.ParseUint(tie, 36, 64)
	if err != nil {
		return Place{}, errCursor
	}
	return Place{ms, n}, nil
}
