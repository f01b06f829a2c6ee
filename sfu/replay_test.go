package sfu

import (
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/parleyrtc/parley/sfu/history"
	"github.com/parleyrtc/parley/sfu/transport"
)

// footage publishes video with a keyframe in each so many frames, whatever anybody asks for, and counts the requests.
type footage struct {
	newest, asked atomic.Int64
}

func (c *client) footage(every int) *footage {
	f := &footage{}
	c.writers.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-c.stop:
				return
			case p := <-c.rtcp:
				if _, ok := p.(*rtcp.PictureLossIndication); ok {
					f.asked.Add(1)
				}
				n--
				continue
			case <-tick.C:
			}
			p := c.picture(n)
			p.Payload[4] = 1
			if n%every == 0 {
				p.Payload[4] = 0
			}
			f.newest.Store(int64(n))
			_ = c.video.WriteRTP(p)
		}
	})
	return f
}

// shown is the next picture. pion hands up the padding of repetitions, too.
func (c *client) shown() *rtp.Packet {
	c.t.Helper()
	for {
		if p := c.packet(0, true); strings.Contains(string(p.Payload), "/") {
			return p
		}
	}
}

// frame is the number of a picture, and whether it is a keyframe.
func frame(t *testing.T, p *rtp.Packet) (n int, key bool) {
	t.Helper()
	_, text, _ := strings.Cut(sent(p, true), "/")
	n, err := strconv.Atoi(text)
	must(t, err)
	return n, p.Payload[4] == 0
}

// Who comes to a picture that another one sees gets the last keyframe and all that followed, under numbers without a gap, each once,
// and with the distances in time that they had.
func TestANewcomerIsShownWhatCameBefore(t *testing.T) {
	for _, path := range []transport.Path{transport.FastPath, transport.PionPath} {
		t.Run(string(path), func(t *testing.T) {
			b := newBench(t, func(c *Config) { c.MediaPath = path })
			alice := newClient(b, "room", "alice", clientOptions{open: true})
			bob := newClient(b, "room", "bob", clientOptions{silent: true})
			f := alice.footage(50) // each is young enough
			for range 10 {
				bob.packet(0, true)
			}
			for _, id := range []string{"carol", "dave", "erin"} {
				c := newClient(b, "room", id, clientOptions{silent: true, reports: id == "erin"}) // who is sent it through the pacer
				b.awaitKind(Connected, id)
				known := int(f.newest.Load())
				var pictures []*rtp.Packet
				for range 100 {
					pictures = append(pictures, c.shown())
				}
				// What waited for its time and what did not may overtake each other.
				slices.SortFunc(pictures, func(a, b *rtp.Packet) int { return int(int16(a.SequenceNumber - b.SequenceNumber)) })
				first, key := frame(t, pictures[0])
				if !key {
					t.Errorf("%s begins with frame %d, which is no keyframe", id, first)
				}
				if first > known {
					continue // a keyframe came at that very moment
				}
				for i, p := range pictures[1:] {
					got, _ := frame(t, p)
					if last := pictures[i]; got != first+1+i || p.SequenceNumber != last.SequenceNumber+1 || p.Timestamp != last.Timestamp+900 {
						t.Fatalf("%s: frame %d as %d, %d after %d, %d", id, got, p.SequenceNumber, p.Timestamp, last.SequenceNumber, last.Timestamp)
					}
				}
			}
			if b.count("parley_rtp_replayed_total", "") == 0 {
				t.Error("nobody was shown anything that came before them")
			}
		})
	}
}

// Ten who come at once cost the publisher no more keyframes than one who comes now and then.
func TestTenNewcomersCostFewKeyframes(t *testing.T) {
	b := newBench(t, nil)
	alice := newClient(b, "room", "alice", clientOptions{open: true})
	b.awaitKind(Connected, "alice")
	requests := alice.encode()
	newClient(b, "room", "bob", clientOptions{silent: true}).packet(0, true)
	before, began := len(requests), time.Now()
	var clients []*client
	for i := range 10 {
		clients = append(clients, newClient(b, "room", "guest"+itoa(i), clientOptions{silent: true}))
	}
	for _, c := range clients {
		if _, key := frame(t, c.packet(0, true)); !key {
			t.Error("a picture begins without a keyframe")
		}
	}
	// A keyframe serves all who come in the next second.
	if most := 2 + int(time.Since(began)/replayAhead); len(requests)-before > most {
		t.Errorf("%d keyframes were asked for, want %d at most", len(requests)-before, most)
	}
	t.Logf("%d keyframes for ten in %v", len(requests)-before, time.Since(began))
}

