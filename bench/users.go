package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// names are n users of this run: those whose tokens we have, or made-up ones that no other run has.
func (t Target) names(n int) ([]string, error) {
	if t.Users != nil {
		if len(t.Users) < n {
			return nil, fmt.Errorf("%w: it needs %d users, and there are tokens for %d; an API key signs tokens for everybody", ErrShape, n, len(t.Users))
		}
		return t.Users[:n], nil
	}
	run := runID()
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("bench-%s-%d", run, i)
	}
	return out, nil
}

// OpenLogin signs a user in as the call page does on a server with --dev. Other servers refuse it.
func (t Target) OpenLogin(ctx context.Context, uid string) (string, error) {
	var config struct {
		AuthKey string `json:"authKey"`
	}
	if err := t.request(ctx, "", http.MethodGet, "/v1/config", nil, &config); err != nil {
		return "", t.explain("ask for the configuration", err)
	}
	if config.AuthKey == "" {
		return "", fmt.Errorf("%w: it is no --dev server, so it needs an API key or users' tokens", ErrUnauthorized)
	}
	var body struct {
		Token string `json:"token"`
	}
	err := t.request(ctx, "", http.MethodPost, "/v1/auth/login", map[string]string{"uid": uid, "authKey": config.AuthKey}, &body)
	if err != nil && !errors.Is(err, ErrUnreachable) {
		return "", fmt.Errorf("sign in %s: %w", uid, err)
	}
	return body.Token, err
}
