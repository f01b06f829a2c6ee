package sfu

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/parleyrtc/parley/sfu/layer"
	"github.com/parleyrtc/parley/sfu/packet"
	"github.com/parleyrtc/parley/sfu/transport"
)

// Sizes and frame rates are chosen by the dependency descriptor alone, so that payloads may be encrypted end to end: whatever
// the codec is called, they go on untouched. A receiver can decode all it gets, its frame numbers and markers fit, and it is
// told which targets it gets. What is repeated is the identical packet, changes of layer and of source before or after it
// notwithstanding.
func TestLayersOfOpaquePayloadsAreChosenByTheDescriptor(t *testing.T) {
	for _, pt := range []byte{45, 98, 99} {
		r := newRoad(t, true)
		e := &svc{kind: l2t2, id: 11, pt: pt, ssrc: 7, sequence: 65000, number: 65400, rng: rand.New(rand.NewPCG(1, uint64(pt)))}
		v := &seer{t: t}
		input := map[string]bool{}
		for turn, wish := range [][2]uint8{{255, 255}, {0, 255}, {0, 0}, {1, 0}, {1, 1}, {255, 255}, {0, 0}, {255, 255}} {
			r.want(wish[0], wish[1], false)
			if turn%4 == 2 { // the client takes its camera anew
				e = &svc{kind: l2t2, id: 11, pt: pt, ssrc: e.ssrc + 100, number: uint16(turn), timestamp: 77, rng: e.rng}
				in := &r.fan.publisher.incoming
				in.sources[e.ssrc] = r.s.publication.encodings[0]
				in.publications[0].encodings[0].heard = time.Time{}
			}
			top := [2]uint8{}
			for i := range 40 {
				r.fan.now = r.fan.now.Add(33 * time.Millisecond)
				before := len(r.sent)
				packets := e.picture(i == 0)
				for _, b := range packets {
					input[string(b[packet.HeaderSize(b):])] = true
				}
				r.take(packets...)
				for j := range r.sent[before:] {
					o := &r.sent[before+j].out
					d := v.see(o)
					if !input[string(o.Payload)] {
						t.Fatal("the payload was touched")
					}
					if i > 4 {
						top[0], top[1] = max(top[0], d.Spatial), max(top[1], d.Temporal)
					}
				}
				r.again(12)
			}
			if want := [2]uint8{min(wish[0], 1), min(wish[1], 1)}; top != want {
				t.Errorf("codec %d: %v came, wanted was %v", pt, top, want)
			}
		}
		if last := v.last.Header; len(last.Dependency) < 3 {
			t.Error("no descriptor at last")
		}
	}
}

// A client that does not know the descriptor gets none, and VP9's own numbers go on instead.
func TestLayersOfVP9AreChosenByItsOwnDescriptor(t *testing.T) {
	r := newRoad(t, false)
	var sequence, picture uint16 = 65500, 0x7FF0
	var base, last byte
	ssrc, timestamp := uint32(7), uint32(0)
	send := func(key bool, temporal byte) {
		timestamp += 3000
		r.fan.now = r.fan.now.Add(33 * time.Millisecond)
		if temporal == 0 {
			base++
		}
		var packets [][]byte
		for spatial := range byte(3) {
			flags := byte(0x80 | 0x20 | 0x08 | 0x04) // I, L, B, E
			if !key {
				flags |= 0x40
			}
			inter := byte(0)
			if spatial > 0 {
				inter = 1
			}
			payload := []byte{flags, 0x80 | byte(picture>>8), byte(picture), temporal<<5 | temporal<<4 | spatial<<1 | inter, base, 0x86}
			if key {
				payload[5] = 0x82
			}
			h := packet.Header{Marker: spatial == 2, PayloadType: 98, SSRC: ssrc, Sequence: sequence, Timestamp: timestamp}
			sequence++
			packets = append(packets, append(h.Append(nil), append(payload, 1, 2, 3, spatial)...))
		}
		picture = (picture + 1) & 0x7FFF
		r.take(packets...)
	}
	var seen uint16
	checked := 0
	for turn, wish := range [][2]uint8{{255, 255}, {0, 0}, {1, 255}, {255, 0}, {2, 1}} {
		r.want(wish[0], wish[1], false)
		if turn == 3 {
			ssrc, picture, base, sequence = ssrc+100, 5, 200, 9
			in := &r.fan.publisher.incoming
			in.sources[ssrc] = r.s.publication.encodings[0]
			in.publications[0].encodings[0].heard = time.Time{}
		}
		for i := range 30 {
			send(i == 0, byte(i%2))
		}
		sizes := map[uint8]int{}
		for ; checked < len(r.sent); checked++ {
			o := &r.sent[checked].out
			var d packet.VP9Descriptor
			if !packet.ParseVP9(o.Payload, &d) || o.Header.DependencyID != 0 || o.Payload[len(o.Payload)-1] != d.SID {
				t.Fatalf("% x", o.Payload)
			}
			sizes[d.SID]++
			fresh := checked == 0 || o.Header.Timestamp != r.sent[checked-1].out.Header.Timestamp
			if checked > 0 {
				before := &r.sent[checked-1].out
				// Pictures that are left out leave their numbers out (RFC 9628 §4.2), so only those of a layer may be missing.
				step := (d.PictureID - seen) & 0x7FFF
				switch {
				case o.Index != before.Index+1:
					t.Fatalf("number %d after %d", o.Index, before.Index)
				case before.Header.Marker != fresh:
					t.Fatalf("turn %d: marker %v in front of layer %d", turn, before.Header.Marker, d.SID)
				case fresh && (step == 0 || step > 2) || !fresh && step != 0:
					t.Fatalf("turn %d: picture %d after %d", turn, d.PictureID, seen)
				case d.TL0 != last && (d.TL0 != last+1 || d.TID > 0 || !fresh):
					t.Fatalf("turn %d: base %d after %d", turn, d.TL0, last)
				}
			}
			seen, last = d.PictureID, d.TL0
		}
		r.again(20)
		top := uint8(0)
		for size := range sizes {
			top = max(top, size)
		}
		if top != min(wish[0], 2) || sizes[top] < 12 {
			t.Errorf("turn %d: layers %v", turn, sizes)
		}
	}
}

