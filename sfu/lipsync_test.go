package sfu

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/report"
	"github.com/parleyrtc/parley/sfu/transport"
)

// actor publishes sound and picture, and has a clock that is wrong. The payloads tell when they were captured, on our clock, in
// milliseconds since the beginning.
type actor struct {
	p     *participant
	off   time.Duration // how far its clock is ahead
	ssrc  uint32        // of the sound; the picture's is one more
	steps uint16
}

func enterActor(b *bench, id string, off time.Duration) *actor {
	b.t.Helper()
	must(b.t, b.Join(context.Background(), Join{Room: "room", Participant: id, Open: true}))
	a := &actor{p: b.participant("room", id), off: off, ssrc: 7000}
	r := a.p.room
	r.mu.Lock()
	defer r.unlock()
	microphone, camera := newPublication(a.p, "0", "microphone", false), newPublication(a.p, "1", "camera", true)
	in := &a.p.incoming
	in.mu.Lock()
	in.publications = []*publication{microphone, camera}
	in.sources[a.ssrc], in.sources[a.ssrc+1] = microphone.encodings[0], camera.encodings[0]
	in.codecs[111] = transport.Codec{PayloadType: 111, Codec: packet.Opus}
	in.codecs[96] = transport.Codec{PayloadType: 96, Codec: packet.VP8}
	in.mu.Unlock()
	a.p.replacePublications([]*publication{microphone, camera})
	r.arrange()
	return a
}

// ticks is an RTP timestamp of this actor for a time: it begins anywhere.
func (a *actor) ticks(since time.Duration, rate int64) uint32 {
	return uint32(int64(a.off/time.Microsecond)) + uint32(int64(since)*rate/int64(time.Second))
}

// act sends a packet of sound and one of picture that are captured now, and every second reports on both, by its own clock.
func (a *actor) act(now time.Time, since time.Duration, out *transport.Batch) {
	label := fmt.Sprintf("%s/%d", a.p.id, since.Milliseconds())
	sound := packet.Header{PayloadType: 111, Sequence: a.steps, Timestamp: a.ticks(since, 48000), SSRC: a.ssrc}
	picture := packet.Header{PayloadType: 96, Sequence: a.steps, Timestamp: a.ticks(since, 90000), SSRC: a.ssrc + 1, Marker: true}
	vp8 := append([]byte{0x90, 0x80, 0x80 | byte(a.steps>>8)&0x7f, byte(a.steps), 0}, label...)
	a.p.Packets(now, []transport.Datagram{
		{Arrived: now, Data: append(sound.Append(nil), label...)},
		{Arrived: now, Data: append(picture.Append(nil), vp8...)},
	}, out)
	if a.steps%50 == 0 {
		ntp := report.NTP(now.Add(a.off))
		a.p.RTCP(now, []rtcp.Packet{
			&rtcp.SenderReport{SSRC: a.ssrc, NTPTime: ntp, RTPTime: sound.Timestamp},
			&rtcp.SenderReport{SSRC: a.ssrc + 1, NTPTime: ntp, RTPTime: picture.Timestamp},
		}, out)
	}
	a.steps++
	out.Flush()
}

// captured is who captured a packet, and when.
func captured(t *testing.T, p *rtp.Packet, video bool) (who string, since time.Duration) {
	t.Helper()
	who, ms, _ := strings.Cut(sent(p, video), "/")
	n, err := strconv.Atoi(ms)
	must(t, err)
	return who, time.Duration(n) * time.Millisecond
}

// Two people whose clocks are three seconds fast and three seconds slow are on two pairs, and a third, whose is fast, takes the pair
// of the one whose is slow. By our reports the sound and the picture of each were captured when they were, on our clock.
func TestLipsAreInStepWhateverTheClocksSay(t *testing.T) {
	b := newBench(t, nil)
	registry := &interceptor.Registry{}
	reports := make(chan *rtcp.SenderReport, 4096)
	registry.Add(&tap{reports})
	ear := build(b, "room", "ear", clientOptions{silent: true, pairs: 2, registry: registry})
	ear.pc.OnTrack(func(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
		ear.read(track, receiver)
		ear.readers.Go(func() {
			for {
				if _, _, err := receiver.ReadRTCP(); err != nil {
					return
				}
			}
		})
	})
	must(t, b.Join(context.Background(), Join{Room: "room", Participant: "ear", Open: true, MaxPairs: 2}))
	must(t, ear.offer(false, nil))
	b.awaitKind(Connected, "ear")
	out := b.plane.Batch()
	t.Cleanup(func() { b.plane.Recycle(out) })
	began := time.Now()
	actors := []*actor{enterActor(b, "fast", 3*time.Second), enterActor(b, "slow", -3*time.Second)}
	next := began
	perform := func(stop func() bool) {
		t.Helper()
		for deadline := time.Now().Add(patience); !stop(); {
			if time.Now().After(deadline) {
				t.Fatal("it did not happen")
			}
			for _, a := range actors {
				a.act(next, next.Sub(began), out)
			}
			next = next.Add(20 * time.Millisecond)
			time.Sleep(time.Until(next))
		}
	}
	check := func(want ...string) {
		t.Helper()
		newest := map[uint32]*rtp.Packet{} // of whom is wanted, by source
		videos := map[uint32]bool{}
		seen := map[uint32]int{} // reports since then
		perform(func() bool {
			for pair, slot := range ear.offered.Slots {
				for video, mid := range map[bool]string{false: slot.AudioMID, true: slot.VideoMID} {
					for received := ear.slot(mid); len(received) > 0; {
						p := <-received
						if who, _ := captured(t, p, video); who == want[pair] {
							newest[p.SSRC], videos[p.SSRC] = p, video
						}
					}
				}
			}
			for len(reports) > 0 {
				sr := <-reports
				p := newest[sr.SSRC]
				if p == nil {
					continue
				}
				if seen[sr.SSRC]++; seen[sr.SSRC] == 1 {
					continue // it may have been on its way when the slot changed
				}
				rate := 48000.0
				if videos[sr.SSRC] {
					rate = 90000
				}
				who, since := captured(t, p, videos[sr.SSRC])
				told := report.Time(sr.NTPTime).Add(time.Duration(float64(int32(p.Timestamp-sr.RTPTime)) / rate * float64(time.Second)))
				if off := told.Sub(began.Add(since)); off < -5*time.Millisecond || off > 5*time.Millisecond {
					t.Fatalf("a packet of %s, video %v, was captured %v beside the time that our reports tell", who, videos[sr.SSRC], off)
				}
			}
			done := len(seen) == 4
			for _, n := range seen {
				done = done && n >= 3
			}
			return done
		})
	}
	check("fast", "slow")
	must(t, b.Leave(context.Background(), "room", "slow", "left"))
	actors = []*actor{actors[0], enterActor(b, "third", 3*time.Second)}
	check("fast", "third")
}
