package red

import (
	"bytes"
	"encoding/hex"
	"testing"
)

// The example is from a capture of a browser: one copy of 20 ms before, both Opus with payload type 111.
func TestParse(t *testing.T) {
	whole, _ := hex.DecodeString("ef0f0003" + "6f" + "aabbcc" + "ddeeff11")
	for _, tt := range []struct {
		name string
		b    []byte
		want Payload
		ok   bool
	}{
		{"one copy", whole, Payload{Copies: 1, Primary: 8}, true},
		{"no copy", []byte{111, 1, 2}, Payload{Primary: 1}, true},
		{"empty", nil, Payload{}, false},
		{"no primary", whole[:8], Payload{}, false},
		{"only headers", whole[:5], Payload{}, false},
		{"half a header", whole[:3], Payload{}, false},
		{"copies without end", bytes.Repeat([]byte{0xEF, 0, 4, 0}, 300), Payload{}, false},
	} {
		if got, ok := Parse(tt.b); ok != tt.ok || ok && got != tt.want {
			t.Errorf("%s: %+v %v", tt.name, got, ok)
		}
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	copies := []Copy{{1920, []byte("older")}, {960, []byte("old")}}
	b := append(Append(nil, 111, copies), "new"...)
	p, ok := Parse(b)
	if !ok || p.Copies != 2 || string(b[p.Primary:]) != "new" || string(b[p.Headers():p.Primary]) != "olderold" {
		t.Fatalf("%+v %v", p, ok)
	}
	for i, want := range copies {
		if pt, c := p.Copy(b, i); pt != 111 || c.Offset != want.Offset || !bytes.Equal(c.Frame, want.Frame) {
			t.Errorf("copy %d is %d %+v", i, pt, c)
		}
	}
	Retype(b[:p.Headers()], 109)
	if again := append(Append(nil, 109, copies), "new"...); !bytes.Equal(b, again) {
		t.Errorf("%x, want %x", b, again)
	}
	for _, c := range []Copy{{0, []byte{1}}, {MaxOffset + 1, []byte{1}}, {960, nil}, {960, make([]byte, MaxLength+1)}} {
		if c.Fits() {
			t.Errorf("%d bytes from %d ticks ago fit", len(c.Frame), c.Offset)
		}
	}
	if far := (Copy{MaxOffset, make([]byte, MaxLength)}); !far.Fits() {
		t.Error("the longest does not fit")
	} else if b := append(Append(nil, 1, []Copy{far}), 7); b[len(b)-1] != 7 {
		t.Error("lost")
	} else if p, ok := Parse(b); !ok || p.Primary != len(b)-1 {
		t.Errorf("%+v %v", p, ok)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte{0xef, 0x0f, 0, 3, 0x6f, 1, 2, 3, 4}, uint8(96))
	f.Fuzz(func(t *testing.T, b []byte, payloadType uint8) {
		p, ok := Parse(b)
		if !ok {
			return
		}
		if p.Copies > MaxCopies || p.Headers() > p.Primary || p.Primary >= len(b) {
			t.Fatalf("%x: %+v", b, p)
		}
		for i := range p.Copies {
			if _, c := p.Copy(b, i); len(c.Frame) > MaxLength || c.Offset > MaxOffset {
				t.Fatalf("%x: copy %d is %+v", b, i, c)
			}
		}
		Retype(b[:p.Headers()], payloadType)
		if again, ok := Parse(b); !ok || again != p {
			t.Fatalf("%x: %+v, was %+v", b, again, p)
		}
	})
}

// A second of 50 packets at a time, of which some are lost.
func TestCopiesFollowTheLoss(t *testing.T) {
	var n Need
	for _, step := range []struct {
		seconds, lost, want int
	}{
		{60, 0, 0},
		{10, 1, 0}, // 2 %
		{10, 2, 1}, // 4 %
		{60, 1, 1}, // 2 %: not worth beginning, not enough to end
		{3, 10, 2}, // 20 %
		{20, 4, 2}, // 8 %
		{60, 2, 1},
		{120, 0, 0},
	} {
		for range step.seconds {
			n.Lost(step.lost, 50)
		}
		if n.Distance() != step.want {
			t.Fatalf("%d s with %d of 50 lost: %d copies at %.3f, want %d", step.seconds, step.lost, n.Distance(), n.Loss(), step.want)
		}
	}
}

// Whoever gets by repetition what it lost reports no loss, and still needs copies: a repetition may come too late.
func TestWhatIsAskedForCountsAsLost(t *testing.T) {
	var n Need
	for range 5 {
		n.Lost(0, 50)
		n.Asked(8, 50)
	}
	if n.Distance() != MaxDistance {
		t.Errorf("%d copies", n.Distance())
	}
	n.Lost(-3, 0) // A report that makes no sense changes nothing.
	n.Lost(-3, 50)
	n.Asked(500, 1)
	if loss := n.Loss(); loss < 0 || loss > 1 {
		t.Error(loss)
	}
}
