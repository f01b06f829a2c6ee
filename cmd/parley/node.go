package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/parleyrtc/parley/configs"
	"github.com/parleyrtc/parley/sfu"
	"github.com/parleyrtc/parley/sfu/transport"
	"github.com/parleyrtc/parley/signaling"
	"github.com/parleyrtc/parley/signaling/push"
	"github.com/parleyrtc/parley/signaling/store"
	"github.com/parleyrtc/parley/signaling/token"
	"github.com/parleyrtc/parley/signaling/webhook"
)

// node is all parts of a running server but its HTTP listeners. It is the only place that knows them all.
type node struct {
	store     *store.JetStream
	media     *localMedia
	hooks     *webhook.Post
	signaling *signaling.Server
	rest      *signaling.REST
	push      *push.Sender
	relay     *relay // nil when TURN is off
	ready     *readiness
	httpTLS   *tls.Config // nil for plain HTTP
}

// openNode starts the parts in the order in which they need each other. After an error nothing is left running.
func openNode(ctx context.Context, cfg configs.Config, registry *prometheus.Registry, log *slog.Logger) (*node, error) {
	n := &node{}
	if err := n.open(ctx, cfg, registry, log); err != nil {
		n.close()
		return nil, err
	}
	return n, nil
}

func (n *node) open(ctx context.Context, cfg configs.Config, registry *prometheus.Registry, log *slog.Logger) error {
	var certificates []*certificate
	if cfg.HTTP.CertFile != "" {
		c, err := openCertificate("http", cfg.HTTP.CertFile, cfg.HTTP.KeyFile, log)
		if err != nil {
			return err
		}
		certificates = append(certificates, c)
		n.httpTLS = c.tls("h2", "http/1.1")
	}
	var err error
	if n.store, err = openStore(ctx, cfg, log); err != nil {
		return err
	}
	n.media = &localMedia{}
	if n.media.sfu, err = sfu.New(mediaConfig(cfg, registry, log), n.media.notify); err != nil {
		return fmt.Errorf("media: %w", err)
	}
	if n.relay, err = openRelay(cfg, n.media.sfu.Addresses(), n.media.sfu, registry, log); err != nil {
		return err
	}
	if n.relay != nil {
		n.media.revoke = n.relay.server.Revoke
		if n.relay.certificate != nil {
			certificates = append(certificates, n.relay.certificate)
		}
	}
	n.ready = &readiness{store: n.store, certificates: certificates}
	if n.hooks, err = openWebhooks(ctx, cfg, n.store, registry, log); err != nil {
		return err
	}
	return n.openSignaling(cfg, registry, log)
}

func (n *node) openSignaling(cfg configs.Config, registry *prometheus.Registry, log *slog.Logger) error {
	verifier, err := token.New(apiKeys(cfg))
	if err != nil {
		return err
	}
	directory := signaling.NewDirectory(n.store)
	ice := iceServers(cfg, time.Now)
	pushing, err := pushConfig(cfg, n.store, registry, log)
	if err != nil {
		return err
	}
	devices := push.NewRegistry(push.RegistryConfig{
		Kinds: pushing.Kinds(), WebHosts: cfg.Push.WebHosts, MaxDevices: cfg.Push.MaxDevices,
	}, n.store)
	if n.push, err = push.New(pushing, devices); err != nil {
		return err
	}
	n.signaling, err = signaling.New(signalingConfig(cfg, registry, log), signaling.Deps{
		Store: n.store, Media: n.media, Tokens: verifier, Directory: directory, ICEServers: ice, Observer: n.push, Devices: devices,
		Outbox: n.hooks,
	})
	if err != nil {
		return err
	}
	n.media.told.Store(n.signaling)
	rest := restConfig(cfg, registry, log)
	if pushing.Web != nil {
		if rest.VAPIDPublicKey, err = push.VAPIDPublicKey(pushing.Web.PrivateKey); err != nil {
			return err
		}
	}
	n.rest, err = signaling.NewREST(rest, signaling.RESTDeps{
		Calls: n.signaling, Directory: directory, Tokens: verifier, ICEServers: ice, Devices: devices, Webhooks: n.hooks,
	})
	return err
}

// close stops the parts in the opposite order and waits for each.
func (n *node) close() {
	if n.signaling != nil {
		n.signaling.Close()
	}
	if n.push != nil {
		n.push.Close()
	}
	if n.hooks != nil {
		n.hooks.Close()
	}
	if n.relay != nil {
		n.relay.close()
	}
	if n.media != nil && n.media.sfu != nil {
		_ = n.media.sfu.Close() // the sockets are gone either way
	}
	if n.store != nil {
		_ = n.store.Close() // everything acknowledged is on disk already
	}
}

