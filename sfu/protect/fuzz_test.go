package protect_test

import (
	"bytes"
	"testing"

	"github.com/parleyrtc/parley/sfu/protect"
)

// Whatever comes, nothing opens but the one packet that was sealed.
func FuzzOpen(f *testing.F) {
	for i, p := range profiles {
		s := newSealer(f, p)
		good := sealed(f, s, 5, 100, "payload")
		f.Add(i == 0, good, 12, uint32(5), uint16(100))
		f.Add(i == 0, good[:20], 12, uint32(5), uint16(100))
		f.Add(i == 0, good, -1, uint32(5), uint16(100))
		f.Add(i == 0, append([]byte{0x9F}, good[1:]...), 12, uint32(5), uint16(100))
	}
	genuine := map[protect.Profile][]byte{}
	for _, p := range profiles {
		genuine[p] = sealed(f, newSealer(f, p), 5, 100, "payload")
	}
	f.Fuzz(func(t *testing.T, gcm bool, packet []byte, header int, ssrc uint32, seq uint16) {
		p := protect.CM80
		if gcm {
			p = protect.GCM128
		}
		o := newOpener(t, p)
		isGood := bytes.Equal(packet, genuine[p]) && header == 12 && ssrc == 5 && seq == 100
		if plain, err := o.Open(bytes.Clone(packet), header, ssrc, seq); (err == nil) != isGood {
			t.Fatalf("opened %x: %x, %v", packet, plain, err)
		}
		// With arguments that fit the packet, so that more than the first checks is reached.
		if len(packet) < 12 {
			return
		}
		ssrc, seq = uint32(packet[8])<<24|uint32(packet[9])<<16|uint32(packet[10])<<8|uint32(packet[11]), uint16(packet[2])<<8|uint16(packet[3])
		size := 12 + 4*int(packet[0]&15)
		if packet[0]&0x10 != 0 && len(packet) >= size+4 {
			size += 4 + 4*(int(packet[size+2])<<8|int(packet[size+3]))
		}
		if plain, err := o.Open(bytes.Clone(packet), size, ssrc, seq); err == nil && !bytes.Equal(packet, genuine[p]) {
			t.Fatalf("opened %x: %x", packet, plain)
		}
	})
}

func FuzzOpenRTCP(f *testing.F) {
	genuine := map[protect.Profile][]byte{}
	for i, p := range profiles {
		good, err := newSealer(f, p).SealRTCP(nil, report(5))
		if err != nil {
			f.Fatal(err)
		}
		genuine[p] = good
		f.Add(i == 0, good)
		f.Add(i == 0, good[:25])
		f.Add(i == 0, good[8:])
	}
	f.Fuzz(func(t *testing.T, gcm bool, packet []byte) {
		p := protect.CM80
		if gcm {
			p = protect.GCM128
		}
		if plain, err := newOpener(t, p).OpenRTCP(bytes.Clone(packet)); (err == nil) != bytes.Equal(packet, genuine[p]) {
			t.Fatalf("opened %x: %x, %v", packet, plain, err)
		}
	})
}
