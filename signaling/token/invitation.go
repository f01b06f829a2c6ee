package token

import (
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"
)

// invitationAudience keeps an invitation from being used as a token, and the other way round.
const invitationAudience = "parley-invitation"

// Invitation lets whoever has it enter a named session as a guest.
type Invitation struct {
	Grant     SessionGrant
	ID        string // random
	ExpiresAt time.Time
}

// Invite signs an invitation to a session that is good for ttl.
func Invite(keyID, secret string, grant SessionGrant, now time.Time, ttl time.Duration) (string, error) {
	if cause := grant.check(); cause != "" {
		return "", fmt.Errorf("token: the invitation is not good: %s", cause)
	}
	if ttl <= 0 || secret == "" {
		return "", errors.New("token: an invitation needs a secret and a positive lifetime")
	}
	return sign(keyID, secret, invitationAudience, Claims{Session: &grant}, now, ttl)
}

// VerifyInvitation checks an invitation and returns what it grants, or an ErrInvalid.
func (v *Verifier) VerifyInvitation(now time.Time, raw string) (Invitation, error) {
	p, err := v.verify(now, raw, invitationAudience)
	if err != nil {
		return Invitation{}, err
	}
	if p.Session == nil || p.Session.check() != "" || p.Subject != "" {
		return Invitation{}, &invalid{"claim_bounds"}
	}
	return Invitation{Grant: *p.Session, ID: p.RegisteredClaims.ID, ExpiresAt: p.ExpiresAt.Time}, nil
}

// Guest is the uid of a new guest. Nobody else has it.
func Guest() string { return "guest-" + strings.ToLower(rand.Text()) }
