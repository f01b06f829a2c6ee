// Package guard decides which bytes may reach the TURN server.
//
// Whatever is not exactly one well-formed message of a kind the server offers stops here: parsers behind it have pinned
// a core over nine bytes and ended the process over forty-eight. The functions are pure and allocate nothing.
package guard

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// Why a message is stopped.
var (
	// ErrMalformed says that the bytes are neither one STUN message nor one ChannelData message.
	ErrMalformed = errors.New("guard: malformed message")
	// ErrMethod says that the message is none that a client may send here: TCP relaying (RFC 6062), responses, unknown methods.
	ErrMethod = errors.New("guard: method not offered")
	// ErrAttribute says that an attribute of a well-formed request must not be as it is: a wrong length, there twice, or after
	// the integrity that should cover it (RFC 8489 §9).
	ErrAttribute = errors.New("guard: attribute not allowed")
)

// Method is a STUN method, or ChannelData.
type Method uint16

// The methods that may pass (RFC 8489 §18.2, RFC 8656 §17).
const (
	Binding          Method = 0x001
	Allocate         Method = 0x003
	Refresh          Method = 0x004
	Send             Method = 0x006
	CreatePermission Method = 0x008
	ChannelBind      Method = 0x009
	// ChannelData stands for the framing without STUN.
	ChannelData Method = 0xFFFF
)

// Limits of a message.
const (
	// MaxMessage is the longest message in bytes: an Ethernet frame's worth and the framing.
	MaxMessage = 1600
	// MaxPeers is how many peers one CreatePermission may name.
	MaxPeers = 16

	maxAttributes = 24 + MaxPeers
	header        = 20
	cookie        = 0x2112A442
)

// Attribute types (RFC 8489 §18.3, RFC 8656 §18).
const (
	attrUsername    = 0x0006
	attrIntegrity   = 0x0008
	attrChannel     = 0x000C
	attrLifetime    = 0x000D
	attrPeer        = 0x0012
	attrRealm       = 0x0014
	attrNonce       = 0x0015
	attrFamily      = 0x0017
	attrEvenPort    = 0x0018
	attrTransport   = 0x0019
	attrIntegrity2  = 0x001C
	attrReservation = 0x0022
	attrFingerprint = 0x8028
)

// Message is what the guard learned. Its slices alias the bytes.
type Message struct {
	Method Method
	// Request is false for indications and ChannelData, which get no answer.
	Request     bool
	Transaction [12]byte
	// HasIntegrity says that there is a MESSAGE-INTEGRITY, not that it is right.
	HasIntegrity    bool
	Username, Nonce []byte

	peers [MaxPeers]netip.AddrPort
	count int
}

// Peers are the XOR-PEER-ADDRESS attributes in order, exactly as encoded: an IPv4 address in IPv6 form stays IPv6.
func (m *Message) Peers() []netip.AddrPort { return m.peers[:m.count] }

// Check reads the one message that b must be. After ErrAttribute method and transaction are set, so that a request can be
// answered.
func Check(b []byte, m *Message) error {
	*m = Message{}
	if len(b) < 4 || len(b) > MaxMessage {
		return ErrMalformed
	}
	if b[0]>>4 == 4 { // Channel numbers 0x4000 to 0x4FFF (RFC 8656 §12).
		return checkChannelData(b, m)
	}
	if len(b) < header || b[0]&0xC0 != 0 || binary.BigEndian.Uint32(b[4:]) != cookie {
		return ErrMalformed
	}
	if n := int(binary.BigEndian.Uint16(b[2:])); n%4 != 0 || header+n != len(b) {
		return ErrMalformed
	}
	copy(m.Transaction[:], b[8:header])
	kind := binary.BigEndian.Uint16(b)
	m.Method = Method(kind&0x000F | kind&0x00E0>>1 | kind&0x3E00>>2)
	switch class := kind & 0x0110; {
	case class == 0x0000 && (m.Method == Binding || m.Method == Allocate || m.Method == Refresh || m.Method == CreatePermission || m.Method == ChannelBind):
		m.Request = true
	case class == 0x0010 && m.Method == Send:
	default:
		return ErrMethod
	}
	return m.attributes(b[header:])
}

