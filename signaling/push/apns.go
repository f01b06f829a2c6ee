package push

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/parleyrtc/parley/signaling/outbound"
	"github.com/parleyrtc/parley/signaling/push/notice"
)

// Apple wants provider tokens that are at most an hour old and are made at most every 20 minutes.
const (
	apnsTokenLife = 40 * time.Minute
	apnsTokenRest = 20 * time.Minute
)

// apns sends by Apple's push service, with a token of our own making.
type apns struct {
	client          *outbound.Client
	config          APNsConfig
	url, sandboxURL string
	key             *ecdsa.PrivateKey
	now             func() time.Time

	// Guarded by mu.
	mu     sync.Mutex
	token  string
	issued time.Time
	old    bool // Apple says that the token has expired
}

func newAPNs(config APNsConfig, client *outbound.Client, now func() time.Time) (*apns, error) {
	key, err := jwt.ParseECPrivateKeyFromPEM([]byte(config.Key))
	if err != nil {
		return nil, errors.New("push: APNs: the key is not the text of a .p8 file") // without the cause, which may quote it
	}
	if config.KeyID == "" || config.TeamID == "" || config.Bundle == "" {
		return nil, errors.New("push: APNs needs a key id, a team id and a bundle id")
	}
	return &apns{
		client: client, config: config, key: key, now: now,
		url:        strings.TrimRight(cmp.Or(config.URL, "https://api.push.apple.com"), "/"),
		sandboxURL: strings.TrimRight(cmp.Or(config.SandboxURL, "https://api.sandbox.push.apple.com"), "/"),
	}, nil
}

func (a *apns) send(ctx context.Context, now time.Time, j *job) notice.Verdict {
	token, err := a.bearer()
	if err != nil {
		return notice.Verdict{Outcome: notice.Refused, Reason: "signing failed"}
	}
	p := notice.APNs(now, j.notice, j.device, a.config.Bundle)
	header := http.Header{"Authorization": {"bearer " + token}}
	for name, value := range p.Header {
		header.Set(name, value)
	}
	base := a.url
	if j.device.Sandbox {
		base = a.sandboxURL
	}
	return post(ctx, a.client, now, base+p.Path, header, p.Body, notice.APNsVerdict)
}

// bearer is the provider token, made anew when it gets old.
func (a *apns) bearer() (string, error) {
	now := a.now()
	a.mu.Lock()
	defer a.mu.Unlock()
	age := now.Sub(a.issued)
	if a.token != "" && age < apnsTokenLife && !(a.old && age >= apnsTokenRest) {
		return a.token, nil
	}
	t := jwt.NewWithClaims(jwt.SigningMethodES256, jwt.MapClaims{"iss": a.config.TeamID, "iat": now.Unix()})
	t.Header["kid"] = a.config.KeyID
	signed, err := t.SignedString(a.key)
	if err != nil {
		return "", err
	}
	a.token, a.issued, a.old = signed, now, false
	return signed, nil
}

func (a *apns) renew() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.old = true
}
