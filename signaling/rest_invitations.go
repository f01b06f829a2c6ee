package signaling

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/parleyrtc/parley/signaling/token"
	"github.com/parleyrtc/parley/signaling/wire"
)

// Rights are what somebody may do in a named session.
type Rights struct {
	Publish   *[]string `json:"publish,omitempty" nullable:"false" maxItems:"4" enum:"microphone,camera,screen,screenAudio" doc:"Sources; absent: all, empty: none."`
	Subscribe *bool     `json:"subscribe,omitempty" doc:"Whether anything is received; absent: true."`
	Moderate  bool      `json:"moderate,omitempty" doc:"May mute others, put them out, and end the session for all."`
	Hidden    bool      `json:"hidden,omitempty" doc:"Is shown to nobody and publishes nothing."`
}

// SessionRights are rights with the session they are for.
type SessionRights struct {
	Session string `json:"session" minLength:"1" maxLength:"128" pattern:"^[A-Za-z0-9._:-]+$" doc:"Name of the session."`
	Rights
}

// InvitationRequest asks for an invitation.
type InvitationRequest struct {
	TTLSeconds int `json:"ttlSeconds" minimum:"60" maximum:"31536000" doc:"How long it can be used."`
	Rights
}

// InvitationAnswer is an invitation.
type InvitationAnswer struct {
	Invitation string `json:"invitation" doc:"Whoever has it may enter. A link to the call page has it in its fragment, /#invitation=…"`
	ExpiresAt  int64  `json:"expiresAt" doc:"Unix milliseconds."`
}

// RedeemRequest turns an invitation into a guest's token.
type RedeemRequest struct {
	Invitation string `json:"invitation" minLength:"1" maxLength:"8192"`
	Name       string `json:"name" minLength:"1" maxLength:"64" doc:"What the others see."`
}

// RedeemAnswer is a guest's token and the session it is for.
type RedeemAnswer struct {
	TokenAnswer
	Session string `json:"session" doc:"For session.enter."`
}

func (r Rights) grant(session string) token.SessionGrant {
	return token.SessionGrant{Name: session, Publish: r.Publish, Subscribe: r.Subscribe, Moderate: r.Moderate, Hidden: r.Hidden}
}

func (r *REST) registerInvitations() {
	register(r, operation{id: "create-invitation", method: http.MethodPost, path: "/v1/sessions/{session}/invitations", access: organizer,
		summary: "Invite guests to a named session", status: http.StatusCreated}, r.invite)
	register(r, operation{id: "redeem-invitation", method: http.MethodPost, path: "/v1/invitations/redeem", access: public,
		summary: "Become a guest", status: http.StatusCreated, errors: []int{http.StatusUnauthorized}}, r.redeem)
}

func (r *REST) invite(_ context.Context, in *struct {
	Session string `path:"session" minLength:"1" maxLength:"128" pattern:"^[A-Za-z0-9._:-]+$"`
	Body    InvitationRequest
}) (*body[InvitationAnswer], error) {
	now, ttl := r.now(), time.Duration(in.Body.TTLSeconds)*time.Second
	signed, err := token.Invite(r.config.Signer.ID, r.config.Signer.Secret, in.Body.grant(in.Session), now, ttl)
	if err != nil {
		return nil, newProblem(http.StatusUnprocessableEntity, wire.CodeBadRequest, "The invitation cannot be made from these values.")
	}
	return reply(InvitationAnswer{Invitation: signed, ExpiresAt: wire.Millis(now.Add(ttl))}), nil
}

// redeem makes a guest. One invitation makes as many as it is given to; each has a name that nobody else has.
func (r *REST) redeem(_ context.Context, in *struct{ Body RedeemRequest }) (*body[RedeemAnswer], error) {
	now := r.now()
	invitation, err := r.deps.Tokens.VerifyInvitation(now, in.Body.Invitation)
	if err != nil {
		r.log.Info("an invitation was refused", "cause", err)
		return nil, unauthorized()
	}
	claims := token.Claims{UID: token.Guest(), Name: in.Body.Name, Guest: true, Session: &invitation.Grant}
	signed, err := token.Mint(r.config.Signer.ID, r.config.Signer.Secret, claims, now, r.config.GuestTTL)
	if err != nil {
		return nil, badField("body.name", "The name cannot be used.")
	}
	return reply(RedeemAnswer{Session: invitation.Grant.Name, TokenAnswer: TokenAnswer{
		Token: signed, ExpiresAt: wire.Millis(now.Add(r.config.GuestTTL)),
		User: wire.UserView{UID: claims.UID, Name: cmp.Or(claims.Name, claims.UID)},
	}}), nil
}
