package packet

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
	"testing"
)

// bitString makes bytes of zeros and ones; anything else separates.
func bitString(s string) []byte {
	var out []byte
	n := 0
	for _, c := range s {
		if c != '0' && c != '1' {
			continue
		}
		if n%8 == 0 {
			out = append(out, 0)
		}
		out[n/8] |= byte(c-'0') << (7 - n%8)
		n++
	}
	return out
}

// Structures of the examples in the AV1 RTP specification §A.6, field by field, without and with resolutions.
const (
	l1t3 = `000000 00010                                  offset, targets-1
		00 01 01 00 11                                     layers
		101010 101010 100100 010000 010000                 SSS SSS SD- D-- D--
		0 1-0011-0 1-0001-0 1-0000-0 1-0000-0              4, 2, 1, 1
		01 0000 0100 0010 0001 0011                  one chain for all three
		0                                                  `
	l2t1 = `000111 00001                                  offset 7
		00 00 10 00 11
		1010 1110 1010 1000 1100                           SS RS SS S- R-
		0 1-0001-0 1-0001-0 1-0000-0 1-0001-1-0000-0       2, 2, 1, 2+1
		11 1 0                                             two chains; HD by 1, VGA by 0
		0000-0000 0010-0001 0010-0001 0001-0001 0001-0001
		1 0000010011111111-0000001011001111 0000000111111111-0000000101100111`
)

func descriptor(first, last bool, template, number string, rest ...string) []byte {
	b := map[bool]string{false: "0", true: "1"}
	return bitString(b[first] + b[last] + template + number + strings.Join(rest, ""))
}

// strip leaves out the notes at the end of the lines.
func strip(s string) string {
	var out strings.Builder
	for line := range strings.Lines(s) {
		if i := strings.Index(line, "  "); i > 0 {
			line = line[:i]
		}
		out.WriteString(strings.TrimSpace(line) + " ")
	}
	return out.String()
}

const plainFlags = " 1 0 0 0 0 " // a structure, and nothing else

func read(t *testing.T, r *DependencyReader, raw []byte) Dependency {
	t.Helper()
	var d Dependency
	if !r.Read(raw, &d) {
		t.Fatalf("% x is not read", raw)
	}
	if back := d.Append([]byte{0xEE}); !bytes.Equal(back[1:], raw) {
		t.Fatalf("% x became % x", raw, back[1:])
	}
	return d
}

func indications(d *Dependency) string {
	var s []byte
	for i := range d.Structure.Targets() {
		s = append(s, "-DSR"[d.Indication(i)])
	}
	return string(s)
}

func TestDependencyOfTheTemporalExample(t *testing.T) {
	var r DependencyReader
	key := read(t, &r, descriptor(true, false, "000000", "1111111111111110", plainFlags, strip(l1t3)))
	if !key.Attached || !key.First || key.Last || key.Frame != 0xFFFE || key.Active != 7 || key.HasActive || indications(&key) != "SSS" || len(key.References()) != 0 {
		t.Errorf("%+v", key)
	}
	s := key.Structure
	for i, want := range []uint8{2, 1, 0} {
		if spatial, temporal := s.Layer(i); spatial != 0 || temporal != want {
			t.Errorf("target %d: %d, %d", i, spatial, temporal)
		}
		if chain, ok := s.ProtectedBy(i); chain != 0 || !ok {
			t.Errorf("target %d has chain %d", i, chain)
		}
	}
	if !s.Within(2, 0) || s.Within(0, 2) || !s.Within(1, 1) {
		t.Error("the slow target is part of the fast one")
	}
	if _, _, ok := s.Resolution(0); ok {
		t.Error("a resolution from nowhere")
	}
	for i, row := range []struct {
		template, number string
		temporal         uint8
		want             string
		back             uint16
		chain            int
		frame            int64
	}{
		{"000011", "1111111111111111", 2, "D--", 1, 1, 0xFFFF},
		{"000010", "0000000000000000", 1, "SD-", 2, 2, 0x10000},
		{"000100", "0000000000000001", 2, "D--", 1, 3, 0x10001},
		{"000001", "0000000000000010", 0, "SSS", 4, 4, 0x10002},
	} {
		d := read(t, &r, descriptor(true, true, row.template, row.number))
		if d.Temporal != row.temporal || indications(&d) != row.want || !slices.Equal(d.References(), []uint16{row.back}) || d.Chain(0) != row.chain || d.Frame != row.frame || d.Structure != s || d.Active != 7 {
			t.Errorf("%d: %+v", i, d)
		}
	}
	if r.Read(descriptor(true, true, "000101", "0000000000000011"), &key) {
		t.Error("a template that is not there")
	}
}

