package bwe

import (
	"encoding/binary"
	"math"
	"slices"
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
				e.Feedback(now, raw(message(seq-back, rapid.Uint32Range(0, 1<<24-1).Draw(t, "reference"), deltas...)))
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
				e.Feedback(t0.Add(time.Duration(i)*10*tick), raw(old))
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

// theirs is what pion reads in a message, packet by packet: -1 did not arrive, -2 did without a time, others are the times of arrival
// in µs after the reference time.
func theirs(b []byte) (base uint16, packets []int64, ok bool) {
	var fb rtcp.TransportLayerCC
	if len(b) < 4 || b[1] != byte(rtcp.TypeTransportSpecificFeedback) || fb.Unmarshal(b) != nil {
		return 0, nil, false
	}
	var symbols []uint16
	for _, chunk := range fb.PacketChunks {
		switch c := chunk.(type) {
		case *rtcp.RunLengthChunk:
			symbols = append(symbols, slices.Repeat([]uint16{c.PacketStatusSymbol}, int(c.RunLength))...)
		case *rtcp.StatusVectorChunk:
			symbols = append(symbols, c.SymbolList...)
		}
	}
	at, deltas := int64(0), fb.RecvDeltas
	for _, symbol := range symbols[:min(len(symbols), int(fb.PacketStatusCount))] {
		switch symbol {
		case rtcp.TypeTCCPacketNotReceived:
			packets = append(packets, -1)
		case rtcp.TypeTCCPacketReceivedWithoutDelta:
			packets = append(packets, -2)
		default:
			if len(deltas) == 0 {
				return 0, nil, false
			}
			at += deltas[0].Delta
			packets, deltas = append(packets, at), deltas[1:]
		}
	}
	return fb.BaseSequenceNumber, packets, true
}

// FuzzDecode holds our reading of messages against pion's.
func FuzzDecode(f *testing.F) {
	f.Add(raw(message(0, 1, 0, 10_000, -1, 250)))
	f.Add(raw(&rtcp.TransportLayerCC{BaseSequenceNumber: 3, PacketStatusCount: 40, PacketChunks: []rtcp.PacketStatusChunk{
		&rtcp.RunLengthChunk{PacketStatusSymbol: 1, RunLength: 12},
		&rtcp.StatusVectorChunk{Type: 1, SymbolSize: 0, SymbolList: []uint16{1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0}},
		&rtcp.StatusVectorChunk{Type: 1, SymbolSize: 1, SymbolList: []uint16{2, 0, 3, 1, 0, 0, 2}}, &rtcp.RunLengthChunk{RunLength: 9},
	}, RecvDeltas: slices.Repeat([]*rtcp.RecvDelta{{Type: 1, Delta: 250}}, 12+3+3)}))
	h := filled(0, 1<<13-1)
	f.Fuzz(func(t *testing.T, b []byte) {
		var d decoder
		got := d.decode(h, b)
		base, packets, ok := theirs(b)
		if !ok || len(packets) == 0 || int64(base)+int64(len(packets)) > h.next || int64(base) < h.oldest {
			return
		}
		if len(got) != len(packets) {
			t.Fatalf("%d packets, pion reads %d", len(got), len(packets))
		}
		for i, r := range got {
			want := report{seq: int64(base) + int64(i), fate: received}
			switch packets[i] {
			case -1:
				want.fate = missing
			case -2:
			default:
				want.timed, want.arrived = true, time.Duration(d.reference)*referenceUnit+time.Duration(packets[i])*time.Microsecond
			}
			if r != want {
				t.Fatalf("packet %d: %+v, pion reads %d", i, r, packets[i])
			}
		}
	})
}

func FuzzFeedback(f *testing.F) {
	for _, fb := range []*rtcp.TransportLayerCC{message(0, 1, 0, 10_000, -1, 250), message(0xFFF0, 1<<24-1, -1, -1, 8_000_000), message(100, 0)} {
		f.Add(raw(fb), int64(0), uint16(50))
	}
	f.Fuzz(func(t *testing.T, message []byte, first int64, n uint16) {
		e := New(t0, Config{})
		now := t0
		for i := range int64(n % 500) {
			now = now.Add(tick)
			e.Sent(now, first+i, 1000, int32(i%50/40))
		}
		for range 2 {
			now = now.Add(50 * tick)
			e.Feedback(now, message)
			e.Tick(now)
			sane(t, e, now)
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
	fb := raw(message(i-20, uint32(i), 0, 10_000, 10_000, -1, 10_000, 10_000, 10_000, 10_000, 10_000, 10_000))
	if n := testing.AllocsPerRun(100, func() {
		binary.BigEndian.PutUint16(fb[12:], binary.BigEndian.Uint16(fb[12:])+1)
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
		if seq++; seq%10 == 0 { // a frame
			now = now.Add(33 * tick)
		}
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
	fb := raw(message(0, 0, deltas...))
	first := len(fb) - 2*packets // of its deltas
	var seq int64
	for b.Loop() {
		for range packets {
			now = now.Add(tick)
			e.Sent(now, seq, 1200, 0)
			seq++
		}
		arrived := now.Sub(t0) - packets*tick
		binary.BigEndian.PutUint16(fb[12:], uint16(seq-packets))
		binary.BigEndian.PutUint32(fb[16:], uint32(arrived/referenceUnit)<<8)
		binary.BigEndian.PutUint16(fb[first:], uint16(arrived%referenceUnit/deltaUnit))
		e.Feedback(now, fb)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/packets, "ns/packet")
}
