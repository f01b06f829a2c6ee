package protect

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The session keys of RFC 3711 appendix B.3.
func TestSessionKeysOfTheRFC(t *testing.T) {
	key, salt := unhex(t, "E1F97A0D3E018BE0D64FA32C06DE4139"), unhex(t, "0EC675AD498AFEEBB6960B3AABE6")
	for _, row := range []struct {
		label byte
		want  string
	}{
		{labelEncryption, "C61E7A93744F39EE10734AFE3FF7A087"},
		{1, "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCEE049646C43D9327AD175578EF72270986371C10C9A369AC2F94A8C5FBCDDDC256D6E919A48B610EF17C2041E474035766B68642C59BBFC2F34DB60DBDFB2DC68"},
		{labelSalt, "30CBBC08863D8C85D49DB34A9AE1"},
	} {
		want := unhex(t, row.want)
		got, err := derive(row.label, key, salt, len(want))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("label %d: %x, %v; want %x", row.label, got, err, want)
		}
	}
	if _, err := derive(labelSalt, key[:7], salt, 14); err == nil {
		t.Error("keys out of half a master key")
	}
	if _, err := sessionGCM(key[:7], salt); err == nil {
		t.Error("a cipher with half a key")
	}
}

// The packet of RFC 7714 §16.1.1 and §16.2.1, whose keys are session keys, with roll-over counter zero.
func TestPacketOfTheRFC(t *testing.T) {
	g, err := sessionGCM(unhex(t, "000102030405060708090a0b0c0d0e0f"), unhex(t, "517569642070726f2071756f"))
	if err != nil {
		t.Fatal(err)
	}
	plain := unhex(t, `8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 61727465 73207472 6573`)
	want := unhex(t, `8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b 36de3adf
		8833899d 7f27beb1 6a9152cf 765ee439 0cce`)
	s := &Sealer{ciphers: ciphers{profile: GCM128, gcm: g}}
	sealed, err := s.Seal(bytes.Clone(plain[:12]), 0, plain[12:], 0x5501a0b2, 0xf17b)
	if err != nil || !bytes.Equal(sealed, want) {
		t.Fatalf("sealed %x, %v", sealed, err)
	}
	if nonce := unhex(t, "51753c6580c2726f20718414"); !bytes.Equal(s.gcm.nonce[:], nonce) {
		t.Errorf("nonce %x", s.gcm.nonce)
	}
	o := &Opener{ciphers: ciphers{profile: GCM128, gcm: g}}
	if opened, err := o.Open(want, 12, 0x5501a0b2, 0xf17b); err != nil || !bytes.Equal(opened, plain) {
		t.Errorf("opened %x, %v", opened, err)
	}
}
