package push

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/parleyrtc/parley/signaling/outbound"
	"github.com/parleyrtc/parley/signaling/push/notice"
)

// webhook tells the operator's own push server, one request for each user.
type webhook struct {
	client *outbound.Client
	url    string
	secret []byte
}

// minSecret is the least length of a signing secret in bytes (Standard Webhooks).
const minSecret = 24

func newWebhook(config WebhookConfig, client *outbound.Client) (*webhook, error) {
	if err := outbound.Check(config.URL); err != nil {
		return nil, fmt.Errorf("push: webhook: %w", err)
	}
	if len(config.Secret) < minSecret {
		return nil, errors.New("push: webhook: the secret must have at least 24 characters")
	}
	return &webhook{client: client, url: config.URL, secret: []byte(config.Secret)}, nil
}

func (w *webhook) send(ctx context.Context, now time.Time, j *job) notice.Verdict {
	body := notice.WebhookBody(j.notice, j.uid, j.tokens)
	// The same for every attempt, so that the receiver can tell a repetition from a new push.
	id := "push_" + notice.IDOf("webhook", j.notice.Session+" "+j.uid+" "+j.notice.Data["callAction"])
	stamp := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, w.secret)
	mac.Write([]byte(id + "." + stamp + "."))
	mac.Write(body)
	header := map[string]string{
		"webhook-id": id, "webhook-timestamp": stamp,
		"webhook-signature": "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)),
	}
	return post(ctx, w.client, now, w.url, header, body, func(now time.Time, status int, retryAfter string, _ []byte) notice.Verdict {
		return notice.PlainVerdict(now, status, retryAfter)
	})
}

func (w *webhook) renew() {} // each request is signed anew
