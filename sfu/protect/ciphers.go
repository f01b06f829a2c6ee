package protect

import (
	"errors"
	"fmt"

	"github.com/pion/srtp/v3"
)

// ciphers is what one direction needs: ours or pion's for RTP, pion's for RTCP. None of them remembers what it has opened.
type ciphers struct {
	profile Profile
	gcm     gcm           // GCM128 only.
	srtp    *srtp.Context // CM80 only.
	srtcp   *srtp.Context
}

func newCiphers(p Profile, key, salt []byte) (ciphers, error) {
	if p != GCM128 && p != CM80 {
		return ciphers{}, errors.New("protect: keys of no profile that we know")
	}
	if len(key) != masterKeyBytes || len(salt) != p.saltSize() {
		return ciphers{}, fmt.Errorf("protect: %s does not take a key of %d and a salt of %d bytes", p, len(key), len(salt))
	}
	c := ciphers{profile: p}
	var err error
	if c.srtcp, err = srtp.CreateContext(key, salt, p.pion()); err != nil {
		return ciphers{}, fmt.Errorf("protect: %w", err)
	}
	if p == GCM128 {
		c.gcm, err = newGCM(key, salt)
		return c, err
	}
	if c.srtp, err = srtp.CreateContext(key, salt, p.pion()); err != nil {
		return ciphers{}, fmt.Errorf("protect: %w", err)
	}
	return c, nil
}

// saltSize is the length of the master salt, in bytes.
func (p Profile) saltSize() int {
	if p == GCM128 {
		return 12
	}
	return 14
}

// overhead is the length of the tag, in bytes.
func (p Profile) overhead() int {
	if p == GCM128 {
		return 16
	}
	return 10
}

// rtcpTrailer is how many bytes from the end of an SRTCP packet its index begins: GCM has its tag before the index, CM behind it.
func (p Profile) rtcpTrailer() int {
	if p == GCM128 {
		return rtcpIndexSize
	}
	return rtcpIndexSize + p.overhead()
}

// pion is the profile's name in pion/srtp.
func (p Profile) pion() srtp.ProtectionProfile {
	if p == GCM128 {
		return srtp.ProtectionProfileAeadAes128Gcm
	}
	return srtp.ProtectionProfileAes128CmHmacSha1_80
}
