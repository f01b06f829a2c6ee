package hostile

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"
)

// noise is one datagram after the other of all that a media port takes, each wrong in its own way.
func noise(t testing.TB, seed uint64, ssrc uint32, check []byte) func(i int) []byte {
	t.Helper()
	hello := clientHello(t)
	rng := rand.New(rand.NewPCG(seed, 7))
	return func(i int) []byte {
		switch i % 5 {
		case 0:
			return hello
		case 1: // with another transaction, so the integrity is wrong
			binary.BigEndian.PutUint64(check[12:], rng.Uint64())
			return check
		case 2:
			return binding("abcd", fmt.Sprintf("%016x", rng.Uint64()), "0123456789012345678901") // of nobody's
		case 3:
			b := make([]byte, 100)
			for j := range b {
				b[j] = byte(rng.Uint32())
			}
			b[0] = []byte{0x80, 0x90, 23, 1}[i/5%4]
			return b
		}
		return mustMarshal(t, &rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 111, SSRC: ssrc, SequenceNumber: uint16(i)},
			Payload: []byte("this was never sealed")})
	}
}

// TestFloodsOfStrangersStopNeitherSetUpNorMedia sends everything at once: ClientHellos, checks of made-up and of real names, media.
func TestFloodsOfStrangersStopNeitherSetUpNorMedia(t *testing.T) {
	s := start(t)
	first := s.converse("alice", "bob")
	in, _ := s.hostilePair(t)
	theirs, password := credentials(in.answer)
	ours, _ := credentials(in.offer)
	ssrc := uint32(first.a.PC.GetSenders()[0].GetParameters().Encodings[0].SSRC)
	var conns []*net.UDPConn
	var back []*atomic.Int64
	for range 16 {
		conn := s.stranger()
		conns, back = append(conns, conn), append(back, replies(conn))
	}
	before, stop := s.memory(), make(chan struct{})
	sent := flood(conns, 30_000, noise(t, 1, ssrc, binding(ours, theirs, password)), stop)
	second := s.converse("carol", "dave")
	first.undisturbed("floods of strangers", tolerable)
	second.undisturbed("floods of strangers", tolerable)
	close(stop)
	t.Logf("%d datagrams", <-sent)
	unanswered(t, back)
	s.grewBy("floods of strangers", before, 96)
}

// TestFloodsInAParticipantsNameLeaveItsMediaAlone writes a participant's own address on them, more than a client may send.
func TestFloodsInAParticipantsNameLeaveItsMediaAlone(t *testing.T) {
	s := start(t)
	mallory, trent := s.dial("mallory"), s.talker("trent")
	id := ring(t, mallory, "trent")
	answer(t, trent.Client, id)
	trent.join(t, id)
	in, refused := intrude(t, mallory, id, nil)
	if refused != "" {
		t.Fatal(refused)
	}
	in.connected()
	theirs, password := credentials(in.answer)
	ours, _ := credentials(in.offer)
	wrong := noise(t, 2, uint32(in.track.ssrc), binding(ours, theirs, password+"wrong"))
	for i := range 300 {
		for j := range 100 {
			_, _ = in.socket.WriteTo(wrong(100*i+j), s.media()) // what the loopback interface drops is the flood's loss
		}
		h := &rtp.Header{Version: 2, PayloadType: 111, SSRC: uint32(in.track.ssrc), SequenceNumber: uint16(i), Timestamp: uint32(i) * 960}
		if _, err := in.track.writer.WriteRTP(h, []byte("<mallory>")); err != nil {
			t.Fatal(err)
		}
		for deadline := time.After(patience); trent.count("mallory") <= i; {
			select {
			case <-trent.more:
			case <-deadline:
				t.Fatalf("packet %d of the participant's own does not arrive", i)
			}
		}
	}
	if forged := s.metric(`parley_media_discarded_total{reason="forged"}`); forged < 1000 {
		t.Errorf("%v forgeries were counted", forged)
	}
	if in.pc.ConnectionState().String() != "connected" {
		t.Errorf("the participant is %s", in.pc.ConnectionState())
	}
}
