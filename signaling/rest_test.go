package signaling

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/parleyrtc/parley/signaling/history"
	"github.com/parleyrtc/parley/signaling/store"
	"github.com/parleyrtc/parley/signaling/token"
	"github.com/parleyrtc/parley/signaling/wire"
)

const restSecret = "rest-secret-of-at-least-32-bytes!"

// restCalls is a Calls that notes what it is asked.
type restCalls struct {
	mu    sync.Mutex
	asked []any
	told  []string
	err   error
}

func (c *restCalls) Request(_ context.Context, uid string, grants []string, params any) (wire.CallView, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, uid, strings.Join(grants, ","), params)
	return exampleCall(), c.err
}

func (c *restCalls) Call(context.Context, string) (wire.CallView, error) { return exampleCall(), c.err }

func (c *restCalls) ActiveCalls(_ context.Context, uid string) ([]wire.CallView, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, uid)
	return []wire.CallView{exampleCall()}, c.err
}

func (c *restCalls) Participants(context.Context, string) ([]wire.ParticipantView, error) {
	return []wire.ParticipantView{{ParticipantID: "p_1", User: wire.UserView{UID: "alice"}, DeviceID: "d_1"}}, c.err
}

func (c *restCalls) Mute(_ context.Context, session, publication string) error {
	c.tell("muted " + session + " " + publication)
	return c.err
}

func (c *restCalls) Expel(_ context.Context, session, participant string) error {
	c.tell("expelled " + session + " " + participant)
	return c.err
}

func (c *restCalls) Terminate(_ context.Context, session string) (wire.CallView, error) {
	c.tell("terminated " + session)
	return exampleCall(), c.err
}

func (c *restCalls) History(_ context.Context, q history.Query) (wire.HistoryResult, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = append(c.asked, q)
	result := wire.HistoryResult{Calls: wire.List[wire.LoggedCallView]{exampleLogged()}}
	if q.Before == (history.Place{}) {
		result.Next = history.Place{At: 1, Tie: 2}.Cursor()
	}
	return result, c.err
}

func (c *restCalls) Logged(context.Context, string, string) (wire.LoggedCallView, error) {
	return exampleLogged(), c.err
}

func exampleLogged() wire.LoggedCallView {
	return wire.LoggedCallView{CallView: exampleCall(), Direction: "outgoing", DurationSeconds: 12.5, Participants: wire.List[wire.AttendeeView]{{
		User: exampleCall().Initiator, DeviceIDs: wire.List[string]{"d_1"}, Joins: 1, JoinedAt: 3, Seconds: 12.5,
		Quality: &wire.AverageScore{Worst: 40, Mean: 80.5},
	}}}
}

func (c *restCalls) MemberAdded(guid, uid string)   { c.tell("added " + guid + " " + uid) }
func (c *restCalls) MemberRemoved(guid, uid string) { c.tell("removed " + guid + " " + uid) }
func (c *restCalls) UserDeleted(uid string)         { c.tell("deleted " + uid) }

func (c *restCalls) tell(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.told = append(c.told, what)
}

func exampleCall() wire.CallView {
	alice, bob := wire.UserView{UID: "alice", Name: "Alice"}, wire.UserView{UID: "bob", Name: "Bob"}
	return wire.CallView{
		SessionID: "s-1", Type: wire.TypeVideo, ReceiverType: wire.ReceiverUser, Status: "ongoing", Initiator: alice,
		Receiver: wire.UserReceiver(bob), InitiatedAt: 1, RingDeadline: 2, StartedAt: 3,
		Members:  wire.List[wire.MemberView]{{User: alice, State: "joined", JoinedAt: 3}, {User: bob, State: "accepted"}},
		Metadata: json.RawMessage(`{"topic":"x"}`),
	}
}

// restServer is REST over a real store, with calls that only listen.
type restServer struct {
	*REST
	t     *testing.T
	calls *restCalls
	dir   *Directory
	log   *bytes.Buffer
}

