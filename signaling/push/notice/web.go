package notice

import (
	"crypto/sha256"
	"encoding/base64"
	"net/url"
	"strings"
	"time"
)

// WebPush is what one Web Push message has besides its encryption.
type WebPush struct {
	Payload []byte // to be encrypted
	TTL     int    // seconds
	Topic   string // a later message replaces one of the same topic that was not delivered
	Urgency string
}

// WebMessage makes the message for a browser. A missed call stays at the push service for a day, urgent as long as it has to
// take a ring off the screen.
func WebMessage(now time.Time, n *Notice) WebPush {
	m := WebPush{Payload: encode(n.Data), TTL: n.left(now), Topic: topic(n.Session), Urgency: "high"}
	if n.Purpose == Missed {
		m.Urgency = "normal"
	}
	if n.Purpose == Missed || n.Missed {
		m.TTL = keep
	}
	return m
}

// topic names a call where its id is too long or has the wrong characters: 32 characters of base64url, as much as RFC 8030 §5.4
// allows.
func topic(session string) string {
	sum := sha256.Sum256([]byte(session))
	return base64.RawURLEncoding.EncodeToString(sum[:])[:32]
}

// WebVerdict reads the answer of a push service (RFC 8030 §5, §7.3).
func WebVerdict(now time.Time, status int, retryAfter string, _ []byte) Verdict {
	if status == 404 || status == 410 {
		return Verdict{Outcome: Dead, Reason: "gone"}
	}
	return byStatus(now, status, retryAfter, "")
}

// AllowedEndpoint reports whether a subscription's endpoint is at one of the hosts, such as fcm.googleapis.com or
// *.push.apple.com. A host with a port allows that port only, one without allows the usual one.
func AllowedEndpoint(endpoint string, hosts []string) bool {
	host := hostOf(endpoint)
	if host == "" {
		return false
	}
	for _, allowed := range hosts {
		suffix, wild := strings.CutPrefix(allowed, "*")
		if host == allowed || wild && strings.HasPrefix(suffix, ".") && strings.HasSuffix(host, suffix) && len(host) > len(suffix) {
			return true
		}
	}
	return false
}

// hostOf is the host of an endpoint, with the port if it is not the usual one; "" when it is no URL that can be posted to.
func hostOf(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.Opaque != "" || u.Hostname() == "" {
		return ""
	}
	host := strings.ToLower(u.Host)
	if u.Scheme == "https" {
		host = strings.TrimSuffix(host, ":443")
	}
	return host
}
