package sfu

import (
	"encoding/binary"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/parleyrtc/parley/bench/netlab"
	"github.com/parleyrtc/parley/bench/netlab/link"
	"github.com/parleyrtc/parley/sfu/bwe"
)

const (
	filmRate    = 30 // pictures a second
	filmPacket  = 1100
	filmKeyEach = 300 // pictures, unless one is asked for
)

// film publishes sound every 20 ms and pictures of so many bits a second until the client is closed. Each packet says when it was sent.
func (c *client) film(rate int) {
	c.writers.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		sequence, next := uint16(0), 0
		start := time.Now()
		for n := 0; ; n++ {
			select {
			case <-c.stop:
				return
			case <-tick.C:
			}
			if n%2 == 0 {
				_ = c.audio.WriteRTP(&rtp.Packet{Header: rtp.Header{Version: 2, SequenceNumber: uint16(n / 2), Timestamp: uint32(n * 480)},
					Payload: stamp(make([]byte, 80), 0)})
			}
			for ; time.Since(start) >= time.Duration(next)*time.Second/filmRate; next++ {
				size := rate / filmRate / 8
				key := next%filmKeyEach == 0 || c.begged()
				if key {
					size *= 3
				}
				for at := 0; at < size; at += filmPacket {
					_ = c.video.WriteRTP(filmed(next, sequence, key, at == 0, at+filmPacket >= size))
					sequence++
				}
			}
		}
	})
}

// begged says whether a keyframe has been asked for.
func (c *client) begged() bool {
	asked := false
	for {
		select {
		case p := <-c.rtcp:
			_, pli := p.(*rtcp.PictureLossIndication)
			asked = asked || pli
		default:
			return asked
		}
	}
}

// stamp writes when a packet was sent, and a number, to the end of its payload.
func stamp(b []byte, number int) []byte {
	binary.BigEndian.PutUint64(b[len(b)-16:], uint64(time.Now().UnixNano()))
	binary.BigEndian.PutUint64(b[len(b)-8:], uint64(number))
	return b
}

// filmed is one packet of a picture in VP8.
func filmed(picture int, sequence uint16, key, first, last bool) *rtp.Packet {
	payload := make([]byte, filmPacket)
	copy(payload, []byte{0x80, 0x80, 0x80 | byte(picture>>8), byte(picture), 1})
	if first {
		payload[0] |= 0x10
	}
	if key {
		payload[4] = 0
	}
	return &rtp.Packet{Header: rtp.Header{Version: 2, Marker: last, SequenceNumber: sequence, Timestamp: uint32(picture * 90000 / filmRate)},
		Payload: stamp(payload, picture)}
}

// spectator counts what a client is shown.
type spectator struct {
	*client
	mu      sync.Mutex
	sound   []hearing
	packets map[int]int // of a picture
	whole   map[int]time.Time
}

// hearing is one packet of sound.
type hearing struct {
	at    time.Time
	delay time.Duration
}

// watching joins over a network and looks at what comes.
func watching(b *bench, id string, o clientOptions, rules link.Config) *spectator {
	b.t.Helper()
	path, err := netlab.Open(b.Addresses()[0], netlab.Rules{Seed: 5, Down: rules})
	must(b.t, err)
	o.open, o.silent, o.answer = true, true, path.Rewrite
	v := &spectator{packets: map[int]int{}, whole: map[int]time.Time{}}
	v.client = build(b, "room", id, o)
	b.t.Cleanup(path.Close)
	v.pc.OnTrack(v.look)
	must(b.t, b.Join(b.t.Context(), Join{Room: "room", Participant: id, UID: id, Open: true}))
	must(b.t, v.offer(false, nil))
	b.awaitKind(Connected, id)
	return v
}

