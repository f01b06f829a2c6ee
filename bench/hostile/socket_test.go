package hostile

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// speaker is a WebSocket connection of somebody who writes what they want.
type speaker struct{ conn *websocket.Conn }

// say connects and says hello; nil when the server does not want that now. n is how many messages it took.
func (s *target) say(ctx context.Context, token string) (k *speaker, n int) {
	conn, _, err := websocket.DefaultDialer.DialContext(ctx, s.Socket(), nil)
	if err != nil {
		return nil, 0
	}
	k = &speaker{conn}
	hello := `{"jsonrpc":"2.0","id":0,"method":"hello","params":{"token":"` + token + `","protocol":"1.0"}}`
	if k.send(hello) != nil {
		k.end()
		return nil, 1
	}
	return k, 1
}

func (k *speaker) send(text string) error {
	_ = k.conn.SetWriteDeadline(time.Now().Add(patience))
	return k.conn.WriteMessage(websocket.TextMessage, []byte(text))
}

// receive is the next message, or the error that ended the connection.
func (k *speaker) receive() (string, error) {
	_ = k.conn.SetReadDeadline(time.Now().Add(patience))
	_, b, err := k.conn.ReadMessage()
	return string(b), err
}

// end reads until the server closes and returns its close code: 0 when there was none.
func (k *speaker) end() int {
	defer k.conn.Close()
	_ = k.conn.SetReadDeadline(time.Now().Add(patience))
	for {
		if _, _, err := k.conn.ReadMessage(); err != nil {
			var closed *websocket.CloseError
			if errors.As(err, &closed) {
				return closed.Code
			}
			return 0
		}
	}
}

// upgraded is a TCP connection on which the WebSocket handshake has been made, and nothing else.
func (s *target) upgraded(extra string) (net.Conn, *bufio.Reader, string) {
	s.t.Helper()
	host := strings.TrimPrefix(s.Base, "http://")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "GET /v1/ws HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: %s\r\n%s\r\n", host, base64.StdEncoding.EncodeToString(make([]byte, 16)), extra)
	if err != nil {
		s.t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusSwitchingProtocols {
		s.t.Fatalf("the upgrade gave %s", resp.Status)
	}
	return conn, in, resp.Header.Get("Sec-WebSocket-Extensions")
}

// frame is a masked frame with a zero mask; length is what its header claims.
func frame(first byte, length uint64, payload []byte) []byte {
	b := []byte{first}
	switch {
	case length < 126:
		b = append(b, 0x80|byte(length))
	case length < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(length))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), length)
	}
	return append(append(b, 0, 0, 0, 0), payload...)
}

// closeCode reads frames until a close frame or the end of the connection: 0.
func closeCode(in *bufio.Reader) int {
	for {
		head := make([]byte, 2)
		if _, err := io.ReadFull(in, head); err != nil {
			return 0
		}
		n := int(head[1])
		if n == 126 {
			more := make([]byte, 2)
			if _, err := io.ReadFull(in, more); err != nil {
				return 0
			}
			n = int(binary.BigEndian.Uint16(more))
		}
		body := make([]byte, n)
		if _, err := io.ReadFull(in, body); err != nil {
			return 0
		}
		if head[0]&0x0f == 8 && n >= 2 {
			return int(binary.BigEndian.Uint16(body))
		}
	}
}

