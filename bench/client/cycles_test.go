package client_test

import (
	"context"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"github.com/parleyrtc/parley/bench/client"
)

// footprint is what a server holds on to.
type footprint struct{ goroutines, heap, fds float64 }

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
	s.collect()
	return footprint{s.metric("go_goroutines"), s.metric("go_memstats_heap_alloc_bytes"), s.metric("process_open_fds")}
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

// BenchmarkIdleParticipant tells what a connected participant who sends nothing costs the server: goroutines and heap.
func BenchmarkIdleParticipant(b *testing.B) {
	const people = 40
	for range b.N {
		s := startServer(b)
		token := s.token("u0")
		s.restAs(token, "PUT", "/v1/groups/team", map[string]string{"name": "Team"})
		var all []*person
		for i := range people {
			uid := "u" + strconv.Itoa(i)
			s.restAs(token, "PUT", "/v1/groups/team/members/"+uid, nil)
			all = append(all, newPerson(s, uid))
		}
		call, err := all[0].Initiate(background(b), "team", "group", "video")
		if err != nil {
			b.Fatal(err)
		}
		before := s.settled()
		for i, p := range all {
			if i > 0 {
				accept(b, p, call.SessionID)
			}
			session, err := p.Join(background(b), call.SessionID, client.SessionConfig{
				ICEServers: []webrtc.ICEServer{}, // TURN allocations would be counted too
				Tracks:     []client.LocalTrack{{Track: p.audio, Source: "microphone"}, {Track: p.video, Source: "camera"}},
			})
			if err != nil {
				b.Fatal(err)
			}
			<-session.Connected()
			b.Cleanup(session.Close)
		}
		after := s.settled()
		b.ReportMetric((after.goroutines-before.goroutines)/people, "goroutines/participant")
		b.ReportMetric((after.heap-before.heap)/people/1024, "KiB-live-heap/participant")
	}
}
