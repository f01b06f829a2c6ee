package signaling

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/parleyrtc/parley/signaling/history"
	"github.com/parleyrtc/parley/signaling/wire"
)

// HistoryQuery chooses calls of a log.
type HistoryQuery struct {
	UID          string    `query:"uid" maxLength:"128" doc:"Whose log; for API keys. Without it: everybody's."`
	Status       string    `query:"status" enum:"initiated,ongoing,rejected,busy,cancelled,unanswered,ended,missed" doc:"missed is as the log's user saw it; in everybody's log: cancelled, busy or unanswered."`
	Type         string    `query:"type" enum:"audio,video"`
	ReceiverType string    `query:"receiverType" enum:"user,group,session"`
	Direction    string    `query:"direction" enum:"incoming,outgoing" doc:"As the log's user saw it."`
	With         string    `query:"with" maxLength:"128" doc:"uid: calls with this other user."`
	GUID         string    `query:"guid" maxLength:"128" doc:"Calls of this group."`
	From         time.Time `query:"from" doc:"Initiated then or later."`
	Until        time.Time `query:"until" doc:"Initiated before."`
	Attended     int       `query:"attended" minimum:"0" maximum:"1000" doc:"At least so many users were in the room."`
}

func (r *REST) registerHistory() {
	register(r, operation{id: "list-history", method: http.MethodGet, path: "/v1/history", access: anyone,
		summary: "Read a call log, newest first: a user's own, or for an API key everybody's or one user's",
		errors:  []int{http.StatusUnprocessableEntity}}, r.listHistory)
	register(r, operation{id: "export-history", method: http.MethodGet, path: "/v1/history/export", access: anyone,
		summary: "Export a call log as CSV or JSON Lines, newest first", errors: []int{http.StatusUnprocessableEntity}}, r.exportHistory)
	register(r, operation{id: "get-history", method: http.MethodGet, path: "/v1/history/{sessionId}", access: anyone,
		summary: "Look at one call of the log: who was in it, how long, and how good it was", errors: []int{http.StatusNotFound}}, r.getHistory)
	described := r.api.OpenAPI().Paths["/v1/history/export"].Get
	described.Responses["200"].Content = map[string]*huma.MediaType{
		"text/csv":             {Schema: &huma.Schema{Type: "string", Description: "A line of column names, then one line for a call."}},
		"application/x-ndjson": {Schema: &huma.Schema{Type: "string", Description: "One call on each line, as in the pages of the log."}},
	}
}

// query is the log that the caller may see.
func (r *REST) query(ctx context.Context, in HistoryQuery) (history.Query, error) {
	who := callerOf(ctx)
	if !who.isServer() {
		if in.UID != "" && in.UID != who.uid {
			return history.Query{}, forbidden("A user sees their own calls only.")
		}
		in.UID = who.uid
	}
	for field, uid := range map[string]string{"query.uid": in.UID, "query.with": in.With, "query.guid": in.GUID} {
		if uid != "" && !wire.ValidUID(uid) {
			return history.Query{}, badField(field, "This is no such id.")
		}
	}
	params := wire.HistoryParams{
		Status: in.Status, Type: in.Type, ReceiverType: in.ReceiverType, Direction: in.Direction, UID: in.With, GUID: in.GUID, Attended: in.Attended,
	}
	if !in.From.IsZero() {
		params.From = in.From.UnixMilli()
	}
	if !in.Until.IsZero() {
		params.Until = in.Until.UnixMilli()
	}
	q, refusal := queryOf(in.UID, params)
	if refusal != nil {
		return history.Query{}, refusal
	}
	return q, nil
}

func (r *REST) listHistory(ctx context.Context, in *struct {
	HistoryQuery
	Cursor string `query:"cursor" maxLength:"64" doc:"next of the page before."`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"30"`
}) (*body[wire.HistoryResult], error) {
	q, err := r.query(ctx, in.HistoryQuery)
	if err != nil {
		return nil, err
	}
	if q.Before, err = history.ParseCursor(in.Cursor); err != nil {
		return nil, badField("query.cursor", "The cursor is not one of this server.")
	}
	q.Limit = in.Limit
	page, err := r.deps.Calls.History(ctx, q)
	if err != nil {
		return nil, err
	}
	return reply(page), nil
}

func (r *REST) getHistory(ctx context.Context, in *SessionPath) (*body[wire.LoggedCallView], error) {
	params := wire.GetParams{SessionID: in.SessionID}
	if bad := params.Validate(); bad != nil {
		return nil, bad
	}
	view, err := r.deps.Calls.Logged(ctx, callerOf(ctx).uid, in.SessionID)
	if err != nil {
		return nil, err
	}
	return reply(view), nil
}

// The bounds of an export: it holds one page in memory, and goes on as long as its reader takes a page in time.
const (
	exportPage = 100
	exportWait = 30 * time.Second
)

func (r *REST) exportHistory(ctx context.Context, in *struct {
	HistoryQuery
	Format string `query:"format" enum:"csv,jsonl" default:"csv"`
}) (*huma.StreamResponse, error) {
	q, err := r.query(ctx, in.HistoryQuery)
	if err != nil {
		return nil, err
	}
	q.Limit = exportPage
	first, err := r.deps.Calls.History(ctx, q) // what can be refused is refused before anything is written
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hctx huma.Context) {
		contentType := "text/csv; charset=utf-8"
		if in.Format == history.JSONLines {
			contentType = "application/x-ndjson"
		}
		hctx.SetHeader("Content-Type", contentType)
		hctx.SetHeader("Content-Disposition", `attachment; filename="calls.`+in.Format+`"`)
		if err := r.export(ctx, hctx, q, in.Format, first); err != nil && ctx.Err() == nil {
			r.log.Error("an export ended early", "error", err)
			panic(http.ErrAbortHandler) // so that the client does not take half of it for the whole
		}
	}}, nil
}

func (r *REST) export(ctx context.Context, hctx huma.Context, q history.Query, format string, page wire.HistoryResult) error {
	_, w := humago.Unwrap(hctx)
	connection := http.NewResponseController(w)
	out, err := history.NewExporter(w, format)
	if err != nil {
		return err
	}
	for {
		// A recorder in a test has no deadline; a connection that has none is none that a slow reader could hold.
		_ = connection.SetWriteDeadline(time.Now().Add(exportWait))
		for _, c := range page.Calls {
			if err := out.Write(c); err != nil {
				return err
			}
		}
		if err := out.Flush(); err != nil {
			return err
		}
		if page.Next == "" {
			return nil
		}
		if q.Before, err = history.ParseCursor(page.Next); err != nil {
			return err
		}
		if page, err = r.deps.Calls.History(ctx, q); err != nil {
			return err
		}
	}
}
