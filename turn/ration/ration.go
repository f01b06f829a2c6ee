// Package ration limits how many answers strangers get, per neighbourhood they write from.
//
// A datagram's source may be forged, and an answer that is larger than the question makes us somebody's weapon. Memory is
// fixed: neighbourhoods share a table of buckets, at worst two of them one bucket.
package ration

import (
	"hash/maphash"
	"net/netip"
	"time"
)

const (
	buckets = 4096
	// A neighbourhood is what one forger can fill with addresses: a network of 256, or a customer's IPv6 prefix.
	prefix4, prefix6 = 24, 56
)

type bucket struct {
	tokens float64
	at     time.Time
}

// Ration is a table of token buckets. It has one owner and no lock.
type Ration struct {
	rate, burst float64
	seed        maphash.Seed
	table       [buckets]bucket
}

// New returns a ration of rate answers a second, of which burst may come at once.
func New(rate, burst float64) *Ration {
	return &Ration{rate: rate, burst: burst, seed: maphash.MakeSeed()}
}

// Allow says whether one more answer may go to addr now. A yes is counted.
func (r *Ration) Allow(now time.Time, addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	bits := prefix6
	if addr.Is4() {
		bits = prefix4
	}
	network, err := addr.Prefix(bits)
	if err != nil || !addr.IsValid() {
		return false
	}
	b := &r.table[maphash.Comparable(r.seed, network)%buckets]
	if b.at.IsZero() {
		b.tokens = r.burst
	} else if passed := now.Sub(b.at); passed > 0 {
		b.tokens = min(r.burst, b.tokens+passed.Seconds()*r.rate)
	}
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
