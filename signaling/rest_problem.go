package signaling

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/parleyrtc/parley/signaling/webhook"
	"github.com/parleyrtc/parley/signaling/wire"
)

// Problem is every refusal over REST (RFC 9457), with the protocol's code.
type Problem struct {
	Type    string         `json:"type" doc:"Always about:blank; code says which problem it is."`
	Title   string         `json:"title" doc:"The HTTP status in words."`
	Status  int            `json:"status" doc:"The HTTP status."`
	Detail  string         `json:"detail" doc:"One sentence for developers."`
	Code    string         `json:"code" doc:"An error code of the client protocol, such as ERR_CALL_TERMINATED, or ERR_UNAUTHORIZED, ERR_FORBIDDEN, ERR_NOT_FOUND."`
	Field   string         `json:"field,omitempty" doc:"The first field that is wrong, such as body.receiverId."`
	Details map[string]any `json:"details,omitempty" doc:"What a client can act on, such as retryAfterMs, sessionId or call."`

	header http.Header
}

// The codes that only REST has.
const (
	codeUnauthorized = "ERR_UNAUTHORIZED"
	codeForbidden    = "ERR_FORBIDDEN"
	codeNotFound     = "ERR_NOT_FOUND"
	codeConflict     = "ERR_CONFLICT"
)

// Error makes a Problem an error.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus is the HTTP status, for huma.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is the media type of problems, for huma.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

// GetHeaders are the headers that go with the problem, for huma.
func (p *Problem) GetHeaders() http.Header { return p.header }

func newProblem(status int, code, detail string) *Problem {
	return &Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Code: code}
}

// init gives huma our problems in place of its own, which echo the value that was refused and have no code. The library
// keeps this in a package variable; it is set once, before anything can run.
func init() {
	huma.NewError = func(status int, message string, errs ...error) huma.StatusError {
		return problemOf(status, message, errs)
	}
	huma.NewErrorWithContext = func(_ huma.Context, status int, message string, errs ...error) huma.StatusError {
		return problemOf(status, message, errs)
	}
}

// problemOf is what huma found wrong with a request, with the first bad field and without its value.
func problemOf(status int, message string, errs []error) *Problem {
	code := wire.CodeBadRequest
	if status >= http.StatusInternalServerError {
		code, message, errs = wire.CodeInternal, wire.Internal().Message, nil
	}
	p := newProblem(status, code, message)
	for _, err := range errs {
		var detailer huma.ErrorDetailer
		if errors.As(err, &detailer) {
			detail := detailer.ErrorDetail()
			p.Field = detail.Location
			p.Detail = message + ": " + detail.Message
			break
		}
	}
	return p
}

// statusOf has the HTTP status of the protocol's codes.
var statusOf = map[string]int{
	wire.CodeBadRequest:          http.StatusUnprocessableEntity,
	wire.CodeEmptyReceiver:       http.StatusUnprocessableEntity,
	wire.CodeInvalidReceiverType: http.StatusUnprocessableEntity,
	wire.CodeCallingSelf:         http.StatusUnprocessableEntity,
	wire.CodeEmptySessionID:      http.StatusUnprocessableEntity,
	wire.CodeGroupInvalidStatus:  http.StatusUnprocessableEntity,
	wire.CodeUIDNotFound:         http.StatusNotFound,
	wire.CodeGUIDNotFound:        http.StatusNotFound,
	wire.CodeSessionNotFound:     http.StatusNotFound,
	wire.CodeGroupNotJoined:      http.StatusForbidden,
	wire.CodeNotAllowed:          http.StatusForbidden,
	wire.CodeBlockedReceiver:     http.StatusForbidden,
	wire.CodeBlockedSender:       http.StatusForbidden,
	wire.CodeParticipantNotFound: http.StatusNotFound,
	wire.CodePublicationNotFound: http.StatusNotFound,
	wire.CodeTokenExpired:        http.StatusUnauthorized,
	wire.CodeTooManyRequests:     http.StatusTooManyRequests,
	wire.CodeTooManyRings:        http.StatusTooManyRequests,
	wire.CodeDraining:            http.StatusServiceUnavailable,
	wire.CodeInternal:            http.StatusInternalServerError,
}

// problem turns any error of a handler into what the client gets. What is our fault is logged and told in general words.
func (r *REST) problem(err error) error {
	var refusal *wire.Error
	var ready *Problem
	switch {
	case errors.As(err, &ready):
		return ready
	case errors.As(err, &refusal):
		return refused(refusal)
	case errors.Is(err, errNoUser):
		return newProblem(http.StatusNotFound, wire.CodeUIDNotFound, "There is no such user.")
	case errors.Is(err, errNoGroup):
		return newProblem(http.StatusNotFound, wire.CodeGUIDNotFound, "There is no such group.")
	case errors.Is(err, webhook.ErrNoTarget):
		return newProblem(http.StatusNotFound, codeNotFound, "There is no such webhook target.")
	case errors.Is(err, webhook.ErrNoLetter):
		return newProblem(http.StatusNotFound, codeNotFound, "There is no such dead letter.")
	case errors.Is(err, webhook.ErrFull):
		return newProblem(http.StatusConflict, codeConflict, "The queue of this target is full; try again later.")
	case errors.Is(err, errGroupFull):
		return newProblem(http.StatusConflict, codeConflict, fmt.Sprintf("A group has at most %d members.", maxGroupMembers))
	}
	r.log.Error("a REST request failed", "error", err)
	return newProblem(http.StatusInternalServerError, wire.CodeInternal, wire.Internal().Message)
}

func refused(e *wire.Error) *Problem {
	status, ok := statusOf[e.Code]
	if !ok {
		status = http.StatusConflict // refused by the rules of calls, in the state they are in
	}
	p := newProblem(status, e.Code, e.Message)
	p.Details = e.Details
	if e.Field != "" {
		p.Field = "body." + strings.TrimPrefix(e.Field, "body.")
		if strings.HasPrefix(p.Detail, "must ") || strings.HasPrefix(p.Detail, "is ") { // a sentence here, where it stands alone
			p.Detail = "The field " + p.Field + " " + p.Detail + "."
		}
	}
	if ms, ok := millisOf(e.Details["retryAfterMs"]); ok {
		p.header = retryAfter(time.Duration(ms) * time.Millisecond)
	}
	return p
}

func millisOf(value any) (int64, bool) {
	switch n := value.(type) {
	case int64:
		return n, true
	case int:
		return int64(n), true
	}
	return 0, false
}

// retryAfter is the header of RFC 9110 §10.2.3, in whole seconds rounded up.
func retryAfter(wait time.Duration) http.Header {
	return http.Header{"Retry-After": {strconv.Itoa(max(1, int(math.Ceil(wait.Seconds()))))}}
}

func tooMany(wait time.Duration) *Problem {
	p := newProblem(http.StatusTooManyRequests, wire.CodeTooManyRequests, "Too many requests; wait and try again.")
	p.Details = map[string]any{"retryAfterMs": wait.Milliseconds()}
	p.header = retryAfter(wait)
	return p
}

// unauthorized is the one answer to a bad, expired, foreign or missing credential: nothing in it helps guessing.
func unauthorized() *Problem {
	p := newProblem(http.StatusUnauthorized, codeUnauthorized, "Valid credentials are needed.")
	p.header = http.Header{"Www-Authenticate": {`Bearer, ApiKey`}}
	return p
}

func forbidden(detail string) *Problem {
	return newProblem(http.StatusForbidden, codeForbidden, detail)
}
