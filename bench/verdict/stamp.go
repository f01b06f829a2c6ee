package verdict

import (
	"bytes"
	"encoding/binary"
	"time"
)

// Every payload carries a stamp behind what its codec has in front, so that a verdict does not depend on the numbers that a
// server writes.
//
//	video: magic (4) · source (4) · captured, Unix nanoseconds (8) · frame (4) · refers (4) · encoding (1) · index (1) · count (1) · temporal (1) · height (2)
//	sound: magic (4) · source (4) · sent, Unix nanoseconds (8) · counter (8)
var (
	videoMagic = []byte("Peye")
	soundMagic = []byte("Pear")
)

// The sizes of the stamps.
const (
	VideoStamp = 30
	SoundStamp = 24
	// searched is how far into a payload a stamp may begin: behind a payload descriptor and the header of a frame.
	searched = 40
)

// Write puts the stamp of a piece at the front of b, which has room for it.
func (p Piece) Write(b []byte) {
	copy(b, videoMagic)
	binary.BigEndian.PutUint32(b[4:], p.Source)
	binary.BigEndian.PutUint64(b[8:], uint64(p.Captured.UnixNano()))
	binary.BigEndian.PutUint32(b[16:], p.Frame)
	binary.BigEndian.PutUint32(b[20:], p.Refers)
	b[24], b[25], b[26], b[27] = p.Encoding, p.Index, p.Count, p.Temporal
	binary.BigEndian.PutUint16(b[28:], p.Height)
}

// ReadPiece finds the stamp of a video payload.
func ReadPiece(payload []byte, at time.Time) (Piece, bool) {
	b, ok := find(payload, videoMagic, VideoStamp)
	if !ok || b[26] == 0 || b[25] >= b[26] {
		return Piece{}, false
	}
	return Piece{
		Source: binary.BigEndian.Uint32(b[4:]), Captured: time.Unix(0, int64(binary.BigEndian.Uint64(b[8:]))),
		Frame: binary.BigEndian.Uint32(b[16:]), Refers: binary.BigEndian.Uint32(b[20:]),
		Encoding: b[24], Index: b[25], Count: b[26], Temporal: b[27], Height: binary.BigEndian.Uint16(b[28:]), At: at,
	}, true
}

// Write puts the stamp of a frame of sound at the front of b, which has room for it.
func (s Sound) Write(b []byte) {
	copy(b, soundMagic)
	binary.BigEndian.PutUint32(b[4:], s.Source)
	binary.BigEndian.PutUint64(b[8:], uint64(s.Sent.UnixNano()))
	binary.BigEndian.PutUint64(b[16:], uint64(s.Counter))
}

// ReadSound finds the stamp of an audio payload.
func ReadSound(payload []byte, at time.Time) (Sound, bool) {
	b, ok := find(payload, soundMagic, SoundStamp)
	if !ok {
		return Sound{}, false
	}
	return Sound{
		Source: binary.BigEndian.Uint32(b[4:]), Sent: time.Unix(0, int64(binary.BigEndian.Uint64(b[8:]))),
		Counter: int64(binary.BigEndian.Uint64(b[16:]) & (1<<62 - 1)), At: at,
	}, true
}

func find(payload, magic []byte, size int) ([]byte, bool) {
	at := bytes.Index(payload[:min(len(payload), searched)], magic)
	if at < 0 || len(payload) < at+size {
		return nil, false
	}
	return payload[at:], true
}
