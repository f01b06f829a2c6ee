package push

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/parleyrtc/parley/signaling/outbound"
	"github.com/parleyrtc/parley/signaling/push/notice"
	"github.com/parleyrtc/parley/signaling/webhook"
)

// backEnd tells the operator's own push server, one request for each user.
type backEnd struct {
	client  *outbound.Client
	url     string
	secrets []webhook.Secret
}

func newBackEnd(config WebhookConfig, client *outbound.Client) (*backEnd, error) {
	if err := outbound.Check(config.URL); err != nil {
		return nil, fmt.Errorf("push: webhook: %w", err)
	}
	if len(config.Secrets) == 0 {
		return nil, errors.New("push: webhook: a secret is needed")
	}
	return &backEnd{client: client, url: config.URL, secrets: config.Secrets}, nil
}

func (w *backEnd) send(ctx context.Context, now time.Time, j *job) notice.Verdict {
	body := notice.WebhookBody(j.notice, j.uid, j.tokens)
	// The same for every attempt, so that the receiver can tell a repetition from a new push.
	id := "push_" + notice.IDOf("webhook", j.notice.Session+" "+j.uid+" "+j.notice.Data["callAction"])
	header := http.Header{}
	webhook.Sign(header, w.secrets, id, now, body)
	return post(ctx, w.client, now, w.url, header, body, func(now time.Time, status int, retryAfter string, _ []byte) notice.Verdict {
		return notice.PlainVerdict(now, status, retryAfter)
	})
}

func (w *backEnd) renew() {} // each request is signed anew
