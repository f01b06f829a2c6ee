package nack

import (
	"slices"
	"testing"
	"time"

	"github.com/pion/rtcp"
)

var starts = []int64{0, 1, 0x7FFE, 0x7FFF, 0x8000, 0x8001, 0xFFFE, 0xFFFF, 0x10000, 0x10001, 0x17FFF, 0x1FFFF, 1<<31 - 1, 1 << 31, 1<<32 - 2, 1 << 40}

const (
	ms  = time.Millisecond
	rtt = 40 * ms
)

var t0 = time.Unix(1000, 0)

func wire(seqs ...int64) []uint16 {
	var out []uint16
	for _, s := range seqs {
		out = append(out, uint16(s))
	}
	return out
}

func expect(t *testing.T, g *Generator, at time.Time, want []uint16, wantGaveUp int) {
	t.Helper()
	got, gaveUp := g.Due(at, rtt, nil)
	if !slices.Equal(got, want) || gaveUp != wantGaveUp {
		t.Fatalf("at %v: asks %d, gave up %d; want %d, %d", at.Sub(t0), got, gaveUp, want, wantGaveUp)
	}
}

func TestALossIsAskedForOncePerRoundTripUntilItComes(t *testing.T) {
	for _, s := range starts {
		g := New(Config{})
		g.Received(t0, s)
		g.Received(t0.Add(ms), s+2)
		expect(t, g, t0.Add(ms), wire(s+1), 0)
		expect(t, g, t0.Add(2*ms), nil, 0)
		if want := t0.Add(51 * ms); g.Deadline() != want {
			t.Fatalf("deadline %v, want %v", g.Deadline().Sub(t0), want.Sub(t0))
		}
		expect(t, g, t0.Add(51*ms), wire(s+1), 0)
		if !g.Received(t0.Add(80*ms), s+1) || g.Received(t0.Add(81*ms), s+1) {
			t.Fatal("recovered exactly once")
		}
		expect(t, g, t0.Add(101*ms), nil, 0)
		if !g.Deadline().IsZero() || g.Outstanding() != 0 {
			t.Fatal("nothing is left to do")
		}
		g.Received(t0.Add(101*ms), s+4) // No packet has overtaken another, so the next gap is asked for at once as well.
		expect(t, g, t0.Add(101*ms), wire(s+3), 0)
	}
}

// disorderly has seen packets overtake each other just now, and continues with 3.
func disorderly(s int64) *Generator {
	g := New(Config{})
	for _, d := range []int64{0, 2, 1} {
		g.Received(t0, s+d)
	}
	return g
}

func TestWherePacketsOvertakeEachOtherAGapIsGivenAMoment(t *testing.T) {
	for _, s := range starts {
		g := disorderly(s)
		for _, d := range []int64{4, 3, 5, 7, 6} {
			g.Received(t0, s+d)
			expect(t, g, t0, nil, 0)
		}
		if g.Outstanding() != 0 {
			t.Fatal("a gap stayed open")
		}
		g.Received(t0, s+9)
		if want := t0.Add(10 * ms); g.Deadline() != want {
			t.Fatalf("deadline %v", g.Deadline())
		}
		expect(t, g, t0.Add(9*ms), nil, 0)
		expect(t, g, t0.Add(10*ms), wire(s+8), 0)
		g.Received(t0.Add(10*ms), s+11)
		expect(t, g, t0.Add(10*ms), nil, 0)
		g.Received(t0.Add(11*ms), s+12) // two have overtaken it
		expect(t, g, t0.Add(11*ms), wire(s+10), 0)
		later := t0.Add(disorder)
		g.Received(later, s+14) // nothing has happened for long
		if got, _ := g.Due(later, rtt, nil); !slices.Contains(got, uint16(s+13)) {
			t.Fatalf("asks %d", got)
		}
	}
}

// What comes sooner than an answer can was only late; an answer is no sign of disorder, nor is what comes on another way.
func TestWhatComesBeforeAnyAnswerWasOvertaken(t *testing.T) {
	for _, tt := range []struct {
		name  string
		after time.Duration
		come  func(g *Generator, at time.Time) bool
		want  bool
	}{
		{"soon", 19 * ms, func(g *Generator, at time.Time) bool { return g.Received(at, 1) }, true},
		{"an answer", 40 * ms, func(g *Generator, at time.Time) bool { return g.Received(at, 1) }, false},
		{"a copy", 0, func(g *Generator, _ time.Time) bool { return g.Repaired(1) }, false},
	} {
		g := New(Config{})
		g.Received(t0, 0)
		g.Received(t0, 2)
		expect(t, g, t0, wire(1), 0)
		at := t0.Add(tt.after)
		if !tt.come(g, at) || g.Repaired(1) || g.Repaired(2) || g.Repaired(3) {
			t.Fatalf("%s: recovered exactly once", tt.name)
		}
		if got := g.disordered(at); got != tt.want {
			t.Errorf("%s: disordered %v", tt.name, got)
		}
	}
}

