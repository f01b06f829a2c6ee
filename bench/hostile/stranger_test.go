package hostile

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/parleyrtc/parley/bench/client"
)

const devSecret = "parley-development-secret-never-deploy"

// jwt signs a token with a header and claims of our own.
func jwt(header, claims map[string]any, secret string) string {
	text := func(v any) string {
		b, _ := json.Marshal(v) // maps of plain values
		return base64.RawURLEncoding.EncodeToString(b)
	}
	body := text(header) + "." + text(claims)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return body + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// badTokens are tokens in alice's name that must not open anything.
func badTokens(good string) map[string]string {
	now := time.Now().Unix()
	claims := func(change map[string]any) map[string]any {
		c := map[string]any{"iss": "devkey", "sub": "alice", "aud": "parley", "iat": now, "exp": now + 3600}
		for k, v := range change {
			if v == nil {
				delete(c, k)
			} else {
				c[k] = v
			}
		}
		return c
	}
	header := func(change map[string]any) map[string]any {
		h := map[string]any{"alg": "HS256", "typ": "JWT"}
		for k, v := range change {
			h[k] = v
		}
		return h
	}
	hs := header(nil)
	parts := strings.Split(good, ".")
	none := strings.TrimSuffix(jwt(header(map[string]any{"alg": "none"}), claims(nil), ""), "")
	return map[string]string{
		"nothing":               "x",
		"rubbish":               "a.b.c",
		"a foreign secret":      jwt(hs, claims(nil), strings.Repeat("other", 8)),
		"alg none":              none[:strings.LastIndex(none, ".")+1],
		"alg none, signed":      none,
		"alg None":              jwt(header(map[string]any{"alg": "None"}), claims(nil), devSecret),
		"alg HS512":             jwt(header(map[string]any{"alg": "HS512"}), claims(nil), devSecret),
		"alg RS256":             jwt(header(map[string]any{"alg": "RS256"}), claims(nil), devSecret),
		"expired":               jwt(hs, claims(map[string]any{"exp": now - 3600}), devSecret),
		"not yet valid":         jwt(hs, claims(map[string]any{"nbf": now + 3600}), devSecret),
		"issued in the future":  jwt(hs, claims(map[string]any{"iat": now + 3600}), devSecret),
		"no expiry":             jwt(hs, claims(map[string]any{"exp": nil}), devSecret),
		"another audience":      jwt(hs, claims(map[string]any{"aud": "other"}), devSecret),
		"no audience":           jwt(hs, claims(map[string]any{"aud": nil}), devSecret),
		"another issuer":        jwt(hs, claims(map[string]any{"iss": "other"}), devSecret),
		"an issuer as a path":   jwt(hs, claims(map[string]any{"iss": "../devkey"}), devSecret),
		"no subject":            jwt(hs, claims(map[string]any{"sub": nil}), devSecret),
		"a wildcard as subject": jwt(hs, claims(map[string]any{"sub": "*"}), devSecret),
		"crit":                  jwt(header(map[string]any{"crit": []string{"x"}, "x": 1}), claims(nil), devSecret),
		"changed claims":        parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"sub":"alice"}`)) + "." + parts[2],
		"no signature":          parts[0] + "." + parts[1] + ".",
		"dots":                  strings.Repeat(".", 12_000),
	}
}

// TestBadTokensAllGetTheSameAnswer is the second row of the table of bad input, on both doors.
func TestBadTokensAllGetTheSameAnswer(t *testing.T) {
	s := start(t)
	alice := s.dial("alice")
	good := s.token("alice")
	body := ""
	for name, token := range badTokens(good) {
		if len(token) < 8000 {
			s.guard("the bad token: "+name, token)
		}
		status, text := s.get(t, "/v1/calls", "Bearer "+token)
		if status != http.StatusUnauthorized {
			t.Errorf("REST, %s: %d %s", name, status, text)
		}
		if body == "" {
			body = text
		} else if text != body {
			t.Errorf("REST, %s: %s instead of %s", name, text, body)
		}
		k, _ := s.say(wait(t), token)
		if got := k.end(); got != 4401 {
			t.Errorf("WebSocket, %s: closed with %d", name, got)
		}
		if got := ask(t, alice, "token.renew", map[string]any{"token": token}); got != "ERR_BAD_REQUEST" {
			t.Errorf("token.renew, %s: %q", name, got)
		}
	}
	bob := s.token("bob")
	if got := ask(t, alice, "token.renew", map[string]any{"token": bob}); got != "ERR_BAD_REQUEST" {
		t.Errorf("alice may renew with bob's token: %q", got)
	}
	for name, header := range map[string]map[string]any{
		"jku": {"jku": "http://127.0.0.1:1/keys"}, "x5u": {"x5u": "http://127.0.0.1:1/keys"},
		"jwk": {"jwk": map[string]any{"kty": "oct", "k": "eA"}}, "kid as SQL": {"kid": "' OR 1=1 --"},
	} {
		header["alg"], header["typ"] = "HS256", "JWT"
		// A key that the token brings along is not looked at: it is refused for its signature.
		token := jwt(header, map[string]any{"iss": "devkey", "sub": "alice", "aud": "parley", "exp": time.Now().Unix() + 60}, "x")
		if status, _ := s.get(t, "/v1/calls", "Bearer "+token); status != http.StatusUnauthorized {
			t.Errorf("%s: %d", name, status)
		}
	}
	if ask(t, alice, "ping", map[string]any{}) != "" {
		t.Error("bad tokens in alice's name closed her connection")
	}
}

// get asks REST and returns status and body.
func (s *target) get(t testing.TB, path, authorization string) (int, string) {
	t.Helper()
	req, err := http.NewRequest("GET", s.Base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if authorization != "" {
		req.Header.Set("Authorization", authorization)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// TestAStrangerCannotTellARealSessionFromAMadeUpOne acts on a call of others in every way there is.
func TestAStrangerCannotTellARealSessionFromAMadeUpOne(t *testing.T) {
	s := start(t)
	c := s.converse("alice", "bob")
	mallory := s.dial("mallory")
	token := s.token("mallory")
	made := "AAAAAAAAAAAAAAAAAAAAAA"
	publication := "p_x.0"
	text := func(err error) string {
		refusal, ok := asRefusal(err)
		if !ok {
			return fmt.Sprint(err)
		}
		return fmt.Sprintf("%d %s %s %q %s", refusal.RPCCode, refusal.Code, refusal.Message, refusal.Field, refusal.Details)
	}
	for method, params := range map[string]map[string]any{
		"call.get": {}, "call.accept": {"mutationId": ""}, "call.reject": {"mutationId": "", "status": "rejected"}, "call.cancel": {"mutationId": ""},
		"call.end": {"mutationId": "", "forAll": true}, "session.join": {"mutationId": "", "takeover": true}, "session.leave": {"mutationId": ""},
		"session.mute": {"publicationId": publication, "muted": true}, "session.iceServers": {},
		"session.wish": {"slots": []any{}}, "session.stats": {"slots": []any{}}, "session.offer": roles(map[string]any{"sdp": c.a.PC.LocalDescription().SDP}),
	} {
		var answers [2]string
		for i, id := range []string{c.id, made} {
			params["sessionId"] = id
			if _, ok := params["mutationId"]; ok {
				params["mutationId"] = client.NewMutationID()
			}
			answers[i] = text(mallory.Request(wait(t), method, params, nil))
		}
		if answers[0] != answers[1] || !strings.Contains(answers[0], "ERR_CALL_SESSION_NOT_FOUND") {
			t.Errorf("%s: a real session gives %s, a made-up one %s", method, answers[0], answers[1])
		}
	}
	one, two := "", ""
	for i, id := range []string{c.id, made} {
		status, body := s.get(t, "/v1/calls/"+id, "Bearer "+token)
		body = strings.ReplaceAll(body, id, "ID")
		*[]*string{&one, &two}[i] = fmt.Sprint(status, body)
	}
	if one != two || !strings.HasPrefix(one, "404") {
		t.Errorf("REST: a real session gives %s, a made-up one %s", one, two)
	}
	c.undisturbed("a stranger's attempts", tolerable)
	if n := len(c.alice.Events()); n > 20 {
		t.Errorf("alice got %d events", n)
	}
}

// TestAParticipantCannotActForAnother has the other member of a call, who may do much, try what is alice's alone.
func TestAParticipantCannotActForAnother(t *testing.T) {
	s := start(t)
	c := s.converse("alice", "bob")
	hers := c.a.ParticipantID + ".0"
	if got := ask(t, c.bob.Client, "session.mute", map[string]any{"sessionId": c.id, "publicationId": hers, "muted": true}); got != "ERR_PUBLICATION_NOT_FOUND" {
		t.Errorf("bob mutes alice: %q", got)
	}
	// Somebody who presents alice's connection and device gets new ones of their own.
	thief := s.dialWith(client.Config{Token: s.token("mallory"), DeviceID: c.alice.Hello.DeviceID,
		Resume: client.Resume{ConnectionID: c.alice.Hello.ConnectionID, LastSeq: 0}})
	if thief.Hello.Resumed || len(thief.Hello.Snapshot.Calls) > 0 {
		t.Errorf("mallory resumes alice's connection: %+v", thief.Hello)
	}
	if got := ask(t, thief, "session.leave", mutation(map[string]any{"sessionId": c.id})); got != "ERR_CALL_SESSION_NOT_FOUND" {
		t.Errorf("mallory leaves on alice's device: %q", got)
	}
	if ask(t, c.alice.Client, "ping", map[string]any{}) != "" {
		t.Error("alice's connection is gone")
	}
	c.undisturbed("acting for others", tolerable)
}

// TestNoScriptGetsMediaBeforeTheAcceptance plays orders of requests by caller, called and a stranger, with a seed: whatever
// they try, no packet is forwarded before the called user has accepted, and after it media flows.
func TestNoScriptGetsMediaBeforeTheAcceptance(t *testing.T) {
	s := start(t, "PARLEY_CALLS_RINGS_PER_MINUTE=1000", "PARLEY_SIGNALING_OFFER_RATE=1000", "PARLEY_SIGNALING_OFFER_BURST=1000")
	caller, called, stranger := s.talker("alice"), s.talker("bob"), s.dial("mallory")
	rng := rand.New(rand.NewPCG(26, 1))
	forwarded := `parley_rtp_packets_total{dir="out",kind="audio"}`
	for round := range 12 {
		id := ring(t, caller.Client, "bob")
		expect(t, called.Client, "call.incoming")
		early := caller.join(t, id)
		<-early.Connected()
		before := s.metric(forwarded)
		sdp := early.PC.LocalDescription().SDP
		actors := []*client.Client{caller.Client, called.Client, stranger}
		moves := []func(c *client.Client) (string, map[string]any){
			func(*client.Client) (string, map[string]any) { return "session.join", mutation(map[string]any{}) },
			func(*client.Client) (string, map[string]any) {
				return "session.offer", roles(map[string]any{"sdp": sdp})
			},
			func(c *client.Client) (string, map[string]any) {
				if c == called.Client {
					return "call.get", map[string]any{} // his acceptance is what must not happen yet
				}
				return "call.accept", mutation(map[string]any{})
			},
			func(c *client.Client) (string, map[string]any) {
				if c == called.Client {
					return "session.iceServers", map[string]any{}
				}
				return "call.accept", mutation(map[string]any{"takeover": true})
			},
			func(*client.Client) (string, map[string]any) {
				return "session.mute", map[string]any{"publicationId": early.ParticipantID + ".0", "muted": false}
			},
			func(c *client.Client) (string, map[string]any) {
				if c == stranger {
					return "session.leave", mutation(map[string]any{})
				}
				return "session.iceServers", map[string]any{}
			},
		}
		for range 12 {
			c := actors[rng.IntN(len(actors))]
			method, params := moves[rng.IntN(len(moves))](c)
			if c == caller.Client && (method == "session.offer" || method == "session.join") {
				continue // her own session is negotiated
			}
			params["sessionId"] = id
			_ = ask(t, c, method, params)
		}
		if out := s.metric(forwarded); out != before {
			t.Fatalf("round %d: %v packets were forwarded before the acceptance", round, out-before)
		}
		answer(t, called.Client, id)
		late := called.join(t, id)
		called.hears(t, "alice", 3)
		late.Close()
		early.Close()
		if _, err := caller.End(wait(t), id); err != nil {
			t.Fatal(err)
		}
		for _, c := range actors {
			for len(c.Events()) > 0 {
				<-c.Events()
			}
		}
	}
}

// TestNothingSecretIsInTheLogOfABusyRun has everything that carries a secret go by, well-formed and not.
func TestNothingSecretIsInTheLogOfABusyRun(t *testing.T) {
	for _, level := range []string{"info", "debug"} {
		t.Run(level, func(t *testing.T) { busyRun(t, level) })
	}
}

func busyRun(t *testing.T, level string) {
	s := start(t, "PARLEY_LOG_LEVEL="+level)
	token := s.token("mallory")
	c := s.converse("alice", "bob")
	for name, sdp := range map[string]string{"alice's offer": c.a.PC.LocalDescription().SDP, "the answer to alice": c.a.PC.RemoteDescription().SDP} {
		_, password := credentials(sdp)
		s.hush("the ICE password of "+name, password)
	}
	var ice struct {
		ICEServers []struct {
			Username   string `json:"username"`
			Credential string `json:"credential"`
		} `json:"iceServers"`
	}
	if err := c.alice.Request(wait(t), "session.iceServers", map[string]any{"sessionId": c.id}, &ice); err != nil {
		t.Fatal(err)
	}
	for i, server := range ice.ICEServers {
		if server.Credential != "" {
			s.hush(fmt.Sprintf("TURN credential %d", i), server.Credential)
		}
	}
	good := token
	for name, bad := range badTokens(good) {
		if len(bad) < 8000 {
			s.guard(name, bad)
		}
		s.get(t, "/v1/calls", "Bearer "+bad)
		s.get(t, "/v1/calls?token="+bad[:min(len(bad), 2000)], "")
		k, _ := s.say(wait(t), bad)
		k.end()
	}
	k := s.greeted(token)
	for _, message := range []string{
		`{"token":"` + token, call("token.renew", `{"token":"`+token+`","x":1}`), call("token.renew", `{"token":{"a":"`+token+`"}}`),
		call(token[len(token)-40:], `{}`), call("session.offer", `{"sessionId":"`+c.id+`","sdp":"a=ice-pwd:`+token+`","publications":[],"slots":[]}`),
	} {
		if err := k.send(message); err != nil {
			t.Fatal(err)
		}
		if r := k.answered(t); r.Error == nil || strings.Contains(r.Error.Message+r.Error.Data.Field, token[len(token)-40:]) {
			t.Errorf("the answer to a bad message repeats the token, or is none: %+v", r.Error)
		}
	}
	resp, err := http.Post(s.Base+"/v1/auth/login", "application/json", bytes.NewBufferString(`{"uid":"x","authKey":"`+token+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if bytes.Contains(text, []byte(token)) {
		t.Errorf("the refusal repeats the key: %s", text)
	}
	if _, err := c.alice.End(wait(t), c.id); err != nil {
		t.Fatal(err)
	}
	if got := strings.Contains(s.Output(), "hello refused"); got != (level == "debug") {
		t.Errorf("the log is not at level %s", level)
	}
	t.Logf("the log has %d bytes", len(s.Output()))
}
