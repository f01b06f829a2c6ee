package notice

import (
	"encoding/json"
	"maps"
	"strconv"
	"time"
)

// APNsPush is one request to APNs but for its authorization.
type APNsPush struct {
	Path   string // with the token in it
	Header map[string]string
	Body   []byte
}

// APNs makes the request for a device of an app with this bundle id. VoIP tokens take rings only, Alert tokens everything else;
// see Route.
func APNs(now time.Time, n *Notice, d Device, bundle string) APNsPush {
	body := map[string]any{}
	for key, value := range n.Data {
		body[key] = value
	}
	header := map[string]string{
		"apns-push-type": "voip", "apns-topic": bundle + ".voip", "apns-priority": "10",
		"apns-expiration": strconv.FormatInt(n.Deadline.Unix(), 10),
	}
	aps := map[string]any{}
	switch {
	case d.Kind == VoIP:
	case n.Purpose == Missed:
		maps.Copy(header, map[string]string{
			"apns-push-type": "alert", "apns-topic": bundle, "apns-collapse-id": topic(n.Session),
			"apns-expiration": strconv.FormatInt(n.At.Unix()+keep, 10),
		})
		aps = map[string]any{
			"alert": map[string]string{"title": n.Title(), "body": n.Body()}, "sound": "default", "thread-id": n.Data["conversationId"],
		}
	default: // a background push, which wakes the app without a word; Apple wants priority 5
		maps.Copy(header, map[string]string{"apns-push-type": "background", "apns-topic": bundle, "apns-priority": "5"})
		aps = map[string]any{"content-available": 1}
	}
	body["aps"] = aps
	return APNsPush{Path: "/3/device/" + d.Token, Header: header, Body: encode(body)}
}

// APNsVerdict reads the answer of APNs.
func APNsVerdict(now time.Time, status int, retryAfter string, body []byte) Verdict {
	var answer struct {
		Reason    string `json:"reason"`
		Timestamp int64  `json:"timestamp"` // of 410: since when the token is no good, in milliseconds
	}
	if status == 200 {
		return Verdict{Outcome: Delivered}
	}
	_ = json.Unmarshal(body, &answer) // an answer of something in between is judged by its status
	switch {
	case status == 410:
		v := Verdict{Outcome: Dead, Reason: answer.Reason}
		if answer.Timestamp > 0 {
			v.DeadSince = time.UnixMilli(answer.Timestamp)
		}
		return v
	case status == 400 && answer.Reason == "BadDeviceToken":
		return Verdict{Outcome: Dead, Reason: answer.Reason}
	case status == 403 && answer.Reason == "ExpiredProviderToken":
		return Verdict{Outcome: Renew, Reason: answer.Reason}
	}
	return byStatus(now, status, retryAfter, answer.Reason)
}