// What was sent before the gate opened is shown to nobody afterwards.
func TestNothingFromBeforeTheGateIsReplayed(t *testing.T) {
	b := newBench(t, nil)
	alice := newClient(b, "room", "alice", clientOptions{})
	bob := newClient(b, "room", "bob", clientOptions{silent: true})
	b.awaitKind(Connected, "alice")
	b.awaitKind(Connected, "bob")
	f := alice.footage(100)
	eventually(t, func() bool { return f.newest.Load() > 20 })
	before := int(f.newest.Load())
	must(t, b.OpenRoom(t.Context(), "room"))
	if n, key := frame(t, bob.packet(0, true)); !key || n < before {
		t.Errorf("bob is shown frame %d, keyframe %v; the gate opened after %d", n, key, before)
	}
}

// A slot that has shown somebody until now goes on with a new keyframe of the next: their last one is from before, and time does not
// run backwards.
func TestALineIsNotTakenBackInTime(t *testing.T) {
	b := newBench(t, nil)
	alice := newClient(b, "room", "alice", clientOptions{open: true})
	dave := newClient(b, "room", "dave", clientOptions{})
	erin := newClient(b, "room", "erin", clientOptions{pairs: 2, silent: true}) // sees both, so that both are kept
	bob := newClient(b, "room", "bob", clientOptions{silent: true})
	for _, id := range []string{"alice", "dave", "erin", "bob"} {
		b.awaitKind(Connected, id)
	}
	alice.footage(200)
	f := dave.footage(200)
	erin.packet(0, true)
	erin.packet(1, true)
	bob.packet(0, true)
	eventually(t, func() bool { n := f.newest.Load() % 200; return n > 100 && n < 150 }) // Dave's last keyframe is a second old
	before := int(f.newest.Load())
	must(t, b.Leave(t.Context(), "room", "alice", "test"))
	last := uint32(0)
	for {
		p := bob.shown()
		if int32(p.Timestamp-last) <= 0 && last != 0 {
			t.Fatal("time runs backwards")
		}
		if last = p.Timestamp; !strings.HasPrefix(sent(p, true), "dave") {
			continue
		}
		if n, key := frame(t, p); !key || n < before-50 {
			t.Errorf("bob is shown frame %d of Dave, keyframe %v, after %d had been sent", n, key, before)
		}
		return
	}
}

// The keyframe that such a slot begins with is asked for as soon as it is known what it will show, however young the last one is: it
// is of no use there.
func TestASlotThatGoesOnWithSomebodyElseAsksAtOnce(t *testing.T) {
	f := newFan(t, 1)
	r, l := f.publisher.room, f.subscriptions[0].line
	f.pass([]transport.Datagram{{Arrived: f.now, Data: picture8(0)}})
	r.mu.Lock()
	defer r.unlock()
	for _, nobody := range []bool{true, false} { // who leaves the slot: who has not begun leaves nothing
		before := l.until
		l.carry(nil)
		if l.until.After(before) != nobody {
			t.Errorf("the line was left at %v, before at %v", l.until, before)
		}
		l.carry(f.subscriptions[0].publication)
	}
	other := newPublication(f.publisher, "1", "screen", true)
	e, now := other.encodings[0], time.Now()
	e.ssrc, e.heard = 17, now
	e.history.Put(&history.Packet{Sequence: 1, Arrived: now, Keyframe: true, Payload: []byte{1}})
	for _, after := range []time.Duration{-time.Millisecond, time.Millisecond} {
		l.until = now.Add(after)
		newSubscription(other, l).start(now, replayAge)
		if e.wanted != (after > 0) {
			t.Errorf("a picture was shown until %v after the keyframe: another is wanted %v", after, e.wanted)
		}
	}
	first, _ := e.history.Get(1)
	for _, tt := range []struct {
		name string
		now  time.Time
		line time.Time
		most int
		want bool
	}{
		{"young", now, time.Time{}, 1000, true},
		{"too old", now.Add(replayAge + 1), time.Time{}, 1000, false},
		{"too much", now, time.Time{}, 10, false},
		{"older than what was shown", now, first.Arrived.Add(1), 1000, false},
	} {
		if _, _, ok := e.shown(tt.now, tt.line, tt.most); ok != tt.want {
			t.Errorf("%s: may be replayed: %v", tt.name, ok)
		}
	}
}
