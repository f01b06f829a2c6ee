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

func newTap(t *testing.T, e *Engine, p *Publisher) *tap {
	t.Helper()
	s, err := datagram.Listen(netip.AddrPortFrom(loopback, 0), datagram.Options{Timestamps: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	known, err := p.FloorPublisher(0)
	if err != nil {
		t.Fatal(err)
	}
	c, err := floor.NewCipher(known.Key)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.UseFloor(s.Local()); err != nil {
		t.Fatal(err)
	}
	return &tap{s, datagram.NewInbox(64, 2048), c}
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
	for name, spread := range map[string]bool{"burst": false, "spread": true} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t)
			pattern := Pattern{Interval: 50 * time.Millisecond, Packets: 5, Bytes: 300, Spread: spread}
			p, err := e.NewPublisher(loopback, 5, pattern, 0)
			if err != nil {
				t.Fatal(err)
			}
			tap := newTap(t, e, p)
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
			p.Close()
		})
	}
}

func TestPublishersTakeTurnsByTheirDueTimes(t *testing.T) {
	var s schedule
	for _, due := range []time.Duration{5, 3, 9, 1, 7, 1} {
		s.add(&Publisher{due: due, pattern: Pattern{Interval: 10}})
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
	s, err := e.NewSubscriber(loopback, true)
	if err != nil {
		t.Fatal(err)
	}
	e.Close()
	if _, err := e.Snapshot(); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if _, err := e.NewSubscriber(loopback, false); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	s.Close() // does nothing, and does not hang
}

func TestPatternsThatMakeNoSenseAreRefused(t *testing.T) {
	e := newEngine(t)
	for _, p := range []Pattern{
		{Interval: time.Second, Packets: 1, Bytes: MinVideoBytes - 1}, {Interval: time.Second, Packets: 1, Bytes: 5000},
		{Interval: time.Second, Bytes: 100}, {Packets: 1, Bytes: 100}, {Audio: true, Interval: time.Second, Packets: 1, Bytes: MinAudioBytes - 1},
	} {
		if _, err := e.NewPublisher(loopback, 0, p, 0); err == nil {
			t.Errorf("%+v is taken", p)
		}
	}
}
