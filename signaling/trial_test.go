package signaling

import (
	"strings"
	"testing"
	"time"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/wire"
)

func legOffer(id, leg string) map[string]any {
	return map[string]any{"testId": id, "leg": leg, "sdp": "v=0 " + leg, "publications": []any{}, "slots": []any{map[string]any{"pair": 0, "audioMid": "0", "videoMid": "1"}}}
}

func TestADeviceTestsItsConnectionAlone(t *testing.T) {
	n := serve(t, quick())
	alice := n.open("alice")
	var begun wire.TestResult
	alice.do("connection.test", map[string]any{}).into(t, &begun)
	if len(begun.ICEServers) != 1 || begun.ICEServers[0].Credential != begun.TestID || begun.VideoCodec != "VP8" {
		t.Fatalf("the test begins with %+v", begun)
	}
	var answer wire.OfferResult
	alice.do("connection.testOffer", legOffer(begun.TestID, "udp")).into(t, &answer)
	if answer.SDP != "answer" {
		t.Errorf("answered %+v", answer)
	}
	n.media.awaits(t, "join alice open=true pairs=1")
	n.media.awaits(t, "offer alice v=0 udp restart=false")

	for name, stranger := range map[string]*client{"another user": n.open("mallory"), "another device": n.open("alice")} {
		if got := stranger.do("connection.testOffer", legOffer(begun.TestID, "x")); got.code() != wire.CodeSessionNotFound {
			t.Errorf("%s may offer: %q", name, got.code())
		}
		stranger.do("connection.testEnd", map[string]any{"testId": begun.TestID}).into(t, &wire.Empty{})
	}
	alice.do("connection.testOffer", legOffer(begun.TestID, "tcp")).into(t, &answer) // nobody else has ended it
	alice.do("connection.testEnd", map[string]any{"testId": begun.TestID}).into(t, &wire.Empty{})
	n.media.awaits(t, "close left")
	if got := alice.do("connection.testOffer", legOffer(begun.TestID, "udp")); got.code() != wire.CodeSessionNotFound {
		t.Errorf("an offer after the end gives %q", got.code())
	}
}

func TestConnectionTestsAreBounded(t *testing.T) {
	config := quick()
	config.OfferRate, config.OfferBurst = 1000, 1000
	n := serve(t, config)
	alice := n.open("alice")
	begin := func() (id string, code string) {
		got := alice.do("connection.test", map[string]any{})
		var begun wire.TestResult
		if got.code() == "" {
			got.into(t, &begun)
		}
		return begun.TestID, got.code()
	}
	first, _ := begin()
	second, _ := begin()
	n.media.awaits(t, "close left")
	if got := alice.do("connection.testOffer", legOffer(first, "udp")); got.code() != wire.CodeSessionNotFound {
		t.Errorf("a second test leaves the first: %q", got.code())
	}
	for leg := range maxTrialLegs {
		alice.do("connection.testOffer", legOffer(second, strings.Repeat("x", leg+1))).into(t, &wire.OfferResult{})
	}
	if got := alice.do("connection.testOffer", legOffer(second, "more")); got.code() != wire.CodeRoomFull {
		t.Errorf("a connection too many gives %q", got.code())
	}
	begin()
	if _, code := begin(); code != wire.CodeTooManyRequests {
		t.Errorf("a fourth test at once gives %q", code)
	}

	ts := newTrials()
	defer ts.close()
	for range maxTrials {
		if _, ok := ts.add(&trial{id: newID("t_"), device: call.Device{UID: newID("u_")}}, func() {}); !ok {
			t.Fatal("there is room")
		}
	}
	if _, ok := ts.add(&trial{id: "t", device: call.Device{UID: "u"}}, func() {}); ok {
		t.Error("there is no end to tests")
	}
}

func TestATestThatIsForgottenEnds(t *testing.T) {
	n := serve(t, quick())
	alice := n.open("alice")
	var begun wire.TestResult
	alice.do("connection.test", map[string]any{}).into(t, &begun)
	n.Server.trials.byID[begun.TestID].expiry.Reset(time.Millisecond)
	n.media.awaits(t, "close left")
}
