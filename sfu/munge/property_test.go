package munge

import (
	"testing"
	"time"

	"github.com/parleyrtc/parley/sfu/packet"
	"pgregory.net/rapid"
)

// origin is what an outgoing number stood for.
type origin struct {
	source Source
	seq    int64
}

// world offers a stream the packets of several publishers over a road that loses and reorders, and remembers what went out.
type world struct {
	t      interface{ Fatalf(string, ...any) }
	s      *Stream
	now    time.Time
	next   map[Source]int64
	held   []In
	offset map[Source]uint32

	first, highest int64
	sent           map[int64]origin
	times          map[int64]uint32
	pictures       map[int64]uint16
	given          map[origin]bool // Every packet Map or Skip ever saw.
	own            map[int64]bool
}

func newWorld(t interface{ Fatalf(string, ...any) }, first uint16) *world {
	return &world{
		t: t, s: New(Config{ClockRate: 90000, Video: true, Sequence: first, Timestamp: 0xFFFFF000}), now: t0,
		next: map[Source]int64{}, offset: map[Source]uint32{}, first: int64(first & 0x7FFF), highest: -1,
		sent: map[int64]origin{}, times: map[int64]uint32{}, pictures: map[int64]uint16{}, given: map[origin]bool{}, own: map[int64]bool{},
	}
}

func (w *world) make(source Source, key bool) In {
	n := w.next[source]
	w.next[source]++
	return In{
		Source: source, Sequence: n, Start: key, Arrived: w.now,
		Timestamp: w.offset[source] + uint32(w.now.Sub(t0).Milliseconds()*90),
		VP8:       &packet.VP8Descriptor{HasPictureID: true, Long: true, PictureID: uint16(n) & 0x7FFF},
	}
}

func (w *world) offer(in In) {
	var out Out
	from := origin{in.Source, in.Sequence}
	verdict := w.s.Map(&in, &out)
	w.given[from] = true
	if verdict != Forward {
		return
	}
	if other, taken := w.sent[out.Sequence]; taken || w.own[out.Sequence] {
		w.t.Fatalf("number %d for %+v was given to %+v", out.Sequence, from, other)
	}
	if out.Sequence < w.first {
		w.t.Fatalf("number %d before the first %d", out.Sequence, w.first)
	}
	w.sent[out.Sequence], w.times[out.Sequence] = from, out.Timestamp
	w.pictures[out.Sequence] = out.PictureID
	if !out.Patch && out.PictureID != in.VP8.PictureID {
		w.t.Fatalf("%d: another picture id, and no patch", out.Sequence)
	}
	w.highest = max(w.highest, out.Sequence)
	source, seq, ok := w.s.Lookup(uint16(out.Sequence))
	if !ok || source != in.Source || seq != in.Sequence {
		w.t.Fatalf("%d leads to %d/%d, not %+v", out.Sequence, source, seq, from)
	}
	var again Out
	if !w.s.Again(&in, &again) || again.Sequence != out.Sequence || again.Timestamp != out.Timestamp || again.PictureID != out.PictureID {
		w.t.Fatalf("first %+v, again %+v", out, again)
	}
}

// verify holds what went out to the promises of the package.
func (w *world) verify(lossless bool) {
	var last uint32
	var picture uint16
	started := false
	for n := w.first; n <= w.highest; n++ {
		if _, ok := w.sent[n]; !ok {
			if lossless && !w.own[n] {
				w.t.Fatalf("gap at %d", n)
			}
			continue
		}
		if started && int32(w.times[n]-last) < 0 {
			w.t.Fatalf("time ran back at %d", n)
		}
		if lossless && started && w.pictures[n] != (picture+1)&0x7FFF {
			w.t.Fatalf("picture %d after %d", w.pictures[n], picture)
		}
		last, picture, started = w.times[n], w.pictures[n], true
	}
}

func TestNoGapsWhateverTheSwitches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, rapid.Uint16().Draw(t, "first"))
		drive(t, w, 0)
		w.verify(true)
	})
}

func TestNoNumberTwiceWhateverTheRoad(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t, rapid.Uint16().Draw(t, "first"))
		drive(t, w, rapid.IntRange(1, 40).Draw(t, "trouble"))
		w.verify(false)
		for n := max(w.first, w.highest-windowSize+1); n <= w.highest; n++ {
			source, seq, ok := w.s.Lookup(uint16(n))
			if _, was := w.sent[n]; ok && !was && w.own[n] {
				t.Fatalf("our own %d leads to %d/%d", n, source, seq)
			}
		}
	})
}

