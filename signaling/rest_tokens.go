package signaling

import (
	"cmp"
	"context"
	"crypto/subtle"
	"net/http"
	"slices"
	"time"

	"github.com/parleyrtc/parley/signaling/token"
	"github.com/parleyrtc/parley/signaling/wire"
)

type body[T any] struct{ Body T }

func reply[T any](value T) *body[T] { return &body[T]{Body: value} }

// TokenAnswer is a fresh token.
type TokenAnswer struct {
	Token     string        `json:"token" doc:"A JWT for the WebSocket's hello and for REST."`
	User      wire.UserView `json:"user"`
	ExpiresAt int64         `json:"expiresAt" doc:"Unix milliseconds."`
}

// TokenRequest asks for a user's token.
type TokenRequest struct {
	UID    string   `json:"uid" minLength:"1" maxLength:"128" pattern:"^[A-Za-z0-9._@:+-]+$"`
	Name   string   `json:"name,omitempty" maxLength:"128" doc:"What others see; the uid when it was never said."`
	Avatar string   `json:"avatar,omitempty" maxLength:"1024" doc:"URL of a picture."`
	Grants []string `json:"grants,omitempty" nullable:"false" maxItems:"16" doc:"Such as call.moderate."`

	Session    *SessionRights `json:"session,omitempty" doc:"Confines the token to one named session."`
	TTLSeconds int            `json:"ttlSeconds,omitempty" minimum:"60" maximum:"2592000" doc:"Life of the token."`
}

// LoginRequest is a development sign-in.
type LoginRequest struct {
	UID     string `json:"uid" minLength:"1" maxLength:"128" pattern:"^[A-Za-z0-9._@:+-]+$"`
	AuthKey string `json:"authKey" maxLength:"128" doc:"The public key of development servers, from GET /v1/config."`
	Name    string `json:"name,omitempty" maxLength:"128"`
}

// ClientConfig is what a page needs to know before it signs in.
type ClientConfig struct {
	Version string `json:"version"`
	Dev     bool   `json:"dev" doc:"Anyone can sign in as anyone."`
	AuthKey string `json:"authKey,omitempty" doc:"For POST /v1/auth/login, when dev is true."`

	VAPIDPublicKey string `json:"vapidPublicKey,omitempty" doc:"The applicationServerKey for Web Push; absent when this server sends none."`
}

// ICERequest asks for TURN credentials.
type ICERequest struct {
	UID       string `json:"uid,omitempty" maxLength:"128" doc:"For whom an API key asks; a token says it itself."`
	SessionID string `json:"sessionId,omitempty" maxLength:"128" doc:"The session that the credentials are for."`
}

// ICEAnswer has the iceServers of an RTCConfiguration.
type ICEAnswer struct {
	ICEServers []wire.ICEServer `json:"iceServers" nullable:"false"`
}

func (r *REST) registerTokens() {
	register(r, operation{id: "get-config", method: http.MethodGet, path: "/v1/config", access: public,
		summary: "What a page needs to know before it signs in"},
		func(context.Context, *struct{}) (*body[ClientConfig], error) {
			answer := ClientConfig{Version: r.config.Version, Dev: r.config.OpenLogin, VAPIDPublicKey: r.config.VAPIDPublicKey}
			if r.config.OpenLogin {
				answer.AuthKey = r.config.AuthKey
			}
			return reply(answer), nil
		})
	register(r, operation{id: "login", method: http.MethodPost, path: "/v1/auth/login", access: public,
		summary: "Sign in as anyone (development servers only)", errors: []int{http.StatusUnauthorized, http.StatusNotFound}}, r.login)
	register(r, operation{id: "create-token", method: http.MethodPost, path: "/v1/tokens", access: admins,
		summary: "Make a token for a user", status: http.StatusCreated}, r.createToken)
	register(r, operation{id: "create-turn-credential", method: http.MethodPost, path: "/v1/turn-credentials", access: anyone,
		summary: "Make TURN credentials", status: http.StatusCreated}, r.createICE)
}

func (r *REST) login(ctx context.Context, in *struct{ Body LoginRequest }) (*body[TokenAnswer], error) {
	if !r.config.OpenLogin {
		return nil, newProblem(http.StatusNotFound, codeNotFound, "This server has no open login; your back end signs tokens.")
	}
	if subtle.ConstantTimeCompare([]byte(in.Body.AuthKey), []byte(r.config.AuthKey)) != 1 {
		return nil, unauthorized()
	}
	return r.mint(ctx, TokenRequest{UID: in.Body.UID, Name: in.Body.Name, Grants: []string{}})
}

func (r *REST) createToken(ctx context.Context, in *struct{ Body TokenRequest }) (*body[TokenAnswer], error) {
	return r.mint(ctx, in.Body)
}

// mint signs a token. The user appears with its first use.
func (r *REST) mint(_ context.Context, want TokenRequest) (*body[TokenAnswer], error) {
	now := r.now()
	ttl := r.config.TokenTTL
	if want.TTLSeconds > 0 {
		ttl = time.Duration(want.TTLSeconds) * time.Second
	}
	claims := token.Claims{UID: want.UID, Name: want.Name, Avatar: want.Avatar, Grants: want.Grants}
	if want.Session != nil {
		grant := want.Session.grant(want.Session.Session)
		claims.Session = &grant
	}
	signed, err := token.Mint(r.config.Signer.ID, r.config.Signer.Secret, claims, now, ttl)
	if err != nil {
		p := newProblem(http.StatusUnprocessableEntity, wire.CodeBadRequest, "The token cannot be made from these values.")
		return nil, p
	}
	return reply(TokenAnswer{
		Token: signed, ExpiresAt: wire.Millis(now.Add(ttl)),
		User: wire.UserView{UID: want.UID, Name: cmp.Or(want.Name, want.UID), Avatar: want.Avatar},
	}), nil
}

func (r *REST) createICE(ctx context.Context, in *struct{ Body ICERequest }) (*body[ICEAnswer], error) {
	uid, err := actFor(callerOf(ctx), in.Body.UID)
	if err != nil {
		return nil, err
	}
	if !wire.ValidUID(uid) {
		return nil, badField("body.uid", "This is not a uid.")
	}
	if in.Body.SessionID != "" && !callerOf(ctx).isServer() {
		if err := r.live(ctx, uid, in.Body.SessionID); err != nil {
			return nil, err
		}
	}
	answer := ICEAnswer{ICEServers: []wire.ICEServer{}}
	for _, s := range r.deps.ICEServers(uid, in.Body.SessionID) {
		answer.ICEServers = append(answer.ICEServers, wire.ICEServer{URLs: s.URLs, Username: s.Username, Credential: s.Credential})
	}
	return reply(answer), nil
}

// live refuses a session that is not one of the user's calls, or is over: relays are counted by session, and each
// that could be named would come with a quota of its own.
func (r *REST) live(ctx context.Context, uid, session string) error {
	params := wire.GetParams{SessionID: session}
	if bad := params.Validate(); bad != nil {
		return bad
	}
	if _, err := r.deps.Calls.Request(ctx, uid, nil, params); err != nil {
		return err
	}
	calls, err := r.deps.Calls.ActiveCalls(ctx, uid)
	if err == nil && !slices.ContainsFunc(calls, func(c wire.CallView) bool { return c.SessionID == session }) {
		err = errNotFound()
	}
	return err
}

func badField(field, detail string) *Problem {
	p := newProblem(http.StatusUnprocessableEntity, wire.CodeBadRequest, detail)
	p.Field = field
	return p
}
