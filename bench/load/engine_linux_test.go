package load

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/parleyrtc/parley/bench/floor"
	"github.com/parleyrtc/parley/sfu/transport/datagram"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var loopback = netip.MustParseAddr("127.0.0.1")

func newEngine(t *testing.T) *Engine {
	t.Helper()
	e, err := NewEngine(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// tap is a socket in the floor's place.
type tap struct {
	socket *datagram.Socket
	inbox  *datagram.Inbox
	cipher *floor.Cipher
}

func newTap(t *testing.T, e *Engine, c *Client) *tap {
	t.Helper()
	s, err := datagram.Listen(netip.AddrPortFrom(loopback, 0), datagram.Options{Timestamps: true, Buffer: socketBuffer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	known, _, err := c.Floor(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	cipher, err := floor.NewCipher(known[0].Key)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.UseFloor(s.Local()); err != nil {
		t.Fatal(err)
	}
	return &tap{s, datagram.NewInbox(64, 2048), cipher}
}

// sending makes a client that sends one track.
func sending(t *testing.T, e *Engine, source uint32, p Pattern) *Client {
	t.Helper()
	c, err := e.NewClient(ClientConfig{Local: loopback, Publications: []Publication{{Source: source, Pattern: p}}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// take waits for n packets and returns when each arrived.
func (p *tap) take(t *testing.T, n, size int) []int64 {
	t.Helper()
	var at []int64
	for len(at) < n {
		batch, err := p.inbox.Receive(p.socket, true)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range batch {
			header, payload, err := p.cipher.Open(m.Data)
			if err != nil || len(payload) != size {
				t.Fatalf("packet %d: header %x, %d bytes, %v", len(at), header, len(payload), err)
			}
			if st, err := readStamp(payload, videoPrefix); err != nil || st.source != 5 || st.counter != uint64(len(at)) || st.sentAt > m.At {
				t.Fatalf("packet %d: %+v, %v; arrived %d", len(at), st, err, m.At)
			}
			at = append(at, m.At)
		}
	}
	return at
}

func TestFramesLeaveInBurstsOrSpread(t *testing.T) {
	for name, pattern := range map[string]Pattern{"burst": {}, "spread": {Spread: true}, "train": {Trains: true}} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t)
			spread := pattern.Spread
			pattern.Interval, pattern.Packets, pattern.Bytes = 50*time.Millisecond, 5, 300
			c := sending(t, e, 5, pattern)
			tap := newTap(t, e, c)
			if err := e.Route(Floor); err != nil {
				t.Fatal(err)
			}
			at := tap.take(t, 10, 300)
			if err := e.Route(Paused); err != nil {
				t.Fatal(err)
			}
			// On a busy machine packets may leave late, but a frame's burst is one system call, and spread packets are many.
			if between := time.Duration(at[1] - at[0]); spread && between < time.Millisecond || !spread && between > 20*time.Millisecond {
				t.Errorf("%v between a frame's first packets", between)
			}
			s, err := e.Snapshot()
			if err != nil || s.Sent[Floor] < 10 || s.Sent[Server] != 0 || s.Refused != 0 {
				t.Errorf("%+v, %v", s, err)
			}
			times, err := e.Times()
			if err != nil || times.Lateness.TotalCount() < 2 {
				t.Errorf("%d departures were timed, %v", times.Lateness.TotalCount(), err)
			}
			c.Close()
		})
	}
}

func TestALongFrameMakesSeveralTrains(t *testing.T) {
	e := newEngine(t)
	c := sending(t, e, 5, Pattern{Interval: 50 * time.Millisecond, Packets: 150, Bytes: 1100, Trains: true})
	tap := newTap(t, e, c)
	if err := e.Route(Floor); err != nil {
		t.Fatal(err)
	}
	tap.take(t, 300, 1100)
}

func TestDeparturesThatWereMissedCountAsLateAndAsLeftOut(t *testing.T) {
	e := newEngine(t)
	const step, pause = 10 * time.Millisecond, 300 * time.Millisecond
	c := sending(t, e, 1, Pattern{Interval: step, Packets: 3, Bytes: 200})
	newTap(t, e, c)
	if err := e.Route(Floor); err != nil {
		t.Fatal(err)
	}
	if err := e.do(func() { time.Sleep(pause) }); err != nil { // the thread has no time
		t.Fatal(err)
	}
	s, err := e.Snapshot() // behind the departure that comes next
	if err != nil {
		t.Fatal(err)
	}
	times, err := e.Times()
	if err != nil {
		t.Fatal(err)
	}
	if missed := uint64(pause/step - 2); s.Skipped < 3*missed || times.Lateness.TotalCount() < int64(missed) {
		t.Errorf("%d packets were left out and %d departures late, want at least %d and %d", s.Skipped, times.Lateness.TotalCount(), 3*missed, missed)
	}
	if p50 := times.Lateness.ValueAtQuantile(50); p50 < int64(pause/time.Microsecond)/4 {
		t.Errorf("half of the departures are said to be less than %d µs late, after a pause of %v", p50, pause)
	}
}

func TestPublishersTakeTurnsByTheirDueTimes(t *testing.T) {
	var s schedule
	for _, due := range []time.Duration{5, 3, 9, 1, 7, 1} {
		s.add(&publisher{due: due, pattern: Pattern{Interval: 10}})
	}
	last := time.Duration(0)
	for range 50 {
		if s[0].due < last {
			t.Fatalf("%v comes after %v", s[0].due, last)
		}
		last = s[0].due
		s[0].due += 4 + last%5
		s.sift()
	}
}

func TestAClosedEngineAnswers(t *testing.T) {
	e, err := NewEngine(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	c, err := e.NewClient(ClientConfig{Local: loopback, Receives: true, Sampled: true})
	if err != nil {
		t.Fatal(err)
	}
	e.Close()
	if _, err := e.Snapshot(); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if _, err := e.NewClient(ClientConfig{Local: loopback, Receives: true}); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	c.Close() // does nothing, and does not hang
}

func TestPatternsThatMakeNoSenseAreRefused(t *testing.T) {
	e := newEngine(t)
	for _, p := range []Pattern{
		{Interval: time.Second, Packets: 1, Bytes: MinVideoBytes - 1}, {Interval: time.Second, Packets: 1, Bytes: 5000},
		{Interval: time.Second, Bytes: 100}, {Packets: 1, Bytes: 100}, {Audio: true, Interval: time.Second, Packets: 1, Bytes: MinAudioBytes - 1},
	} {
		if _, err := e.NewClient(ClientConfig{Local: loopback, Publications: []Publication{{Pattern: p}}}); err == nil {
			t.Errorf("%+v is taken", p)
		}
	}
}
