package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"

	"github.com/parleyrtc/parley/bench/proc"
	"github.com/parleyrtc/parley/bench/serve"
)

// ServeConfig says how Serve runs a server.
type ServeConfig struct {
	Binary string   // parley's binary; empty: built from this module's source
	Cores  Cores    // zero: PickCores
	Netns  bool     // the server gets a network namespace of its own; that needs root
	Env    []string // more PARLEY_ variables; limits that would hinder a load run are lifted already
}

// Server is a server that Serve started.
type Server struct {
	Target
	CertFile string // PEM certificate of its TURN over TLS, for localhost

	dir string
}

// lifted are the limits that keep one client from doing the work of a hundred.
var lifted = []string{
	"PARLEY_CALLS_MAX_PARTICIPANTS=1000", "PARLEY_CALLS_RINGS_PER_MINUTE=10000",
	"PARLEY_HTTP_MAX_CONNECTIONS=100000", "PARLEY_SIGNALING_MAX_PENDING=10000", "PARLEY_HTTP_REQUEST_RATE=100000", "PARLEY_HTTP_REQUEST_BURST=1000000",
	"PARLEY_SIGNALING_REQUEST_RATE=100000", "PARLEY_SIGNALING_REQUEST_BURST=1000000",
	"PARLEY_SIGNALING_USER_RATE=100000", "PARLEY_SIGNALING_USER_BURST=1000000",
	"PARLEY_SIGNALING_OFFER_RATE=100000", "PARLEY_SIGNALING_OFFER_BURST=1000000",
	"PARLEY_MEDIA_VOICES=50", // what a packet of sound costs is measured with all that there are
	"PARLEY_TURN_QUOTA=10000", "PARLEY_LOG_LEVEL=warn",
}

// relayPorts is how many relays a server may have at once.
const relayPorts = 2000

// Serve starts a server on free ports and returns when it is ready.
func Serve(ctx context.Context, cfg ServeConfig) (*Server, error) {
	if len(cfg.Cores.Server) == 0 && len(cfg.Cores.Clients) == 0 {
		cfg.Cores = PickCores()
	}
	dir, err := os.MkdirTemp("", "parley-bench")
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, CertFile: filepath.Join(dir, serve.CertFile)}
	s.Cores = cfg.Cores
	if err := s.start(ctx, cfg); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Server) start(ctx context.Context, cfg ServeConfig) error {
	if cfg.Binary == "" {
		var err error
		if cfg.Binary, err = serve.Build(s.dir); err != nil {
			return fmt.Errorf("%w (without the source, name a binary)", err)
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := serve.Certificate(s.dir); err != nil {
		return err
	}
	if cfg.Netns {
		var err error
		if s.namespace, err = proc.NewNamespace(); err != nil {
			return fmt.Errorf("%w: %w", ErrNamespace, err)
		}
	}
	p, err := serve.New(cfg.Binary, filepath.Join(s.dir, "data"), s.dir)
	if err != nil {
		return err
	}
	if p, err = s.configured(cfg, p); err != nil {
		return err
	}
	// The process inherits cores and namespace of the thread that starts it.
	if err := proc.OnCores(cfg.Cores.Server, s.namespace, p.Start); err != nil {
		if errors.Is(err, errors.ErrUnsupported) {
			return fmt.Errorf("%w: processes can be pinned on Linux only", ErrNoAccounting)
		}
		return fmt.Errorf("start the server: %w", err)
	}
	s.Owned, s.PID = p, p.PID()
	s.Base, s.Admin = p.Base, p.Admin
	s.Token = s.login
	return nil
}

// configured makes the process again with its variables, some of which depend on the ports that the first one found.
func (s *Server) configured(cfg ServeConfig, first *serve.Process) (*serve.Process, error) {
	env := append([]string(nil), lifted...)
	relay := min(first.Relay, 65535-relayPorts)
	env = append(env, "PARLEY_TURN_RELAY_PORT_MIN="+strconv.Itoa(relay), "PARLEY_TURN_RELAY_PORT_MAX="+strconv.Itoa(relay+relayPorts))
	_, public, _ := net.SplitHostPort(first.Base[len("http://"):])
	_, admin, _ := net.SplitHostPort(first.Admin[len("http://"):])
	host := "127.0.0.1"
	if s.namespace != nil {
		host = s.namespace.Theirs.String()
	}
	for name, port := range map[string]string{
		"HTTP_LISTEN": public, "ADMIN_LISTEN": admin, "MEDIA_UDP": first.Media, "MEDIA_TCP": first.Media,
		"TURN_UDP": first.TURN, "TURN_TCP": first.TURN, "TURN_TLS": first.TURNS,
	} {
		env = append(env, "PARLEY_"+name+"="+net.JoinHostPort(host, port))
	}
	p, err := serve.New(cfg.Binary, filepath.Join(s.dir, "data"), s.dir, append(env, cfg.Env...)...)
	if err != nil {
		return nil, err
	}
	p.Base, p.Admin = "http://"+net.JoinHostPort(host, public), "http://"+net.JoinHostPort(host, admin)
	p.Media, p.TURN, p.TURNS, p.Relay = first.Media, first.TURN, first.TURNS, relay
	return p, nil
}

// login signs a user in as the call page does on a server with --dev.
func (s *Server) login(ctx context.Context, uid string) (string, error) {
	var body struct {
		Token string `json:"token"`
	}
	err := s.request(ctx, "", http.MethodPost, "/v1/auth/login", map[string]string{"uid": uid, "authKey": "devkey"}, &body)
	return body.Token, err
}

// Output is what the server has written so far.
func (s *Server) Output() string {
	if s.Owned == nil {
		return ""
	}
	return s.Owned.Output()
}

// Close ends the server and removes its files.
func (s *Server) Close() {
	if s.Owned != nil {
		s.Owned.Stop()
	}
	if s.namespace != nil {
		s.namespace.Close()
	}
	os.RemoveAll(s.dir)
}
