package signaling

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/parleyrtc/parley/signaling/token"
	"github.com/parleyrtc/parley/signaling/wire"
)

// Idempotency names an attempt, so that a retry after a lost answer changes nothing and gets the first answer again.
type Idempotency struct {
	Key string `header:"Idempotency-Key" maxLength:"64" doc:"The same as mutationId, which goes before it."`
}

// Acting is part of every change to a call.
type Acting struct {
	UID        string `json:"uid,omitempty" maxLength:"128" doc:"For whom an API key acts; a token says it itself."`
	MutationID string `json:"mutationId,omitempty" maxLength:"64" doc:"Unique per attempt of the user: sent again within five minutes, it gets the first answer again and changes nothing."`
}

// mutation is the id of this attempt. A request without one is an attempt of its own.
func (a Acting) mutation(i Idempotency) string { return cmp.Or(a.MutationID, i.Key, newID("r_")) }

// InitiateRequest rings a user or a group.
type InitiateRequest struct {
	Acting
	ReceiverID     string         `json:"receiverId" minLength:"1" maxLength:"128" doc:"uid or guid."`
	ReceiverType   string         `json:"receiverType" enum:"user,group"`
	Type           string         `json:"type" enum:"audio,video"`
	TimeoutSeconds *int           `json:"timeoutSeconds,omitempty" minimum:"5" maximum:"300" doc:"How long it rings; the server's default when absent."`
	Metadata       map[string]any `json:"metadata,omitempty" doc:"At most 4 KiB of JSON, handed through unread."`
}

// AcceptRequest accepts a ringing call.
type AcceptRequest struct {
	Acting
	Takeover bool `json:"takeover,omitempty" doc:"Take the seat from another device of the user."`
}

// RejectRequest declines a ringing call.
type RejectRequest struct {
	Acting
	Status string `json:"status" enum:"rejected,busy"`
}

// CancelRequest stops a call that the user initiated and that still rings.
type CancelRequest struct{ Acting }

// EndRequest hangs up.
type EndRequest struct {
	Acting
	ForAll bool `json:"forAll,omitempty" doc:"End a group call for everybody; for its initiator, for those with the grant call.moderate, and for API keys."`
}

// SessionPath names a call.
type SessionPath struct {
	SessionID string `path:"sessionId" minLength:"1" maxLength:"128"`
}

// change of a call: the path names it, the body says what.
type callChange[T any] struct {
	SessionPath
	Idempotency
	Body T
}

// CallPage is a part of the calls that are not over, the oldest first.
type CallPage struct {
	Calls wire.List[wire.CallView] `json:"calls" nullable:"false"`
	Next  string                   `json:"next,omitempty" doc:"after of the next page; absent on the last."`
}

func (r *REST) registerCalls() {
	missing := []int{http.StatusNotFound}
	refusals := []int{http.StatusNotFound, http.StatusConflict, http.StatusServiceUnavailable}
	register(r, operation{id: "initiate-call", method: http.MethodPost, path: "/v1/calls", access: anyone,
		summary: "Ring a user or a group", status: http.StatusCreated, errors: refusals}, r.initiateCall)
	register(r, operation{id: "list-calls", method: http.MethodGet, path: "/v1/calls", access: anyone,
		summary: "List calls that are not over: a user's own, or for an API key all of them or one user's"}, r.listCalls)
	register(r, operation{id: "get-call", method: http.MethodGet, path: "/v1/calls/{sessionId}", access: anyone,
		summary: "Look at a call", errors: missing}, r.getCall)
	register(r, operation{id: "accept-call", method: http.MethodPost, path: "/v1/calls/{sessionId}/accept", access: anyone,
		summary: "Accept a ringing call", errors: refusals},
		func(ctx context.Context, in *callChange[AcceptRequest]) (*body[wire.CallResult], error) {
			return r.act(ctx, in.Body.Acting, wire.AcceptParams{
				SessionID: in.SessionID, Takeover: in.Body.Takeover, MutationID: in.Body.mutation(in.Idempotency)})
		})
	register(r, operation{id: "reject-call", method: http.MethodPost, path: "/v1/calls/{sessionId}/reject", access: anyone,
		summary: "Decline a ringing call", errors: refusals},
		func(ctx context.Context, in *callChange[RejectRequest]) (*body[wire.CallResult], error) {
			return r.act(ctx, in.Body.Acting, wire.RejectParams{
				SessionID: in.SessionID, Status: in.Body.Status, MutationID: in.Body.mutation(in.Idempotency)})
		})
	register(r, operation{id: "cancel-call", method: http.MethodPost, path: "/v1/calls/{sessionId}/cancel", access: anyone,
		summary: "Stop a call that still rings", errors: refusals},
		func(ctx context.Context, in *callChange[CancelRequest]) (*body[wire.CallResult], error) {
			return r.act(ctx, in.Body.Acting, wire.CancelParams{
				SessionID: in.SessionID, MutationID: in.Body.mutation(in.Idempotency)})
		})
	register(r, operation{id: "end-call", method: http.MethodPost, path: "/v1/calls/{sessionId}/end", access: anyone,
		summary: "Hang up", errors: refusals},
		func(ctx context.Context, in *callChange[EndRequest]) (*body[wire.CallResult], error) {
			return r.act(ctx, in.Body.Acting, wire.EndParams{
				SessionID: in.SessionID, ForAll: in.Body.ForAll, MutationID: in.Body.mutation(in.Idempotency)})
		})
}

