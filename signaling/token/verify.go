package token

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"

	"github.com/parleyrtc/parley/signaling/wire"
)

// Verifier knows the operator's keys. It never changes and may be used from several goroutines.
type Verifier struct {
	keys  map[string]APIKey
	decoy APIKey // checked in the place of an unknown key, so that both take the same time
}

// New makes a verifier, or says which key can't be used.
func New(keys []APIKey) (*Verifier, error) {
	v := &Verifier{keys: map[string]APIKey{}, decoy: APIKey{Secret: rand.Text() + rand.Text()}}
	for _, key := range keys {
		switch {
		case !wire.ValidID(key.ID):
			return nil, fmt.Errorf("token: the key id %q must be 1 to 64 characters of A-Z a-z 0-9 . _ -", key.ID)
		case len(key.Secret) < MinSecret:
			return nil, fmt.Errorf("token: the secret of key %q must be at least %d bytes", key.ID, MinSecret)
		case key.Role != RoleNone && key.Role != RoleRead && key.Role != RoleAdmin:
			return nil, fmt.Errorf("token: the role of key %q must be %q, %q or absent", key.ID, RoleRead, RoleAdmin)
		}
		if _, twice := v.keys[key.ID]; twice {
			return nil, fmt.Errorf("token: the key %q is there twice", key.ID)
		}
		v.keys[key.ID] = key
	}
	return v, nil
}

// invalid is an ErrInvalid that can say more to a log, but not to whoever prints it.
type invalid struct{ cause string }

// Error is the same for every cause.
func (e *invalid) Error() string { return ErrInvalid.Error() }

// Is makes it an ErrInvalid.
func (e *invalid) Is(target error) bool { return target == ErrInvalid }

// LogValue shows the cause where slog logs the error.
func (e *invalid) LogValue() slog.Value { return slog.StringValue("token: " + e.cause) }

// Cause is why an error is an ErrInvalid, in a word of a small closed set (such as "expired"), for logs and counters; "" for
// other errors. It is not for the client.
func Cause(err error) string {
	var e *invalid
	if errors.As(err, &e) {
		return e.cause
	}
	return ""
}

// payload is what Parley reads of a token's claims.
type payload struct {
	Name   string   `json:"name,omitempty"`
	Avatar string   `json:"avatar,omitempty"`
	Grants []string `json:"grants,omitempty"`

	Session *SessionGrant `json:"session,omitempty"`
	Guest   bool          `json:"guest,omitempty"`
	jwt.RegisteredClaims
}

// Verify checks a user's token as the protocol's §8 says and returns its claims, or an ErrInvalid. Of the token's header only
// alg and crit are looked at: the key is found by iss among the operator's, never by kid, jku, jwk or x5u.
func (v *Verifier) Verify(now time.Time, raw string) (Claims, error) {
	p, err := v.verify(now, raw, Audience)
	if err != nil {
		return Claims{}, err
	}
	claims := Claims{UID: p.Subject, Name: p.Name, Avatar: p.Avatar, Grants: p.Grants, Session: p.Session, Guest: p.Guest,
		ID: p.RegisteredClaims.ID, KeyID: p.Issuer, ExpiresAt: p.ExpiresAt.Time}
	if p.IssuedAt != nil {
		claims.IssuedAt = p.IssuedAt.Time
	}
	if cause := claims.check(); cause != "" {
		return Claims{}, &invalid{cause}
	}
	return claims, nil
}

// verify checks everything about a token but its claims' bounds.
func (v *Verifier) verify(now time.Time, raw, audience string) (payload, error) {
	if len(raw) > MaxLength {
		return payload{}, &invalid{"too_long"} // before anything splits or decodes it
	}
	if strings.ContainsAny(raw, "\r\n") {
		return payload{}, &invalid{"malformed"} // encoding/base64 skips them, so that one token would have many texts
	}
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithAudience(audience),
		jwt.WithExpirationRequired(),
		jwt.WithIssuedAt(),
		jwt.WithLeeway(Leeway),
		jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(func() time.Time { return now }),
	)
	var p payload
	if _, err := parser.ParseWithClaims(raw, &p, v.secretOf); err != nil {
		return payload{}, &invalid{causeOf(err)}
	}
	if _, known := v.keys[p.Issuer]; !known {
		return payload{}, &invalid{"signature"}
	}
	return p, nil
}

var errCritical = errors.New("token: critical header")

