package transport

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"hash"
	"strings"
	"sync"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/protocol/extension"
	"github.com/pion/dtls/v3/pkg/protocol/handshake"

	"github.com/parleyrtc/parley/sfu/protect"
)

const (
	randomSize = 32 // bytes, RFC 5246 §7.4.1.2
	masterSize = 48 // bytes, RFC 5246 §8.1
)

var (
	errIncomplete = errors.New("the DTLS handshake has not left its keys yet")
	errTwice      = errors.New("a second DTLS handshake: the keys of the first were or will be in use")
	errKeyLog     = errors.New("the DTLS key log has a line that is not CLIENT_RANDOM, a random and a master secret")
	errNoSRTP     = errors.New("the DTLS handshake agreed on no SRTP profile that we know")
	errSuite      = errors.New("the DTLS handshake agreed on a cipher suite that we do not know")
)

// keys collects the secrets of one client's handshake from two hooks of pion, which are called inside of it: before the client
// has proved that it has them and before its certificate was compared. They must not be used until the DTLS transport is
// connected. All methods may be called from any goroutine.
type keys struct {
	mu           sync.Mutex
	clientRandom [randomSize]byte // guarded by mu, as all below
	serverRandom [randomSize]byte
	master       [masterSize]byte
	hash         func() hash.Hash
	suite        uint16
	profile      protect.Profile
	logged       bool  // the client's random and the master secret are there
	greeted      bool  // the rest is there
	used         bool  // and wiped
	err          error // the first thing that went wrong, for good
}

// Write takes a line of the key log (SettingEngine.SetDTLSKeyLogWriter): "CLIENT_RANDOM <random> <master secret>".
func (k *keys) Write(line []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var random [randomSize]byte
	var master [masterSize]byte
	defer clear(master[:])
	switch {
	case k.err != nil:
	case !parseKeyLog(line, &random, &master):
		k.fail(errKeyLog)
	case !k.logged:
		k.clientRandom, k.master, k.logged = random, master, true
	case random != k.clientRandom || !k.used && master != k.master:
		k.fail(errTwice)
	}
	return len(line), nil
}

func parseKeyLog(line []byte, random *[randomSize]byte, master *[masterSize]byte) bool {
	const label = "CLIENT_RANDOM "
	line = bytes.TrimSuffix(line, []byte("\n"))
	if len(line) != len(label)+2*randomSize+1+2*masterSize || string(line[:len(label)]) != label {
		return false
	}
	line = line[len(label):]
	if _, err := hex.Decode(random[:], line[:2*randomSize]); err != nil || line[2*randomSize] != ' ' {
		return false
	}
	_, err := hex.Decode(master[:], line[2*randomSize+1:])
	return err == nil
}

// hello takes the ServerHello (SettingEngine.SetDTLSServerHelloMessageHook), which it returns as it is.
func (k *keys) hello(m handshake.MessageServerHello) handshake.Message {
	k.mu.Lock()
	defer k.mu.Unlock()
	random := m.Random.MarshalFixed()
	suite, hash := suiteHash(m.CipherSuiteID)
	profile := srtpProfile(m.Extensions)
	switch {
	case k.err != nil:
	case hash == nil:
		k.fail(errSuite)
	case profile == 0:
		k.fail(errNoSRTP)
	case !k.greeted:
		k.serverRandom, k.suite, k.hash, k.profile, k.greeted = random, suite, hash, profile, true
	case random != k.serverRandom || suite != k.suite || profile != k.profile:
		k.fail(errTwice)
	}
	return &m
}

// suiteHash returns a cipher suite and the hash of its pseudo-random function, nil when pion has no such suite: SHA-256 but
// for those that are named after another (RFC 5246 §5).
func suiteHash(id *uint16) (uint16, func() hash.Hash) {
	if id == nil {
		return 0, nil
	}
	switch name := dtls.CipherSuiteName(dtls.CipherSuiteID(*id)); {
	case !strings.HasPrefix(name, "TLS_"):
		return 0, nil
	case strings.HasSuffix(name, "_SHA384"):
		return *id, sha512.New384
	}
	return *id, sha256.New
}

// srtpProfile returns the profile that was chosen, 0 when it is none that we speak.
func srtpProfile(extensions []extension.Extension) protect.Profile {
	for _, e := range extensions {
		if use, ok := e.(*extension.UseSRTP); ok && len(use.ProtectionProfiles) == 1 {
			if p, ok := protect.ProfileOf(uint16(use.ProtectionProfiles[0])); ok {
				return p
			}
		}
	}
	return 0
}

// fail keeps the first error, with mu held. What was collected is worth nothing then.
func (k *keys) fail(err error) {
	if k.err == nil {
		k.err = err
	}
	k.wipe()
}

func (k *keys) wipe() { clear(k.master[:]) }

// use hands the secrets to derive, which must not keep them, and then wipes them. It works once; the error says why it does not.
func (k *keys) use(derive func(protect.Handshake) error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.err != nil:
		return k.err
	case k.used:
		return errTwice
	case !k.logged || !k.greeted:
		return errIncomplete
	}
	k.used = true
	defer k.wipe()
	return derive(protect.Handshake{
		MasterSecret: k.master[:],
		ClientRandom: k.clientRandom[:], ServerRandom: k.serverRandom[:],
		Hash: k.hash, Profile: k.profile, Server: true,
	})
}
