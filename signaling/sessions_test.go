package signaling

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/parleyrtc/parley/signaling/wire"
)

// join enters a session.
func (c *client) join(session string) wire.JoinResult {
	c.t.Helper()
	var result wire.JoinResult
	c.on("session.join", session).into(c.t, &result)
	return result
}

// offering is a valid session.offer.
func offering(session, sdp string) map[string]any {
	return map[string]any{
		"sessionId": session, "sdp": sdp,
		"publications": []any{map[string]any{"mid": "0", "source": "microphone"}},
		"slots":        []any{map[string]any{"pair": 0, "audioMid": "1", "videoMid": "2"}},
	}
}

// talk brings two users into an ongoing call whose sessions both have joined.
func talk(t *testing.T, alice, bob *client) (id string, a, b wire.JoinResult) {
	t.Helper()
	id = alice.ring(bob.uid).SessionID
	bob.expect("call.incoming")
	bob.on("call.accept", id).call(t)
	alice.expect("call.accepted")
	return id, alice.join(id), bob.join(id)
}

func TestASessionFromJoiningToLeaving(t *testing.T) {
	n := serve(t, quick())
	alice, bob := n.open("alice"), n.open("bob")
	id := alice.ring("bob").SessionID
	bob.expect("call.incoming")

	early := alice.join(id)
	if early.Pairs != 1 || early.VideoCodec != "VP8" || len(early.Participants) != 0 || early.Call.Status != "initiated" ||
		len(early.ICEServers) != 1 || early.ICEServers[0].Username != "alice" || early.ICEServers[0].Credential != id {
		t.Fatalf("the early join gives %+v", early)
	}
	n.media.awaits(t, "join alice open=false pairs=1")
	if got := bob.on("session.join", id); got.code() != wire.CodeNotAccepted {
		t.Fatalf("joining before accepting gives %q", got.code())
	}
	var answer wire.OfferResult
	alice.do("session.offer", offering(id, "v=0 a")).into(t, &answer)
	if answer.SDP != "answer" {
		t.Fatalf("the offer's answer is %+v", answer)
	}
	n.media.raise(MediaEvent{Kind: MediaConnected, Room: id, Participant: early.ParticipantID})
	n.media.raise(MediaEvent{Kind: MediaPublications, Room: id, Participant: early.ParticipantID, Publications: []MediaPublicationInfo{
		{ID: "t_a", Kind: "audio", Source: "microphone"},
	}})
	if e := alice.expect("session.updated"); !strings.Contains(string(e.Data), `"publicationId":"t_a"`) {
		t.Errorf("alice's own publications: %s", e.Data)
	}

	bob.on("call.accept", id).call(t)
	alice.expect("call.accepted")
	n.media.awaits(t, "open")
	joined := bob.join(id)
	n.media.awaits(t, "join bob open=true pairs=1")
	if len(joined.Participants) != 1 || joined.Participants[0].ParticipantID != early.ParticipantID ||
		len(joined.Participants[0].Publications) != 1 {
		t.Fatalf("bob finds %+v", joined.Participants)
	}
	n.media.raise(MediaEvent{Kind: MediaConnected, Room: id, Participant: joined.ParticipantID})
	if e := alice.expect("session.joined"); e.text("participant.participantId") != joined.ParticipantID || e.text("participant.user.name") != "Bob" {
		t.Errorf("alice hears %s", e.Data)
	}
	n.media.raise(MediaEvent{Kind: MediaSlotChanged, Room: id, Participant: joined.ParticipantID, Pair: 0, Source: early.ParticipantID, Audio: "t_a"})
	n.media.raise(MediaEvent{Kind: MediaSlotStarted, Room: id, Participant: joined.ParticipantID, Pair: 0, TrackKind: "audio", PublicationID: "t_a", RTPTimestamp: 7})
	n.media.raise(MediaEvent{Kind: MediaSlotsNeeded, Room: id, Participant: joined.ParticipantID, Pairs: 2})
	if e := bob.expect("session.slot"); e.text("participantId") != early.ParticipantID || e.text("audio") != "t_a" || e.text("video") != "" {
		t.Errorf("slot: %s", e.Data)
	}
	if e := bob.expect("session.slotStarted"); e.text("rtpTimestamp") != "7" || e.text("kind") != "audio" {
		t.Errorf("slotStarted: %s", e.Data)
	}
	if e := bob.expect("session.slotsNeeded"); e.text("pairs") != "2" {
		t.Errorf("slotsNeeded: %s", e.Data)
	}
	n.media.raise(MediaEvent{Kind: MediaDataWaiting, Room: id, Participant: joined.ParticipantID})
	if e := bob.expect("session.dataWaiting"); e.text("sessionId") != id {
		t.Errorf("dataWaiting: %s", e.Data)
	}
	n.media.raise(MediaEvent{Kind: MediaCodec, Room: id, VideoCodec: "H264"})
	alice.expect("session.codec")
	bob.expect("session.codec")

	mute := func(publication string) string {
		return alice.do("session.mute", map[string]any{"sessionId": id, "publicationId": publication, "muted": true}).code()
	}
	if mute("t_a") != "" || mute("none") != wire.CodePublicationNotFound {
		t.Error("mute reaches the media side, and so does its refusal the client")
	}
	var servers wire.ICEServersResult
	bob.do("session.iceServers", map[string]any{"sessionId": id}).into(t, &servers)
	if len(servers.ICEServers) != 1 || servers.ICEServers[0].Username != "bob" {
		t.Errorf("iceServers: %+v", servers)
	}

	bob.on("session.leave", id).into(t, &struct{}{})
	alice.expectStatus("call.ended", "ended")
	if e := alice.expect("session.closed"); e.text("reason") != "left" || e.text("call.reason") != "left" {
		t.Errorf("alice hears %s", e.Data)
	}
	n.media.awaits(t, "close left")
	bob.quiet()
	if got := bob.do("session.offer", offering(id, "v=0")); got.code() != wire.CodeNotJoined {
		t.Errorf("an offer after the end gives %q", got.code())
	}
}

