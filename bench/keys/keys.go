// Package keys learns the SRTP keys of a DTLS handshake that pion makes, for clients whose media does not pass through pion.
package keys

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/prf"
	"github.com/pion/dtls/v3/pkg/protocol"
	"github.com/pion/dtls/v3/pkg/protocol/handshake"
	"github.com/pion/dtls/v3/pkg/protocol/recordlayer"
	"github.com/pion/srtp/v3"
)

// The one suite such clients offer, since its PRF is SHA-256, and the one SRTP profile, so that the server has no choice.
const (
	CipherSuite = dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
	Profile     = dtls.SRTP_AEAD_AES_128_GCM
	profile     = srtp.ProtectionProfileAeadAes128Gcm
)

var errNoKeys = errors.New("the DTLS handshake is not over")

// Keys learns the SRTP keys of a DTLS handshake that pion makes as the client: from its key log and from the ServerHello,
// which passes in clear. The zero value is ready. Its methods may be called from any goroutine.
type Keys struct {
	mu                         sync.Mutex
	clientRandom, serverRandom []byte
	masterSecret               []byte
}

// Write takes pion's key log line: CLIENT_RANDOM, the client's random, the master secret.
func (k *Keys) Write(line []byte) (int, error) {
	fields := strings.Fields(string(line))
	if len(fields) != 3 || fields[0] != "CLIENT_RANDOM" {
		return len(line), nil
	}
	random, err := hex.DecodeString(fields[1])
	if err != nil {
		return 0, err
	}
	secret, err := hex.DecodeString(fields[2])
	if err != nil {
		return 0, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.clientRandom, k.masterSecret = random, secret
	return len(line), nil
}

// Sniff looks for the ServerHello in a DTLS datagram from the server.
func (k *Keys) Sniff(datagram []byte) {
	records, err := recordlayer.UnpackDatagram(datagram)
	if err != nil {
		return
	}
	for _, r := range records {
		if r[0] != byte(protocol.ContentTypeHandshake) || r[3] != 0 || r[4] != 0 { // epoch 0 is in clear
			continue
		}
		b := r[recordlayer.FixedHeaderSize:]
		var h handshake.Header
		if h.Unmarshal(b) != nil || h.Type != handshake.TypeServerHello || h.FragmentLength != h.Length {
			continue
		}
		var hello handshake.MessageServerHello
		if hello.Unmarshal(b[handshake.HeaderLength:]) != nil {
			continue
		}
		random := hello.Random.MarshalFixed()
		k.mu.Lock()
		k.serverRandom = random[:]
		k.mu.Unlock()
	}
}

// ExportKeyingMaterial is RFC 5705 for TLS 1.2 with SHA-256.
func (k *Keys) ExportKeyingMaterial(label string, context []byte, length int) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.masterSecret == nil || k.serverRandom == nil {
		return nil, errNoKeys
	}
	if len(context) > 0 {
		return nil, errors.New("an exporter context is not supported")
	}
	seed := append(append([]byte(label), k.clientRandom...), k.serverRandom...)
	return prf.PHash(k.masterSecret, seed, length, sha256.New)
}

// Contexts are the SRTP states of both directions, with an error as long as the handshake is not over.
func (k *Keys) Contexts() (in, out *srtp.Context, err error) {
	config := srtp.Config{Profile: profile}
	if err := config.ExtractSessionKeysFromDTLS(k, true); err != nil {
		return nil, nil, err
	}
	s := config.Keys
	if in, err = srtp.CreateContext(s.RemoteMasterKey, s.RemoteMasterSalt, profile); err != nil {
		return nil, nil, fmt.Errorf("SRTP from the server: %w", err)
	}
	if out, err = srtp.CreateContext(s.LocalMasterKey, s.LocalMasterSalt, profile); err != nil {
		return nil, nil, fmt.Errorf("SRTP to the server: %w", err)
	}
	return in, out, nil
}
