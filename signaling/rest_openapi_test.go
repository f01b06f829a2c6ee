package signaling

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/parleyrtc/parley/signaling/token"
)

// example is one good request of an operation, by operationId.
type example struct{ authorization, path, body string }

func examples(s *restServer) map[string]example {
	alice := s.as("alice")
	invitation, err := token.Invite("backend", restSecret, token.SessionGrant{Name: "weekly"}, time.Now(), time.Hour)
	if err != nil {
		s.t.Fatal(err)
	}
	return map[string]example{
		"get-config":             {"", "/v1/config", ""},
		"login":                  {"", "/v1/auth/login", `{"uid":"alice","authKey":"devkey"}`},
		"create-token":           {asAdmin, "/v1/tokens", `{"uid":"alice","name":"Alice","grants":["call.moderate"],"ttlSeconds":60}`},
		"list-participants":      {asReader, "/v1/calls/s-1/participants", ""},
		"mute-publication":       {asAdmin, "/v1/calls/s-1/publications/p_1.0/mute", ""},
		"remove-participant":     {asAdmin, "/v1/calls/s-1/participants/p_1", ""},
		"terminate-call":         {asAdmin, "/v1/calls/s-1/terminate", ""},
		"list-blocked":           {alice, "/v1/users/alice/blocked", ""},
		"block-user":             {alice, "/v1/users/alice/blocked/mallory", ""},
		"unblock-user":           {alice, "/v1/users/alice/blocked/mallory", ""},
		"create-invitation":      {asAdmin, "/v1/sessions/weekly/invitations", `{"ttlSeconds":60,"publish":["microphone"],"subscribe":true,"moderate":true}`},
		"redeem-invitation":      {"", "/v1/invitations/redeem", `{"invitation":"` + invitation + `","name":"Gwen"}`},
		"create-turn-credential": {alice, "/v1/turn-credentials", `{"sessionId":"s-1"}`},
		"initiate-call":          {asAdmin, "/v1/calls", `{"uid":"alice","receiverId":"bob","receiverType":"user","type":"video","timeoutSeconds":30,"metadata":{"a":1},"mutationId":"m"}`},
		"list-calls":             {alice, "/v1/calls", ""},
		"get-call":               {alice, "/v1/calls/s-1", ""},
		"accept-call":            {alice, "/v1/calls/s-1/accept", `{"takeover":true}`},
		"reject-call":            {alice, "/v1/calls/s-1/reject", `{"status":"busy"}`},
		"cancel-call":            {alice, "/v1/calls/s-1/cancel", `{}`},
		"end-call":               {alice, "/v1/calls/s-1/end", `{}`},
		"register-device":        {asAdmin, "/v1/devices", `{"uid":"alice","kind":"fcm","token":"fcm-token"}`},
		"list-devices":           {alice, "/v1/devices", ""},
		"unregister-device":      {alice, "/v1/devices/r_1", ""},
		"list-users":             {asReader, "/v1/users?limit=10", ""},
		"get-user":               {alice, "/v1/users/alice", ""},
		"put-user":               {asAdmin, "/v1/users/dave", `{"name":"Dave","avatar":"https://example.org/d.png"}`},
		"delete-user":            {asAdmin, "/v1/users/dave", ""},
		"list-groups":            {asReader, "/v1/groups", ""},
		"get-group":              {asReader, "/v1/groups/team", ""},
		"put-group":              {asAdmin, "/v1/groups/team", `{"name":"Team"}`},
		"delete-group":           {asAdmin, "/v1/groups/other", ""},
		"list-members":           {asReader, "/v1/groups/team/members", ""},
		"put-member":             {asAdmin, "/v1/groups/team/members/bob", ""},
		"list-history":           {alice, "/v1/history?status=missed&direction=incoming&from=2026-01-02T03:04:05Z&limit=10", ""},
		"get-history":            {alice, "/v1/history/s-1", ""},
		"export-history":         {alice, "/v1/history/export?format=csv", ""},
		"list-webhooks":          {asAdmin, "/v1/webhooks", ""},
		"list-dead-letters":      {asAdmin, "/v1/webhooks/app/dead-letters?after=3&limit=1", ""},
		"replay-dead-letter":     {asAdmin, "/v1/webhooks/app/dead-letters/7/replay", ""},
		"replay-dead-letters":    {asAdmin, "/v1/webhooks/app/dead-letters/replay", ""},
		"delete-member":          {asAdmin, "/v1/groups/team/members/alice", ""},
	}
}

