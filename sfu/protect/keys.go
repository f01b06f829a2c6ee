package protect

import (
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"slices"

	"github.com/pion/dtls/v3/pkg/crypto/prf"
	"github.com/pion/srtp/v3"
)

// Keys are the master keys and salts of one peer, local for what we send. They show themselves in no log and no error.
type Keys struct {
	Profile               Profile
	LocalKey, LocalSalt   []byte
	RemoteKey, RemoteSalt []byte
}

// String names the profile and nothing secret.
func (k Keys) String() string { return "keys of " + k.Profile.String() }

// Format prints what String says, whatever the verb.
func (k Keys) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.String()) }

// LogValue is what String says.
func (k Keys) LogValue() slog.Value { return slog.StringValue(k.String()) }

// Handshake is what a finished DTLS 1.2 handshake leaves to derive keys from.
type Handshake struct {
	MasterSecret               []byte // 48 bytes
	ClientRandom, ServerRandom []byte // 32 bytes each
	// Hash is that of the cipher suite's pseudorandom function: SHA-384 where its name says so, else SHA-256 (RFC 5246 §5).
	Hash    func() hash.Hash
	Profile Profile
	// Server says that we were the DTLS server.
	Server bool
}

// String names the profile and nothing secret.
func (h Handshake) String() string { return "handshake for " + h.Profile.String() }

// Format prints what String says, whatever the verb.
func (h Handshake) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, h.String()) }

// LogValue is what String says.
func (h Handshake) LogValue() slog.Value { return slog.StringValue(h.String()) }

// Keys derives the master keys as the exporter "EXTRACTOR-dtls_srtp" does (RFC 5764 §4.2). It fails on a handshake that is not
// complete; it cannot know whether the peer's fingerprint was verified, which has to come first.
func (h Handshake) Keys() (Keys, error) {
	switch {
	case h.Profile != GCM128 && h.Profile != CM80:
		return Keys{}, errors.New("protect: handshake without a profile that we know")
	case len(h.MasterSecret) != 48 || len(h.ClientRandom) != 32 || len(h.ServerRandom) != 32 || h.Hash == nil:
		return Keys{}, errors.New("protect: handshake incomplete")
	}
	config := srtp.Config{Profile: h.Profile.pion()}
	if err := config.ExtractSessionKeysFromDTLS(exporter{h}, !h.Server); err != nil {
		return Keys{}, fmt.Errorf("protect: keys of the handshake: %w", err)
	}
	return Keys{
		Profile:   h.Profile,
		LocalKey:  config.Keys.LocalMasterKey,
		LocalSalt: config.Keys.LocalMasterSalt,
		RemoteKey: config.Keys.RemoteMasterKey, RemoteSalt: config.Keys.RemoteMasterSalt,
	}, nil
}

// exporter is the keying material exporter of RFC 5705 §4, without a context.
type exporter struct{ handshake Handshake }

func (e exporter) ExportKeyingMaterial(label string, context []byte, length int) ([]byte, error) {
	if len(context) != 0 {
		return nil, errors.New("protect: exporter has no contexts")
	}
	seed := slices.Concat([]byte(label), e.handshake.ClientRandom, e.handshake.ServerRandom)
	return prf.PHash(e.handshake.MasterSecret, seed, length, e.handshake.Hash)
}
