package munge

import (
	"testing"
	"time"

	"github.com/parleyrtc/parley/sfu/packet"
)

const (
	camera Source = 1
	screen Source = 2
	frame         = time.Second / 30
)

var (
	t0     = time.Unix(1000, 0)
	starts = []int64{0, 1, 0x7FFE, 0x7FFF, 0x8000, 0x8001, 0xFFFE, 0xFFFF, 0x10000, 0x10001, 0x17FFF, 0x1FFFF, 1<<31 - 1, 1 << 31, 1<<32 - 2, 1 << 40}
)

func video(first uint16) *Stream {
	return New(Config{ClockRate: 90000, Video: true, Sequence: first, Timestamp: 1000})
}

// offer gives s packet n of source, the frame of which is n frames after t0.
func offer(s *Stream, source Source, n int64, key bool) (Out, Verdict) {
	var out Out
	v := s.Map(&In{Source: source, Sequence: n, Timestamp: uint32(n * 3000), Arrived: t0.Add(time.Duration(n) * frame), Start: key}, &out)
	return out, v
}

func want(t *testing.T, s *Stream, source Source, n int64, key bool, verdict Verdict, seq int64) Out {
	t.Helper()
	out, v := offer(s, source, n, key)
	if v != verdict || v == Forward && out.Sequence != seq {
		t.Fatalf("%d/%d: %v %d, want %v %d", source, n, v, out.Sequence, verdict, seq)
	}
	return out
}

func TestASwitchLeavesNoGapFromEveryStart(t *testing.T) {
	for _, a := range starts {
		for _, first := range []uint16{0, 1, 0x7FFE, 0x7FFF, 0x8000, 0xFFFF} {
			s := video(first)
			base := int64(first & 0x7FFF)
			s.Switch(camera)
			if _, v := offer(s, camera, a, false); v != Waiting {
				t.Fatalf("began with a delta frame: %v", v)
			}
			if out := want(t, s, camera, a+1, true, Forward, base); !out.Switched || out.Timestamp != 1000 {
				t.Fatalf("%+v", out)
			}
			want(t, s, camera, a+2, false, Forward, base+1)
			s.Switch(screen)
			want(t, s, screen, 7, false, Waiting, 0)
			if out := want(t, s, camera, a+4, false, Forward, base+3); out.Switched || out.Timestamp != 1000+9000 {
				t.Fatalf("%+v", out)
			}
			out := Out{}
			if v := s.Map(&In{Source: screen, Sequence: 8, Timestamp: 5, Arrived: t0.Add(time.Duration(a+5) * frame), Start: true}, &out); v != Forward || out.Sequence != base+4 || !out.Switched {
				t.Fatalf("%v %+v", v, out)
			}
			if d := out.Timestamp - 13000; d+1 > 2 {
				t.Fatalf("the line broke: %d", out.Timestamp)
			}
			want(t, s, camera, a+3, false, Other, 0) // Late from before the switch.
			want(t, s, screen, 6, false, Late, 0)
			want(t, s, screen, 8, true, Duplicate, 0)
			for wire, back := range map[int64]struct {
				source Source
				seq    int64
			}{0: {camera, a + 1}, 1: {camera, a + 2}, 2: {camera, a + 3}, 3: {camera, a + 4}, 4: {screen, 8}} {
				source, seq, ok := s.Lookup(uint16(base + wire))
				if !ok || source != back.source || seq != back.seq {
					t.Fatalf("%d leads to %d/%d %v", wire, source, seq, ok)
				}
			}
			if _, _, ok := s.Lookup(uint16(base + 5)); ok {
				t.Fatal("a number never given leads somewhere")
			}
		}
	}
}

func TestLossStaysAGapAndALatePacketFillsIt(t *testing.T) {
	s := video(10)
	s.Switch(camera)
	want(t, s, camera, 100, true, Forward, 10)
	want(t, s, camera, 103, false, Forward, 13)
	want(t, s, camera, 101, false, Forward, 11)
	want(t, s, camera, 101, false, Duplicate, 0)
	if source, seq, ok := s.Lookup(12); !ok || source != camera || seq != 102 {
		t.Fatal("what is missing can be asked for")
	}
}

