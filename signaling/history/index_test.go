package history

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/parleyrtc/parley/signaling/call"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// past is a call that is over, as the model has it.
type past struct {
	call     *call.Call
	attended int
	revision uint64
	expires  time.Time
}

var (
	people   = []string{"alice", "bob", "carol", "dave"}
	statuses = []call.Status{call.Rejected, call.Busy, call.Cancelled, call.Unanswered, call.Ended}
	states   = []call.State{call.StateJoined, call.StateRejected, call.StateBusy, call.StateUnanswered, call.StateLeft}
)

func drawCall(t *rapid.T, n int) past {
	c := &call.Call{
		ID: fmt.Sprint("s-", n), Type: rapid.SampledFrom([]call.Type{call.Audio, call.Video}).Draw(t, "type"),
		Status:      rapid.SampledFrom(statuses).Draw(t, "status"),
		InitiatedAt: start.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "second")) * time.Second), // several at one moment
	}
	who := rapid.Permutation(people).Draw(t, "who")
	c.Initiator, c.Receiver, c.ReceiverType = who[0], who[1], call.User
	who = who[:2]
	if rapid.Bool().Draw(t, "group") {
		c.Receiver, c.ReceiverType = rapid.SampledFrom([]string{"team", "alice"}).Draw(t, "guid"), call.Group // also one that is called like a user
		who = append(who, people[rapid.IntRange(0, 3).Draw(t, "third")])
		slices.Sort(who[1:])
		who = slices.Compact(who)
	}
	for i, uid := range who {
		m := call.Member{UID: uid, State: rapid.SampledFrom(states).Draw(t, "state"), Missed: rapid.Bool().Draw(t, "missed") && i > 0}
		m.Removed = i > 0 && rapid.IntRange(0, 5).Draw(t, "removed") == 0
		if i == 0 || !slices.ContainsFunc(c.Members, func(o call.Member) bool { return o.UID == uid }) {
			c.Members = append(c.Members, m)
		}
	}
	return past{c, rapid.IntRange(0, 3).Draw(t, "attended"), uint64(2*n + 2), start.Add(time.Duration(rapid.IntRange(1, 5).Draw(t, "life")) * time.Hour)}
}

func drawQuery(t *rapid.T) Query {
	name := func(label string, from ...string) string {
		return rapid.SampledFrom(append(from, "", "")).Draw(t, label)
	}
	q := Query{
		UID: name("uid", people...), With: name("with", people...), Group: name("group", "team", "alice"),
		Status: call.Status(name("status", "ended", "cancelled", "missed")), Type: call.Type(name("type", "video")),
		ReceiverType: call.ReceiverType(name("receiverType", "user", "group")), Direction: name("direction", Incoming, Outgoing),
		Attended: rapid.IntRange(0, 2).Draw(t, "attended"), Limit: rapid.IntRange(1, 7).Draw(t, "limit"),
	}
	if rapid.IntRange(0, 3).Draw(t, "from?") == 0 {
		q.From = start.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "from")) * time.Second)
	}
	if rapid.IntRange(0, 3).Draw(t, "until?") == 0 {
		q.Until = start.Add(time.Duration(rapid.IntRange(0, 30).Draw(t, "until")) * time.Second)
	}
	return q
}

