package peers

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

var (
	v4 = netip.MustParseAddrPort("203.0.113.10:7000")
	v6 = netip.MustParseAddrPort("[2001:db8::10]:7000")
)

func TestOnlyTheListedAddressInItsOwnEncoding(t *testing.T) {
	s, err := New([]netip.AddrPort{v4, v6}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []netip.AddrPort{v4, v6} {
		if to, ok := s.Outbound(a); !s.Allowed(a) || !s.Host(a.Addr()) || !ok || to != a || s.Inbound(a) == nil {
			t.Errorf("%v refused", a)
		}
		other := netip.AddrPortFrom(a.Addr(), 7001)
		if _, ok := s.Outbound(other); s.Allowed(other) || !s.Host(other.Addr()) || ok || s.Inbound(other) != nil {
			t.Errorf("%v allowed", other)
		}
	}
	for _, ip := range encodings(v4.Addr()) {
		if s.Host(ip) || s.Allowed(netip.AddrPortFrom(ip, 7000)) {
			t.Errorf("%v is another address than %v", ip, v4)
		}
	}
	if s.Host(netip.MustParseAddr("2001:db8::10%eth0")) || s.Host(netip.Addr{}) || s.Allowed(netip.AddrPort{}) {
		t.Error("zones and nothing are refused")
	}
}

// encodings are the ways in which IPv6 can spell an IPv4 address.
func encodings(ip netip.Addr) []netip.Addr {
	v := ip.As4()
	put := func(prefix string, at int, flip byte) netip.Addr {
		b := netip.MustParseAddr(prefix).As16()
		for i := range 4 {
			b[at+i] = v[i] ^ flip
		}
		return netip.AddrFrom16(b)
	}
	return []netip.Addr{
		netip.AddrFrom16(ip.As16()), put("::", 12, 0), put("::ffff:0:0:0", 12, 0), put("64:ff9b::", 12, 0), put("64:ff9b:1::", 12, 0),
		put("2002::", 2, 0), put("2001::", 4, 0), put("2001::", 12, 0xFF), put("fe80::5efe:0:0", 12, 0),
	}
}

func TestAnAliasIsReachedElsewhereUnderTheSameName(t *testing.T) {
	local := netip.MustParseAddrPort("10.0.0.5:7000")
	s, err := New([]netip.AddrPort{v4}, map[netip.AddrPort]netip.AddrPort{v4: local})
	if err != nil {
		t.Fatal(err)
	}
	if to, ok := s.Outbound(v4); !ok || to != local || s.Inbound(local).AddrPort() != v4 || s.Inbound(v4) != nil || s.Allowed(local) || s.Host(local.Addr()) {
		t.Error("alias")
	}
}

func TestWhatCannotBeAMediaAddress(t *testing.T) {
	for _, a := range []string{"0.0.0.0:1", "[::]:1", "1.2.3.4:0", "224.0.0.1:1", "[ff02::1]:1", "[::ffff:1.2.3.4]:1", "[fe80::1%eth0]:1"} {
		if _, err := New([]netip.AddrPort{netip.MustParseAddrPort(a)}, nil); err == nil {
			t.Errorf("%s accepted", a)
		}
	}
	if _, err := New([]netip.AddrPort{v4}, map[netip.AddrPort]netip.AddrPort{v4: v6}); err == nil {
		t.Error("an alias of another family accepted")
	}
}

func TestARandomAddressIsAllowedOnlyIfListed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) netip.AddrPort {
			port := uint16(rapid.IntRange(1, 4).Draw(t, name+" port"))
			var b [16]byte
			binary.BigEndian.PutUint64(b[8:], rapid.Uint64Range(1, 1<<33).Draw(t, name))
			if rapid.Bool().Draw(t, name+" v4") {
				return netip.AddrPortFrom(netip.AddrFrom4([4]byte{1, b[13], b[14], b[15]}), port)
			}
			return netip.AddrPortFrom(netip.AddrFrom16(b), port)
		}
		a, b, c := draw("a"), draw("b"), draw("c")
		s, err := New([]netip.AddrPort{a, b}, nil)
		if err != nil {
			return // Not a media address, which another test is about.
		}
		if s.Allowed(c) != (c == a || c == b) || s.Host(c.Addr()) != (c.Addr() == a.Addr() || c.Addr() == b.Addr()) {
			t.Fatalf("%v against %v and %v", c, a, b)
		}
	})
}
