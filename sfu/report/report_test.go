package report

import (
	"testing"
	"time"

	"github.com/pion/rtcp"
)

var (
	t0     = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	starts = []int64{0, 1, 0x7FFE, 0x7FFF, 0x8000, 0x8001, 0xFFFE, 0xFFFF, 0x10000, 0x10001, 0x1FFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 1 << 32}
)

const ms = time.Millisecond

func TestNTPRoundTrip(t *testing.T) {
	for _, at := range []time.Time{t0, t0.Add(1), time.Unix(0, 0), time.Date(2036, 2, 7, 6, 28, 15, 999999999, time.UTC), time.Date(2036, 2, 7, 6, 28, 16, 0, time.UTC), time.Date(2100, 1, 1, 0, 0, 0, 5, time.UTC)} {
		if got := Time(NTP(at)); got.Sub(at).Abs() > 1 {
			t.Errorf("%v became %v", at, got)
		}
	}
}

func TestLossAndHighestNumberFromEveryStart(t *testing.T) {
	for _, s := range starts {
		r := NewReceiver(90000)
		if b := r.Report(t0, 9); b.TotalLost != 0 || b.FractionLost != 0 || b.SSRC != 9 {
			t.Fatalf("empty: %+v", b)
		}
		for i := range int64(100) {
			if i%4 != 3 {
				r.Received(t0, s+i, 0)
			}
		}
		b := r.Report(t0, 9)
		if b.TotalLost != 24 || b.FractionLost != 24*256/99 || b.LastSequenceNumber != uint32(s+98) {
			t.Fatalf("start %x: %+v", s, b)
		}
		for i := int64(100); i < 200; i++ {
			r.Received(t0, s+i, 0)
		}
		b = r.Report(t0, 9)
		if b.TotalLost != 25 || b.FractionLost != 1*256/101 || b.LastSequenceNumber != uint32(s+199) {
			t.Fatalf("start %x: %+v", s, b)
		}
	}
}

func TestDuplicatesMakeNoNegativeLossOnTheWire(t *testing.T) {
	r := NewReceiver(48000)
	for range 10 {
		r.Received(t0, 5, 0)
	}
	if b := r.Report(t0, 1); b.TotalLost != 0 || b.FractionLost != 0 || r.Lost() != -9 {
		t.Errorf("%+v", b)
	}
}

func TestJitterOfAnEvenStreamIsZeroAndOfAnUnevenOneIsNot(t *testing.T) {
	for _, first := range []uint32{0, 0xFFFFFF00} {
		even, uneven := NewReceiver(48000), NewReceiver(48000)
		for i := range int64(500) {
			at := t0.Add(time.Duration(i) * 20 * ms)
			even.Received(at, i, first+uint32(i)*960)
			uneven.Received(at.Add(time.Duration(i%2)*10*ms), i, first+uint32(i)*960)
		}
		if j := even.Jitter(); j > time.Microsecond {
			t.Errorf("even: %v", j)
		}
		if j := uneven.Jitter(); j < 9*ms || j > 11*ms {
			t.Errorf("uneven: %v", j)
		}
		if b := uneven.Report(t0, 1); b.Jitter < 432 || b.Jitter > 528 {
			t.Errorf("%d ticks", b.Jitter)
		}
	}
}

func TestRoundTripFromLSRAndDLSR(t *testing.T) {
	for _, base := range []time.Time{t0, time.Unix(0, 0).Add(65535 * time.Second)} {
		var sender Sender
		sender.Sent(100)
		sender.Sent(50)
		sr := sender.Report(base, 1, 77)
		if sr.PacketCount != 2 || sr.OctetCount != 150 || sr.RTPTime != 77 || sender.Packets() != 2 {
			t.Fatalf("%+v", sr)
		}
		peer := NewReceiver(90000) // Its clock may be any other.
		peer.SenderReport(base.Add(30*ms), sr.NTPTime)
		block := peer.Report(base.Add(530*ms), 1)
		rtt, ok := RTT(base.Add(570*ms), block)
		if !ok || (rtt-70*ms).Abs() > ms {
			t.Errorf("%v %v", rtt, ok)
		}
	}
	for _, bad := range []rtcp.ReceptionReport{{}, {LastSenderReport: Middle(NTP(t0)) + 65536}, {LastSenderReport: Middle(NTP(t0)), Delay: 65536}, {LastSenderReport: Middle(NTP(t0.Add(-2 * time.Minute)))}} {
		if rtt, ok := RTT(t0, bad); ok {
			t.Errorf("%+v gives %v", bad, rtt)
		}
	}
}

func TestClockOfAPublisherWhoseTimeIsAnother(t *testing.T) {
	for _, off := range []time.Duration{0, 3 * time.Second, -3 * time.Second, 200 * 24 * time.Hour, -40 * 365 * 24 * time.Hour} {
		var c Clock
		if _, ok := c.Server(NTP(t0)); ok {
			t.Fatal("a time before the first report")
		}
		for i := range 200 {
			now := t0.Add(time.Duration(i) * time.Second)
			delay := time.Duration(20+(i*37)%50) * ms
			c.Observe(now.Add(delay), NTP(now.Add(off)))
		}
		got, ok := c.Server(NTP(t0.Add(200*time.Second + off)))
		if late := got.Sub(t0.Add(200 * time.Second)); !ok || late < 19*ms || late > 25*ms {
			t.Errorf("offset %v: late by %v", off, late)
		}
	}
}

