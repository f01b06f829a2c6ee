package sfu

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/parleyrtc/parley/sfu/transport"
)

// frames is a run of one frame's packets with payloads of so many bytes, as the transport lends them: with room behind each.
func frames(sequence uint16, spare int, sizes ...int) []transport.Datagram {
	var batch []transport.Datagram
	for i, size := range sizes {
		data := append(make([]byte, 0, 12+size+spare), picture8(byte(min(i, 1)))[:12+size]...)
		binary.BigEndian.PutUint16(data[2:], sequence+uint16(i))
		batch = append(batch, transport.Datagram{Data: data, Spare: spare})
	}
	return batch
}

// An encoder's frame comes in packets that differ by a byte. They leave in one length, and what is behind the payload says that
// it is padding.
func TestAFramesPacketsLeaveInOneLength(t *testing.T) {
	for name, c := range map[string]struct {
		spare       int
		sizes, want []int
	}{
		"the first are shorter":      {16, []int{999, 999, 1000, 1000}, []int{1000, 1000, 1000, 1000}},
		"the last may be shorter":    {16, []int{999, 1000, 400}, []int{1000, 1000, 400}},
		"much shorter ones stay":     {16, []int{500, 1000, 1000}, []int{500, 1000, 1000}},
		"without room they all stay": {0, []int{999, 1000}, []int{999, 1000}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFan(t, 1)
			batch := frames(1, c.spare, c.sizes...)
			var before [][]byte
			for i := range batch {
				batch[i].Arrived = f.now
				before = append(before, bytes.Clone(batch[i].Data[12:]))
			}
			r := &f.publisher.run
			r.begin(len(batch))
			f.publisher.incoming.take(batch, r)
			if len(r.packets) != len(c.want) {
				t.Fatalf("%d packets", len(r.packets))
			}
			for i := range r.packets {
				m := &r.packets[i]
				padding := len(m.sent) - len(m.payload)
				if len(m.sent) != c.want[i] || !bytes.Equal(m.payload, before[i]) || padding > 0 && int(m.sent[len(m.sent)-1]) != padding {
					t.Errorf("packet %d: %d bytes, %d of them padding, want %d", i, len(m.sent), padding, c.want[i])
				}
				again, into := media{}, &copied{}
				if !m.encoding.repeat(m.epoch, m.in.Sequence, &again, into) || !bytes.Equal(again.sent, m.sent) || !bytes.Equal(again.payload, m.payload) {
					t.Errorf("packet %d is another when it is repeated", i)
				}
			}
		})
	}
}
