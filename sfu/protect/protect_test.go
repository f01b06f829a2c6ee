package protect_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"

	"github.com/parleyrtc/parley/sfu/protect"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

var profiles = []protect.Profile{protect.GCM128, protect.CM80}

var pionProfile = map[protect.Profile]srtp.ProtectionProfile{
	protect.GCM128: srtp.ProtectionProfileAeadAes128Gcm, protect.CM80: srtp.ProtectionProfileAes128CmHmacSha1_80,
}

// testKeys are keys whose local and remote side are the same, so that one value serves a sealer and its opener.
func testKeys(p protect.Profile) protect.Keys {
	salt := []byte("fourteen bytes")
	if p == protect.GCM128 {
		salt = salt[:12]
	}
	key := []byte("a master key 128")
	return protect.Keys{Profile: p, LocalKey: key, LocalSalt: salt, RemoteKey: key, RemoteSalt: salt}
}

type tb interface{ Fatal(args ...any) }

func newSealer(t tb, p protect.Profile) *protect.Sealer {
	s, err := protect.NewSealer(testKeys(p))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newOpener(t tb, p protect.Profile) *protect.Opener {
	o, err := protect.NewOpener(testKeys(p))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// pionContext is pion's for the same keys; one for sealing or for opening.
func pionContext(t tb, p protect.Profile, options ...srtp.ContextOption) *srtp.Context {
	k := testKeys(p)
	c, err := srtp.CreateContext(k.LocalKey, k.LocalSalt, pionProfile[p], options...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// head is an RTP header; shape chooses what it carries besides the fixed part.
func head(t tb, shape int, ssrc uint32, index int64) []byte {
	h := rtp.Header{Version: 2, Marker: shape&1 != 0, PayloadType: 96, SequenceNumber: uint16(index), Timestamp: uint32(index) * 90, SSRC: ssrc}
	if shape&2 != 0 {
		h.CSRC = []uint32{1, 2, 0xFFFFFFFF}
	}
	if shape&4 != 0 {
		if err := errors.Join(h.SetExtension(3, []byte{1, 2}), h.SetExtension(7, []byte("mid"))); err != nil {
			t.Fatal(err)
		}
	}
	b, err := h.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sealed is a whole packet with the index, made by s.
func sealed(t tb, s *protect.Sealer, ssrc uint32, index int64, payload string) []byte {
	b, err := s.Seal(head(t, 0, ssrc, index), 0, []byte(payload), ssrc, index)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func report(ssrc uint32) []byte {
	return []byte{0x81, 201, 0, 7, byte(ssrc >> 24), byte(ssrc >> 16), byte(ssrc >> 8), byte(ssrc), 23: 1, 31: 9}
}

func TestSealAppendsWhereItIsTold(t *testing.T) {
	for _, p := range profiles {
		s := newSealer(t, p)
		want := sealed(t, s, 5, 70000, "payload")

		train := append(make([]byte, 0, 200), "before"...)
		train = append(train, head(t, 0, 5, 70000)...)
		got, err := s.Seal(train, 6, []byte("payload"), 5, 70000)
		if err != nil || string(got[:6]) != "before" || !bytes.Equal(got[6:], want) || &got[0] != &train[0] {
			t.Errorf("%s: into room: %x, %v", p, got, err)
		}

		inPlace := append(head(t, 0, 5, 70000), "payload and room for a tag"...)
		if got, err = s.Seal(inPlace[:12], 0, inPlace[12:19], 5, 70000); err != nil || !bytes.Equal(got, want) || &got[0] != &inPlace[0] {
			t.Errorf("%s: in place: %x, %v", p, got, err)
		}

		tight := head(t, 0, 5, 70000)
		payload := []byte("payload")
		if got, err = s.Seal(tight[:12:12], 0, payload, 5, 70000); err != nil || !bytes.Equal(got, want) || string(payload) != "payload" {
			t.Errorf("%s: without room: %x, %v", p, got, err)
		}
		if len(want) != 12+7+s.Overhead() {
			t.Errorf("%s: %d bytes long", p, len(want))
		}
	}
}

func TestSealRefusesWhatWouldNotOpen(t *testing.T) {
	for _, p := range profiles {
		s := newSealer(t, p)
		h := head(t, 0, 5, 9)
		for name, row := range map[string]struct {
			dst    []byte
			header int
			ssrc   uint32
			index  int64
			want   error
		}{
			"half a header":        {h[:11], 0, 5, 9, protect.ErrShort},
			"header behind dst":    {h, 13, 5, 9, protect.ErrShort},
			"header before dst":    {h, -1, 5, 9, protect.ErrShort},
			"another sequence":     {h, 0, 5, 10, protect.ErrHeader},
			"another source":       {h, 0, 6, 9, protect.ErrHeader},
			"below zero":           {h, 0, 5, -65527, protect.ErrExhausted},
			"past the last number": {h, 0, 5, 1<<48 + 9, protect.ErrExhausted},
		} {
			if got, err := s.Seal(row.dst, row.header, []byte("x"), row.ssrc, row.index); !errors.Is(err, row.want) || !bytes.Equal(got, row.dst) {
				t.Errorf("%s: %s: %x, %v", p, name, got, err)
			}
		}
		for _, plain := range [][]byte{nil, report(1)[:7]} {
			if _, err := s.SealRTCP(nil, plain); !errors.Is(err, protect.ErrShort) {
				t.Errorf("%s: RTCP of %d bytes: %v", p, len(plain), err)
			}
		}
		if _, err := s.SealRTCP(nil, make([]byte, 8)); !errors.Is(err, protect.ErrHeader) {
			t.Errorf("%s: RTCP of version 0: %v", p, err)
		}
	}
	// Where header and payload part, pion finds by itself: it must find the same.
	s, o := newSealer(t, protect.CM80), newOpener(t, protect.CM80)
	long := append(head(t, 0, 5, 9), 0)
	if _, err := s.Seal(long, 0, nil, 5, 9); !errors.Is(err, protect.ErrHeader) {
		t.Errorf("a header with a byte too many: %v", err)
	}
	extended := head(t, 4, 5, 9)
	if _, err := s.Seal(extended[:12], 0, extended[12:], 5, 9); !errors.Is(err, protect.ErrHeader) {
		t.Errorf("a header without its extension: %v", err)
	}
	if _, err := o.Open(sealed(t, s, 5, 9, "payload"), 13, 5, 9); !errors.Is(err, protect.ErrHeader) {
		t.Errorf("opened with a byte too many: %v", err)
	}
}

// The same packet again is the same bytes again, whatever was sealed between: that is how audio is repeated.
func TestSealingAgainGivesTheSameBytes(t *testing.T) {
	for _, p := range profiles {
		s := newSealer(t, p)
		first := map[int64][]byte{}
		for index := int64(65000); index < 66000; index++ {
			first[index] = sealed(t, s, 5, index, fmt.Sprint("payload ", index))
		}
		for index, want := range first {
			if !bytes.Equal(sealed(t, s, 5, index, fmt.Sprint("payload ", index)), want) {
				t.Fatalf("%s: %d differs", p, index)
			}
		}
	}
}

func TestOpenRefusesAndForgets(t *testing.T) {
	for _, p := range profiles {
		s, o := newSealer(t, p), newOpener(t, p)
		open := func(b []byte, header int, ssrc uint32, seq uint16) error {
			_, err := o.Open(bytes.Clone(b), header, ssrc, seq)
			return err
		}
		for _, seq := range []uint16{100, 101} { // First of a stranger, then of a source that is known.
			good := sealed(t, s, 5, int64(seq), "payload")
			for i := range good {
				bad := bytes.Clone(good)
				bad[i] ^= 0x10
				want := protect.ErrTag
				if i == 0 && p == protect.CM80 {
					want = protect.ErrHeader // An extension that is not there.
				}
				if err := open(bad, 12, binary.BigEndian.Uint32(bad[8:]), binary.BigEndian.Uint16(bad[2:])); !errors.Is(err, want) {
					t.Fatalf("%s: byte %d: %v", p, i, err)
				}
			}
			if err := open(good[:12+s.Overhead()-1], 12, 5, seq); !errors.Is(err, protect.ErrShort) {
				t.Errorf("%s: a tag cut short: %v", p, err)
			}
			if err := open(good, 11, 5, seq); !errors.Is(err, protect.ErrShort) {
				t.Errorf("%s: a header cut short: %v", p, err)
			}
			if err := open(good, 12, 5, seq+1); !errors.Is(err, protect.ErrHeader) {
				t.Errorf("%s: another sequence: %v", p, err)
			}
			if err := open(good, 12, 5, seq); err != nil {
				t.Errorf("%s: the good one after all of these: %v", p, err)
			}
			if err := open(good, 12, 5, seq); !errors.Is(err, protect.ErrReplay) {
				t.Errorf("%s: the good one again: %v", p, err)
			}
		}
		if err := open(sealed(t, s, 5, 102+1023, "ahead"), 12, 5, 102+1023); err != nil {
			t.Errorf("%s: 1024 ahead: %v", p, err)
		}
		if err := open(sealed(t, s, 5, 102, "late"), 12, 5, 102); err != nil {
			t.Errorf("%s: 1023 late: %v", p, err)
		}
		if err := open(sealed(t, s, 5, 99, "too late"), 12, 5, 99); !errors.Is(err, protect.ErrReplay) {
			t.Errorf("%s: 1025 late: %v", p, err)
		}
	}
}

func TestOpenRTCPRefusesAndForgets(t *testing.T) {
	for _, p := range profiles {
		s, o := newSealer(t, p), newOpener(t, p)
		good, err := s.SealRTCP([]byte("before"), report(5))
		if err != nil || string(good[:6]) != "before" || len(good) != 6+32+s.RTCPOverhead() {
			t.Fatalf("%s: %x, %v", p, good, err)
		}
		good = good[6:]
		room := append(report(5), make([]byte, 40)...)
		second, err := s.SealRTCP(room[:0], room[:32])
		if err != nil || &second[0] != &room[0] {
			t.Fatalf("%s: in place: %v", p, err)
		}
		for i := range good {
			bad := bytes.Clone(good)
			bad[i] ^= 0x80
			if _, err := o.OpenRTCP(bad); !errors.Is(err, protect.ErrTag) && i != 0 {
				t.Fatalf("%s: byte %d: %v", p, i, err)
			} else if err == nil {
				t.Fatalf("%s: byte %d: opened", p, i)
			}
		}
		if _, err := o.OpenRTCP(good[:8+s.RTCPOverhead()-1]); !errors.Is(err, protect.ErrShort) {
			t.Errorf("%s: cut short: %v", p, err)
		}
		copied := bytes.Clone(good)
		for _, packet := range [][]byte{second, copied} { // The older one late.
			if plain, err := o.OpenRTCP(packet); err != nil || !bytes.Equal(plain, report(5)) || &plain[0] != &packet[0] {
				t.Errorf("%s: %x, %v", p, plain, err)
			}
		}
		if _, err := o.OpenRTCP(good); !errors.Is(err, protect.ErrReplay) {
			t.Errorf("%s: again: %v", p, err)
		}

		// RTCP in the clear, though authentic.
		k := testKeys(p)
		clear, err := srtp.CreateContext(k.LocalKey, k.LocalSalt, pionProfile[p], srtp.SRTCPNoEncryption())
		if err != nil {
			t.Fatal(err)
		}
		packet, err := clear.EncryptRTCP(nil, report(6), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := o.OpenRTCP(packet); !errors.Is(err, protect.ErrTag) {
			t.Errorf("%s: in the clear: %v", p, err)
		}
	}
}
