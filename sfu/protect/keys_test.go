package protect_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/parleyrtc/parley/sfu/protect"
)

func TestProfiles(t *testing.T) {
	for id, want := range map[uint16]protect.Profile{7: protect.GCM128, 1: protect.CM80, 2: 0, 8: 0, 0: 0, 0xFFFF: 0} {
		if got, ok := protect.ProfileOf(id); got != want || ok != (want != 0) {
			t.Errorf("%d: %v, %v", id, got, ok)
		}
	}
	for p, name := range map[protect.Profile]string{protect.GCM128: "AEAD_AES_128_GCM", protect.CM80: "AES128_CM_HMAC_SHA1_80", 0: "none"} {
		if p.String() != name {
			t.Errorf("%d is called %s", p, p)
		}
	}
	for name, k := range map[string]protect.Keys{
		"none":         {},
		"short key":    {Profile: protect.GCM128, LocalKey: make([]byte, 15), LocalSalt: make([]byte, 12)},
		"wrong salt":   {Profile: protect.CM80, LocalKey: make([]byte, 16), LocalSalt: make([]byte, 12)},
		"longer key":   {Profile: protect.GCM128, LocalKey: make([]byte, 32), LocalSalt: make([]byte, 12)},
		"odd profile":  {Profile: 9, LocalKey: make([]byte, 16), LocalSalt: make([]byte, 14)},
		"without salt": {Profile: protect.CM80, LocalKey: make([]byte, 16)},
	} {
		k.RemoteKey, k.RemoteSalt = k.LocalKey, k.LocalSalt
		if _, err := protect.NewSealer(k); err == nil {
			t.Errorf("%s: sealed with", name)
		}
		if _, err := protect.NewOpener(k); err == nil {
			t.Errorf("%s: opened with", name)
		}
	}
}

func TestNothingSecretIsPrinted(t *testing.T) {
	secret := []byte("very secret bytes that nobody may see in a log..")
	k := protect.Keys{Profile: protect.GCM128, LocalKey: secret, LocalSalt: secret, RemoteKey: secret, RemoteSalt: secret}
	h := protect.Handshake{MasterSecret: secret, ClientRandom: secret, ServerRandom: secret, Profile: protect.CM80}
	var out strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o"} {
		fmt.Fprintf(&out, verb+verb+verb+verb+"\n", k, &k, h, &h)
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("log", "keys", k, "handshake", h, "pointer", &k)
	slog.New(slog.NewTextHandler(&out, nil)).Info("log", "keys", k, "handshake", h, "pointer", &h)
	fmt.Fprintln(&out, k, h)
	for _, form := range []string{"%s", "%x", "%X", "%d", "%o"} {
		start := strings.Trim(fmt.Sprintf(form, secret[:4]), "[]")
		if strings.Contains(out.String(), start) {
			t.Errorf("secret printed as %s: %s", form, out.String())
		}
	}
	if !strings.Contains(out.String(), "AEAD_AES_128_GCM") {
		t.Errorf("nothing said at all: %s", out.String())
	}
}
