// Package protect is the SRTP of one peer: keys out of its DTLS handshake, RTP and RTCP sealed and opened with them.
//
// Of what costs per packet, AES-GCM is done here, on top of crypto/cipher and straight from a payload that many receivers
// share. The older AES-CM with HMAC-SHA1, and all of SRTCP, is done by pion/srtp, which numbers and remembers nothing for us:
// which index a packet has and whether it was there before is decided here, for both profiles alike.
//
// Nothing here has a lock. The keys of one direction must have one owner: two sealers with the same keys would sooner or
// later seal two packets under one nonce, which gives away the plaintext of both and the key of the tags (RFC 7714 §8.1).
package protect

import (
	"errors"

	"github.com/pion/srtp/v3"
)

// Why a packet was neither sealed nor opened. A refused packet is dropped and counted.
var (
	// ErrTag says that the tag does not fit: the packet is damaged, forged, meant for other keys, or RTCP in the clear.
	ErrTag = errors.New("protect: wrong authentication tag")
	// ErrReplay says that the packet was opened before, or is so old that nobody knows (RFC 3711 §3.3.2).
	ErrReplay = errors.New("protect: packet repeated or too old")
	// ErrSources says that the packet is of a further SSRC when MaxSources are known already.
	ErrSources = errors.New("protect: too many sources")
	// ErrShort says that header and tag alone are longer than the packet, or that the header is shorter than one can be.
	ErrShort = errors.New("protect: packet too short")
	// ErrHeader says that the header is not what the arguments say, or that it cannot be parsed.
	ErrHeader = errors.New("protect: header does not fit")
	// ErrExhausted says that the index is past the last one these keys may serve (RFC 3711 §9.2).
	ErrExhausted = errors.New("protect: keys exhausted")
)

const (
	// MaxSources is how many SSRCs of one peer are told apart, for RTP and for RTCP each: far more than a browser uses in a
	// long call, and some 100 KB of memory. None is ever forgotten, because its packets could then be played again.
	MaxSources = 512

	fixedHeader = 12      // Bytes of an RTP header without CSRCs and extensions.
	endOfIndex  = 1 << 48 // RFC 3711 §3.3.1: 32 bits of roll-over counter, 16 of sequence number.

	rtcpHeader     = 8            // Bytes of RTCP that stay in the clear (RFC 3711 §3.4).
	rtcpIndexSize  = 4            // The encryption flag and 31 bits of index.
	rtcpEncrypted  = 1 << 31      // The encryption flag.
	lastRTCPIndex  = 1<<31 - 1    // RFC 3711 §9.2.
	version2       = byte(2) << 6 // RTP and RTCP, the two upper bits of the first byte.
	versionMask    = byte(3) << 6
	masterKeyBytes = 16
)

// Profile is a DTLS-SRTP protection profile that we offer. The zero value is none.
type Profile uint8

const (
	// GCM128 is AEAD_AES_128_GCM (RFC 7714).
	GCM128 Profile = iota + 1
	// CM80 is AES128_CM_HMAC_SHA1_80 (RFC 3711), which every WebRTC endpoint has (RFC 8827 §6.5).
	CM80
)

// ProfileOf returns the profile with an id of the DTLS-SRTP registry (RFC 5764 §4.1.2, RFC 7714 §14.2); false when we don't speak it.
func ProfileOf(id uint16) (Profile, bool) {
	switch srtp.ProtectionProfile(id) {
	case srtp.ProtectionProfileAeadAes128Gcm:
		return GCM128, true
	case srtp.ProtectionProfileAes128CmHmacSha1_80:
		return CM80, true
	}
	return 0, false
}

// String is the registered name.
func (p Profile) String() string {
	switch p {
	case GCM128:
		return "AEAD_AES_128_GCM"
	case CM80:
		return "AES128_CM_HMAC_SHA1_80"
	}
	return "none"
}
