package signaling

import (
	"context"
	"net/http"

	"github.com/parleyrtc/parley/signaling/wire"
)

// ParticipantList is everybody in the room of a call.
type ParticipantList struct {
	Participants []wire.ParticipantView `json:"participants" nullable:"false"`
}

// ParticipantPath names a device in the room of a call.
type ParticipantPath struct {
	SessionPath
	ParticipantID string `path:"participantId" minLength:"1" maxLength:"64"`
}

// PublicationPath names what a device sends.
type PublicationPath struct {
	SessionPath
	PublicationID string `path:"publicationId" minLength:"1" maxLength:"64"`
}

func (r *REST) registerOperator() {
	refusals := []int{http.StatusNotFound, http.StatusConflict}
	register(r, operation{id: "list-participants", method: http.MethodGet, path: "/v1/calls/{sessionId}/participants", access: readers,
		summary: "List who is in the room of a call, those who are hidden among them", errors: refusals},
		func(ctx context.Context, in *SessionPath) (*body[ParticipantList], error) {
			list, err := r.deps.Calls.Participants(ctx, in.SessionID)
			if err != nil {
				return nil, err
			}
			return reply(ParticipantList{Participants: list}), nil
		})
	register(r, operation{id: "mute-publication", method: http.MethodPost, path: "/v1/calls/{sessionId}/publications/{publicationId}/mute",
		access: admins, summary: "Mute somebody's microphone, camera or screen; they may unmute it again", errors: refusals},
		func(ctx context.Context, in *PublicationPath) (*struct{}, error) {
			return nil, r.deps.Calls.Mute(ctx, in.SessionID, in.PublicationID)
		})
	register(r, operation{id: "remove-participant", method: http.MethodDelete, path: "/v1/calls/{sessionId}/participants/{participantId}",
		access: admins, summary: "Put somebody out of a call of several for good", errors: append(refusals, http.StatusForbidden)},
		func(ctx context.Context, in *ParticipantPath) (*struct{}, error) {
			return nil, r.deps.Calls.Expel(ctx, in.SessionID, in.ParticipantID)
		})
	register(r, operation{id: "terminate-call", method: http.MethodPost, path: "/v1/calls/{sessionId}/terminate", access: admins,
		summary: "End a call for everybody, also one that rings; one that is over stays as it is", errors: []int{http.StatusNotFound}},
		func(ctx context.Context, in *SessionPath) (*body[wire.CallResult], error) {
			view, err := r.deps.Calls.Terminate(ctx, in.SessionID)
			if err != nil {
				return nil, err
			}
			return reply(wire.CallResult{Call: view}), nil
		})
}
