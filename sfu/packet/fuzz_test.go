package packet

import (
	"bytes"
	"testing"

	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
)

// FuzzParse holds Parse to pion/rtp: what we accept it accepts, and reads alike.
func FuzzParse(f *testing.F) {
	f.Add(sample())
	f.Add([]byte{0xA0, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 2})
	f.Add([]byte{0x90, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0x10, 0x00, 0, 1, 5, 2, 1, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		var info Info
		err := Parse(b, &ids, &info)
		if !bytes.Equal(b, before) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			return
		}
		var p rtp.Packet
		if err := p.Unmarshal(b); err != nil {
			t.Fatalf("accepted what pion refuses: %v", err)
		}
		if p.Version != 2 || p.Marker != info.Marker || p.PayloadType != info.PayloadType || p.SequenceNumber != info.Sequence ||
			p.Timestamp != info.Timestamp || p.SSRC != info.SSRC || !bytes.Equal(p.Payload, info.Payload) || int(p.PaddingSize) != info.PaddingSize {
			t.Fatalf("%+v, pion %+v", info, p)
		}
		if info.HeaderSize+len(info.Payload)+info.PaddingSize != len(b) {
			t.Fatalf("%d + %d + %d bytes of %d", info.HeaderSize, len(info.Payload), info.PaddingSize, len(b))
		}
	})
}

// FuzzPayload feeds the payload readers anything.
func FuzzPayload(f *testing.F) {
	f.Add([]byte{0x90, 0xF0, 0x81, 0x02, 0x03, 0x25, 0x10})
	f.Add([]byte{0x78, 0, 2, 0x67, 0x42, 0, 2, 0x68, 0xCE})
	f.Add([]byte{0x8A, 0x05, 0x18, 1, 64, 0, 180, 1, 0x14, 1, 0x82})
	f.Add([]byte{0x08, 0x02, 0x0A, 0x01, 0x01, 0x30})
	f.Fuzz(func(t *testing.T, b []byte) {
		for c := Unknown; c <= AV1; c++ {
			Keyframe(c, b)
		}
		var d VP8Descriptor
		if !ParseVP8(b, &d) {
			return
		}
		var p codecs.VP8Packet
		if _, err := p.Unmarshal(b); err != nil || p.PictureID != d.PictureID || p.TL0PICIDX != d.TL0 || p.TID != d.TID || p.KEYIDX != d.KeyIdx {
			t.Fatalf("%+v, pion %+v %v", d, p, err)
		}
		d.Patch(bytes.Clone(b), 0x7FFF, 255, 31)
	})
}