func TestDependencyOfTheSpatialExample(t *testing.T) {
	var r DependencyReader
	key := read(t, &r, descriptor(true, true, "000111", "0000000000000001", plainFlags, strip(l2t1)))
	s := key.Structure
	if w, h, ok := s.Resolution(1); !ok || w != 512 || h != 360 {
		t.Errorf("%d × %d", w, h)
	}
	if w, h, ok := s.Resolution(0); !ok || w != 1280 || h != 720 {
		t.Errorf("%d × %d", w, h)
	}
	if c, ok := s.ProtectedBy(0); c != 1 || !ok {
		t.Errorf("chain %d", c)
	}
	up := read(t, &r, descriptor(true, true, "001011", "0000000000000100"))
	if up.Spatial != 1 || indications(&up) != "R-" || !slices.Equal(up.References(), []uint16{2, 1}) {
		t.Errorf("%+v", up)
	}
	custom := read(t, &r, descriptor(true, true, "001011", "0000000000000110", "0 1 1 1 1", "10", "0101", "10-00010000 11-000100000000 01-0000 00", "00000011 00000001"))
	if !custom.HasActive || custom.Active != 2 || indications(&custom) != "DD" || !slices.Equal(custom.References(), []uint16{17, 257, 1}) || custom.Chain(0) != 3 || custom.Chain(1) != 1 {
		t.Errorf("%+v", custom)
	}
	if later := read(t, &r, descriptor(true, true, "001011", "0000000000001000")); later.Active != 2 || later.HasActive {
		t.Errorf("the active targets are not remembered: %b", later.Active)
	}
}

// A capture of what Chromium sends for L3T3: the first packets of a key picture and of those after it.
var chromium = []string{
	"c1017280081485214eafffaaaa863cf0430c10c302afc0aaa0063c00430010c002a000a80006000040001d954926e082b04a0941b820ac1282503157f974000ca864330e222222eca8655304224230eca877530077004200ef008601df010d",
	"86017340fc", "46017340fc", "c3017540fc", "88017640fc", "8b0174", "0b0174", "c30175",
}

func TestDependencyAsChromiumWritesIt(t *testing.T) {
	var r DependencyReader
	var last Dependency
	for i, h := range chromium {
		raw, err := hex.DecodeString(h)
		if err != nil {
			t.Fatal(err)
		}
		last = read(t, &r, raw)
		if last.Active != 0x1FF && last.Active != 0x1F8 && last.Active != 0x3F {
			t.Errorf("%d: active targets %b", i, last.Active)
		}
	}
	s := last.Structure
	if s.Targets() != 9 || last.Frame != 0x175 {
		t.Fatalf("%d targets, frame %d", s.Targets(), last.Frame)
	}
	for i, want := range [][2]int{{120, 67}, {240, 135}, {480, 270}} {
		if w, h, ok := s.Resolution(uint8(i)); !ok || w != want[0] || h != want[1] {
			t.Errorf("layer %d: %d × %d", i, w, h)
		}
	}
	for i := range 9 {
		spatial, temporal := s.Layer(i)
		if int(spatial) != i/3 || int(temporal) != i%3 {
			t.Errorf("target %d: %d, %d", i, spatial, temporal)
		}
	}
	for i := range 9 {
		if !s.Within(i, 8) || s.Within(8, i) != (i == 8) {
			t.Errorf("the largest target has all of target %d", i)
		}
		if c, ok := s.ProtectedBy(i); !ok || c != i/3 {
			t.Errorf("target %d has chain %d", i, c)
		}
	}
}

func TestALateFrameIsReadWithItsOwnStructure(t *testing.T) {
	var r DependencyReader
	early := descriptor(true, true, "000001", "0000000000000011")
	var d Dependency
	if r.Read(early, &d) {
		t.Fatal("read without a structure")
	}
	first := descriptor(true, true, "000000", "0000000000000010", plainFlags, strip(l1t3))
	second := descriptor(true, true, "000111", "0000000000000101", plainFlags, strip(l2t1))
	one := read(t, &r, first)
	two := read(t, &r, second)
	if late := read(t, &r, early); late.Structure != one.Structure {
		t.Error("a frame from before the keyframe took its structure")
	}
	if again := read(t, &r, first); again.Structure != one.Structure {
		t.Error("a repeated keyframe is another structure")
	}
	if next := read(t, &r, descriptor(true, true, "001000", "0000000000000110")); next.Structure != two.Structure || next.Spatial != 0 {
		t.Error("a repeated old keyframe put its structure in force")
	}
}

