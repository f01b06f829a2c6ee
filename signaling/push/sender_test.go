package push

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/push/notice"
)

func TestARingReachesEveryDeviceAndAnAnswerStopsTheOthers(t *testing.T) {
	o := openOffice(t, nil)
	o.phones("bob")
	r := o.ring("session-1", "alice", "bob", 45*time.Second)
	fcm, apns := o.fcm.awaits(1)[0], o.apns.awaits(1)[0]
	o.web.awaits(1)
	for _, p := range []pushed{fcm, apns} {
		if p.data["callAction"] != "initiated" || p.data["senderUid"] != "alice" || p.data["sessionId"] != "session-1" {
			t.Errorf("%v", p.data)
		}
	}
	if apns.token != voipToken || apns.header.Get("apns-push-type") != "voip" {
		t.Errorf("APNs got %v for %s", apns.header, apns.token)
	}
	r.does(call.Accept{By: call.Device{UID: "bob", ID: "d_tablet"}})
	fcm, apns = o.fcm.awaits(2)[1], o.apns.awaits(2)[1]
	o.web.awaits(2)
	for _, p := range []pushed{fcm, apns} {
		if _, rings := p.data["senderUid"]; rings || p.data["callAction"] != "ongoing" || p.data["deviceId"] != "d_tablet" {
			t.Errorf("%v", p.data)
		}
	}
	if apns.token != alertToken || apns.header.Get("apns-push-type") != "background" {
		t.Errorf("APNs got %v for %s", apns.header, apns.token)
	}
	// Nothing is left that could come later.
	o.settles("fcm", "stop", "delivered", 1)
	o.settles("apns", "stop", "delivered", 1)
	o.settles("web", "stop", "delivered", 1)
	if n := o.apns.attempts(); n != 2 {
		t.Errorf("%d requests to APNs", n)
	}
}

func TestACancelledCallIsMissedAndVoIPHearsNothing(t *testing.T) {
	o := openOffice(t, nil)
	o.phones("bob")
	r := o.ring("session-1", "alice", "bob", 45*time.Second)
	o.fcm.awaits(1)
	o.apns.awaits(1)
	o.web.awaits(1)
	r.does(call.Cancel{By: call.Device{UID: "alice", ID: "d_alice"}})
	got := map[string]bool{}
	for _, p := range o.fcm.awaits(3)[1:] {
		got[p.data["callAction"]] = true
	}
	if !got["cancelled"] || !got["missed"] {
		t.Errorf("FCM got %v", got)
	}
	for _, p := range o.apns.awaits(3)[1:] {
		if p.token == voipToken || p.header.Get("apns-push-type") == "voip" {
			t.Errorf("a VoIP push: %v", p.data)
		}
	}
	web := o.web.awaits(2)[1]
	if web.header.Get("TTL") != "86400" || web.header.Get("Urgency") != "high" || web.header.Get("Topic") != o.web.awaits(1)[0].header.Get("Topic") {
		t.Errorf("Web Push got %v", web.header)
	}
	o.settles("web", "stop", "delivered", 1)
	if n := o.web.attempts(); n != 2 {
		t.Errorf("%d messages to the browser", n)
	}
}

func TestDeadTokensAreDeletedOnTheProvidersWord(t *testing.T) {
	o := openOffice(t, nil)
	o.phones("bob")
	o.register("bob", notice.Device{Kind: notice.FCM, Token: "junk"})
	o.fcm.says(func(_ int, token string) (int, map[string]string, string) {
		if token == "junk" {
			return 400, nil, fcmBadToken
		}
		return 404, nil, fcmUnregistered
	})
	o.apns.says(func(int, string) (int, map[string]string, string) {
		return 410, nil, fmt.Sprintf(`{"reason":"Unregistered","timestamp":%d}`, time.Now().Add(time.Hour).UnixMilli())
	})
	o.web.says(func(int, string) (int, map[string]string, string) { return 410, nil, "" })
	o.ring("session-1", "alice", "bob", 45*time.Second)
	o.settles("fcm", "ring", "dead", 2)
	o.settles("apns", "ring", "dead", 1)
	o.settles("web", "ring", "dead", 1)
	if left := o.devices("bob"); len(left) != 1 || left[0].Kind != notice.Alert {
		t.Errorf("left: %+v", left)
	}
}

func TestATokenThatWasRegisteredAfterItDiedStays(t *testing.T) {
	o := openOffice(t, nil)
	o.register("bob", notice.Device{Kind: notice.VoIP, Token: voipToken})
	o.apns.says(func(int, string) (int, map[string]string, string) {
		return 410, nil, fmt.Sprintf(`{"reason":"Unregistered","timestamp":%d}`, time.Now().Add(-time.Hour).UnixMilli())
	})
	o.ring("session-1", "alice", "bob", 45*time.Second)
	o.settles("apns", "ring", "dead", 1)
	if left := o.devices("bob"); len(left) != 1 {
		t.Errorf("left: %+v", left)
	}
}

func TestAFaultOfOursDeletesNobodysToken(t *testing.T) {
	o := openOffice(t, func(o *office, c *Config) { c.APNs.TeamID = "SOMEBODY12" })
	o.phones("bob")
	o.fcm.says(func(int, string) (int, map[string]string, string) {
		return 403, nil, `{"error":{"code":403,"status":"PERMISSION_DENIED","details":[{"errorCode":"SENDER_ID_MISMATCH"}]}}`
	})
	o.web.says(func(int, string) (int, map[string]string, string) { return 403, nil, "" })
	o.ring("session-1", "alice", "bob", 45*time.Second)
	o.settles("fcm", "ring", "refused", 1)
	o.settles("apns", "ring", "refused", 1)
	o.settles("web", "ring", "refused", 1)
	if left := o.devices("bob"); len(left) != 4 {
		t.Errorf("left: %+v", left)
	}
	if !strings.Contains(o.logs.String(), "InvalidProviderToken") {
		t.Error("the operator is not told why")
	}
}

