package signaling

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/parleyrtc/parley/signaling/history"
	"github.com/parleyrtc/parley/signaling/token"
	"github.com/parleyrtc/parley/signaling/wire"
)

// log reads a page of the client's own log.
func (c *client) log(params map[string]any) wire.HistoryResult {
	c.t.Helper()
	var page wire.HistoryResult
	c.do("call.history", params).into(c.t, &page)
	return page
}

// said sums a page up.
func said(page wire.HistoryResult) string {
	var out []string
	for _, c := range page.Calls {
		line := c.Direction + " " + c.Status
		if c.Missed {
			line += " missed"
		}
		for _, p := range c.Participants {
			line += " " + p.User.UID
		}
		out = append(out, line)
	}
	return strings.Join(out, ", ")
}

func TestTheLogHasCallsFromRingToHistory(t *testing.T) {
	n := serve(t, quick())
	alice, bob := n.open("alice"), n.open("bob")
	talked, _ := talkToldOf(alice, bob)
	missed := alice.ring("bob").SessionID
	alice.on("call.cancel", missed).call(t)
	declined := bob.ring("alice").SessionID
	alice.mutate("call.reject", map[string]any{"sessionId": declined, "status": "rejected"}).call(t)
	ringing := alice.ring("carol").SessionID

	look := func(n *node, when string) {
		t.Helper()
		alice, bob := n.open("alice"), n.open("bob")
		for _, row := range []struct {
			who    *client
			params map[string]any
			want   string
		}{
			{alice, nil, "outgoing initiated, incoming rejected, outgoing cancelled, outgoing ended alice bob"},
			{bob, nil, "outgoing rejected, incoming cancelled missed, incoming ended alice bob"},
			{bob, map[string]any{"status": "missed"}, "incoming cancelled missed"},
			{alice, map[string]any{"status": "missed"}, ""},
			{alice, map[string]any{"direction": "incoming"}, "incoming rejected"},
			{alice, map[string]any{"uid": "carol"}, "outgoing initiated"},
			{bob, map[string]any{"attended": 1}, "incoming ended alice bob"},
			{bob, map[string]any{"until": 1}, ""},
			{bob, map[string]any{"type": "audio"}, ""},
			{bob, map[string]any{"receiverType": "user", "limit": 1}, "outgoing rejected"},
		} {
			if got := said(row.who.log(row.params)); got != row.want {
				t.Errorf("%s: %s's log with %v is %q, want %q", when, row.who.uid, row.params, got, row.want)
			}
		}
		first := alice.log(map[string]any{"limit": 3})
		second := alice.log(map[string]any{"limit": 3, "cursor": first.Next})
		if len(first.Calls) != 3 || len(second.Calls) != 1 || second.Calls[0].SessionID != talked || second.Next != "" {
			t.Errorf("%s: the pages are %q and %q, next %q", when, said(first), said(second), second.Next)
		}
	}
	look(n, "just now")
	n.sweep(time.Now().Add(lingering + time.Second))
	look(n, "in the history")
	alice.on("call.cancel", ringing).call(t)
	ringing = alice.ring("carol").SessionID
	n.sweep(time.Now().Add(lingering + time.Second))
	n = n.restart()
	if got := said(n.open("alice").log(map[string]any{"uid": "carol"})); got != "outgoing initiated, outgoing cancelled" {
		t.Errorf("after a restart alice's log with carol is %q", got)
	}
	if got := said(n.open("bob").log(nil)); got != "outgoing rejected, incoming cancelled missed, incoming ended alice bob" {
		t.Errorf("after a restart bob's log is %q", got)
	}
	_ = ringing
	if got := n.open("alice").do("call.history", map[string]any{"cursor": "?"}); got.code() != wire.CodeBadRequest || got.Error.Data.Field != "cursor" {
		t.Errorf("a made-up cursor gives %+v", got.Error)
	}
	if got := n.open("eve").log(nil); len(got.Calls) != 0 {
		t.Errorf("a stranger's log has %+v", got)
	}
	for uid, want := range map[string]string{"": "ended", "alice": "ended", "eve": ""} {
		if c, _ := n.Logged(t.Context(), uid, talked); c.Status != want {
			t.Errorf("%q sees the call as %+v", uid, c)
		}
	}
}

func TestTheLogKeepsHowGoodACallWas(t *testing.T) {
	n := serve(t, quick())
	alice, bob := n.open("alice"), n.open("bob")
	session := alice.ring("bob").SessionID
	bob.on("call.accept", session).call(t)
	var joined wire.JoinResult
	alice.on("session.join", session).into(t, &joined)
	for _, score := range []float64{90, 35.26} {
		n.media.raise(MediaEvent{Kind: MediaQuality, Room: session, Participant: joined.ParticipantID, Score: score, Grade: "good", Cause: "none"})
		alice.expectSoon("session.quality")
	}
	bob.on("call.end", session).call(t)
	c, err := n.Logged(t.Context(), "bob", session)
	if err != nil || len(c.Participants) != 1 || c.Participants[0].Quality == nil {
		t.Fatalf("the log has %+v, %v", c, err)
	}
	if q := c.Participants[0].Quality; q.Worst != 35.3 || q.Mean < 35 || q.Mean > 90 {
		t.Errorf("the quality is %+v", q)
	}
	if p := c.Participants[0]; p.User.UID != "alice" || p.Joins != 1 || len(p.DeviceIDs) != 1 || p.DeviceIDs[0] != alice.hello.DeviceID || p.Seconds <= 0 {
		t.Errorf("alice was %+v", p)
	}
}

