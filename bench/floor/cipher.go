package floor

import (
	"crypto/aes"
	"crypto/cipher"
	"errors"

	"github.com/parleyrtc/parley/sfu/packet"
)

// Overhead is how many bytes longer a sealed packet is.
const Overhead = 16

// KeySize and SaltSize are those of AEAD_AES_128_GCM (RFC 7714 §12).
const (
	KeySize  = 16
	SaltSize = 12
)

// ErrPacket says that a packet cannot be opened: it is no RTP packet, or its tag is wrong.
var ErrPacket = errors.New("the packet does not open")

// Cipher seals and opens RTP packets with the cipher and the nonce of AEAD_AES_128_GCM (RFC 7714 §8.1), so at the same cost as
// SRTP. There is no rollover counter, so nonces repeat after 65,536 packets: it protects nothing but made-up payload under
// a key that is thrown away. A Cipher belongs to one goroutine.
type Cipher struct {
	aead  cipher.AEAD
	salt  [SaltSize]byte
	nonce [SaltSize]byte // here, because on the stack it would escape through the interface with every packet
}

// NewCipher takes KeySize bytes of key and SaltSize bytes of salt behind it.
func NewCipher(material []byte) (*Cipher, error) {
	if len(material) != KeySize+SaltSize {
		return nil, errors.New("a floor key has 28 bytes")
	}
	block, err := aes.NewCipher(material[:KeySize])
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &Cipher{aead: aead, salt: [SaltSize]byte(material[KeySize:])}, nil
}

// at sets the nonce for the packet of a header.
func (c *Cipher) at(header []byte) []byte {
	c.nonce = [SaltSize]byte{}
	copy(c.nonce[2:6], header[8:12]) // SSRC
	copy(c.nonce[10:], header[2:4])  // sequence number
	for i := range c.nonce {
		c.nonce[i] ^= c.salt[i]
	}
	return c.nonce[:]
}

// Seal appends the sealed packet to dst: the header as it is, then payload and tag. Neither may overlap the free part of dst.
func (c *Cipher) Seal(dst, header, payload []byte) []byte {
	n := len(dst)
	dst = append(dst, header...)
	return c.aead.Seal(dst, c.at(header), payload, dst[n:])
}

// Open opens a packet in place and returns its header and payload.
func (c *Cipher) Open(sealed []byte) (header, payload []byte, err error) {
	n := packet.HeaderSize(sealed)
	if n == 0 {
		return nil, nil, ErrPacket
	}
	header = sealed[:n]
	payload, err = c.aead.Open(sealed[n:n], c.at(header), sealed[n:], header)
	if err != nil {
		return nil, nil, ErrPacket
	}
	return header, payload, nil
}
