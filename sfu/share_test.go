package sfu

import (
	"testing"
	"time"

	"github.com/parleyrtc/parley/sfu/budget"
	"github.com/parleyrtc/parley/sfu/bwe"
	"github.com/parleyrtc/parley/sfu/layer"
)

// paused awaits that a client is told that the video of its pair 0 is paused, or is sent again, and forgets it.
func (b *bench) paused(participant string, paused bool, reason string) {
	b.t.Helper()
	b.await("pause for "+reason, func(e Event) bool {
		return e.Kind == SlotPaused && e.Participant == participant && e.Paused == paused && e.Reason == reason
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	kept := b.events[:0]
	for _, e := range b.events {
		if e.Kind != SlotPaused {
			kept = append(kept, e)
		}
	}
	b.events = kept
}

// Whoever is shown nothing and wants nothing is not probed: 0 would mean that it may be anything.
func TestWantingNothingIsNotWantingAnything(t *testing.T) {
	now := time.Now()
	probed := func(want bwe.Rate) (cluster int32) {
		e := bwe.New(now, bwe.Config{})
		if first, ok := e.Probe(now); !ok || first.Cluster == 0 { // before anything is known
			t.Fatal("nobody looks at all")
		}
		e.SetWant(want)
		for at := now; at.Before(now.Add(10 * time.Second)); at = at.Add(100 * time.Millisecond) {
			e.Tick(at)
			if p, ok := e.Probe(at); ok {
				cluster = p.Cluster
			}
		}
		return cluster
	}
	if probed(worth(&budget.Plan{})) != 0 || probed(0) == 0 {
		t.Error("padding is sent for nothing, or never")
	}
	if got := worth(&budget.Plan{Wanted: 1_000_000}); got < 1_000_000 || got > 1_250_000 {
		t.Errorf("for 1 Mbit/s it looks for %d", got)
	}
}

// What is hidden or paused at the receiver's wish is not sent, the receiver is told, and it comes back with a keyframe; sound goes on. A
// client of whose network nothing is known wishes as well as any.
func TestAWishIsFollowed(t *testing.T) {
	onBothPaths(t, func(t *testing.T, b *bench) {
		for _, reports := range []bool{false, true} {
			id := map[bool]string{false: "bob", true: "carol"}[reports]
			s := newStudio(t, b, id, "alice", "q", "h", "f")
			v := &viewer{c: newClient(b, id, id, clientOptions{silent: true, reports: reports})}
			s.run()
			for _, wish := range []struct {
				reason string
				SlotWish
			}{{"hidden", SlotWish{Hidden: true}}, {"paused", SlotWish{Paused: true}}} {
				v.until("f")
				must(t, b.Wish(id, id, []SlotWish{wish.SlotWish}))
				b.paused(id, true, wish.reason)
				must(t, b.Wish(id, id, nil))
				b.paused(id, false, "full")
				for v.last = nil; v.last == nil || v.last.Payload[6]&1 != 0; { // what was on its way comes first
					v.last = nil
					v.next()
				}
			}
			v.c.close()
			s.close()
		}
	})
}

// A publisher is told at once what is watched again, and some seconds later what is not any more; never while nobody has had a chance
// to look.
func TestAPublisherIsToldWhatIsWatched(t *testing.T) {
	f := newFan(t, 2)
	r := f.publisher.room
	pub := f.subscriptions[0].publication
	r.mu.Lock()
	defer r.mu.Unlock()
	in := &f.publisher.incoming
	in.mu.Lock()
	pub.shape([]string{"q", "h", "f"})
	in.mu.Unlock()
	grant := func(a, b uint8) { f.subscriptions[0].granted, f.subscriptions[1].granted = a, b }
	told := func(at time.Duration) []bool {
		r.events = nil
		f.publisher.tellWatched(f.now.Add(at))
		if len(r.events) == 0 {
			return nil
		}
		var active []bool
		for _, w := range r.events[0].Watched {
			for _, e := range w.Encodings {
				active = append(active, e.Active)
			}
			active = append(active, w.Active)
		}
		return active
	}
	same := func(at time.Duration, want ...bool) {
		t.Helper()
		got := told(at)
		if len(got) != len(want) {
			t.Fatalf("after %v: %v, want %v", at, got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("after %v: %v, want %v", at, got, want)
			}
		}
	}
	same(0)
	grant(1, 2)
	same(time.Second)
	same(unwatchedFor - 1)
	same(unwatchedFor, true, true, false, true)
	grant(0, 2)
	same(unwatchedFor + time.Second)
	same(2*unwatchedFor+time.Second, false, true, false, true)
	grant(4, 2)
	same(2*unwatchedFor+2*time.Second, false, true, true, true)
	grant(0, 0)
	same(2*unwatchedFor + 3*time.Second)
	same(4*unwatchedFor, false, false, false, false)
	r.open.Store(false)
	same(5*unwatchedFor, true, true, true, true)
	r.open.Store(true)
	r.events = nil
}

// What we had the publisher stop counts with what it took before, what it stopped itself counts as nothing, and what was never seen
// as what it usually takes.
func TestAStoppedEncodingCanBeChosen(t *testing.T) {
	f := newFan(t, 1)
	pub := f.subscriptions[0].publication
	f.subscriptions[0].line.to.still.Store(true)
	in := &f.publisher.incoming
	in.mu.Lock()
	pub.shape([]string{"h", "f"})
	large := pub.encodings[1]
	at := f.now
	run := func(d time.Duration) {
		in.mu.Lock()
		defer in.mu.Unlock()
		for end := at.Add(d); at.Before(end); at = at.Add(10 * time.Millisecond) {
			large.rates.Add(at, &layer.Packet{Layer: layer.Layer{Encoding: 1}, Timestamp: uint32(at.Sub(f.now) / 1000)}, 1250) // 1 Mbit/s
		}
	}
	in.mu.Unlock()
	rate := func() int64 {
		options := pub.options(at, nil)
		if len(options) == 0 {
			return -1
		}
		if last := options[len(options)-1]; last.Encoding == 1 {
			return last.Rate
		}
		return -1
	}
	if n := rate(); n != -1 {
		t.Errorf("what was never seen takes %d", n)
	}
	pub.switchOff(at, 2, 2)
	if n := rate(); n != expected["camera"][0] {
		t.Errorf("what was never seen and is stopped takes %d", n)
	}
	pub.switchOff(at, 0, 2)
	at = at.Add(resumeTime)
	for range 50 {
		run(100 * time.Millisecond)
		rate()
	}
	if n := rate(); n < 900_000 || n > 1_100_000 {
		t.Errorf("measured %d", n)
	}
	pub.switchOff(at, 2, 2)
	at = at.Add(time.Minute)
	if n := rate(); n < 900_000 || n > 1_100_000 {
		t.Errorf("stopped by us it takes %d", n)
	}
	pub.switchOff(at, 0, 2)
	if n := rate(); n < 900_000 {
		t.Errorf("asked for again it takes %d", n)
	}
	at = at.Add(resumeTime)
	if n := rate(); n != 0 {
		t.Errorf("what does not come takes %d", n)
	}
}
