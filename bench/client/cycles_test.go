package client_test

import (
	"context"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parleyrtc/parley/bench/client"
)

// footprint is what a server holds on to; heap is what lives on it, and heap and stacks are bytes.
type footprint struct{ goroutines, heap, stacks, fds float64 }

// settled waits until the server's goroutines have not gone down for a second, and reads its footprint after a collection.
func (s *server) settled() footprint {
	s.t.Helper()
	var last float64
	still := 0
	for range 200 {
		now := s.metric("go_goroutines")
		if now >= last {
			still++
		} else {
			still = 0
		}
		if still == 10 {
			break
		}
		last = now
		time.Sleep(100 * time.Millisecond)
	}
	f := footprint{goroutines: s.metric("go_goroutines"), heap: math.Inf(1), fds: s.metric("process_open_fds")}
	for range 3 { // what is garbage again by the time of the reading is not always the same
		s.collect()
		f.heap = min(f.heap, s.metric("go_memstats_heap_alloc_bytes"))
	}
	f.stacks = s.metric("go_memstats_stack_inuse_bytes")
	return f
}

// TestJoinsAndLeavesLeaveNothingBehind joins and leaves one session again and again. PARLEY_CYCLES sets how often:
// the long run of `make test-long` does 1,000.
func TestJoinsAndLeavesLeaveNothingBehind(t *testing.T) {
	cycles := 60
	if n, err := strconv.Atoi(os.Getenv("PARLEY_CYCLES")); err == nil {
		cycles = n
	}
	s := startServer(t)
	alice, bob := newPerson(s, "alice"), newPerson(s, "bob")
	token := s.token("alice")
	s.restAs(token, "PUT", "/v1/groups/team", map[string]string{"name": "Team"})
	for _, uid := range []string{"alice", "bob"} {
		s.restAs(token, "PUT", "/v1/groups/team/members/"+uid, nil)
	}
	call, err := alice.Initiate(background(t), "team", "group", "video")
	if err != nil {
		t.Fatal(err)
	}
	accept(t, bob, call.SessionID)
	alice.join(t, call.SessionID, client.SessionConfig{})
	go drain(bob)

	cycle := func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		session, err := bob.Join(ctx, call.SessionID, client.SessionConfig{
			Tracks: []client.LocalTrack{{Track: bob.audio, Source: "microphone"}, {Track: bob.video, Source: "camera"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		select {
		case <-session.Connected():
		case <-ctx.Done():
			t.Fatal("the session does not connect")
		}
		if err := session.Leave(ctx); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 { // pools, caches and the history ring fill up first
		cycle()
	}
	before := s.settled()
	for range cycles {
		cycle()
	}
	after := s.settled()
	t.Logf("%d cycles: goroutines %v → %v, live heap %.1f → %.1f MiB, file descriptors %v → %v", cycles,
		before.goroutines, after.goroutines, before.heap/(1<<20), after.heap/(1<<20), before.fds, after.fds)
	if after.goroutines > before.goroutines+5 {
		t.Errorf("%v goroutines stayed", after.goroutines-before.goroutines)
	}
	if after.fds > before.fds+2 {
		t.Errorf("%v file descriptors stayed", after.fds-before.fds)
	}
	// The store's write cache and the answers remembered for five minutes fill up to bounds of their own, some 6 MiB here;
	// a leak of ten kilobytes a cycle would be more in the long run.
	if after.heap > before.heap*1.25+8<<20 {
		t.Errorf("the heap grew from %.1f to %.1f MiB", before.heap/(1<<20), after.heap/(1<<20))
	}
}

func drain(p *person) {
	for range p.Events() {
	}
}

// The shape of BenchmarkIdleParticipant.
const (
	idleGroups = 8
	idleGroup  = 10 // people in each
)

// BenchmarkIdleParticipant tells what a connected participant who sends nothing costs the server: somebody in a group call
// with one pair of slots, microphone and camera of their own, and no data channel. It is beyond what they cost as somebody who
// is signed in and in no call. Each round has a server of its own, and one group more than are counted: what the server gets
// once, such as buffers of the store, it gets with that one. The figures are medians of the rounds.
func BenchmarkIdleParticipant(b *testing.B) {
	var goroutines, heap, stacks []float64
	for range b.N {
		cost := idleRound(b)
		goroutines = append(goroutines, cost.goroutines)
		heap = append(heap, cost.heap/1024)
		stacks = append(stacks, cost.stacks/1024)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(goroutines), "goroutines/participant")
	b.ReportMetric(median(heap), "KiB-live-heap/participant")
	b.ReportMetric(median(stacks), "KiB-stacks/participant")
}

func median(figures []float64) float64 {
	slices.Sort(figures)
	return (figures[(len(figures)-1)/2] + figures[len(figures)/2]) / 2
}

// idleRound is what one participant costs, on a server of its own.
func idleRound(b *testing.B) footprint {
	s := startServer(b)
	defer s.stop()
	var groups [][]*person
	for g := range 1 + idleGroups {
		people := s.group("g"+strconv.Itoa(g), idleGroup)
		for _, p := range people {
			defer p.Close()
		}
		groups = append(groups, people)
	}
	for _, session := range idleCall(b, groups[0]) {
		defer session.Close()
	}
	before := s.settled()
	for _, people := range groups[1:] {
		for _, session := range idleCall(b, people) {
			defer session.Close()
		}
	}
	after := s.settled()
	const people = idleGroups * idleGroup
	return footprint{
		goroutines: (after.goroutines - before.goroutines) / people,
		heap:       (after.heap - before.heap) / people,
		stacks:     (after.stacks - before.stacks) / people,
	}
}

// group signs in the members of a new group.
func (s *server) group(guid string, members int) []*person {
	s.t.Helper()
	token := s.token(guid + "-0")
	s.restAs(token, "PUT", "/v1/groups/"+guid, map[string]string{"name": guid})
	var people []*person
	for i := range members {
		uid := guid + "-" + strconv.Itoa(i)
		s.restAs(token, "PUT", "/v1/groups/"+guid+"/members/"+uid, nil)
		people = append(people, newPerson(s, uid))
	}
	for _, p := range people {
		go drain(p) // until the person is gone
	}
	return people
}

// idleCall puts a group into one call in which nobody sends anything.
func idleCall(b *testing.B, people []*person) []*client.Session {
	b.Helper()
	guid, _, _ := strings.Cut(people[0].uid, "-")
	call, err := people[0].Initiate(background(b), guid, "group", "video")
	if err != nil {
		b.Fatal(err)
	}
	var sessions []*client.Session
	for i, p := range people {
		if i > 0 {
			accept(b, p, call.SessionID)
		}
		session, err := p.Join(background(b), call.SessionID, client.SessionConfig{
			ICEServers: []webrtc.ICEServer{}, // TURN allocations would be counted too
			Pairs:      1,
			Tracks:     []client.LocalTrack{{Track: p.audio, Source: "microphone"}, {Track: p.video, Source: "camera"}},
		})
		if err != nil {
			b.Fatal(err)
		}
		<-session.Connected()
		sessions = append(sessions, session)
	}
	return sessions
}
