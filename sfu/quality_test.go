package sfu

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
)

// reports lets a client report on its sound until the test is over: so many of 50 packets were lost.
func (h *hall) reports(c *client, lost uint32) (stop func()) {
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		out := h.b.plane.Batch()
		defer h.b.plane.Recycle(out)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		p := h.b.participant(c.room, c.id)
		for n := uint32(1); ; n++ {
			select {
			case <-over:
				return
			case <-tick.C:
			}
			for _, l := range *p.lines.Load() {
				p.RTCP(time.Now(), []rtcp.Packet{&rtcp.ReceiverReport{Reports: []rtcp.ReceptionReport{
					{SSRC: l.stream.SSRC, LastSequenceNumber: 50 * n, TotalLost: lost * n}}}}, out)
			}
		}
	}()
	return func() {
		close(over)
		<-ended
	}
}

// Whoever loses sound is told that their call is bad, and why; what their client measures counts for more than what it reports
// lost, and says when it is good again. The others' calls are as good as ever.
func TestEverybodyIsToldHowGoodACallIs(t *testing.T) {
	b := newBench(t, nil)
	alice := newClient(b, "room", "alice", clientOptions{open: true})
	bob := newClient(b, "room", "bob", clientOptions{open: true})
	alice.play()
	bob.play()
	await := func(who, grade, cause string, others ...string) {
		t.Helper()
		b.await(grade+" of "+who, func(e Event) bool {
			if e.Kind != Quality || e.Participant != who || e.Cause != cause {
				return false
			}
			for _, g := range append(others, grade) {
				if e.Grade == g {
					return true
				}
			}
			return false
		})
	}
	await("alice", "excellent", "none")
	await("bob", "excellent", "none")
	h := &hall{b: b}
	stop := h.reports(bob, 20)
	await("bob", "bad", "loss", "poor", "fair")
	stop()
	b.mu.Lock()
	for _, e := range b.events {
		if e.Kind == Quality && e.Participant == "alice" && e.Grade != "excellent" {
			t.Errorf("alice's call is %s because of %s", e.Grade, e.Cause)
		}
	}
	b.events = nil
	b.mu.Unlock()
	must(t, b.Stats("room", "bob", []SlotStats{{Pair: 0, HasConcealed: true, JitterBuffer: 40 * time.Millisecond}}))
	must(t, b.Stats("room", "alice", []SlotStats{{Pair: 0, Frozen: 0.5, HasConcealed: true, JitterBuffer: 40 * time.Millisecond}}))
	await("bob", "good", "none", "poor", "fair")
	await("alice", "poor", "freeze", "fair", "good")
	eventually(t, func() bool { return b.count("parley_quality_seconds_total", "excellent") > 0 })
}