func TestTargetsCanBeToldToAReceiver(t *testing.T) {
	var r, theirs DependencyReader
	for i, raw := range [][]byte{
		descriptor(true, true, "000000", "0000000000000010", plainFlags, strip(l1t3)),
		descriptor(true, true, "000010", "0000000000000100"),
	} {
		d := read(t, &r, raw)
		d.Number += 0xFFFE
		d.HasActive, d.Active = true, 0b110
		out := d.Append(nil)
		if len(out) > len(raw)+5 {
			t.Errorf("%d bytes became %d", len(raw), len(out))
		}
		var seen Dependency
		if !theirs.Read(out, &seen) || seen.Active != 0b110 || seen.Number != uint16(2*i) || indications(&seen) != indications(&d) {
			t.Errorf("%+v", seen)
		}
	}
}

func TestADescriptorThatLiesIsRefused(t *testing.T) {
	key := descriptor(true, true, "000000", "0000000000000010", plainFlags, strip(l2t1))
	for n := range len(key) {
		var r DependencyReader
		var d Dependency
		if r.Read(key[:n], &d) {
			t.Errorf("%d of %d bytes are read", n, len(key))
		}
	}
	for name, rest := range map[string]string{
		"a fifth spatial layer":  "000000 00000 10 10 10 10 11" + strings.Repeat("0", 200),
		"endless templates":      "000000 00000" + strings.Repeat("0", 400),
		"a ninth temporal layer": "000000 00000 01 01 01 01 01 01 01 01 11" + strings.Repeat("0", 200),
		"nine references":        "000000 00000 11 10" + strings.Repeat("10000", 9) + strings.Repeat("0", 100),
	} {
		var r DependencyReader
		var d Dependency
		if r.Read(descriptor(true, true, "000000", "0000000000000010", plainFlags, rest), &d) {
			t.Error(name)
		}
	}
}

func FuzzDependency(f *testing.F) {
	f.Add(descriptor(true, true, "000000", "0000000000000010", plainFlags, strip(l1t3)), descriptor(true, true, "000010", "0000000000000100"))
	f.Add(descriptor(true, true, "000111", "0000000000000010", plainFlags, strip(l2t1)), descriptor(true, true, "001011", "0000000000000110", "0 1 1 1 1", "10", "0101", "10-00010000 00", "00000011 00000001"))
	raw, _ := hex.DecodeString(chromium[0])
	f.Add(raw, []byte{0x86, 0x01, 0x73})
	f.Fuzz(func(t *testing.T, key, delta []byte) {
		var r, back DependencyReader
		for _, b := range [][]byte{key, delta, key} {
			var d, again Dependency
			if !r.Read(b, &d) {
				continue
			}
			out := d.Append(nil)
			if len(out) > len(b)+5 {
				t.Fatalf("% x grew to % x", b, out)
			}
			if d.Attached && (!back.Read(out, &again) || again.Number != d.Number || again.frame != d.frame || !again.Structure.equal(d.Structure)) {
				t.Fatalf("%+v came back as %+v", d, again)
			}
			for i := range d.Structure.Targets() {
				d.Structure.Layer(i)
				d.Structure.Within(i, 0)
				if c, ok := d.Structure.ProtectedBy(i); ok {
					d.Chain(c)
				}
			}
		}
	})
}

func TestReadingDependenciesAllocatesNothingButStructures(t *testing.T) {
	var r DependencyReader
	var d Dependency
	key := descriptor(true, true, "000000", "0000000000000010", plainFlags, strip(l1t3))
	delta := descriptor(true, true, "000010", "0000000000000100")
	out := make([]byte, 0, 64)
	r.Read(key, &d)
	if n := testing.AllocsPerRun(100, func() {
		r.Read(key, &d)
		r.Read(delta, &d)
		out = d.Append(out[:0])
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkDependency(b *testing.B) {
	var r DependencyReader
	var d Dependency
	r.Read(descriptor(true, true, "000000", "0000000000000010", plainFlags, strip(l1t3)), &d)
	delta := descriptor(true, true, "000010", "0000000000000100")
	for b.Loop() {
		r.Read(delta, &d)
	}
}

func BenchmarkDependencyAppend(b *testing.B) {
	var r DependencyReader
	var d Dependency
	r.Read(descriptor(true, true, "000000", "0000000000000010", plainFlags, strip(l1t3)), &d)
	r.Read(descriptor(true, true, "000010", "0000000000000100"), &d)
	d.HasActive = true
	out := make([]byte, 0, 64)
	for b.Loop() {
		out = d.Append(out[:0])
	}
}
