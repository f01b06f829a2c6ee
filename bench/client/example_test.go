package client_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"

	"github.com/parleyrtc/parley/bench/client"
	"github.com/parleyrtc/parley/bench/serve"
)

// echo is a whole bot: it takes every call that rings, and plays back what it hears.
func echo(ctx context.Context, bot *client.Client) error {
	for {
		ring, err := bot.WaitEvent(ctx, "call.incoming")
		if err != nil {
			return err // the connection is closed
		}
		call, err := bot.Accept(ctx, ring.Call().SessionID)
		if err != nil {
			continue // cancelled meanwhile
		}
		voice, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "voice", "echo")
		if err != nil {
			return err
		}
		_, err = bot.Join(ctx, call.SessionID, client.SessionConfig{
			Tracks: []client.LocalTrack{{Track: voice, Source: "microphone"}},
			OnTrack: func(_ int, heard *webrtc.TrackRemote) {
				for packet, _, err := heard.ReadRTP(); err == nil && heard.Kind() == webrtc.RTPCodecTypeAudio; packet, _, err = heard.ReadRTP() {
					_ = voice.WriteRTP(packet) // nobody hears it before the bot's own connection is up
				}
			},
		})
		if err != nil {
			return err
		}
	}
}

// A caller rings the echo bot, says something, hears it again and hangs up; the bot's session ends by itself.
func Example() {
	server, stop := exampleServer()
	defer stop()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	bot, alice := dial(ctx, server, "echo"), dial(ctx, server, "alice")
	defer alice.Close()
	defer bot.Close()
	go func() { _ = echo(ctx, bot) }()

	call, err := alice.Initiate(ctx, "echo", "user", "audio")
	if err != nil {
		log.Fatal(err)
	}
	accepted, err := alice.WaitEvent(ctx, "call.accepted")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the call is", accepted.Call().Status)

	voice, err := webrtc.NewTrackLocalStaticSample(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus}, "voice", "alice")
	if err != nil {
		log.Fatal(err)
	}
	heard := make(chan string, 1)
	session, err := alice.Join(ctx, call.SessionID, client.SessionConfig{
		Tracks: []client.LocalTrack{{Track: voice, Source: "microphone"}},
		OnTrack: func(_ int, track *webrtc.TrackRemote) {
			if packet, _, err := track.ReadRTP(); err == nil {
				heard <- string(packet.Payload)
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for said := ""; said == ""; {
		select {
		case <-tick.C:
			_ = voice.WriteSample(media.Sample{Data: []byte("hello"), Duration: 20 * time.Millisecond})
		case said = <-heard:
			fmt.Println("the echo says", said)
		case <-ctx.Done():
			log.Fatal(ctx.Err())
		}
	}
	over, err := alice.End(ctx, call.SessionID)
	if err != nil {
		log.Fatal(err)
	}
	session.Close()
	fmt.Println("the call is", over.Status)
	// Output:
	// the call is ongoing
	// the echo says hello
	// the call is ended
}

// exampleServer is a server of one's own; in earnest there is one already.
func exampleServer() (server *serve.Process, stop func()) {
	data, err := os.MkdirTemp("", "parley-example")
	if err != nil {
		log.Fatal(err)
	}
	if server, err = serve.New(parleyBinary, data, filepath.Dir(parleyBinary)); err != nil {
		log.Fatal(err)
	}
	if err := server.Start(); err != nil {
		log.Fatal(err)
	}
	return server, func() {
		server.Stop()
		_ = os.RemoveAll(data)
	}
}

// dial connects as somebody whose token the application's back end has made.
func dial(ctx context.Context, server *serve.Process, uid string) *client.Client {
	token, err := server.Token(uid)
	if err != nil {
		log.Fatal(err)
	}
	c, err := client.Dial(ctx, client.Config{URL: server.Socket(), Token: token})
	if err != nil {
		log.Fatal(err)
	}
	return c
}