func (r *REST) initiateCall(ctx context.Context, in *struct {
	Idempotency
	Body InitiateRequest
}) (*body[wire.CallResult], error) {
	params := wire.InitiateParams{
		ReceiverID: in.Body.ReceiverID, ReceiverType: in.Body.ReceiverType, Type: in.Body.Type,
		TimeoutSeconds: in.Body.TimeoutSeconds, MutationID: in.Body.mutation(in.Idempotency),
	}
	if in.Body.Metadata != nil {
		metadata, err := json.Marshal(in.Body.Metadata)
		if err != nil {
			return nil, err
		}
		params.Metadata = metadata
	}
	return r.act(ctx, in.Body.Acting, params)
}

// act carries out a change that was asked for by a user or, for a user, by an API key.
func (r *REST) act(ctx context.Context, acting Acting, params interface{ Validate() *wire.Error }) (*body[wire.CallResult], error) {
	who := callerOf(ctx)
	uid, err := actFor(who, acting.UID)
	if err != nil {
		return nil, err
	}
	if !wire.ValidUID(uid) {
		return nil, badField("body.uid", "This is not a uid.")
	}
	if bad := params.Validate(); bad != nil {
		return nil, bad
	}
	grants := who.grants
	if who.isServer() {
		grants = []string{token.GrantModerate}
	}
	view, err := r.deps.Calls.Request(ctx, uid, grants, params)
	if err != nil {
		return nil, err
	}
	return reply(wire.CallResult{Call: view}), nil
}

func (r *REST) getCall(ctx context.Context, in *SessionPath) (*body[wire.CallResult], error) {
	params := wire.GetParams{SessionID: in.SessionID}
	if bad := params.Validate(); bad != nil {
		return nil, bad
	}
	who := callerOf(ctx)
	if who.isServer() {
		view, err := r.deps.Calls.Call(ctx, in.SessionID)
		return reply(wire.CallResult{Call: view}), err
	}
	view, err := r.deps.Calls.Request(ctx, who.uid, who.grants, params)
	return reply(wire.CallResult{Call: view}), err
}

func (r *REST) listCalls(ctx context.Context, in *struct {
	UID   string `query:"uid" maxLength:"128" doc:"Only this user's; for API keys."`
	After string `query:"after" maxLength:"160" doc:"next of the page before."`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}) (*body[CallPage], error) {
	who := callerOf(ctx)
	uid := in.UID
	if !who.isServer() {
		if uid != "" && uid != who.uid {
			return nil, forbidden("A user sees their own calls only.")
		}
		uid = who.uid
	}
	views, err := r.deps.Calls.ActiveCalls(ctx, uid)
	if err != nil {
		return nil, err
	}
	if in.After != "" { // calls come and go: the place is named by time and id, not by a call that must be there still
		views = slices.DeleteFunc(views, func(v wire.CallView) bool { return placeOf(v) <= in.After })
	}
	page := CallPage{Calls: views}
	if len(views) > in.Limit {
		page.Calls = views[:in.Limit]
		page.Next = placeOf(page.Calls[in.Limit-1])
	}
	return reply(page), nil
}

// placeOf is a call's place in the list, as text that sorts like it.
func placeOf(v wire.CallView) string { return fmt.Sprintf("%013d.%s", v.InitiatedAt, v.SessionID) }
