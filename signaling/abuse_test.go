package signaling

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/parleyrtc/parley/signaling/token"
	"github.com/parleyrtc/parley/signaling/wire"
)

func TestEveryBadHelloGetsTheSameClose(t *testing.T) {
	n := serve(t, quick())
	foreign, err := token.Mint(testKey, strings.Repeat("other", 8), token.Claims{UID: "alice"}, time.Now(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	old, err := token.Mint(testKey, testSecret, token.Claims{UID: "alice"}, time.Now().Add(-2*time.Hour), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	live := n.open("alice")
	say := func(params string) string {
		return `{"jsonrpc":"2.0","id":1,"method":"hello","params":` + params + `}`
	}
	for name, message := range map[string]string{
		"no JSON":           `hello`,
		"a batch":           `[]`,
		"another method":    `{"jsonrpc":"2.0","id":1,"method":"ping"}`,
		"unknown method":    `{"jsonrpc":"2.0","id":1,"method":"login"}`,
		"no token":          say(`{"protocol":"1.0"}`),
		"an empty token":    say(`{"token":"","protocol":"1.0"}`),
		"rubbish as token":  say(`{"token":"a.b.c","protocol":"1.0"}`),
		"a foreign secret":  say(`{"token":"` + foreign + `","protocol":"1.0"}`),
		"an expired token":  say(`{"token":"` + old + `","protocol":"1.0"}`),
		"an unknown field":  say(`{"token":"` + mint(t, "alice", time.Hour) + `","protocol":"1.0","x":1}`),
		"a bad device id":   say(`{"token":"` + mint(t, "alice", time.Hour) + `","protocol":"1.0","deviceId":"a b"}`),
		"not UTF-8":         say("{\"token\":\"\xff\",\"protocol\":\"1.0\"}"),
		"no protocol":       say(`{"token":"` + mint(t, "alice", time.Hour) + `"}`),
		"a bad algorithm":   say(`{"token":"eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.","protocol":"1.0"}`),
		"a token of dots":   say(`{"token":"` + strings.Repeat(".", 20_000) + `","protocol":"1.0"}`),
		"nothing but space": ` `,
	} {
		t.Run(name, func(t *testing.T) {
			c := n.bare(nil)
			c.write([]byte(message))
			c.expectClose(wire.CloseUnauthorized)
		})
	}
	live.quiet() // somebody's bad token never disturbs the user it names
	c := n.bare(nil)
	c.write([]byte(say(`{"token":"x","protocol":"2.0","news":true}`)))
	c.expectClose(wire.CloseUnsupported)
	c = n.bare(nil)
	if err := c.conn.WriteMessage(websocket.BinaryMessage, []byte(say(`{}`))); err != nil {
		t.Fatal(err)
	}
	c.expectClose(wire.CloseUnauthorized)
}

func TestSilenceIsNotWaitedForForEver(t *testing.T) {
	config := quick()
	config.HelloTimeout, config.IdleTimeout = 200*time.Millisecond, 400*time.Millisecond
	n := serve(t, config)
	n.bare(nil).expectClose(wire.CloseHelloTimeout)
	alice := n.open("alice")
	for range 5 {
		time.Sleep(config.IdleTimeout / 4)
		alice.do("ping", nil)
	}
	alice.expectClose(wire.CloseIdle)
}

func TestAStrangerWhoSaysNothingLeavesRoomForOthers(t *testing.T) {
	config := quick()
	config.MaxPending = 3
	n := serve(t, config)
	alice := n.open("alice") // has said hello and does not count
	silent := []*websocket.Conn{n.dial(), n.dial(), n.dial()}
	_, answer, err := websocket.DefaultDialer.Dial(n.url(), nil)
	if err == nil || answer.StatusCode != http.StatusTooManyRequests || answer.Header.Get("Retry-After") == "" {
		t.Fatalf("a fourth silent connection of one address: %v, %+v", err, answer)
	}
	if got := n.reserve("192.0.2.1"); got != http.StatusOK {
		t.Errorf("another address gets %d", got)
	}
	if got := alice.do("ping", nil); got.code() != "" {
		t.Errorf("who is connected gets %s", got.code())
	}
	_ = silent[0].Close()
	for deadline := time.Now().Add(5 * time.Second); n.reserve("127.0.0.1") != http.StatusOK; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the place of the one who went is not free")
		}
	}
}

func TestAnUpgradeThatNeverCompletesIsClosed(t *testing.T) {
	config := quick()
	config.HelloTimeout = 200 * time.Millisecond
	n := serve(t, config)
	conn, err := net.Dial("tcp", strings.TrimPrefix(n.http.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err = io.WriteString(conn, "GET /v1/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	// A message that is begun and never finished is no hello.
	if _, err = conn.Write([]byte{0x01, 0x81, 0, 0, 0, 0, '{'}); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err = io.Copy(io.Discard, bufio.NewReader(conn)); err != nil {
		t.Fatalf("the server should close the connection: %v", err)
	}
}

func TestForeignPagesMayNotConnect(t *testing.T) {
	config := quick()
	config.Origins = []string{"https://app.example"}
	n := serve(t, config)
	for origin, ok := range map[string]bool{
		"": true, n.http.URL: true, "https://app.example": true, "HTTPS://APP.EXAMPLE": true,
		"https://evil.example": false, "null": false, "https://app.example.evil": false, "http://app.example": false, "%": false,
	} {
		header := http.Header{}
		if origin != "" {
			header.Set("Origin", origin)
		}
		conn, resp, err := websocket.DefaultDialer.Dial(n.url(), header)
		if (err == nil) != ok {
			t.Errorf("origin %q: %v", origin, err)
		}
		if err == nil {
			_ = conn.Close()
		} else if resp.StatusCode != http.StatusForbidden {
			t.Errorf("origin %q: status %d", origin, resp.StatusCode)
		}
	}
}

func TestMessagesAreBounded(t *testing.T) {
	n := serve(t, quick())
	alice := n.open("alice")
	big := `{"jsonrpc":"2.0","id":9,"method":"ping","params":{"x":"` + strings.Repeat("x", 70<<10) + `"}}`
	alice.write([]byte(big))
	alice.expectClose(wire.CloseTooBig)

	bob := n.open("bob")
	if got := bob.do("session.offer", offering("nothing", "v=0"+strings.Repeat("x", 400<<10))); got.code() != wire.CodeSessionNotFound {
		t.Errorf("an offer of 400 KiB gives %q", got.code())
	}
	bob.write([]byte(strings.Repeat("x", 600<<10)))
	select {
	case <-bob.ended:
	case <-time.After(5 * time.Second):
		t.Fatal("600 KiB are too much for anything")
	}
	if !websocket.IsCloseError(bob.lost, wire.CloseTooBig.Code) {
		t.Errorf("ended with %v", bob.lost)
	}
	c := n.bare(nil)
	c.write([]byte(big)) // before hello the small limit counts at once
	<-c.ended
	if !websocket.IsCloseError(c.lost, wire.CloseTooBig.Code) {
		t.Errorf("ended with %v", c.lost)
	}
}

func TestMalformedMessagesAreAnsweredAndAtLengthEndTheConnection(t *testing.T) {
	config := quick()
	config.MaxMalformed = 4
	n := serve(t, config)
	alice := n.open("alice")
	if got := alice.do("call.fly", nil); got.Error == nil || got.Error.Code != wire.RPCMethod {
		t.Errorf("an unknown method gives %+v", got.Error)
	}
	if got := alice.mutate("call.accept", map[string]any{"sessionId": 7}); got.Error == nil || got.Error.Data.Field != "sessionId" || got.Error.Code != wire.RPCParams {
		t.Errorf("a wrong type gives %+v", got.Error)
	}
	if got := alice.do("call.accept", map[string]any{"sessionId": "s"}); got.Error == nil || got.Error.Data.Field != "mutationId" {
		t.Errorf("a mutation without id gives %+v", got.Error)
	}
	alice.quiet()
	alice.write([]byte("\xff"))
	alice.expectClose(wire.CloseAbuse)
}

func TestWhoAsksTooOftenWaitsAndAtLengthIsClosed(t *testing.T) {
	config := quick()
	config.RequestRate, config.RequestBurst, config.MaxRefusals = 1, 5, 10
	n := serve(t, config)
	alice := n.open("alice")
	refused := 0
	for range 8 {
		if r := alice.do("ping", nil); r.code() == wire.CodeTooManyRequests {
			refused++
			if wait := r.Error.Data.Details["retryAfterMs"].(float64); wait < 1 || wait > 1000 {
				t.Errorf("retryAfterMs = %v", wait)
			}
		}
	}
	if refused == 0 {
		t.Fatal("nothing was refused")
	}
	for range 20 {
		alice.write([]byte(`{"jsonrpc":"2.0","id":99,"method":"ping"}`))
	}
	alice.expectClose(wire.CloseTooManyErrors)
}

func TestAUsersConnectionsShareARate(t *testing.T) {
	config := quick()
	config.UserRate, config.UserBurst = 1, 10
	n := serve(t, config)
	first, second, other := n.open("alice"), n.open("alice"), n.open("bob")
	refused := 0
	for range 10 {
		for _, c := range []*client{first, second} {
			if c.do("ping", nil).code() == wire.CodeTooManyRequests {
				refused++
			}
		}
	}
	if refused < 8 {
		t.Errorf("20 requests at a burst of 10, but only %d refused", refused)
	}
	if other.do("ping", nil).code() != "" {
		t.Error("another user is not concerned")
	}
}

func TestPingFramesCountToo(t *testing.T) {
	config := quick()
	config.RequestRate, config.RequestBurst = 1, 10
	n := serve(t, config)
	alice := n.open("alice")
	for range 50 {
		if alice.conn.WriteControl(websocket.PingMessage, []byte("x"), time.Now().Add(time.Second)) != nil {
			break
		}
	}
	alice.expectClose(wire.CloseTooManyErrors)
}

func TestAPanicEndsOneConnectionOnly(t *testing.T) {
	n := serve(t, quick())
	bob := n.open("bob")
	alice := n.open("alice")
	alice.send("token.renew", map[string]any{"token": "panic"})
	alice.expectClose(wire.CloseInternal)
	n.dialHello("panic").expectClose(wire.CloseInternal)
	bob.quiet()
	if got := bob.ring("alice"); got.Status != "initiated" {
		t.Errorf("the process should live on, but %+v", got)
	}
}

func TestAPanicWhileACallChangesLeavesItAsItWas(t *testing.T) {
	n := serve(t, quick())
	alice, bob := n.open("alice"), n.open("bob")
	id := alice.ring("bob").SessionID
	bob.expect("call.incoming")
	l := n.calls.loop(id)
	done := make(chan string, 1)
	l.box.request(step{do: func() { panic("a mistake of ours") }, refuse: func(e *wire.Error) { done <- e.Code }})
	if code := <-done; code != wire.CodeInternal {
		t.Errorf("the request that panicked gets %q", code)
	}
	if got := bob.on("call.accept", id).call(t); got.Status != "ongoing" {
		t.Errorf("accepting after it: %+v", got)
	}
}

func TestAFullInboxRefusesRequestsAndKeepsFacts(t *testing.T) {
	b := newMailbox(2)
	var refused []string
	for range 3 {
		b.request(step{do: func() {}, refuse: func(e *wire.Error) { refused = append(refused, e.Code) }})
	}
	if fmt.Sprint(refused) != "[ERR_TOO_MANY_REQUESTS]" {
		t.Errorf("refused %v", refused)
	}
	for i := range maxMediaEvents + 10 {
		if taken := b.media(MediaEvent{Kind: MediaSlotChanged}); taken != (i < maxMediaEvents) {
			t.Fatalf("slot change %d: taken = %v", i, taken)
		}
	}
	if !b.media(MediaEvent{Kind: MediaGone}) {
		t.Error("that a participant is gone must not be dropped")
	}
	b.member(memberFact{"bob", true})
	b.member(memberFact{"bob", false})
	m := b.empty()
	if len(m.steps) != 2 || len(m.members) != 1 || m.members[0].in {
		t.Errorf("the box held %d steps, members %v", len(m.steps), m.members)
	}
}