// A phone app joins its call before it is accepted and hears of the call through its session only; it ends the call when
// the session closes, once more when the screen goes away, and once more from the lock screen.
func TestACallerWhoJoinsEarlyIsToldHoweverItEnds(t *testing.T) {
	for name, row := range map[string]struct {
		end            func(alice, bob *client, id string)
		reason, status string
		told           bool // the caller did not do it
	}{
		"hangs up": {func(alice, _ *client, id string) { alice.on("call.end", id) }, "cancelled", "cancelled", false},
		"rejected": {func(_, bob *client, id string) {
			bob.mutate("call.reject", map[string]any{"sessionId": id, "status": "rejected"})
		}, "rejected", "rejected", true},
		"unanswered": {func(*client, *client, string) {}, "unanswered", "unanswered", true},
		"ended by the other": {func(_, bob *client, id string) {
			bob.on("call.accept", id)
			bob.on("call.end", id)
		}, "hangup", "ended", true},
	} {
		t.Run(name, func(t *testing.T) {
			config := quick()
			if name == "unanswered" {
				config.RingTimeout = 300 * time.Millisecond
			}
			n := serve(t, config)
			alice, bob := n.open("alice"), n.open("bob")
			id := alice.ring("bob").SessionID
			bob.expect("call.incoming")
			alice.join(id)
			row.end(alice, bob, id)
			n.media.awaits(t, "close "+row.reason)
			closed := false
			for !closed {
				e := <-alice.events
				if closed = e.Type == "session.closed"; closed && (e.text("reason") != row.reason || e.text("call.status") != row.status) {
					t.Errorf("the session closed with %s", e.Data)
				}
			}
			for range 3 {
				if got := alice.on("call.end", id).call(t); got.Status != row.status {
					t.Errorf("ending again shows %s", got.Status)
				}
			}
			alice.quiet()
		})
	}
}

func TestOffersOfOneParticipantComeOneAtATime(t *testing.T) {
	n := serve(t, quick())
	alice, bob := n.open("alice"), n.open("bob")
	id, _, _ := talk(t, alice, bob)
	if got := n.open("alice").do("session.offer", offering(id, "v=0")); got.code() != wire.CodeNotJoined {
		t.Errorf("another device's offer gives %q", got.code())
	}
	let := make(chan struct{})
	n.media.mu.Lock()
	n.media.offer = func(_ context.Context, o MediaOffer) (MediaAnswer, error) {
		if o.SDP == "v=0 slow" {
			<-let
		}
		if o.SDP == "v=0 bad" {
			return MediaAnswer{}, &MediaError{Code: wire.CodeSDPInvalid, Message: "The SDP is broken."}
		}
		return MediaAnswer{SDP: "answer to " + o.SDP}, nil
	}
	n.media.mu.Unlock()
	slow := alice.send("session.offer", offering(id, "v=0 slow"))
	n.media.awaits(t, "offer alice v=0 slow restart=false")
	if got := alice.do("session.offer", offering(id, "v=0 next")); got.code() != wire.CodeOfferInProgress {
		t.Errorf("a second offer gives %q", got.code())
	}
	if got := bob.do("session.offer", offering(id, "v=0 b")); got.code() != "" {
		t.Errorf("another participant's offer gives %q", got.code())
	}
	close(let)
	if got := alice.wait(slow); got.code() != "" {
		t.Errorf("the slow one gives %q", got.code())
	}
	if got := alice.do("session.offer", offering(id, "v=0 bad")); got.code() != wire.CodeSDPInvalid {
		t.Errorf("a broken one gives %q", got.code())
	}
	if got := alice.do("session.offer", offering(id, "v=0 next")); got.code() != "" {
		t.Errorf("the next one gives %q", got.code())
	}
	many := 0
	for range 10 {
		if bob.do("session.offer", offering(id, "v=0 b")).code() == wire.CodeTooManyRequests {
			many++
		}
	}
	if many == 0 {
		t.Error("offers have a rate of their own")
	}
}