// wanted is what a query means, said as plainly as can be.
func wanted(p past, q Query) bool {
	c := p.call
	part := func(uid string) *call.Member {
		for i := range c.Members {
			if c.Members[i].UID == uid && !c.Members[i].Removed {
				return &c.Members[i]
			}
		}
		return nil
	}
	missedBy := func(m *call.Member) bool { return m.UID != c.Initiator && m.Missed && m.State != call.StateRejected }
	mine := part(q.UID)
	ok := (q.UID == "" || mine != nil) && (q.With == "" || part(q.With) != nil) &&
		(q.Group == "" || c.ReceiverType == call.Group && c.Receiver == q.Group) &&
		(q.Type == "" || c.Type == q.Type) && (q.ReceiverType == "" || c.ReceiverType == q.ReceiverType) && p.attended >= q.Attended &&
		(q.From.IsZero() || !c.InitiatedAt.Before(q.From)) && (q.Until.IsZero() || c.InitiatedAt.Before(q.Until))
	switch {
	case q.Status == Missed && q.UID == "":
		ok = ok && slices.Contains([]call.Status{call.Busy, call.Cancelled, call.Unanswered}, c.Status)
	case q.Status == Missed:
		ok = ok && mine != nil && missedBy(mine)
	case q.Status != "":
		ok = ok && c.Status == q.Status
	}
	if q.Direction == Outgoing {
		return ok && q.UID != "" && c.Initiator == q.UID
	}
	return ok && (q.Direction == "" || c.Initiator != q.UID)
}

// TestPagesAreThoseOfAPlainSearch compares the index, page by page, with a search through all calls, and with the filter for calls
// that are not in it.
func TestPagesAreThoseOfAPlainSearch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, now := NewIndex(), start
		var all []past
		for n := range rapid.IntRange(0, 40).Draw(t, "calls") {
			p := drawCall(t, n)
			all = append(all, p)
			x.Put(p.call, p.attended, p.revision, p.expires)
			x.Put(p.call, p.attended, p.revision-1, p.expires) // found later, but older
		}
		for range 5 {
			if rapid.IntRange(0, 3).Draw(t, "later") == 0 {
				now = now.Add(time.Hour)
			}
			if rapid.Bool().Draw(t, "expire") {
				x.Expire(now)
			}
			q := drawQuery(t)
			var want []uint64
			for _, p := range sorted(all) {
				if wanted(p, q) != q.Admits(p.call, p.attended) {
					t.Fatalf("%+v: the filter judges %+v wrongly", q, p.call)
				}
				if wanted(p, q) && now.Before(p.expires) {
					want = append(want, p.revision)
				}
			}
			var got []uint64
			for {
				page := x.Find(now, q)
				for _, hit := range page {
					got = append(got, hit.Revision)
				}
				if len(page) < q.Limit {
					break
				}
				before, err := ParseCursor(page[len(page)-1].Cursor())
				if err != nil {
					t.Fatal(err)
				}
				q.Before = before
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%+v gives %v, want %v", q, got, want)
			}
		}
	})
}

// sorted is the order of the log: newest first.
func sorted(all []past) []past {
	out := slices.Clone(all)
	slices.SortFunc(out, func(a, b past) int { return PlaceOf(b.call).Compare(PlaceOf(a.call)) })
	return out
}

func TestCursorsAreReadStrictly(t *testing.T) {
	for _, text := range []string{"x", "-", "1-", "-1", "--", "1-1-1", "-1-1", "1-zzzzzzzzzzzzzzz", "!"} {
		if p, err := ParseCursor(text); err == nil {
			t.Errorf("%q is read as %v", text, p)
		}
	}
}

// BenchmarkIndex says what a call of two costs in memory, and what a page of one user's missed calls costs.
func BenchmarkIndex(b *testing.B) {
	const calls, users = 200_000, 2_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	x := NewIndex()
	for n := range calls {
		from, to := fmt.Sprint("user-", n%users), fmt.Sprint("user-", (n*7+1)%users)
		x.Put(&call.Call{
			ID: fmt.Sprint("s-", n), Type: call.Video, ReceiverType: call.User, Initiator: from, Receiver: to, Status: call.Ended,
			InitiatedAt: start.Add(time.Duration(n) * time.Second), Members: []call.Member{{UID: from}, {UID: to, Missed: n%50 == 0}},
		}, 2, uint64(n), start.Add(1<<40))
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	for n := 0; b.Loop(); n++ {
		x.Find(start, Query{UID: fmt.Sprint("user-", n%users), Status: Missed, Limit: 30})
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/calls, "B/call")
	runtime.KeepAlive(x)
}
