package signaling

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestOpenLogin(t *testing.T) {
	closed := newRESTServer(t, RESTConfig{})
	closed.refused("", "POST", "/v1/auth/login", `{"uid":"alice","authKey":"devkey"}`, 404, codeNotFound)
	if got := closed.must("", "GET", "/v1/config", "").Body.String(); strings.Contains(got, "devkey") {
		t.Errorf("a closed server says %s", got)
	}

	open := newRESTServer(t, RESTConfig{OpenLogin: true})
	open.refused("", "POST", "/v1/auth/login", `{"uid":"alice","authKey":"wrong"}`, 401, codeUnauthorized)
	var answer TokenAnswer
	text := open.must("", "POST", "/v1/auth/login", `{"uid":"alice","authKey":"devkey","name":"Alice"}`).Body.Bytes()
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatal(err)
	}
	alice := "Bearer " + answer.Token
	open.must(alice, "PUT", "/v1/groups/team", `{"name":"Team"}`)
	open.must(alice, "PUT", "/v1/groups/team/members/bob", "")
	if got := open.must(alice, "GET", "/v1/groups/team/members", "").Body.String(); !strings.Contains(got, "Alice") || !strings.Contains(got, "bob") {
		t.Errorf("members are %s", got)
	}
	open.must(alice, "GET", "/v1/users", "")
	open.refused(alice, "DELETE", "/v1/users/bob", "", 403, codeForbidden)
}
