package transport

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"unsafe"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/prf"
	"github.com/pion/dtls/v3/pkg/protocol/extension"
	"github.com/pion/dtls/v3/pkg/protocol/handshake"
	"github.com/pion/webrtc/v4"

	"github.com/parleyrtc/parley/sfu/protect"
)

func serverHello(random byte, suite dtls.CipherSuiteID, chosen ...dtls.SRTPProtectionProfile) handshake.MessageServerHello {
	id := uint16(suite)
	m := handshake.MessageServerHello{CipherSuiteID: &id}
	m.Random.RandomBytes[0] = random
	if chosen != nil {
		m.Extensions = []extension.Extension{&extension.UseExtendedMasterSecret{}, &extension.UseSRTP{ProtectionProfiles: chosen}}
	}
	return m
}

func keyLog(random, master byte) []byte {
	return fmt.Appendf(nil, "CLIENT_RANDOM %x %x\n", bytes.Repeat([]byte{random}, randomSize), bytes.Repeat([]byte{master}, masterSize))
}

func discard(protect.Handshake) error { return nil }

const suite = dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256

func TestKeysAreCompleteWithBothHalves(t *testing.T) {
	var k keys
	if err := k.use(discard); !errors.Is(err, errIncomplete) || k.complete() {
		t.Errorf("nothing yet: %v", err)
	}
	k.hello(serverHello(3, suite, dtls.SRTP_AEAD_AES_128_GCM))
	if err := k.use(discard); !errors.Is(err, errIncomplete) || k.complete() {
		t.Errorf("only the ServerHello: %v", err)
	}
	_, _ = k.Write(keyLog(1, 2))
	_, _ = k.Write(keyLog(1, 2)) // the same again changes nothing
	k.hello(serverHello(3, suite, dtls.SRTP_AEAD_AES_128_GCM))
	if !k.complete() {
		t.Fatal("both halves are there, and it is not complete")
	}
	must(t, k.use(func(h protect.Handshake) error {
		if h.MasterSecret[47] != 2 || h.ClientRandom[31] != 1 || h.ServerRandom[4] != 3 || h.Profile != protect.GCM128 || h.Hash().Size() != 32 || !h.Server {
			t.Errorf("got %x %x %x %v", h.MasterSecret, h.ClientRandom, h.ServerRandom, h.Profile)
		}
		return nil
	}))
	if k.master != [masterSize]byte{} || k.complete() {
		t.Error("the secret is still there after use")
	}
	if err := k.use(discard); !errors.Is(err, errTwice) {
		t.Errorf("a second use: %v", err)
	}
}

