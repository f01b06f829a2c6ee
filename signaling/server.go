package signaling

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/history"
	"github.com/parleyrtc/parley/signaling/store"
	"github.com/parleyrtc/parley/signaling/token"
	"github.com/parleyrtc/parley/signaling/wire"
)

// Deps are the other parts that signaling works with. All are needed, but for those that say otherwise.
type Deps struct {
	Store      store.Store // stays open until after Close
	Media      Media
	Tokens     Tokens
	Directory  Profiles
	ICEServers ICEServers
	Observer   Observer // may be nil
	Devices    Devices  // nil: nobody is pushed
	Outbox     Outbox   // may be nil
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
	// Blocks reports whether a user does not want to be called by another.
	Blocks(ctx context.Context, uid, other string) (bool, error)
	// Block notes that they do not, and Unblock takes it back; both may be said twice.
	Block(ctx context.Context, uid, other string) error
	Unblock(ctx context.Context, uid, other string) error
	// Blocked lists those whom a user has blocked with a uid above after, by uid, at most limit, and reports whether there are more.
	Blocked(ctx context.Context, uid, after string, limit int) (page []string, more bool, err error)
	// MayList takes one request that reads a whole list from a user's rate, or says how long to wait.
	MayList(now time.Time, uid string) (wait time.Duration, allowed bool)
	// GroupProfile returns a group without its members, who may be many, and false when there is none.
	GroupProfile(ctx context.Context, guid string) (wire.GroupView, bool, error)
	// Group returns a group and the uids of its members, and false when there is none.
	Group(ctx context.Context, guid string) (wire.GroupView, []string, bool, error)
}

// Server is the signaling side of one node: its sockets and the calls it owns.
type Server struct {
	// Set at construction.
	config    Config
	deps      Deps
	log       *slog.Logger
	metrics   *metrics
	hub       *hub
	calls     *calls
	limits    *limits
	mutations *mutations
	relay     *relay
	past      *callLog
	seats     *seats
	trials    *trials
	upgrader  *websocket.Upgrader
	mux       *http.ServeMux
	context   context.Context // ends what is under way when the server closes
	cancel    context.CancelFunc

	draining atomic.Bool // no new calls
	closing  atomic.Bool // devices that go away now are not gone: the server is

	leaving chan struct{} // closed with closing: what waits for a time need not wait
	closer  sync.Once

	// Guarded by ringing.
	ringing sync.Mutex
	rings   call.RingLimit

	// Guarded by mu.
	mu      sync.Mutex
	sockets map[*socket]struct{}
	pending map[string]int // by remote address: sockets before their hello
	closed  bool

	serving sync.WaitGroup // one per socket
}

// A Server is the Calls of REST.
var _ Calls = (*Server)(nil)

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
	if deps.Devices == nil {
		deps.Devices = noDevices{}
	}
	s := &Server{
		config: config, deps: deps, log: config.Logger, metrics: newMetrics(config.Registerer), calls: newCalls(),
		limits: newLimits(config.UserRate, config.UserBurst), mutations: newMutations(), seats: newSeats(), trials: newTrials(),
		mux: http.NewServeMux(), leaving: make(chan struct{}), rings: call.RingLimit{Max: config.RingsPerMinute}, sockets: map[*socket]struct{}{}, pending: map[string]int{},
	}
	s.relay, s.past = s.newRelay(), &callLog{index: history.NewIndex(), expired: time.Now(), ready: make(chan struct{})}
	s.context, s.cancel = context.WithCancel(context.Background())
	s.hub = newHub(config, s.calls.presence)
	s.upgrader = s.newUpgrader()
	s.mux.HandleFunc("/v1/ws", s.serveSocket)
	ctx, cancel := context.WithTimeout(s.context, time.Minute)
	defer cancel()
	if err := s.resume(ctx); err != nil {
		s.Close()
		return nil, fmt.Errorf("signaling: taking back calls: %w", err)
	}
	s.calls.aside(s.sweeper)
	ctx, s.relay.stop = context.WithCancel(s.context)
	s.calls.aside(func() { s.relay.run(ctx) })
	s.calls.aside(func() { s.fillLog(ctx) })
	return s, nil
}

// Handler serves the WebSocket endpoint /v1/ws.
func (s *Server) Handler() http.Handler { return s.mux }

// drainLook is how often Drain looks whether calls are still going on.
const drainLook = 100 * time.Millisecond

// Drain refuses new calls from now on, tells every client when the server will be gone (the deadline of ctx), and returns
// when no call is left or ctx is over. It ends no call.
func (s *Server) Drain(ctx context.Context) {
	s.draining.Store(true)
	now := time.Now()
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = now
	}
	if data, err := wire.Encode(wire.DrainingEvent{Deadline: wire.Millis(deadline)}); err == nil {
		s.hub.everyone(wire.EventServerDraining, now, data)
	}
	ticker := time.NewTicker(drainLook)
	defer ticker.Stop()
	for s.calls.live() > 0 {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// closeWait is how long Close lets requests that are under way come to their end.
const closeWait = 2 * time.Second

// Close closes all connections with 1012 and stops the calls where they stand, without ending any: the next process with the
// same store takes them back. It waits for every goroutine. The media side is to be closed after it.
func (s *Server) Close() { s.closer.Do(s.close) }

func (s *Server) close() {
	s.draining.Store(true)
	s.closing.Store(true)
	close(s.leaving)
	s.mu.Lock()
	s.closed = true
	for k := range s.sockets {
		k.cut(wire.CloseRestart)
	}
	s.mu.Unlock()
	hurry := time.AfterFunc(closeWait, s.cancel)
	defer hurry.Stop()
	s.serving.Wait()
	s.relay.stop()
	s.trials.close()
	s.calls.stop()
	s.calls.running.Wait()
	s.cancel()
	s.hub.close()
}
