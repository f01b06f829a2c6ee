package push

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/jwt"

	"github.com/parleyrtc/parley/signaling/outbound"
	"github.com/parleyrtc/parley/signaling/push/notice"
)

// fcmScope is what the access token is for.
const fcmScope = "https://www.googleapis.com/auth/firebase.messaging"

// fcm sends by Firebase Cloud Messaging's HTTP v1 API.
type fcm struct {
	client *outbound.Client
	url    string
	access *access
}

// newFCM reads the service account. Its tokens are fetched until ctx ends, by what running waits for.
func newFCM(ctx context.Context, config FCMConfig, client *outbound.Client, running *sync.WaitGroup) (*fcm, error) {
	var account struct {
		Type     string `json:"type"`
		Project  string `json:"project_id"`
		Email    string `json:"client_email"`
		Key      string `json:"private_key"`
		KeyID    string `json:"private_key_id"`
		TokenURL string `json:"token_uri"`
	}
	if json.Unmarshal([]byte(config.Credentials), &account) != nil { // without the cause, which may have the key in it
		return nil, errors.New("push: FCM: the credentials are not JSON")
	}
	if account.Type != "service_account" || account.Project == "" || account.Email == "" || account.Key == "" {
		return nil, errors.New("push: FCM: the credentials are not those of a service account (type, project_id, client_email, private_key)")
	}
	source := &jwt.Config{
		Email: account.Email, PrivateKey: []byte(account.Key), PrivateKeyID: account.KeyID, Scopes: []string{fcmScope},
		TokenURL: cmp.Or(account.TokenURL, "https://oauth2.googleapis.com/token"),
	}
	if err := outbound.Check(source.TokenURL); err != nil {
		return nil, fmt.Errorf("push: FCM: token_uri: %w", err)
	}
	base := strings.TrimRight(cmp.Or(config.URL, "https://fcm.googleapis.com"), "/")
	ctx = context.WithValue(ctx, oauth2.HTTPClient, client.HTTP(ctx))
	return &fcm{
		client: client, url: base + "/v1/projects/" + url.PathEscape(account.Project) + "/messages:send",
		access: &access{running: running, fetch: func() (*oauth2.Token, error) { return source.TokenSource(ctx).Token() }},
	}, nil
}

func (f *fcm) send(ctx context.Context, now time.Time, j *job) notice.Verdict {
	token, err := f.access.token(ctx)
	if err != nil {
		return refusedToken(err)
	}
	header := http.Header{"Authorization": {"Bearer " + token}}
	return post(ctx, f.client, now, f.url, header, notice.FCMBody(now, j.notice, j.device), notice.FCMVerdict)
}

func (f *fcm) renew() { f.access.renew() }

// refusedToken judges an attempt for which Google gave no access token.
func refusedToken(err error) notice.Verdict {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.Response != nil && refused.Response.StatusCode < http.StatusInternalServerError {
		return notice.Verdict{Outcome: notice.Refused, Reason: "Google refuses the service account: " + refused.Response.Status}
	}
	v := trouble(err)
	v.Reason = "no access token"
	return v
}

// access has an OAuth access token that all attempts share. Only one is fetched at a time, and whoever waits for it waits no longer
// than their own context.
type access struct {
	fetch   func() (*oauth2.Token, error)
	running *sync.WaitGroup // is waited for after all attempts have ended

	// Guarded by mu.
	mu      sync.Mutex
	current *oauth2.Token
	under   *fetching // nil: nothing under way
}

type fetching struct {
	done  chan struct{} // closed when the fields below are set
	token *oauth2.Token
	err   error
}

// token returns a token that is good for a while.
func (a *access) token(ctx context.Context) (string, error) {
	a.mu.Lock()
	if a.current.Valid() {
		defer a.mu.Unlock()
		return a.current.AccessToken, nil
	}
	f := a.under
	if f == nil {
		f = &fetching{done: make(chan struct{})}
		a.under = f
		a.running.Go(func() { a.do(f) })
	}
	a.mu.Unlock()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case <-f.done:
	}
	if f.err != nil {
		return "", f.err
	}
	return f.token.AccessToken, nil
}

func (a *access) do(f *fetching) {
	f.token, f.err = a.fetch()
	a.mu.Lock()
	a.current, a.under = f.token, nil
	a.mu.Unlock()
	close(f.done)
}

func (a *access) renew() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.current = nil
}
