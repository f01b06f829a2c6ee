package sfu

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

// blockable is a TCP road to the SFU that can be blocked in the direction of the client.
type blockable struct {
	listener net.Listener
	sfu      string
	loops    sync.WaitGroup

	mu      sync.Mutex
	conns   []net.Conn
	blocked chan struct{} // open: blocked
}

func newBlockable(t testing.TB, sfu string) *blockable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	r := &blockable{listener: l, sfu: sfu, blocked: make(chan struct{})}
	close(r.blocked)
	r.loops.Go(r.accept)
	t.Cleanup(func() {
		_ = l.Close()
		r.mu.Lock()
		for _, c := range r.conns {
			_ = c.Close()
		}
		r.mu.Unlock()
		r.loops.Wait()
	})
	return r
}

func (r *blockable) accept() {
	for {
		inside, err := r.listener.Accept()
		if err != nil {
			return
		}
		outside, err := net.Dial("tcp", r.sfu)
		if err != nil {
			_ = inside.Close()
			return
		}
		r.mu.Lock()
		r.conns = append(r.conns, inside, outside)
		r.mu.Unlock()
		r.loops.Go(func() { _, _ = io.Copy(outside, inside) })
		r.loops.Go(func() { r.towardsClient(inside, outside) })
	}
}

func (r *blockable) towardsClient(inside, outside net.Conn) {
	b := make([]byte, 32<<10)
	for {
		n, err := outside.Read(b)
		if err != nil {
			return
		}
		r.mu.Lock()
		blocked := r.blocked
		r.mu.Unlock()
		<-blocked
		if _, err := inside.Write(b[:n]); err != nil {
			return
		}
	}
}

// block keeps everything back until the returned function is called.
func (r *blockable) block() (unblock func()) {
	gate := make(chan struct{})
	r.mu.Lock()
	r.blocked = gate
	r.mu.Unlock()
	return func() { close(gate) }
}

// A client on TCP stops reading. What it does not take is dropped, nobody else is late, and it recovers when it reads again.
func TestAStalledTCPClientDelaysNobody(t *testing.T) {
	b := newBench(t, func(c *Config) { c.TCP = []string{"127.0.0.1:0"} })
	var tcp string
	for _, a := range b.Addresses() {
		tcp = a.String()
	}
	_, port, err := net.SplitHostPort(tcp)
	must(t, err)
	road := newBlockable(t, tcp)
	_, roadPort, err := net.SplitHostPort(road.listener.Addr().String())
	must(t, err)
	slow := newClient(b, "room", "slow", clientOptions{open: true, silent: true,
		engine: func(e *webrtc.SettingEngine) { e.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeTCP4}) },
		answer: func(sdp string) string {
			return strings.ReplaceAll(sdp, " "+port+" typ host tcptype passive", " "+roadPort+" typ host tcptype passive")
		}})
	quick := newClient(b, "room", "quick", clientOptions{silent: true})
	alice := newClient(b, "room", "alice", clientOptions{})
	b.awaitKind(Connected, "alice")
	number := 0
	publish := func() {
		number++
		p := alice.picture(number * 10) // a keyframe
		p.SequenceNumber = uint16(number)
		p.Payload = append(p.Payload, make([]byte, 1000)...)
		must(t, alice.video.WriteRTP(p))
	}
	// reached publishes until a client has had something newer than a number, and says how long that took.
	reached := func(c *client, target int) time.Duration {
		began := time.Now()
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for time.Since(began) < patience {
			select {
			case <-tick.C:
				publish()
			case p := <-c.slot(c.offered.Slots[0].VideoMID):
				var n int
				if _, err := fmt.Sscanf(sent(p, true), "alice/%d", &n); err == nil && n > target*10 {
					return time.Since(began)
				}
			}
		}
		t.Fatalf("%s is not reached", c.id)
		return 0
	}
	// burst publishes a megabyte and says how long the quick one then waits for what comes next.
	burst := func() time.Duration {
		for range 1000 {
			publish()
			if number%10 == 0 {
				time.Sleep(time.Millisecond) // what a socket's buffer holds
			}
		}
		return reached(quick, number)
	}
	reached(slow, 0)
	unblock := road.block()
	for range 16 { // far more than is kept for one client
		if took := burst(); took > 2*time.Second {
			t.Errorf("the quick one waited %v", took)
		}
	}
	unblock()
	reached(slow, number)
}
