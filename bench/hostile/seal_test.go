package hostile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"sync"
	"testing"

	"github.com/pion/dtls/v3/pkg/crypto/prf"
	"github.com/pion/srtp/v3"
)

// wiretap gives an intruder the keys of its own connection: from the key log of its DTLS client and the ServerHello that it
// reads off its socket. With them it seals what no library would marshal.
type wiretap struct {
	net.PacketConn // its methods only: the library must not find a faster way around ReadFrom

	mu     sync.Mutex
	server []byte       // guarded by mu; random of the ServerHello
	log    bytes.Buffer // guarded by mu
}

// ReadFrom implements net.PacketConn.
func (w *wiretap) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := w.PacketConn.ReadFrom(b)
	if random := serverRandom(b[:n]); random != nil {
		w.mu.Lock()
		w.server = bytes.Clone(random)
		w.mu.Unlock()
	}
	return n, from, err
}

// Write takes a line of the key log.
func (w *wiretap) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.log.Write(line)
}

// serverRandom finds it in a datagram of DTLS records (RFC 6347 §4.1, §4.2.2).
func serverRandom(b []byte) []byte {
	for len(b) >= 13+12+2+32 && b[0] == 22 {
		if b[13] == 2 { // ServerHello
			return b[13+12+2:][:32]
		}
		n := 13 + int(b[11])<<8 + int(b[12])
		if n > len(b) {
			return nil
		}
		b = b[n:]
	}
	return nil
}

// sealer is the client's half of the SRTP keys (RFC 5764 §4.2).
func (w *wiretap) sealer(t testing.TB) *srtp.Context {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	fields := bytes.Fields(w.log.Bytes())
	if len(fields) < 3 || len(w.server) == 0 {
		t.Fatalf("the keys did not come: %d fields, server random %x", len(fields), w.server)
	}
	var client, master [48]byte
	n, err := hex.Decode(client[:], fields[1])
	if err == nil {
		_, err = hex.Decode(master[:], fields[2])
	}
	if err != nil {
		t.Fatal(err)
	}
	seed := append(append([]byte("EXTRACTOR-dtls_srtp"), client[:n]...), w.server...)
	keys, err := prf.PHash(master[:], seed, 2*16+2*12, sha256.New)
	if err != nil {
		t.Fatal(err)
	}
	ctx, err := srtp.CreateContext(keys[:16], keys[32:44], srtp.ProtectionProfileAeadAes128Gcm)
	if err != nil {
		t.Fatal(err)
	}
	return ctx
}