func TestKeysRefuse(t *testing.T) {
	line, hello := keyLog(1, 2), serverHello(3, suite, dtls.SRTP_AEAD_AES_128_GCM)
	for name, c := range map[string]struct {
		do   func(k *keys)
		want error
	}{
		"another master secret":   {func(k *keys) { k.Write(keyLog(1, 9)) }, errTwice},
		"another client random":   {func(k *keys) { k.Write(keyLog(9, 2)) }, errTwice},
		"another ServerHello":     {func(k *keys) { k.hello(serverHello(9, suite, dtls.SRTP_AEAD_AES_128_GCM)) }, errTwice},
		"another profile":         {func(k *keys) { k.hello(serverHello(3, suite, dtls.SRTP_AES128_CM_HMAC_SHA1_80)) }, errTwice},
		"a line of TLS 1.3":       {func(k *keys) { k.Write([]byte("CLIENT_TRAFFIC_SECRET_0 00 00\n")) }, errKeyLog},
		"half a line":             {func(k *keys) { k.Write(line[:60]) }, errKeyLog},
		"no hex":                  {func(k *keys) { k.Write(bytes.Replace(line, []byte("01"), []byte("0x"), 1)) }, errKeyLog},
		"no hex in the secret":    {func(k *keys) { k.Write(bytes.Replace(line, []byte("02"), []byte("0x"), 1)) }, errKeyLog},
		"no space":                {func(k *keys) { k.Write(append(bytes.Replace(line, []byte(" 02"), []byte("02"), 1), '0')) }, errKeyLog},
		"no SRTP":                 {func(k *keys) { k.hello(serverHello(3, suite)) }, errNoSRTP},
		"two profiles":            {func(k *keys) { k.hello(serverHello(3, suite, profiles...)) }, errNoSRTP},
		"a profile not of ours":   {func(k *keys) { k.hello(serverHello(3, suite, dtls.SRTP_NULL_HMAC_SHA1_80)) }, errNoSRTP},
		"a suite that is unknown": {func(k *keys) { k.hello(serverHello(3, 0x1301, dtls.SRTP_AEAD_AES_128_GCM)) }, errSuite},
		"no suite":                {func(k *keys) { k.hello(handshake.MessageServerHello{}) }, errSuite},
	} {
		var k keys
		_, _ = k.Write(line)
		k.hello(hello)
		c.do(&k)
		if err := k.use(discard); !errors.Is(err, c.want) || k.complete() || k.master != [masterSize]byte{} {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		_, _ = k.Write(line)
		k.hello(hello)
		if err := k.use(discard); !errors.Is(err, c.want) || k.master != [masterSize]byte{} {
			t.Errorf("%s, afterwards: %v, want %v", name, err, c.want)
		}
	}
}

func TestEverySuiteOfPionHasItsHash(t *testing.T) {
	sizes := map[string]int{}
	for _, s := range dtls.CipherSuites() {
		_, hash := suiteHash(&s.ID)
		if hash == nil {
			t.Errorf("%s has no hash", s.Name)
			continue
		}
		sizes[s.Name] = hash().Size()
	}
	for name, want := range map[string]int{
		"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": 32, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": 48,
		"TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA": 32, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM": 32,
		"TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": 32,
	} {
		if sizes[name] != want {
			t.Errorf("%s: hash of %d bytes, want %d", name, sizes[name], want)
		}
	}
}

// TestKeysAreThoseOfPion reads pion's own connection, which nothing but this test may do, to see that the two hooks give what
// its exporter works with.
func TestKeysAreThoseOfPion(t *testing.T) {
	s := newSocket(t, controlPlaces, (*mux).control)
	var k keys
	server, stock := s.server(&client{}, &k), s.client()
	c, open, answers := channel(t, stock)
	negotiate(t, stock, server, false)
	opens(t, open)
	echoes(t, c, answers, "hello")

	transport := server.SCTP().Transport()
	if transport.State() != webrtc.DTLSTransportStateConnected || !k.complete() {
		t.Fatalf("transport is %v, keys are complete: %v", transport.State(), k.complete())
	}
	field := reflect.ValueOf(transport).Elem().FieldByName("conn")
	conn := *(**dtls.Conn)(unsafe.Pointer(field.UnsafeAddr()))
	state, ok := conn.ConnectionState()
	if !ok {
		t.Fatal("no state")
	}
	const size = 2 * (16 + 12)
	want, err := state.ExportKeyingMaterial("EXTRACTOR-dtls_srtp", nil, size)
	must(t, err)
	must(t, k.use(func(h protect.Handshake) error {
		seed := slices.Concat([]byte("EXTRACTOR-dtls_srtp"), h.ClientRandom, h.ServerRandom)
		got, err := prf.PHash(h.MasterSecret, seed, size, h.Hash)
		must(t, err)
		if !bytes.Equal(got, want) {
			t.Error("keys differ from pion's")
		}
		if h.Profile != protect.GCM128 || !h.Server {
			t.Errorf("profile %v", h.Profile)
		}
		derived, err := h.Keys()
		if err != nil || !bytes.Equal(derived.RemoteKey, want[:16]) {
			t.Errorf("derived keys are not the exporter's, %v", err)
		}
		return nil
	}))
	echoes(t, c, answers, "hello again")
}

// complete says whether use will work.
func (k *keys) complete() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.err == nil && k.logged && k.greeted && !k.used
}
