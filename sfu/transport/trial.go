package transport

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/stun/v4"
)

// A NAT may give a client another address in the middle of a call. The client does not notice, and its next check comes seconds
// later, but its media comes at once. When it is authentic and the newest of its source, the client may have moved (compare RFC
// 9146 §6), or somebody on the way has caught the packet and sends it from elsewhere, or the client has written another's address
// on it. So the new address is on trial: we send a check there, which only the client can answer, and until then what we send
// goes to the old address and to the new one as well, there at most three times as much as came from it (RFC 9000 §8.1). The
// answer moves the path, and nothing else does.

const (
	// probeFirst is when an unanswered check is repeated; each time it takes twice as long. probes of them end 1.05 s after the
	// beginning: a mobile network's round trip, and two losses on a usual one.
	probeFirst = 70 * time.Millisecond
	probes     = 4
	// trialRest is how long after one trial the next may begin. Packets that were on their way when a client moved do not bring
	// it back.
	trialRest = 200 * time.Millisecond
	// amplification is how many times as much as came from an address may be sent there before it has answered.
	amplification = 3
	// trialPriority is what the check says of our candidate (RFC 8445 §7.1.1): that of a peer-reflexive one. Nobody decides by it.
	trialPriority = 110<<24 | 65535<<8 | 255
)

// secrets authenticate checks between two agents, ours and theirs.
type secrets struct {
	ours, password        string
	theirs, theirPassword string
}

// trial is an address where a client may be. It is made, ended and repeated with trials.mu held.
type trial struct {
	shadow   *shadow
	from, to *path
	id       transaction
	request  []byte
	password string
	credit   atomic.Int64 // bytes that may still be sent there
	proved   atomic.Bool  // the client is there
	sent     int          // checks
	timer    *time.Timer
	over     bool
}

// afford takes so many bytes of the credit. There is no end to it once the client has answered: what was on its way to the old
// address at that moment follows it.
func (t *trial) afford(bytes int) bool {
	if t.proved.Load() || t.credit.Add(-int64(bytes)) >= 0 {
		return true
	}
	t.credit.Add(int64(bytes))
	return false
}

// trials are those of all clients, one of each at a time.
type trials struct {
	some atomic.Int32 // how many there are: mostly none, and then nobody takes the lock

	mu sync.Mutex
	by map[transaction]*trial // guarded by mu
}

// epoch is what shadow.resting counts from.
var epoch = time.Now()

// away says whether what comes from an address to one of ours may show that the client has moved: it is not where we send, and we
// send directly. Behind our own relay and over TCP, nobody moves without noticing.
func (p *Plane) away(s *shadow, local int, from netip.AddrPort) bool {
	way := s.path.Load()
	return way != nil && way.addr != from && way.direct() && way.local == local && from.Addr().Zone() == "" && p.config.Rebinding != Off
}

// heard notes an authentic datagram from where the client is not taken to be. The lock receiving is held.
func (s *shadow) heard(a *arrival, out *Batch) {
	if a.stray {
		s.peer.plane.mux.learn(s.peer, a.from)
	}
	t := s.trial.Load()
	if t == nil {
		t = s.try(a, out)
	}
	if t != nil && t.to.addr == a.from {
		t.credit.Add(amplification * int64(len(a.data)))
	}
}

// try puts an address on trial, unless it is too early for another.
func (s *shadow) try(a *arrival, out *Batch) *trial {
	way, keys := s.path.Load(), s.peer.secrets.Load()
	if way == nil || way.addr == a.from || keys == nil || int64(time.Since(epoch)) < s.resting.Load() {
		return nil
	}
	t := &trial{shadow: s, from: way, to: &path{local: way.local, addr: a.from}, password: keys.theirPassword}
	m, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.NewUsername(keys.theirs+":"+keys.ours),
		stun.RawAttribute{Type: stun.AttrPriority, Value: binary.BigEndian.AppendUint32(nil, trialPriority)},
		stun.RawAttribute{Type: stun.AttrICEControlled, Value: make([]byte, 8)}, // the client offers, so it is controlling
		stun.NewShortTermIntegrity(keys.theirPassword), stun.Fingerprint)
	if err != nil {
		return nil
	}
	t.id, t.request = m.TransactionID, m.Raw
	if !s.peer.plane.trials.begin(t) {
		return nil
	}
	out.raw(t.to, t.request)
	return t
}

// begin enters a trial, unless the client is gone or has one.
func (r *trials) begin(t *trial) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t.shadow.peer.closed.Load() || t.shadow.trial.Load() != nil || t.shadow.path.Load() != t.from {
		return false
	}
	if r.by == nil {
		r.by = map[transaction]*trial{}
	}
	r.by[t.id] = t
	r.some.Store(int32(len(r.by)))
	t.sent = 1
	t.timer = time.AfterFunc(probeFirst, func() { r.repeat(t) })
	t.shadow.trial.Store(t)
	t.from.also.Store(t)
	return true
}

// repeat sends the check again, or ends the trial.
func (r *trials) repeat(t *trial) {
	if r.again(t) {
		plane := t.shadow.peer.plane
		_ = plane.write(t.to.local, t.request, t.to.addr) // lost like any other
	}
}

func (r *trials) again(t *trial) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case t.over:
		return false
	case t.sent == probes:
		r.close(t)
		return false
	}
	t.timer.Reset(probeFirst << t.sent)
	t.sent++
	return true
}

// end ends the trial of a client, if there is one.
func (r *trials) end(s *shadow) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t := s.trial.Load(); t != nil {
		r.close(t)
	}
}

// close takes a trial out, with mu held.
func (r *trials) close(t *trial) {
	t.over = true
	t.timer.Stop()
	if !t.proved.Load() {
		t.from.also.CompareAndSwap(t, nil)
	}
	t.shadow.resting.Store(int64(time.Since(epoch) + trialRest))
	t.shadow.trial.Store(nil)
	delete(r.by, t.id)
	r.some.Store(int32(len(r.by)))
}

// answered takes a datagram that answers a check of a trial; false: it does not. What answers wrongly is as if it had not come.
func (r *trials) answered(local int, from netip.AddrPort, b []byte) bool {
	if r.some.Load() == 0 || stunClass(b) != stunSuccess {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.by[transaction(b[8:stunHeader])]
	if t == nil {
		return false
	}
	if t.to.local == local && t.to.addr == from && authentic(b, t.password) { // RFC 8445 §7.2.5.2.1
		t.proved.Store(true)
		r.close(t)
		t.won()
	}
	return true
}

// won moves the path, and all that the agent sends.
func (t *trial) won() {
	s := t.shadow
	if s.peer.closed.Load() || !s.path.CompareAndSwap(t.from, t.to) {
		return
	}
	plane := s.peer.plane
	plane.mux.follow(s.peer, t.from.addr, t.to.addr)
	plane.moved.Add(1)
	s.peer.moving.follow(t.to.addr)
}
