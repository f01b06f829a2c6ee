package load

import (
	"bytes"
	"testing"

	"github.com/pion/rtp"
	"pgregory.net/rapid"
)

func TestExtensionsAreFoundAsPionWritesThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := rtp.Header{Version: 2, SSRC: 1, CSRC: make([]uint32, rapid.IntRange(0, 3).Draw(t, "csrcs"))}
		want := map[uint8][]byte{}
		most, longest := 14, 16
		if rapid.Bool().Draw(t, "two bytes") {
			most, longest = 250, 40
			h.Extension, h.ExtensionProfile = true, rtp.ExtensionProfileTwoByte
		}
		for range rapid.IntRange(0, 4).Draw(t, "extensions") {
			id := uint8(rapid.IntRange(1, most).Draw(t, "id"))
			content := rapid.SliceOfN(rapid.Byte(), 1, longest).Draw(t, "content")
			if err := h.SetExtension(id, content); err != nil {
				t.Fatal(err)
			}
			want[id] = content
		}
		packet, err := (&rtp.Packet{Header: h, Payload: []byte("payload")}).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		for id := range 256 {
			if got := extension(packet, uint8(id)); id > 0 && !bytes.Equal(got, want[uint8(id)]) {
				t.Fatalf("extension %d is %x, want %x in %x", id, got, want[uint8(id)], packet)
			}
		}
		cut := packet[:rapid.IntRange(12, len(packet)).Draw(t, "cut")]
		for id := range 256 {
			extension(cut, uint8(id)) // does not panic
		}
	})
}

// A train of ten packets is what the server sends of one frame to one subscriber.
func BenchmarkCounting(b *testing.B) {
	for name, transportCC := range map[string]uint8{"plain": 0, "feedback": 3} {
		b.Run(name, func(b *testing.B) {
			s, err := newSubscriber(nil, nil, false)
			if err != nil {
				b.Fatal(err)
			}
			s.transportCC = transportCC
			h := rtp.Header{Version: 2, PayloadType: vp8Type, SSRC: 1}
			if err := h.SetExtension(3, []byte{0, 0}); err != nil {
				b.Fatal(err)
			}
			packet, err := (&rtp.Packet{Header: h, Payload: make([]byte, 1100)}).Marshal()
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				packet[2], packet[3] = byte(i>>8), byte(i)
				packet[17], packet[18] = byte(i>>8), byte(i)
				packet[7] = byte(i / 10)
				s.rtp(packet, Server, int64(i)*100_000)
				if transportCC != 0 && i%120 == 0 {
					for _, f := range s.arrivals.BuildFeedbackPacket() {
						if _, err := f.Marshal(); err != nil {
							b.Fatal(err)
						}
					}
				}
			}
		})
	}
}