// Where much gets lost a request is made a second time ten milliseconds later, and not again before the round trip is over.
func TestRequestsAreMadeTwiceWhereMuchGetsLost(t *testing.T) {
	g := New(Config{})
	at, seq := t0, int64(0)
	for range 1000 {
		at = at.Add(ms)
		if seq++; seq%12 == 0 { // 8 %
			seq++
		}
		g.Received(at, seq)
		g.Due(at, rtt, nil)
		for lost := seq - 1; lost > seq-3; lost-- {
			g.Repaired(lost)
		}
	}
	if loss := g.Loss(); loss < 0.06 || loss > 0.1 {
		t.Fatalf("a loss of %.3f", loss)
	}
	g.Received(at, seq+2)
	expect(t, g, at, wire(seq+1), 0)
	expect(t, g, at.Add(9*ms), nil, 0)
	expect(t, g, at.Add(10*ms), wire(seq+1), 0)
	expect(t, g, at.Add(49*ms), nil, 0)
	expect(t, g, at.Add(50*ms), wire(seq+1), 0)
	expect(t, g, at.Add(200*ms), wire(seq+1), 0) // a late timer asks once for both
	g.Received(at, seq+3)
	for range 10 * lossOver {
		g.Received(at, g.highest+1)
	}
	if g.Loss() > 0.01 {
		t.Errorf("a loss of %.3f where nothing is lost any more", g.Loss())
	}
}

func TestTriesRunOut(t *testing.T) {
	g := New(Config{MaxTries: 3})
	g.Received(t0, 10)
	g.Received(t0, 13)
	at := t0
	for range 3 {
		expect(t, g, at, wire(11, 12), 0)
		at = at.Add(50 * ms)
	}
	expect(t, g, at, nil, 2)
	expect(t, g, at.Add(time.Second), nil, 0)
}

func TestWhatIsTooOldIsGivenUp(t *testing.T) {
	g := New(Config{MaxTries: 1000, MaxAge: 100 * ms})
	g.Received(t0, 10)
	g.Received(t0, 13)
	expect(t, g, t0.Add(10*ms), wire(11, 12), 0)
	expect(t, g, t0.Add(60*ms), wire(11, 12), 0)
	expect(t, g, t0.Add(110*ms), nil, 2)
}

func TestAWideGapIsGivenUpAtOnce(t *testing.T) {
	for _, s := range starts {
		g := New(Config{MaxOutstanding: 16})
		g.Received(t0, s)
		g.Received(t0, s+2)
		g.Received(t0, s+1000)
		expect(t, g, t0, nil, 998)
		g.Received(t0, s+1003)
		expect(t, g, t0, wire(s+1001, s+1002), 0)
		if g.Outstanding() != 2 {
			t.Fatalf("%d outstanding", g.Outstanding())
		}
	}
}

func TestOutstandingIsBoundedByForgettingTheOldest(t *testing.T) {
	g := New(Config{MaxOutstanding: 4})
	for i := int64(0); i <= 12; i += 2 {
		g.Received(t0, i)
	}
	expect(t, g, t0, wire(5, 7, 9, 11), 2)
	if g.Outstanding() != 4 {
		t.Fatalf("%d outstanding", g.Outstanding())
	}
}

func TestAKeyframeMakesOlderGapsMoot(t *testing.T) {
	g := New(Config{})
	g.Received(t0, 10)
	g.Received(t0, 13)
	g.Received(t0, 16)
	g.Discard(13)
	expect(t, g, t0.Add(10*ms), wire(14, 15), 0)
	g.Discard(1 << 40)
	expect(t, g, t0.Add(time.Second), nil, 0)
	g.Reset()
	if g.Received(t0, 5) || !g.Deadline().IsZero() {
		t.Fatal("a reset generator starts anew")
	}
}

func TestPairs(t *testing.T) {
	for _, s := range starts {
		seqs := wire(s, s+1, s+16, s+17, s+18, s+100)
		pairs := AppendPairs(nil, seqs)
		if len(pairs) != 3 {
			t.Fatalf("%v", pairs)
		}
		var got []uint16
		for _, p := range pairs {
			got = append(got, p.PacketList()...)
		}
		if !slices.Equal(got, seqs) {
			t.Fatalf("%d, want %d", got, seqs)
		}
	}
}

