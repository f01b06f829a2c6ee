package protect

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
)

// Labels of the key derivation (RFC 3711 §4.3.1).
const (
	labelEncryption = 0
	labelSalt       = 2
)

// derive returns size bytes of session key: AES in counter mode under the master key, with the label in the salt (RFC 3711
// §4.3.1, §4.3.3; RFC 7714 §11 pads the shorter salt of GCM with zeros). The key derivation rate is zero, as in all of WebRTC.
func derive(label byte, key, salt []byte, size int) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("protect: session key: %w", err)
	}
	var counter [aes.BlockSize]byte
	copy(counter[:14], salt)
	counter[7] ^= label
	out := make([]byte, size)
	cipher.NewCTR(block, counter[:]).XORKeyStream(out, out)
	return out, nil
}

// gcm is AES-GCM of one direction, with room for the nonce: a nonce on the stack would escape through the interface and cost
// an allocation per packet.
type gcm struct {
	aead  cipher.AEAD
	high  uint32 // The session salt,
	low   uint64 // in two halves.
	nonce [12]byte
}

// newGCM derives the session keys of RTP.
func newGCM(masterKey, masterSalt []byte) (gcm, error) {
	key, err := derive(labelEncryption, masterKey, masterSalt, masterKeyBytes)
	if err != nil {
		return gcm{}, err
	}
	salt, err := derive(labelSalt, masterKey, masterSalt, GCM128.saltSize())
	if err != nil {
		return gcm{}, err
	}
	return sessionGCM(key, salt)
}

// sessionGCM takes a session key and salt as they are.
func sessionGCM(key, salt []byte) (gcm, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return gcm{}, fmt.Errorf("protect: session key: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return gcm{}, fmt.Errorf("protect: session key: %w", err)
	}
	return gcm{aead: aead, high: binary.BigEndian.Uint32(salt), low: binary.BigEndian.Uint64(salt[4:])}, nil
}

// number sets the nonce: two zero bytes, SSRC and 48 bits of index, under the salt (RFC 7714 §8.1).
func (g *gcm) number(ssrc uint32, index int64) []byte {
	binary.BigEndian.PutUint32(g.nonce[:], g.high^ssrc>>16)
	binary.BigEndian.PutUint64(g.nonce[4:], g.low^(uint64(ssrc)<<48|uint64(index)))
	return g.nonce[:]
}
