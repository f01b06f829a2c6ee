package pacer

import (
	"testing"
	"time"

	"github.com/parleyrtc/parley/sfu/bwe"
)

const ms = time.Millisecond

var t0 = time.Unix(1000, 0)

func at(d time.Duration) time.Time { return t0.Add(d) }

// sent is a packet that left.
type sent struct {
	at time.Duration
	Release[int]
}

// drive asks at each deadline until a time, never before, and returns what left.
func drive(t *testing.T, p *Pacer[int], from, until time.Duration) []sent {
	t.Helper()
	var out []sent
	last := from - time.Nanosecond
	for !p.Deadline().IsZero() {
		next := max(p.Deadline().Sub(t0), from)
		if next > until {
			break
		}
		if next <= last {
			t.Fatalf("asks again at %v after %v", next, last)
		}
		last = next
		for _, r := range p.Due(at(next), nil) {
			out = append(out, sent{next, r})
		}
	}
	return out
}

func push(p *Pacer[int], now time.Duration, class Class, n, size int) {
	for i := range n {
		p.Push(at(now), Packet[int]{Item: i, Class: class, Size: size})
	}
}

func TestAFrameOfFiveMillisecondsLeavesAsOneTrain(t *testing.T) {
	p := New[int](t0, 10_000_000, Config{}) // 6250 bytes in 5 ms
	push(p, 0, Video, 5, 1200)
	if out := p.Due(t0, nil); len(out) != 5 || !p.Deadline().IsZero() {
		t.Fatalf("%d left, again at %v", len(out), p.Deadline())
	}
	push(p, 33*ms, Video, 6, 1200)
	out := drive(t, p, 33*ms, time.Second)
	if len(out) != 6 || out[4].at != 33*ms || out[5].at == 33*ms {
		t.Fatalf("%+v", out)
	}
}

func TestALargeFrameLeavesAtTheRateInShortTrains(t *testing.T) {
	const rate = 10_000_000
	p := New[int](t0, rate, Config{})
	push(p, 0, Video, 100, 1200) // 96 ms
	out := drive(t, p, 0, time.Second)
	trains := map[time.Duration]int{}
	for i, s := range out {
		if s.Item != i {
			t.Fatal("out of order")
		}
		trains[s.at] += s.Size
		if sent := (i + 1) * 1200 * 8; float64(sent) > rate*(s.at+burst).Seconds()+1200*8 {
			t.Fatalf("%d bits after %v", sent, s.at)
		}
	}
	if len(out) != 100 || out[99].at < 85*ms || out[99].at > 100*ms {
		t.Fatalf("%d packets, the last after %v", len(out), out[len(out)-1].at)
	}
	for when, size := range trains {
		if size > 6250 {
			t.Errorf("a train of %d bytes at %v", size, when)
		}
	}
	if len(trains) > 35 {
		t.Errorf("%d trains: too short for one system call each", len(trains))
	}
}

func TestALateTimerLosesNothingOfTheRate(t *testing.T) {
	p := New[int](t0, 4_000_000, Config{})
	push(p, 0, Video, 100, 1200) // 240 ms
	n, now := 0, time.Duration(0)
	for ; n < 100; now += 7 * ms {
		n += len(p.Due(at(now), nil))
		if now > 400*ms {
			t.Fatalf("%d after %v", n, now)
		}
	}
	if now > 270*ms {
		t.Errorf("took %v", now)
	}
}

func TestATrainIsNotLongerThan64Packets(t *testing.T) {
	p := New[int](t0, 1_000_000_000, Config{})
	push(p, 0, Video, 100, 100)
	if out := p.Due(t0, nil); len(out) != 64 {
		t.Fatalf("%d", len(out))
	}
	if d := p.Deadline(); d != at(ms) {
		t.Fatalf("again at %v", d.Sub(t0))
	}
	if out := p.Due(at(ms), nil); len(out) != 36 {
		t.Fatalf("%d", len(out))
	}
}