func TestTheMediaSideFailingOrPanickingIsOneRequestsTrouble(t *testing.T) {
	n := serve(t, quick())
	alice, bob := n.open("alice"), n.open("bob")
	id := alice.ring("bob").SessionID
	n.media.mu.Lock()
	n.media.joining = func(context.Context, MediaJoin) error { return errors.New("no ports left") }
	n.media.mu.Unlock()
	if got := alice.on("session.join", id); got.code() != wire.CodeInternal {
		t.Fatalf("a failing join gives %q", got.code())
	}
	n.media.mu.Lock()
	n.media.joining = nil
	n.media.offer = func(context.Context, MediaOffer) (MediaAnswer, error) { panic("nil map") }
	n.media.mu.Unlock()
	alice.join(id)
	if got := alice.do("session.offer", offering(id, "v=0")); got.code() != wire.CodeInternal {
		t.Fatalf("a panicking offer gives %q", got.code())
	}
	bob.expect("call.incoming")
	bob.on("call.accept", id).call(t)
	alice.expect("call.accepted")
}

func TestMediaThatIsGoneForGoodEndsThatSession(t *testing.T) {
	n := serve(t, quick())
	alice, bob := n.open("alice"), n.open("bob")
	id, a, b := talk(t, alice, bob)
	for _, p := range []wire.JoinResult{a, b} {
		n.media.raise(MediaEvent{Kind: MediaConnected, Room: id, Participant: p.ParticipantID})
	}
	alice.expect("session.joined")
	bob.expect("session.joined")
	n.media.raise(MediaEvent{Kind: MediaGone, Room: id, Participant: b.ParticipantID, Reason: "dtls_fingerprint_mismatch"})
	if e := bob.expect("session.closed"); e.text("reason") != "dtls_fingerprint_mismatch" {
		t.Errorf("bob hears %s", e.Data)
	}
	if e := alice.expect("session.left"); e.text("reason") != "dtls_fingerprint_mismatch" || e.text("participantId") != b.ParticipantID {
		t.Errorf("alice hears %s", e.Data)
	}
	alice.expectStatus("call.ended", "ended")
	if e := alice.expect("session.closed"); e.text("reason") != "failed" {
		t.Errorf("alice's session: %s", e.Data)
	}
}

func TestAnotherDeviceTakesTheSeatOver(t *testing.T) {
	n := serve(t, quick())
	alice, bob := n.open("alice"), n.open("bob")
	id, _, b := talk(t, alice, bob)
	n.media.raise(MediaEvent{Kind: MediaConnected, Room: id, Participant: b.ParticipantID})
	alice.expect("session.joined")
	desk := n.open("bob")
	if got := desk.on("session.join", id); got.code() != wire.CodeUserAlreadyJoined {
		t.Fatalf("joining beside the seat gives %q", got.code())
	}
	desk.mutate("session.join", map[string]any{"sessionId": id, "takeover": true}).into(t, &wire.JoinResult{})
	if e := bob.expect("session.closed"); e.text("reason") != "taken_over" {
		t.Errorf("bob's phone hears %s", e.Data)
	}
	if e := alice.expect("session.left"); e.text("reason") != "taken_over" {
		t.Errorf("alice hears %s", e.Data)
	}
	n.media.awaits(t, "leave bob taken_over")
	if got := bob.do("session.offer", offering(id, "v=0")); got.code() != wire.CodeNotJoined {
		t.Errorf("the old device's offer gives %q", got.code())
	}
	// The same device that joins again starts anew: its earlier participant is gone.
	again := desk.join(id)
	n.media.awaits(t, "leave bob left")
	if again.ParticipantID == b.ParticipantID {
		t.Error("a participant id is used once")
	}
}

func TestWhoIsGoneWithoutSignalingAndMediaIsLostAfterTheGracePeriod(t *testing.T) {
	config := quick()
	config.Grace = 500 * time.Millisecond
	n := serve(t, config)
	alice, bob := n.open("alice"), n.open("bob")
	id, a, b := talk(t, alice, bob)
	n.media.raise(MediaEvent{Kind: MediaConnected, Room: id, Participant: b.ParticipantID})
	alice.expect("session.joined")

	alice.cut() // never connected its media: gone, but back in time
	alice = alice.again(n)
	bob.cut() // its media goes on: not gone
	time.Sleep(2 * config.Grace)
	if got := alice.do("call.get", map[string]any{"sessionId": id}).call(t); got.Status != "ongoing" {
		t.Fatalf("a lost socket alone ended the call: %+v", got)
	}
	n.media.raise(MediaEvent{Kind: MediaDisconnected, Room: id, Participant: b.ParticipantID})
	if e := alice.expectStatus("call.ended", "ended"); e.text("call.reason") != "lost" {
		t.Errorf("ended: %s", e.Data)
	}
	alice.expect("session.closed")
	_ = a
}

func TestACallerWhoVanishesWhileItRingsCancels(t *testing.T) {
	config := quick()
	config.Grace = 100 * time.Millisecond
	n := serve(t, config)
	alice, bob := n.open("alice"), n.open("bob")
	alice.ring("bob")
	bob.expect("call.incoming")
	alice.cut()
	bob.expectStatus("call.cancelled", "cancelled")
}