func TestOnePacketIsNotSentAgainTooOften(t *testing.T) {
	var l Limiter
	at, yes := t0, 0
	for range 1000 {
		if l.Allow(at, 5, rtt) > 0 {
			yes++
		}
		at = at.Add(ms)
	}
	if yes != maxAnswers {
		t.Errorf("%d answers", yes)
	}
	if l.Allow(t0, 6, rtt) != 1 || l.Allow(t0.Add(29*ms), 6, rtt) != 0 || l.Allow(t0.Add(30*ms), 6, rtt) != 2 {
		t.Error("three quarters of a round trip")
	}
	if l.Allow(at, -3, 0) != 1 {
		t.Error("another packet")
	}
}

// Who loses more than half asks for no more than comes, and a wide gap is asked for in one piece once.
func TestNoMoreIsAskedForThanComes(t *testing.T) {
	g := New(Config{})
	at, came, asked := t0, 0, 0
	for seq := int64(0); seq < 20_000; seq++ {
		at = at.Add(ms)
		if seq%10 < 2 || seq < 10 {
			g.Received(at, seq)
			came++
		}
		if due := g.Deadline(); !due.IsZero() && !at.Before(due) {
			got, _ := g.Due(at, rtt, nil)
			asked += len(got)
			if next := g.Deadline(); !next.IsZero() && !next.After(at) {
				t.Fatal("asks to be called again at once")
			}
		}
	}
	if asked > came+g.cfg.MaxOutstanding || asked < came/2 {
		t.Errorf("%d requests after %d packets", asked, came)
	}
	g.Reset()
	g.Received(t0, 0)
	g.Received(t0, 200)
	if got, _ := g.Due(t0, rtt, nil); len(got) != 199 {
		t.Errorf("of a gap of 199 packets %d are asked for", len(got))
	}
}

func TestASecondCopyIsForWhoLosesMuchAndWaitsLong(t *testing.T) {
	for _, tt := range []struct {
		times  int
		loss   float64
		rtt    time.Duration
		needed bool
		want   int
	}{
		{1, 0, 50 * ms, true, 1},
		{8, 0.04, 50 * ms, true, 1}, // not often lost: late
		{2, 0.05, 5 * ms, false, 2},
		{1, 0.07, 50 * ms, true, 1},
		{1, 0.08, 50 * ms, true, 2},
		{1, 0.08, 50 * ms, false, 1}, // nobody waits for it
		{1, 0.3, 20 * ms, true, 1},   // there is time for another request
	} {
		if got := Copies(tt.times, tt.loss, tt.rtt, tt.needed); got != tt.want {
			t.Errorf("%+v: %d copies", tt, got)
		}
	}
}

func FuzzGenerator(f *testing.F) {
	f.Add([]byte{1, 2, 1, 0, 200, 1, 10, 0x81, 5, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		g := New(Config{MaxOutstanding: 8, MaxTries: 3})
		now, seq := t0, int64(0)
		asked := map[int64]int{}
		for ; len(b) >= 2; b = b[2:] {
			now = now.Add(time.Duration(b[0]) * ms)
			seq += int64(int8(b[1]))
			g.Received(now, seq)
			got, _ := g.Due(now, rtt, nil)
			for i, s := range got {
				x := g.highest + int64(int16(s-uint16(g.highest)))
				if asked[x]++; asked[x] > 2*3 || x == seq || i > 0 && s-got[i-1] >= 0x8000 {
					t.Fatalf("asked %d for the %d. time", x, asked[x])
				}
			}
			if g.Outstanding() > 8 || g.Outstanding() > 0 && g.Deadline().IsZero() {
				t.Fatalf("%d outstanding, deadline %v", g.Outstanding(), g.Deadline())
			}
			for g.Outstanding() > 0 && b[0] == 255 { // Left alone, it comes to an end.
				now = g.Deadline()
				g.Due(now, rtt, nil)
			}
		}
	})
}

func TestTheHotPathAllocatesNothing(t *testing.T) {
	g := New(Config{})
	var l Limiter
	now, seq := t0, int64(0)
	seqs, pairs := make([]uint16, 0, 256), make([]rtcp.NackPair, 0, 64)
	step := func() {
		now = now.Add(5 * ms)
		seq += 2
		g.Received(now, seq)
		seqs, _ = g.Due(now, rtt, seqs[:0])
		pairs = AppendPairs(pairs[:0], seqs)
		l.Allow(now, seq, rtt)
	}
	for range 1000 {
		step()
	}
	if n := testing.AllocsPerRun(1000, step); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkReceivedInOrder(b *testing.B) {
	g := New(Config{})
	var seq int64
	for b.Loop() {
		seq++
		g.Received(t0, seq)
	}
}

func BenchmarkTenPercentLoss(b *testing.B) {
	g := New(Config{})
	var seq int64
	now := t0
	dst := make([]uint16, 0, 256)
	for b.Loop() {
		seq++
		now = now.Add(ms)
		if seq%10 != 0 {
			g.Received(now, seq)
		}
		if !now.Before(g.Deadline()) {
			dst, _ = g.Due(now, rtt, dst[:0])
		}
	}
}