func TestSoundNeverWaitsAndIsCharged(t *testing.T) {
	p := New[int](t0, 100_000, Config{})
	push(p, 0, Video, 20, 1200)
	p.Due(t0, nil)
	for now := ms; now < 200*ms; now += 20 * ms {
		push(p, now, Audio, 1, 100)
		if !p.Deadline().Equal(at(now)) {
			t.Fatalf("sound waits until %v", p.Deadline().Sub(t0))
		}
		if out := p.Due(at(now), nil); len(out) == 0 || out[0].Class != Audio {
			t.Fatalf("sound does not leave: %+v", out)
		}
	}
	without := New[int](t0, 100_000, Config{})
	push(without, 0, Video, 20, 1200)
	if a, b := len(drive(t, p, 200*ms, 400*ms)), len(drive(t, without, 0, 400*ms)); a >= b {
		t.Errorf("%d packets of video beside sound, %d without", a, b)
	}
}

func TestRetransmissionsOvertakeVideo(t *testing.T) {
	p := New[int](t0, 1_000_000, Config{})
	push(p, 0, Video, 10, 1200)
	push(p, 0, Retransmission, 2, 1200)
	out := drive(t, p, 0, time.Second)
	if len(out) != 12 || out[0].Class != Retransmission || out[1].Class != Retransmission || out[2].Class != Video {
		t.Fatalf("%+v", out[:3])
	}
}

func TestAFullPacerDropsTheOldestRetransmissionsThenVideoThenSound(t *testing.T) {
	p := New[int](t0, 1000, Config{MaxBytes: 4800})
	push(p, 0, Retransmission, 1, 1200)
	push(p, 0, Video, 3, 1200)
	if d := p.Dropped(); len(d) != 0 {
		t.Fatalf("dropped %+v", d)
	}
	push(p, 0, Audio, 3, 1200)
	d := p.Dropped()
	if len(d) != 3 || d[0].Class != Retransmission || d[1].Class != Video || d[1].Item != 0 || d[2].Item != 1 {
		t.Fatalf("dropped %+v", d)
	}
	push(p, 0, Audio, 2, 1200)
	if d := p.Dropped(); len(d) != 2 || d[0].Class != Video || d[1].Class != Audio {
		t.Fatalf("dropped %+v", d)
	}
	if out := p.Due(t0, nil); len(out) != 4 {
		t.Fatalf("sound: %+v", out)
	}
	push(p, 0, Video, 1, 5000)
	if d := p.Dropped(); len(d) != 1 {
		t.Error("a packet that never fits is dropped")
	}
}

func TestWhatHasWaitedTooLongIsDropped(t *testing.T) {
	p := New[int](t0, 100_000, Config{MaxWait: 100 * ms}) // 1250 bytes in 100 ms
	push(p, 0, Video, 10, 1200)
	push(p, 0, Retransmission, 2, 1200)
	out := drive(t, p, 0, time.Second)
	video, again := 0, 0
	for _, d := range p.Dropped() {
		switch d.Class {
		case Video:
			video++
		case Retransmission:
			again++
		}
	}
	if len(out)+video+again != 12 || video < 8 || again != 1 {
		t.Errorf("%d left, %d of video and %d retransmissions dropped", len(out), video, again)
	}
	if bytes, _ := p.Waiting(); bytes != 0 {
		t.Errorf("%d bytes wait", bytes)
	}
}

func TestAProbeIsFilledWithPadding(t *testing.T) {
	p := New[int](t0, 600_000, Config{})
	push(p, 0, Video, 1, 1000)
	p.Probe(t0, bwe.Probe{Cluster: 7, Rate: 4_000_000, Bytes: 7500, Packets: 5})
	out := drive(t, p, 0, time.Second)
	bytes, trains := 0, map[time.Duration]bool{}
	for i, s := range out {
		if s.Cluster != 7 || (i == 0) != (s.Class == Video) || s.Size > 1200 {
			t.Fatalf("%+v", s)
		}
		bytes += s.Size
		trains[s.at] = true
	}
	if bytes < 7500 || bytes > 8700 || len(out) < 5 || len(trains) < 4 {
		t.Fatalf("%d bytes in %d packets and %d trains", bytes, len(out), len(trains))
	}
	if took := out[len(out)-1].at; took < 10*ms || took > 18*ms {
		t.Errorf("took %v", took)
	}
	push(p, time.Second, Video, 1, 1000)
	if out := drive(t, p, time.Second, 2*time.Second); len(out) != 1 || out[0].Cluster != 0 {
		t.Errorf("after the probe: %+v", out)
	}
}

