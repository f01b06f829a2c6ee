package transport

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
)

// client is an owner.
type client struct {
	name string
	tcp  chan string // what came over TCP
}

func (c *client) fromTCP(b []byte) { c.tcp <- string(b) }

func (c *client) crowded() (string, bool) { return "", false }

func port(n int) netip.AddrPort {
	return netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), uint16(n))
}

func (r *remotes) whose(a netip.AddrPort) owner {
	if e := r.at(canonical(a)); e != nil {
		return e.owner
	}
	return nil
}

func TestAnAddressIsWhoseProofIsLatest(t *testing.T) {
	r := newRemotes()
	anna, ben := &client{name: "anna"}, &client{name: "ben"}
	r.learn(anna, port(1))
	if r.whose(port(1)) != nil {
		t.Error("an owner who never joined has an address")
	}
	r.join(anna)
	r.join(ben)
	r.learn(anna, port(1))
	r.learn(anna, port(1))
	if e := r.at(port(1)); e == nil || e.owner != anna {
		t.Fatalf("got %+v", e)
	}
	r.learn(ben, port(1))
	if r.whose(port(1)) != ben {
		t.Error("the port was used again, and still is the first one's")
	}
	r.forget(anna)
	if r.whose(port(1)) != ben {
		t.Error("an address went with its former owner")
	}
	r.forget(ben)
	r.forget(ben)
	r.learn(ben, port(1))
	r.use(ben, port(2))
	if r.whose(port(1)) != nil || r.whose(port(2)) != nil || len(r.parties) != 0 {
		t.Error("the owner is forgotten, but not everywhere")
	}
}

func TestAnAddressInUseIsNotTakenByACheckAlone(t *testing.T) {
	r := newRemotes()
	anna, mallory := &client{name: "anna"}, &client{name: "mallory"}
	r.join(anna)
	r.join(mallory)
	r.use(anna, port(1))
	r.learn(mallory, port(1))
	if r.whose(port(1)) != anna {
		t.Error("a check, whose source may be forged, took an address that is in use")
	}
	r.use(mallory, port(1))
	if r.whose(port(1)) != mallory {
		t.Error("a pair in use did not get its address")
	}
	r.use(mallory, netip.AddrPort{}) // over TCP now
	r.learn(anna, port(1))
	if r.whose(port(1)) != anna {
		t.Error("an address that is no longer in use was kept")
	}
}

func TestTheOldestAddressGives(t *testing.T) {
	r := newRemotes()
	anna := &client{name: "anna"}
	r.join(anna)
	r.use(anna, port(0)) // the oldest, but in use
	for i := 1; i < maxRemotes; i++ {
		r.learn(anna, port(i))
	}
	r.learn(anna, port(1)) // proved again
	r.learn(anna, port(99))
	for i := range maxRemotes {
		if got := r.whose(port(i)) == anna; got != (i != 2) {
			t.Errorf("address %d is known: %v", i, got)
		}
	}
	if r.whose(port(99)) != anna || len(r.join(anna).addresses) != maxRemotes {
		t.Error("the newest address is missing")
	}
	r.forget(anna)
	for i := range 100 {
		if r.whose(port(i)) != nil {
			t.Errorf("address %d survived its owner", i)
		}
	}
}

func TestAddressesHaveOneForm(t *testing.T) {
	r := newRemotes()
	anna := &client{name: "anna"}
	r.join(anna)
	for learned, seen := range map[string]string{
		"[::ffff:192.0.2.1]:1":    "192.0.2.1:1",
		"192.0.2.1:2":             "[::ffff:192.0.2.1]:2",
		"[2001:db8::1%eth0]:3":    "[2001:db8::1]:3",
		"[::ffff:192.0.2.1%lo]:4": "192.0.2.1:4",
		"[fe80::1%eth0]:5":        "[fe80::1%eth0]:5",
	} {
		r.learn(anna, netip.MustParseAddrPort(learned))
		if r.whose(netip.MustParseAddrPort(seen)) != anna {
			t.Errorf("%s was learned, %s is not known", learned, seen)
		}
	}
	if r.whose(netip.MustParseAddrPort("[fe80::1%eth1]:5")) != nil {
		t.Error("a link-local address of another link is known")
	}
}

func TestRemotesUnderEverybody(t *testing.T) {
	r := newRemotes()
	var wg sync.WaitGroup
	calm := &client{}
	r.join(calm)
	r.learn(calm, port(1000))
	for i := range 4 {
		wg.Go(func() {
			o := &client{}
			for round := range 50 {
				r.join(o)
				for p := range 40 {
					r.learn(o, port(p*(1+i%2)))
					r.use(o, port(round))
					if e := r.at(port(p)); e != nil && e.owner == nil {
						t.Error("an address without an owner")
					}
					if r.whose(port(1000)) != calm {
						t.Error("an address is gone because of others")
					}
				}
				r.forget(o)
			}
		})
	}
	wg.Wait()
	for p := range 200 {
		if r.whose(port(p)) != nil {
			t.Errorf("address %d is still known", p)
		}
	}
}

// crowd is n owners with one address each.
func crowd(n int) (*remotes, []*client) {
	r, owners := newRemotes(), make([]*client, n)
	for i := range owners {
		owners[i] = &client{}
		r.join(owners[i])
		r.use(owners[i], spread(i))
	}
	return r, owners
}

func spread(i int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, byte(i >> 8), byte(i)}), uint16(30_000+i))
}

func TestDirectoryGrowsAndShrinks(t *testing.T) {
	d, all := newDirectory(), map[netip.AddrPort]*remote{}
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 20_000 {
		a := spread(random.IntN(200 + round%2000))
		if e := d.at(a); e != all[a] {
			t.Fatalf("round %d: %v is %v, want %v", round, a, e, all[a])
		}
		if random.IntN(2000) < round%2000 {
			d.remove(a)
			delete(all, a)
		} else {
			all[a] = &remote{addr: a}
			d.put(all[a])
		}
		if size := len(*d.table.Load()); d.live != len(all) || 2*d.filled > size || size > 16 && size > 8*4*2000 {
			t.Fatalf("round %d: %d of %d places for %d of %d remotes", round, d.filled, size, d.live, len(all))
		}
	}
	if d.at(netip.AddrPort{}) != nil {
		t.Error("no address belongs to somebody")
	}
}

func BenchmarkRemotesAt(b *testing.B) {
	r, _ := crowd(5000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if r.at(spread(i%5000)) == nil {
			b.Fatal("not known")
		}
	}
}

// A new address among 5,000, and its end.
func BenchmarkRemotesLearn(b *testing.B) {
	r, _ := crowd(5000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		o := &client{}
		r.join(o)
		r.learn(o, spread(5000+i%5000))
		r.forget(o)
	}
}

func BenchmarkRemotesLearnAgain(b *testing.B) {
	r, owners := crowd(5000)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r.learn(owners[i%5000], spread(i%5000))
	}
}
