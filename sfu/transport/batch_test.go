package transport

import (
	"bytes"
	"errors"
	"testing"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"github.com/parleyrtc/parley/sfu/packet"
)

// written is a writer that keeps what pion would send.
type written struct {
	packets []*rtp.Packet
	err     error
}

func (w *written) WriteRTP(header *rtp.Header, payload []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	w.packets = append(w.packets, &rtp.Packet{Header: header.Clone(), Payload: bytes.Clone(payload)})
	return len(payload), nil
}

func (w *written) Write([]byte) (int, error) { return 0, errors.New("not used") }

// A batch keeps its own copy of what it is lent, and sends each packet whole and in order.
func TestABatchSendsWhatWasAdded(t *testing.T) {
	var w written
	plane, peer, stream := &Plane{}, &Peer{}, &Stream{SSRC: 7, RTX: 8, writer: &w}
	b := plane.Batch()
	head, payload := []byte{1, 2}, []byte("payload")
	for i := range 3 {
		o := Outgoing{Stream: stream, Index: int64(65535 + i), Payload: payload,
			Header: packet.Header{SSRC: 7, Sequence: uint16(65535 + i), Timestamp: 9, PayloadType: 96, Marker: i == 1}}
		switch i {
		case 1:
			o.Head = head
		case 2:
			o.Header.AudioLevelID, o.Header.AudioLevel, o.Header.Voice = 3, 40, true
		}
		if !b.Add(peer, &o) {
			t.Fatalf("packet %d was refused", i)
		}
	}
	copy(head, "xx")
	copy(payload, "xxxxxxx")
	if len(w.packets) != 0 {
		t.Fatal("sent before Flush")
	}
	plane.Recycle(b)
	for i, want := range []string{"payload", "\x01\x02payload", "payload"} {
		p := w.packets[i]
		if string(p.Payload) != want || p.SequenceNumber != uint16(65535+i) || p.Marker != (i == 1) || p.SSRC != 7 || p.PayloadType != 96 || p.Timestamp != 9 {
			t.Errorf("packet %d: %v", i, p)
		}
		if level := p.GetExtension(3); (level != nil) != (i == 2) || i == 2 && !bytes.Equal(level, []byte{0x80 | 40}) {
			t.Errorf("packet %d: audio level %v", i, level)
		}
	}
}

// Room for 64 packets is made by sending what is there, so that a batch is bounded.
func TestABatchIsBounded(t *testing.T) {
	var w written
	plane, peer, stream := &Plane{}, &Peer{}, &Stream{writer: &w}
	b := plane.Batch()
	o := Outgoing{Stream: stream, Head: make([]byte, 8), Payload: make([]byte, fullSize-8)}
	added := 0
	for range 100 {
		b.Reserve(64)
		for range 64 {
			b.Add(peer, &o)
			added++
		}
		if len(b.arena) > arenaSize {
			t.Fatalf("%d bytes wait", len(b.arena))
		}
	}
	b.Flush()
	if len(w.packets) != added {
		t.Errorf("%d packets of %d were sent", len(w.packets), added)
	}
}

func TestWhatCannotBeSentIsCounted(t *testing.T) {
	w := written{err: errors.New("the buffer is full")}
	plane, peer, stream := &Plane{}, &Peer{}, &Stream{writer: &w}
	b := plane.Batch()
	b.Add(peer, &Outgoing{Stream: stream})
	b.Add(peer, &Outgoing{Stream: stream})
	if n := b.Flush(); n != 2 || plane.Unsent() != 2 {
		t.Errorf("%d failed, %d counted, want 2", n, plane.Unsent())
	}
	if n := b.Flush(); n != 0 {
		t.Errorf("%d failed the second time", n)
	}
	if b.Add(peer, &Outgoing{Stream: &Stream{}}) {
		t.Error("a stream that was not negotiated took a packet")
	}
	peer.closed.Store(true)
	if b.Add(peer, &Outgoing{Stream: stream}) {
		t.Error("a closed peer took a packet")
	}
}

// RTCP packets travel together as far as they fit.
func TestRTCPIsSplitWhereItGetsTooLong(t *testing.T) {
	b, peer := (&Plane{}).Batch(), &Peer{}
	report := &rtcp.ReceiverReport{Reports: make([]rtcp.ReceptionReport, 20)}
	b.AddRTCP(peer, []rtcp.Packet{report, report, report, report, report})
	b.AddRTCP(peer, nil)
	b.AddRTCP(peer, []rtcp.Packet{report})
	var sizes []int
	for _, c := range b.compounds {
		size := 0
		for _, p := range b.reports[c.from:c.to] {
			size += p.MarshalSize()
		}
		if size > maxRTCP {
			t.Errorf("%d bytes in one", size)
		}
		sizes = append(sizes, c.to-c.from)
	}
	if len(sizes) != 4 || sizes[0] != 2 || sizes[1] != 2 || sizes[2] != 1 || sizes[3] != 1 {
		t.Errorf("split into %v", sizes)
	}
}
