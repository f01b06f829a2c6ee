package verdict

import (
	"testing"
	"time"
)

const ms = time.Millisecond

var t0 = time.Unix(1000, 0)

// piece is packet index of count of a frame taken at 33 ms steps, and come so long after.
func piece(frame, refers uint32, index, count uint8, after time.Duration) Piece {
	captured := t0.Add(time.Duration(frame) * 33 * ms)
	return Piece{Frame: frame, Refers: refers, Index: index, Count: count, PictureID: uint16(frame), Height: 720, Captured: captured, At: captured.Add(after)}
}

func shownFrames(e *Eye) []uint32 {
	var out []uint32
	for _, s := range e.Shown {
		out = append(out, s.Frame)
	}
	return out
}

func expect(t *testing.T, e *Eye, want ...uint32) {
	t.Helper()
	got := shownFrames(e)
	if len(got) != len(want) {
		t.Fatalf("shown %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("shown %v, want %v", got, want)
		}
	}
}

func TestAFrameNeedsAllOfItsPiecesAndWhatItRefersTo(t *testing.T) {
	var e Eye
	e.See(piece(2, 1, 0, 1, 0)) // nothing to refer to
	expect(t, &e)
	e.See(piece(1, 1, 1, 2, 40*ms)) // half a keyframe
	e.See(piece(1, 1, 1, 2, 41*ms)) // the same half again
	expect(t, &e)
	if !e.See(piece(1, 1, 0, 2, 50*ms)) {
		t.Error("the other half shows it")
	}
	expect(t, &e, 1, 2)
	if at := e.Shown[1].At; !at.Equal(t0.Add(83 * ms)) {
		t.Errorf("the second one waited for the first, and is shown %v later", at.Sub(t0))
	}
	e.See(piece(4, 2, 0, 1, 0)) // frame 3 was of a layer that nobody refers to
	e.See(piece(3, 2, 0, 1, 90*ms))
	expect(t, &e, 1, 2, 4)
}

func TestAnotherEncodingBeginsWithAKeyframe(t *testing.T) {
	var e Eye
	e.See(piece(1, 1, 0, 1, 0))
	larger := piece(2, 1, 0, 1, 0)
	larger.Encoding = 1
	e.See(larger)
	expect(t, &e, 1)
	if e.Blind().IsZero() {
		t.Error("there is a picture that cannot be decoded")
	}
	key := piece(3, 3, 0, 1, 0)
	key.Encoding = 1
	e.See(key)
	expect(t, &e, 1, 3)
	if !e.Blind().IsZero() {
		t.Error("all is well again")
	}
}

func TestAPictureIdThatGoesBackIsNoticed(t *testing.T) {
	var e Eye
	e.See(piece(1, 1, 0, 1, 0))
	wrong := piece(2, 1, 0, 1, 0)
	wrong.PictureID = 1
	e.See(wrong)
	wrapped := piece(3, 2, 0, 1, 0)
	wrapped.PictureID = 5
	e.See(wrapped)
	if e.Misnumbered != 1 {
		t.Errorf("%d", e.Misnumbered)
	}
}

func TestAFreezeIsWhatBrowsersCallOne(t *testing.T) {
	var shown []Shown
	at := t0
	for range 60 {
		shown = append(shown, Shown{At: at, Captured: at, Height: 720})
		at = at.Add(33 * ms)
	}
	end := at
	for name, row := range map[string]struct {
		gap     time.Duration
		freezes int
	}{"short": {180 * ms, 0}, "long": {190 * ms, 1}} {
		more := append(shown[:60:60], Shown{At: end.Add(row.gap - 33*ms), Captured: end, Height: 360})
		p := Screen(more, t0, end.Add(row.gap))
		if p.Freezes != row.freezes || p.Longest != row.gap || p.Frames != 61 {
			t.Errorf("%s: %+v", name, p)
		}
	}
	if p := Screen(shown, t0, end.Add(2*time.Second)); p.Freezes != 1 || p.Share < 0.5 || p.Share > 0.52 {
		t.Errorf("a freeze that has not ended: %+v", p)
	}
	if p := Screen(nil, t0, t0.Add(time.Second)); p.Share != 1 {
		t.Errorf("nothing at all: %+v", p)
	}
}

func TestLiveAgainIsAPictureTakenAfterTheMoment(t *testing.T) {
	shown := []Shown{{Captured: t0, At: t0.Add(500 * ms)}, {Captured: t0.Add(100 * ms), At: t0.Add(510 * ms)}}
	if at, ok := LiveAgain(shown, t0.Add(50*ms)); !ok || !at.Equal(t0.Add(510*ms)) {
		t.Error(at, ok)
	}
	if _, ok := LiveAgain(shown, t0.Add(time.Second)); ok {
		t.Error("nothing was taken after that")
	}
}

func TestStampsSurviveWhatIsPutInFront(t *testing.T) {
	p := Piece{Source: 7, Encoding: 2, Frame: 9, Refers: 8, Index: 3, Count: 5, Temporal: 1, Height: 360, Captured: t0}
	b := make([]byte, 10+VideoStamp)
	p.Write(b[10:])
	p.At = t0.Add(ms)
	if got, ok := ReadPiece(b, p.At); !ok || got != p {
		t.Errorf("%+v %v", got, ok)
	}
	s := Sound{Source: 7, Counter: 12, Sent: t0}
	c := make([]byte, 1+SoundStamp)
	s.Write(c[1:])
	s.At = t0.Add(ms)
	if got, ok := ReadSound(c, s.At); !ok || got != s {
		t.Errorf("%+v %v", got, ok)
	}
	for n := range b {
		if _, ok := ReadPiece(b[:n], t0); ok {
			t.Errorf("%d bytes are a stamp", n)
		}
	}
}