func TestTroubleIsTriedAgain(t *testing.T) {
	o := openOffice(t, nil)
	o.phones("bob")
	again := func(status int, header map[string]string, body string) func(int, string) (int, map[string]string, string) {
		return func(try int, _ string) (int, map[string]string, string) {
			if try <= 2 {
				return status, header, body
			}
			return 0, nil, ""
		}
	}
	o.fcm.says(again(503, map[string]string{"Retry-After": "1"}, fcmUnavailable))
	o.apns.says(again(-1, nil, "")) // resets the stream
	o.web.says(again(500, nil, ""))
	o.ring("session-1", "alice", "bob", 45*time.Second)
	if p := o.fcm.awaits(1)[0]; p.data["callAction"] != "initiated" {
		t.Error(p.data)
	}
	o.apns.awaits(1)
	o.web.awaits(1)
	o.settles("fcm", "ring", "again", 2)
}

func TestARingIsNotTriedAgainAfterItsEnd(t *testing.T) {
	o := openOffice(t, nil)
	o.register("bob", notice.Device{Kind: notice.FCM, Token: "phone"})
	o.fcm.says(func(try int, _ string) (int, map[string]string, string) {
		if try == 1 {
			return 503, map[string]string{"Retry-After": "1"}, fcmUnavailable
		}
		return 0, nil, ""
	})
	r := o.ring("session-1", "alice", "bob", 45*time.Second)
	o.settles("fcm", "ring", "again", 1)
	r.does(call.Cancel{By: call.Device{UID: "alice", ID: "d_alice"}})
	o.settles("fcm", "ring", "over", 1)
	for _, p := range o.fcm.awaits(2) {
		if p.data["callAction"] == "initiated" {
			t.Error("it rings after the call is over")
		}
	}
}

func TestARedirectLeadsNowhere(t *testing.T) {
	o := openOffice(t, nil)
	o.phones("bob")
	elsewhere := newFakeFCM(t) // would take what it is sent
	redirect := func(int, string) (int, map[string]string, string) {
		return 307, map[string]string{"Location": elsewhere.server.URL}, ""
	}
	o.fcm.says(redirect)
	o.apns.says(redirect)
	o.web.says(redirect)
	o.ring("session-1", "alice", "bob", 45*time.Second)
	o.settles("fcm", "ring", "refused", 1)
	o.settles("apns", "ring", "refused", 1)
	o.settles("web", "ring", "refused", 1)
	if n := o.fcm.attempts() + o.apns.attempts() + o.web.attempts(); n != 3 || elsewhere.attempts() != 0 {
		t.Errorf("%d attempts, %d elsewhere", n, elsewhere.attempts())
	}
}

func TestFreshCredentials(t *testing.T) {
	o := openOffice(t, nil)
	o.phones("bob")
	o.ring("session-1", "alice", "bob", 45*time.Second)
	o.fcm.awaits(1)
	o.apns.awaits(1)
	o.fcm.mu.Lock()
	o.fcm.bearer = "revoked"
	o.fcm.mu.Unlock()
	o.apns.mu.Lock()
	first := len(o.apns.jwts)
	o.apns.mu.Unlock()
	o.now.advance(2 * time.Hour)
	o.ring("session-2", "carol", "bob", 45*time.Second)
	o.fcm.awaits(2)
	o.apns.awaits(2)
	o.fcm.mu.Lock()
	defer o.fcm.mu.Unlock()
	o.apns.mu.Lock()
	defer o.apns.mu.Unlock()
	if o.fcm.tokens != 2 || first != 1 || len(o.apns.jwts) != 2 {
		t.Errorf("%d access tokens, %d then %d provider tokens", o.fcm.tokens, first, len(o.apns.jwts))
	}
}

func TestAProviderThatHangsDelaysNoCallAndNoOther(t *testing.T) {
	o := openOffice(t, func(o *office, c *Config) { c.Timeout, c.Parallel, c.Queue = 30*time.Second, 2, 8 })
	release := make(chan struct{})
	o.fcm.mu.Lock()
	o.fcm.hang = release
	o.fcm.mu.Unlock()
	t.Cleanup(func() { close(release) }) // before the fake closes
	o.register("bob", notice.Device{Kind: notice.FCM, Token: "hanging"})
	o.register("bob", notice.Device{Kind: notice.VoIP, Token: voipToken})
	for i := range 30 {
		o.ring(fmt.Sprintf("session-%d", i), "alice", "bob", 45*time.Second) // returns at once, or the test runs out of time
		o.apns.awaits(i + 1)
	}
	o.settles("fcm", "ring", "dropped", 30-8-2-1)
}

func TestNothingSecretIsLogged(t *testing.T) {
	o := openOffice(t, func(o *office, c *Config) { c.FCM.URL, c.APNs.URL = "http://127.0.0.1:1", "https://127.0.0.1:1" })
	o.phones("bob")
	o.web.says(func(int, string) (int, map[string]string, string) { return 400, nil, "no" })
	r := o.ring("session-1", "alice", "bob", 5*time.Second)
	o.settles("web", "ring", "refused", 1)
	o.settles("fcm", "ring", "again", 1)
	r.does(call.Cancel{By: call.Device{UID: "alice", ID: "d_alice"}})
	o.settles("fcm", "missed", "again", 3)
	for _, secret := range []string{"fcm-bob", voipToken, alertToken, "/push/bob", "PRIVATE", "ya29", "vapid"} {
		if strings.Contains(o.logs.String(), secret) {
			t.Errorf("%q is in the log:\n%s", secret, o.logs)
		}
	}
}
