package guard

import (
	"errors"
	"net"
	"net/netip"
	"testing"

	"github.com/pion/stun/v4"
)

type raw struct {
	kind  stun.AttrType
	value []byte
}

func (r raw) AddTo(m *stun.Message) error { m.Add(r.kind, r.value); return nil }

func message(method stun.Method, class stun.MessageClass, attrs ...stun.Setter) []byte {
	setters := append([]stun.Setter{stun.TransactionID, stun.NewType(method, class)}, attrs...)
	return stun.MustBuild(setters...).Raw
}

type peer string

func (p peer) AddTo(m *stun.Message) error {
	a := netip.MustParseAddrPort(string(p))
	return stun.XORMappedAddress{IP: net.IP(a.Addr().AsSlice()), Port: int(a.Port())}.AddToAs(m, stun.AttrXORPeerAddress)
}

func TestWhatPassesAndWhatDoesNot(t *testing.T) {
	mi := stun.NewLongTermIntegrity("u", "r", "p")
	for _, tt := range []struct {
		name string
		b    []byte
		want error
	}{
		{"binding", message(stun.MethodBinding, stun.ClassRequest), nil},
		{"binding with fingerprint", message(stun.MethodBinding, stun.ClassRequest, stun.Fingerprint), nil},
		{"allocate", message(stun.MethodAllocate, stun.ClassRequest, raw{stun.AttrRequestedTransport, []byte{17, 0, 0, 0}}), nil},
		{"channel bind", message(stun.MethodChannelBind, stun.ClassRequest, raw{stun.AttrChannelNumber, []byte{0x40, 0, 0, 0}}, peer("1.2.3.4:5"), mi, stun.Fingerprint), nil},
		{"several peers", message(stun.MethodCreatePermission, stun.ClassRequest, peer("1.2.3.4:5"), peer("[2001:db8::1]:6"), mi), nil},
		{"send", message(stun.MethodSend, stun.ClassIndication, peer("1.2.3.4:5"), raw{stun.AttrData, []byte("x")}), nil},
		{"unknown optional attribute", message(stun.MethodBinding, stun.ClassRequest, raw{0xC057, []byte{0, 1, 0, 10}}), nil},
		{"channel data", []byte{0x40, 0, 0, 3, 'a', 'b', 'c'}, nil},
		{"channel data padded", []byte{0x4F, 0xFF, 0, 3, 'a', 'b', 'c', 0}, nil},

		{"nothing", nil, ErrMalformed},
		{"three bytes", []byte{0x40, 0, 0}, ErrMalformed},
		{"the nine bytes", []byte{0x40, 0, 0xFF, 0xFC, 1, 2, 3, 4, 5}, ErrMalformed},
		{"channel data with a tail", []byte{0x40, 0, 0, 1, 'a', 0, 0, 0, 0}, ErrMalformed},
		{"reserved channel number", []byte{0x50, 0, 0, 1, 'a'}, ErrMalformed},
		{"media", append([]byte{0x80, 96}, make([]byte, 30)...), ErrMalformed},
		{"a tail behind the message", append(message(stun.MethodBinding, stun.ClassRequest), 0, 0, 0, 0), ErrMalformed},
		{"cookie of RFC 3489", append([]byte{0, 1, 0, 0}, make([]byte, 16)...), ErrMalformed},
		{"attribute beyond the end", message(stun.MethodBinding, stun.ClassRequest, raw{0xC001, make([]byte, 4)})[:22], ErrMalformed},
		{"too long", message(stun.MethodSend, stun.ClassIndication, raw{stun.AttrData, make([]byte, 1600)}), ErrMalformed},
		{"too many attributes", message(stun.MethodBinding, stun.ClassRequest, many(41)...), ErrMalformed},

		{"connect", message(stun.MethodConnect, stun.ClassRequest, peer("1.2.3.4:5")), ErrMethod},
		{"connection bind", message(stun.MethodConnectionBind, stun.ClassRequest), ErrMethod},
		{"a response", message(stun.MethodBinding, stun.ClassSuccessResponse), ErrMethod},
		{"data indication", message(stun.MethodData, stun.ClassIndication), ErrMethod},
		{"send as request", message(stun.MethodSend, stun.ClassRequest), ErrMethod},

		{"peer of no bytes", message(stun.MethodSend, stun.ClassIndication, raw{stun.AttrXORPeerAddress, nil}), ErrAttribute},
		{"peer of a wrong family", message(stun.MethodSend, stun.ClassIndication, raw{stun.AttrXORPeerAddress, []byte{0, 2, 0, 0, 1, 2, 3, 4}}), ErrAttribute},
		{"two peers to bind", message(stun.MethodChannelBind, stun.ClassRequest, peer("1.2.3.4:5"), peer("1.2.3.4:6")), ErrAttribute},
		{"seventeen peers", message(stun.MethodCreatePermission, stun.ClassRequest, peers(17)...), ErrAttribute},
		{"two usernames", message(stun.MethodAllocate, stun.ClassRequest, stun.NewUsername("a"), stun.NewUsername("b")), ErrAttribute},
		{"lifetime of three bytes", message(stun.MethodRefresh, stun.ClassRequest, raw{stun.AttrLifetime, make([]byte, 3)}), ErrAttribute},
		{"peer after the integrity", message(stun.MethodCreatePermission, stun.ClassRequest, mi, peer("1.2.3.4:5")), ErrAttribute},
		{"anything after the integrity", message(stun.MethodCreatePermission, stun.ClassRequest, peer("1.2.3.4:5"), mi, raw{0xC001, nil}), ErrAttribute},
		{"anything after the fingerprint", message(stun.MethodBinding, stun.ClassRequest, stun.Fingerprint, raw{0xC001, nil}), ErrAttribute},
	} {
		var m Message
		if err := Check(tt.b, &m); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func many(n int) (list []stun.Setter) {
	for range n {
		list = append(list, raw{0xC001, nil})
	}
	return list
}

func peers(n int) (list []stun.Setter) {
	for range n {
		list = append(list, peer("1.2.3.4:5"))
	}
	return list
}

func TestPeersAreReadAsTheyAreEncoded(t *testing.T) {
	mapped := raw{stun.AttrXORPeerAddress, nil}
	b := message(stun.MethodCreatePermission, stun.ClassRequest, peer("1.2.3.4:5"), peer("[64:ff9b::7f00:1]:6"))
	m4in6 := stun.New()
	m4in6.Raw = b
	if err := m4in6.Decode(); err != nil {
		t.Fatal(err)
	}
	// The library writes ::ffff:1.2.3.4 as IPv4, so it is put together by hand.
	value := []byte{0, 2, 0x21, 0x12}
	key := append([]byte{0x21, 0x12, 0xA4, 0x42}, m4in6.TransactionID[:]...)
	for i, v := range netip.MustParseAddr("::ffff:1.2.3.4").As16() {
		value = append(value, v^key[i])
	}
	mapped.value = value
	_ = mapped.AddTo(m4in6)
	var m Message
	if err := Check(m4in6.Raw, &m); err != nil {
		t.Fatal(err)
	}
	want := []string{"1.2.3.4:5", "[64:ff9b::7f00:1]:6", "[::ffff:1.2.3.4]:0"}
	for i, p := range m.Peers() {
		if p != netip.MustParseAddrPort(want[i]) {
			t.Errorf("%v, want %s", p, want[i])
		}
	}
	if len(m.Peers()) != 3 || m.Method != CreatePermission || !m.Request || m.Transaction != m4in6.TransactionID {
		t.Errorf("%+v", m)
	}
}

func TestFrameSize(t *testing.T) {
	for _, tt := range []struct {
		b    []byte
		want int
	}{
		{[]byte{0, 1, 0, 8}, 28}, {[]byte{0x40, 0, 0, 0}, 4}, {[]byte{0x40, 0, 0, 5}, 12}, {[]byte{0x40, 0, 6, 60}, 1600},
		{[]byte{0, 1, 0, 7}, 0}, {[]byte{0x40, 0, 0xFF, 0xFC}, 0}, {[]byte{0x40, 0, 6, 61}, 0}, {[]byte{0, 1, 0xFF, 0xFC}, 0},
		{[]byte{0x80, 0, 0, 0}, 0}, {[]byte{0x50, 0, 0, 0}, 0}, {[]byte("GET "), 0}, {[]byte{0x16, 3, 1, 2}, 0}, {[]byte{0, 1, 0}, 0},
	} {
		got, err := FrameSize(tt.b)
		if got != tt.want || (err == nil) != (tt.want > 0) {
			t.Errorf("% x: %d %v", tt.b, got, err)
		}
	}
}

// FuzzCheck holds the guard to pion/stun: what passes it can decode, and every peer is the one it sees.
func FuzzCheck(f *testing.F) {
	f.Add(message(stun.MethodCreatePermission, stun.ClassRequest, peer("1.2.3.4:5"), peer("[2001:db8::1]:6"), stun.NewLongTermIntegrity("u", "r", "p"), stun.Fingerprint))
	f.Add([]byte{0x40, 0, 0, 3, 'a', 'b', 'c', 0})
	f.Add([]byte{0x40, 0, 0xFF, 0xFC, 1, 2, 3, 4, 5})
	f.Fuzz(func(t *testing.T, b []byte) {
		var m Message
		if _, err := FrameSize(b); err == nil && len(b) < FrameHeader {
			t.Fatal("a size from less than a header")
		}
		if Check(b, &m) != nil {
			return
		}
		if size, err := FrameSize(b); err != nil || size < len(b) || size > len(b)+3 {
			t.Fatalf("%d bytes pass, the frame is %d %v", len(b), size, err)
		}
		if m.Method == ChannelData {
			return
		}
		d := &stun.Message{Raw: b}
		if err := d.Decode(); err != nil {
			t.Fatalf("passes, and does not decode: %v", err)
		}
		seen := 0
		_ = d.ForEach(stun.AttrXORPeerAddress, func(one *stun.Message) error {
			var a stun.XORMappedAddress
			if err := a.GetFromAs(one, stun.AttrXORPeerAddress); err != nil {
				t.Fatalf("peer %d: %v", seen, err)
			}
			ip, _ := netip.AddrFromSlice(a.IP)
			if m.Peers()[seen] != netip.AddrPortFrom(ip, uint16(a.Port)) {
				t.Fatalf("peer %d: %v, pion %v", seen, m.Peers()[seen], a)
			}
			seen++
			return nil
		})
		if seen != len(m.Peers()) {
			t.Fatalf("%d peers, pion sees %d", len(m.Peers()), seen)
		}
	})
}

func TestCheckAllocatesNothing(t *testing.T) {
	b := message(stun.MethodSend, stun.ClassIndication, peer("1.2.3.4:5"), raw{stun.AttrData, make([]byte, 1000)})
	var m Message
	if n := testing.AllocsPerRun(100, func() { _ = Check(b, &m) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkCheckSend(b *testing.B) {
	data := message(stun.MethodSend, stun.ClassIndication, peer("1.2.3.4:5"), raw{stun.AttrData, make([]byte, 1000)})
	var m Message
	for b.Loop() {
		if err := Check(data, &m); err != nil {
			b.Fatal(err)
		}
	}
}
