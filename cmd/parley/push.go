package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/parleyrtc/parley/configs"
	"github.com/parleyrtc/parley/signaling/push"
	"github.com/parleyrtc/parley/signaling/store"
	"github.com/parleyrtc/parley/signaling/webhook"
)

// pushConfig has the providers whose credentials are set. The VAPID key is the operator's, or the store's.
func pushConfig(cfg configs.Config, s store.Store, registry *prometheus.Registry, log *slog.Logger) (push.Config, error) {
	vapid := cfg.Push.WebVAPIDKey.Reveal()
	if cfg.Push.WebContact != "" && vapid == "" {
		var err error
		if vapid, err = keptVAPIDKey(s); err != nil {
			return push.Config{}, fmt.Errorf("push.web_vapid_key: %w", err)
		}
	}
	out := providersOf(cfg.Push, vapid)
	out.Logger, out.Registerer = log.With("part", "push"), registry
	return out, nil
}

// providersOf is the push configuration without what belongs to the process.
func providersOf(p configs.Push, vapid string) push.Config {
	out := push.Config{Timeout: p.Timeout, Queue: p.Queue, Parallel: p.Parallel}
	if p.FCMCredentials != "" {
		out.FCM = &push.FCMConfig{Credentials: p.FCMCredentials.Reveal(), URL: p.FCMURL}
	}
	if p.APNsKey != "" {
		out.APNs = &push.APNsConfig{
			Key: p.APNsKey.Reveal(), KeyID: p.APNsKeyID, TeamID: p.APNsTeamID, Bundle: p.APNsBundleID, URL: p.APNsURL, SandboxURL: p.APNsSandboxURL,
		}
	}
	if p.WebContact != "" {
		out.Web = &push.WebConfig{Contact: p.WebContact, PrivateKey: vapid, Hosts: p.WebHosts}
	}
	if p.WebhookURL != "" {
		out.Webhook = &push.WebhookConfig{URL: p.WebhookURL}
		for _, text := range (configs.Webhook{Secret: p.WebhookSecret}).Secrets() {
			if secret, err := webhook.ParseSecret(text.Reveal()); err == nil { // checked with the configuration
				out.Webhook.Secrets = append(out.Webhook.Secrets, secret)
			}
		}
	}
	for _, text := range p.Allow {
		if prefix, err := configs.ParsePrefix(text); err == nil { // checked with the configuration
			out.Allow = append(out.Allow, prefix)
		}
	}
	return out
}

// vapidKeyKey is where the store keeps the VAPID key that a server made.
const vapidKeyKey = "server/vapid"

// keptVAPIDKey reads the store's key, and makes it the first time. Of several nodes that start at once the fastest makes it.
func keptVAPIDKey(s store.Store) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for {
		record, err := s.Get(ctx, vapidKeyKey)
		if err == nil {
			return string(record.Value), nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return "", err
		}
		fresh, err := push.NewVAPIDKey()
		if err != nil {
			return "", err
		}
		if _, err = s.Commit(ctx, []store.Change{{Key: vapidKeyKey, Value: []byte(fresh)}}); err != nil && !errors.Is(err, store.ErrConflict) {
			return "", err
		}
	}
}

// checkPush looks whether the credentials of push providers can be used, without calling anybody.
func checkPush(cfg configs.Config) []finding {
	vapid, err := push.NewVAPIDKey()
	if err != nil {
		return []finding{found(bad, "push", "no key can be made: %v.", err)}
	}
	config := providersOf(cfg.Push, cmp.Or(cfg.Push.WebVAPIDKey.Reveal(), vapid))
	config.Logger = slog.New(slog.DiscardHandler)
	if len(config.Kinds()) == 0 {
		return []finding{found(hint, "push", "no push provider: phones and closed pages do not ring. docs/push.md says how to set one up.")}
	}
	sender, err := push.New(config, nil)
	if err != nil {
		return []finding{found(bad, "push", "%v.", err)}
	}
	sender.Close()
	return []finding{found(good, "push", "can reach devices of the kinds %v.", config.Kinds())}
}
