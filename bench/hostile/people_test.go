package hostile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"

	"github.com/parleyrtc/parley/bench/client"
)

func asRefusal(err error) (*client.Error, bool) {
	var refusal *client.Error
	ok := errors.As(err, &refusal)
	return refusal, ok
}

// talker is an honest user who sends sound that carries their name, and notes what they hear.
type talker struct {
	*client.Client
	uid   string
	track *webrtc.TrackLocalStaticSample

	mu      sync.Mutex
	heard   map[string]int // packets by the name in them; "" for any other content
	last    time.Time      // arrival of the newest packet
	silence time.Duration  // longest time between two since reset
	more    chan struct{}
}

func (s *target) talker(uid string) *talker {
	s.t.Helper()
	track, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "sound", uid)
	if err != nil {
		s.t.Fatal(err)
	}
	p := &talker{Client: s.dial(uid), uid: uid, track: track, heard: map[string]int{}, more: make(chan struct{}, 1)}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go p.speak(stop, stopped)
	s.t.Cleanup(func() {
		close(stop)
		<-stopped
	})
	return p
}

// speak sends 50 packets a second.
func (p *talker) speak(stop, stopped chan struct{}) {
	defer close(stopped)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			_ = p.track.WriteSample(media.Sample{Data: []byte("<" + p.uid + ">"), Duration: 20 * time.Millisecond}) // nobody listens yet
		case <-stop:
			return
		}
	}
}

func (p *talker) listen(_ int, track *webrtc.TrackRemote) {
	for {
		pkt, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		if len(pkt.Payload) == 0 {
			continue // padding
		}
		name := ""
		if b := pkt.Payload; b[0] == '<' && bytes.IndexByte(b, '>') == len(b)-1 {
			name = string(b[1 : len(b)-1])
		}
		p.mu.Lock()
		now := time.Now()
		if !p.last.IsZero() {
			p.silence = max(p.silence, now.Sub(p.last))
		}
		p.last = now
		p.heard[name]++
		p.mu.Unlock()
		select {
		case p.more <- struct{}{}:
		default:
		}
	}
}

func (p *talker) count(name string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.heard[name]
}

// reset forgets the silences so far.
func (p *talker) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silence, p.last = 0, time.Now()
}

// longest is the longest silence since reset, the present one included.
func (p *talker) longest() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(p.silence, time.Since(p.last))
}

// hears waits for n more packets of somebody.
func (p *talker) hears(t testing.TB, name string, n int) {
	t.Helper()
	n += p.count(name)
	deadline := time.After(patience)
	for p.count(name) < n {
		select {
		case <-p.more:
		case <-deadline:
			t.Fatalf("%s hears %d packets of %s, want %d", p.uid, p.count(name), name, n)
		}
	}
}

// join joins a session with the microphone.
func (p *talker) join(t testing.TB, sessionID string) *client.Session {
	t.Helper()
	session, err := p.Join(wait(t), sessionID, client.SessionConfig{
		ICEServers: []webrtc.ICEServer{}, OnTrack: p.listen,
		Tracks: []client.LocalTrack{{Track: p.track, Source: "microphone"}},
	})
	if err != nil {
		t.Fatalf("%s joins: %v", p.uid, err)
	}
	t.Cleanup(session.Close)
	return session
}

// conversation is a call of two honest users, whose media must go on while something else is attacked.
type conversation struct {
	t          testing.TB
	alice, bob *talker
	id         string
	a, b       *client.Session
}

// converse has two users in a call, media flowing both ways.
func (s *target) converse(caller, called string) *conversation {
	s.t.Helper()
	c := &conversation{t: s.t, alice: s.talker(caller), bob: s.talker(called)}
	c.id = ring(s.t, c.alice.Client, called)
	answer(s.t, c.bob.Client, c.id)
	c.a, c.b = c.alice.join(s.t, c.id), c.bob.join(s.t, c.id)
	c.goesOn()
	c.watch()
	return c
}

// watch begins to measure silences.
func (c *conversation) watch() {
	c.alice.reset()
	c.bob.reset()
}

// goesOn demands that both hear each other from now on.
func (c *conversation) goesOn() {
	c.t.Helper()
	c.alice.hears(c.t, c.bob.uid, 5)
	c.bob.hears(c.t, c.alice.uid, 5)
}

// undisturbed demands that neither heard a silence longer than most since watch, nor anything but the other.
func (c *conversation) undisturbed(during string, most time.Duration) {
	c.t.Helper()
	c.goesOn()
	for _, p := range []*talker{c.alice, c.bob} {
		silence := p.longest()
		c.t.Logf("%s: the longest silence that %s heard is %v", during, p.uid, silence.Round(time.Millisecond))
		if silence > most {
			c.t.Errorf("%s: %s heard nothing for %v, more than %v", during, p.uid, silence, most)
		}
		if n := p.count(""); n > 0 {
			c.t.Errorf("%s: %s got %d packets that nobody sent", during, p.uid, n)
		}
	}
	c.watch()
}

// ring initiates a call and returns its id.
func ring(t testing.TB, c *client.Client, called string) string {
	t.Helper()
	call, err := c.Initiate(wait(t), called, "user", "audio")
	if err != nil {
		t.Fatal(err)
	}
	return call.SessionID
}

func answer(t testing.TB, c *client.Client, id string) {
	t.Helper()
	if _, err := c.Accept(wait(t), id); err != nil {
		t.Fatal(err)
	}
}

// expect waits for an event.
func expect(t testing.TB, c *client.Client, kind string) client.Event {
	t.Helper()
	ev, err := c.WaitEvent(wait(t), kind)
	if err != nil {
		t.Fatal(err)
	}
	return ev
}

// closedFor waits for session.closed and returns its reason.
func closedFor(t testing.TB, c *client.Client) string {
	t.Helper()
	var body struct {
		Reason string `json:"reason"`
	}
	if err := json.Unmarshal(expect(t, c, "session.closed").Data, &body); err != nil {
		t.Fatal(err)
	}
	return body.Reason
}

// ask sends a request whose answer does not matter but for its code.
func ask(t testing.TB, c *client.Client, method string, params map[string]any) string {
	t.Helper()
	return code(t, c.Request(wait(t), method, params, nil))
}

// mutation adds what every mutation needs.
func mutation(params map[string]any) map[string]any {
	params["mutationId"] = client.NewMutationID()
	return params
}

// slowestPing pings n times and returns the longest round trip.
func slowestPing(ctx context.Context, c *client.Client, n int) (time.Duration, error) {
	var slowest time.Duration
	for range n {
		began := time.Now()
		if err := c.Request(ctx, "ping", map[string]any{}, nil); err != nil {
			return slowest, fmt.Errorf("ping: %w", err)
		}
		slowest = max(slowest, time.Since(began))
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return slowest, ctx.Err()
		}
	}
	return slowest, nil
}
