package bwe

import (
	"math"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"pgregory.net/rapid"
)

// sane fails when something is out of bounds.
func sane(t interface{ Fatalf(string, ...any) }, e *Estimator, now time.Time) {
	s := e.State()
	if s.Target < e.cfg.Min || s.Target > e.cfg.Max || s.Pacing < s.Target || s.Pacing > 2*e.cfg.Max {
		t.Fatalf("target %d, pacing %d", s.Target, s.Pacing)
	}
	for name, v := range map[string]float64{
		"target": e.control.target, "mean": e.control.capacity.mean, "variance": e.control.capacity.variance, "slope": e.trend.slope,
		"threshold": e.trend.threshold, "loss": s.Loss, "inherent": s.Inherent, "budget": e.limited.budget, "before": e.control.before,
	} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			t.Fatalf("%s is %v", name, v)
		}
	}
	if s.Loss < 0 || s.Loss > 1 || s.Inherent < 0 || s.Acknowledged < 0 || s.Queue < 0 {
		t.Fatalf("%+v", s)
	}
	if len(e.history.ring) > maxPackets || cap(e.decoder.reports) > 4*maxPackets {
		t.Fatalf("%d packets, %d reports", len(e.history.ring), cap(e.decoder.reports))
	}
	e.Tick(now)
	if d := e.Deadline(); !d.IsZero() && (!d.After(now) || d.Sub(now) > time.Minute) {
		t.Fatalf("deadline in %v", d.Sub(now))
	}
	if p, ok := e.Probe(now); ok && (p.Rate <= 0 || p.Rate > e.cfg.Max || p.Bytes <= 0 || p.Bytes > int(e.cfg.Max) || p.Packets <= 0) {
		t.Fatalf("%+v", p)
	}
}

func TestWhateverIsReported(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := New(t0, Config{Max: 10_000_000})
		now, seq := t0, rapid.Int64Range(0, 1<<40).Draw(t, "first")
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 400).Draw(t, "wait")) * tick)
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0, 1:
				for range rapid.IntRange(1, 40).Draw(t, "packets") {
					seq += rapid.Int64Range(0, 3).Draw(t, "skip")
					e.Sent(now, seq, rapid.IntRange(-5, 2000).Draw(t, "size"), int32(rapid.IntRange(0, 3).Draw(t, "cluster")))
					now = now.Add(tick)
				}
			case 2, 3:
				deltas := rapid.SliceOfN(rapid.Int64Range(-1, 8_191_000), 1, 60).Draw(t, "deltas")
				back := rapid.Int64Range(-10, 100).Draw(t, "back")
				e.Feedback(now, message(seq-back, rapid.Uint32Range(0, 1<<24-1).Draw(t, "reference"), deltas...))
			default:
				e.SetRTT(time.Duration(rapid.Int64().Draw(t, "rtt")))
				e.SetWant(Rate(rapid.Int64().Draw(t, "want")))
				e.Tick(now)
			}
			sane(t, e, now)
		}
	})
}

// TestAnyOrderOfFeedback delays and drops messages of a healthy path: nothing may collapse.
func TestAnyOrderOfFeedback(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := New(t0, Config{})
		late := rapid.SliceOfN(rapid.IntRange(0, 3), 200, 200).Draw(t, "late")
		held := map[int64][]*rtcp.TransportLayerCC{}
		play(e, 0, 2000, func(i int64, fb *rtcp.TransportLayerCC) *rtcp.TransportLayerCC {
			k := int64(late[i/10])
			held[i/10+k] = append(held[i/10+k], fb)
			for _, old := range held[i/10] {
				e.Feedback(t0.Add(time.Duration(i)*10*tick), old)
			}
			delete(held, i/10)
			return nil
		})
		sane(t, e, t0.Add(20*time.Second))
		if s := e.State(); s.Loss > 0 || s.Target < 300_000 {
			t.Fatalf("%+v", s)
		}
	})
}

func FuzzFeedback(f *testing.F) {
	for _, fb := range []*rtcp.TransportLayerCC{message(0, 1, 0, 10_000, -1, 250), message(0xFFF0, 1<<24-1, -1, -1, 8_000_000), message(100, 0)} {
		fb.Header = rtcp.Header{Count: rtcp.FormatTCC, Type: rtcp.TypeTransportSpecificFeedback, Length: fb.Len()/4 - 1}
		raw, err := fb.Marshal()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, int64(0), uint16(50))
	}
	f.Fuzz(func(t *testing.T, raw []byte, first int64, n uint16) {
		e := New(t0, Config{})
		now := t0
		for i := range int64(n % 500) {
			now = now.Add(tick)
			e.Sent(now, first+i, 1000, int32(i%50/40))
		}
		packets, err := rtcp.Unmarshal(raw)
		if err != nil {
			return
		}
		for range 2 {
			for _, p := range packets {
				if fb, ok := p.(*rtcp.TransportLayerCC); ok {
					now = now.Add(50 * tick)
					e.Feedback(now, fb)
					e.Tick(now)
					sane(t, e, now)
				}
			}
		}
	})
}

func TestTheHotPathAllocatesNothing(t *testing.T) {
	e := New(t0, Config{})
	play(e, 0, 2000, same)
	i := int64(2000)
	if n := testing.AllocsPerRun(1000, func() {
		now := t0.Add(time.Duration(i) * 10 * tick)
		e.Sent(now, i, 1000, 0)
		e.Tick(now)
		e.Probe(now)
		_, _ = e.Target(), e.Pacing()
		i++
	}); n != 0 {
		t.Errorf("%v allocations a packet", n)
	}
	fb := message(i-20, uint32(i), 0, 10_000, 10_000, -1, 10_000, 10_000, 10_000, 10_000, 10_000, 10_000)
	if n := testing.AllocsPerRun(100, func() {
		fb.BaseSequenceNumber++
		e.Feedback(t0.Add(time.Duration(i)*10*tick), fb)
	}); n != 0 {
		t.Errorf("%v allocations a message", n)
	}
}

func BenchmarkSent(b *testing.B) {
	e := New(t0, Config{})
	now := t0
	var seq int64
	for b.Loop() {
		now = now.Add(tick)
		seq++
		e.Sent(now, seq, 1200, 0)
	}
}

func BenchmarkFeedback(b *testing.B) {
	e := New(t0, Config{})
	now := t0
	const packets = 50
	deltas := make([]int64, packets)
	for i := range deltas {
		deltas[i] = 1000
	}
	fb := message(0, 0, deltas...)
	var seq int64
	for b.Loop() {
		for range packets {
			now = now.Add(tick)
			e.Sent(now, seq, 1200, 0)
			seq++
		}
		arrived := now.Sub(t0) - packets*tick
		fb.BaseSequenceNumber, fb.ReferenceTime = uint16(seq-packets), uint32(arrived/referenceUnit)
		fb.RecvDeltas[0].Delta = (arrived % referenceUnit).Microseconds()
		e.Feedback(now, fb)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/packets, "ns/packet")
}
