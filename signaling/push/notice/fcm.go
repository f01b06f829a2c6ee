package notice

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// fcmMessage is the body of FCM's messages:send.
type fcmMessage struct {
	Message struct {
		Token        string            `json:"token"`
		Data         map[string]string `json:"data"`
		Notification *fcmShown         `json:"notification,omitempty"`
		Android      fcmAndroid        `json:"android"`
		WebPush      fcmWeb            `json:"webpush"`
	} `json:"message"`
}

type fcmShown struct {
	Title string `json:"title"`
	Body  string `json:"body"`
}

type fcmAndroid struct {
	Priority     string   `json:"priority"` // HIGH wakes a dozing phone
	TTL          string   `json:"ttl"`
	CollapseKey  string   `json:"collapse_key"`
	DirectBoot   bool     `json:"direct_boot_ok"` // rings before the first unlock, too
	Notification *fcmShow `json:"notification,omitempty"`
}

type fcmShow struct {
	Tag string `json:"tag"`
}

type fcmWeb struct {
	Headers map[string]string `json:"headers"`
}

// FCMBody is the request that tells one device through Firebase. A ring and what stops it carry data alone, which the app gets
// also in the background, and share a collapse key, so that a phone out of reach hears only the later one. A missed call is
// shown by the system, for the app may not run.
func FCMBody(now time.Time, n *Notice, d Device) []byte {
	var body fcmMessage
	m := &body.Message
	m.Token, m.Data = d.Token, n.Data
	left := n.left(now)
	m.Android = fcmAndroid{Priority: "HIGH", CollapseKey: "call-" + topic(n.Session)[:12], DirectBoot: true}
	m.WebPush.Headers = map[string]string{"Urgency": "high"}
	if n.Purpose == Missed {
		left = keep
		m.Notification = &fcmShown{n.Title(), n.Body()}
		m.Android.Priority, m.Android.CollapseKey = "NORMAL", "missed"
		m.Android.Notification = &fcmShow{Tag: n.Session}
		m.WebPush.Headers["Urgency"] = "normal"
	}
	seconds := strconv.Itoa(left)
	m.Android.TTL, m.WebPush.Headers["TTL"] = seconds+"s", seconds
	return encode(body)
}

// FCMVerdict reads Firebase's answer.
func FCMVerdict(now time.Time, status int, retryAfter string, body []byte) Verdict {
	var answer struct {
		Error struct {
			Message string `json:"message"`
			Status  string `json:"status"`
			Details []struct {
				ErrorCode       string `json:"errorCode"`
				FieldViolations []struct {
					Field string `json:"field"`
				} `json:"fieldViolations"`
			} `json:"details"`
		} `json:"error"`
	}
	if status/100 == 2 {
		return Verdict{Outcome: Delivered}
	}
	_ = json.Unmarshal(body, &answer) // an answer of something in between is judged by its status
	reason, token := answer.Error.Status, strings.Contains(answer.Error.Message, "registration token")
	for _, detail := range answer.Error.Details {
		if detail.ErrorCode != "" {
			reason = detail.ErrorCode
		}
		for _, violation := range detail.FieldViolations {
			token = token || violation.Field == "message.token"
		}
	}
	switch {
	case status == 404 && reason == "UNREGISTERED", status == 400 && reason == "INVALID_ARGUMENT" && token:
		return Verdict{Outcome: Dead, Reason: reason}
	case status == 401 && reason != "THIRD_PARTY_AUTH_ERROR":
		return Verdict{Outcome: Renew, Reason: reason}
	}
	return byStatus(now, status, retryAfter, reason)
}
