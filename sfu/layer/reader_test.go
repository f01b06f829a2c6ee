package layer

import (
	"testing"

	"github.com/parleyrtc/parley/sfu/packet"
)

func TestReaderCarriesLayersThroughAPicture(t *testing.T) {
	var r Reader
	var p Packet
	at := func(codec packet.Codec, timestamp uint32, payload ...byte) Packet {
		r.Read(codec, 2, &packet.Info{Timestamp: timestamp, Payload: payload}, nil, &p)
		return p
	}
	for _, tt := range []struct {
		name  string
		got   Packet
		layer Layer
		key   bool
	}{
		{"H.264 prefix", at(packet.H264, 1, 0x78, 0, 4, 0x6E, 0x80, 0x80, 0x47, 0, 1, 0x61), Layer{2, 0, 2}, false},
		{"its next packet", at(packet.H264, 1, 0x7C, 0x01, 0), Layer{2, 0, 2}, false},
		{"the next picture", at(packet.H264, 2, 0x65, 0x01, 0), Layer{2, 0, 0}, true},
		{"AV1 with layers", at(packet.AV1, 3, 0x10, 0x34, 0x48, 1), Layer{2, 1, 2}, false},
		{"continued", at(packet.AV1, 3, 0x90, 1, 2), Layer{2, 1, 2}, false},
		{"VP8", at(packet.VP8, 4, 0x90, 0x20, 0x60, 0x01), Layer{2, 0, 1}, false},
		{"VP8 keyframe", at(packet.VP8, 4, 0x10, 0x00), Layer{2, 0, 0}, true},
		{"VP9", at(packet.VP9, 5, 0xE8, 0x02, 0x55, 0x09, 0x86), Layer{2, 2, 2}, false},
		{"Opus", at(packet.Opus, 6, 1, 2, 3), Layer{2, 0, 0}, false},
		{"nothing", at(packet.VP9, 7), Layer{2, 0, 0}, false},
	} {
		if tt.got.Layer != tt.layer || tt.got.Keyframe != tt.key {
			t.Errorf("%s: %+v, key %v", tt.name, tt.got.Layer, tt.got.Keyframe)
		}
	}
	if p := at(packet.VP8, 8, 0x90, 0x20, 0x60, 0x01); !p.Sync || !p.HasIndices {
		t.Error("the sync flag of VP8")
	}
}

func TestAnEncryptedPayloadIsReadFromTheDescriptorAlone(t *testing.T) {
	noise := []byte{0x10, 0x00, 0xDE, 0xAD} // A keyframe, were it VP8.
	for _, codec := range []packet.Codec{packet.VP8, packet.VP9, packet.H264, packet.AV1} {
		var r Reader
		var p Packet
		info := packet.Info{Payload: noise, Marker: true}
		r.Read(codec, 0, &info, bitString("11", binary(0, 6), binary(1, 16), "10000", l2t2.structure), &p)
		if !p.HasDependency || !p.Keyframe || !p.Last || p.Spatial != 0 {
			t.Errorf("%v: %+v", codec, p)
		}
		r.Read(codec, 0, &info, bitString("10", binary(5, 6), binary(2, 16)), &p)
		if p.Keyframe || p.Last || p.Spatial != 1 || p.Temporal != 1 {
			t.Errorf("%v: %+v", codec, p)
		}
	}
	var r Reader
	var p Packet
	r.Read(packet.VP8, 0, &packet.Info{Payload: noise}, []byte{1, 2, 3}, &p)
	if p.HasDependency || p.Keyframe {
		t.Error("noise is taken for a keyframe because its descriptor cannot be read")
	}
}

func BenchmarkRead(b *testing.B) {
	var r Reader
	var p Packet
	info := packet.Info{Payload: []byte{0x90, 0xE0, 0x81, 0x02, 0x03, 0x60, 0x01}}
	for b.Loop() {
		r.Read(packet.VP8, 0, &info, nil, &p)
	}
}

func BenchmarkReadDependency(b *testing.B) {
	var r Reader
	var p Packet
	info := packet.Info{Payload: []byte{1, 2, 3}}
	r.Read(packet.AV1, 0, &info, bitString("11", binary(0, 6), binary(1, 16), "10000", l2t2.structure), &p)
	delta := bitString("10", binary(5, 6), binary(2, 16))
	for b.Loop() {
		r.Read(packet.AV1, 0, &info, delta, &p)
	}
}
