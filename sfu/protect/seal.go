package protect

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// Sealer seals what we send to one peer. It is for one goroutine at a time; Seal and SealRTCP share nothing that changes and
// may run beside each other.
type Sealer struct {
	ciphers

	header     rtp.Header // Of Seal; parsed by pion, kept for its slices.
	rtcpHeader rtcp.Header
}

// NewSealer seals with the local keys. Of the same keys there must be no second one, ever.
func NewSealer(k Keys) (*Sealer, error) {
	c, err := newCiphers(k.Profile, k.LocalKey, k.LocalSalt)
	if err != nil {
		return nil, err
	}
	return &Sealer{ciphers: c}, nil
}

// Overhead is how many bytes longer than its plaintext a sealed RTP packet is: 16 (GCM128) or 10 (CM80).
func (s *Sealer) Overhead() int { return s.profile.overhead() }

// RTCPOverhead is how many bytes longer than its plaintext a sealed RTCP packet is: 20 (GCM128) or 14 (CM80).
func (s *Sealer) RTCPOverhead() int { return s.profile.overhead() + rtcpIndexSize }

// Seal appends payload, sealed and with its tag, to dst, whose bytes from header on are the RTP header. payload may be
// exactly the spare capacity right behind dst, or must not overlap it; it is only read otherwise.
//
// index is the extended sequence number: its low 16 bits are the header's, the upper 32 the roll-over counter (RFC 3711
// §3.3.1). Under one ssrc it must never come with two different packets; the same packet again gives the same bytes again,
// and may be sent again. A wrong header is ErrShort or ErrHeader, an index below zero or from 2^48 on ErrExhausted, and dst
// comes back as it was.
func (s *Sealer) Seal(dst []byte, header int, payload []byte, ssrc uint32, index int64) ([]byte, error) {
	if uint64(index) >= endOfIndex {
		return dst, ErrExhausted
	}
	if header < 0 || len(dst)-header < fixedHeader {
		return dst, ErrShort
	}
	head := dst[header:]
	if binary.BigEndian.Uint16(head[2:]) != uint16(index) || binary.BigEndian.Uint32(head[8:]) != ssrc {
		return dst, ErrHeader
	}
	if s.gcm.aead == nil {
		return s.sealCM(dst, header, payload, ssrc, index)
	}
	return s.gcm.aead.Seal(dst, s.gcm.number(ssrc, index), payload, head), nil
}

// sealCM has pion do it, which wants header and payload in one piece. Told the roll-over counter before each packet, it has
// none of its own to go wrong.
func (s *Sealer) sealCM(dst []byte, header int, payload []byte, ssrc uint32, index int64) ([]byte, error) {
	if !headerFits(dst[header:], len(dst)-header) {
		return dst, ErrHeader
	}
	all := append(slices.Grow(dst, len(payload)+s.Overhead()), payload...)
	s.srtp.SetROC(ssrc, uint32(index>>16))
	if _, err := s.srtp.EncryptRTP(all[header:], all[header:], &s.header); err != nil {
		return dst, ErrHeader // Nothing else is left to be wrong.
	}
	return all[:len(all)+s.Overhead()], nil
}

// headerFits says that an RTP header, as far as it tells itself, is size bytes long (RFC 3550 §5.1, §5.3.1). pion cuts there.
func headerFits(b []byte, size int) bool {
	n := fixedHeader + 4*int(b[0]&0x0F)
	if b[0]&0x10 != 0 {
		if len(b) < n+4 {
			return false
		}
		n += 4 + 4*int(binary.BigEndian.Uint16(b[n+2:]))
	}
	return n == size
}

// SealRTCP appends plain, a compound packet, to dst, sealed and numbered: each sender SSRC has its own index, which starts at 1
// and is never used twice. plain may be exactly the spare capacity right behind dst, or must not overlap it. On ErrShort, ErrHeader
// and, after 2^31 packets, ErrExhausted dst comes back as it was.
func (s *Sealer) SealRTCP(dst, plain []byte) ([]byte, error) {
	if len(plain) < rtcpHeader {
		return dst, ErrShort
	}
	if plain[0]&versionMask != version2 {
		return dst, ErrHeader
	}
	if index, _ := s.srtcp.Index(binary.BigEndian.Uint32(plain[4:])); index >= lastRTCPIndex {
		return dst, ErrExhausted
	}
	all := slices.Grow(dst, len(plain)+s.RTCPOverhead())
	sealed, err := s.srtcp.EncryptRTCP(all[len(all):], plain, &s.rtcpHeader)
	if err != nil {
		return dst, fmt.Errorf("protect: %w", err)
	}
	return all[:len(all)+len(sealed)], nil
}
