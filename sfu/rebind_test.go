package sfu

import (
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/parleyrtc/parley/bench/netlab"
	"github.com/parleyrtc/parley/sfu/transport"
)

// speak has a client send packet n of audio and of video.
func (c *client) speak(n int) {
	c.t.Helper()
	must(c.t, c.audio.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: uint16(n), Timestamp: uint32(n * 480)}, Payload: []byte(c.label(n))}))
	must(c.t, c.video.WriteRTP(c.picture(n)))
}

// hear returns once packet n of somebody else has come, audio and video, and says how many have come.
func (c *client) hear(from *client, n int) (came int) {
	c.t.Helper()
	for _, video := range []bool{false, true} {
		for {
			came++
			if sent(c.packet(0, video), video) == from.label(n) {
				break
			}
		}
	}
	return came
}

// hears says whether anything has come that was not taken yet.
func (c *client) hears() bool {
	return len(c.slot(c.offered.Slots[0].AudioMID)) > 0 && len(c.slot(c.offered.Slots[0].VideoMID)) > 0
}

// rebound is a call of two, one of them behind a NAT that gives it another port. It returns how many packets each was lost
// afterwards: what the one sent from the new port, and what it was sent once something had come from there.
func rebound(t *testing.T, mechanism transport.Switch) (up, down int) {
	b := newBench(t, func(c *Config) { c.MediaPath, c.Rebinding = transport.FastPath, mechanism })
	path, err := netlab.Open(b.Addresses()[0], netlab.Rules{})
	must(t, err)
	t.Cleanup(path.Close)
	bob := newClient(b, "room", "bob", clientOptions{open: true, answer: path.Rewrite})
	alice := newClient(b, "room", "alice", clientOptions{open: true})
	n := 0
	for ; !bob.hears() || !alice.hears(); n++ {
		bob.speak(n)
		alice.speak(n)
		breathe()
	}
	bob.hear(alice, n-1)
	alice.hear(bob, n-1)
	must(t, path.Rebind())
	const packets = 200
	from := n
	if mechanism == transport.Off {
		for ; !alice.hears(); n++ {
			bob.speak(n)
			breathe()
		}
		return 2*(n-from) - alice.hear(bob, n-1), 0
	}
	for ; n < from+packets; n++ {
		bob.speak(n)
		up += 2 - alice.hear(bob, n)
		alice.speak(n)
		down += 2 - bob.hear(alice, n)
	}
	if moved := b.count("parley_media_moved_total", ""); moved != 1 {
		t.Errorf("%v clients have moved", moved)
	}
	return up, down
}

// A NAT gives a client another port in the middle of a call, and not one packet is lost in either direction from the first one on
// that comes from there: each is waited for before the next is sent. Without the mechanism, all are lost until the next check.
func TestNoPacketIsLostWhenANATForgets(t *testing.T) {
	if up, down := rebound(t, transport.On); up != 0 || down != 0 {
		t.Errorf("%d packets were lost on the way up, %d on the way down", up, down)
	}
	up, _ := rebound(t, transport.Off)
	t.Logf("without the mechanism %d packets were lost on the way up", up)
	if up < 2 {
		t.Errorf("%d packets were lost without the mechanism", up)
	}
}

// breathe is so long that nothing is too much for anybody.
func breathe() { time.Sleep(5 * time.Millisecond) }
