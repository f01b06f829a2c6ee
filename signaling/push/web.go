package push

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/SherClockHolmes/webpush-go"

	"github.com/parleyrtc/parley/signaling/outbound"
	"github.com/parleyrtc/parley/signaling/push/notice"
)

// web sends by the push services of browsers, encrypted for the one browser (RFC 8291) and signed by us (RFC 8292).
type web struct {
	client  *outbound.Client
	hosts   []string
	options webpush.Options
}

func newWeb(config WebConfig, client *outbound.Client) (*web, error) {
	public, err := VAPIDPublicKey(config.PrivateKey)
	if err != nil {
		return nil, err
	}
	contact, mail := strings.CutPrefix(config.Contact, "mailto:")
	if !mail && !strings.HasPrefix(contact, "https://") {
		return nil, errors.New("push: Web Push: the contact must begin with mailto: or https://")
	}
	return &web{client: client, hosts: config.Hosts, options: webpush.Options{
		Subscriber: contact, VAPIDPublicKey: public, VAPIDPrivateKey: config.PrivateKey, // the library puts mailto: back
	}}, nil
}

func (w *web) send(ctx context.Context, now time.Time, j *job) notice.Verdict {
	if !notice.AllowedEndpoint(j.device.Token, w.hosts) { // the operator may have changed the list since
		return notice.Verdict{Outcome: notice.Refused, Reason: notice.ErrEndpoint.Error()}
	}
	m := notice.WebMessage(now, j.notice)
	through := &exchange{client: w.client}
	options := w.options
	options.HTTPClient, options.TTL, options.Topic, options.Urgency = through, m.TTL, m.Topic, webpush.Urgency(m.Urgency)
	subscription := &webpush.Subscription{Endpoint: j.device.Token, Keys: webpush.Keys{P256dh: j.device.P256dh, Auth: j.device.Auth}}
	res, err := webpush.SendNotificationWithContext(ctx, m.Payload, subscription, &options)
	if err != nil {
		return trouble(err)
	}
	_ = res.Body.Close() // is in memory
	return notice.WebVerdict(now, res.StatusCode, res.Header.Get("Retry-After"), through.answer.Body)
}

func (w *web) renew() {} // each message is signed anew

// exchange is the HTTP client of one message, which leaves nothing open.
type exchange struct {
	client *outbound.Client
	answer outbound.Answer
}

// Do sends the request and reads the answer.
func (e *exchange) Do(req *http.Request) (*http.Response, error) {
	var err error
	if e.answer, err = e.client.Do(req); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: e.answer.Status, Header: e.answer.Header, Body: io.NopCloser(bytes.NewReader(e.answer.Body))}, nil
}

// NewVAPIDKey makes a private key for Web Push: 32 bytes in base64url.
func NewVAPIDKey() (string, error) {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(key.Bytes()), nil
}

// VAPIDPublicKey is the applicationServerKey that belongs to a private key, in base64url.
func VAPIDPublicKey(private string) (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(private, "="))
	if err == nil {
		var key *ecdh.PrivateKey
		if key, err = ecdh.P256().NewPrivateKey(raw); err == nil {
			return base64.RawURLEncoding.EncodeToString(key.PublicKey().Bytes()), nil
		}
	}
	return "", errors.New("push: Web Push: the VAPID key is not 32 bytes of a P-256 private key in base64url")
}
