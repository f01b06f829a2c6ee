package signaling

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/parleyrtc/parley/signaling/token"
	"github.com/parleyrtc/parley/signaling/wire"
)

// access says who may use an operation.
type access int

const (
	public    access = iota // anybody
	anyone                  // a user with a token, or an API key with a role
	readers                 // an API key with a role; with open login also a user
	admins                  // an API key with the role admin
	organizer               // like admins; with open login also a user, so that the call page can make groups
)

// caller is who a request comes from: a user, or an API key when uid is empty.
type caller struct {
	uid    string
	grants []string
	role   token.Role
}

func (c caller) isServer() bool { return c.uid == "" }

type callerKey struct{}

// callerOf is who the handler's request comes from; the zero caller for public operations.
func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// admit is the middleware of an operation: it limits, authenticates and authorizes, in this order.
func (r *REST) admit(need access) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		who, problem := r.identify(ctx, need)
		if problem != nil {
			r.refuse(ctx, problem)
			return
		}
		next(huma.WithValue(ctx, callerKey{}, who))
	}
}

// refuse answers with a problem from a middleware, where huma leaves the writing to us.
func (r *REST) refuse(ctx huma.Context, p *Problem) {
	for name, values := range p.header {
		for _, value := range values {
			ctx.SetHeader(name, value)
		}
	}
	ctx.SetHeader("Content-Type", p.ContentType(""))
	ctx.SetStatus(p.Status)
	if err := huma.DefaultJSONFormat.Marshal(ctx.BodyWriter(), p); err != nil {
		r.log.Debug("a refusal did not reach the client", "error", err)
	}
}

func (r *REST) identify(ctx huma.Context, need access) (caller, *Problem) {
	now := r.now()
	remote := r.limits.user(now, "address "+addressOf(ctx.RemoteAddr()))
	if need == public {
		if wait, ok := allow(remote, now); !ok {
			return caller{}, tooMany(wait)
		}
		return caller{}, nil
	}
	if remote.TokensAt(now) < 1 { // guessing costs the address; those who are let in have a bucket of their own
		wait, _ := allow(remote, now)
		return caller{}, tooMany(wait)
	}
	header := ctx.Header("Authorization")
	bearer, err := r.deps.Tokens.Authorize(now, header)
	if err == nil && bearer.Claims.Session != nil {
		return caller{}, forbidden("This token is good for one session, over the WebSocket only.")
	}
	if err == nil && bearer.Role == token.RoleNone {
		err = r.deps.Directory.Touch(ctx.Context(), wire.UserView{
			UID: bearer.Claims.UID, Name: bearer.Claims.Name, Avatar: bearer.Claims.Avatar,
		})
	}
	switch {
	case errors.Is(err, token.ErrInvalid) || errors.Is(err, ErrUserDeleted):
		allow(remote, now)
		r.log.Info("REST credentials refused", "cause", err)
		return caller{}, unauthorized()
	case err != nil:
		r.log.Error("recording a user failed", "error", err)
		return caller{}, newProblem(http.StatusInternalServerError, wire.CodeInternal, wire.Internal().Message)
	}
	who := caller{uid: bearer.Claims.UID, grants: bearer.Claims.Grants, role: bearer.Role}
	bucket := "user " + who.uid
	if who.isServer() {
		bucket = "key " + keyIDOf(header)
	}
	if wait, ok := allow(r.limits.user(now, bucket), now); !ok {
		return caller{}, tooMany(wait)
	}
	return who, r.authorize(who, need)
}

// authorize says whether an identified caller may use an operation.
func (r *REST) authorize(who caller, need access) *Problem {
	switch {
	case need == anyone:
		return nil
	case who.isServer() && (need == readers || who.role == token.RoleAdmin):
		return nil
	case !who.isServer() && need != admins && r.config.OpenLogin:
		return nil
	case who.isServer():
		return forbidden("This API key may read only.")
	}
	return forbidden("This needs an API key.")
}

// actFor is the user for whom a request acts: the user of the token, or the one whom an API key names.
func actFor(who caller, named string) (string, error) {
	switch {
	case who.isServer() && who.role != token.RoleAdmin:
		return "", forbidden("This API key may read only.")
	case who.isServer() && named == "":
		p := newProblem(http.StatusUnprocessableEntity, wire.CodeBadRequest, "An API key must name the user for whom it acts.")
		p.Field = "body.uid"
		return "", p
	case who.isServer():
		return named, nil
	case named != "" && named != who.uid:
		return "", forbidden("A user acts for themselves only.")
	}
	return who.uid, nil
}

// keyIDOf is the id in an ApiKey header that was checked.
func keyIDOf(header string) string {
	_, credentials, _ := strings.Cut(header, " ")
	id, _, _ := strings.Cut(strings.TrimLeft(credentials, " "), ":")
	return id
}

// addressOf is the address without the port. An IPv6 client has a whole /64 to choose from, so that is its address here.
func addressOf(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return remote
	}
	ip := net.ParseIP(host)
	if ip == nil || ip.To4() != nil {
		return host
	}
	return ip.Mask(net.CIDRMask(64, 128)).String()
}
