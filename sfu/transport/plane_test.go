package transport

import (
	"log/slog"
	"net/netip"
	"slices"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWildcardBecomesAddresses(t *testing.T) {
	for address, four := range map[string]bool{"0.0.0.0:7701": true, "[::]:7701": false, ":7701": false} {
		hosts, port, err := expand(address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if port != 7701 || len(hosts) == 0 {
			t.Errorf("%s became %v, port %d", address, hosts, port)
		}
		for _, h := range hosts {
			if h.IsUnspecified() || four && !h.Is4() {
				t.Errorf("%s became %v", address, h)
			}
		}
	}
	for _, bad := range []string{"", "127.0.0.1", "127.0.0.1:http", "127.0.0.1:99999"} {
		if _, _, err := expand(bad, nil); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestAdvertisedWildcardIsOneAddressOfTheFamily(t *testing.T) {
	hosts, _, err := expand("0.0.0.0:7701", []netip.Addr{netip.MustParseAddr("203.0.113.7")})
	if err != nil {
		t.Fatal(err)
	}
	want, ok := routed(true)
	all, _ := local(true)
	if ok && slices.Contains(all, want) && (len(hosts) != 1 || hosts[0] != want) {
		t.Errorf("got %v, want %v", hosts, want)
	}
}

func TestPortInUseIsSaid(t *testing.T) {
	config := Config{UDP: []string{"127.0.0.1:0"}, Disconnected: 1, Failed: 1, Logger: quiet}
	first, err := Listen(config)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	config.UDP = []string{first.Addresses()[0].String()}
	if second, err := Listen(config); err == nil {
		second.Close()
		t.Error("the same port was opened twice")
	}
}

func TestListenersOfSeveralAddresses(t *testing.T) {
	p, err := Listen(Config{
		UDP: []string{"127.0.0.1:0", "[::1]:0"}, TCP: []string{"127.0.0.1:0", "[::1]:0"},
		Advertise: []netip.Addr{netip.MustParseAddr("203.0.113.7")}, Disconnected: 1, Failed: 1, Logger: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if got := p.Addresses(); len(got) != 4 || got[0].Addr() != netip.MustParseAddr("203.0.113.7") || got[1].Addr() != netip.IPv6Loopback() {
		t.Errorf("addresses %v", got)
	}
	for _, ip := range []string{"127.0.0.1", "::1"} {
		if conns, err := p.tcp.GetAllConns("ufrag", ip == "::1", netip.MustParseAddr(ip).AsSlice()); err != nil || len(conns) != 1 {
			t.Errorf("%d listeners for %s, %v", len(conns), ip, err)
		} else {
			conns[0].Close()
		}
	}
}

var quiet = slog.New(slog.DiscardHandler)
