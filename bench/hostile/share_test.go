package hostile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestOneAddressDoesNotTakeEveryConnection keeps idle connections to the public port, each after a proper request.
func TestOneAddressDoesNotTakeEveryConnection(t *testing.T) {
	s := start(t, "PARLEY_HTTP_MAX_CONNECTIONS=300")
	web := strings.TrimPrefix(s.Base, "http://")
	before := s.memory()
	dial := func(from byte) net.Conn {
		t.Helper()
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, from)}}
		conn, err := d.Dial("tcp4", web)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		_, _ = fmt.Fprintf(conn, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") // it may be closed already
		return conn
	}
	var alive atomic.Int64
	var holders sync.WaitGroup
	deadline := time.Now().Add(3 * time.Second)
	for range 1500 {
		conn := dial(66)
		_ = conn.SetReadDeadline(deadline)
		holders.Go(func() {
			if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
				alive.Add(1)
			}
		})
	}
	other := dial(67)
	_ = other.SetReadDeadline(time.Now().Add(patience))
	if resp, err := http.ReadResponse(bufio.NewReader(other), nil); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("another address gets no answer: %v", err)
	}
	holders.Wait()
	if n := alive.Load(); n != 300 {
		t.Errorf("%d of 1500 connections of one address stay open, want 300", n)
	}
	if refused := s.metric("parley_http_refused_total"); refused != 1200 {
		t.Errorf("%v were counted as refused", refused)
	}
	s.grewBy("idle connections", before, 32)
}