// documented lists the operations of the document by id.
func documented(api *huma.OpenAPI) map[string]*huma.Operation {
	out := map[string]*huma.Operation{}
	for _, item := range api.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete, item.Patch, item.Head, item.Options, item.Trace} {
			if op != nil {
				out[op.OperationID] = op
			}
		}
	}
	return out
}

func TestEveryOperationAnswersAsTheDocumentSays(t *testing.T) {
	s := newRESTServer(t, RESTConfig{OpenLogin: true})
	for _, path := range []string{"/v1/users/alice", "/v1/users/dave", "/v1/groups/team", "/v1/groups/other"} {
		s.must(asAdmin, "PUT", path, `{}`)
	}
	s.must(asAdmin, "PUT", "/v1/groups/team/members/alice", "")
	rows := examples(s)
	for id, op := range documented(s.api.OpenAPI()) {
		row, ok := rows[id]
		if !ok {
			t.Errorf("the operation %s is documented, but has no example here", id)
			continue
		}
		delete(rows, id)
		if op.Method == http.MethodDelete {
			defer s.answersAsDocumented(op, row) // last, so that the others find what it deletes
			continue
		}
		s.answersAsDocumented(op, row)
	}
	for id := range rows {
		t.Errorf("the operation %s has an example here, but is not documented", id)
	}
}

// answersAsDocumented checks one operation: the good answer, its answer to strangers and its answer to nonsense.
func (s *restServer) answersAsDocumented(op *huma.Operation, row example) {
	s.t.Helper()
	if op.Method != http.MethodDelete {
		s.matches(op, row)
	}
	if len(op.Security) > 0 {
		s.matches(op, example{"", row.path, row.body})
		s.matches(op, example{asReader, row.path, row.body})
	}
	if row.body != "" {
		s.matches(op, example{row.authorization, row.path, `{"no such field":1}`})
		s.matches(op, example{row.authorization, row.path, `{`})
	}
	if op.Method == http.MethodDelete {
		s.matches(op, row)
		s.matches(op, row) // gone by now
	}
}

// matches checks that the document has the answer's status and media type, and that its body fits the schema.
func (s *restServer) matches(op *huma.Operation, row example) {
	s.t.Helper()
	answer := s.do(row.authorization, op.Method, row.path, row.body)
	where := fmt.Sprintf("%s %s %s gave %d %s", op.OperationID, row.path, row.body, answer.Code, answer.Body)
	response := op.Responses[fmt.Sprint(answer.Code)]
	if response == nil {
		s.t.Errorf("%s: the status is not documented", where)
		return
	}
	if answer.Body.Len() == 0 {
		if len(response.Content) != 0 {
			s.t.Errorf("%s: the document promises a body", where)
		}
		return
	}
	mediaType, _, _ := strings.Cut(answer.Header().Get("Content-Type"), ";")
	content := response.Content[mediaType]
	if content == nil {
		s.t.Errorf("%s: the media type %s is not documented", where, mediaType)
		return
	}
	var value any = answer.Body.String()
	if !strings.HasSuffix(mediaType, "json") {
		// text is what it is
	} else if err := json.Unmarshal(answer.Body.Bytes(), &value); err != nil {
		s.t.Errorf("%s: %v", where, err)
		return
	}
	result := &huma.ValidateResult{}
	path := huma.NewPathBuffer([]byte{}, 0)
	huma.Validate(s.api.OpenAPI().Components.Schemas, content.Schema, path, huma.ModeReadFromServer, value, result)
	for _, err := range result.Errors {
		s.t.Errorf("%s: %v", where, err)
	}
}

func TestDocumentIsServed(t *testing.T) {
	s := newRESTServer(t, RESTConfig{})
	answer := s.must("", "GET", "/v1/openapi.json", "")
	var served struct {
		OpenAPI string                                `json:"openapi"`
		Paths   map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &served); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(served.OpenAPI, "3.1.") {
		t.Errorf("the document is OpenAPI %s", served.OpenAPI)
	}
	n := 0
	for path, methods := range served.Paths {
		for method := range methods {
			n++
			op := example{"", strings.NewReplacer("{", "", "}", "").Replace(path), ""}
			got := s.do("", strings.ToUpper(method), op.path, "")
			if strings.Contains(got.Body.String(), codeNotFound) && !strings.HasPrefix(path, "/v1/auth/") {
				t.Errorf("%s %s is documented, but has no route", method, path)
			}
		}
	}
	if want := len(documented(s.api.OpenAPI())); n != want || want != s.operations {
		t.Errorf("%d operations are registered, %d in the model, %d served", s.operations, want, n)
	}
}