// A source whose place on the line is known begins there, however late it comes; if that is behind the newest picture or far off,
// the line goes on as ever.
func TestASourceBeginsAtItsPlace(t *testing.T) {
	for _, tt := range []struct{ place, want uint32 }{
		{6000, 6000}, // came 50 ms late
		{4000, 4000},
		{1000, 3001}, // was captured before what was shown last
		{3000, 3001},
		{3000 + 90000, 8999},
		{1<<32 - 87000, 8999},
	} {
		s := New(Config{ClockRate: 90000, Video: true})
		var out Out
		s.Switch(camera)
		s.Map(&In{Source: camera, Sequence: 1, Timestamp: 500, Arrived: t0, Start: true}, &out)
		s.Map(&In{Source: camera, Sequence: 2, Timestamp: 3500, Arrived: t0}, &out)
		s.Switch(screen)
		in := In{Source: screen, Sequence: 9, Timestamp: 777, Arrived: t0.Add(time.Second / 15), Start: true, At: tt.place, Placed: true}
		if v := s.Map(&in, &out); v != Forward || out.Timestamp != tt.want {
			t.Errorf("%v, at %d; its place was %d", v, out.Timestamp, tt.place)
		}
	}
}

func TestWhatIsLeftOutClosesUp(t *testing.T) {
	for _, a := range starts {
		s := video(0)
		s.Switch(camera)
		want(t, s, camera, a, true, Forward, 0)
		s.Skip(&In{Source: camera, Sequence: a + 1})
		s.Skip(&In{Source: camera, Sequence: a + 2})
		want(t, s, camera, a+3, false, Forward, 1)
		s.Skip(&In{Source: camera, Sequence: a + 6}) // 4 and 5 are still under way.
		want(t, s, camera, a+7, false, Forward, 4)
		want(t, s, camera, a+4, false, Forward, 2)
		s.Skip(&In{Source: camera, Sequence: a + 5}) // Too late to close up.
		want(t, s, camera, a+5, false, Late, 0)
		want(t, s, camera, a+1, false, Late, 0)
		if _, _, ok := s.Lookup(3); ok {
			t.Fatal("a packet left out is not sent again")
		}
		if _, seq, ok := s.Lookup(4); !ok || seq != a+7 {
			t.Fatalf("4 leads to %d", seq)
		}
	}
}

func TestWhatWasNotWantedForAWhileClosesUpInOneStep(t *testing.T) {
	for _, a := range starts {
		s := New(Config{ClockRate: 48000, Sequence: 0, Timestamp: 1000})
		resume := func(n int64) { s.SkipTo(&In{Source: camera, Sequence: n}) }
		s.Switch(camera)
		resume(a) // Nothing is carried yet.
		want(t, s, camera, a, false, Forward, 0)
		want(t, s, camera, a+2, false, Forward, 2)
		resume(a + 3) // Nothing was left out.
		want(t, s, camera, a+3, false, Forward, 3)
		resume(a + 500)
		if out := want(t, s, camera, a+500, false, Forward, 4); out.Timestamp != 1000+500*3000 {
			t.Fatalf("the line of timestamps broke: %d", out.Timestamp)
		}
		want(t, s, camera, a+499, false, Late, 0)
		want(t, s, camera, a+4, false, Late, 0)
		want(t, s, camera, a+1, false, Forward, 1) // It was wanted, and comes late.
		if _, seq, ok := s.Lookup(4); !ok || seq != a+500 {
			t.Fatalf("4 leads to %d", seq)
		}
	}
}

func TestASwitchDoesNotTakeTheNumberOfAMissingPacket(t *testing.T) {
	s := video(0)
	s.Switch(camera)
	want(t, s, camera, 10, true, Forward, 0)
	s.Skip(&In{Source: camera, Sequence: 12})
	s.Switch(screen)
	want(t, s, screen, 500, true, Forward, 2)
	if source, seq, ok := s.Lookup(1); !ok || source != camera || seq != 11 {
		t.Fatalf("1 leads to %d/%d", source, seq)
	}
}

func TestOwnPacketsTakeNumbersThatLeadNowhere(t *testing.T) {
	s := video(5)
	if n := s.NextSequence(); n != 5 {
		t.Fatalf("before the first source: %d", n)
	}
	s.Switch(camera)
	want(t, s, camera, 100, true, Forward, 6)
	if a, b := s.NextSequence(), s.NextSequence(); a != 7 || b != 8 {
		t.Fatalf("%d %d", a, b)
	}
	want(t, s, camera, 101, false, Forward, 9)
	for wire, ok := range map[uint16]bool{5: false, 6: true, 7: false, 8: false, 9: true} {
		if _, _, got := s.Lookup(wire); got != ok {
			t.Errorf("%d: %v", wire, got)
		}
	}
}