// drive takes random steps; trouble is the percentage of packets lost and of packets held back.
func drive(t *rapid.T, w *world, trouble int) {
	sources := []Source{1, 2, 3}
	for _, s := range sources {
		w.next[s] = rapid.SampledFrom(starts).Draw(t, "start")
		w.offset[s] = rapid.Uint32().Draw(t, "offset")
	}
	percent := rapid.IntRange(0, 99)
	for range rapid.IntRange(10, 400).Draw(t, "steps") {
		w.now = w.now.Add(time.Duration(rapid.IntRange(0, 40).Draw(t, "ms")) * time.Millisecond)
		source := rapid.SampledFrom(sources).Draw(t, "source")
		switch p := percent.Draw(t, "what"); {
		case p < 4:
			w.s.Switch(source)
		case p < 5:
			w.s.Switch(0)
		case p < 8:
			n := w.s.NextSequence()
			if _, taken := w.sent[n]; taken || w.own[n] {
				t.Fatalf("own number %d was given before", n)
			}
			w.own[n] = true
			w.highest = max(w.highest, n)
		case p < 15:
			in := w.make(source, false)
			w.s.Skip(&in)
		case percent.Draw(t, "lost") < trouble:
			w.next[source]++
		case percent.Draw(t, "held") < trouble:
			w.held = append(w.held, w.make(source, false))
		default:
			w.offer(w.make(source, percent.Draw(t, "key") < 20))
		}
		for len(w.held) > 0 && percent.Draw(t, "release") < 30 {
			in := w.held[0]
			w.held = w.held[1:]
			w.offer(in)
			if percent.Draw(t, "twice") < 10 {
				w.offer(in)
			}
		}
	}
}

func FuzzMap(f *testing.F) {
	f.Add([]byte{0, 1, 16, 1, 32, 5, 48, 2, 64, 9, 16, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		w := newWorld(t, 0xFFFF)
		for ; len(b) >= 2; b = b[2:] {
			w.now = w.now.Add(time.Duration(b[0]&0x0F) * time.Millisecond)
			source := Source(b[1]&1) + 1
			switch b[0] >> 4 {
			case 0:
				w.s.Switch(source)
			case 1:
				w.s.Switch(0)
			case 2:
				n := w.s.NextSequence()
				w.own[n] = true
			case 3:
				in := w.make(source, false)
				w.s.Skip(&in)
			case 4:
				w.next[source] += int64(int8(b[1])) // Hostile numbers, repeats included.
			default:
				in := w.make(source, b[1]&2 != 0)
				var out Out
				if w.s.Map(&in, &out) == Forward {
					if w.own[out.Sequence] {
						t.Fatal("our own number given to a packet")
					}
					if was, taken := w.sent[out.Sequence]; taken && was != (origin{in.Source, in.Sequence}) {
						t.Fatalf("number %d given to %+v and %+v", out.Sequence, was, in)
					}
					w.sent[out.Sequence] = origin{in.Source, in.Sequence}
				}
			}
		}
	})
}

func TestTheHotPathAllocatesNothing(t *testing.T) {
	s := video(0)
	s.Switch(1)
	d := packet.VP8Descriptor{HasPictureID: true}
	in := In{Source: 1, Start: true, Arrived: t0, VP8: &d}
	var out Out
	step := func() {
		in.Sequence++
		in.Timestamp += 3000
		d.PictureID++
		if in.Sequence%3 == 0 {
			s.Skip(&in)
			return
		}
		s.Map(&in, &out)
		s.Lookup(uint16(out.Sequence))
	}
	for range 2000 {
		step()
	}
	if n := testing.AllocsPerRun(2000, step); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkMap(b *testing.B) {
	s := video(0)
	s.Switch(1)
	in := In{Source: 1, Start: true, Arrived: t0}
	var out Out
	for b.Loop() {
		in.Sequence++
		in.Timestamp += 3000
		s.Map(&in, &out)
	}
}

func BenchmarkMapHalfLeftOut(b *testing.B) {
	s := video(0)
	s.Switch(1)
	in := In{Source: 1, Start: true, Arrived: t0}
	var out Out
	for b.Loop() {
		in.Sequence++
		in.Timestamp += 3000
		if in.Sequence&1 == 0 {
			s.Skip(&in)
		} else {
			s.Map(&in, &out)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	s := video(0)
	s.Switch(1)
	in := In{Source: 1, Start: true, Arrived: t0}
	var out Out
	for range 500 {
		in.Sequence++
		if in.Sequence&1 == 0 {
			s.Skip(&in)
		} else {
			s.Map(&in, &out)
		}
	}
	for b.Loop() {
		s.Lookup(uint16(out.Sequence - 20))
	}
}
