package transport

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"

	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/protect"
)

// maxWaiting is how many datagrams of one client are kept while they cannot be opened: its first media may overtake the
// end of the DTLS handshake on our side, and two workers may hold media of one client that comes from two addresses.
const maxWaiting = 64

// arrival is one datagram of media as it came from the network.
type arrival struct {
	at   time.Time
	data []byte // sealed; opened in place

	from  netip.AddrPort // where the client is not taken to be; else not valid
	stray bool           // from is nobody's
}

// shadow is the media of one peer as we carry it ourselves, beside a PeerConnection that never sees it. pion makes the keys
// (DTLS) and finds the way (ICE); RTP and RTCP in both directions are ours alone, because two owners of one SRTP key would
// sooner or later seal two packets under one number.
type shadow struct {
	peer *Peer
	path atomic.Pointer[path] // where the client is; nil: nowhere

	// sealer is nil until the client's certificate has been verified. RTP is sealed by whoever owns the peer's sending side.
	sealer atomic.Pointer[protect.Sealer]

	reporting sync.Mutex // held to seal RTCP, which anybody may send

	receiving sync.Mutex      // held by whoever hands packets up: one goroutine at a time, and nobody waits for it
	opener    *protect.Opener // guarded by receiving; nil as long as sealer
	rate      bucket          // guarded by receiving; forgeries do not count, anybody may write the client's address on them
	opened    []Datagram      // guarded by receiving
	rtcp      []rtcp.Packet   // guarded by receiving
	reported  time.Time       // when the last of them came

	queueing sync.Mutex
	waiting  []arrival   // copies; guarded by queueing
	queued   atomic.Bool // there are some

	sources int                   // of opener, that familiar has been told of; guarded by receiving
	voices  [maxFamiliar]voice    // guarded by familiar.mu, as the next
	next    int                   // of voices, to be replaced
	trial   atomic.Pointer[trial] // set with trials.mu held
	resting atomic.Int64          // when the next trial may begin, by trials.now
}

// activate takes the keys into use. The caller has seen the client's certificate match its fingerprint.
func (s *shadow) activate(keys protect.Keys) error {
	sealer, err := protect.NewSealer(keys)
	if err != nil {
		return err
	}
	opener, err := protect.NewOpener(keys)
	if err != nil {
		return err
	}
	s.receiving.Lock()
	s.opener = opener
	s.receiving.Unlock()
	s.sealer.Store(sealer)
	return nil
}

// take handles media of this client, in order of arrival, by one of our goroutines. What it leads to is added to out.
func (s *shadow) take(now time.Time, arrivals []arrival, out *Batch) {
	if !s.receiving.TryLock() {
		s.wait(arrivals)
		if !s.receiving.TryLock() { // whoever holds it sees what waits
			return
		}
		arrivals = nil
	}
	if s.opener == nil {
		s.wait(arrivals)
		s.receiving.Unlock()
		return
	}
	for {
		if s.queued.Load() {
			s.handUp(now, s.waited(), out)
		}
		s.handUp(now, arrivals, out)
		s.receiving.Unlock()
		if !s.queued.Load() || !s.receiving.TryLock() {
			return
		}
		arrivals = nil
	}
}

// wait keeps copies for later; what is too much is dropped and counted.
func (s *shadow) wait(arrivals []arrival) {
	if len(arrivals) == 0 {
		return
	}
	s.queueing.Lock()
	defer s.queueing.Unlock()
	for _, a := range arrivals {
		if len(s.waiting) == maxWaiting {
			s.peer.plane.counts.early.Add(1)
			continue
		}
		a.data = bytes.Clone(a.data)
		s.waiting = append(s.waiting, a)
	}
	s.queued.Store(true)
}

// waited takes what waits.
func (s *shadow) waited() []arrival {
	s.queueing.Lock()
	defer s.queueing.Unlock()
	waiting := s.waiting
	s.waiting = nil
	s.queued.Store(false)
	return waiting
}

