package client_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"

	"github.com/parleyrtc/parley/bench/client"
)

// vp8Keyframe is the start of a VP8 key frame: frame tag, start code, 320 × 240 (RFC 6386 §9.1).
var vp8Keyframe = []byte{0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xf0, 0x00}

// person is one signed-in client with its published tracks and what it has heard.
type person struct {
	*client.Client
	uid   string
	audio *webrtc.TrackLocalStaticSample
	video *webrtc.TrackLocalStaticSample

	mu    sync.Mutex
	heard map[string]int // marker of the sender + kind → packets
	more  chan struct{}  // a nudge after each packet
}

func newPerson(s *server, uid string) *person {
	return withClient(s.t, s.dial(uid), uid)
}

func withClient(t testing.TB, c *client.Client, uid string) *person {
	t.Helper()
	p := &person{Client: c, uid: uid, heard: map[string]int{}, more: make(chan struct{}, 1)}
	var err error
	if p.audio, err = webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "audio", uid); err != nil {
		t.Fatal(err)
	}
	if p.video, err = webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8}, "video", uid); err != nil {
		t.Fatal(err)
	}
	return p
}

// join joins with microphone and camera and sends marked samples until the test ends.
func (p *person) join(t testing.TB, sessionID string, cfg client.SessionConfig) *client.Session {
	t.Helper()
	return p.come(t, p.Join, sessionID, cfg)
}

// enter is join for a session that has a name.
func (p *person) enter(t testing.TB, session string) *client.Session {
	t.Helper()
	return p.come(t, p.Enter, session, client.SessionConfig{})
}

type comeIn func(context.Context, string, client.SessionConfig) (*client.Session, error)

func (p *person) come(t testing.TB, in comeIn, session string, cfg client.SessionConfig) *client.Session {
	t.Helper()
	cfg.Tracks = []client.LocalTrack{{Track: p.audio, Source: "microphone"}, {Track: p.video, Source: "camera"}}
	cfg.OnTrack = p.listen
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	s, err := in(ctx, session, cfg)
	if err != nil {
		t.Fatalf("%s joins: %v", p.uid, err)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go p.send(stop, stopped)
	t.Cleanup(func() {
		close(stop)
		<-stopped
		s.Close()
	})
	return s
}

// send writes 50 audio and video samples a second, every video frame a key frame, each with the sender's name inside.
func (p *person) send(stop, stopped chan struct{}) {
	defer close(stopped)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	audio := []byte(marker(p.uid, webrtc.RTPCodecTypeAudio))
	video := append(bytes.Clone(vp8Keyframe), marker(p.uid, webrtc.RTPCodecTypeVideo)...)
	for {
		select {
		case <-tick.C:
			_ = p.audio.WriteSample(media.Sample{Data: audio, Duration: 20 * time.Millisecond}) // before the connection is up nobody hears it
			_ = p.video.WriteSample(media.Sample{Data: video, Duration: 20 * time.Millisecond})
		case <-stop:
			return
		}
	}
}

func marker(uid string, kind webrtc.RTPCodecType) string { return fmt.Sprintf("<%s:%s>", uid, kind) }

func (p *person) listen(_ int, track *webrtc.TrackRemote) {
	for {
		pkt, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		from, to := bytes.IndexByte(pkt.Payload, '<'), bytes.LastIndexByte(pkt.Payload, '>')
		if from < 0 || to < from {
			continue
		}
		p.mu.Lock()
		p.heard[string(pkt.Payload[from:to+1])]++
		p.mu.Unlock()
		select {
		case p.more <- struct{}{}:
		default:
		}
	}
}

func (p *person) count(from string, kind webrtc.RTPCodecType) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.heard[marker(from, kind)]
}

// hears waits until n more audio and video packets of the other have come.
func (p *person) hears(t testing.TB, from string, n int) {
	t.Helper()
	audio := p.count(from, webrtc.RTPCodecTypeAudio) + n
	video := p.count(from, webrtc.RTPCodecTypeVideo) + n
	deadline := time.After(20 * time.Second)
	for p.count(from, webrtc.RTPCodecTypeAudio) < audio || p.count(from, webrtc.RTPCodecTypeVideo) < video {
		select {
		case <-p.more:
		case <-deadline:
			t.Fatalf("%s does not hear and see %s: got %d audio of %d and %d video of %d packets", p.uid, from,
				p.count(from, webrtc.RTPCodecTypeAudio), audio, p.count(from, webrtc.RTPCodecTypeVideo), video)
		}
	}
}

// wait is WaitEvent with a deadline that fails the test.
func (p *person) wait(t testing.TB, eventType string) client.Event {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	ev, err := p.WaitEvent(ctx, eventType)
	if err != nil {
		t.Fatalf("%s: %v", p.uid, err)
	}
	return ev
}
