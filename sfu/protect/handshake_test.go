package protect_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parleyrtc/parley/sfu/protect"
	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
	"github.com/pion/dtls/v3/pkg/protocol/handshake"
	"github.com/pion/srtp/v3"
)

// finished is one real handshake: what each side's connection says, and what the hooks of the server heard.
type finished struct {
	server, client dtls.State
	heard          protect.Handshake
}

// keyLog is one line in the key log format of NSS.
type keyLog struct {
	mu   sync.Mutex
	line string
}

func (l *keyLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line += string(b)
	return len(b), nil
}

// secrets takes client random and master secret out of the line.
func (l *keyLog) secrets(t *testing.T) (clientRandom, masterSecret []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fields := strings.Fields(l.line)
	if len(fields) != 3 || fields[0] != "CLIENT_RANDOM" {
		t.Fatalf("key log: %q", l.line)
	}
	clientRandom, err := hex.DecodeString(fields[1])
	if err != nil {
		t.Fatal(err)
	}
	if masterSecret, err = hex.DecodeString(fields[2]); err != nil {
		t.Fatal(err)
	}
	return clientRandom, masterSecret
}

// shake runs a handshake of pion's own over loopback.
func shake(t *testing.T, suite dtls.CipherSuiteID, profile dtls.SRTPProtectionProfile) *finished {
	t.Helper()
	certificate, err := selfsign.GenerateSelfSigned()
	if err != nil {
		t.Fatal(err)
	}
	sockets := [2]net.PacketConn{}
	for i := range sockets {
		if sockets[i], err = net.ListenPacket("udp4", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	}
	var log keyLog
	f := &finished{}
	server, err := dtls.ServerWithOptions(sockets[0], sockets[1].LocalAddr(),
		dtls.WithCertificates(certificate), dtls.WithCipherSuites(suite), dtls.WithSRTPProtectionProfiles(profile), dtls.WithKeyLogWriter(&log),
		dtls.WithServerHelloMessageHook(func(hello handshake.MessageServerHello) handshake.Message {
			random := hello.Random.MarshalFixed()
			f.heard.ServerRandom = random[:]
			return &hello
		}))
	if err != nil {
		t.Fatal(err)
	}
	client, err := dtls.ClientWithOptions(sockets[1], sockets[0].LocalAddr(),
		dtls.WithCertificates(certificate), dtls.WithCipherSuites(suite), dtls.WithSRTPProtectionProfiles(profile), dtls.WithInsecureSkipVerify(true))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	served := make(chan error, 1)
	go func() { served <- server.HandshakeContext(ctx) }()
	if err := client.HandshakeContext(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-served; err != nil {
		t.Fatal(err)
	}
	f.server, _ = server.ConnectionState()
	f.client, _ = client.ConnectionState()
	selected, _ := server.SelectedSRTPProtectionProfile()
	f.heard.Profile, _ = protect.ProfileOf(uint16(selected))
	f.heard.ClientRandom, f.heard.MasterSecret = log.secrets(t)
	_, _ = client.Close(), server.Close()
	return f
}

func TestKeysOfARealHandshake(t *testing.T) {
	for _, row := range []struct {
		name    string
		suite   dtls.CipherSuiteID
		hash    func() hash.Hash
		profile dtls.SRTPProtectionProfile
	}{
		{"GCM, SHA-256", dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, sha256.New, dtls.SRTP_AEAD_AES_128_GCM},
		{"CM, SHA-256", dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, sha256.New, dtls.SRTP_AES128_CM_HMAC_SHA1_80},
		{"GCM, SHA-384", dtls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, sha512.New384, dtls.SRTP_AEAD_AES_128_GCM},
		{"CM, SHA-1 suite", dtls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, sha256.New, dtls.SRTP_AES128_CM_HMAC_SHA1_80},
	} {
		t.Run(row.name, func(t *testing.T) {
			f := shake(t, row.suite, row.profile)
			f.heard.Hash = row.hash
			for server, state := range map[bool]*dtls.State{true: &f.server, false: &f.client} {
				f.heard.Server = server
				got, err := f.heard.Keys()
				if err != nil {
					t.Fatal(err)
				}
				want := srtp.Config{Profile: srtp.ProtectionProfile(row.profile)}
				if err := want.ExtractSessionKeysFromDTLS(state, !server); err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got.LocalKey, want.Keys.LocalMasterKey) || !bytes.Equal(got.LocalSalt, want.Keys.LocalMasterSalt) ||
					!bytes.Equal(got.RemoteKey, want.Keys.RemoteMasterKey) || !bytes.Equal(got.RemoteSalt, want.Keys.RemoteMasterSalt) {
					t.Errorf("server %v: other keys than the exporter's", server)
				}
			}
			exchange(t, f.heard)
		})
	}
}

// exchange sends a packet each way between the two ends of a handshake.
func exchange(t *testing.T, h protect.Handshake) {
	var ends [2]protect.Keys
	for i, server := range []bool{true, false} {
		h.Server = server
		var err error
		if ends[i], err = h.Keys(); err != nil {
			t.Fatal(err)
		}
	}
	for i := range ends {
		s, err := protect.NewSealer(ends[i])
		if err != nil {
			t.Fatal(err)
		}
		o, err := protect.NewOpener(ends[1-i])
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := o.Open(sealed(t, s, 5, 1, "payload"), 12, 5, 1); err != nil || string(plain[12:]) != "payload" {
			t.Errorf("from end %d: %q, %v", i, plain, err)
		}
	}
}

func TestHalfAHandshakeGivesNoKeys(t *testing.T) {
	whole := protect.Handshake{
		MasterSecret: make([]byte, 48), ClientRandom: make([]byte, 32), ServerRandom: make([]byte, 32), Hash: sha256.New, Profile: protect.GCM128,
	}
	if _, err := whole.Keys(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*protect.Handshake){
		"secret":        func(h *protect.Handshake) { h.MasterSecret = nil },
		"client random": func(h *protect.Handshake) { h.ClientRandom = h.ClientRandom[:31] },
		"server random": func(h *protect.Handshake) { h.ServerRandom = nil },
		"hash":          func(h *protect.Handshake) { h.Hash = nil },
		"profile":       func(h *protect.Handshake) { h.Profile = 0 },
	} {
		h := whole
		spoil(&h)
		if _, err := h.Keys(); err == nil {
			t.Errorf("keys without %s", name)
		}
	}
}