func (v *spectator) look(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
	v.readers.Go(func() {
		first, size := uint16(0), 0
		for {
			p, _, err := track.ReadRTP()
			if err != nil {
				return
			}
			n := len(p.Payload)
			if n < 16 {
				continue
			}
			now, sent := time.Now(), time.Unix(0, int64(binary.BigEndian.Uint64(p.Payload[n-16:])))
			picture := int(binary.BigEndian.Uint64(p.Payload[n-8:]))
			v.mu.Lock()
			switch {
			case track.Kind() == webrtc.RTPCodecTypeAudio:
				v.sound = append(v.sound, hearing{now, now.Sub(sent)})
			default:
				if p.Payload[0]&0x10 != 0 {
					first, size = p.SequenceNumber, 0
				}
				if size++; p.Marker && p.SequenceNumber-first == uint16(size-1) {
					v.whole[picture] = now
				}
			}
			v.mu.Unlock()
		}
	})
}

// since is the median delay of the sound since a time and how many packets of it there were, and how many whole pictures.
func (v *spectator) since(at time.Time) (delay time.Duration, sounds, pictures int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	var delays []time.Duration
	for _, h := range v.sound {
		if h.at.After(at) {
			delays = append(delays, h.delay)
		}
	}
	for _, shown := range v.whole {
		if shown.After(at) {
			pictures++
		}
	}
	if len(delays) == 0 {
		return time.Hour, 0, pictures
	}
	slices.Sort(delays)
	return delays[len(delays)/2], len(delays), pictures
}

// Three watch the same: one whose narrow network is known, one whose equally narrow network is not, and one with a good network. The
// first hears without the delay and the losses of the second, and the third loses nothing by either.
func TestANarrowNetworkIsNotFilled(t *testing.T) {
	b := newBench(t, nil)
	narrow := link.Config{Rules: link.Rules{Rate: 700_000, Queue: 400 * time.Millisecond, Delay: 20 * time.Millisecond}}
	alice := newClient(b, "room", "alice", clientOptions{open: true})
	b.awaitKind(Connected, "alice")
	known := watching(b, "known", clientOptions{reports: true}, narrow)
	unknown := watching(b, "unknown", clientOptions{}, narrow)
	good := watching(b, "good", clientOptions{reports: true}, link.Config{Rules: link.Rules{Rate: 20_000_000, Delay: 20 * time.Millisecond}})
	plain := watching(b, "plain", clientOptions{}, link.Config{Rules: link.Rules{Rate: 20_000_000, Delay: 20 * time.Millisecond}})
	alice.film(1_500_000)
	time.Sleep(3 * time.Second) // the networks' own time, in which the estimate is made
	from := time.Now()
	time.Sleep(4 * time.Second)
	delay, sounds, pictures := known.since(from)
	delayBefore, soundsBefore, picturesBefore := unknown.since(from)
	goodDelay, goodSounds, goodPictures := good.since(from)
	plainDelay, plainSounds, plainPictures := plain.since(from)
	t.Logf("known: %v, %d sounds, %d pictures; unknown: %v, %d, %d; good: %v, %d, %d; without pacing %v, %d, %d", delay, sounds, pictures,
		delayBefore, soundsBefore, picturesBefore, goodDelay, goodSounds, goodPictures, plainDelay, plainSounds, plainPictures)
	if delay*2 > delayBefore || sounds < soundsBefore {
		t.Errorf("%d packets of sound after %v, without pacing %d after %v", sounds, delay, soundsBefore, delayBefore)
	}
	if goodSounds < plainSounds*9/10 || goodPictures == 0 {
		t.Errorf("with a good network %d pictures and %d packets of sound, without pacing %d and %d", goodPictures, goodSounds, plainPictures, plainSounds)
	}
	b.await("pause", func(e Event) bool {
		return e.Kind == SlotPaused && e.Participant == "known" && e.Paused && e.Pair == 0 && e.Reason == "bandwidth"
	})
	t.Logf("the networks: %+v, %+v", b.state("known"), b.state("good"))
}

// state is what is known of a participant's network.
func (b *bench) state(participant string) bwe.State {
	b.t.Helper()
	p := b.participant("room", participant)
	p.sending.Lock()
	defer p.sending.Unlock()
	if p.outgoing.pace == nil {
		b.t.Fatalf("nothing is known of the network of %s", participant)
	}
	return p.outgoing.pace.estimate.State()
}
