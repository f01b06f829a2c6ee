package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/parleyrtc/parley/configs"
	"github.com/parleyrtc/parley/signaling/journal"
	"github.com/parleyrtc/parley/signaling/outbound"
	"github.com/parleyrtc/parley/signaling/store"
	"github.com/parleyrtc/parley/signaling/webhook"
)

// openWebhooks goes on with the queues of the configured targets.
func openWebhooks(ctx context.Context, cfg configs.Config, s *store.JetStream, registry *prometheus.Registry, log *slog.Logger) (*webhook.Post, error) {
	w := cfg.Webhooks
	var allow []netip.Prefix
	for _, text := range w.Allow {
		prefix, err := configs.ParsePrefix(text)
		if err != nil {
			return nil, err
		}
		allow = append(allow, prefix)
	}
	config := webhook.Config{
		Client:   outbound.New(outbound.Config{Allow: allow, Timeout: w.Timeout, MaxIdle: w.Parallel * max(1, len(w.Targets))}),
		Parallel: w.Parallel, MaxAge: w.MaxAge, QueueBytes: w.QueueBytes, DeadAge: w.DeadLetterAge,
		UserAgent: "Parley/" + versionOf(), Logger: log.With("part", "webhooks"), Registerer: registry,
	}
	for _, t := range w.Targets {
		target := webhook.Target{Name: t.Name, URL: t.URL}
		for _, secret := range t.Secrets() {
			parsed, err := webhook.ParseSecret(secret.Reveal())
			if err != nil {
				return nil, fmt.Errorf("webhooks: the secret of %s: %w", t.Name, err)
			}
			target.Secrets = append(target.Secrets, parsed)
		}
		for _, event := range t.Events {
			target.Events = append(target.Events, journal.Kind(event))
		}
		config.Targets = append(config.Targets, target)
	}
	return webhook.New(ctx, config, s)
}
