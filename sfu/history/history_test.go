package history

import (
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"
)

var starts = []int64{0, 1, 0x7FFE, 0x7FFF, 0x8000, 0x8001, 0xFFFE, 0xFFFF, 0x10000, 0x10001, -1, -0x8000, -0xFFFF, 1 << 31, 1<<32 - 1, 1 << 40}

func payload(seq int64, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(seq) + byte(i)
	}
	return b
}

func check(t interface{ Fatalf(string, ...any) }, p *Packet, seq int64, n int) {
	if p.Sequence != seq || len(p.Payload) != n {
		t.Fatalf("asked for %d of %d bytes, got %d of %d", seq, n, p.Sequence, len(p.Payload))
	}
	for i, v := range p.Payload {
		if v != byte(seq)+byte(i) {
			t.Fatalf("%d: byte %d overwritten", seq, i)
		}
	}
}

func TestTheNewestPacketsAreHeld(t *testing.T) {
	for _, start := range starts {
		h := New(64, 1<<16)
		if _, ok := h.Get(start); ok {
			t.Fatal("found in an empty history")
		}
		for i := range int64(1000) {
			h.Put(&Packet{Sequence: start + i, Payload: payload(start+i, 100)})
		}
		for i := range int64(1000) {
			p, ok := h.Get(start + i)
			if ok != (i >= 1000-64) {
				t.Fatalf("start %d: packet %d held: %v", start, i, ok)
			}
			if ok {
				check(t, p, start+i, 100)
			}
		}
		if n, ok := h.Newest(); !ok || n != start+999 {
			t.Errorf("newest %d", n)
		}
	}
}

func TestBytesAreBoundedToo(t *testing.T) {
	h := New(1024, 8192)
	for i := range int64(100) {
		h.Put(&Packet{Sequence: i, Payload: payload(i, 1000)})
	}
	held := 0
	for i := range int64(100) {
		if p, ok := h.Get(i); ok {
			check(t, p, i, 1000)
			held++
		}
	}
	if held != 8 {
		t.Errorf("%d packets of 1000 bytes in 8192", held)
	}
}

func TestLatePacketIsFoundAndTooLateOneRefused(t *testing.T) {
	h := New(16, 1<<16)
	h.Put(&Packet{Sequence: 100, Payload: payload(100, 10)})
	if h.Put(&Packet{Sequence: 90, Payload: payload(90, 10)}) == nil {
		t.Error("late packet refused")
	}
	if h.Put(&Packet{Sequence: 84, Payload: payload(84, 10)}) != nil {
		t.Error("too late packet took a newer one's slot")
	}
	if p, ok := h.Get(90); !ok {
		t.Error("late packet not found")
	} else {
		check(t, p, 90, 10)
	}
	if h.Put(&Packet{Sequence: 101, Payload: make([]byte, MaxPayload+1)}) != nil {
		t.Error("oversized packet stored")
	}
	again := h.Put(&Packet{Sequence: 90, Payload: payload(1, 10)})
	check(t, again, 90, 10)
}

func TestADescriptorIsKeptWithItsPayload(t *testing.T) {
	h := New(8, 1<<12)
	for i := range int64(100) {
		h.Put(&Packet{Sequence: i, Payload: payload(i, 600), Dependency: payload(i+1, int(i%3)*50)})
		for back := range min(i, 20) {
			p, ok := h.Get(i - back)
			if !ok {
				continue
			}
			check(t, p, i-back, 600)
			check(t, &Packet{Sequence: i - back + 1, Payload: p.Dependency}, i-back+1, int((i-back)%3)*50)
		}
	}
	if h.Put(&Packet{Sequence: 200, Payload: make([]byte, MaxPayload), Dependency: make([]byte, 1)}) != nil {
		t.Error("oversized packet stored")
	}
}

func TestNewestKeyframeWhileItIsHeld(t *testing.T) {
	h := New(8, 1<<16)
	if _, ok := h.Keyframe(); ok {
		t.Error("keyframe in an empty history")
	}
	for i := range int64(10) {
		h.Put(&Packet{Sequence: i, Keyframe: i == 1 || i == 4})
		at, ok := h.Keyframe()
		switch {
		case i == 0 && ok, i >= 1 && i < 4 && (!ok || at != 1), i >= 4 && (!ok || at != 4):
			t.Fatalf("after %d: %d %v", i, at, ok)
		}
	}
	for i := int64(10); i < 20; i++ {
		h.Put(&Packet{Sequence: i})
	}
	if _, ok := h.Keyframe(); ok {
		t.Error("an overwritten keyframe is offered")
	}
	h.Reset()
	if _, ok := h.Get(19); ok {
		t.Error("found after Reset")
	}
}

func TestWhatIsFoundIsWhatWasPut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := New(rapid.IntRange(1, 64).Draw(t, "packets"), rapid.IntRange(0, 16384).Draw(t, "bytes"))
		next := rapid.SampledFrom(starts).Draw(t, "start")
		sizes := map[int64]int{}
		for range rapid.IntRange(1, 300).Draw(t, "n") {
			next += rapid.Int64Range(-20, 30).Draw(t, "step")
			n := rapid.IntRange(0, MaxPayload).Draw(t, "size")
			if _, had := sizes[next]; had {
				continue
			}
			if p := h.Put(&Packet{Sequence: next, Payload: payload(next, n)}); p != nil {
				check(t, p, next, n)
				sizes[next] = n
			}
			for seq, n := range sizes {
				if p, ok := h.Get(seq); ok {
					check(t, p, seq, n)
				}
			}
		}
	})
}

func FuzzHistory(f *testing.F) {
	f.Add([]byte{0, 1, 100, 0, 2, 200, 0xFF, 0xFF, 3})
	f.Fuzz(func(t *testing.T, b []byte) {
		h := New(32, 4096)
		for ; len(b) >= 3; b = b[3:] {
			seq := int64(int16(binary.BigEndian.Uint16(b)))
			if _, had := h.Get(seq); had {
				continue
			}
			if p := h.Put(&Packet{Sequence: seq, Payload: payload(seq, int(b[2]))}); p != nil {
				check(t, p, seq, int(b[2]))
			}
		}
	})
}

func TestTheHotPathAllocatesNothing(t *testing.T) {
	h := New(512, 1<<19)
	p := Packet{Payload: make([]byte, 1100)}
	h.Put(&p)
	if n := testing.AllocsPerRun(2000, func() {
		p.Sequence++
		h.Put(&p)
		h.Get(p.Sequence - 5)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkPut(b *testing.B) {
	h := New(1024, 1<<20)
	p := Packet{Payload: make([]byte, 1100)}
	for b.Loop() {
		p.Sequence++
		h.Put(&p)
	}
}

func BenchmarkGet(b *testing.B) {
	h := New(1024, 1<<20)
	for i := range int64(1024) {
		h.Put(&Packet{Sequence: i, Payload: make([]byte, 900)})
	}
	var i int64
	for b.Loop() {
		h.Get(i & 1023)
		i++
	}
}
