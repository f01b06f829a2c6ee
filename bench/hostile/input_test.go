package hostile

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/parleyrtc/parley/bench/client"
)

// reply is an answer as it comes over the wire.
type reply struct {
	ID     json.RawMessage `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Data    struct {
			Code  string `json:"code"`
			Field string `json:"field"`
		} `json:"data"`
	} `json:"error"`
}

// answered is the next answer; events are passed over.
func (k *speaker) answered(t testing.TB) reply {
	t.Helper()
	for {
		text, err := k.receive()
		if err != nil {
			t.Fatal(err)
		}
		var r reply
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if r.Result != nil || r.Error != nil {
			return r
		}
	}
}

func (s *target) greeted(token string) *speaker {
	s.t.Helper()
	k, _ := s.say(wait(s.t), token)
	if k == nil {
		s.t.Fatal("no connection")
	}
	s.t.Cleanup(func() { _ = k.conn.Close() })
	if r := k.answered(s.t); r.Error != nil {
		s.t.Fatalf("hello: %+v", r.Error)
	}
	return k
}

func call(method, params string) string {
	return `{"jsonrpc":"2.0","id":1,"method":"` + method + `","params":` + params + `}`
}

// TestBadMessagesAreAnsweredAndAtLengthEndTheConnection is the first row of the table of bad input.
func TestBadMessagesAreAnsweredAndAtLengthEndTheConnection(t *testing.T) {
	s := start(t)
	token := s.token("mallory")
	k := s.greeted(token)
	long := strings.Repeat("x", 5000)
	cases := []struct {
		name, message string
		code          int
		field         string
	}{
		{"no JSON", `{`, -32700, ""},
		{"not UTF-8", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}", -32700, ""},
		{"deep JSON", call("ping", strings.Repeat(`{"lastSeq":`, 5_000)), -32600, "params"},
		{"a deep batch", strings.Repeat("[", 30_000), -32600, ""},
		{"deep params", call("call.initiate", `{"metadata":`+strings.Repeat(`{"a":`, 2000)+"1"+strings.Repeat("}", 2000)+`}`), 0, ""},
		{"a batch", `[]`, -32600, ""},
		{"no id", `{"jsonrpc":"2.0","method":"ping"}`, -32600, "id"},
		{"an id that is an object", `{"jsonrpc":"2.0","id":{},"method":"ping"}`, -32600, "id"},
		{"unknown method", call("call.fly", `{}`), -32601, "method"},
		{"unknown field", call("ping", `{"x":1}`), -32602, "x"},
		{"wrong type", call("call.get", `{"sessionId":7}`), -32602, "sessionId"},
		{"a field twice", call("call.get", `{"sessionId":"a","sessionId":"b"}`), 0, ""},
		{"a number too large", call("ping", `{"lastSeq":1e400}`), -32602, "lastSeq"},
		{"a negative number", call("ping", `{"lastSeq":-1}`), -32602, "lastSeq"},
		{"over-long metadata", call("call.initiate", `{"receiverId":"a","receiverType":"user","type":"audio","mutationId":"m","metadata":"`+long+`"}`), -32602, "metadata"},
		{"over-long id", call("call.get", `{"sessionId":"`+long+`"}`), -32602, "sessionId"},
		{"no mutationId", call("call.accept", `{"sessionId":"a"}`), -32602, "mutationId"},
	}
	for i, c := range cases {
		if err := k.send(c.message); err != nil {
			t.Fatalf("%s: the connection is closed: %v", c.name, err)
		}
		r := k.answered(t)
		if r.Error == nil || c.code != 0 && r.Error.Code != c.code || r.Error.Data.Field != c.field && c.code != 0 {
			t.Errorf("%s: %+v, want %d and field %q", c.name, r.Error, c.code, c.field)
		}
		if i >= 20 {
			t.Fatal("too many cases for one connection")
		}
	}
	for range 20 {
		_ = k.send(`{`) // at the twentieth in all the server closes
	}
	if got := k.end(); got != 4400 {
		t.Errorf("repeated abuse ends with %d", got)
	}
}

// mutate changes a valid text a little: bytes, pieces, repetition.
func mutate(rng *rand.Rand, text string) string {
	b := []byte(text)
	for range 1 + rng.IntN(4) {
		if len(b) == 0 {
			return ""
		}
		at := rng.IntN(len(b))
		switch rng.IntN(7) {
		case 0:
			b[at] = byte(rng.Uint32())
		case 1:
			b = append(b[:at:at], b[min(len(b), at+1+rng.IntN(20)):]...)
		case 2:
			b = append(b[:at:at], append([]byte(`"`), b[at:]...)...)
		case 3:
			end := min(len(b), at+1+rng.IntN(40))
			b = append(b[:end:end], b[at:]...) // say a piece twice
		case 4:
			b = append(b[:at:at], append([]byte([]string{"null", "-1", "1e99", "{}", "[]", "true", `\u0000`, "\x00", "999999999999999999999", "\r\n"}[rng.IntN(10)]), b[at:]...)...)
		case 5:
			other := rng.IntN(len(b))
			b[at], b[other] = b[other], b[at]
		case 6:
			b = b[:at]
		}
	}
	return string(b)
}

// TestFiveThousandMutatedMessagesAreAllAnswered changes valid messages at random, with a seed: each gets one answer.
func TestFiveThousandMutatedMessagesAreAllAnswered(t *testing.T) {
	s := start(t, "PARLEY_SIGNALING_MAX_MALFORMED=1000000", "PARLEY_SIGNALING_REQUEST_RATE=1000000", "PARLEY_SIGNALING_REQUEST_BURST=1000000",
		"PARLEY_SIGNALING_USER_RATE=1000000", "PARLEY_SIGNALING_USER_BURST=1000000")
	c := s.converse("alice", "bob")
	k := s.greeted(s.token("mallory"))
	valid := []string{
		call("ping", `{"lastSeq":1}`),
		call("call.active", `{}`),
		call("call.get", `{"sessionId":"`+c.id+`"}`),
		call("call.initiate", `{"receiverId":"trent","receiverType":"user","type":"video","timeoutSeconds":30,"metadata":{"a":[1,2,{"b":null}]},"mutationId":"m"}`),
		call("call.accept", `{"sessionId":"`+c.id+`","takeover":true,"mutationId":"n"}`),
		call("call.reject", `{"sessionId":"`+c.id+`","status":"busy","mutationId":"o"}`),
		call("call.end", `{"sessionId":"`+c.id+`","forAll":true,"mutationId":"p"}`),
		call("session.join", `{"sessionId":"`+c.id+`","takeover":true,"mutationId":"q"}`),
		call("session.offer", `{"sessionId":"`+c.id+`","sdp":"v=0","publications":[{"mid":"0","source":"camera","muted":false}],"slots":[{"pair":0,"audioMid":"1","videoMid":"2"}]}`),
		call("session.mute", `{"sessionId":"`+c.id+`","publicationId":"p_x.0","muted":true}`),
		call("session.wish", `{"sessionId":"`+c.id+`","slots":[{"pair":0,"width":640,"height":360,"frameRate":15.5,"pinned":true}]}`),
		call("session.stats", `{"sessionId":"`+c.id+`","slots":[{"pair":0,"concealed":0.01,"jitterBufferMs":40,"frozen":0,"width":640,"height":360}]}`),
		call("connection.testOffer", `{"testId":"t_x","leg":"udp","sdp":"v=0","publications":[],"slots":[{"pair":0,"audioMid":"1","videoMid":"2"}]}`),
		call("session.leave", `{"sessionId":"`+c.id+`","mutationId":"r"}`),
	}
	rng := rand.New(rand.NewPCG(20, 1))
	counts := map[int]int{}
	for i := range 5000 {
		message := mutate(rng, valid[i%len(valid)])
		if err := k.send(message); err != nil {
			t.Fatalf("message %d, %q: %v", i, message, err)
		}
		r := k.answered(t)
		if r.Error == nil {
			counts[0]++
			continue
		}
		counts[r.Error.Code]++
		if r.Error.Code == -32603 {
			t.Errorf("message %d, %q: %s", i, message, r.Error.Message)
		}
	}
	t.Logf("answers by JSON-RPC code, 0 for a result: %v", counts)
	c.undisturbed("mutated messages", tolerable)
}

// sdpBombs are offers that no client makes; every one of them is refused without harm to the session.
func sdpBombs(good string) map[string]string {
	line := func(n int, text string) string { return strings.Repeat(text+"\r\n", n) }
	media := good[strings.Index(good, "m="):]
	return map[string]string{
		"nothing":              "",
		"no m-line":            good[:strings.Index(good, "m=")],
		"rubbish":              strings.Repeat("\x01\xff", 1000),
		"a NUL":                strings.Replace(good, "a=mid:0", "a=mid:\x000", 1),
		"a thousand m-lines":   good + strings.Repeat("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:x\r\n", 1000),
		"the same mid twice":   good + media,
		"no ICE":               strings.ReplaceAll(strings.ReplaceAll(good, "a=ice-ufrag", "a=x"), "a=ice-pwd", "a=x"),
		"no fingerprint":       strings.ReplaceAll(good, "a=fingerprint", "a=x"),
		"two fingerprints":     strings.Replace(good, "m=", "a=fingerprint:sha-1 AA\r\nm=", 1) + "a=fingerprint:sha-512 BB\r\n",
		"passive":              strings.ReplaceAll(good, "a=setup:actpass", "a=setup:passive"),
		"ten thousand lines":   good + line(10_000, "a=x:y"),
		"a huge ssrc-group":    good + "a=ssrc-group:FID" + strings.Repeat(" 1", 20_000) + "\r\n",
		"many ssrc lines":      good + line(10_000, "a=ssrc:1 cname:x"),
		"many extensions":      good + line(10_000, "a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid"),
		"many payload types":   strings.Replace(good, "SAVPF 111", "SAVPF"+strings.Repeat(" 111", 20_000), 1),
		"a very long line":     good + "a=" + strings.Repeat("z", 300_000) + "\r\n",
		"a mid of a kilobyte":  strings.ReplaceAll(good, "a=mid:0", "a=mid:"+strings.Repeat("0", 1024)),
		"an unknown kind":      strings.Replace(good, "m=audio", "m=text", 1),
		"numbers out of range": strings.Replace(strings.Replace(good, "m=audio 9", "m=audio 99999999999999999999", 1), "111", "-111", -1),
		"a fragment":           "a=ice-ufrag:abcd\r\na=ice-pwd:0123456789012345678901\r\n",
		"a third of it":        good[:len(good)/3],
		"bare line feeds":      strings.ReplaceAll(good, "\r\n", "\n"),
	}
}

func TestSDPBombsAreAnErrorOfThatRequestOnly(t *testing.T) {
	s := start(t, "PARLEY_SIGNALING_OFFER_RATE=1000", "PARLEY_SIGNALING_OFFER_BURST=1000")
	c := s.converse("alice", "bob")
	mallory, id := s.den(t)
	in, refused := intrude(t, mallory, id, nil)
	if refused != "" {
		t.Fatal(refused)
	}
	before := s.memory()
	for name, sdp := range sdpBombs(in.offer) {
		got := ask(t, mallory, "session.offer", roles(map[string]any{"sessionId": in.id, "sdp": sdp}))
		t.Logf("%s, %d bytes: %q", name, len(sdp), got)
		if got == "ERR_INTERNAL" {
			t.Errorf("%s is answered with %s", name, got)
		}
		if got == "ERR_SESSION_NOT_JOINED" { // an offer that failed half-way ended the session: in again
			in, _ = intrude(t, mallory, in.id, nil)
		}
	}
	c.undisturbed("SDP bombs", tolerable)
	s.grewBy("SDP bombs", before, 96)
}

// den is a group call of mallory's that another member keeps going when a session of hers ends.
func (s *target) den(t testing.TB) (mallory *client.Client, id string) {
	t.Helper()
	mallory = s.dial("mallory")
	token := s.token("mallory")
	trent := s.talker("trent")
	for _, path := range []string{"", "/members/mallory", "/members/trent"} {
		var body any
		if path == "" {
			body = map[string]string{"name": "Den"}
		}
		if err := s.REST(token, "PUT", "/v1/groups/den"+path, body, nil); err != nil {
			t.Fatal(err)
		}
	}
	group, err := mallory.Initiate(wait(t), "den", "group", "audio")
	if err != nil {
		t.Fatal(err)
	}
	answer(t, trent.Client, group.SessionID)
	trent.join(t, group.SessionID)
	return mallory, group.SessionID
}

// TestFiveThousandMutatedOffersHarmNobody changes a valid offer at random, with a seed.
func TestFiveThousandMutatedOffersHarmNobody(t *testing.T) {
	s := start(t, "PARLEY_SIGNALING_MAX_MALFORMED=1000000", "PARLEY_SIGNALING_OFFER_RATE=100000", "PARLEY_SIGNALING_OFFER_BURST=100000",
		"PARLEY_SIGNALING_REQUEST_RATE=1000000", "PARLEY_SIGNALING_REQUEST_BURST=1000000",
		"PARLEY_SIGNALING_USER_RATE=1000000", "PARLEY_SIGNALING_USER_BURST=1000000")
	c := s.converse("alice", "bob")
	mallory, id := s.den(t)
	in, refused := intrude(t, mallory, id, nil)
	if refused != "" {
		t.Fatal(refused)
	}
	before := s.memory()
	rng := rand.New(rand.NewPCG(18, 1))
	counts, rejoined := map[string]int{}, 0
	lines := strings.SplitAfter(in.offer, "\r\n")
	for i := range 5000 {
		if i%50 == 49 { // most offers after a good one are bad for being no continuation of it
			_ = ask(t, mallory, "session.leave", mutation(map[string]any{"sessionId": in.id}))
			if refused := ask(t, mallory, "session.join", mutation(map[string]any{"sessionId": in.id})); refused != "" {
				t.Fatalf("mallory cannot join again: %s", refused)
			}
		}
		sdp := in.offer
		switch rng.IntN(3) {
		case 0:
			sdp = mutate(rng, sdp)
		case 1: // leave out lines
			at := rng.IntN(len(lines))
			sdp = strings.Join(lines[:at], "") + strings.Join(lines[min(len(lines), at+1+rng.IntN(3)):], "")
		case 2: // lines in another order, or twice
			shuffled := append([]string{}, lines...)
			for range 1 + rng.IntN(3) {
				shuffled[rng.IntN(len(lines))] = lines[rng.IntN(len(lines))]
			}
			sdp = strings.Join(shuffled, "")
		}
		got := ask(t, mallory, "session.offer", roles(map[string]any{"sessionId": in.id, "sdp": strings.ToValidUTF8(sdp, "?")}))
		counts[got]++
		if got == "ERR_SESSION_NOT_JOINED" {
			if refused := ask(t, mallory, "session.join", mutation(map[string]any{"sessionId": in.id})); refused != "" {
				t.Fatalf("mallory cannot join again: %s", refused)
			}
			rejoined++
		}
		for len(mallory.Events()) > 0 {
			<-mallory.Events()
		}
	}
	t.Logf("answers: %v; %d offers ended the session of who made them", counts, rejoined)
	if n := counts["ERR_INTERNAL"]; n != 0 {
		t.Errorf("%d offers are answered as if the fault were ours", n)
	}
	c.undisturbed("mutated offers", tolerable)
	s.grewBy("mutated offers", before, 192)
}

// TestUidsAndGroupsWithPatternsAreRefusedOrHarmless has names that mean something to the store, to paths, to formats and to
// terminals.
func TestUidsAndGroupsWithPatternsAreRefusedOrHarmless(t *testing.T) {
	s := start(t, "PARLEY_SIGNALING_MAX_MALFORMED=1000")
	victim := s.dial("a.b")
	mallory := s.dial("mallory")
	token := s.token("mallory")
	for _, name := range []string{"*", ">", "a.*", "a.>", "$SYS", "a b", "a/b", "../alice", "a%2Fb", "a\r\nb", "a\x00b", "a\x1b[31m", "ä", "%n%s", strings.Repeat("a", 129)} {
		if _, err := s.Token(name); err == nil {
			t.Errorf("uid %q may sign in", name)
		}
		if _, err := mallory.Initiate(wait(t), name, "user", "audio"); code(t, err) != "ERR_BAD_REQUEST" {
			t.Errorf("ringing %q gives %v", name, err)
		}
		if _, err := mallory.Initiate(wait(t), name, "group", "audio"); code(t, err) != "ERR_BAD_REQUEST" {
			t.Errorf("ringing group %q gives %v", name, err)
		}
	}
	for _, path := range []string{"*", "%3E", "a.*", "%2e%2e%2fusers", "a%00b", "a%0d%0ab", "%25n%25s", "$SYS"} {
		if err := s.REST(token, "PUT", "/v1/groups/"+path, map[string]string{"name": "x"}, nil); err == nil {
			t.Errorf("group %q can be made", path)
		}
	}
	// Dots are allowed in uids; a user whose uid is the start of another's is somebody else.
	if err := s.REST(token, "PUT", "/v1/groups/team", map[string]string{"name": "%n%s \u202e $(reboot)"}, nil); err != nil {
		t.Errorf("a group's name may be any text: %v", err)
	}
	if _, err := mallory.Initiate(wait(t), "a", "user", "audio"); err != nil {
		t.Fatal(err)
	}
	if ask(t, victim, "ping", map[string]any{}) != "" || len(victim.Events()) > 0 {
		t.Error("a.b hears of a call to a")
	}
	var login struct {
		Token string `json:"token"`
	}
	for _, name := range []string{"line\nbreak", "\x1b[2J", "\x00"} {
		body := map[string]string{"uid": "mallory", "authKey": "devkey", "name": name}
		if err := s.REST("", "POST", "/v1/auth/login", body, &login); err == nil {
			c, err := client.Dial(wait(t), client.Config{URL: s.Socket(), Token: login.Token})
			if err == nil {
				c.Close()
			}
		}
	}
	for i, line := range strings.Split(s.Output(), "\n") {
		if strings.ContainsAny(line, "\x00\x1b\r") {
			t.Errorf("line %d of the log has control characters: %q", i, line)
		}
	}
	if fmt.Sprint(strings.Contains(s.Output(), "%!")) == "true" {
		t.Error("a name was taken for a format")
	}
}
