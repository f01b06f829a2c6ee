package floor

import (
	"bytes"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/parleyrtc/parley/bench/proc"
	"github.com/parleyrtc/parley/sfu/transport/datagram"
)

func TestMain(m *testing.M) {
	Child()
	os.Exit(m.Run())
}

func key(b byte) []byte { return bytes.Repeat([]byte{b}, KeySize+SaltSize) }

func header(ssrc byte, sequence byte) []byte {
	return []byte{0x90, 96, 0, sequence, 0, 0, 0, 1, 0, 0, 0, ssrc, 0xbe, 0xde, 0, 1, 0x10, 1, 2, 3}
}

func cipherOf(t testing.TB, k []byte) *Cipher {
	t.Helper()
	c, err := NewCipher(k)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestASealedPacketOpensAndADamagedOneDoesNot(t *testing.T) {
	sealed := cipherOf(t, key(1)).Seal(nil, header(1, 2), []byte("payload"))
	h, p, err := cipherOf(t, key(1)).Open(bytes.Clone(sealed))
	if err != nil || !bytes.Equal(h, header(1, 2)) || string(p) != "payload" {
		t.Fatalf("%x %q %v", h, p, err)
	}
	for i := range sealed {
		damaged := bytes.Clone(sealed)
		damaged[i] ^= 1
		if _, _, err := cipherOf(t, key(1)).Open(damaged); err == nil {
			t.Errorf("a packet with byte %d changed opens", i)
		}
	}
	if _, err := NewCipher(key(1)[1:]); err == nil {
		t.Error("a short key is taken")
	}
}

func TestEveryPacketReachesEverySubscriberOfItsRoomOnly(t *testing.T) {
	subscribers := make([]*datagram.Socket, 3)
	cfg := Config{
		Listen:     netip.MustParseAddrPort("127.0.0.1:0"),
		Publishers: []Publisher{{SSRC: 1, Room: 0, Key: key(1)}, {SSRC: 2, Room: 1, Key: key(2)}},
	}
	for i := range subscribers {
		s, err := datagram.Listen(netip.MustParseAddrPort("127.0.0.1:0"), datagram.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		subscribers[i] = s
		cfg.Subscribers = append(cfg.Subscribers, Subscriber{Addr: s.Local(), Room: i / 2, Key: key(byte(10 + i))})
	}
	p, err := Start(cfg, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	from := subscribers[2]
	for i, size := range []int{1000, 1000, 500, 1000} {
		for ssrc := byte(1); ssrc <= 2; ssrc++ {
			b := cipherOf(t, key(ssrc)).Seal(nil, header(ssrc, byte(i)), bytes.Repeat([]byte{byte(i)}, size))
			if err := from.WriteTo(b, p.Addr); err != nil {
				t.Fatal(err)
			}
		}
	}
	in := datagram.NewInbox(16, maxPacket)
	for i, s := range subscribers {
		c := cipherOf(t, key(byte(10+i)))
		for got := 0; got < 4; {
			batch, err := in.Receive(s, true)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range batch {
				h, payload, err := c.Open(m.Data)
				if err != nil || h[11] != byte(1+i/2) || h[3] != byte(got) || payload[0] != byte(got) {
					t.Fatalf("subscriber %d, packet %d: header %x, payload %.4x, %v", i, got, h, payload, err)
				}
				got++
			}
		}
	}
	if used, err := proc.CPU(p.PID()); err != nil || used <= 0 || used > 10*time.Second {
		t.Errorf("the floor used %v, %v", used, err)
	}
}

func BenchmarkSeal(b *testing.B) {
	c := cipherOf(b, key(1))
	payload, dst, h := make([]byte, 1100), make([]byte, 0, maxPacket), header(1, 1)
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		c.Seal(dst, h, payload)
	}
}
