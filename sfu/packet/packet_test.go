package packet

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/pion/rtp"
)

var ids = Extensions{MID: 1, RID: 2, RepairedRID: 3, AudioLevel: 4, TransportCC: 5, AbsSendTime: 6, Dependency: 7}

func TestParseReadsWhatAStockStackWrites(t *testing.T) {
	for _, profile := range []uint16{rtp.ExtensionProfileOneByte, rtp.ExtensionProfileTwoByte} {
		p := rtp.Packet{
			Header: rtp.Header{
				Version: 2, Marker: true, PayloadType: 96, SequenceNumber: 0xFFFE, Timestamp: 0xDEADBEEF, SSRC: 0xCAFEBABE,
				CSRC: []uint32{1, 2}, Extension: true, ExtensionProfile: profile, Padding: true, PaddingSize: 7,
			},
			Payload: []byte("payload"),
		}
		for id, v := range map[uint8][]byte{
			1: []byte("mid"), 2: []byte("h"), 3: []byte("r"), 4: {0x80 | 33}, 5: {0x12, 0x34}, 6: {1, 2, 3},
		} {
			if err := p.SetExtension(id, v); err != nil {
				t.Fatal(err)
			}
		}
		b, err := p.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		var info Info
		if err := Parse(b, &ids, &info); err != nil {
			t.Fatal(err)
		}
		if !info.Marker || info.PayloadType != 96 || info.Sequence != 0xFFFE || info.Timestamp != 0xDEADBEEF || info.SSRC != 0xCAFEBABE {
			t.Errorf("fixed fields: %+v", info)
		}
		if string(info.Payload) != "payload" || info.PaddingSize != 7 {
			t.Errorf("payload %q, padding %d", info.Payload, info.PaddingSize)
		}
		if string(info.MID) != "mid" || string(info.RID) != "h" || string(info.RepairedRID) != "r" {
			t.Errorf("names: %q %q %q", info.MID, info.RID, info.RepairedRID)
		}
		if !info.HasAudioLevel || !info.Voice || info.AudioLevel != 33 {
			t.Errorf("audio level: %+v", info)
		}
		if !info.HasTransportSequence || info.TransportSequence != 0x1234 || !info.HasAbsSendTime || info.AbsSendTime != 0x010203 {
			t.Errorf("congestion control: %+v", info)
		}
	}
}

func TestParseRefusesWhatLeavesThePacket(t *testing.T) {
	head := func(first byte, rest ...byte) []byte {
		return append([]byte{first, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1}, rest...)
	}
	for _, tt := range []struct {
		name string
		b    []byte
		want error
	}{
		{"nothing", nil, ErrShort},
		{"eleven bytes", head(0x80)[:11], ErrShort},
		{"version 1", head(0x40), ErrVersion},
		{"CSRCs missing", head(0x8F, 1, 2, 3), ErrShort},
		{"extension head missing", head(0x90, 0xBE), ErrExtension},
		{"extension block missing", head(0x90, 0xBE, 0xDE, 0, 1), ErrExtension},
		{"one-byte element too long", head(0x90, 0xBE, 0xDE, 0, 1, 0x1F, 0, 0, 0), ErrExtension},
		{"two-byte element too long", head(0x90, 0x10, 0x00, 0, 1, 1, 9, 0, 0), ErrExtension},
		{"two-byte element without length", head(0x90, 0x10, 0x00, 0, 1, 0, 0, 0, 1), ErrExtension},
		{"padding bit without padding", head(0xA0), ErrPadding},
		{"padding of zero", head(0xA0, 1, 0), ErrPadding},
		{"padding beyond payload", head(0xA0, 1, 3), ErrPadding},
		{"padding only", head(0xA0, 0, 2), nil},
		{"no payload", head(0x80), nil},
		{"unknown profile skipped", head(0x90, 0x12, 0x34, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF), nil},
		{"reserved id ends the block", head(0x90, 0xBE, 0xDE, 0, 1, 0xFF, 0xFF, 0xFF, 0xFF), nil},
	} {
		var info Info
		if err := Parse(tt.b, &ids, &info); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestAnExtensionThatWasNotNegotiatedIsNotRead(t *testing.T) {
	h := Header{TransportCCID: 5, TransportSequence: 9, MIDID: 1, MID: "0"}
	var info Info
	if err := Parse(h.Append(nil), &Extensions{}, &info); err != nil || info.HasTransportSequence || info.MID != nil {
		t.Errorf("%v %+v", err, info)
	}
}

func TestHeaderIsReadByAStockStack(t *testing.T) {
	h := Header{
		Marker: true, PayloadType: 111, Sequence: 65535, Timestamp: 1 << 31, SSRC: 7,
		MIDID: 1, MID: "a-mid-longer-than-sixteen", TransportCCID: 5, TransportSequence: 0xABCD,
		AbsSendTimeID: 6, AbsSendTime: 0x123456, AudioLevelID: 4, AudioLevel: 127, Voice: true,
	}
	b := h.Append(nil)
	if len(b) != h.Size() || len(b) > MaxHeaderSize {
		t.Fatalf("%d bytes, Size says %d", len(b), h.Size())
	}
	var p rtp.Packet
	if err := p.Unmarshal(b); err != nil {
		t.Fatal(err)
	}
	if !p.Marker || p.PayloadType != 111 || p.SequenceNumber != 65535 || p.Timestamp != 1<<31 || p.SSRC != 7 {
		t.Errorf("%+v", p.Header)
	}
	for id, want := range map[uint8][]byte{1: []byte("a-mid-longer-tha"), 5: {0xAB, 0xCD}, 6: {0x12, 0x34, 0x56}, 4: {0xFF}} {
		if got := p.GetExtension(id); !bytes.Equal(got, want) {
			t.Errorf("extension %d: % x, want % x", id, got, want)
		}
	}
	if bare := (&Header{}); len(bare.Append(nil)) != 12 || bare.Size() != 12 {
		t.Error("a header without extensions is 12 bytes")
	}
}

func TestAbsSendTimeAgreesWithPion(t *testing.T) {
	for _, at := range []time.Time{time.Unix(0, 1), time.Unix(1234567890, 999999999), time.Unix(63, 500000000)} {
		b, err := rtp.NewAbsSendTimeExtension(at).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		want := uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2])
		if got := AbsSendTime(at); got-want > 1 && want-got > 1 {
			t.Errorf("%v: %x, want %x", at, got, want)
		}
	}
}