// handUp opens datagrams and gives them to the sink. The lock receiving is held.
func (s *shadow) handUp(now time.Time, arrivals []arrival, out *Batch) {
	defer s.recovered()
	s.opened, s.rtcp = s.opened[:0], s.rtcp[:0]
	for i := range arrivals {
		s.open(now, &arrivals[i], out)
	}
	if s.peer.closed.Load() || s.peer.flooded.Load() {
		return
	}
	if len(s.opened) > 0 {
		s.peer.sink.Packets(now, s.opened, out)
		clear(s.opened)
	}
	if len(s.rtcp) > 0 {
		s.peer.sink.RTCP(s.reported, s.rtcp, out)
		clear(s.rtcp)
	}
}

// recovered is deferred where media of one client is handled: our mistake ends that client's connection, and no worker.
func (s *shadow) recovered() {
	if v := recover(); v != nil {
		s.peer.plane.panicked(v)
		s.peer.broken.Store(true)
		s.peer.sink.State()
	}
}

// open opens one datagram in place.
func (s *shadow) open(now time.Time, a *arrival, out *Batch) {
	elsewhere := a.from.IsValid() && s.ahead(a.data)
	if a.stray && !elsewhere {
		s.peer.plane.counts.strange.Add(1)
		return
	}
	plain, err := s.unseal(a.data)
	if err != nil {
		s.peer.plane.counts.refuse(err)
		if errors.Is(err, protect.ErrSources) && !s.peer.flooded.Swap(true) { // it has proved to have as many as that
			s.peer.sink.State()
		}
		return
	}
	if s.opener.Sources() != s.sources {
		s.acquaint(a.data)
	}
	if elsewhere {
		s.heard(a, out)
	}
	if !s.allow(now) {
		return
	}
	if isRTCP(a.data) {
		if s.rtcp, err = appendReports(s.rtcp, plain); err != nil {
			s.peer.plane.counts.malformed.Add(1)
		}
		s.reported = a.at
		return
	}
	d := Datagram{Arrived: a.at, Data: plain}
	if s.peer.plane.longest > 1 { // else nobody has a use for it
		d.Spare = len(a.data) - len(plain) // where the tag was
	}
	s.opened = append(s.opened, d)
}

// unseal opens RTP or RTCP in place.
func (s *shadow) unseal(b []byte) ([]byte, error) {
	if isRTCP(b) {
		return s.opener.OpenRTCP(b)
	}
	header := packet.HeaderSize(b)
	if header == 0 {
		return nil, protect.ErrHeader
	}
	return s.opener.Open(b, header, binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint16(b[2:]))
}

// ahead says whether a datagram, if it is authentic, is the newest of its source. What is not may be an old one that somebody
// else plays.
func (s *shadow) ahead(b []byte) bool {
	if isRTCP(b) {
		return s.opener.AheadRTCP(b)
	}
	return packet.HeaderSize(b) > 0 && s.opener.Ahead(binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint16(b[2:]))
}

// acquaint has the client found by the source of an authentic datagram, from wherever it comes next.
func (s *shadow) acquaint(b []byte) {
	s.sources = s.opener.Sources()
	if ssrc, ok := sender(b); ok {
		s.peer.plane.familiar.note(s, ssrc)
	}
}

// allow says whether the client may send one more packet, and counts it.
func (s *shadow) allow(now time.Time) bool {
	if s.rate.take(now, sourceRate, sourceBurst) {
		return true
	}
	s.peer.plane.refused.Add(1)
	return false
}

// isMedia tells RTP and RTCP from STUN and DTLS by the first byte (RFC 7983 §7). b is not empty.
func isMedia(b []byte) bool { return b[0] >= 128 && b[0] <= 191 }

// isRTCP tells RTCP from RTP on one port by the second byte (RFC 5761 §4).
func isRTCP(b []byte) bool { return len(b) > 1 && b[1] >= 192 && b[1] <= 223 }

// sealRTCP appends a sealed compound packet to dst.
func (s *shadow) sealRTCP(dst, plain []byte) ([]byte, error) {
	sealer := s.sealer.Load()
	if sealer == nil {
		return dst, errNoKeys
	}
	s.reporting.Lock()
	defer s.reporting.Unlock()
	return sealer.SealRTCP(dst, plain)
}