func TestASlowProbeHasEnoughPackets(t *testing.T) {
	p := New[int](t0, 600_000, Config{})
	p.Probe(t0, bwe.Probe{Cluster: 1, Rate: 900_000, Bytes: 2000, Packets: 5})
	out := drive(t, p, 0, time.Second)
	if len(out) != 5 || out[0].Size != 400 {
		t.Fatalf("%+v", out)
	}
}

func TestAChangedRateHoldsFromNowOn(t *testing.T) {
	p := New[int](t0, 100_000, Config{})
	push(p, 0, Video, 3, 1200)
	p.Due(t0, nil)
	p.SetRate(at(10*ms), 10_000_000)
	if out := drive(t, p, 10*ms, 30*ms); len(out) != 2 {
		t.Errorf("%d left", len(out))
	}
	p.SetRate(at(30*ms), -5)
	if !p.Deadline().IsZero() {
		t.Error("nothing waits")
	}
}

func TestASlowRateHoldsForLargePackets(t *testing.T) {
	p := New[int](t0, 48_000, Config{MaxWait: time.Minute}) // 200 ms each
	push(p, 0, Video, 10, 1200)
	if out := drive(t, p, 0, 999*ms); len(out) != 6 && len(out) != 5 {
		t.Errorf("%d packets in a second", len(out))
	}
}

func TestWhatIsRemovedKeepsTheOrderOfTheRest(t *testing.T) {
	p := New[int](t0, 100_000, Config{})
	push(p, 0, Video, 20, 600)
	push(p, 0, Retransmission, 4, 600)
	p.Remove(t0, func(item int, class Class) bool { return class == Retransmission || item%2 == 0 })
	if d := p.Dropped(); len(d) != 14 {
		t.Fatalf("%d dropped", len(d))
	}
	out := drive(t, p, 0, 500*ms)
	for i, s := range out {
		if s.Item != 2*i+1 || s.Class != Video {
			t.Fatalf("%d. is %+v", i, s)
		}
	}
	if len(out) != 10 {
		t.Errorf("%d left", len(out))
	}
	push(p, time.Second, Video, 5, 600)
	p.Remove(at(time.Second), func(int, Class) bool { return true })
	if bytes, _ := p.Waiting(); bytes != 0 || len(p.Dropped()) != 5 || !p.Deadline().IsZero() {
		t.Errorf("%d bytes still wait", bytes)
	}
}

// What need not wait is the same as what would leave at once if it were pushed, and never overtakes what waits.
func TestWhatPassesIsWhatWouldLeaveAtOnce(t *testing.T) {
	const rate = 10_000_000 // 6250 bytes in 5 ms
	p, q := New[int](t0, rate, Config{}), New[int](t0, rate, Config{})
	passed := 0
	for range 8 {
		if _, ok := p.Pass(t0, Video, 1200); !ok {
			break
		}
		passed++
	}
	push(q, 0, Video, 8, 1200)
	if left := len(q.Due(t0, nil)); left != passed || passed == 0 {
		t.Errorf("%d passed, %d would leave", passed, left)
	}
	push(p, 0, Video, 1, 1200)
	if _, ok := p.Pass(at(time.Second), Video, 100); ok {
		t.Error("it overtook one that waits")
	}
	if _, ok := p.Pass(at(time.Second), Retransmission, 100); !ok {
		t.Error("a repetition waits for new pictures")
	}
	if _, ok := p.Pass(at(time.Second), Padding, 100); ok {
		t.Error("padding passed")
	}
	for range 100 {
		if _, ok := p.Pass(at(time.Second), Audio, 200); !ok {
			t.Fatal("sound waits")
		}
	}
	if _, ok := p.Pass(at(time.Second), Retransmission, 100); ok {
		t.Error("sound was not charged")
	}
}

// What passes counts for the probe under way.
func TestWhatPassesIsPartOfTheProbe(t *testing.T) {
	p := New[int](t0, 1_000_000, Config{})
	p.Probe(t0, bwe.Probe{Cluster: 7, Rate: 3_000_000, Bytes: 1800, Packets: 3})
	for i, want := range []int32{7, 7, 7, 0} {
		if got, ok := p.Pass(at(time.Duration(i+1)*10*ms), Video, 600); !ok || got != want {
			t.Errorf("packet %d is of cluster %d, %v, want %d", i, got, ok, want)
		}
	}
}
