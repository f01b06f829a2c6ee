package sfu

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/transport"
)

// hall is a room in which time passes in packets of 20 ms. The people who speak have no connection: their packets come out of
// the test. Who listens has one.
type hall struct {
	b      *bench
	now    time.Time
	people []*talker
	out    *transport.Batch
}

type talker struct {
	p        *participant
	ssrc     uint32
	sequence uint16
	loud     bool
	said     []int // numbers of the loud packets
}

func newHall(b *bench, people int, sources ...string) *hall {
	h := &hall{b: b, now: time.Now(), out: b.plane.Batch()}
	b.t.Cleanup(func() { b.plane.Recycle(h.out) })
	for i := range people {
		h.enter(fmt.Sprintf("p%02d", i), "microphone")
	}
	for i, source := range sources {
		h.enter(fmt.Sprintf("s%02d", i), source)
	}
	return h
}

// enter lets somebody publish one sound.
func (h *hall) enter(id, source string) *talker {
	h.b.t.Helper()
	must(h.b.t, h.b.Join(context.Background(), Join{Room: "room", Participant: id, Open: true}))
	k := &talker{p: h.b.participant("room", id), ssrc: uint32(1000 + len(h.people)), sequence: uint16(65500 + len(h.people))}
	r := k.p.room
	r.mu.Lock()
	pub := newPublication(k.p, "0", source, false)
	in := &k.p.incoming
	in.mu.Lock()
	in.publications = []*publication{pub}
	in.sources[k.ssrc] = pub.encodings[0]
	in.codecs[111] = transport.Codec{PayloadType: 111, Codec: packet.Opus}
	in.ids.AudioLevel = 1
	in.mu.Unlock()
	k.p.replacePublications([]*publication{pub})
	r.arrange()
	r.unlock()
	h.people = append(h.people, k)
	return k
}

// step lets everybody send one packet. Its payload says whose it is.
func (h *hall) step() {
	h.now = h.now.Add(20 * time.Millisecond)
	for i, k := range h.people {
		head := packet.Header{PayloadType: 111, Sequence: k.sequence, Timestamp: uint32(k.sequence) * 960, SSRC: k.ssrc, AudioLevelID: 1, AudioLevel: uint8(80 + i%5)}
		if k.loud {
			head.AudioLevel = uint8(25 + i%7)
			k.said = append(k.said, int(k.sequence))
		}
		data := append(head.Append(nil), fmt.Sprintf("%s/%d/%040d", k.p.id, k.sequence, 0)...)
		k.sequence++
		k.p.Packets(h.now, []transport.Datagram{{Data: data, Arrived: h.now}}, h.out)
		h.out.Flush()
	}
	// Time here must not overtake the alarms'.
	time.Sleep(time.Until(h.now))
}

func (h *hall) steps(n int) {
	for range n {
		h.step()
	}
}

// speak lets exactly these speak from now on, when the others have been silent for a moment, and waits until a listener has them
// all on pairs.
func (h *hall) speak(listener *client, who ...int) {
	h.b.t.Helper()
	for i, k := range h.people[:20] {
		k.loud = k.loud && slices.Contains(who, i)
	}
	h.steps(25)
	for _, i := range who {
		h.people[i].loud = true
	}
	h.step()
	for _, i := range who {
		k := h.people[i]
		eventually(h.b.t, func() bool {
			r := k.p.room
			r.mu.Lock()
			defer r.mu.Unlock()
			_, on := r.members[listener.id].table.PairOf(k.p.id, false)
			return on
		})
	}
}

// sounds is everything that came on a listener's audio lines, line by line.
func (c *client) sounds() (all []*rtp.Packet) {
	for _, slot := range c.offered.Slots {
		received := c.slot(slot.AudioMID)
		for len(received) > 0 {
			all = append(all, <-received)
		}
	}
	return all
}

// numbers are the publishers' numbers in packets.
func numbers(t *testing.T, packets []*rtp.Packet) (list []int) {
	t.Helper()
	for _, p := range packets {
		n, err := strconv.Atoi(strings.Split(string(p.Payload), "/")[1])
		must(t, err)
		list = append(list, n)
	}
	return list
}

// Twenty microphones are open, and somebody listens on four pairs. What comes down is three streams and the sound of a screen,
// and whoever speaks is heard from the first packet on, on an outgoing stream without a gap.
func TestTwentyOpenMicrophonesAreThreeStreams(t *testing.T) {
	b := newBench(t, nil)
	must(t, b.Join(context.Background(), Join{Room: "room", Participant: "ear", Open: true, MaxPairs: 4}))
	ear := build(b, "room", "ear", clientOptions{silent: true, pairs: 4})
	must(t, ear.offer(false, nil))
	b.awaitKind(Connected, "ear")
	h := newHall(b, 20, "screenAudio")
	h.people[20].loud = true
	h.steps(10)

	for _, who := range [][]int{{15, 16, 17}, {3, 16, 17}, {3, 4, 5}} {
		h.speak(ear, who...)
		h.steps(40)
	}
	speaking := b.await("who speaks", func(e Event) bool { return e.Kind == Speakers && e.Speaker == "p15" })
	if len(speaking.Voices) != 3 {
		t.Errorf("%v are heard", speaking.Voices)
	}
	if who := h.people[0].p.room.speakers.active.Load(); who == nil || !slices.Contains([]string{"p03", "p04", "p05"}, who.id) {
		t.Errorf("%v speaks", who)
	}
	screen, all := h.people[20], map[string][]*rtp.Packet{}
	var order []*rtp.Packet
	eventually(t, func() bool { // what was sent last is under way yet
		for _, p := range ear.sounds() {
			who, _, _ := strings.Cut(string(p.Payload), "/")
			all[who] = append(all[who], p)
			order = append(order, p)
		}
		got := numbers(t, all[screen.p.id])
		return len(got) > 0 && got[len(got)-1] == int(screen.sequence-1)
	})
	steps, voices := len(screen.said), 0
	for _, k := range h.people {
		heard := numbers(t, all[k.p.id])
		if k != screen {
			voices += len(heard)
		}
		for _, n := range k.said {
			if !slices.Contains(heard, n) {
				t.Fatalf("packet %d of %s is missing: said %v, heard %v", n, k.p.id, k.said, heard)
			}
		}
	}
	if voices > 3*steps || voices < 3*40*3 {
		t.Errorf("%d packets of voices in %d steps", voices, steps)
	}
	newest := map[uint32]*rtp.Packet{}
	for _, p := range order {
		if before := newest[p.SSRC]; before != nil && p.SequenceNumber != before.SequenceNumber+1 {
			t.Fatalf("a gap between %v and %v", before, p)
		}
		newest[p.SSRC] = p
	}
}
