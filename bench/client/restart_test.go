package client_test

import (
	"testing"
	"time"

	"github.com/parleyrtc/parley/bench/client"
)

func TestARingingCallRingsOutOnItsDeadlineAfterKill9(t *testing.T) {
	s := startServer(t, "PARLEY_CALLS_RING_TIMEOUT=6s")
	alice, bob := newPerson(s, "alice"), newPerson(s, "bob")
	call := ring(t, alice, bob)
	s.kill()
	s.start()
	back := s.dialAs(client.Config{DeviceID: alice.Hello.DeviceID}, "alice")
	bobs := withClient(t, s.dialAs(client.Config{DeviceID: bob.Hello.DeviceID}, "bob"), "bob")
	if calls := bobs.Hello.Snapshot.Calls; len(calls) != 1 || calls[0].Status != "initiated" || calls[0].RingDeadline != call.RingDeadline {
		t.Fatalf("after the restart bob's phone sees %+v, want it ringing until %d", calls, call.RingDeadline)
	}
	over := withClient(t, back, "alice").wait(t, "call.unanswered").Call()
	bobs.wait(t, "call.missed")
	if over.Status != "unanswered" || over.EndedAt < call.RingDeadline {
		t.Fatalf("the call is %s at %d, its deadline was %d", over.Status, over.EndedAt, call.RingDeadline)
	}
	if late := over.EndedAt - call.RingDeadline; late > 2000 {
		t.Errorf("it rang %d ms past its deadline", late)
	}
}

func TestAnOngoingCallTakesItsParticipantsBackAfterKill9(t *testing.T) {
	s := startServer(t)
	alice, bob := newPerson(s, "alice"), newPerson(s, "bob")
	call := ring(t, alice, bob)
	accept(t, bob, call.SessionID)
	alice.join(t, call.SessionID, client.SessionConfig{})
	bob.join(t, call.SessionID, client.SessionConfig{})
	alice.hears(t, "bob", 5)
	s.kill()
	s.start()

	alice2 := withClient(t, s.dialAs(client.Config{DeviceID: alice.Hello.DeviceID}, "alice"), "alice")
	bob2 := withClient(t, s.dialAs(client.Config{DeviceID: bob.Hello.DeviceID}, "bob"), "bob")
	if calls := alice2.Hello.Snapshot.Calls; len(calls) != 1 || calls[0].Status != "ongoing" {
		t.Fatalf("alice comes back to %+v, want the ongoing call", calls)
	}
	alice2.join(t, call.SessionID, client.SessionConfig{})
	bob2.join(t, call.SessionID, client.SessionConfig{})
	alice2.hears(t, "bob", 10)
	bob2.hears(t, "alice", 10)
}

func TestAnOngoingCallEndsWhenNobodyComesBackAfterKill9(t *testing.T) {
	s := startServer(t, "PARLEY_CALLS_GRACE=2s")
	alice, bob := newPerson(s, "alice"), newPerson(s, "bob")
	call := ring(t, alice, bob)
	accept(t, bob, call.SessionID)
	alice.join(t, call.SessionID, client.SessionConfig{})
	s.kill()
	s.start()
	// Another device of bob's is only told; it holds no seat and keeps nobody alive.
	other := withClient(t, s.dial("bob"), "bob")
	deadline := time.Now().Add(20 * time.Second)
	for {
		var body struct {
			Call client.Call `json:"call"`
		}
		if err := other.Request(background(t), "call.get", map[string]string{"sessionId": call.SessionID}, &body); err != nil {
			t.Fatal(err)
		}
		if body.Call.Status == "ended" {
			if body.Call.Reason != "lost" && body.Call.Reason != "never_joined" {
				t.Fatalf("ended for %q", body.Call.Reason)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the call is still %s long past the grace period", body.Call.Status)
		}
		time.Sleep(100 * time.Millisecond)
	}
	// Nobody stays busy through a crash.
	if _, err := other.Initiate(background(t), "alice", "user", "audio"); err != nil {
		t.Fatalf("bob cannot call after the crash: %v", err)
	}
}

func TestNoAcknowledgedChangeIsLostByKill9(t *testing.T) {
	s := startServer(t)
	const rounds, most = 5, 40 // calls of a round: bob asks for each of them afterwards, and is to stay below his rate of requests
	for round := range rounds {
		alice, bob := s.dial("alice"), s.dial("bob")
		acknowledged := map[string]string{}
		stop := time.After(300 * time.Millisecond)
	calls:
		for len(acknowledged) < most {
			select {
			case <-stop:
				break calls
			default:
			}
			call, err := alice.Initiate(background(t), "bob", "user", "audio")
			if err != nil {
				t.Fatal(err)
			}
			acknowledged[call.SessionID] = call.Status
			if call, err = bob.Reject(background(t), call.SessionID, "rejected"); err != nil {
				t.Fatal(err)
			}
			acknowledged[call.SessionID] = call.Status
		}
		last, err := alice.Initiate(background(t), "bob", "user", "audio")
		if err != nil {
			t.Fatal(err)
		}
		acknowledged[last.SessionID] = last.Status
		s.kill()
		s.start()
		after := s.dial("bob")
		for id, status := range acknowledged {
			var body struct {
				Call client.Call `json:"call"`
			}
			if err := after.Request(background(t), "call.get", map[string]string{"sessionId": id}, &body); err != nil {
				t.Fatalf("round %d: acknowledged call %s: %v", round, id, err)
			}
			if body.Call.Status != status {
				t.Fatalf("round %d: call %s was acknowledged as %s and is %s after the restart", round, id, status, body.Call.Status)
			}
		}
		if _, err := after.Reject(background(t), last.SessionID, "rejected"); err != nil {
			t.Fatal(err)
		}
	}
}
