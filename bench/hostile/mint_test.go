package hostile

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/pion/logging"
	"github.com/pion/turn/v5"
)

// TestAUserCannotMintQuota asks REST for TURN credentials of sessions that the user has no part in: each would come with a
// quota of its own, and together they would take every relay port.
func TestAUserCannotMintQuota(t *testing.T) {
	s := start(t)
	token := s.token("mallory")
	others := s.converse("alice", "bob")
	allocated := 0
	for i, session := range []string{"", others.id, "session-1", "session-2", "session-3", "a:b", "*"} {
		var answer struct {
			ICEServers []struct {
				Username   string `json:"username"`
				Credential string `json:"credential"`
			} `json:"iceServers"`
		}
		err := s.REST(token, "POST", "/v1/turn-credentials", map[string]string{"sessionId": session}, &answer)
		if (err == nil) != (i == 0) {
			t.Errorf("credentials for session %q: %v", session, err)
		}
		for _, server := range answer.ICEServers {
			if server.Username != "" {
				allocated += s.allocate(t, server.Username, server.Credential, 20)
				break
			}
		}
	}
	if allocated != 16 {
		t.Errorf("one user has %d allocations, want 16", allocated)
	}
}

// allocate asks for allocations from as many ports and returns how many there are; they last until the test ends.
func (s *target) allocate(t *testing.T, username, password string, n int) (got int) {
	t.Helper()
	quiet := &logging.DefaultLoggerFactory{Writer: io.Discard}
	for range n {
		conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		c, err := turn.NewClient(&turn.ClientConfig{TURNServerAddr: "127.0.0.1:" + s.TURN, STUNServerAddr: "127.0.0.1:" + s.TURN,
			Conn: conn, Username: username, Password: password, Realm: "parley", LoggerFactory: quiet})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		if err := c.Listen(); err != nil {
			t.Fatal(err)
		}
		if relayed, err := c.Allocate(); err == nil {
			t.Cleanup(func() { _ = relayed.Close() })
			got++
		}
	}
	return got
}

// TestAHelloStaysSmall begins and takes back a great many calls, which would all be in the snapshot of every new connection.
func TestAHelloStaysSmall(t *testing.T) {
	s := start(t, "PARLEY_SIGNALING_REQUEST_RATE=1000000", "PARLEY_SIGNALING_REQUEST_BURST=1000000",
		"PARLEY_SIGNALING_USER_RATE=1000000", "PARLEY_SIGNALING_USER_BURST=1000000")
	mallory := s.dial("mallory")
	metadata := json.RawMessage(`"` + fmt.Sprintf("%04000d", 0) + `"`)
	for i := range 100 {
		var body struct {
			Call struct {
				SessionID string `json:"sessionId"`
			} `json:"call"`
		}
		err := mallory.Request(wait(t), "call.initiate", mutation(map[string]any{
			"receiverId": fmt.Sprintf("nobody-%d", i), "receiverType": "user", "type": "audio", "metadata": metadata}), &body)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := mallory.Cancel(wait(t), body.Call.SessionID); err != nil {
			t.Fatal(err)
		}
	}
	token := s.token("mallory")
	k, _ := s.say(wait(t), token)
	text, err := k.receive()
	_ = k.conn.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("after 100 calls the answer to hello has %d KiB", len(text)>>10)
	if len(text) > 300<<10 {
		t.Errorf("the answer to hello has %d bytes", len(text))
	}
}
