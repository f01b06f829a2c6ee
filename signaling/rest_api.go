package signaling

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/parleyrtc/parley/signaling/history"
	"github.com/parleyrtc/parley/signaling/token"
	"github.com/parleyrtc/parley/signaling/webhook"
	"github.com/parleyrtc/parley/signaling/wire"
)

// RESTConfig is what an operator may say about REST. The zero value of every field means the default in its comment.
type RESTConfig struct {
	Version   string  // the server's version, shown to clients
	BodyBytes int64   // 64 KiB
	Rate      float64 // 50 requests a second per user, API key, or address of those who are not let in
	Burst     int     // 200

	// Signer makes tokens and is needed for POST /v1/tokens.
	Signer   token.APIKey
	TokenTTL time.Duration // 1h, when the request does not say

	// VAPIDPublicKey is what a page subscribes to Web Push with; empty without Web Push.
	VAPIDPublicKey string
	// GuestTTL is the life of a guest's token, and so of one visit: 12h.
	GuestTTL time.Duration

	// OpenLogin lets anyone be anyone. It is for development only.
	OpenLogin bool
	AuthKey   string // what a development client must show to log in

	Logger     *slog.Logger          // slog.Default()
	Registerer prometheus.Registerer // a registry of its own
}

// Calls is what REST asks of the calls. Every error is a *wire.Error. A request comes without a device: it acts for the
// user, and leaves a seat it takes to the first device of the user that joins.
type Calls interface {
	// Request carries out one call.* request of the protocol for a user.
	Request(ctx context.Context, uid string, grants []string, params any) (wire.CallView, error)
	// Call returns any call, also one that is over, whoever asks.
	Call(ctx context.Context, sessionID string) (wire.CallView, error)
	// ActiveCalls lists the calls that are not over: of one user, or all when uid is empty.
	ActiveCalls(ctx context.Context, uid string) ([]wire.CallView, error)
	// Participants lists who is in the room of a call that is going on, those who are hidden among them.
	Participants(ctx context.Context, sessionID string) ([]wire.ParticipantView, error)
	// Mute notes a publication as muted and asks its client to make it so.
	Mute(ctx context.Context, sessionID, publicationID string) error
	// Expel puts the user of a participant out of a call of several.
	Expel(ctx context.Context, sessionID, participantID string) error
	// Terminate ends a call for everybody, whatever its state, and returns it.
	Terminate(ctx context.Context, sessionID string) (wire.CallView, error)
	// History is a page of a call log; see Server.History.
	History(ctx context.Context, q history.Query) (wire.HistoryResult, error)
	// Logged is one call of the log, for one of its members, or for whoever asks when uid is empty.
	Logged(ctx context.Context, uid, sessionID string) (wire.LoggedCallView, error)
	// MemberAdded says that the user now belongs to the group; MemberRemoved that they no longer do.
	MemberAdded(guid, uid string)
	MemberRemoved(guid, uid string)
	// UserDeleted says that the user is gone: they leave every call, and their connections are closed.
	UserDeleted(uid string)
}

// RESTDeps are the other parts that REST works with. All are needed, but for those that may be nil.
type RESTDeps struct {
	Calls      Calls
	Directory  *Directory
	Tokens     *token.Verifier
	ICEServers ICEServers
	Devices    Devices  // nil: nobody is pushed
	Webhooks   Webhooks // nil: there are no targets
}

// REST is the HTTP side of signaling, for an operator's back end and for scripts. It is ready when New returns and needs
// no Close.
type REST struct {
	config RESTConfig
	deps   RESTDeps
	log    *slog.Logger
	now    func() time.Time
	limits *limits
	mux    *http.ServeMux
	api    huma.API

	operations int                    // registered
	requests   *prometheus.CounterVec // by operation and status
}

// NewREST returns the REST side.
func NewREST(config RESTConfig, deps RESTDeps) (*REST, error) {
	if deps.Calls == nil || deps.Directory == nil || deps.Tokens == nil || deps.ICEServers == nil {
		return nil, errors.New("signaling: NewREST needs calls, a directory, tokens and ICE servers")
	}
	if deps.Devices == nil {
		deps.Devices = noDevices{}
	}
	if deps.Webhooks == nil {
		deps.Webhooks = &webhook.Post{}
	}
	if config.BodyBytes <= 0 {
		config.BodyBytes = 64 << 10
	}
	orRate(&config.Rate, 50)
	orInt(&config.Burst, 200)
	orTime(&config.TokenTTL, time.Hour)
	orTime(&config.GuestTTL, 12*time.Hour)
	if config.Logger == nil {
		config.Logger = slog.Default()
	}
	if config.Registerer == nil {
		config.Registerer = prometheus.NewRegistry()
	}
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_rest_requests_total", Help: "REST requests by operation and HTTP status.",
	}, []string{"operation", "status"})
	if err := config.Registerer.Register(requests); err != nil {
		return nil, fmt.Errorf("signaling: %w", err)
	}
	r := &REST{
		requests: requests,
		config:   config, deps: deps, log: config.Logger, now: time.Now,
		limits: newLimits(config.Rate, config.Burst), mux: http.NewServeMux(),
	}
	r.api = humago.New(r.mux, r.document())
	r.registerCalls()
	r.registerUsers()
	r.registerGroups()
	r.registerTokens()
	r.registerDevices()
	r.registerWebhooks()
	r.registerHistory()
	r.registerInvitations()
	r.registerOperator()
	r.registerBlocks()
	if err := r.serveDocs(); err != nil {
		return nil, err
	}
	r.mux.HandleFunc("/v1/", func(w http.ResponseWriter, req *http.Request) {
		r.count("none", http.StatusNotFound)
		writeProblem(w, r.unknown(w, req))
	})
	return r, nil
}

