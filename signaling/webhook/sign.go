package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Secret is a key that a target and the server share. It prints as [redacted].
type Secret struct{ key []byte }

// String hides the secret.
func (Secret) String() string { return "[redacted]" }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return "[redacted]" }

// The bounds of a secret, in bytes: those of the Standard Webhooks specification.
const (
	minSecret = 24
	maxSecret = 64
)

// ParseSecret reads a secret in the form of the specification: whsec_ and 24 to 64 bytes in Base64.
func ParseSecret(text string) (Secret, error) {
	encoded, ok := strings.CutPrefix(text, "whsec_")
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil || len(key) < minSecret || len(key) > maxSecret {
		return Secret{}, errors.New(`webhook: a secret is "whsec_" and 24 to 64 random bytes in Base64`)
	}
	return Secret{key}, nil
}

// The headers of Standard Webhooks 1.0.
const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
)

// Sign sets the headers of one attempt, with a signature of each secret: a receiver refuses old timestamps, so each attempt has
// its own. The id is that of the message, the same for every attempt.
func Sign(header http.Header, secrets []Secret, id string, now time.Time, body []byte) {
	timestamp := strconv.FormatInt(now.Unix(), 10)
	signatures := make([]string, len(secrets))
	for i, s := range secrets {
		signatures[i] = "v1," + base64.StdEncoding.EncodeToString(s.mac(id, timestamp, body))
	}
	header.Set(headerID, id)
	header.Set(headerTimestamp, timestamp)
	header.Set(headerSignature, strings.Join(signatures, " "))
}

func (s Secret) mac(id, timestamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, s.key)
	for _, part := range []string{id, ".", timestamp, "."} {
		mac.Write([]byte(part))
	}
	mac.Write(body)
	return mac.Sum(nil)
}

// tolerance is how old, or how far ahead, a timestamp may be.
const tolerance = 5 * time.Minute

// ErrSignature refuses a request that does not come from who has the secret, or is a repetition of an old one.
var ErrSignature = errors.New("webhook: the signature is not good")

// Verify is for receivers: it checks the signature of a request in constant time, and that it is not older than five minutes.
func (s Secret) Verify(header http.Header, body []byte, now time.Time) error {
	timestamp := header.Get(headerTimestamp)
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > tolerance {
		return ErrSignature
	}
	want := s.mac(header.Get(headerID), timestamp, body)
	for signature := range strings.FieldsSeq(header.Get(headerSignature)) {
		version, encoded, _ := strings.Cut(signature, ",")
		got, err := base64.StdEncoding.DecodeString(encoded)
		if version == "v1" && err == nil && hmac.Equal(got, want) {
			return nil
		}
	}
	return ErrSignature
}
