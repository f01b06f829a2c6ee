package signaling

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/gorilla/websocket"

	"github.com/parleyrtc/parley/signaling/token"
	"github.com/parleyrtc/parley/signaling/wire"
)

// hello reads the first message and gives the socket its device. It reports false when the connection is being closed instead.
func (k *socket) hello() bool {
	s := k.server
	k.conn.SetReadLimit(int64(s.config.MessageBytes))
	k.deadline(s.config.HelloTimeout)
	kind, message, err := k.conn.ReadMessage()
	if err != nil {
		k.refuse(closeFor(err, wire.CloseHelloTimeout))
		return false
	}
	req, params, reason := readHello(kind, message)
	if reason != nil {
		k.refuse(*reason)
		return false
	}
	now := time.Now()
	claims, err := s.deps.Tokens.Verify(now, params.Token)
	if err != nil {
		k.log.Debug("hello refused", "cause", err)
		k.refuse(wire.CloseUnauthorized)
		return false
	}
	if reason := k.admit(now, req.ID, params, claims); reason != nil {
		k.refuse(*reason)
		return false
	}
	return true
}

func (k *socket) refuse(reason wire.Close) {
	k.server.metrics.hellos.WithLabelValues("refused").Inc()
	k.cut(reason)
}

// readHello checks everything about the first message but the token.
func readHello(kind int, message []byte) (wire.Request, wire.HelloParams, *wire.Close) {
	req, bad := wire.Parse(message, false)
	params, ok := req.Params.(wire.HelloParams)
	switch {
	case kind == websocket.TextMessage && foreignVersion(message):
		return req, params, &wire.CloseUnsupported
	case kind != websocket.TextMessage || bad != nil || !ok:
		return req, params, &wire.CloseUnauthorized
	}
	return req, params, nil
}

// foreignVersion reports whether the message says hello in another major version of the protocol, whatever else it says.
func foreignVersion(message []byte) bool {
	var peek struct {
		Method string `json:"method"`
		Params struct {
			Protocol string `json:"protocol"`
		} `json:"params"`
	}
	if json.Unmarshal(message, &peek) != nil || peek.Method != wire.MethodHello || peek.Params.Protocol == "" {
		return false
	}
	supported, _ := wire.Version(peek.Params.Protocol)
	return !supported
}

// admit attaches the socket to a device of the token's user and sends the greeting.
func (k *socket) admit(now time.Time, id wire.ID, hello wire.HelloParams, claims token.Claims) *wire.Close {
	s := k.server
	user := wire.UserView{UID: claims.UID, Name: claims.Name, Avatar: claims.Avatar}
	if _, ok := allow(s.limits.user(now, claims.UID), now); !ok {
		return &wire.CloseTooManyErrors
	}
	ctx, cancel := context.WithTimeout(s.context, storeTimeout)
	defer cancel()
	switch err := s.touch(ctx, claims); {
	case errors.Is(err, ErrUserDeleted):
		return &wire.CloseUnauthorized
	case err != nil:
		k.log.Error("recording a user failed", "uid", claims.UID, "error", err)
		return &wire.CloseInternal
	}
	if !claims.Guest {
		user = s.user(ctx, claims.UID)
	}
	_, k.lenient = wire.Version(hello.Protocol)
	a, err := s.hub.attach(now, k, claims.UID, hello)
	switch {
	case errors.Is(err, errTooManyDevices):
		return &wire.CloseTooManyErrors
	case err != nil:
		return &wire.CloseRestart
	}
	k.known()
	k.device = a.device
	k.log = k.log.With("uid", claims.UID, "device", a.device.id)
	a.device.token(now, claims)
	if !claims.Guest && errors.Is(s.deps.Directory.Touch(ctx, wire.UserView{UID: claims.UID}), ErrUserDeleted) {
		return &wire.CloseUnauthorized // deleted meanwhile, when there was no device to expel yet
	}

	result := wire.HelloResult{
		Protocol: wire.Protocol, ConnectionID: a.device.connection, DeviceID: a.device.id, User: user,
		Resumed: a.resumed, LastSeq: a.lastSeq, ServerTime: wire.Millis(now), TokenExpiresAt: wire.Millis(claims.ExpiresAt),
		Limits: wire.Limits{
			MessageBytes: s.config.MessageBytes, OfferBytes: s.config.OfferBytes,
			ResumeSeconds: int(s.config.ResumeTime / time.Second),
		},
	}
	if !a.resumed {
		result.Snapshot = &wire.Snapshot{Calls: newest(s.calls.views(claims.UID, everyCall))}
	}
	text, err := wire.Encode(result)
	if err != nil {
		k.log.Error("encoding the greeting failed", "error", err)
		return &wire.CloseInternal
	}
	outcome := "new"
	if a.resumed {
		outcome = "resumed"
	}
	s.metrics.hellos.WithLabelValues(outcome).Inc()
	s.metrics.messages.WithLabelValues(wire.MethodHello, "ok").Inc()
	k.log.Debug("hello", "result", outcome, "missed", len(a.missed))
	k.greet(wire.Reply(id, text), a.missed, a.lastSeq)
	return nil
}

// touch has the directory know the bearer of a token. Guests come and go: it would fill up with them.
func (s *Server) touch(ctx context.Context, claims token.Claims) error {
	if claims.Guest {
		return nil
	}
	return s.deps.Directory.Touch(ctx, wire.UserView{UID: claims.UID, Name: claims.Name, Avatar: claims.Avatar})
}

// renew replaces the token of an open connection.
func (k *socket) renew(params wire.TokenRenewParams) (any, *wire.Error) {
	now := time.Now()
	claims, err := k.server.deps.Tokens.Verify(now, params.Token)
	if err != nil || claims.UID != k.device.uid {
		k.log.Debug("token renewal refused", "cause", err)
		refusal := wire.Refuse(wire.CodeBadRequest, "This token cannot be used here.")
		refusal.Field = "token"
		return nil, refusal
	}
	ctx, cancel := context.WithTimeout(k.server.context, storeTimeout)
	defer cancel()
	if err := k.server.touch(ctx, claims); err != nil {
		k.log.Error("recording a user failed", "error", err)
		return nil, wire.Internal()
	}
	k.device.token(now, claims)
	return wire.RenewResult{TokenExpiresAt: wire.Millis(claims.ExpiresAt)}, nil
}
