// Package token checks and mints the tokens by which users and servers prove who they are.
package token

import (
	"errors"
	"time"
)

// Audience is the aud that every token must name.
const Audience = "parley"

// Leeway is how far the clocks of the operator's back end and of this server may be apart.
const Leeway = time.Minute

// MaxLength is the longest token that is looked at, in bytes.
const MaxLength = 8 << 10

// GrantModerate lets its bearer end any call they are a member of for everybody.
const GrantModerate = "call.moderate"

// ErrInvalid is the one answer to every token and API key that isn't good. What was wrong with it is in the error that wraps it,
// for logs only: its text never contains any part of the token.
var ErrInvalid = errors.New("token: invalid")

// GrantEnter lets its bearer enter any named session, where sessions are not open to everybody.
const GrantEnter = "session.enter"

// SessionGrant confines a token to one named session, and says what its bearer may do there.
type SessionGrant struct {
	Name string `json:"id"`
	// Publish lists the sources that may be published, none when it is empty; nil: all of them.
	Publish *[]string `json:"publish,omitempty"`
	// Subscribe false receives nothing; nil: true.
	Subscribe *bool `json:"subscribe,omitempty"`
	// Moderate may mute others, put them out, and end the session for all.
	Moderate bool `json:"moderate,omitempty"`
	// Hidden is shown to nobody and publishes nothing.
	Hidden bool `json:"hidden,omitempty"`
}

// Claims are what a token says about a user.
type Claims struct {
	UID       string
	Name      string
	Avatar    string
	Grants    []string
	Session   *SessionGrant // nil: the token is not confined to a session
	Guest     bool          // is nobody whom the server remembers afterwards
	ID        string        // jti, "" if absent
	KeyID     string        // the API key that signed it (iss)
	IssuedAt  time.Time     // zero if absent
	ExpiresAt time.Time
}

// Granted reports whether the claims have a grant.
func (c Claims) Granted(grant string) bool {
	for _, g := range c.Grants {
		if g == grant {
			return true
		}
	}
	return false
}
