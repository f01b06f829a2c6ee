package packet

import (
	"bytes"
	"testing"

	"github.com/pion/rtp/codecs"
)

func TestVP9Descriptor(t *testing.T) {
	for _, tt := range []struct {
		name string
		b    []byte
		want VP9Descriptor
	}{
		{"bare key", []byte{0x08, 0x82}, VP9Descriptor{Start: true, Keyframe: true, Size: 1}},
		{"seven bits of picture id", []byte{0x8C, 0x05, 0x82}, VP9Descriptor{Start: true, End: true, Keyframe: true, HasPictureID: true, PictureID: 5, Size: 2}},
		{"fifteen bits of picture id", []byte{0xC1, 0x85, 0x12, 0x86}, VP9Descriptor{Predicted: true, NotForUpper: true, HasPictureID: true, Long: true, PictureID: 0x512, Size: 3}},
		{"layers in non-flexible mode", []byte{0xA8, 0x02, 0x55, 0x09, 0x82}, VP9Descriptor{Start: true, HasPictureID: true, PictureID: 2, HasLayers: true, TID: 2, SwitchUp: true, SID: 2, InterLayer: true, HasTL0: true, TL0: 9, Size: 4}},
		{"layers in flexible mode", []byte{0xB8, 0x02, 0x22, 0x82}, VP9Descriptor{Start: true, Flexible: true, HasPictureID: true, PictureID: 2, HasLayers: true, TID: 1, SID: 1, Size: 3}},
		{"one reference", []byte{0xF0, 0x02, 0x20, 0x06, 0x86}, VP9Descriptor{Predicted: true, Flexible: true, HasPictureID: true, PictureID: 2, HasLayers: true, TID: 1, References: [3]uint8{3}, ReferenceCount: 1, Size: 4}},
		{"three references", []byte{0xD0, 0x02, 0x03, 0x05, 0x06, 0x86}, VP9Descriptor{Predicted: true, Flexible: true, HasPictureID: true, PictureID: 2, References: [3]uint8{1, 2, 3}, ReferenceCount: 3, Size: 5}},
		{
			"structure with two sizes and a group of four", []byte{0x0A, 0x38, 1, 64, 0, 180, 2, 128, 1, 104, 4, 0x04, 4, 0x54, 1, 0x34, 2, 0x58, 1, 2, 0x82},
			VP9Descriptor{Start: true, Keyframe: true, HasStructure: true, Structure: VP9Structure{
				SpatialLayers: 2, Resolved: true, Resolutions: [8][2]uint16{{320, 180}, {640, 360}}, Group: 4, TemporalLayers: 3,
			}, Size: 20},
		},
		{"upper layer of a key picture", []byte{0xA8, 0x02, 0x03, 0x09, 0x82}, VP9Descriptor{Start: true, HasPictureID: true, PictureID: 2, HasLayers: true, SID: 1, InterLayer: true, HasTL0: true, TL0: 9, Size: 4}},
	} {
		var got VP9Descriptor
		ok := ParseVP9(tt.b, &got)
		got.pictureIDAt, got.tl0At = 0, 0
		if !ok || got != tt.want {
			t.Errorf("%s: %v\n%+v, want\n%+v", tt.name, ok, got, tt.want)
		}
		for n := range len(tt.b) {
			if ParseVP9(tt.b[:n], &got) {
				t.Errorf("%s: %d of %d bytes are read", tt.name, n, len(tt.b))
			}
		}
	}
	var d VP9Descriptor
	if ParseVP9([]byte{0xD0, 0x02, 0x03, 0x05, 0x07, 0x09, 0x86}, &d) {
		t.Error("four references")
	}
}

func TestVP9IndicesArePatchedInPlace(t *testing.T) {
	for _, b := range [][]byte{{0xA8, 0x02, 0x55, 0x09, 0x82}, {0xA8, 0x85, 0x02, 0x55, 0x09, 0x82}, {0x08, 0x82}, {0xB8, 0x02, 0x22, 0x82}} {
		var before, after VP9Descriptor
		ParseVP9(b, &before)
		c := bytes.Clone(b)
		before.Patch(c, 0x1234, 200)
		if !ParseVP9(c, &after) || len(c) != len(b) {
			t.Fatalf("% x became % x", b, c)
		}
		want := before
		if want.HasPictureID {
			want.PictureID = 0x1234 & want.PictureIDMask()
		}
		if want.HasTL0 {
			want.TL0 = 200
		}
		if after != want {
			t.Errorf("%+v became %+v", before, after)
		}
	}
}

func TestLayersOfAV1(t *testing.T) {
	for _, tt := range []struct {
		name              string
		b                 []byte
		spatial, temporal uint8
		ok                bool
	}{
		{"frame with layers", []byte{0x10, 0x34, 0x48, 1}, 1, 2, true},
		{"sequence header, then a frame", []byte{0x28, 2, 0x08, 0, 0x34, 0x20, 1}, 0, 1, true},
		{"delimiter with its length, then a frame", []byte{0x20, 1, 0x10, 0x34, 0x68, 1}, 1, 3, true},
		{"frame without layers", []byte{0x10, 0x30, 1}, 0, 0, false},
		{"continued", []byte{0x90, 0x34, 0x48, 1}, 0, 0, false},
		{"length beyond the packet", []byte{0x20, 9, 0x10}, 0, 0, false},
		{"one byte", []byte{0x10}, 0, 0, false},
		{"extension cut off", []byte{0x10, 0x34}, 0, 0, false},
	} {
		spatial, temporal, ok := LayersAV1(tt.b)
		if spatial != tt.spatial || temporal != tt.temporal || ok != tt.ok {
			t.Errorf("%s: %d, %d, %v", tt.name, spatial, temporal, ok)
		}
	}
}