// openStore opens the data directory or the cluster, or says what is wrong with it.
func openStore(ctx context.Context, cfg configs.Config, log *slog.Logger) (*store.JetStream, error) {
	where := store.Config{URL: cfg.Store.URL, Logger: log.With("part", "store")}
	if where.URL == "" {
		where.Dir = cfg.Store.Dir
		if err := writable(where.Dir); err != nil {
			return nil, err
		}
	}
	s, err := store.Open(ctx, where)
	if err != nil { // the store says it in a sentence; the option goes in front
		option := "store.dir"
		if where.URL != "" {
			option = "store.url"
		}
		return nil, errors.New(option + ": " + strings.TrimPrefix(err.Error(), "store: "))
	}
	return s, nil
}

// writable tries to write into a directory, which it makes if need be.
func writable(dir string) error {
	say := func(err error) error {
		var path *os.PathError
		if errors.As(err, &path) {
			err = path.Err
		}
		return fmt.Errorf("store.dir: the data directory %s cannot be written (%w); give this user the right to, or choose another with --set store.dir=DIRECTORY",
			dir, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return say(err)
	}
	probe := filepath.Join(dir, ".writable")
	if err := os.WriteFile(probe, nil, 0o600); err != nil {
		return say(err)
	}
	return os.Remove(probe)
}

func apiKeys(cfg configs.Config) []token.APIKey {
	keys := make([]token.APIKey, 0, len(cfg.Auth.Keys))
	for _, k := range cfg.Auth.Keys {
		role := token.RoleNone
		switch k.Role {
		case configs.RoleRead:
			role = token.RoleRead
		case configs.RoleAdmin:
			role = token.RoleAdmin
		}
		keys = append(keys, token.APIKey{ID: k.ID, Secret: k.Secret.Reveal(), Role: role})
	}
	return keys
}

func mediaConfig(cfg configs.Config, registry *prometheus.Registry, log *slog.Logger) sfu.Config {
	out := sfu.Config{
		UDP: []string{cfg.Media.UDP}, MaxParticipants: cfg.Calls.MaxParticipants, Pairs: cfg.Calls.Pairs,
		MaxPairs: cfg.Calls.MaxPairs, Logger: log.With("part", "sfu"), Registerer: registry,
		MediaPath: transport.Path(cfg.Media.Path), Segmentation: transport.Switch(cfg.Media.GSO),
		Pacing: transport.Switch(cfg.Media.Pacing), MaxBitrate: cfg.Media.MaxBitrate, Voices: cfg.Media.Voices,
	}
	if cfg.Media.TCP != configs.Off {
		out.TCP = []string{cfg.Media.TCP}
	}
	for _, text := range cfg.Media.Advertise {
		if addr, err := netip.ParseAddr(text); err == nil { // checked with the configuration
			out.Advertise = append(out.Advertise, addr)
		}
	}
	return out
}

func signalingConfig(cfg configs.Config, registry *prometheus.Registry, log *slog.Logger) signaling.Config {
	s, c := cfg.Signaling, cfg.Calls
	return signaling.Config{
		Origins: cfg.HTTP.AllowedOrigins, OpenDirectory: c.Directory == "open",
		RingTimeout: c.RingTimeout, Grace: c.Grace, JoinDeadline: c.JoinDeadline, RingWhenBusy: c.WhenBusy == "ring",
		OpenSessions: c.Sessions == "open", AloneTimeout: c.AloneTimeout,
		HistoryTTL:      c.HistoryTTL,
		MaxParticipants: c.MaxParticipants, RingsPerMinute: c.RingsPerMinute, Pairs: c.Pairs, MaxPairs: c.MaxPairs,
		MaxSockets: s.MaxSockets, MaxPending: s.MaxPending, HelloTimeout: s.HelloTimeout, IdleTimeout: s.IdleTimeout, WriteTimeout: s.WriteTimeout,
		SendMessages: s.SendMessages, SendBytes: s.SendBytes, MessageBytes: s.MessageBytes, OfferBytes: s.OfferBytes,
		ResumeTime: s.ResumeTime, ResumeEvents: s.ResumeEvents, ResumeBytes: s.ResumeBytes, MaxDevices: s.MaxDevices,
		TokenWarning: s.TokenWarning, RequestRate: s.RequestRate, RequestBurst: s.RequestBurst,
		UserRate: s.UserRate, UserBurst: s.UserBurst, OfferRate: s.OfferRate, OfferBurst: s.OfferBurst,
		MaxRefusals: s.MaxRefusals, MaxMalformed: s.MaxMalformed, InboxRequests: s.InboxRequests,
		Logger: log.With("part", "signaling"), Registerer: registry,
	}
}

func restConfig(cfg configs.Config, registry *prometheus.Registry, log *slog.Logger) signaling.RESTConfig {
	out := signaling.RESTConfig{
		Version: versionOf(), BodyBytes: int64(cfg.HTTP.MaxBodyBytes), Rate: cfg.HTTP.RequestRate, Burst: cfg.HTTP.RequestBurst,
		Signer: apiKeys(cfg)[0], TokenTTL: cfg.Auth.TokenTTL, OpenLogin: cfg.Auth.OpenLogin,
		Logger: log.With("part", "rest"), Registerer: registry,
	}
	if out.OpenLogin {
		out.AuthKey = configs.DevKey
	}
	return out
}
