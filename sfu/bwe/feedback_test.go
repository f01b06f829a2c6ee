package bwe

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtcp"
)

var (
	t0     = time.Unix(1000, 0)
	starts = []int64{0, 1, 0x7FFE, 0x8000, 0xFFFD, 0xFFFE, 0xFFFF, 0x10000, 0x1FFFE, 1<<32 - 2, 1 << 40}
)

const tick = time.Millisecond

// filled is a history of n packets from a number on, one every millisecond.
func filled(start int64, n int) *history {
	var h history
	for i := range n {
		h.add(start+int64(i), packet{sent: time.Duration(i) * tick, size: 1000, fate: waiting})
	}
	return &h
}

// message tells of packets from base on: a number is the arrival in µs after the one before, -1 that it did not arrive.
func message(base int64, reference uint32, deltas ...int64) *rtcp.TransportLayerCC {
	fb := &rtcp.TransportLayerCC{BaseSequenceNumber: uint16(base), PacketStatusCount: uint16(len(deltas)), ReferenceTime: reference}
	for _, d := range deltas {
		symbol := rtcp.TypeTCCPacketNotReceived
		if d >= 0 {
			symbol = rtcp.TypeTCCPacketReceivedLargeDelta
			fb.RecvDeltas = append(fb.RecvDeltas, &rtcp.RecvDelta{Type: symbol, Delta: d})
		}
		fb.PacketChunks = append(fb.PacketChunks, &rtcp.RunLengthChunk{PacketStatusSymbol: symbol, RunLength: 1})
	}
	return fb
}

// raw is a message as it is on the wire.
func raw(fb *rtcp.TransportLayerCC) []byte {
	fb.Header = rtcp.Header{Count: rtcp.FormatTCC, Type: rtcp.TypeTransportSpecificFeedback, Length: fb.Len()/4 - 1}
	b, err := fb.Marshal()
	if err != nil {
		panic(err)
	}
	return b
}

func TestAMessageIsMatchedWithWhatWasSent(t *testing.T) {
	for _, s := range starts {
		var d decoder
		got := d.decode(filled(s, 10), raw(message(s+2, 5, 1000, -1, 250)))
		want := []report{
			{seq: s + 2, arrived: 5*64*tick + tick, fate: received, timed: true},
			{seq: s + 3, fate: missing},
			{seq: s + 4, arrived: 5*64*tick + tick + 250*time.Microsecond, fate: received, timed: true},
		}
		if !slices.Equal(got, want) {
			t.Fatalf("from %d: %+v", s, got)
		}
	}
}

func TestWhatIsForgottenIsNeitherLostNorInTheWay(t *testing.T) {
	var d decoder
	h := filled(100, 10)
	got := d.decode(h, raw(message(95, 0, 1000, 1000, -1, 1000, 1000, 1000, -1))) // 95 to 99 were forgotten
	want := []report{{seq: 100, arrived: 5 * tick, fate: received, timed: true}, {seq: 101, fate: missing}}
	if !slices.Equal(got, want) {
		t.Fatalf("%+v", got)
	}
	if got := d.decode(h, raw(message(108, 0, -1, -1, -1, -1))); len(got) != 2 {
		t.Fatalf("what was never sent: %+v", got)
	}
}

func TestHistoryIsBoundedInTimeAndNumber(t *testing.T) {
	var h history
	for i := range int64(100_000) {
		h.add(i, packet{sent: time.Duration(i) * tick})
	}
	if n := h.next - h.oldest; n != int64(keep/tick)+1 || len(h.ring) != 4096 {
		t.Errorf("by time: %d packets in %d places", n, len(h.ring))
	}
	for i := range int64(100_000) {
		h.add(200_000+i, packet{sent: 100 * time.Second})
	}
	if n := h.next - h.oldest; n != maxPackets || len(h.ring) != maxPackets {
		t.Errorf("by number: %d packets in %d places", n, len(h.ring))
	}
	if h.find(200_000) != nil || h.find(299_999) == nil || h.find(300_000) != nil || h.add(5, packet{}) {
		t.Error("the newest are kept, and numbers ascend")
	}
	h.add(1<<50, packet{}) // must not fill the gap one by one
	if h.next-h.oldest != 1 {
		t.Errorf("%d after a jump", h.next-h.oldest)
	}
}

func TestTheReferenceTimeWraps(t *testing.T) {
	var d decoder
	h := filled(0, 10)
	a := d.decode(h, raw(message(0, 1<<24-1, 0)))[0].arrived
	b := d.decode(h, raw(message(1, 1, 0)))[0].arrived
	c := d.decode(h, raw(message(2, 1<<24-2, 0)))[0].arrived // an older message comes late
	if b-a != 2*referenceUnit || c-a != -referenceUnit {
		t.Errorf("%v, then %v, then %v", a, b-a, c-a)
	}
}

// play sends packets of 1000 bytes, one every 10 ms, and reports each 100 ms later; tell may change a message or drop it.
func play(e *Estimator, from, n int64, tell func(i int64, fb *rtcp.TransportLayerCC) *rtcp.TransportLayerCC) {
	for i := from; i < from+n; i++ {
		now := t0.Add(time.Duration(i) * 10 * tick)
		e.Sent(now, i, 1000, 0)
		if i >= from+10 && i%10 == 0 {
			at := (i-10)*10_000 + 5_000_000
			deltas := []int64{at % 64_000, 10_000, 10_000, 10_000, 10_000, 10_000, 10_000, 10_000, 10_000, 10_000}
			if fb := tell(i, message(i-10, uint32(at/64_000), deltas...)); fb != nil {
				e.Feedback(now, raw(fb))
			}
		}
		e.Tick(now)
	}
}

