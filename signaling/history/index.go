package history

import (
	"cmp"
	"hash/fnv"
	"slices"
	"time"

	"github.com/parleyrtc/parley/signaling/call"
)

// Place is where a call stands in the order of the log: by the time it was initiated, and of several at one moment by a hash of
// its id. The zero Place is before all calls.
type Place struct {
	At  int64 // Unix milliseconds
	Tie uint64
}

// PlaceOf is the place of a call.
func PlaceOf(c *call.Call) Place {
	h := fnv.New64a()
	_, _ = h.Write([]byte(c.ID)) // never fails
	return Place{c.InitiatedAt.UnixMilli(), h.Sum64()}
}

// Compare orders places, the older call first.
func (p Place) Compare(q Place) int {
	return cmp.Or(cmp.Compare(p.At, q.At), cmp.Compare(p.Tie, q.Tie))
}

// Hit is a call that was found.
type Hit struct {
	Place
	Revision uint64 // of its record
}

// Index finds past calls by who was in them, newest first, without looking at their records: a row for each call, and for each
// user and group the list of their calls in order. It is built anew at every start, in one pass over the records, and lives in
// memory: some 170 bytes for a call of two (BenchmarkIndex). It is not safe for concurrent use. The zero value is not usable; see NewIndex.
type Index struct {
	all    list
	byName map[string]*list // see userName and groupName
}

// row is what filters look at.
type row struct {
	Place
	revision uint64
	expires  int64 // Unix seconds; zero: never
	facts    facts
}

// facts are what filters ask of a call, whoever asks.
type facts struct {
	status       call.Status
	kind         call.Type
	receiverType call.ReceiverType
	attended     uint16 // users who were in the room
}

// role is what a call was to one user.
type role uint8

const (
	outgoing role = 1 << iota
	missed
)

// item is a row in somebody's list.
type item struct {
	row  *row
	role role
}

// list has items from the oldest to the newest.
type list []item

// NewIndex returns an empty index.
func NewIndex() *Index { return &Index{byName: map[string]*list{}} }

// userName and groupName are names that cannot be each other's.
func userName(uid string) string   { return "u" + uid }
func groupName(guid string) string { return "g" + guid }

// Put notes a call that is over, whose record has this revision until it expires (zero: never). Of two revisions of
// a call the newer one counts, in whatever order they come.
func (x *Index) Put(c *call.Call, attended int, revision uint64, expires time.Time) {
	r := &row{Place: PlaceOf(c), revision: revision, facts: factsOf(c, attended)}
	if !expires.IsZero() {
		r.expires = expires.Unix()
	}
	x.all.put(item{row: r})
	for name, role := range rolesIn(c) {
		if x.byName[name] == nil {
			x.byName[name] = &list{}
		}
		x.byName[name].put(item{r, role})
	}
}

// Len is the number of calls.
func (x *Index) Len() int { return len(x.all) }

// Expire forgets the calls whose records are gone by now. It looks at every row, so once an hour is enough.
func (x *Index) Expire(now time.Time) {
	gone := func(i item) bool { return i.row.expired(now) }
	x.all = slices.DeleteFunc(x.all, gone)
	for name, l := range x.byName {
		if *l = slices.DeleteFunc(*l, gone); len(*l) == 0 {
			delete(x.byName, name)
		}
	}
}

func (r *row) expired(now time.Time) bool { return r.expires != 0 && now.Unix() >= r.expires }

// put keeps the order. Calls end in about the order in which they began, so what moves is short.
func (l *list) put(i item) {
	at, found := l.find(i.row.Place)
	if found {
		if i.row.revision > (*l)[at].row.revision {
			(*l)[at] = i
		}
		return
	}
	*l = slices.Insert(*l, at, i)
}

func (l list) find(p Place) (int, bool) {
	return slices.BinarySearchFunc(l, p, func(i item, p Place) int { return i.row.Compare(p) })
}

// factsOf and rolesIn are the only readers of a call, live or over, so that one filter serves both.
func factsOf(c *call.Call, attended int) facts {
	return facts{status: c.Status, kind: c.Type, receiverType: c.ReceiverType, attended: uint16(min(attended, 1<<16-1))}
}

// rolesIn says whose log the call belongs in, by name, and what it was to them.
func rolesIn(c *call.Call) map[string]role {
	out := make(map[string]role, len(c.Members)+1)
	for i := range c.Members {
		m := &c.Members[i]
		if m.Removed || m.Rights.Hidden { // others must not find who is hidden by looking for them
			continue
		}
		var r role
		if m.UID == c.Initiator {
			r = outgoing
		} else if m.Missed && m.JoinedAt.IsZero() && m.Seat == nil && m.State != call.StateRejected {
			r = missed
		}
		out[userName(m.UID)] = r
	}
	if c.ReceiverType == call.Group {
		out[groupName(c.Receiver)] = 0
	}
	return out
}
