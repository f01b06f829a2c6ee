package turn

import (
	"sync"
	"time"
)

// books count the live allocations of all carriers and remember what was revoked.
type books struct {
	quota, max int

	mu      sync.Mutex
	closed  bool
	relays  map[*relay]struct{}
	owners  map[string]int       // By credential owner.
	revoked map[string]time.Time // Session → when its last credential will have expired.
}

func newBooks(quota, max int) *books {
	return &books{quota: quota, max: max, relays: map[*relay]struct{}{}, owners: map[string]int{}, revoked: map[string]time.Time{}}
}

// enter books r, or says why not.
func (b *books) enter(r *relay) (denied string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, revoked := b.revoked[r.session]
	switch {
	case b.closed, revoked, len(b.relays) >= b.max:
		return deniedCapacity
	case b.owners[r.owner] >= b.quota:
		return deniedQuota
	}
	b.relays[r] = struct{}{}
	b.owners[r.owner]++
	return ""
}

// leave strikes r out, once.
func (b *books) leave(r *relay) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.relays[r]; !ok {
		return false
	}
	delete(b.relays, r)
	if b.owners[r.owner]--; b.owners[r.owner] <= 0 {
		delete(b.owners, r.owner)
	}
	return true
}

// maxRevoked bounds the memory for revoked sessions. Beyond it the one that expires first is forgotten: credentials are
// then still good for nothing but our own media ports, which the ended session no longer has.
const maxRevoked = 1 << 16

// revoke keeps a session from new allocations until its credentials are expired, and returns those it has.
func (b *books) revoke(session string, now, until time.Time) []*relay {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.revoked) >= maxRevoked {
		b.forget(now)
	}
	b.revoked[session] = until
	var list []*relay
	for r := range b.relays {
		if r.session == session {
			list = append(list, r)
		}
	}
	return list
}

// forget drops what has expired, or else the one that expires first.
func (b *books) forget(now time.Time) {
	first, at := "", time.Time{}
	for s, until := range b.revoked {
		if !until.After(now) {
			delete(b.revoked, s)
		} else if first == "" || until.Before(at) {
			first, at = s, until
		}
	}
	if len(b.revoked) >= maxRevoked {
		delete(b.revoked, first)
	}
}

func (b *books) isRevoked(session string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.revoked[session]
	return ok
}

// close refuses all further allocations.
func (b *books) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
}
