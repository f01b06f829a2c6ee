package packet

import (
	"bytes"
	"testing"

	"github.com/pion/rtp/codecs"
)

func TestKeyframe(t *testing.T) {
	for _, tt := range []struct {
		name  string
		codec Codec
		b     []byte
		want  bool
	}{
		{"vp8 bare key", VP8, []byte{0x10, 0x00}, true},
		{"vp8 bare delta", VP8, []byte{0x10, 0x01}, false},
		{"vp8 later packet of a key frame", VP8, []byte{0x00, 0x00}, false},
		{"vp8 second partition", VP8, []byte{0x11, 0x00}, false},
		{"vp8 all fields, key", VP8, []byte{0x90, 0xF0, 0x81, 0x02, 0x03, 0x25, 0x10}, true},
		{"vp8 all fields, delta", VP8, []byte{0x90, 0xF0, 0x81, 0x02, 0x03, 0x25, 0x11}, false},
		{"vp8 ends in descriptor", VP8, []byte{0x90, 0xF0, 0x81}, false},

		{"vp9 key", VP9, []byte{0x88, 0x05, 0x82}, true},
		{"vp9 key, long id", VP9, []byte{0x88, 0x80, 0x05, 0x82}, true},
		{"vp9 key with structure", VP9, []byte{0x8A, 0x05, 0x18, 1, 64, 0, 180, 1, 0x14, 1, 0x82}, true},
		{"vp9 key, layers", VP9, []byte{0xA8, 0x05, 0x00, 0x01, 0x82}, true},
		{"vp9 key, upper spatial layer", VP9, []byte{0xA8, 0x05, 0x02, 0x01, 0x82}, false},
		{"vp9 flexible delta that never sets P", VP9, []byte{0x98, 0x05, 0x86}, false},
		{"vp9 predicted", VP9, []byte{0xC8, 0x05, 0x82}, false},
		{"vp9 not a start", VP9, []byte{0x80, 0x05, 0x82}, false},
		{"vp9 shows an old frame", VP9, []byte{0x88, 0x05, 0x8A}, false},
		{"vp9 profile 3 key", VP9, []byte{0x88, 0x05, 0xB0}, true},
		{"vp9 profile 3 delta", VP9, []byte{0x88, 0x05, 0xB2}, false},
		{"vp9 structure cut short", VP9, []byte{0x8A, 0x05, 0x18, 1, 64}, false},

		{"h264 idr", H264, []byte{0x65, 0x88}, true},
		{"h264 sps", H264, []byte{0x67, 0x42}, true},
		{"h264 slice", H264, []byte{0x41, 0x9A}, false},
		{"h264 pps alone", H264, []byte{0x68, 0xCE}, false},
		{"h264 stap-a sps pps", H264, []byte{0x78, 0, 2, 0x67, 0x42, 0, 2, 0x68, 0xCE}, true},
		{"h264 stap-a sei idr", H264, []byte{0x78, 0, 2, 0x06, 0x01, 0, 2, 0x65, 0x88}, true},
		{"h264 stap-a slices", H264, []byte{0x78, 0, 2, 0x41, 0x9A, 0, 1, 0x41}, false},
		{"h264 stap-a lies about its length", H264, []byte{0x78, 0, 9, 0x67, 0x42}, false},
		{"h264 fu-a idr start", H264, []byte{0x7C, 0x85, 0x00}, true},
		{"h264 fu-a idr middle", H264, []byte{0x7C, 0x05, 0x00}, false},
		{"h264 fu-a slice start", H264, []byte{0x7C, 0x81, 0x00}, false},

		{"av1 new sequence, one element", AV1, []byte{0x18, 0x0A, 0x01}, true},
		{"av1 new sequence, delimiter first", AV1, []byte{0x28, 0x01, 0x10, 0x0A, 0x01}, true},
		{"av1 new sequence, lengths everywhere", AV1, []byte{0x08, 0x02, 0x0A, 0x01, 0x01, 0x30}, true},
		{"av1 no sequence header", AV1, []byte{0x18, 0x30, 0x01}, false},
		{"av1 not a new sequence", AV1, []byte{0x10, 0x0A, 0x01}, false},
		{"av1 continued", AV1, []byte{0x98, 0x0A, 0x01}, false},
		{"av1 lies about its length", AV1, []byte{0x08, 0x7F, 0x30}, false},
		{"av1 endless length", AV1, []byte{0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01}, false},

		{"opus has none", Opus, []byte{0x10, 0x00}, false},
		{"empty", H264, nil, false},
	} {
		if got := Keyframe(tt.codec, tt.b); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestVP8DescriptorOfEveryShape(t *testing.T) {
	for flags := range 16 {
		for _, long := range []bool{false, true} {
			b := []byte{0x90, byte(flags << 4)}
			if flags&8 != 0 && long {
				b = append(b, 0xFF, 0xFE)
			} else if flags&8 != 0 {
				b = append(b, 0x7E)
			}
			if flags&4 != 0 {
				b = append(b, 0xFF)
			}
			if flags&3 != 0 {
				b = append(b, 0xBF)
			}
			b = append(b, 0x00, 0xAA)
			var d VP8Descriptor
			if !ParseVP8(b, &d) {
				t.Fatalf("% x refused", b)
			}
			var p codecs.VP8Packet
			rest, err := p.Unmarshal(b)
			if err != nil || len(rest) != len(b)-d.Size || p.PictureID != d.PictureID || p.TL0PICIDX != d.TL0 || p.TID != d.TID || p.KEYIDX != d.KeyIdx || !d.Start || !d.Keyframe {
				t.Errorf("% x: %+v, pion %+v %v", b, d, p, err)
			}
			patched := bytes.Clone(b)
			d.Patch(patched, d.PictureID+1, d.TL0+1, d.KeyIdx+1)
			var after VP8Descriptor
			if !ParseVP8(patched, &after) || after.Size != d.Size || after.Long != d.Long || after.TID != d.TID || after.LayerSync != d.LayerSync {
				t.Fatalf("% x after patch: %+v", patched, after)
			}
			if d.HasPictureID && after.PictureID != (d.PictureID+1)&d.PictureIDMask() || d.HasTL0 && after.TL0 != 0 || d.HasKeyIdx && after.KeyIdx != 0 {
				t.Errorf("% x: patched to %+v", patched, after)
			}
			if !bytes.Equal(patched[d.Size:], b[d.Size:]) {
				t.Error("the frame itself was touched")
			}
		}
	}
}

func TestSizeOfAVP8Keyframe(t *testing.T) {
	frame := []byte{0x10, 0, 0, 0x9D, 0x01, 0x2A, 0x80, 0x42, 0xE0, 0x81}
	if w, h := SizeVP8(frame); w != 640 || h != 480 {
		t.Errorf("%d × %d", w, h)
	}
	for i := range frame {
		if w, h := SizeVP8(frame[:i]); w != 0 || h != 0 {
			t.Errorf("%d × %d of %d bytes", w, h, i)
		}
	}
	frame[0] |= 1
	if w, h := SizeVP8(frame); w != 0 || h != 0 {
		t.Errorf("%d × %d of another frame", w, h)
	}
}
