package hostile

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/turn/v5"
)

// slowness is one way to hold a connection: what is sent at once, and what then drips, a byte at a time.
type slowness struct {
	name, port  string
	tls         bool
	first, drip string
	most        time.Duration // until when the server must have closed
}

// TestSlowConnectionsAreClosedAndKeepNobodyOut opens a hundred connections in each of eight ways of being slow.
func TestSlowConnectionsAreClosedAndKeepNobodyOut(t *testing.T) {
	s := start(t)
	web := strings.TrimPrefix(s.Base, "http://127.0.0.1:")
	upgrade := "GET /v1/ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
	ways := []slowness{
		{"an HTTP request line", web, false, "GET /", strings.Repeat("x", 1000), 8 * time.Second},
		{"HTTP headers", web, false, "GET / HTTP/1.1\r\nHost: x\r\nX: ", strings.Repeat("x", 1000), 8 * time.Second},
		{"an HTTP body", web, false, "POST /v1/auth/login HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n", strings.Repeat(" ", 1000), 18 * time.Second},
		{"an upgrade that is never complete", web, false, upgrade, strings.Repeat("X", 1000), 8 * time.Second},
		{"a WebSocket without hello", web, false, upgrade + "\r\n", "", 14 * time.Second},
		{"a hello that drips", web, false, upgrade + "\r\n", "\x81\xfe\x10\x00\x00\x00\x00\x00" + strings.Repeat(" ", 1000), 14 * time.Second},
		{"TURN over TCP", s.TURN, false, "\x00\x01\x05\x00", strings.Repeat("\x00", 1000), 14 * time.Second},
		{"TURN over TLS, without a handshake", s.TURNS, false, "\x16", strings.Repeat("\x03", 1000), 14 * time.Second},
		{"TURN over TLS, with one", s.TURNS, true, "\x00\x01\x05\x00", strings.Repeat("\x00", 1000), 14 * time.Second},
		{"ICE-TCP", s.Media, false, "\x01", strings.Repeat("\x00", 500), 14 * time.Second},
	}
	c := s.converse("alice", "bob")
	before := s.memory()
	var holders sync.WaitGroup
	for _, way := range ways {
		holders.Go(func() { way.hold(t, 60) })
	}
	held := make(chan struct{})
	go func() { // ends with the holders, whose connections have deadlines
		holders.Wait()
		close(held)
	}()
	for slowest := time.Duration(0); ; {
		began := time.Now()
		s.survived()
		conn := s.greeted(s.token("carol"))
		_ = conn.conn.Close()
		slowest = max(slowest, time.Since(began))
		select {
		case <-held:
			t.Logf("meanwhile a request and a sign-in took at most %v", slowest.Round(time.Millisecond))
			if slowest > 5*time.Second {
				t.Errorf("a request and a sign-in took %v", slowest)
			}
			c.undisturbed("slow connections", tolerable)
			s.grewBy("slow connections", before, 64)
			return
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// hold opens connections and drips on each until the server has closed them all, or time is up.
func (w slowness) hold(t *testing.T, n int) {
	began := time.Now()
	deadline := began.Add(w.most)
	var each sync.WaitGroup
	var mu sync.Mutex
	var last time.Duration
	stayed := 0
	for range n {
		conn, err := net.Dial("tcp4", "127.0.0.1:"+w.port)
		if err != nil {
			t.Errorf("%s: %v", w.name, err)
			return
		}
		each.Go(func() {
			defer conn.Close()
			_ = conn.SetDeadline(deadline)
			if w.tls {
				conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true})
			}
			_, _ = io.WriteString(conn, w.first)
			closed := make(chan error, 1)
			go func() {
				_, err := io.Copy(io.Discard, conn)
				closed <- err
			}()
			tick := time.NewTicker(300 * time.Millisecond)
			defer tick.Stop()
			for i := 0; ; {
				select {
				case err := <-closed:
					mu.Lock()
					defer mu.Unlock()
					last = max(last, time.Since(began))
					if errors.Is(err, os.ErrDeadlineExceeded) {
						stayed++
					}
					return
				case <-tick.C:
					if i < len(w.drip) {
						_, _ = io.WriteString(conn, w.drip[i:i+1]) // it may be closed
						i++
					}
				}
			}
		})
	}
	each.Wait()
	t.Logf("%s: the last of %d connections was closed after %v", w.name, n, last.Round(100*time.Millisecond))
	if stayed > 0 {
		t.Errorf("%s: %d of %d connections are open after %v", w.name, stayed, n, w.most)
	}
}

// TestOnlyTheConfiguredPortsListen reads them from /proc while a call runs.
func TestOnlyTheConfiguredPortsListen(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("only Linux says which process has a port; nothing to check here")
		return
	}
	s := start(t)
	c := s.converse("alice", "bob")
	_, web, _ := net.SplitHostPort(strings.TrimPrefix(s.Base, "http://"))
	_, admin, _ := net.SplitHostPort(strings.TrimPrefix(s.Admin, "http://"))
	want := []string{"tcp 127.0.0.1:" + web, "tcp 127.0.0.1:" + admin, "tcp 127.0.0.1:" + s.Media, "udp 127.0.0.1:" + s.Media,
		"tcp 127.0.0.1:" + s.TURN, "udp 127.0.0.1:" + s.TURN, "tcp 127.0.0.1:" + s.TURNS}
	got := slices.Compact(s.listening(t)) // the media port is opened once for each processor
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the process listens on %v, want %v", got, want)
	}
	c.goesOn()
}

