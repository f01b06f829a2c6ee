package sfu

import (
	"context"
	"testing"
	"time"

	"github.com/pion/rtcp"
)

// encode publishes video as a browser does: a keyframe at first, and then only when one is asked for. It returns how many
// requests came.
func (c *client) encode() (requests chan int) {
	requests = make(chan int, 1024)
	c.writers.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		wanted, asked := true, 0
		for n := 1; ; n++ {
			for more := true; more; {
				select {
				case <-c.stop:
					return
				case p := <-c.rtcp:
					if _, ok := p.(*rtcp.PictureLossIndication); ok {
						wanted = true
						asked++
						requests <- asked
					}
				default:
					more = false
				}
			}
			<-tick.C
			p := c.picture(n)
			p.Payload[4] = 1
			if wanted {
				p.Payload[4], wanted = 0, false
			}
			_ = c.video.WriteRTP(p)
		}
	})
	return requests
}

// Whoever comes in gets a first picture at once, even when somebody else has just been given one.
func TestAFirstPictureDoesNotWaitForTheSpacing(t *testing.T) {
	b := newBench(t, func(c *Config) { c.KeyframeSpacing = time.Minute })
	alice := newClient(b, "room", "alice", clientOptions{open: true})
	b.awaitKind(Connected, "alice")
	requests := alice.encode()
	for _, id := range []string{"bob", "carol", "dave"} {
		newClient(b, "room", id, clientOptions{silent: true}).packet(0, true)
	}
	if n := len(requests); n > 6 {
		t.Errorf("%d keyframes were asked for", n)
	}
}

// A muted publication's packets go on, and a camera that comes back does so with a keyframe.
func TestMutedMediaGoesOnAndAPictureComesBackWhole(t *testing.T) {
	b := newBench(t, func(c *Config) { c.KeyframeSpacing = time.Millisecond })
	alice := newClient(b, "room", "alice", clientOptions{open: true})
	bob := newClient(b, "room", "bob", clientOptions{silent: true})
	alice.play()
	bob.packet(0, true)
	must(t, b.Mute(context.Background(), "room", "alice", "alice.0", true))
	for range 200 {
		bob.packet(0, false)
	}
	for range 100 { // one of the keyframes that come by themselves may just be in time to be what is wanted
		must(t, b.Mute(context.Background(), "room", "alice", "alice.1", true))
		for len(alice.rtcp) > 0 {
			<-alice.rtcp
		}
		must(t, b.Mute(context.Background(), "room", "alice", "alice.1", false))
		if alice.asked(100 * time.Millisecond) {
			return
		}
	}
	t.Fatal("no keyframe was asked for")
}

// asked says whether a keyframe is asked for before the time is up.
func (c *client) asked(patience time.Duration) bool {
	over := time.After(patience)
	for {
		select {
		case p := <-c.rtcp:
			if _, ok := p.(*rtcp.PictureLossIndication); ok {
				return true
			}
		case <-over:
			return false
		}
	}
}

// Keyframes are asked for so seldom that they take no more than their share, and never more seldom than every two seconds.
func TestKeyframesAreAskedForByWhatTheyCost(t *testing.T) {
	var c cost
	if c.spacing(1_000_000) != 0 {
		t.Error("there is a cost without a keyframe")
	}
	for picture := range uint32(10) {
		for packet := range 10 {
			c.add(picture%5 == 0 && packet == 0, picture, 1000)
		}
	}
	if got, want := c.spacing(400_000), 500*time.Millisecond; got != want { // 10 KB of 50 KB/s, of which two fifths
		t.Errorf("%v, want %v", got, want)
	}
	if got := c.spacing(1000); got != keyframeLongest {
		t.Errorf("%v at a very low rate", got)
	}
	if c.spacing(0) != 0 {
		t.Error("there is a spacing at no rate")
	}
}