func TestImpossibleFramesEndTheirConnectionOnly(t *testing.T) {
	s := start(t)
	alice := s.dial("alice")
	token := s.token("mallory")
	hello := []byte(`{"jsonrpc":"2.0","id":0,"method":"hello","params":{"token":"` + token + `","protocol":"1.0"}}`)
	deep := strings.Repeat("[", 1_000_000)
	before := s.memory()
	for _, c := range []struct {
		name  string
		bytes []byte
		want  []int
	}{
		{"a length of 2^63", frame(0x81, 1<<63, nil), []int{0, 1002, 1009}},
		{"a length of 2^63-1", frame(0x81, 1<<63-1, nil), []int{1009}},
		{"a length of 2^62 and some bytes", frame(0x81, 1<<62, []byte("{")), []int{1009}},
		{"a length of 4 GiB", frame(0x81, 1<<32, nil), []int{1009}},
		{"a million opening brackets", frame(0x81, uint64(len(deep)), []byte(deep)), []int{1009}},
		{"a frame without a mask", []byte{0x81, 1, '{'}, []int{0, 1002}},
		{"reserved bits", frame(0x81|0x70, 1, []byte("{")), []int{0, 1002}},
		{"a compressed frame", frame(0x81|0x40, 1, []byte{0}), []int{0, 1002}},
		{"an unknown opcode", frame(0x83, 1, []byte("{")), []int{0, 1002}},
		{"a long ping", frame(0x89, 126, make([]byte, 126)), []int{0, 1002}},
		{"a fragmented ping", frame(0x09, 1, []byte("x")), []int{0, 1002}},
		{"a continuation of nothing", frame(0x80, 1, []byte("x")), []int{0, 1002}},
	} {
		for _, greeted := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, after hello %v", c.name, greeted), func(t *testing.T) {
				conn, in, _ := s.upgraded("")
				if greeted {
					if _, err := conn.Write(frame(0x81, uint64(len(hello)), hello)); err != nil {
						t.Fatal(err)
					}
				}
				_, _ = conn.Write(c.bytes) // it may be closed half-way
				got := closeCode(in)
				if greeted && got == 0 && c.want[0] != 0 || !contains(c.want, got) && got != 0 {
					t.Errorf("closed with %d, want one of %v", got, c.want)
				}
			})
		}
	}
	if ask(t, alice, "ping", map[string]any{}) != "" {
		t.Error("alice has no signaling any more")
	}
	s.grewBy("impossible frames", before, 64)
}

func contains(list []int, n int) bool {
	for _, m := range list {
		if m == n {
			return true
		}
	}
	return false
}

// TestFragmentsThatNeverEndAreBounded sends a message in pieces that would never be complete.
func TestFragmentsThatNeverEndAreBounded(t *testing.T) {
	s := start(t)
	token := s.token("mallory")
	hello := []byte(`{"jsonrpc":"2.0","id":0,"method":"hello","params":{"token":"` + token + `","protocol":"1.0"}}`)
	before := s.memory()
	piece := frame(0x00, 32<<10, make([]byte, 32<<10))
	for _, greeted := range []bool{false, true} {
		conn, in, _ := s.upgraded("")
		if greeted {
			_, _ = conn.Write(frame(0x81, uint64(len(hello)), hello))
		}
		_, _ = conn.Write(frame(0x01, 1, []byte("{")))
		for range 10_000 { // 320 MiB, if it were let
			if _, err := conn.Write(piece); err != nil {
				break
			}
		}
		if got := closeCode(in); got != 1009 && got != 0 {
			t.Errorf("closed with %d", got)
		}
	}
	s.grewBy("endless fragments", before, 32)
}

func TestCompressionIsNotNegotiated(t *testing.T) {
	s := start(t)
	_, _, extensions := s.upgraded("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n")
	if extensions != "" {
		t.Errorf("the server agrees to %q", extensions)
	}
}

func TestForeignPagesAndTokensInTheURLDoNotGetIn(t *testing.T) {
	s := start(t)
	for _, origin := range []string{"https://evil.example", "null", "http://127.0.0.1", "http://localhost:1", "file://", s.Base + ".evil.example", "%"} {
		_, resp, err := websocket.DefaultDialer.Dial(s.Socket(), http.Header{"Origin": {origin}})
		if err == nil || resp == nil || resp.StatusCode != http.StatusForbidden {
			t.Errorf("a page of %q: %v", origin, err)
		}
	}
	token := s.token("mallory")
	conn, _, err := websocket.DefaultDialer.Dial(s.Socket()+"?token="+token+"&access_token="+token, http.Header{"Authorization": {"Bearer " + token}})
	if err != nil {
		t.Fatal(err)
	}
	k := &speaker{conn}
	if err := k.send(`{"jsonrpc":"2.0","id":1,"method":"call.active","params":{}}`); err != nil {
		t.Fatal(err)
	}
	if got := k.end(); got != 4401 {
		t.Errorf("a token in the URL or a header instead of hello ends with %d", got)
	}
}