func TestLaterAtThePublisherIsLaterHere(t *testing.T) {
	var c Clock
	last := time.Time{}
	for i := range 2000 {
		now := t0.Add(time.Duration(i) * 100 * ms)
		ntp := NTP(now.Add(time.Duration(i) * 20 * time.Microsecond)) // 200 ppm fast
		delay := 10 * ms
		if i%300 > 200 {
			delay = 400 * ms
		}
		c.Observe(now.Add(delay), ntp)
		at, _ := c.Server(ntp)
		if !at.After(last) {
			t.Fatalf("report %d: %v after %v", i, at, last)
		}
		if i > 100 && i%300 < 200 {
			if off := at.Sub(now); off < 0 || off > 60*ms {
				t.Fatalf("report %d: off by %v", i, off)
			}
		}
		last = at
	}
}

func TestOneHeldUpReportMovesNothingAndAClockThatWasSetDoes(t *testing.T) {
	var c Clock
	at := func(i int) time.Time { return t0.Add(time.Duration(i) * time.Second) }
	c.Observe(at(0), NTP(at(0)))
	c.Observe(at(1).Add(5*time.Second), NTP(at(1)))
	if got, _ := c.Server(NTP(at(2))); got.Sub(at(2)).Abs() > ms {
		t.Errorf("held up: %v", got.Sub(at(2)))
	}
	const set = time.Hour
	c.Observe(at(10), NTP(at(10).Add(set)))
	if got, _ := c.Server(NTP(at(11).Add(set))); got.Sub(at(11)).Abs() > ms {
		t.Errorf("set forward: %v", got.Sub(at(11)))
	}
	for i := 12; i < 15; i++ {
		c.Observe(at(i), NTP(at(i).Add(-set)))
	}
	if got, _ := c.Server(NTP(at(15).Add(-set))); got.Sub(at(15)).Abs() > ms {
		t.Errorf("set back: %v", got.Sub(at(15)))
	}
}

func TestSoundAndPictureOfOnePublisherStayTogether(t *testing.T) {
	var c Clock
	var sound, picture Line
	if _, ok := sound.TimestampAt(&c, t0, 48000); ok {
		t.Fatal("a timestamp before the first report")
	}
	their := func(at time.Time) uint64 { return NTP(at.Add(-3 * time.Second)) }
	sound.SenderReport(their(t0), 0xFFFFFF00)
	c.Observe(t0.Add(10*ms), their(t0))
	picture.SenderReport(their(t0.Add(700*ms)), 5)
	c.Observe(t0.Add(750*ms), their(t0.Add(700*ms)))
	now := t0.Add(1700*ms + 10*ms) // 1.7 s after their t0, on our clock
	s, ok1 := sound.TimestampAt(&c, now, 48000)
	p, ok2 := picture.TimestampAt(&c, now, 90000)
	near := func(got, want uint32) bool { return int32(got-want) >= -1 && int32(got-want) <= 1 }
	first := uint32(0xFFFFFF00)
	if !ok1 || !ok2 || !near(s, first+81600) || !near(p, 90005) {
		t.Errorf("sound %d, picture %d", s-first, p)
	}
	early, _ := picture.TimestampAt(&c, now.Add(-2*time.Second), 90000)
	if twoSeconds := uint32(180000); !near(early+twoSeconds, 90005) {
		t.Errorf("before the report: %d", int32(early))
	}
}

func TestTheHotPathAllocatesNothing(t *testing.T) {
	r := NewReceiver(90000)
	var s Sender
	var seq int64
	if n := testing.AllocsPerRun(1000, func() {
		seq++
		r.Received(t0, seq, uint32(seq))
		s.Sent(1000)
		_ = r.Report(t0, 1)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzClock(f *testing.F) {
	f.Add(uint64(1), int64(5), uint64(1<<63), int64(-5))
	f.Fuzz(func(t *testing.T, a uint64, da int64, b uint64, db int64) {
		var c Clock
		var l Line
		c.Observe(t0.Add(time.Duration(da)), a)
		l.SenderReport(b, 1)
		c.Observe(t0.Add(time.Duration(db)), b)
		c.Server(a)
		l.TimestampAt(&c, t0, 90000)
		RTT(t0, rtcp.ReceptionReport{LastSenderReport: uint32(a), Delay: uint32(b)})
	})
}

func BenchmarkReceived(b *testing.B) {
	r := NewReceiver(90000)
	var seq int64
	for b.Loop() {
		seq++
		r.Received(t0, seq, uint32(seq))
	}
}

func TestReceptionCountsBetweenReports(t *testing.T) {
	var r Reception
	for i, step := range []struct {
		highest, total uint32
		lost, of       int
	}{
		{0xFFF0, 5, 0, 0}, // the first has nothing to be compared with
		{0x10010, 7, 2, 32},
		{0x10010, 7, 0, 0},
		{0x10020, 6, -1, 16},        // one came late
		{0x10040, 0xFFFFFF, -7, 32}, // duplicates: the total is -1
		{0x10020, 9, 0, 0},          // backwards
		{0x10030, 99, 0, 0},         // more than there were
		{0x90000030, 99, 0, 0},
		{0x90000040, 100, 1, 16},
	} {
		b := rtcp.ReceptionReport{LastSequenceNumber: step.highest, TotalLost: step.total, Jitter: uint32(i)}
		if lost, of := r.Report(&b); lost != step.lost || of != step.of || r.Jitter() != uint32(i) {
			t.Errorf("step %d: %d of %d, want %d of %d", i, lost, of, step.lost, step.of)
		}
	}
}
