package load

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand/v2"
)

// Every payload starts as its codec wants it, which a server may rewrite, and goes on with bytes that it must not touch: the
// stamp, then filling.
//
//	video: VP8 descriptor with a 15-bit picture id (4) · VP8 frame tag and start code (10) · stamp · filling
//	audio: Opus table of contents (1) · stamp · filling
//	stamp: magic (4) · source (4) · counter (8) · sent at, Unix nanoseconds (8) · CRC-32C of the stamp so far and the filling (4)
const (
	stampSize    = 28
	stampMagic   = 0x70726c79
	videoPrefix  = 4 + 10
	audioPrefix  = 1
	pictureIDEnd = 4
)

// MinVideoBytes and MinAudioBytes are the smallest payloads that hold a stamp.
const (
	MinVideoBytes = videoPrefix + stampSize
	MinAudioBytes = audioPrefix + stampSize
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// stamp is what a payload says about itself.
type stamp struct {
	source  uint32
	counter uint64
	sentAt  int64 // Unix nanoseconds
}

// ErrDamaged says that a payload is not what its sender wrote.
var ErrDamaged = errors.New("the payload is damaged")

// writeStamp stamps a payload whose filling is there.
func writeStamp(payload []byte, prefix int, s stamp) {
	b := payload[prefix:]
	binary.BigEndian.PutUint32(b, stampMagic)
	binary.BigEndian.PutUint32(b[4:], s.source)
	binary.BigEndian.PutUint64(b[8:], s.counter)
	binary.BigEndian.PutUint64(b[16:], uint64(s.sentAt))
	binary.BigEndian.PutUint32(b[24:], sum(b))
}

// readStamp checks every byte behind the prefix.
func readStamp(payload []byte, prefix int) (stamp, error) {
	if len(payload) < prefix+stampSize {
		return stamp{}, ErrDamaged
	}
	b := payload[prefix:]
	if binary.BigEndian.Uint32(b) != stampMagic || binary.BigEndian.Uint32(b[24:]) != sum(b) {
		return stamp{}, ErrDamaged
	}
	return stamp{
		source: binary.BigEndian.Uint32(b[4:]), counter: binary.BigEndian.Uint64(b[8:]), sentAt: int64(binary.BigEndian.Uint64(b[16:])),
	}, nil
}

func sum(b []byte) uint32 {
	return crc32.Update(crc32.Checksum(b[:24], castagnoli), castagnoli, b[stampSize:])
}

// filled makes a payload of n bytes with pseudo-random filling.
func filled(n int, seed uint64) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(seed, 1))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// beginVideo writes the VP8 descriptor (RFC 7741 §4.2) and, on the first packet of a frame, the VP8 frame tag (RFC 6386 §9.1).
func beginVideo(payload []byte, first, key bool, pictureID uint16) {
	payload[0], payload[1] = 0x80, 0x80
	payload[2], payload[3] = 0x80|byte(pictureID>>8), byte(pictureID)
	tag := payload[pictureIDEnd:videoPrefix]
	clear(tag)
	switch {
	case first && key:
		payload[0] |= 0x10
		copy(tag, []byte{0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01}) // 640 × 360
	case first:
		payload[0] |= 0x10
		tag[0] = 0x11
	}
}
