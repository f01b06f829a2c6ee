package token

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Mint makes a token that is good from now on for ttl, as the operator's back end would. KeyID, IssuedAt and ExpiresAt of the
// claims are not read; an empty ID is replaced by a random one.
func Mint(keyID, secret string, claims Claims, now time.Time, ttl time.Duration) (string, error) {
	if cause := claims.check(); cause != "" {
		return "", fmt.Errorf("token: the claims are not good for a token: %s", cause)
	}
	if ttl <= 0 || secret == "" {
		return "", errors.New("token: a token needs a secret and a positive lifetime")
	}
	return sign(keyID, secret, Audience, claims, now, ttl)
}

func sign(keyID, secret, audience string, claims Claims, now time.Time, ttl time.Duration) (string, error) {
	if claims.ID == "" {
		claims.ID = rand.Text()
	}
	unsigned := jwt.NewWithClaims(jwt.SigningMethodHS256, payload{
		Name: claims.Name, Avatar: claims.Avatar, Grants: claims.Grants, Session: claims.Session, Guest: claims.Guest,
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: keyID, Subject: claims.UID, Audience: jwt.ClaimStrings{audience}, ID: claims.ID,
			IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(ttl)),
		},
	})
	raw, err := unsigned.SignedString([]byte(secret))
	if err != nil {
		return "", fmt.Errorf("token: sign: %w", err)
	}
	if len(raw) > MaxLength {
		return "", fmt.Errorf("token: the token would be %d bytes long, at most %d are accepted", len(raw), MaxLength)
	}
	return raw, nil
}