// checkChannelData allows up to three bytes of padding, which streams need and datagrams may have (RFC 8656 §12.5).
func checkChannelData(b []byte, m *Message) error {
	n := 4 + int(binary.BigEndian.Uint16(b[2:]))
	if len(b) < n || len(b) > (n+3)&^3 {
		return ErrMalformed
	}
	m.Method = ChannelData
	return nil
}

// attributes walks the attributes that must fill b exactly.
func (m *Message) attributes(b []byte) error {
	var seen uint64 // One bit for each known type.
	sealed := false // After an integrity attribute only a fingerprint or the other integrity may follow.
	for count := 0; len(b) > 0; count++ {
		if len(b) < 4 || count == maxAttributes {
			return ErrMalformed
		}
		kind, n := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		padded := (n + 3) &^ 3
		if padded > len(b)-4 {
			return ErrMalformed
		}
		value := b[4 : 4+n]
		b = b[4+padded:]
		integrity := kind == attrIntegrity || kind == attrIntegrity2
		if seen>>63 != 0 || sealed && !integrity && kind != attrFingerprint {
			return ErrAttribute
		}
		sealed = sealed || integrity
		bit, ok := m.attribute(kind, value)
		if !ok || seen&bit != 0 {
			return ErrAttribute
		}
		seen |= bit
	}
	return nil
}

// attribute takes one value. The bit tells known types apart that may be there only once; that of the fingerprint, which
// must come last, is the highest.
func (m *Message) attribute(kind uint16, v []byte) (bit uint64, ok bool) {
	n := len(v)
	switch kind {
	case attrUsername:
		m.Username = v
		return 1 << 0, n > 0 && n <= 508
	case attrIntegrity:
		m.HasIntegrity = true
		return 1 << 1, n == 20
	case attrChannel:
		return 1 << 2, n == 4
	case attrLifetime:
		return 1 << 3, n == 4
	case attrRealm:
		return 1 << 4, n > 0 && n <= 763
	case attrNonce:
		m.Nonce = v
		return 1 << 5, n > 0 && n <= 763
	case attrFamily:
		return 1 << 6, n == 4
	case attrEvenPort:
		return 1 << 7, n == 1
	case attrTransport:
		return 1 << 8, n == 4
	case attrReservation:
		return 1 << 9, n == 8
	case attrIntegrity2:
		return 1 << 10, n >= 16 && n <= 32 && n%4 == 0
	case attrPeer:
		if m.Method != CreatePermission {
			return 1 << 11, m.peer(v)
		}
		return 0, m.peer(v)
	case attrFingerprint:
		return 1 << 63, n == 4
	}
	return 0, true // Others are the server's to answer (420) or to ignore.
}

// peer decodes an XOR-PEER-ADDRESS (RFC 8489 §14.2).
func (m *Message) peer(v []byte) bool {
	if m.count == MaxPeers || len(v) < 8 {
		return false
	}
	port := binary.BigEndian.Uint16(v[2:]) ^ cookie>>16
	var key [16]byte
	binary.BigEndian.PutUint32(key[:], cookie)
	copy(key[4:], m.Transaction[:])
	for i := range min(len(v)-4, len(key)) {
		key[i] ^= v[4+i]
	}
	var addr netip.Addr
	switch {
	case v[0] == 0 && v[1] == 1 && len(v) == 8:
		addr = netip.AddrFrom4([4]byte(key[:4]))
	case v[0] == 0 && v[1] == 2 && len(v) == 20:
		addr = netip.AddrFrom16(key)
	default:
		return false
	}
	m.peers[m.count] = netip.AddrPortFrom(addr, port)
	m.count++
	return true
}

// FrameHeader is how many bytes FrameSize looks at.
const FrameHeader = 4

// FrameSize is the length on a stream, padding included, of the message whose first FrameHeader bytes are b. An error ends
// the stream: there is no way back into step.
func FrameSize(b []byte) (int, error) {
	if len(b) < FrameHeader {
		return 0, ErrMalformed
	}
	size := int(binary.BigEndian.Uint16(b[2:]))
	switch {
	case b[0]>>4 == 4:
		size = (4 + size + 3) &^ 3
	case b[0]&0xC0 == 0 && size%4 == 0:
		size += header
	default:
		return 0, ErrMalformed
	}
	if size > MaxMessage {
		return 0, ErrMalformed
	}
	return size, nil
}
