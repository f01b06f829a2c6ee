// Package credential mints and checks the short-lived TURN credentials of one session.
//
// The username says until when it is good and for whom, "<expiry>:<uid>:<session>" with expiry in Unix seconds and uid in
// unpadded base64url; the password is its HMAC-SHA1 under the shared secret, in base64 (draft-uberti-behave-turn-rest-00).
// So the server keeps no state for a credential it gave out.
package credential

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"
)

// Errors of Parse and Check. To the outside they are all one answer.
var (
	// ErrMalformed says that the username has another form.
	ErrMalformed = errors.New("credential: malformed username")
	// ErrPassword says that the password is not that of the username.
	ErrPassword = errors.New("credential: wrong password")
	// ErrExpired says that the time of the username has run out.
	ErrExpired = errors.New("credential: expired")
)

// MaxUsername is the longest username, in bytes (RFC 8489 §14.3 allows 508).
const MaxUsername = 508

// Claims is what a username says.
type Claims struct {
	Expires time.Time
	UID     string
	Session string
}

// Owner is the same for all credentials of one user in one session, however often they are renewed.
func (c Claims) Owner() string { return encode(c.UID) + ":" + c.Session }

// Expired says whether the credential is good no longer.
func (c Claims) Expired(now time.Time) bool { return !now.Before(c.Expires) }

// Mint makes a credential for uid in session, good for ttl from now. Session must be made of letters, digits, '-', '_' and
// '.', or the credential will not parse.
func Mint(secret []byte, uid, session string, now time.Time, ttl time.Duration) (username, password string) {
	username = strconv.FormatInt(now.Add(ttl).Unix(), 10) + ":" + encode(uid) + ":" + session
	return username, Password(secret, username)
}

func encode(uid string) string { return base64.RawURLEncoding.EncodeToString([]byte(uid)) }

// Password is the password that belongs to username.
func Password(secret []byte, username string) string {
	mac := hmac.New(sha1.New, secret)
	mac.Write([]byte(username))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Parse reads a username. It does not look at the time.
func Parse(username string) (Claims, error) {
	if len(username) > MaxUsername {
		return Claims{}, ErrMalformed
	}
	parts := strings.Split(username, ":")
	if len(parts) != 3 || !plain(parts[2]) {
		return Claims{}, ErrMalformed
	}
	expiry, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil || expiry <= 0 || strconv.FormatInt(expiry, 10) != parts[0] {
		return Claims{}, ErrMalformed
	}
	// The decoder passes over line ends, even when it is strict; the encoder writes none.
	uid, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || len(uid) == 0 || encode(string(uid)) != parts[1] {
		return Claims{}, ErrMalformed
	}
	return Claims{Expires: time.Unix(expiry, 0), UID: string(uid), Session: parts[2]}, nil
}

func plain(session string) bool {
	for _, c := range []byte(session) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return session != ""
}

// Check parses username and holds password against it in constant time, then looks at the time.
func Check(secret []byte, username, password string, now time.Time) (Claims, error) {
	c, err := Parse(username)
	if err != nil {
		return Claims{}, err
	}
	if !hmac.Equal([]byte(password), []byte(Password(secret, username))) {
		return Claims{}, ErrPassword
	}
	if c.Expired(now) {
		return Claims{}, ErrExpired
	}
	return c, nil
}