func TestLayersOfH264(t *testing.T) {
	for _, tt := range []struct {
		name     string
		b        []byte
		temporal uint8
		ok       bool
		discard  bool
	}{
		{"prefix", []byte{0x6E, 0x80, 0x80, 0x47}, 2, true, false},
		{"prefix of another view", []byte{0x6E, 0x00, 0x80, 0x47}, 0, false, false},
		{"prefix cut off", []byte{0x6E, 0x80, 0x80}, 0, false, false},
		{"prefix in front of a slice", []byte{0x78, 0, 4, 0x6E, 0x80, 0x80, 0x27, 0, 1, 0x61}, 1, true, false},
		{"no prefix", []byte{0x78, 0, 2, 0x67, 0x42, 0, 2, 0x68, 0xCE}, 0, false, false},
		{"length beyond the packet", []byte{0x78, 0, 9, 0x6E}, 0, false, false},
		{"slice nobody refers to", []byte{0x01, 0x9A}, 0, false, true},
		{"slice", []byte{0x61, 0x9A}, 0, false, false},
		{"nothing", nil, 0, false, false},
	} {
		temporal, ok := LayersH264(tt.b)
		if temporal != tt.temporal || ok != tt.ok || DiscardableH264(tt.b) != tt.discard {
			t.Errorf("%s: %d, %v", tt.name, temporal, ok)
		}
	}
}

func TestADependencyDescriptorTravelsInEitherForm(t *testing.T) {
	h := Header{Marker: true, Padding: true, PayloadType: 96, Sequence: 1, Timestamp: 2, SSRC: 3, MIDID: 1, MID: "0", TransportCCID: 5, TransportSequence: 7, AbsSendTimeID: 6, AbsSendTime: 8, AudioLevelID: 4, AudioLevel: 9}
	for _, n := range []int{1, 3, 16, 17, 90, 255} {
		for _, id := range []uint8{13, 15, 200} {
			value := bytes.Repeat([]byte{0xDD}, n)
			h.DependencyID, h.Dependency = id, value
			b := append(h.Append([]byte{0xEE})[1:], 'x', 1)
			if len(b)-2 != h.Size() || h.Size() > MaxHeaderSize {
				t.Fatalf("%d bytes, Size says %d of %d", len(b)-2, h.Size(), MaxHeaderSize)
			}
			var info Info
			ids := ids
			ids.Dependency = id
			if err := Parse(b, &ids, &info); err != nil || string(info.Payload) != "x" || string(info.MID) != "0" || info.TransportSequence != 7 || info.AbsSendTime != 8 || info.AudioLevel != 9 || !info.Marker {
				t.Fatalf("%d bytes: %v %+v", n, err, info)
			}
			if !bytes.Equal(info.Dependency, value) {
				t.Errorf("%d bytes with id %d: % x", n, id, info.Dependency)
			}
		}
	}
	bare := h
	bare.DependencyID, bare.Dependency = 0, nil
	for _, other := range []Header{{DependencyID: 13}, {Dependency: []byte{1}}, {DependencyID: 13, Dependency: make([]byte, 256)}} {
		with := bare
		with.DependencyID, with.Dependency = other.DependencyID, other.Dependency
		if !bytes.Equal(with.Append(nil), bare.Append(nil)) || with.Size() != bare.Size() {
			t.Error("nothing to add adds something")
		}
	}
	out := make([]byte, 0, 512)
	if n := testing.AllocsPerRun(100, func() { out = h.Append(out[:0]) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzLayers feeds the readers of layers anything, and holds the VP9 one to pion/rtp.
func FuzzLayers(f *testing.F) {
	f.Add([]byte{0x0A, 0x38, 1, 64, 0, 180, 2, 128, 1, 104, 4, 0x04, 4, 0x54, 1, 0x34, 2, 0x58, 1, 2, 0x82})
	f.Add([]byte{0xF8, 0x85, 0x02, 0x55, 0x03, 0x04, 0x82})
	f.Add([]byte{0x28, 2, 0x08, 0, 0x34, 0x20, 1})
	f.Add([]byte{0x78, 0, 4, 0x6E, 0x80, 0x80, 0x27, 0, 1, 0x61})
	f.Fuzz(func(t *testing.T, b []byte) {
		LayersAV1(b)
		LayersH264(b)
		DiscardableH264(b)
		var d VP9Descriptor
		if !ParseVP9(b, &d) || d.SID > 4 || d.Structure.SpatialLayers > 5 { // pion knows five spatial layers
			return
		}
		var p codecs.VP9Packet
		rest, err := p.Unmarshal(b)
		if err != nil || len(rest) != len(b)-d.Size || p.PictureID != d.PictureID || p.TID != d.TID || p.SID != d.SID || p.U != d.SwitchUp || p.D != d.InterLayer ||
			p.B != d.Start || p.E != d.End || p.P != d.Predicted || p.Z != d.NotForUpper || p.TL0PICIDX != d.TL0 || len(p.PDiff) != d.ReferenceCount {
			t.Fatalf("%+v, pion %+v %v", d, p, err)
		}
		if d.Keyframe && !Keyframe(VP9, b) {
			t.Fatal("a keyframe only here")
		}
		d.Patch(bytes.Clone(b), 0x7FFF, 255)
	})
}

func BenchmarkParseVP9(b *testing.B) {
	data := []byte{0xA8, 0x85, 0x02, 0x55, 0x09, 0x82}
	var d VP9Descriptor
	for b.Loop() {
		ParseVP9(data, &d)
	}
}
