package protect_test

import (
	"errors"
	"runtime"
	"testing"

	"github.com/parleyrtc/parley/sfu/protect"
)

// heap is what is in use after a collection, in bytes.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestAMillionSourcesLeaveMemoryBounded(t *testing.T) {
	for _, p := range profiles {
		many, right := uint32(1_000_000), uint32(1_000_000)
		if p == protect.CM80 {
			many, right = 100_000, 2000 // Slower, and pion's sealer keeps every source.
		}
		s, o := newSealer(t, p), newOpener(t, p)
		rtcp := newSealer(t, p)
		before := heap()
		forged := sealed(t, s, 5, 100, "payload")
		forgedRTCP := append(report(0), make([]byte, 20)...)
		forgedRTCP[len(forgedRTCP)-4] = 0x80
		if p == protect.CM80 {
			forgedRTCP[len(forgedRTCP)-14] = 0x80
		}
		for i := range many {
			ssrc := i * 2654435761 // Each value once.
			if ssrc == 5 {
				continue
			}
			forged[8], forged[9], forged[10], forged[11] = byte(ssrc>>24), byte(ssrc>>16), byte(ssrc>>8), byte(ssrc)
			copy(forgedRTCP[4:8], forged[8:12])
			if _, err := o.Open(forged, 12, ssrc, 100); !errors.Is(err, protect.ErrTag) {
				t.Fatalf("%s: forged source %x: %v", p, ssrc, err)
			}
			if i%10 != 0 {
				continue
			}
			if _, err := o.OpenRTCP(forgedRTCP); !errors.Is(err, protect.ErrTag) {
				t.Fatalf("%s: forged RTCP source %x: %v", p, ssrc, err)
			}
		}
		if grown := heap() - before; grown > 100_000 {
			t.Errorf("%s: forged sources left %d bytes", p, grown)
		}

		packet := make([]byte, 0, 100)
		for i := range right {
			packet = append(packet[:0], 0x80, 96, 0, 7, 0, 0, 0, 0, byte(i>>24), byte(i>>16), byte(i>>8), byte(i))
			packet, err := s.Seal(packet, 0, nil, i, 7)
			if err != nil {
				t.Fatal(err)
			}
			_, err = o.Open(packet, 12, i, 7)
			if want := i >= protect.MaxSources; errors.Is(err, protect.ErrSources) != want || err != nil && !want {
				t.Fatalf("%s: source %d: %v", p, i, err)
			}
			if i >= 2000 {
				continue
			}
			control, err := rtcp.SealRTCP(nil, report(i))
			if err != nil {
				t.Fatal(err)
			}
			_, err = o.OpenRTCP(control)
			if want := i >= protect.MaxSources; errors.Is(err, protect.ErrSources) != want || err != nil && !want {
				t.Fatalf("%s: RTCP source %d: %v", p, i, err)
			}
		}
		// The sealers' own states of pion's count, too.
		if grown := heap() - before; grown > 1_500_000 {
			t.Errorf("%s: sources left %d bytes", p, grown)
		}
		for _, known := range []uint32{0, protect.MaxSources - 1} {
			if _, err := o.Open(sealed(t, s, known, 8, ""), 12, known, 8); err != nil {
				t.Errorf("%s: source %d is not served any more: %v", p, known, err)
			}
		}
		runtime.KeepAlive(rtcp)
	}
}
