package protect_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/parleyrtc/parley/sfu/protect"
	"github.com/pion/srtp/v3"
	"pgregory.net/rapid"
)

// compare seals packets first to first+n-1 with both, and opens each one's with the other.
func compare(t *testing.T, p protect.Profile, first int64, n int) {
	const ssrc = 0xDEADBEEF
	s, o := newSealer(t, p), newOpener(t, p)
	theirSealer, theirOpener := pionContext(t, p), pionContext(t, p, srtp.SRTPReplayProtection(1024))
	theirSealer.SetROC(ssrc, uint32(first>>16))
	theirOpener.SetROC(ssrc, uint32(first>>16))
	for index := first; index < first+int64(n); index++ {
		h := head(t, int(index)%8, ssrc, index)
		payload := bytes.Repeat([]byte{byte(index)}, int(index*37%1200))
		ours, err := s.Seal(bytes.Clone(h), 0, payload, ssrc, index)
		if err != nil {
			t.Fatalf("%s: %d: %v", p, index, err)
		}
		theirs, err := theirSealer.EncryptRTP(nil, append(bytes.Clone(h), payload...), nil)
		if err != nil || !bytes.Equal(ours, theirs) {
			t.Fatalf("%s: %d: %v: ours %x, theirs %x", p, index, err, ours, theirs)
		}
		plain, err := theirOpener.DecryptRTP(nil, ours, nil)
		if err != nil || !bytes.Equal(plain[:len(h)], h) || !bytes.Equal(plain[len(h):], payload) {
			t.Fatalf("%s: %d: theirs opened %x: %v", p, index, plain, err)
		}
		if first>>16 != 0 {
			continue // Our opener starts with the first lap, as every receiver does.
		}
		if plain, err = o.Open(theirs, len(h), ssrc, uint16(index)); err != nil || !bytes.Equal(plain[:len(h)], h) || !bytes.Equal(plain[len(h):], payload) {
			t.Fatalf("%s: %d: ours opened %x: %v", p, index, plain, err)
		}
	}
}

func TestSameBytesAsPion(t *testing.T) {
	for _, p := range profiles {
		for _, first := range []int64{0, 1<<15 - 20, 1<<16 - 20, 1<<17 - 20, 1<<32 - 20, 1<<48 - 40} {
			t.Run(fmt.Sprintf("%s/%x", p, first), func(t *testing.T) { compare(t, p, first, 40) })
		}
		t.Run(p.String()+"/three laps", func(t *testing.T) { threeLaps(t, p) })
	}
}

// threeLaps goes in steps of 97 numbers through 2^16 three times.
func threeLaps(t *testing.T, p protect.Profile) {
	s, o, theirs := newSealer(t, p), newOpener(t, p), pionContext(t, p)
	for index := int64(30_000); index < 3<<16; index += 97 {
		packet := sealed(t, s, 5, index, "payload")
		if plain, err := theirs.DecryptRTP(nil, packet, nil); err != nil || string(plain[12:]) != "payload" {
			t.Fatalf("%d: theirs: %v", index, err)
		}
		if plain, err := o.Open(packet, 12, 5, uint16(index)); err != nil || string(plain[12:]) != "payload" {
			t.Fatalf("%d: ours: %v", index, err)
		}
	}
}

// Over a path that loses, doubles, damages and reorders, from the first packet on, ours opens exactly what pion's does.
func TestOpensWhatPionOpens(t *testing.T) {
	for _, p := range profiles {
		t.Run(p.String(), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				s, o := newSealer(t, p), newOpener(t, p)
				theirs := pionContext(t, p, srtp.SRTPReplayProtection(1024))
				at := rapid.SampledFrom([]int64{0, 40, 1<<15 - 5, 1 << 15, 1<<16 - 30}).Draw(t, "start")
				for range rapid.IntRange(1, 120).Draw(t, "packets") {
					index := at + rapid.SampledFrom([]int64{0, 1, 1, 1, 2, -1, -2, -40, -1023, -1024, 900, 1<<15 - 1, 1 << 15, 1<<15 + 1, -1 << 15}).Draw(t, "step")
					if index < 0 {
						continue
					}
					at = max(at, index)
					packet := sealed(t, s, 5, index, "payload")
					if rapid.IntRange(0, 9).Draw(t, "damaged") == 0 {
						packet[rapid.IntRange(12, len(packet)-1).Draw(t, "byte")]++
					}
					want, theirErr := theirs.DecryptRTP(nil, packet, nil)
					got, err := o.Open(packet, 12, 5, uint16(index))
					if (err == nil) != (theirErr == nil) || !bytes.Equal(got, want) {
						t.Fatalf("%x: ours %x, %v; theirs %x, %v", index, got, err, want, theirErr)
					}
				}
			})
		})
	}
}

func TestSameControlBytesAsPion(t *testing.T) {
	for _, p := range profiles {
		s, o := newSealer(t, p), newOpener(t, p)
		theirSealer, theirOpener := pionContext(t, p), pionContext(t, p, srtp.SRTCPReplayProtection(64))
		for i := range 300 {
			plain := append(report(uint32(i%3)), bytes.Repeat([]byte{0x81, 206, 0, 0}, i)...)
			ours, err := s.SealRTCP(nil, plain)
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := theirSealer.EncryptRTCP(nil, plain, nil)
			if err != nil || !bytes.Equal(ours, theirs) {
				t.Fatalf("%s: %d: %v: ours %x, theirs %x", p, i, err, ours, theirs)
			}
			if got, err := theirOpener.DecryptRTCP(nil, ours, nil); err != nil || !bytes.Equal(got, plain) {
				t.Fatalf("%s: %d: theirs opened %x: %v", p, i, got, err)
			}
			if got, err := o.OpenRTCP(theirs); err != nil || !bytes.Equal(got, plain) {
				t.Fatalf("%s: %d: ours opened %x: %v", p, i, got, err)
			}
		}
	}
}
