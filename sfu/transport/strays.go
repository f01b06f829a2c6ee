package transport

import (
	"encoding/binary"
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

const (
	// maxFamiliar is how many sources of one client are known by name: microphone, camera and a shared screen with their layers
	// and repairs. A client with more loses the oldest.
	maxFamiliar = 16

	// What may be tried in a second of what strangers send under a client's SSRC, in datagrams: a packet of video costs some
	// 2 µs. One address is an office whose NAT has restarted; all of them together cost a worker less than a hundredth of its time.
	strayRate, strayBurst       = 200, 400
	allStrayRate, allStrayBurst = 2_000, 4_000
	strayBuckets                = 256
)

// familiar finds a client by an SSRC that it has sent authentic packets of, wherever from. It only says whose keys are worth a try.
//
// A client keeps what it came to first: another one with the same SSRC, by chance or to harm, is found by its checks alone. Clients
// that only receive report under SSRCs that their browser chose once for all; those are told apart by IP address.
type familiar struct {
	mu      sync.RWMutex
	shadows map[voice]*shadow // guarded by mu; at most 2 maxFamiliar for each client
}

// voice is an SSRC, alone or with the IP address that it was heard from.
type voice struct {
	ssrc uint32
	from netip.Addr
}

// whose returns who may have sent a datagram of media; nil when nobody is known to.
func (f *familiar) whose(from netip.Addr, b []byte) *shadow {
	ssrc, ok := sender(b)
	if !ok {
		return nil
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	if s := f.shadows[voice{ssrc, from}]; s != nil {
		return s
	}
	return f.shadows[voice{ssrc: ssrc}]
}

// sender is the SSRC of who sent a datagram of media, by RFC 3550 §5.1 and §6.4.
func sender(b []byte) (ssrc uint32, ok bool) {
	switch {
	case isRTCP(b) && len(b) >= 8:
		return binary.BigEndian.Uint32(b[4:]), true
	case !isRTCP(b) && len(b) >= 12:
		return binary.BigEndian.Uint32(b[8:]), true
	}
	return 0, false
}

// note enters a source of a client, in place of its oldest.
func (f *familiar) note(s *shadow, ssrc uint32) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.peer.closed.Load() { // set before forget
		return
	}
	if f.shadows == nil {
		f.shadows = map[voice]*shadow{}
	}
	place := &s.voices[s.next%maxFamiliar]
	s.next++
	f.remove(s, *place)
	*place = voice{ssrc: ssrc}
	if way := s.path.Load(); way != nil {
		place.from = canonical(way.addr).Addr()
	}
	for _, v := range []voice{*place, {ssrc: ssrc}} {
		if f.shadows[v] == nil {
			f.shadows[v] = s
		}
	}
}

// forget removes a client, which must be closed.
func (f *familiar) forget(s *shadow) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, v := range s.voices {
		f.remove(s, v)
	}
}

func (f *familiar) remove(s *shadow, v voice) {
	for _, v := range []voice{v, {ssrc: v.ssrc}} {
		if f.shadows[v] == s {
			delete(f.shadows, v)
		}
	}
}

// stray says whether what a stranger sends under a client's SSRC may be tried with the client's keys, and counts it.
func (i *intake) stray(now time.Time, from netip.Addr) bool {
	return i.strays[maphash.Comparable(i.seed, customer(from))%strayBuckets].take(now, strayRate, strayBurst) &&
		i.allStrays.take(now, allStrayRate, allStrayBurst)
}