func TestStopAndResume(t *testing.T) {
	s := video(0)
	s.Switch(camera)
	want(t, s, camera, 0, true, Forward, 0)
	s.Switch(0)
	if s.Current() != 0 || s.Target() != 0 {
		t.Fatal("stopped")
	}
	want(t, s, camera, 1, false, Other, 0)
	want(t, s, 0, 1, true, Other, 0)
	s.Switch(camera)
	want(t, s, camera, 300, false, Waiting, 0)
	out := want(t, s, camera, 301, true, Forward, 1)
	if d := out.Timestamp - (999 + 301*3000); d > 2 || s.Current() != camera {
		t.Fatalf("the line did not run on during the pause: %d", out.Timestamp)
	}
	if p := s.Position(t0.Add(302 * frame)); p-out.Timestamp < 2999 || p-out.Timestamp > 3001 {
		t.Fatalf("position %d", p)
	}
	if ts, ok := s.TimestampOf(camera, 301*3000+7); !ok || ts != out.Timestamp+7 {
		t.Fatalf("timestamp %d", ts)
	}
	if _, ok := s.TimestampOf(screen, 0); ok {
		t.Fatal("never carried")
	}
}

func TestAVeryLongPauseKeepsTheLineGoing(t *testing.T) {
	s := video(0)
	s.Switch(camera)
	want(t, s, camera, 0, true, Forward, 0)
	s.Switch(screen)
	var out Out
	later := t0.Add(9 * time.Hour) // More than 2^31 ticks.
	s.Map(&In{Source: screen, Sequence: 1, Arrived: later, Start: true}, &out)
	nine, before := int64(9*3600*90000), out.Timestamp
	if before != 1000+uint32(nine) {
		t.Fatalf("%d", before)
	}
	s.Map(&In{Source: screen, Sequence: 2, Timestamp: 3000, Arrived: later.Add(frame)}, &out)
	s.Switch(camera)
	s.Map(&In{Source: camera, Sequence: 9, Arrived: later.Add(2 * frame), Start: true}, &out)
	if d := out.Timestamp - before; d < 5998 || d > 6002 {
		t.Fatalf("%d ticks on", d)
	}
}

func TestALeapOfThePublisherIsNoGap(t *testing.T) {
	s := video(0)
	s.Switch(camera)
	want(t, s, camera, 0, true, Forward, 0)
	want(t, s, camera, 20000, false, Forward, 1)
	want(t, s, camera, 19999, false, Late, 0)
	s.Skip(&In{Source: camera, Sequence: 40000})
	want(t, s, camera, 40001, false, Forward, 2)
}

func TestAudioBeginsAnywhere(t *testing.T) {
	s := New(Config{ClockRate: 48000, Sequence: 1})
	s.Switch(camera)
	want(t, s, camera, 5, false, Forward, 1)
	s.Switch(screen)
	want(t, s, screen, 5, false, Forward, 2)
}

func TestPictureNumbersGoOnAcrossSources(t *testing.T) {
	s := video(0)
	put := func(source Source, n int64, pid uint16, long bool, tl0, key uint8, start bool) Out {
		t.Helper()
		d := packet.VP8Descriptor{HasPictureID: true, Long: long, PictureID: pid, HasTL0: true, TL0: tl0, HasKeyIdx: true, KeyIdx: key}
		var out Out
		if v := s.Map(&In{Source: source, Sequence: n, Timestamp: uint32(n) * 3000, Arrived: t0.Add(time.Duration(n) * frame), Start: start, VP8: &d}, &out); v != Forward {
			t.Fatalf("%d/%d: %v", source, n, v)
		}
		return out
	}
	is := func(out Out, patch bool, pid uint16, tl0, key uint8) {
		t.Helper()
		if out.Patch != patch || out.PictureID != pid || out.TL0 != tl0 || out.KeyIdx != key {
			t.Fatalf("%+v", out)
		}
	}
	s.Switch(camera)
	is(put(camera, 0, 0x7FFE, true, 255, 31, true), false, 0x7FFE, 255, 31)
	is(put(camera, 1, 0x7FFF, true, 255, 31, false), false, 0x7FFF, 255, 31)
	s.Switch(screen)
	is(put(screen, 50, 90, false, 3, 4, true), true, 0, 0, 0)
	is(put(screen, 51, 91, false, 4, 4, false), true, 1, 1, 0)
	s.Skip(&In{Source: screen, Sequence: 52, VP8: &packet.VP8Descriptor{HasPictureID: true, PictureID: 92}})
	s.Skip(&In{Source: screen, Sequence: 53, VP8: &packet.VP8Descriptor{HasPictureID: true, PictureID: 92}})
	is(put(screen, 54, 93, false, 5, 4, false), true, 2, 2, 0)
	is(put(screen, 55, 93, false, 5, 4, false), true, 2, 2, 0)
	source, n, ok := s.Lookup(3)
	var again Out
	d := packet.VP8Descriptor{HasPictureID: true, PictureID: 91, HasTL0: true, TL0: 4, HasKeyIdx: true, KeyIdx: 4}
	if !ok || !s.Again(&In{Source: source, Sequence: n, Timestamp: 51 * 3000, VP8: &d}, &again) || again.Sequence != 3 {
		t.Fatalf("%d/%d %v %+v", source, n, ok, again)
	}
	is(again, true, 1, 1, 0)
}
