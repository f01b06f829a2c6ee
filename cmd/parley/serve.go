package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/lmittmann/tint"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/parleyrtc/parley/configs"
	"github.com/parleyrtc/parley/web"
)

type serveCommand struct{ source }

// Run runs the server until a signal ends it.
func (c serveCommand) Run(p *process) error {
	cfg, err := c.load(p.env)
	if err != nil {
		return err
	}
	log := newLogger(p.stderr, cfg)
	ctx, stop := signal.NotifyContext(p.context, syscall.SIGTERM, os.Interrupt)
	defer stop()

	began := time.Now()
	if err := probeAll(ports(cfg)); err != nil {
		return err
	}
	registry := newRegistry()
	n, err := openNode(ctx, cfg, registry, log)
	if err != nil {
		return err
	}
	defer n.close()
	l, err := listen(cfg, n, registry, log)
	if err != nil {
		return err
	}
	announce(p.stderr, cfg, c.Dev, log, time.Since(began))

	select {
	case err = <-l.failed:
		log.Error("a listener failed", "error", err)
	case <-ctx.Done():
	}
	stop() // from here on a second signal ends the process at once, as signals do
	shutdown(cfg, n, l, log)
	return err
}

// newLogger writes for people or for machines.
func newLogger(w io.Writer, cfg configs.Config) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(cfg.Log.Level)) // checked with the configuration
	if cfg.Log.Format == "console" {
		file, terminal := w.(*os.File)
		if terminal {
			info, err := file.Stat()
			terminal = err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("NO_COLOR") == ""
		}
		return slog.New(tint.NewTextHandler(w, &tint.Options{Level: level, TimeFormat: time.TimeOnly, NoColor: !terminal}))
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
}

// listeners are the HTTP servers of a node.
type listeners struct {
	public, admin *http.Server
	failed        chan error // room for both
}

// listen starts to serve. After an error nothing is left running.
func listen(cfg configs.Config, n *node, registry *prometheus.Registry, log *slog.Logger) (*listeners, error) {
	files, err := newAssets(web.FS())
	if err != nil {
		return nil, err
	}
	r := routes{socket: n.signaling.Handler(), rest: n.rest.Handler(), web: files, ready: n.ready}
	if cfg.Auth.OpenLogin {
		r.metrics = metricsHandler(registry)
	}
	handler, err := public(cfg, r)
	if err != nil {
		return nil, err
	}
	l := &listeners{failed: make(chan error, 2)}
	l.public = httpServer(cfg, handler, log)
	l.public.TLSConfig = n.httpTLS
	share, err := newShare(cfg, registry)
	if err != nil {
		return nil, err
	}
	if err := l.start(l.public, port{"http.listen", "tcp", cfg.HTTP.Listen, "web page, REST and signaling"}, share); err != nil {
		return nil, err
	}
	if cfg.Admin.Listen == configs.Off {
		return l, nil
	}
	l.admin = httpServer(cfg, admin(registry, n.ready), log)
	l.admin.WriteTimeout = 0 // a CPU profile takes as long as it was asked to
	if err := l.start(l.admin, port{"admin.listen", "tcp", cfg.Admin.Listen, "metrics and profiles"}, nil); err != nil {
		_ = l.public.Close()
		return nil, err
	}
	return l, nil
}

// httpServer has the deadlines without which a client could hold a connection for ever.
func httpServer(cfg configs.Config, handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: cfg.HTTP.ReadHeaderTimeout, ReadTimeout: cfg.HTTP.ReadTimeout,
		WriteTimeout: cfg.HTTP.WriteTimeout, IdleTimeout: cfg.HTTP.IdleTimeout, MaxHeaderBytes: cfg.HTTP.MaxHeaderBytes,
		ErrorLog: slog.NewLogLogger(log.With("part", "http").Handler(), slog.LevelDebug),
	}
}

// start serves on a port, within the share that an address may have unless that is nil.
func (l *listeners) start(server *http.Server, p port, share *fairListener) error {
	listener, err := net.Listen("tcp", p.listen)
	if err != nil {
		return p.explain(err)
	}
	if share != nil {
		share.Listener = listener
		listener = share
	}
	go func() { // ends with the server, which shutdown waits for
		var err error
		if server.TLSConfig != nil {
			err = server.ServeTLS(listener, "", "")
		} else {
			err = server.Serve(listener)
		}
		if !errors.Is(err, http.ErrServerClosed) {
			l.failed <- fmt.Errorf("%s: %w", p.option, err)
		}
	}()
	return nil
}

// closeWait is how long requests that are being answered may take when the process ends.
const closeWait = 2 * time.Second

// shutdown refuses new calls, waits for the running ones as long as the operator says, and stops. Calls that still run then
// are not ended: the store has them, and the next process takes them back.
func shutdown(cfg configs.Config, n *node, l *listeners, log *slog.Logger) {
	log.Info("shutting down: no new calls; waiting for running ones", "wait", cfg.Shutdown.Wait)
	n.ready.draining.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), cfg.Shutdown.Wait)
	defer cancel()
	n.signaling.Drain(ctx)
	n.signaling.Close()

	ctx, cancel = context.WithTimeout(context.Background(), closeWait)
	defer cancel()
	for _, server := range []*http.Server{l.public, l.admin} {
		if server != nil && server.Shutdown(ctx) != nil {
			_ = server.Close()
		}
	}
	log.Info("stopped")
}

// announce says where the server is, to a person in --dev and to the log otherwise.
func announce(w io.Writer, cfg configs.Config, dev bool, log *slog.Logger, took time.Duration) {
	scheme := "http"
	if cfg.HTTP.CertFile != "" {
		scheme = "https"
	}
	host := reachable(cfg, cfg.HTTP.Listen)[0].String()
	url := scheme + "://" + hostPort(host, portOf(cfg.HTTP.Listen)) + "/"
	dir := cfg.Store.Dir
	if absolute, err := filepath.Abs(dir); err == nil {
		dir = absolute
	}
	log.Info("serving", "url", url, "media", cfg.Media.UDP, "version", versionOf(), "took", took.Round(time.Millisecond))
	if !dev {
		return
	}
	fmt.Fprintf(w, "\n  Parley %s, for trying things out. Open the page in two windows and call:\n\n      %s\n\n  Data:    %s\n  Metrics: %smetrics\n",
		versionOf(), url, dir, url)
	if isLoopback(cfg.HTTP.Listen) {
		fmt.Fprint(w, "\n  Firefox does not use loopback for calls: for Firefox add --bind 0.0.0.0 and open http://localhost:"+portOf(cfg.HTTP.Listen)+"/\n")
	} else {
		fmt.Fprintf(w, "\n  WARNING: it listens on %s, and whoever reaches that can sign in as anyone.\n"+
			"  Browsers give camera and microphone to pages over HTTPS and from localhost only:\n  on this machine open %s://localhost:%s/\n",
			cfg.HTTP.Listen, scheme, portOf(cfg.HTTP.Listen))
	}
	fmt.Fprint(w, "\n  Ctrl+C stops it.\n\n")
}