// secretOf finds the secret for a token whose signature is not checked yet.
func (v *Verifier) secretOf(t *jwt.Token) (any, error) {
	if _, critical := t.Header["crit"]; critical {
		return nil, errCritical // RFC 7515 §4.1.11: refuse what one doesn't understand, and we understand none
	}
	p, _ := t.Claims.(*payload)
	key, known := v.keys[p.Issuer]
	if !known {
		key = v.decoy
	}
	return []byte(key.Secret), nil
}

// causeOf names what golang-jwt found. Its own texts can quote the token and are dropped.
func causeOf(err error) string {
	for _, c := range []struct {
		is    error
		cause string
	}{
		{errCritical, "critical_header"},
		{jwt.ErrTokenMalformed, "malformed"},
		{jwt.ErrTokenUnverifiable, "malformed"},
		{jwt.ErrTokenSignatureInvalid, "signature"},
		{jwt.ErrTokenRequiredClaimMissing, "claim_missing"},
		{jwt.ErrTokenExpired, "expired"},
		{jwt.ErrTokenNotValidYet, "not_yet_valid"},
		{jwt.ErrTokenUsedBeforeIssued, "not_yet_valid"},
		{jwt.ErrTokenInvalidAudience, "audience"},
	} {
		if errors.Is(err, c.is) {
			return c.cause
		}
	}
	return "other"
}

// The bounds of the claims that are shown to other users.
const (
	maxName   = 256  // bytes
	maxAvatar = 2048 // bytes
	maxGrants = 32
)

// check names the first claim that is out of bounds, "" if none.
func (c Claims) check() string {
	switch {
	case !wire.ValidUID(c.UID):
		return "subject"
	case !plain(c.Name, maxName) || !plain(c.Avatar, maxAvatar) || !plain(c.ID, maxName) || len(c.Grants) > maxGrants:
		return "claim_bounds"
	case c.Guest && c.Session == nil:
		return "guest" // nobody else could be rung by strangers
	case c.Session != nil:
		return c.Session.check()
	}
	return ""
}

// sources is what there is to publish.
var sources = []string{wire.SourceMicrophone, wire.SourceCamera, wire.SourceScreen, wire.SourceScreenAudio}

// check names what is wrong with the grant, "" if nothing.
func (g *SessionGrant) check() string {
	if !wire.ValidSessionID(g.Name) {
		return "session"
	}
	if g.Publish == nil {
		return ""
	}
	if len(*g.Publish) > len(sources) {
		return "session"
	}
	for _, source := range *g.Publish {
		if !slices.Contains(sources, source) {
			return "session"
		}
	}
	return ""
}

func plain(s string, most int) bool {
	return len(s) <= most && utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0
}

// CheckAPIKey checks "<id>:<secret>" and returns the key, or an ErrInvalid; a key without a role is not valid here. It takes as
// long for an unknown id as for a wrong secret.
func (v *Verifier) CheckAPIKey(presented string) (APIKey, error) {
	if len(presented) > MaxLength {
		return APIKey{}, &invalid{"too_long"}
	}
	id, secret, _ := strings.Cut(presented, ":")
	key, known := v.keys[id]
	if !known {
		key = v.decoy
	}
	got, want := sha256.Sum256([]byte(secret)), sha256.Sum256([]byte(key.Secret))
	same := subtle.ConstantTimeCompare(got[:], want[:]) == 1
	if !same || !known || key.Role == RoleNone {
		return APIKey{}, &invalid{"api_key"}
	}
	return key, nil
}

// Bearer is who a REST request comes from: a user with a token (Role is RoleNone), or a server with a key (Claims is zero).
type Bearer struct {
	Claims Claims
	Role   Role
}

// Authorize checks an Authorization header: "Bearer <token>" or "ApiKey <id>:<secret>" (RFC 9110 §11.1: the scheme in any
// case). Anything else, also an empty header, is an ErrInvalid.
func (v *Verifier) Authorize(now time.Time, header string) (Bearer, error) {
	scheme, credentials, _ := strings.Cut(header, " ")
	credentials = strings.TrimLeft(credentials, " ")
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		claims, err := v.Verify(now, credentials)
		return Bearer{Claims: claims}, err
	case strings.EqualFold(scheme, "ApiKey"):
		key, err := v.CheckAPIKey(credentials)
		return Bearer{Role: key.Role}, err
	}
	return Bearer{}, &invalid{"scheme"}
}
