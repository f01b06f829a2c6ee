package witness

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/parleyrtc/parley/bench/verdict"
)

var t0 = time.Unix(1000, 0)

func camera(layers bool) *encoder {
	return &encoder{size: Size{Height: 720, Rate: 1_500_000}, layers: layers, random: rand.New(rand.NewPCG(1, 2))}
}

func TestAnEncoderKeepsItsRate(t *testing.T) {
	for _, layers := range []bool{false, true} {
		e := camera(layers)
		bytes := 0
		for n := range uint32(fps * 20) {
			bytes += e.encode(t0.Add(time.Duration(n)*time.Second/fps), n+1).bytes
		}
		if rate := bytes * 8 / 20; rate < 1_400_000 || rate > 1_600_000 {
			t.Errorf("layers %v: %d bit/s", layers, rate)
		}
	}
}

func TestKeyframesComeOnRequestButNotOneAfterTheOther(t *testing.T) {
	e := camera(true)
	keys := []uint32{}
	for n := range uint32(60) {
		e.wanted = true
		if img := e.encode(t0.Add(time.Duration(n)*time.Second/fps), n+1); img.key() {
			keys = append(keys, n)
		}
	}
	if len(keys) < 5 || len(keys) > 8 || keys[0] != 0 || keys[1] < 9 {
		t.Errorf("%v", keys)
	}
}

// Whatever layers are left out, the rest can be decoded; and a lower layer never needs a higher one.
func TestEveryTemporalLayerStandsAlone(t *testing.T) {
	for top := range uint8(3) {
		e := camera(true)
		var eye verdict.Eye
		sent := 0
		for n := range uint32(200) {
			at := t0.Add(time.Duration(n) * time.Second / fps)
			e.wanted = n == 77
			img := e.encode(at, n+1)
			if img.layer > top {
				continue
			}
			sent++
			eye.See(verdict.Piece{Frame: img.frame, Refers: img.refers, Count: 1, PictureID: img.picture, Captured: at, At: at})
		}
		if len(eye.Shown) != sent || eye.Misnumbered > 0 {
			t.Errorf("up to layer %d: %d of %d frames are shown, %d misnumbered", top, len(eye.Shown), sent, eye.Misnumbered)
		}
	}
}

func TestFramesAreSplitAsLibwebrtcDoes(t *testing.T) {
	for bytes := 1; bytes < 9000; bytes += 7 {
		sizes := split(bytes, mostPayload)
		sum := 0
		for i, size := range sizes {
			sum += size
			if size > mostPayload || i > 0 && (size < sizes[i-1] || size > sizes[0]+1) {
				t.Fatalf("%d bytes are %v", bytes, sizes)
			}
		}
		if sum != bytes || len(sizes) > 1 && len(sizes) != (bytes+mostPayload-1)/mostPayload {
			t.Fatalf("%d bytes are %v", bytes, sizes)
		}
	}
}

func TestWhatIsMissingIsAskedForAtOnceThenOncePerRoundTrip(t *testing.T) {
	s := &incoming{missing: map[int64]*absence{}}
	for _, n := range []uint16{65533, 65534, 1} {
		s.number(n)
	}
	ask, lost := s.due(t0, 60*time.Millisecond)
	if len(ask) != 2 || lost {
		t.Fatalf("asked for %v, want 65535 and 0", ask)
	}
	if ask, _ := s.due(t0.Add(40*time.Millisecond), 60*time.Millisecond); len(ask) != 0 {
		t.Errorf("asked again too soon: %v", ask)
	}
	s.number(0)
	for try := 1; try < mostAsks; try++ {
		if ask, lost := s.due(t0.Add(time.Duration(try)*60*time.Millisecond), 60*time.Millisecond); len(ask) != 1 || ask[0] != 65535 || lost {
			t.Fatalf("try %d: %v %v", try, ask, lost)
		}
	}
	if ask, lost := s.due(t0.Add(time.Hour), 60*time.Millisecond); len(ask) != 0 || !lost {
		t.Errorf("it is given up after ten times: %v %v", ask, lost)
	}
}

func TestREDIsTakenApart(t *testing.T) {
	w := &Witness{sounds: map[uint32][]verdict.Sound{}}
	frame := func(counter int64) []byte {
		b := make([]byte, 1+verdict.SoundStamp)
		verdict.Sound{Source: 5, Counter: counter, Sent: t0}.Write(b[1:])
		return b
	}
	size := byte(1 + verdict.SoundStamp)
	payload := append([]byte{0x80 | opusType, 0x1e, 0x00, size, 0x80 | opusType, 0x0f, 0x00, size, opusType}, frame(7)...)
	payload = append(append(payload, frame(8)...), frame(9)...)
	s := &incoming{ssrc: 1}
	w.redundant(s, payload, firstExtended, t0)
	got := w.sounds[5]
	if len(got) != 3 || w.tally.Copies != 2 || !got[0].Copy || !got[1].Copy || got[2].Copy || got[0].Counter != 7 || got[2].Counter != 9 {
		t.Errorf("%+v", got)
	}
	for n := range payload { // what is cut off does no harm
		w.redundant(s, payload[:n], firstExtended, t0)
	}
}

func TestWhatIsSentAsREDIsUnderstood(t *testing.T) {
	w := &Witness{sounds: map[uint32][]verdict.Sound{}}
	var before []byte
	for counter := range int64(3) {
		payload := make([]byte, soundBytes)
		verdict.Sound{Source: 5, Counter: counter, Sent: t0}.Write(payload[1:])
		w.redundant(&incoming{ssrc: 1}, redundantly(before, payload), firstExtended+counter, t0)
		before = payload
	}
	var got []int64
	for _, s := range w.sounds[5] {
		got = append(got, s.Counter)
	}
	if want := []int64{0, 0, 1, 1, 2}; !slices.Equal(got, want) || w.tally.Copies != 2 || w.tally.Unreadable != 0 {
		t.Errorf("%v, %+v", got, w.tally)
	}
}

func TestAnAnswerIsUnderstood(t *testing.T) {
	a, err := readAnswer("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=extmap:4 " + uriTransportCC +
		"\r\na=simulcast:recv q;h;f\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:2\r\na=ssrc-group:FID 10 11\r\n")
	if err != nil || a.transportCC != 4 || !a.simulcast["1"] || a.simulcast["2"] || a.repairs[11] != 10 {
		t.Errorf("%+v %v", a, err)
	}
}

func TestAnOfferIsLikeABrowsers(t *testing.T) {
	plain := "m=audio 9 x\r\na=ssrc:1 cname:x\r\na=msid:a b\r\n"
	offer := "v=0\r\n" + plain + "m=video 9 x\r\na=ssrc:2 cname:x\r\na=ssrc-group:FID 2 3\r\na=msid:a c\r\na=msid:a c\r\na=rid:q send\r\na=simulcast:send q;h\r\n"
	want := "v=0\r\n" + plain + "m=video 9 x\r\na=msid:a c\r\na=rid:q send\r\na=simulcast:send q;h\r\n"
	if got := likeBrowsers(offer); got != want {
		t.Errorf("%q", got)
	}
}
