package signaling

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/parleyrtc/parley/signaling/token"
)

func TestAnInvitationMakesAGuest(t *testing.T) {
	s := newRESTServer(t, RESTConfig{})
	var invitation InvitationAnswer
	text := s.must(asAdmin, "POST", "/v1/sessions/weekly/invitations", `{"ttlSeconds":3600,"publish":["microphone"]}`).Body.Bytes()
	if err := json.Unmarshal(text, &invitation); err != nil {
		t.Fatal(err)
	}
	redeem := func(invitation, name string) string {
		text, err := json.Marshal(RedeemRequest{Invitation: invitation, Name: name})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	var first, second RedeemAnswer
	for _, answer := range []*RedeemAnswer{&first, &second} {
		text := s.must("", "POST", "/v1/invitations/redeem", redeem(invitation.Invitation, "Gwen")).Body.Bytes()
		if err := json.Unmarshal(text, answer); err != nil {
			t.Fatal(err)
		}
	}
	claims, err := s.deps.Tokens.Verify(time.Now(), first.Token)
	if err != nil {
		t.Fatal(err)
	}
	if first.Session != "weekly" || !claims.Guest || claims.Name != "Gwen" || claims.Session.Name != "weekly" ||
		len(*claims.Session.Publish) != 1 || first.User.UID == second.User.UID {
		t.Errorf("two guests: %+v and %+v, claims %+v", first, second, claims)
	}
	s.refused("Bearer "+first.Token, "GET", "/v1/users", "", 403, codeForbidden)
	s.refused("", "POST", "/v1/invitations/redeem", redeem(first.Token, "Gwen"), 401, codeUnauthorized)
	s.refused("", "POST", "/v1/invitations/redeem", redeem("made up", "Gwen"), 401, codeUnauthorized)
	s.refused(s.as("alice"), "POST", "/v1/sessions/weekly/invitations", `{"ttlSeconds":3600}`, 403, codeForbidden)
	s.refused(asAdmin, "POST", "/v1/sessions/weekly/invitations", `{"ttlSeconds":1}`, 422, "ERR_BAD_REQUEST")
	s.refused(asAdmin, "POST", "/v1/sessions/weekly/invitations", `{"ttlSeconds":60,"publish":["thoughts"]}`, 422, "ERR_BAD_REQUEST")
}

func TestATokenCanBeConfinedToASession(t *testing.T) {
	s := newRESTServer(t, RESTConfig{})
	var answer TokenAnswer
	text := s.must(asAdmin, "POST", "/v1/tokens", `{"uid":"host","session":{"session":"weekly","moderate":true}}`).Body.Bytes()
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatal(err)
	}
	claims, err := s.deps.Tokens.Verify(time.Now(), answer.Token)
	if err != nil || claims.Guest || claims.Session == nil || *claims.Session != (token.SessionGrant{Name: "weekly", Moderate: true}) {
		t.Errorf("%+v, %v", claims, err)
	}
}