func TestRetransmissionRoundTrip(t *testing.T) {
	for _, osn := range []uint16{0, 1, 0x7FFF, 0x8000, 0xFFFF} {
		h := Header{PayloadType: 97, Sequence: 5, SSRC: 2, Timestamp: 99}
		b := AppendRTX(h.Append(nil), osn, []byte("frame"))
		var info Info
		if err := Parse(b, &ids, &info); err != nil {
			t.Fatal(err)
		}
		if !info.UnwrapRTX(1, 96) || info.Sequence != osn || info.SSRC != 1 || info.PayloadType != 96 || string(info.Payload) != "frame" {
			t.Errorf("%d: %+v", osn, info)
		}
	}
	for _, empty := range [][]byte{nil, {1}, {1, 2}} {
		info := Info{Payload: empty, SSRC: 2}
		if info.UnwrapRTX(1, 96) || info.SSRC != 2 {
			t.Errorf("% x is no retransmission", empty)
		}
	}
}

func TestCodecNames(t *testing.T) {
	for name, want := range map[string]Codec{"video/VP8": VP8, "vp9": VP9, "video/h264": H264, "video/AV1": AV1, "audio/opus": Opus, "audio/PCMU": Unknown, "": Unknown} {
		if got := ParseCodec(name); got != want {
			t.Errorf("%q: %v, want %v", name, got, want)
		}
	}
	if Opus.Video() || !AV1.Video() || Opus.ClockRate() != 48000 || H264.ClockRate() != 90000 || Codec(99).String() != "unknown" || Codec(99).ClockRate() != 0 {
		t.Error("codec facts")
	}
}

func sample() []byte {
	h := Header{Marker: true, PayloadType: 96, Sequence: 1, Timestamp: 2, SSRC: 3, MIDID: 1, MID: "0", TransportCCID: 5, AbsSendTimeID: 6}
	return append(append(h.Append(nil), 0x90, 0xE0, 0x80, 0x01, 0x02, 0x20, 0x00), make([]byte, 1000)...)
}

func TestTheHotPathAllocatesNothing(t *testing.T) {
	b, out := sample(), make([]byte, 0, 1500)
	var info Info
	h := Header{MIDID: 1, MID: "0", TransportCCID: 5, AbsSendTimeID: 6, AudioLevelID: 4}
	if n := testing.AllocsPerRun(100, func() {
		_ = Parse(b, &ids, &info)
		_ = Keyframe(VP8, info.Payload)
		out = AppendRTX(h.Append(out[:0]), 1, info.Payload)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkParse(b *testing.B) {
	data := sample()
	var info Info
	for b.Loop() {
		if err := Parse(data, &ids, &info); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHeaderAppend(b *testing.B) {
	h := Header{MIDID: 1, MID: "0", TransportCCID: 5, AbsSendTimeID: 6}
	out := make([]byte, 0, 64)
	for b.Loop() {
		out = h.Append(out[:0])
	}
}