// unknown is the problem of a request that is no operation: 405 with the methods that are, where the path has any (RFC 9110 §15.5.6).
func (r *REST) unknown(w http.ResponseWriter, req *http.Request) *Problem {
	var methods []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		other := req.Clone(req.Context())
		other.Method = method
		if _, pattern := r.mux.Handler(other); pattern != "/v1/" {
			methods = append(methods, method)
		}
	}
	if len(methods) == 0 {
		return newProblem(http.StatusNotFound, codeNotFound, "There is no such operation; see /v1/openapi.json.")
	}
	w.Header().Set("Allow", strings.Join(methods, ", "))
	return newProblem(http.StatusMethodNotAllowed, codeNotFound, "This path takes "+strings.Join(methods, " and ")+" only; see /v1/openapi.json.")
}

// counted is the middleware that counts an operation's requests.
func (r *REST) counted(operation string) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		next(ctx)
		r.count(operation, ctx.Status())
	}
}

func (r *REST) count(operation string, status int) {
	r.requests.WithLabelValues(operation, strconv.Itoa(status)).Inc()
}

// Handler serves REST under /v1/, all but /v1/ws. An answer that the mux itself would give in plain text is a problem too.
func (r *REST) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		r.mux.ServeHTTP(w, req)
	})
}

// document is the start of the OpenAPI document; operations add themselves.
func (r *REST) document() huma.Config {
	config := huma.DefaultConfig("Parley", r.config.Version)
	config.Info.Description = "Calls, users, groups and tokens of a Parley server, for back ends. Clients use the WebSocket protocol."
	config.OpenAPIPath = "/v1/openapi"
	config.DocsPath, config.SchemasPath = "", ""
	config.CreateHooks = nil // no $schema links in bodies
	config.RejectUnknownQueryParameters = true
	strict := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshalStrict}
	config.Formats = map[string]huma.Format{"application/json": strict, "json": strict}
	config.DefaultFormat = "application/json"
	config.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"token": {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "A user's token, signed with an API key's secret."},
		"key": {Type: "apiKey", In: "header", Name: "Authorization",
			Description: "An API key with a role, as: ApiKey <id>:<secret>"},
	}
	return config
}

// unmarshalStrict refuses what encoding/json would repair silently.
func unmarshalStrict(text []byte, value any) error {
	if !utf8.Valid(text) {
		return errors.New("the body is not UTF-8")
	}
	return json.Unmarshal(text, value)
}

// operation has what differs between operations; the rest is the same for all.
type operation struct {
	id, method, path, summary string
	access                    access
	status                    int   // 200 when zero
	errors                    []int // besides those that every operation can give
}

// register adds an operation to the mux and to the document.
func register[I, O any](r *REST, op operation, handle func(context.Context, *I) (*O, error)) {
	r.operations++
	described := huma.Operation{
		OperationID: op.id, Method: op.method, Path: op.path, Summary: op.summary, DefaultStatus: op.status,
		MaxBodyBytes: r.config.BodyBytes, Middlewares: huma.Middlewares{r.counted(op.id), r.admit(op.access)},
		Errors: append([]int{http.StatusTooManyRequests}, op.errors...),
	}
	switch op.access {
	case public:
		described.Security = []map[string][]string{}
	case anyone:
		described.Security = []map[string][]string{{"token": {}}, {"key": {}}}
	default:
		described.Security = []map[string][]string{{"key": {}}}
		if r.config.OpenLogin && op.access != admins {
			described.Security = append(described.Security, map[string][]string{"token": {}})
		}
	}
	if op.access != public {
		described.Errors = append(described.Errors, http.StatusUnauthorized, http.StatusForbidden)
	}
	if op.method != http.MethodGet && op.method != http.MethodDelete {
		described.Errors = append(described.Errors, http.StatusBadRequest, http.StatusRequestTimeout,
			http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	huma.Register(r.api, described, func(ctx context.Context, in *I) (out *O, err error) {
		defer func() {
			if cause := recover(); cause != nil {
				out, err = nil, r.problem(fmt.Errorf("panic in %s: %v", op.id, cause))
			}
		}()
		if out, err = handle(ctx, in); err != nil {
			return nil, r.problem(err)
		}
		return out, nil
	})
}

func writeProblem(w http.ResponseWriter, p *Problem) {
	w.Header().Set("Content-Type", p.ContentType(""))
	w.WriteHeader(p.Status)
	_ = huma.DefaultJSONFormat.Marshal(w, p) // the client is gone, or it has the answer
}
