package notice

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/parleyrtc/parley/signaling/call"
)

// cancelled is the stop and the missed notice of a call that was taken back after 10 of its 40 seconds.
func cancelled(t *testing.T) (stop, missed *Notice, now time.Time) {
	t.Helper()
	s := ringing(t, nil).passes(9 * time.Second).does(call.Cancel{By: call.Device{UID: "alice", ID: "d_a"}})
	return s.orders[0].Notices[0], s.orders[0].Notices[1], s.now
}

func TestFirebaseMessages(t *testing.T) {
	ring := ringing(t, nil).orders[0].Notices[0]
	stop, missed, now := cancelled(t)
	read := func(n *Notice, now time.Time) (m struct{ Message map[string]any }) {
		if err := json.Unmarshal(FCMBody(now, n, Device{Token: "token"}), &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	key := "call-" + topic("session")[:12]
	for _, row := range []struct {
		n       *Notice
		now     time.Time
		android map[string]any
	}{
		{ring, start.Add(2500 * time.Millisecond), map[string]any{"priority": "HIGH", "ttl": "37s", "collapse_key": key, "direct_boot_ok": true}},
		{ring, start.Add(time.Hour), map[string]any{"priority": "HIGH", "ttl": "0s", "collapse_key": key, "direct_boot_ok": true}},
		{stop, now, map[string]any{"priority": "HIGH", "ttl": "30s", "collapse_key": key, "direct_boot_ok": true}},
		{missed, now, map[string]any{"priority": "NORMAL", "ttl": "86400s", "collapse_key": "missed", "direct_boot_ok": true,
			"notification": map[string]any{"tag": "session"}}},
	} {
		got := read(row.n, row.now).Message
		if diff := cmp.Diff(row.android, got["android"]); diff != "" {
			t.Errorf("%s: %s", row.n.Purpose, diff)
		}
		if _, shown := got["notification"]; shown != (row.n.Purpose == Missed) || got["token"] != "token" {
			t.Errorf("%s: %v", row.n.Purpose, got)
		}
	}
}

func TestAPNsPushes(t *testing.T) {
	ring := ringing(t, nil).orders[0].Notices[0]
	stop, missed, now := cancelled(t)
	p := APNs(start, ring, Device{Kind: VoIP, Token: "abc"}, "com.example.app")
	want := map[string]string{"apns-push-type": "voip", "apns-topic": "com.example.app.voip", "apns-priority": "10", "apns-expiration": "1795262440"}
	if diff := cmp.Diff(want, p.Header); diff != "" || p.Path != "/3/device/abc" {
		t.Error(p.Path, diff)
	}
	var body map[string]any
	if err := json.Unmarshal(p.Body, &body); err != nil || body["sessionId"] != "session" || body["callAction"] != "initiated" || body["aps"] == nil {
		t.Errorf("%v %v", body, err)
	}
	p = APNs(now, stop, Device{Kind: Alert, Token: "abc"}, "com.example.app")
	want = map[string]string{"apns-push-type": "background", "apns-topic": "com.example.app", "apns-priority": "5", "apns-expiration": "1795262440"}
	if diff := cmp.Diff(want, p.Header); diff != "" || !strings.Contains(string(p.Body), `"content-available":1`) {
		t.Error(diff)
	}
	p = APNs(now, missed, Device{Kind: Alert, Token: "abc"}, "com.example.app")
	want = map[string]string{"apns-push-type": "alert", "apns-topic": "com.example.app", "apns-priority": "10", "apns-collapse-id": topic("session"), "apns-expiration": "1795348810"}
	if diff := cmp.Diff(want, p.Header); diff != "" || !strings.Contains(string(p.Body), `"body":"Missed video call"`) {
		t.Error(diff)
	}
}

func TestWebMessages(t *testing.T) {
	ring := ringing(t, nil).orders[0].Notices[0]
	stop, missed, now := cancelled(t)
	alone := ringing(t, func(wish *call.Initiate) { wish.Busy = []string{"bob"} }).orders[0].Notices[0]
	for _, row := range []struct {
		n       *Notice
		now     time.Time
		ttl     int
		urgency string
	}{{ring, start, 40, "high"}, {stop, now, 86400, "high"}, {missed, now, 86400, "normal"}, {alone, start, 86400, "normal"}} {
		m := WebMessage(row.now, row.n)
		if m.TTL != row.ttl || m.Urgency != row.urgency || m.Topic != topic("session") || len(m.Topic) != 32 {
			t.Errorf("%s: %d %s %s", row.n.Purpose, m.TTL, m.Urgency, m.Topic)
		}
	}
}

func TestWhatProvidersAnswersMean(t *testing.T) {
	const fcmError = `{"error":{"code":404,"message":"x","status":"NOT_FOUND","details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"UNREGISTERED"}]}}`
	const fcmToken = `{"error":{"code":400,"message":"x","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"INVALID_ARGUMENT"},{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"message.token"}]}]}}`
	const fcmField = `{"error":{"code":400,"message":"bad ttl","status":"INVALID_ARGUMENT","details":[{"fieldViolations":[{"field":"message.android.ttl"}]}]}}`
	const fcmSender = `{"error":{"code":403,"message":"x","status":"PERMISSION_DENIED","details":[{"errorCode":"SENDER_ID_MISMATCH"}]}}`
	const fcmApple = `{"error":{"code":401,"status":"UNAUTHENTICATED","details":[{"errorCode":"THIRD_PARTY_AUTH_ERROR"}]}}`
	for _, row := range []struct {
		judge  func(time.Time, int, string, []byte) Verdict
		status int
		retry  string
		body   string
		want   Verdict
	}{
		{FCMVerdict, 200, "", `{"name":"projects/p/messages/1"}`, Verdict{Outcome: Delivered}},
		{FCMVerdict, 404, "", fcmError, Verdict{Outcome: Dead, Reason: "UNREGISTERED"}},
		{FCMVerdict, 404, "", "<html>not found", Verdict{Outcome: Refused, Reason: "404"}},
		{FCMVerdict, 400, "", fcmToken, Verdict{Outcome: Dead, Reason: "INVALID_ARGUMENT"}},
		{FCMVerdict, 400, "", `{"error":{"status":"INVALID_ARGUMENT","message":"The registration token is not a valid FCM registration token"}}`, Verdict{Outcome: Dead, Reason: "INVALID_ARGUMENT"}},
		{FCMVerdict, 400, "", fcmField, Verdict{Outcome: Refused, Reason: "INVALID_ARGUMENT"}},
		{FCMVerdict, 403, "", fcmSender, Verdict{Outcome: Refused, Reason: "SENDER_ID_MISMATCH"}},
		{FCMVerdict, 401, "", `{"error":{"status":"UNAUTHENTICATED"}}`, Verdict{Outcome: Renew, Reason: "UNAUTHENTICATED"}},
		{FCMVerdict, 401, "", fcmApple, Verdict{Outcome: Refused, Reason: "THIRD_PARTY_AUTH_ERROR"}},
		{FCMVerdict, 429, "7", `{"error":{"status":"RESOURCE_EXHAUSTED","details":[{"errorCode":"QUOTA_EXCEEDED"}]}}`, Verdict{Outcome: Again, Reason: "QUOTA_EXCEEDED", Wait: 7 * time.Second}},
		{FCMVerdict, 503, "Sat, 21 Nov 2026 12:00:05 GMT", "", Verdict{Outcome: Again, Reason: "503", Wait: 5 * time.Second}},
		{FCMVerdict, 302, "", "", Verdict{Outcome: Refused, Reason: "302"}},
		{APNsVerdict, 200, "", "", Verdict{Outcome: Delivered}},
		{APNsVerdict, 410, "", `{"reason":"Unregistered","timestamp":1795262400000}`, Verdict{Outcome: Dead, Reason: "Unregistered", DeadSince: start.Local()}},
		{APNsVerdict, 400, "", `{"reason":"BadDeviceToken"}`, Verdict{Outcome: Dead, Reason: "BadDeviceToken"}},
		{APNsVerdict, 400, "", `{"reason":"DeviceTokenNotForTopic"}`, Verdict{Outcome: Refused, Reason: "DeviceTokenNotForTopic"}},
		{APNsVerdict, 403, "", `{"reason":"ExpiredProviderToken"}`, Verdict{Outcome: Renew, Reason: "ExpiredProviderToken"}},
		{APNsVerdict, 403, "", `{"reason":"InvalidProviderToken"}`, Verdict{Outcome: Refused, Reason: "InvalidProviderToken"}},
		{APNsVerdict, 413, "", `{"reason":"PayloadTooLarge"}`, Verdict{Outcome: Refused, Reason: "PayloadTooLarge"}},
		{APNsVerdict, 429, "", `{"reason":"TooManyRequests"}`, Verdict{Outcome: Again, Reason: "TooManyRequests"}},
		{APNsVerdict, 503, "", `{"reason":"Shutdown"}`, Verdict{Outcome: Again, Reason: "Shutdown"}},
		{WebVerdict, 201, "", "", Verdict{Outcome: Delivered}},
		{WebVerdict, 404, "", "", Verdict{Outcome: Dead, Reason: "gone"}},
		{WebVerdict, 410, "", "", Verdict{Outcome: Dead, Reason: "gone"}},
		{WebVerdict, 413, "", "", Verdict{Outcome: Refused, Reason: "413"}},
		{WebVerdict, 429, "99999999999", "", Verdict{Outcome: Again, Reason: "429", Wait: maxWait}},
	} {
		if got := row.judge(start, row.status, row.retry, []byte(row.body)); got != row.want {
			t.Errorf("%d %s: %+v, want %+v", row.status, row.body, got, row.want)
		}
	}
}

func TestRetriesEndWithTheRing(t *testing.T) {
	n := &Notice{Deadline: start.Add(40 * time.Second)}
	again := Verdict{Outcome: Again}
	now, attempts := start, 0
	for {
		attempts++
		at, ok := Next(now, n, attempts, again, 1)
		if !ok {
			break
		}
		if !at.After(now) || !at.Before(n.Deadline) {
			t.Fatalf("attempt %d at %v", attempts+1, at.Sub(start))
		}
		now = at
	}
	if attempts < 5 || attempts > maxAttempt {
		t.Errorf("%d attempts", attempts)
	}
	if _, ok := Next(start, n, 1, Verdict{Outcome: Again, Wait: time.Minute}, 0); ok {
		t.Error("the provider wants us back after the ring")
	}
	if at, ok := Next(start, n, 1, Verdict{Outcome: Again, Wait: 10 * time.Second}, 0); !ok || at != start.Add(10*time.Second) {
		t.Error("Retry-After is not minded")
	}
	for _, o := range []Outcome{Delivered, Dead, Refused} {
		if _, ok := Next(start, n, 1, Verdict{Outcome: o}, 0); ok {
			t.Errorf("again after %s", o)
		}
	}
	if at, ok := Next(start, n, 1, Verdict{Outcome: Renew}, 0); !ok || at != start {
		t.Error("fresh credentials are not tried")
	}
	if _, ok := Next(start, n, 2, Verdict{Outcome: Renew}, 0); ok {
		t.Error("fresh credentials are tried twice")
	}
}

func TestEndpointsOfPushServicesOnly(t *testing.T) {
	hosts := []string{"fcm.googleapis.com", "*.push.apple.com", "127.0.0.1:9000"}
	for endpoint, want := range map[string]bool{
		"https://fcm.googleapis.com/fcm/send/x": true, "https://FCM.googleapis.com:443/x": true, "https://web.push.apple.com/x": true,
		"http://127.0.0.1:9000/x": true,
		"https://push.apple.com/": false, "https://evilpush.apple.com.evil.example/": false, "https://fcm.googleapis.com:8443/": false,
		"https://fcm.googleapis.com@evil.example/": false, "https://user@fcm.googleapis.com/": false, "ftp://fcm.googleapis.com/": false,
		"https://evilfcm.googleapis.com/": false, "http://127.0.0.1/": false, "https:fcm.googleapis.com": false, "": false, "https://.push.apple.com/": false,
	} {
		if got := AllowedEndpoint(endpoint, hosts); got != want {
			t.Errorf("%q: %v", endpoint, got)
		}
	}
}