func same(_ int64, fb *rtcp.TransportLayerCC) *rtcp.TransportLayerCC { return fb }

func TestDoubledAndLateMessagesChangeNothing(t *testing.T) {
	plain, odd := New(t0, Config{}), New(t0, Config{})
	play(plain, 0, 1000, same)
	var old *rtcp.TransportLayerCC
	play(odd, 0, 1000, func(i int64, fb *rtcp.TransportLayerCC) *rtcp.TransportLayerCC {
		now := t0.Add(time.Duration(i) * 10 * tick)
		odd.Feedback(now, raw(fb))
		if old != nil {
			odd.Feedback(now, raw(old))
		}
		old = fb
		return fb
	})
	a, b := plain.State(), odd.State()
	if a.Acknowledged != b.Acknowledged || b.Loss != 0 || b.Overusing || b.Target < a.Target*9/10 || b.Target > a.Target*11/10 {
		t.Errorf("%+v\n%+v", a, b)
	}
}

func TestAPacketReportedMissingAndThenReceivedIsNotLost(t *testing.T) {
	e := New(t0, Config{})
	play(e, 0, 1000, func(i int64, fb *rtcp.TransportLayerCC) *rtcp.TransportLayerCC {
		e.Feedback(t0.Add(time.Duration(i)*10*tick), raw(message(i-10, fb.ReferenceTime, -1, -1, -1)))
		return fb
	})
	if s := e.State(); s.Loss != 0 {
		t.Errorf("%+v", s)
	}
}

func TestAReceiversClockMayJump(t *testing.T) {
	e := New(t0, Config{})
	play(e, 0, 1000, same)
	before := e.State()
	play(e, 1000, 500, func(_ int64, fb *rtcp.TransportLayerCC) *rtcp.TransportLayerCC {
		fb.ReferenceTime += 1 << 20
		return fb
	})
	if s := e.State(); s.Queue > 5*tick || s.Overusing || s.Target < before.Target/2 || s.Acknowledged < 700_000 || s.Acknowledged > 900_000 {
		t.Errorf("%+v", s)
	}
}

func TestSilenceLowersTheTargetAndItsEndRestoresIt(t *testing.T) {
	e := New(t0, Config{})
	play(e, 0, 1000, same)
	before := e.Target()
	play(e, 1000, 200, func(int64, *rtcp.TransportLayerCC) *rtcp.TransportLayerCC { return nil })
	if s := e.State(); s.Target > before/2 || s.Reason != Silence {
		t.Errorf("%d before, then %+v", before, s)
	}
	play(e, 1200, 30, same)
	if s := e.State(); s.Target < before || s.Reason == Silence {
		t.Errorf("%d before, then %+v", before, s)
	}
}

func TestAnotherPathIsSearchedAnew(t *testing.T) {
	e := New(t0, Config{})
	var last Probe
	play(e, 0, 500, func(i int64, fb *rtcp.TransportLayerCC) *rtcp.TransportLayerCC {
		if p, ok := e.Probe(t0.Add(time.Duration(i) * 10 * tick)); ok {
			last = p
		}
		return fb
	})
	now := t0.Add(5 * time.Second)
	e.Reroute(now)
	p, ok := e.Probe(now)
	if e.Target() != 300_000 || !ok || p.Cluster <= last.Cluster || p.Rate != 900_000 {
		t.Fatalf("%d, %+v after %+v", e.Target(), p, last)
	}
	e.Feedback(now, raw(message(480, 0, 1000, -1, -1, -1, -1, 500_000))) // of the old path
	if s := e.State(); s.Acknowledged != 0 || s.Reason != Starting {
		t.Errorf("%+v", s)
	}
	play(e, 500, 300, same)
	if s := e.State(); s.Acknowledged < 700_000 || s.Loss != 0 || s.Target < 300_000 {
		t.Errorf("%+v", s)
	}
}

func TestBoundsAreMadeSane(t *testing.T) {
	for _, c := range []Config{{}, {Start: -1, Min: -1, Max: -1}, {Min: 100_000_000}, {Max: 1000}, {Start: math.MaxInt64}, {Min: 5000, Max: 100}} {
		e := New(t0, c)
		if g := e.cfg; g.Min <= 0 || g.Start < g.Min || g.Start > g.Max || e.Target() != g.Start {
			t.Errorf("%+v becomes %+v with %d", c, g, e.Target())
		}
	}
	if e := New(t0, Config{}); e.Target() != 300_000 || e.cfg.Min != 30_000 {
		t.Errorf("%+v", e.cfg)
	}
}

func TestReasonsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for r := Starting; r <= Ceiling+1; r++ {
		seen[r.String()] = true
	}
	if len(seen) != int(Ceiling)+2 || !seen["unknown"] {
		t.Errorf("%v", seen)
	}
}

// A packet that was sent a second time as it was counts as lost, whenever its number is reported: how long it took is not known.
func TestWhatIsSentAgainTellsNoDelay(t *testing.T) {
	e := New(t0, Config{})
	for s := range int64(10) {
		e.Sent(t0.Add(time.Duration(s)*tick), s, 1000, 0)
	}
	e.Feedback(t0.Add(50*tick), raw(message(0, 0, 0, 1000, -1, 2000, 1000, 1000)))
	e.Again(2)
	e.Again(1) // it has arrived already
	e.Again(99)
	e.Feedback(t0.Add(250*tick), raw(message(1, 0, 1000, 200_000, 1000)))
	if p := e.history.find(2); p.fate != missing {
		t.Errorf("its fate is %d", p.fate)
	}
	if p := e.history.find(1); p.fate != received || p.note == again {
		t.Errorf("one that had arrived is %+v", p)
	}
	if e.arrived > 100*tick {
		t.Errorf("the second packet counts as an arrival at %v", e.arrived)
	}
}
