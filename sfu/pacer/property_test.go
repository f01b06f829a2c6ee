package pacer

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/parleyrtc/parley/sfu/bwe"
)

func TestWhateverIsPushed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.Int64Range(1, 100_000_000).Draw(t, "rate")
		p := New[int](t0, bwe.Rate(rate), Config{MaxBytes: 20_000, MaxWait: 50 * ms})
		now := t0
		pushed, left, dropped, paced := 0, 0, 0, int64(0)
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 5000).Draw(t, "µs")) * time.Microsecond)
			if rapid.Bool().Draw(t, "push") {
				p.Push(now, Packet[int]{Item: pushed, Class: Class(rapid.IntRange(0, 2).Draw(t, "class")), Size: rapid.IntRange(0, 1500).Draw(t, "size")})
				pushed++
			}
			out := p.Due(now, nil)
			if len(out) > trainMost {
				t.Fatalf("a train of %d", len(out))
			}
			train := int64(0)
			for _, r := range out {
				left++
				if r.Class != Audio {
					train += int64(r.Size) * 8
				}
			}
			paced += train
			if most := rate*int64(late)/int64(time.Second) + 1500*8; train > most {
				t.Fatalf("a train of %d bits, more than %d", train, most)
			}
			if most := int64(now.Sub(t0).Seconds()*float64(rate)) + rate*int64(late)/int64(time.Second) + 1500*8; paced > most {
				t.Fatalf("%d bits after %v at %d", paced, now.Sub(t0), rate)
			}
			dropped += len(p.Dropped())
			bytes, wait := p.Waiting()
			if bytes < 0 || bytes > 20_000 || wait < 0 {
				t.Fatalf("%d bytes wait for %v", bytes, wait)
			}
			if d := p.Deadline(); (bytes > 0) != !d.IsZero() || !d.IsZero() && (d.Before(now) || d.After(now.Add(burst))) {
				t.Fatalf("%d bytes wait, deadline %v after now", bytes, d.Sub(now))
			}
		}
		now = now.Add(time.Second)
		for i := 0; !p.Deadline().IsZero() && i < 100; i++ {
			left += len(p.Due(now, nil))
			now = now.Add(time.Second)
		}
		if dropped += len(p.Dropped()); left+dropped != pushed {
			t.Fatalf("%d left, %d dropped of %d", left, dropped, pushed)
		}
	})
}

func TestTheHotPathAllocatesNothing(t *testing.T) {
	p := New[int](t0, 5_000_000, Config{})
	out := make([]Release[int], 0, trainMost)
	now, n := t0, 0
	step := func() {
		now = now.Add(2 * ms)
		n++
		p.Push(now, Packet[int]{Class: Class(n % 3), Size: 1200})
		p.SetRate(now, bwe.Rate(5_000_000+n%2))
		if n%100 == 0 {
			p.Probe(now, bwe.Probe{Cluster: 1, Rate: 10_000_000, Bytes: 5000, Packets: 5})
		}
		out = p.Due(now, out[:0])
		p.Dropped()
	}
	for range 1000 {
		step()
	}
	if a := testing.AllocsPerRun(1000, step); a != 0 {
		t.Errorf("%v allocations", a)
	}
}

func BenchmarkPacket(b *testing.B) {
	p := New[int](t0, 100_000_000, Config{})
	out := make([]Release[int], 0, trainMost)
	now := t0
	for b.Loop() {
		now = now.Add(time.Millisecond)
		for range 10 {
			p.Push(now, Packet[int]{Class: Video, Size: 1200})
		}
		out = p.Due(now, out[:0])
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10, "ns/packet")
}

func BenchmarkPass(b *testing.B) {
	p := New[int](t0, 100_000_000, Config{})
	now := t0
	for b.Loop() {
		now = now.Add(time.Millisecond)
		for range 10 {
			if _, ok := p.Pass(now, Video, 1200); !ok {
				b.Fatal("it must wait")
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/10, "ns/packet")
}