func newRESTServer(t *testing.T, config RESTConfig) *restServer {
	t.Helper()
	st, err := store.Open(t.Context(), store.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	verifier, err := token.New([]token.APIKey{
		{ID: "backend", Secret: restSecret, Role: token.RoleAdmin},
		{ID: "viewer", Secret: restSecret, Role: token.RoleRead},
		{ID: "signer", Secret: restSecret},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := &restServer{t: t, calls: &restCalls{}, dir: NewDirectory(st), log: &bytes.Buffer{}}
	config.Version, config.AuthKey = "test", "devkey"
	config.Signer = token.APIKey{ID: "backend", Secret: restSecret}
	config.Logger = slog.New(slog.NewTextHandler(s.log, nil))
	s.REST, err = NewREST(config, RESTDeps{
		Calls: s.calls, Directory: s.dir, Tokens: verifier, Webhooks: restHooks{},
		ICEServers: func(uid, session string) []ICEServer {
			return []ICEServer{{URLs: []string{"turn:127.0.0.1:3478"}, Username: uid + "/" + session, Credential: "c"}}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The credentials of the tests.
const (
	asAdmin  = "ApiKey backend:" + restSecret
	asReader = "ApiKey viewer:" + restSecret
)

func (s *restServer) as(uid string, grants ...string) string {
	s.t.Helper()
	raw, err := token.Mint("backend", restSecret, token.Claims{UID: uid, Grants: grants}, time.Now(), time.Hour)
	if err != nil {
		s.t.Fatal(err)
	}
	return "Bearer " + raw
}

func (s *restServer) do(authorization, method, path, body string) *httptest.ResponseRecorder {
	req := httptest.NewRequestWithContext(s.t.Context(), method, path, strings.NewReader(body))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	answer := httptest.NewRecorder()
	s.Handler().ServeHTTP(answer, req)
	return answer
}

// must does a request that has to succeed.
func (s *restServer) must(authorization, method, path, body string) *httptest.ResponseRecorder {
	s.t.Helper()
	answer := s.do(authorization, method, path, body)
	if answer.Code >= 300 {
		s.t.Fatalf("%s %s gave %d: %s", method, path, answer.Code, answer.Body)
	}
	return answer
}

// refused does a request that has to fail, and returns its problem.
func (s *restServer) refused(authorization, method, path, body string, status int, code string) Problem {
	s.t.Helper()
	answer := s.do(authorization, method, path, body)
	var p Problem
	if err := json.Unmarshal(answer.Body.Bytes(), &p); err != nil {
		s.t.Fatalf("%s %s gave %d, not a problem: %s", method, path, answer.Code, answer.Body)
	}
	if got := answer.Header().Get("Content-Type"); got != "application/problem+json" {
		s.t.Errorf("%s %s has Content-Type %q", method, path, got)
	}
	if answer.Code != status || p.Status != status || p.Code != code {
		s.t.Errorf("%s %s gave %d: %s; want %d %s", method, path, answer.Code, answer.Body, status, code)
	}
	return p
}

func TestCredentialsAreRefusedInOneWay(t *testing.T) {
	s := newRESTServer(t, RESTConfig{})
	good := s.as("alice")
	expired, err := token.Mint("backend", restSecret, token.Claims{UID: "alice"}, time.Now().Add(-3*time.Hour), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := token.Mint("backend", strings.Repeat("x", 32), token.Claims{UID: "alice"}, time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, authorization := range []string{
		"", "Bearer", "Bearer x", "Basic YTpi", "Bearer " + expired, "Bearer " + foreign, good + "x",
		"ApiKey backend:wrong", "ApiKey nobody:" + restSecret, "ApiKey signer:" + restSecret, "ApiKey " + restSecret,
	} {
		s.refused(authorization, "GET", "/v1/calls", "", 401, codeUnauthorized)
		texts = append(texts, s.do(authorization, "GET", "/v1/calls", "").Body.String())
	}
	for _, text := range texts {
		if text != texts[0] {
			t.Errorf("one refusal is %s, another %s", texts[0], text)
		}
	}
	for _, secret := range []string{restSecret, expired, foreign, good[len("Bearer "):]} {
		if strings.Contains(s.log.String(), secret) {
			t.Error("a credential is in the log")
		}
	}
	s.must(good, "GET", "/v1/calls", "")
	if n := testutil.ToFloat64(s.requests.WithLabelValues("list-calls", "401")); n != 22 {
		t.Errorf("%v refusals were counted", n)
	}
	if n := testutil.ToFloat64(s.requests.WithLabelValues("list-calls", "200")); n != 1 {
		t.Errorf("%v good requests were counted", n)
	}
}

func TestRolesOfAPIKeys(t *testing.T) {
	s := newRESTServer(t, RESTConfig{})
	s.must(asReader, "GET", "/v1/users", "")
	s.must(asReader, "GET", "/v1/calls/s-1", "")
	for _, op := range [][3]string{
		{"PUT", "/v1/users/alice", `{}`}, {"DELETE", "/v1/users/alice", ""}, {"PUT", "/v1/groups/g", `{}`},
		{"POST", "/v1/tokens", `{"uid":"alice"}`}, {"PUT", "/v1/groups/g/members/alice", ""},
		{"POST", "/v1/calls", `{"uid":"alice","receiverId":"bob","receiverType":"user","type":"audio"}`},
		{"POST", "/v1/turn-credentials", `{"uid":"alice"}`},
	} {
		s.refused(asReader, op[0], op[1], op[2], 403, codeForbidden)
	}
	user := s.as("alice")
	for _, op := range [][3]string{
		{"GET", "/v1/users", ""}, {"PUT", "/v1/users/alice", `{}`}, {"PUT", "/v1/groups/g", `{}`}, {"POST", "/v1/tokens", `{"uid":"bob"}`},
		{"GET", "/v1/calls?uid=bob", ""}, {"POST", "/v1/calls/s-1/accept", `{"uid":"bob"}`},
	} {
		s.refused(user, op[0], op[1], op[2], 403, codeForbidden)
	}
}

func TestUsersGroupsAndMembers(t *testing.T) {
	s := newRESTServer(t, RESTConfig{})
	if code := s.must(asAdmin, "PUT", "/v1/users/alice", `{"name":"Alice"}`).Code; code != 201 {
		t.Errorf("a new user gives %d", code)
	}
	if code := s.must(asAdmin, "PUT", "/v1/users/alice", `{"name":"Alice B."}`).Code; code != 200 {
		t.Errorf("a known user gives %d", code)
	}
	s.must(asAdmin, "PUT", "/v1/users/bob", `{}`)
	s.refused(asAdmin, "PUT", "/v1/groups/g/members/alice", "", 404, wire.CodeGUIDNotFound)
	s.must(asAdmin, "PUT", "/v1/groups/g", `{"name":"Team"}`)
	s.must(asAdmin, "PUT", "/v1/groups/g/members/alice", "")
	s.must(asAdmin, "PUT", "/v1/groups/g/members/alice", "")
	s.must(asAdmin, "PUT", "/v1/groups/g/members/bob", "")
	if got := s.must(s.as("alice"), "GET", "/v1/groups/g/members", "").Body.String(); !strings.Contains(got, "Alice B.") {
		t.Errorf("members are %s", got)
	}
	s.refused(s.as("carol"), "GET", "/v1/groups/g", "", 404, wire.CodeGUIDNotFound)
	s.refused(s.as("carol"), "GET", "/v1/groups/nothing", "", 404, wire.CodeGUIDNotFound)

	s.must(asAdmin, "DELETE", "/v1/groups/g/members/bob", "")
	s.refused(asAdmin, "DELETE", "/v1/groups/g/members/bob", "", 404, wire.CodeUIDNotFound)
	alice := s.as("alice")
	s.must(asAdmin, "DELETE", "/v1/users/alice", "")
	s.refused(asAdmin, "DELETE", "/v1/users/alice", "", 404, wire.CodeUIDNotFound)
	s.refused(asAdmin, "GET", "/v1/users/alice", "", 404, wire.CodeUIDNotFound)
	s.refused(alice, "GET", "/v1/calls", "", 401, codeUnauthorized)
	s.must(asAdmin, "PUT", "/v1/users/alice", `{}`)
	s.must(alice, "GET", "/v1/calls", "")
	s.must(asAdmin, "PUT", "/v1/groups/g/members/alice", "")
	s.must(asAdmin, "DELETE", "/v1/groups/g", "")

	want := "added g alice|added g bob|removed g bob|removed g alice|deleted alice|added g alice|removed g alice"
	if got := strings.Join(s.calls.told, "|"); got != want {
		t.Errorf("the calls were told\n  %s\nwant\n  %s", got, want)
	}
}

func TestListsComeInPages(t *testing.T) {
	s := newRESTServer(t, RESTConfig{})
	for _, uid := range []string{"c", "a", "d", "b"} {
		s.must(asAdmin, "PUT", "/v1/users/"+uid, `{}`)
	}
	var got []string
	for after := ""; ; {
		var page UserPage
		answer := s.must(asReader, "GET", "/v1/users?limit=3&after="+after, "")
		if err := json.Unmarshal(answer.Body.Bytes(), &page); err != nil {
			t.Fatal(err)
		}
		for _, u := range page.Users {
			got = append(got, u.UID)
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if strings.Join(got, "") != "abcd" {
		t.Errorf("the users are %v", got)
	}
}

func TestBadBodies(t *testing.T) {
	s := newRESTServer(t, RESTConfig{BodyBytes: 1024})
	for _, row := range []struct {
		name, body, field string
		status            int
	}{
		{"unknown field", `{"receiverId":"bob","receiverType":"user","type":"audio","extra":1}`, "body.extra", 422},
		{"wrong type", `{"receiverId":7,"receiverType":"user","type":"audio"}`, "body.receiverId", 422},
		{"missing", `{"receiverType":"user","type":"audio"}`, "body", 422},
		{"bad enum", `{"receiverId":"bob","receiverType":"user","type":"fax"}`, "body.type", 422},
		{"bad uid", `{"receiverId":"b b","receiverType":"user","type":"audio"}`, "body.receiverId", 422},
		{"bad JSON", `{"receiverId":`, "body", 400},
		{"bad UTF-8", "{\"receiverId\":\"b\xff\",\"receiverType\":\"user\",\"type\":\"audio\"}", "body", 400},
		{"empty", ``, "", 400},
		{"too long", `{"receiverId":"` + strings.Repeat("b", 2000) + `"}`, "", 413},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := s.refused(s.as("alice"), "POST", "/v1/calls", row.body, row.status, wire.CodeBadRequest)
			if row.field != "" && p.Field != row.field {
				t.Errorf("the field is %q (%s), want %q", p.Field, p.Detail, row.field)
			}
		})
	}
	s.refused(s.as("alice"), "GET", "/v1/calls?colour=red", "", 422, wire.CodeBadRequest)
	s.refused(s.as("alice"), "GET", "/v1/nothing", "", 404, codeNotFound)
	if len(s.calls.asked) != 0 {
		t.Errorf("the calls were asked %v", s.calls.asked)
	}
}

func TestActingForAUser(t *testing.T) {
	s := newRESTServer(t, RESTConfig{})
	s.must(s.as("alice"), "POST", "/v1/calls/s-1/end", `{"mutationId":"m-1"}`)
	s.must(asAdmin, "POST", "/v1/calls/s-1/end", `{"uid":"bob","forAll":true,"mutationId":"m-2"}`)
	want := []any{
		"alice", "", wire.EndParams{SessionID: "s-1", MutationID: "m-1"},
		"bob", token.GrantModerate, wire.EndParams{SessionID: "s-1", ForAll: true, MutationID: "m-2"},
	}
	for i := range want {
		if i >= len(s.calls.asked) || s.calls.asked[i] != want[i] {
			t.Fatalf("the calls were asked %v, want %v", s.calls.asked, want)
		}
	}
	if p := s.refused(asAdmin, "POST", "/v1/calls/s-1/end", `{}`, 422, wire.CodeBadRequest); p.Field != "body.uid" {
		t.Errorf("the field is %q", p.Field)
	}
}

func TestIdempotencyKeyIsAMutationID(t *testing.T) {
	s := newRESTServer(t, RESTConfig{})
	req := httptest.NewRequestWithContext(t.Context(), "POST", "/v1/calls/s-1/cancel", strings.NewReader(`{}`))
	req.Header.Set("Authorization", s.as("alice"))
	req.Header.Set("Idempotency-Key", "attempt-7")
	s.Handler().ServeHTTP(httptest.NewRecorder(), req)
	if len(s.calls.asked) != 3 || s.calls.asked[2] != (wire.CancelParams{SessionID: "s-1", MutationID: "attempt-7"}) {
		t.Errorf("the calls were asked %v", s.calls.asked)
	}
}

func TestRefusalsOfCallsHaveAStatus(t *testing.T) {
	for code, status := range map[string]int{
		wire.CodeSessionNotFound: 404, wire.CodeTerminated: 409, wire.CodeNotAllowed: 403, wire.CodeBusySelf: 409,
		wire.CodeTooManyRings: 429, wire.CodeDraining: 503, wire.CodeCallingSelf: 422, wire.CodeInternal: 500,
	} {
		s := newRESTServer(t, RESTConfig{})
		s.calls.err = wire.Refuse(code, "No.").With("retryAfterMs", int64(1500))
		s.refused(s.as("alice"), "POST", "/v1/calls/s-1/accept", `{}`, status, code)
		if got := s.do(s.as("alice"), "POST", "/v1/calls/s-1/accept", `{}`).Header().Get("Retry-After"); got != "2" {
			t.Errorf("%s: Retry-After is %q", code, got)
		}
	}
}

func TestRatesAreLimitedByUserAndKey(t *testing.T) {
	s := newRESTServer(t, RESTConfig{Rate: 0.01, Burst: 3})
	for range 3 {
		s.must(s.as("alice"), "GET", "/v1/calls", "")
	}
	p := s.refused(s.as("alice"), "GET", "/v1/calls", "", 429, wire.CodeTooManyRequests)
	if p.Details["retryAfterMs"] == nil {
		t.Error("nothing says when to try again")
	}
	if s.do(s.as("alice"), "GET", "/v1/calls", "").Header().Get("Retry-After") == "" {
		t.Error("there is no Retry-After")
	}
	s.must(s.as("bob"), "GET", "/v1/calls", "") // same address, another user
	s.must(asAdmin, "GET", "/v1/calls", "")
	for range 3 {
		s.refused("Bearer x", "GET", "/v1/calls", "", 401, codeUnauthorized)
	}
	s.refused("Bearer x", "GET", "/v1/calls", "", 429, wire.CodeTooManyRequests)
}

func TestAPanicIsOneFailedRequest(t *testing.T) {
	s := newRESTServer(t, RESTConfig{})
	s.REST.deps.ICEServers = func(string, string) []ICEServer { panic("no servers") }
	s.refused(s.as("alice"), "POST", "/v1/turn-credentials", `{}`, 500, wire.CodeInternal)
	if !strings.Contains(s.log.String(), "no servers") {
		t.Error("the panic is not in the log")
	}
	s.must(s.as("alice"), "GET", "/v1/calls", "")
}

// What reads whole lists for a user has a rate of its own, and no more is read than is theirs.
func TestUsersReadListsAtARate(t *testing.T) {
	s := newRESTServer(t, RESTConfig{})
	for _, guid := range []string{"a", "b", "c", "d"} {
		s.must(asAdmin, "PUT", "/v1/groups/"+guid, `{"name":"Group"}`)
		if guid != "b" {
			s.must(asAdmin, "PUT", "/v1/groups/"+guid+"/members/alice", "")
		}
	}
	alice := s.as("alice")
	first := s.must(alice, "GET", "/v1/groups?limit=2", "").Body.String()
	if !strings.Contains(first, `"a"`) || !strings.Contains(first, `"c"`) || strings.Contains(first, `"b"`) || !strings.Contains(first, `"next":"c"`) {
		t.Errorf("the first page is %s", first)
	}
	if second := s.must(alice, "GET", "/v1/groups?limit=2&after=c", "").Body.String(); !strings.Contains(second, `"d"`) || strings.Contains(second, "next") {
		t.Errorf("the second page is %s", second)
	}
	for _, path := range []string{"/v1/groups", "/v1/groups/a/members"} {
		code := 0
		for range blockBurst + 10 {
			if code = s.do(alice, "GET", path, "").Code; code != 200 {
				break
			}
		}
		if code != 429 {
			t.Errorf("%s has no rate, but %d", path, code)
		}
	}
	s.must(asAdmin, "GET", "/v1/groups/a/members", "")
}

func TestAMethodThatAPathDoesNotTakeIsToldSo(t *testing.T) {
	s := newRESTServer(t, RESTConfig{})
	answer := s.do(asAdmin, "PATCH", "/v1/users/alice", "")
	if answer.Code != 405 || answer.Header().Get("Allow") != "GET, PUT, DELETE" || answer.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("that gives %d, %v: %s", answer.Code, answer.Header(), answer.Body)
	}
	s.refused(asAdmin, "GET", "/v1/nothing", "", 404, codeNotFound)
}
