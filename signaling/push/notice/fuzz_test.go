package notice

import (
	"strings"
	"testing"
	"time"
)

// FuzzAnswers has providers answer anything: no answer may panic, and only theirs about the token may delete it.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		`{"error":{"code":404,"status":"NOT_FOUND","details":[{"errorCode":"UNREGISTERED"}]}}`,
		`{"error":{"status":"INVALID_ARGUMENT","details":[{"fieldViolations":[{"field":"message.token"}]}]}}`,
		`{"reason":"BadDeviceToken","timestamp":1e300}`, `{"error":[]}`, `null`, `"`, ``,
	} {
		f.Add(400, "1", seed)
		f.Add(410, "Sat, 21 Nov 2026 12:00:05 GMT", seed)
	}
	f.Fuzz(func(t *testing.T, status int, retryAfter, body string) {
		for name, judge := range map[string]func(time.Time, int, string, []byte) Verdict{"fcm": FCMVerdict, "apns": APNsVerdict, "web": WebVerdict} {
			v := judge(start, status, retryAfter, []byte(body))
			if v.Wait < 0 || v.Wait > maxWait {
				t.Errorf("%s: wait %v", name, v.Wait)
			}
			if v.Outcome == Dead && (status/100 != 4 || name == "fcm" && !strings.Contains(body, "UNREGISTERED") && status != 400) {
				t.Errorf("%s: %d %q deletes a token", name, status, body)
			}
			if at, ok := Next(start, &Notice{Deadline: start.Add(time.Minute)}, 1, v, 0.5); ok && (at.Before(start) || at.After(start.Add(time.Minute))) {
				t.Errorf("%s: again at %v", name, at)
			}
		}
	})
}

// FuzzRegistrations has apps register anything: what passes can be sent to, and its path has no more elements than it should.
func FuzzRegistrations(f *testing.F) {
	f.Add("fcm", "token", "", "")
	f.Add("apnsVoip", strings.Repeat("ab", 32), "", "")
	f.Add("web", "https://fcm.googleapis.com/fcm/send/x", "BA", "AA")
	f.Fuzz(func(t *testing.T, kind, token, p256dh, auth string) {
		d := Device{Kind: Kind(kind), Token: token, P256dh: p256dh, Auth: auth}
		if field, reason := d.Check(); field != "" {
			if reason == "" {
				t.Error("no reason")
			}
			return
		}
		if id := IDOf(d.Kind, d.Token); len(id) != 24 {
			t.Errorf("id %q", id)
		}
		n := &Notice{Data: map[string]string{}, Deadline: start}
		if d.Kind == VoIP || d.Kind == Alert {
			if path := APNs(start, n, d, "b").Path; strings.Count(path, "/") != 3 || strings.ContainsAny(path, "?#%. ") {
				t.Errorf("path %q", path)
			}
		}
	})
}
