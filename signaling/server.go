package signaling

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/parleyrtc/parley/signaling/store"
	"github.com/parleyrtc/parley/signaling/token"
	"github.com/parleyrtc/parley/signaling/wire"
)

// Deps are the other parts that signaling works with. All are needed.
type Deps struct {
	Store      store.Store // stays open until after Close
	Media      Media
	Tokens     Tokens
	Directory  Profiles
	ICEServers ICEServers
}

// Tokens tells who a token belongs to. *token.Verifier is one.
type Tokens interface {
	Verify(now time.Time, raw string) (token.Claims, error)
}

// Profiles knows the users and groups that calls name.
type Profiles interface {
	// Touch records a user as their token describes them.
	Touch(ctx context.Context, user wire.UserView) error
	// User returns a user, and false for one who was never seen.
	User(ctx context.Context, uid string) (wire.UserView, bool, error)
	// Group returns a group and the uids of its members, and false when there is none.
	Group(ctx context.Context, guid string) (wire.GroupView, []string, bool, error)
}

// Server is the signaling side of one node: its sockets and the calls it owns.
type Server struct {
	// Set at construction.
	config  Config
	deps    Deps
	log     *slog.Logger
	metrics *metrics
	started time.Time
	hub     *hub
	mux     *http.ServeMux

	draining atomic.Bool

	// Guarded by mu.
	mu      sync.Mutex
	sockets map[*socket]struct{}
	closed  bool
	wg      sync.WaitGroup // one per socket
}

// New takes back the calls that the store has and returns a server that is ready to be asked. Ringing calls go on towards
// their deadline, and participants of ongoing ones have the grace period from now on to come back.
func New(config Config, deps Deps) (*Server, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	if deps.Store == nil || deps.Media == nil || deps.Tokens == nil || deps.Directory == nil || deps.ICEServers == nil {
		return nil, errors.New("signaling: New needs a store, media, tokens, a directory and ICE servers")
	}
	s := &Server{
		config: config, deps: deps, log: config.Logger, metrics: newMetrics(config.Registerer), started: time.Now(),
		mux: http.NewServeMux(), sockets: map[*socket]struct{}{},
	}
	return s, nil
}

// Handler serves everything under /v1/.
func (s *Server) Handler() http.Handler { return s.mux }

// MediaEvent takes a fact from the media side. It never blocks and may be called from any goroutine.
func (s *Server) MediaEvent(event MediaEvent) {
	s.metrics.mediaEvents.WithLabelValues(event.Kind.String()).Inc()
}
