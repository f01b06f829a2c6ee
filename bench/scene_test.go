package bench

import (
	"context"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"

	"github.com/parleyrtc/parley/bench/client"
	"github.com/parleyrtc/parley/bench/netlab"
)

// Whoever has nothing but TURN is on the bad network as well.
func TestTURNGoesThroughTheAccess(t *testing.T) {
	s := stageFor(t, 2)
	speaker := s.mustEnter(t, watching())
	access, err := netlab.OpenAccess(s.q.server, netlab.Rules{})
	if err != nil {
		t.Fatal(err)
	}
	defer access.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if _, err := s.callers[1].Accept(ctx, s.sessionID); err != nil {
		t.Fatal(err)
	}
	api, err := quietAPI()
	if err != nil {
		t.Fatal(err)
	}
	track, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "audio", "relayed")
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan struct{}, 1)
	session, err := s.callers[1].Join(ctx, s.sessionID, client.SessionConfig{
		API: api, Policy: webrtc.ICETransportPolicyRelay, Tracks: []client.LocalTrack{{Track: track, Source: "microphone"}},
		Servers: func(servers []webrtc.ICEServer) (led []webrtc.ICEServer) {
			for _, server := range servers {
				for _, url := range server.URLs {
					if through := access.TURN(url); through != "" {
						led = append(led, webrtc.ICEServer{URLs: []string{through}, Username: server.Username, Credential: server.Credential})
					}
				}
			}
			return led
		},
		OnTrack: func(int, *webrtc.TrackRemote) {
			select {
			case heard <- struct{}{}:
			default:
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	select {
	case <-session.Connected():
	case <-ctx.Done():
		t.Fatal("no connection through TURN behind the access")
	}
	_ = track.WriteSample(media.Sample{Data: silence, Duration: soundEvery})
	select {
	case <-heard:
	case <-ctx.Done():
		t.Fatal("nothing is heard through TURN behind the access")
	}
	if up, down := access.Relayed(); up.Put == 0 || down.Put == 0 || speaker.Tally().Unreadable > 0 {
		t.Errorf("the links of TURN carried %+v and %+v", up, down)
	}
}
