package notice

import (
	"crypto/ecdh"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/parleyrtc/parley/signaling/wire"
)

// Device is one registration: where one installation of an app is to be pushed.
type Device struct {
	ID     string `json:"id"` // made from Kind and Token, so that the same token is the same registration
	Kind   Kind   `json:"kind"`
	Token  string `json:"token"`            // of Web the endpoint
	P256dh string `json:"p256dh,omitempty"` // Web: the subscription's public key, base64url
	Auth   string `json:"auth,omitempty"`   // Web: its secret, base64url

	Sandbox      bool      `json:"sandbox,omitempty"`  // APNs: the token is of a development build
	DeviceID     string    `json:"deviceId,omitempty"` // of the protocol's hello, when the app said so
	RegisteredAt time.Time `json:"registeredAt"`       // last, with the store's clock
}

// The refusals of a registration that is well made.
var (
	// ErrKind: there is no provider for devices of this kind.
	ErrKind = errors.New("notice: devices of this kind are not pushed by this server")
	// ErrEndpoint: the endpoint of a Web Push subscription is at none of the hosts that the operator allows.
	ErrEndpoint = errors.New("notice: the endpoint is not at a push service that this server uses")
)

// Bounds of what an app may register.
const (
	maxToken    = 4096 // bytes; FCM's have some 160, but Google promises nothing
	maxEndpoint = 2048
)

// IDOf is the id of the registration of a token: the same for the same token, and no way back to it.
func IDOf(kind Kind, token string) string {
	sum := sha256.Sum256([]byte(string(kind) + " " + token))
	return "r_" + base64.RawURLEncoding.EncodeToString(sum[:16])
}

// Check says which field of a registration cannot be, by its name in the protocol, and why. An empty field is no trouble.
func (d Device) Check() (field, reason string) {
	switch d.Kind {
	case FCM:
		if !wire.ValidName(d.Token, maxToken, "_-:.") {
			return "token", "is not a Firebase registration token"
		}
	case VoIP, Alert: // in hexadecimal; Apple says not to count on a length
		if len(d.Token) < 32 || len(d.Token)%2 == 1 || !wire.ValidName(strings.ToLower(d.Token), 200, "") || strings.Trim(strings.ToLower(d.Token), "0123456789abcdef") != "" {
			return "token", "is not an APNs device token in hexadecimal"
		}
	case Web:
		return d.checkSubscription()
	case Custom:
		if !wire.ValidName(d.Token, maxToken, "!#$%&'()*+,-./:;<=>?@[]^_`{|}~") {
			return "token", "must be 1 to 4096 printable ASCII characters"
		}
	default:
		return "kind", "must be one of fcm, apnsVoip, apns, web, custom"
	}
	return "", ""
}

func (d Device) checkSubscription() (field, reason string) {
	if len(d.Token) > maxEndpoint || hostOf(d.Token) == "" {
		return "subscription.endpoint", "is not the URL of a push service"
	}
	key, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(d.P256dh, "="))
	if err == nil {
		_, err = ecdh.P256().NewPublicKey(key)
	}
	if err != nil {
		return "subscription.keys.p256dh", "is not a P-256 public key in base64url"
	}
	if auth, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(d.Auth, "=")); err != nil || len(auth) != 16 { // RFC 8291 §3.2
		return "subscription.keys.auth", "is not 16 bytes in base64url"
	}
	return "", ""
}
