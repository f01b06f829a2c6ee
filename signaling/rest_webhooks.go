package signaling

import (
	"context"
	"net/http"
	"strconv"

	"github.com/parleyrtc/parley/signaling/webhook"
)

// Webhooks is what REST asks of the webhooks. *webhook.Post is one.
type Webhooks interface {
	States(ctx context.Context) ([]webhook.State, error)
	DeadLetters(ctx context.Context, target string, after uint64, limit int) ([]webhook.DeadLetter, error)
	Replay(ctx context.Context, target string, number uint64) error
	ReplayAll(ctx context.Context, target string) (int, error)
}

// TargetPath names a webhook target.
type TargetPath struct {
	Target string `path:"target" pattern:"^[A-Za-z0-9_-]{1,32}$" doc:"Its name in the configuration."`
}

// WebhookList is how all targets stand.
type WebhookList struct {
	Targets []webhook.State `json:"targets" nullable:"false"`
}

// DeadLetterPage is a part of a target's dead letters, the oldest first.
type DeadLetterPage struct {
	DeadLetters []webhook.DeadLetter `json:"deadLetters" nullable:"false"`
	Next        string               `json:"next,omitempty" doc:"after of the next page; absent on the last."`
}

// Replayed says how many messages were put back into the queue.
type Replayed struct {
	Replayed int `json:"replayed"`
}

func (r *REST) registerWebhooks() {
	missing := []int{http.StatusNotFound}
	full := []int{http.StatusNotFound, http.StatusConflict}
	register(r, operation{id: "list-webhooks", method: http.MethodGet, path: "/v1/webhooks", access: admins,
		summary: "See how the webhook targets stand"}, r.listWebhooks)
	register(r, operation{id: "list-dead-letters", method: http.MethodGet, path: "/v1/webhooks/{target}/dead-letters", access: admins,
		summary: "List what a target did not take", errors: missing}, r.listDeadLetters)
	register(r, operation{id: "replay-dead-letter", method: http.MethodPost, path: "/v1/webhooks/{target}/dead-letters/{number}/replay",
		access: admins, summary: "Send a dead letter anew", errors: full}, r.replayDeadLetter)
	register(r, operation{id: "replay-dead-letters", method: http.MethodPost, path: "/v1/webhooks/{target}/dead-letters/replay",
		access: admins, summary: "Send all dead letters of a target anew, in their order", errors: full}, r.replayDeadLetters)
}

func (r *REST) listWebhooks(ctx context.Context, _ *struct{}) (*body[WebhookList], error) {
	states, err := r.deps.Webhooks.States(ctx)
	return reply(WebhookList{Targets: states}), err
}

func (r *REST) listDeadLetters(ctx context.Context, in *struct {
	TargetPath
	After uint64 `query:"after" doc:"The number after which the page begins; next of the page before."`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}) (*body[DeadLetterPage], error) {
	letters, err := r.deps.Webhooks.DeadLetters(ctx, in.Target, in.After, in.Limit)
	if err != nil {
		return nil, err
	}
	page := DeadLetterPage{DeadLetters: letters}
	if len(letters) == in.Limit {
		page.Next = strconv.FormatUint(letters[len(letters)-1].Number, 10)
	}
	return reply(page), nil
}

func (r *REST) replayDeadLetter(ctx context.Context, in *struct {
	TargetPath
	Number uint64 `path:"number" minimum:"1"`
}) (*body[Replayed], error) {
	err := r.deps.Webhooks.Replay(ctx, in.Target, in.Number)
	return reply(Replayed{Replayed: 1}), err
}

func (r *REST) replayDeadLetters(ctx context.Context, in *TargetPath) (*body[Replayed], error) {
	n, err := r.deps.Webhooks.ReplayAll(ctx, in.Target)
	return reply(Replayed{Replayed: n}), err
}
