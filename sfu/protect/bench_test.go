package protect_test

import (
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"testing"

	"github.com/parleyrtc/parley/sfu/protect"
)

// sizes are a packet of speech and one of video.
var sizes = []int{100, 1100}

// BenchmarkSeal has beside each profile the bare cipher: the difference is ours.
func BenchmarkSeal(b *testing.B) {
	for _, size := range sizes {
		payload, buffer := make([]byte, size), make([]byte, 0, 1500)
		for _, p := range profiles {
			b.Run(fmt.Sprintf("%s/%d", p, size), func(b *testing.B) {
				s := newSealer(b, p)
				h := head(b, 4, 5, 0)
				b.ReportAllocs()
				var index int64
				for b.Loop() {
					h[2], h[3] = byte(index>>8), byte(index)
					if _, err := s.Seal(append(buffer, h...), 0, payload, 5, index); err != nil {
						b.Fatal(err)
					}
					index++
				}
			})
		}
		b.Run(fmt.Sprintf("bare/%d", size), func(b *testing.B) {
			aead, h, nonce := bare(b), head(b, 4, 5, 0), make([]byte, 12)
			b.ReportAllocs()
			for b.Loop() {
				dst := append(buffer, h...)
				aead.Seal(dst, nonce, payload, dst)
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	for _, size := range sizes {
		for _, p := range profiles {
			b.Run(fmt.Sprintf("%s/%d", p, size), func(b *testing.B) { benchmarkOpen(b, p, size) })
		}
		b.Run(fmt.Sprintf("bare/%d", size), func(b *testing.B) {
			aead, h, nonce := bare(b), head(b, 4, 5, 0), make([]byte, 12)
			sealed := aead.Seal(append(make([]byte, 0, 1500), h...), nonce, make([]byte, size), h)
			packet := make([]byte, len(sealed))
			b.ReportAllocs()
			for b.Loop() {
				copy(packet, sealed)
				if _, err := aead.Open(packet[len(h):len(h)], nonce, packet[len(h):], packet[:len(h)]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// benchmarkOpen opens a lap of packets again and again, each copied first: opening is in place.
func benchmarkOpen(b *testing.B, p protect.Profile, size int) {
	const lap = 2048
	s, o := newSealer(b, p), newOpener(b, p)
	h, payload := head(b, 4, 5, 0), make([]byte, size)
	packets := make([][]byte, lap)
	for i := range packets {
		h[2], h[3] = byte(i>>8), byte(i)
		packet, err := s.Seal(append([]byte{}, h...), 0, payload, 5, int64(i))
		if err != nil {
			b.Fatal(err)
		}
		packets[i] = packet
	}
	packet := make([]byte, len(packets[0]))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if n == lap {
			b.StopTimer()
			o, n = newOpener(b, p), 0
			b.StartTimer()
		}
		copy(packet, packets[n])
		if _, err := o.Open(packet, len(h), 5, uint16(n)); err != nil {
			b.Fatal(err)
		}
		n++
	}
}

// bare is the cipher alone.
func bare(b *testing.B) cipher.AEAD {
	block, err := aes.NewCipher(make([]byte, 16))
	if err != nil {
		b.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		b.Fatal(err)
	}
	return aead
}
