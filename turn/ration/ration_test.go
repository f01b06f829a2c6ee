package ration

import (
	"net/netip"
	"testing"
	"time"
)

var t0 = time.Unix(1000, 0)

func TestANeighbourhoodSharesItsAnswers(t *testing.T) {
	r := New(10, 20)
	yes := 0
	for i := range 1000 {
		if r.Allow(t0, netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})) {
			yes++
		}
	}
	if yes != 20 {
		t.Errorf("%d answers at once", yes)
	}
	if !r.Allow(t0, netip.MustParseAddr("198.51.100.1")) {
		t.Error("another neighbourhood pays for it")
	}
	yes = 0
	for i := range 1000 {
		if r.Allow(t0.Add(time.Duration(i)*10*time.Millisecond), netip.MustParseAddr("192.0.2.77")) {
			yes++
		}
	}
	if yes < 99 || yes > 100 {
		t.Errorf("%d answers in 10 s", yes)
	}
}

func TestFamiliesAndForms(t *testing.T) {
	r := New(1, 1)
	for _, pair := range [][2]string{{"2001:db8:1:100::1", "2001:db8:1:1ff::2"}, {"203.0.113.1", "::ffff:203.0.113.200"}, {"fe80::1%a", "fe80::2%b"}} {
		if !r.Allow(t0, netip.MustParseAddr(pair[0])) || r.Allow(t0, netip.MustParseAddr(pair[1])) {
			t.Errorf("%v are neighbours", pair)
		}
	}
	if r.Allow(t0, netip.Addr{}) {
		t.Error("no address")
	}
	if r.Allow(t0.Add(-time.Hour), netip.MustParseAddr("203.0.113.1")) {
		t.Error("a clock set back gives tokens")
	}
}