// expectSoon passes over other events until one of this type comes.
func (c *client) expectSoon(kind string) {
	c.t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		select {
		case e, ok := <-c.events:
			if !ok || e.Type == kind {
				return
			}
		case <-deadline:
			c.t.Fatalf("%s waited in vain for %s", c.uid, kind)
		}
	}
}

// TestTheLogForgetsInTime has calls that are kept for two seconds only: the log, and one read anew from the store, forget them.
func TestTheLogForgetsInTime(t *testing.T) {
	config := quick()
	config.HistoryTTL = 2 * time.Second
	n := serve(t, config)
	alice := n.open("alice")
	alice.on("call.cancel", alice.ring("bob").SessionID).call(t)
	n.sweep(time.Now().Add(lingering + time.Second))
	if n.past.len() != 1 {
		t.Fatal("the call is not in the history")
	}
	deadline := time.Now().Add(20 * time.Second)
	for len(alice.log(nil).Calls) > 0 {
		if time.Now().After(deadline) {
			t.Fatal("the call is never forgotten")
		}
		time.Sleep(20 * time.Millisecond)
	}
	n.past.expire(time.Now().Add(expiring))
	if n := n.past.len(); n != 0 {
		t.Errorf("the index keeps %d", n)
	}
	n = n.restart()
	if got := n.open("alice").log(nil); len(got.Calls) > 0 {
		t.Errorf("it comes back as %+v", got)
	}
}

func TestTheLogOverREST(t *testing.T) {
	s := newRESTServer(t, RESTConfig{})
	alice := s.as("alice")
	answer := s.must(alice, "GET", "/v1/history?status=missed&direction=incoming&with=bob&guid=team&from=2026-01-02T03:04:05Z&until=2026-01-03T00:00:00Z&attended=2&limit=7&type=video&receiverType=user", "")
	var page wire.HistoryResult
	if err := json.Unmarshal(answer.Body.Bytes(), &page); err != nil || len(page.Calls) != 1 || page.Next == "" {
		t.Fatalf("%s, %v", answer.Body, err)
	}
	from := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	want := history.Query{
		UID: "alice", With: "bob", Group: "team", Status: "missed", Type: "video", ReceiverType: "user", Direction: "incoming",
		From: from.Local(), Until: from.Add(20*time.Hour + 55*time.Minute + 55*time.Second).Local(), Attended: 2, Limit: 7,
	}
	if got := s.calls.asked[0]; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("it asks for %+v, want %+v", got, want)
	}
	s.must(alice, "GET", "/v1/history?cursor="+page.Next, "")
	s.must(asReader, "GET", "/v1/history?uid=alice", "")
	s.must(asReader, "GET", "/v1/history", "")
	s.must(alice, "GET", "/v1/history/s-1", "")
	for path, want := range map[string]int{
		"/v1/history?uid=bob":             http.StatusForbidden,
		"/v1/history/export?uid=bob":      http.StatusForbidden,
		"/v1/history?cursor=x":            http.StatusUnprocessableEntity,
		"/v1/history?status=over":         http.StatusUnprocessableEntity,
		"/v1/history?with=a%20b":          http.StatusUnprocessableEntity,
		"/v1/history?limit=101":           http.StatusUnprocessableEntity,
		"/v1/history/export?format=xlsx":  http.StatusUnprocessableEntity,
		"/v1/history?from=yesterday":      http.StatusUnprocessableEntity,
		"/v1/history/export?cursor=1-2":   http.StatusUnprocessableEntity,
		"/v1/history/export?format=jsonl": http.StatusOK,
	} {
		if got := s.do(alice, "GET", path, ""); got.Code != want {
			t.Errorf("%s gives %d %s, want %d", path, got.Code, got.Body, want)
		}
	}
	lines := strings.Split(strings.TrimSpace(s.must(asReader, "GET", "/v1/history/export?format=jsonl", "").Body.String()), "\n")
	table := s.must(asReader, "GET", "/v1/history/export", "")
	if len(lines) != 2 || strings.Count(table.Body.String(), "\n") != 3 || table.Header().Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("two pages are exported as\n%s\nand\n%s", lines, table.Body)
	}
}

func TestTheLogShowsNobodyWhoIsHidden(t *testing.T) {
	n := serve(t, open())
	alice := n.open("alice")
	recorder := n.openAs(token.Claims{UID: "recorder", Session: &token.SessionGrant{Name: "weekly", Hidden: true}})
	id := alice.enter("weekly").Call.SessionID
	recorder.enter("weekly")
	look := func(when string) {
		t.Helper()
		page := alice.log(map[string]any{"receiverType": "session"})
		if len(page.Calls) != 1 || len(page.Calls[0].Participants) != 1 || strings.Contains(fmt.Sprint(page), "recorder") {
			t.Errorf("%s: alice's log is %+v", when, page)
		}
		for _, params := range []map[string]any{{"uid": "recorder"}, {"attended": 2}} {
			if page := alice.log(params); len(page.Calls) != 0 {
				t.Errorf("%s: alice finds %+v with %v", when, page, params)
			}
		}
	}
	look("in the session")
	recorder.on("session.leave", id)
	alice.on("session.leave", id)
	n.sweep(time.Now().Add(lingering + time.Second))
	look("in the history")
}
