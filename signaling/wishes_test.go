package signaling

import (
	"testing"

	"github.com/parleyrtc/parley/signaling/wire"
)

func TestWishesAndMeasurementsReachTheMediaSide(t *testing.T) {
	n := serve(t, quick())
	alice, bob := n.open("alice"), n.open("bob")
	id, _, _ := talk(t, alice, bob)
	slots := func(slot map[string]any) map[string]any { return map[string]any{"sessionId": id, "slots": []any{slot}} }
	wish := slots(map[string]any{"pair": 1, "width": 640, "height": 360, "frameRate": 7.5, "pinned": true})
	alice.do("session.wish", wish).into(t, &wire.Empty{})
	n.media.awaits(t, "wish alice [{Pair:1 Width:640 Height:360 FrameRate:7.5 Hidden:false Paused:false Pinned:true}]")

	measured := slots(map[string]any{"pair": 0, "concealed": 0, "jitterBufferMs": 41.5, "frozen": 0.25, "frameRate": 24})
	bob.do("session.stats", measured).into(t, &wire.Empty{})
	n.media.awaits(t, "stats bob [{Pair:0 Concealed:0 HasConcealed:true JitterBuffer:41.5ms Frozen:0.25 FrameRate:24 Width:0 Height:0}]")
	bob.do("session.stats", slots(map[string]any{"pair": 27})).into(t, &wire.Empty{}) // sooner than 2 s after: dropped
	n.media.mu.Lock()
	for _, asked := range n.media.asked {
		if asked == "stats bob [{Pair:27 Concealed:0 HasConcealed:false JitterBuffer:0s Frozen:0 FrameRate:0 Width:0 Height:0}]" {
			t.Error("measurements reach the media side at any rate")
		}
	}
	n.media.mu.Unlock()

	for _, method := range []string{"session.wish", "session.stats"} {
		if got := n.open("alice").do(method, wish); got.code() == "" {
			t.Errorf("%s from another device is taken", method)
		}
	}
	refused := 0
	for range 20 {
		if alice.do("session.wish", wish).code() == wire.CodeTooManyRequests {
			refused++
		}
	}
	if refused == 0 {
		t.Error("wishes have no rate of their own")
	}
}

func TestWhatTheMediaSideSaysOfACallReachesThoseItConcerns(t *testing.T) {
	n := serve(t, quick())
	alice, bob := n.open("alice"), n.open("bob")
	id, a, b := talk(t, alice, bob)
	raise := func(e MediaEvent) {
		e.Room = id
		n.media.raise(e)
	}
	raise(MediaEvent{Kind: MediaConnected, Participant: a.ParticipantID})
	bob.expect("session.joined")
	raise(MediaEvent{Kind: MediaWatched, Participant: a.ParticipantID, Watched: []MediaWatchedPublication{
		{ID: "p.1", MID: "1", Active: true, Encodings: []MediaWatchedEncoding{{"q", true}, {"h", false}}},
	}})
	want := `{"sessionId":"` + id + `","publications":[{"publicationId":"p.1","mid":"1","active":true,"encodings":[{"rid":"q","active":true},{"rid":"h","active":false}]}]}`
	if e := alice.expect("session.publish"); string(e.Data) != want {
		t.Errorf("publish: %s", e.Data)
	}
	raise(MediaEvent{Kind: MediaSlotPaused, Participant: a.ParticipantID, Pair: 2, Paused: true, Reason: "bandwidth"})
	if e := alice.expect("session.slotPaused"); e.text("pair") != "2" || e.text("paused") != "true" || e.text("reason") != "bandwidth" {
		t.Errorf("slotPaused: %s", e.Data)
	}
	raise(MediaEvent{Kind: MediaQuality, Participant: a.ParticipantID, Score: 55, Grade: "poor", Cause: "loss"})
	for _, c := range []*client{alice, bob} {
		if e := c.expect("session.quality"); e.text("participantId") != a.ParticipantID || e.text("score") != "55" || e.text("grade") != "poor" || e.text("cause") != "loss" {
			t.Errorf("quality: %s", e.Data)
		}
	}
	raise(MediaEvent{Kind: MediaSpeakers, Speaker: a.ParticipantID, Voices: []string{a.ParticipantID}})
	for _, c := range []*client{alice, bob} {
		if e := c.expect("session.speakers"); e.text("speaker") != a.ParticipantID || e.text("voices") != "["+a.ParticipantID+"]" {
			t.Errorf("speakers: %s", e.Data)
		}
	}
	// Who connects later is told at once.
	raise(MediaEvent{Kind: MediaConnected, Participant: b.ParticipantID})
	alice.expect("session.joined")
	if e := bob.expect("session.speakers"); e.text("speaker") != a.ParticipantID {
		t.Errorf("speakers for the newcomer: %s", e.Data)
	}
	if again := bob.join(id); len(again.Participants) != 1 || again.Participants[0].Quality == nil || again.Participants[0].Quality.Grade != "poor" {
		t.Errorf("the newcomer finds %+v", again.Participants)
	}
}
