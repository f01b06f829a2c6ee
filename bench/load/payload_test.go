package load

import (
	"bytes"
	"testing"

	"github.com/pion/rtp/codecs"
)

func TestAStampIsReadBackAndEveryChangedByteIsSeen(t *testing.T) {
	for prefix, size := range map[int]int{videoPrefix: 200, audioPrefix: MinAudioBytes} {
		b := filled(size, 7)
		want := stamp{source: 3, counter: 1 << 40, sentAt: 1234567890123456789}
		writeStamp(b, prefix, want)
		if got, err := readStamp(b, prefix); err != nil || got != want {
			t.Fatalf("%+v, %v", got, err)
		}
		for i := prefix; i < size; i++ {
			damaged := bytes.Clone(b)
			damaged[i] ^= 0x10
			if _, err := readStamp(damaged, prefix); err == nil {
				t.Errorf("a change of byte %d of %d is not seen", i, size)
			}
		}
		if _, err := readStamp(b[:prefix+stampSize-1], prefix); err == nil {
			t.Error("a cut payload is taken")
		}
	}
}

func TestVideoPayloadsAreVP8(t *testing.T) {
	for _, test := range []struct{ first, key bool }{{true, true}, {true, false}, {false, true}, {false, false}} {
		b := filled(100, 1)
		beginVideo(b, test.first, test.key, 0x1234)
		var p codecs.VP8Packet
		frame, err := p.Unmarshal(b)
		if err != nil || p.PictureID != 0x1234 || (p.S == 1) != test.first || p.PID != 0 || len(frame) != 96 {
			t.Fatalf("%+v: %+v, %v", test, p, err)
		}
		if test.first && (frame[0]&1 == 0) != test.key {
			t.Errorf("%+v: frame tag %#x", test, frame[0])
		}
		if test.first && test.key && !bytes.Equal(frame[3:6], []byte{0x9d, 0x01, 0x2a}) {
			t.Errorf("a key frame has start code %x", frame[3:6])
		}
	}
}