// listening lists the sockets of the process that take what comes from anywhere.
func (s *target) listening(t *testing.T) []string {
	t.Helper()
	inodes := map[string]bool{}
	links, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", s.PID()))
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil {
			if inode, ok := strings.CutPrefix(to, "socket:["); ok {
				inodes[strings.TrimSuffix(inode, "]")] = true
			}
		}
	}
	var list []string
	for _, table := range []string{"tcp", "tcp6", "udp", "udp6"} {
		file, err := os.Open(fmt.Sprintf("/proc/%d/net/%s", s.PID(), table))
		if err != nil {
			continue // no IPv6 here
		}
		lines := bufio.NewScanner(file)
		for lines.Scan() {
			f := strings.Fields(lines.Text())
			// Columns: sl, local, remote, state, …, inode. 0A is LISTEN; a UDP socket that is not connected is 07.
			if len(f) < 10 || !inodes[f[9]] || f[3] != "0A" && f[3] != "07" {
				continue
			}
			host, port, _ := strings.Cut(f[1], ":")
			n, err := strconv.ParseUint(port, 16, 16)
			if err != nil {
				t.Fatal(err)
			}
			if host == "0100007F" {
				host = "127.0.0.1"
			}
			list = append(list, fmt.Sprintf("%s %s:%d", strings.TrimSuffix(table, "6"), host, n))
		}
		_ = file.Close()
	}
	slices.Sort(list)
	return list
}

func TestTheDebugSurfaceIsNotPublic(t *testing.T) {
	s := start(t)
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline", "/debug/vars", "//debug/pprof/", "/v1/../debug/pprof/",
		"/%64ebug/pprof/", "/debug/pprof", "/.git/config", "/v1/ws/../../debug/pprof/", "/sdk/../../../etc/passwd", "/..%2f..%2fetc%2fpasswd", "/sdk/%2e%2e/%2e%2e/etc/passwd"} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.Base, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = fmt.Fprintf(conn, "GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n", path) // as it is, unlike net/http
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = conn.Close()
		if resp.StatusCode == http.StatusOK || strings.Contains(string(body), "goroutine") || strings.Contains(string(body), "root:") {
			t.Errorf("%s is answered with %s", path, resp.Status)
		}
	}
	if status, _ := s.get(t, "/metrics", ""); status != http.StatusOK {
		t.Errorf("/metrics in --dev: %d", status)
	}
}

// TestARelayReachesNothingButTheMediaPort asks the relay of a real session's credential for addresses of every kind.
func TestARelayReachesNothingButTheMediaPort(t *testing.T) {
	s := start(t)
	c := s.converse("alice", "bob")
	var ice struct {
		ICEServers []struct {
			Username   string `json:"username"`
			Credential string `json:"credential"`
		} `json:"iceServers"`
	}
	if err := c.alice.Request(wait(t), "session.iceServers", map[string]any{"sessionId": c.id}, &ice); err != nil {
		t.Fatal(err)
	}
	var username, password string
	for _, server := range ice.ICEServers {
		if server.Username != "" {
			username, password = server.Username, server.Credential
		}
	}
	trap, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer trap.Close()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	quiet := &logging.DefaultLoggerFactory{Writer: io.Discard}
	relay, err := turn.NewClient(&turn.ClientConfig{TURNServerAddr: "127.0.0.1:" + s.TURN, STUNServerAddr: "127.0.0.1:" + s.TURN,
		Conn: conn, Username: username, Password: password, Realm: "parley", LoggerFactory: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer relay.Close()
	if err := relay.Listen(); err != nil {
		t.Fatal(err)
	}
	relayed, err := relay.Allocate()
	if err != nil {
		t.Fatal(err)
	}
	defer relayed.Close()
	for _, peer := range []string{trap.LocalAddr().String(), "127.0.0.1:" + s.TURN, "0.0.0.0:80", "10.0.0.1:80", "100.64.0.1:80", "100.100.100.200:80",
		"169.254.169.254:80", "168.63.129.16:80", "192.0.0.192:80", "192.168.0.1:80", "198.18.0.1:80", "224.0.0.1:80", "240.0.0.1:80", "255.255.255.255:80", "8.8.8.8:53"} {
		to, err := net.ResolveUDPAddr("udp4", peer)
		if err != nil {
			t.Fatal(err)
		}
		if err := relay.CreatePermission(to); err == nil && !to.IP.IsLoopback() {
			t.Errorf("the relay permits %s", peer)
		}
		_, _ = relayed.WriteTo([]byte("through the relay"), to) // a refusal is what we want
	}
	_ = trap.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
	if n, _, err := trap.ReadFrom(make([]byte, 100)); err == nil {
		t.Errorf("%d bytes came through the relay to another port", n)
	}
	if denied := s.metric(`parley_turn_denied_total{reason="peer"}`); denied < 10 {
		t.Errorf("%v denials were counted", denied)
	}
}
