package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"slices"

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
	allow := allowedHooks(w)
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

// allowedHooks are the private networks in which targets may be.
func allowedHooks(w configs.Webhooks) []netip.Prefix {
	var allow []netip.Prefix
	for _, text := range w.Allow {
		if prefix, err := configs.ParsePrefix(text); err == nil { // checked with the configuration
			allow = append(allow, prefix)
		}
	}
	return allow
}

// checkWebhooks says whether the targets' names lead to where the server may send. It sends nothing.
func checkWebhooks(ctx context.Context, cfg configs.Config) []finding {
	var all []finding
	allow := allowedHooks(cfg.Webhooks)
	for _, t := range cfg.Webhooks.Targets {
		about := "webhook " + t.Name
		target, err := url.Parse(t.URL)
		if err != nil {
			continue // refused with the configuration
		}
		lookup, cancel := context.WithTimeout(ctx, lookupTime)
		resolved, err := net.DefaultResolver.LookupNetIP(lookup, "ip", target.Hostname())
		cancel()
		if err != nil {
			all = append(all, found(bad, about, "%s cannot be resolved, so it is told nothing: %v.", target.Hostname(), err))
			continue
		}
		all = append(all, checkTarget(about, target, resolved, allow))
	}
	return all
}

// checkTarget judges the addresses of one target.
func checkTarget(about string, target *url.URL, resolved []netip.Addr, allow []netip.Prefix) finding {
	for _, addr := range resolved {
		addr = addr.Unmap()
		private := slices.ContainsFunc(allow, func(p netip.Prefix) bool { return p.Contains(addr) })
		switch {
		case !private && !outbound.Public(addr):
			return found(bad, about, "%s leads to %v, which is not a public address: put it into webhooks.allow if it is your back end.", target.Hostname(), addr)
		case !private && target.Scheme != "https":
			return found(bad, about, "it is http:// at the public address %v, which is never used: write https://.", addr)
		}
	}
	return found(good, about, "%s leads to %v.", target.Hostname(), resolved)
}