// The first packets of a source that are asked for again when the next source is there come from the right one.
func TestWhatWasSentBeforeAChangeOfSizeIsRepeated(t *testing.T) {
	b := newBench(t, nil)
	s := newStudio(t, b, "room", "alice", "q", "f")
	v := &viewer{c: newClient(b, "room", "bob", clientOptions{silent: true})}
	s.run()
	v.until("f")
	for i := range 4 {
		v.want(layer.Layer{Encoding: uint8(i % 2)}, false)
		v.until([]string{"q", "f"}[i%2])
		before := v.last.SequenceNumber
		l := (*b.participant("room", "bob").lines.Load())[v.last.SSRC]
		for back := range uint16(6) {
			if rid, payload, ok := l.recalled(before - back); !ok {
				t.Errorf("what was sent %d before is gone", back)
			} else if !bytes.Contains(payload, []byte(rid+"/")) {
				t.Errorf("another encoding's than %s", rid)
			}
		}
	}
}

// recalled makes a line's packet anew by its number, and says which encoding it should be of.
func (l *line) recalled(wire uint16) (rid string, payload []byte, ok bool) {
	l.to.sending.Lock()
	defer l.to.sending.Unlock()
	source, sequence, ok := l.numbers.Lookup(wire)
	if !ok || !l.recall(source, sequence, &l.to.outgoing) || uint16(l.to.outgoing.packet.Index) != wire {
		return "", nil, false
	}
	return l.past[source%origins].encoding.rid, whole(&l.to.outgoing.packet).Payload, true
}

// Nothing is allocated where every picture has layers that are left out, and a descriptor that is written anew.
func TestChoosingLayersAllocatesNothing(t *testing.T) {
	r := newRoad(t, true)
	e := &svc{kind: l2t2, id: 11, pt: 45, ssrc: 7, rng: rand.New(rand.NewPCG(1, 1))}
	r.take(e.picture(true)...)
	r.want(0, 1, false)
	var batch []transport.Datagram
	for range 40 {
		for _, b := range e.picture(false) {
			batch = append(batch, transport.Datagram{Arrived: r.fan.now, Data: b})
		}
	}
	sequence, number := e.sequence, e.number
	one := func() {
		for i := range batch {
			b := batch[i].Data
			binary.BigEndian.PutUint16(b[2:], sequence)
			binary.BigEndian.PutUint32(b[4:], 1e6+uint32(number/2)*3000)
			binary.BigEndian.PutUint16(b[18:], number)
			sequence++
			number += uint16(i % 2)
		}
		r.fan.pass(batch)
	}
	for range 30 {
		one()
	}
	if n := testing.AllocsPerRun(100, one); n != 0 {
		t.Errorf("%v allocations for %d packets", n, len(batch))
	}
}
