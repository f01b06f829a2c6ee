package hostile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/stun/v4"
)

// binding is an ICE check with the right names; its integrity is right when the password is.
func binding(from, to, password string) []byte {
	return stun.MustBuild(stun.TransactionID, stun.BindingRequest, stun.NewUsername(to+":"+from),
		stun.RawAttribute{Type: stun.AttrPriority, Value: []byte{0x6e, 0, 1, 0xff}},
		stun.RawAttribute{Type: stun.AttrICEControlling, Value: []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
		stun.NewShortTermIntegrity(password), stun.Fingerprint).Raw
}

// checkFrom sends one check from each of many addresses and returns how many datagrams came back within the time.
func (s *target) checkFrom(addresses int, check []byte, within time.Duration) int {
	s.t.Helper()
	deadline := time.Now().Add(within)
	var received atomic.Int64
	var readers sync.WaitGroup
	for i := range addresses {
		conn, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 9, byte(i>>8), byte(i))}, s.media())
		if err != nil {
			s.t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write(check); err != nil {
			s.t.Fatal(err)
		}
		_ = conn.SetReadDeadline(deadline)
		readers.Go(func() {
			buf := make([]byte, 2048)
			for {
				if _, err := conn.Read(buf); err != nil {
					return
				}
				received.Add(1)
			}
		})
		if i%50 == 49 {
			<-time.After(2 * time.Millisecond)
		}
	}
	readers.Wait()
	return int(received.Load())
}

// TestChecksFromManyAddressesAreBounded has a participant check from address after address, which makes each a candidate that
// the server checks in turn: with forged sources those checks would go to others.
func TestChecksFromManyAddressesAreBounded(t *testing.T) {
	s := start(t)
	c := s.converse("alice", "bob")
	for _, connects := range []bool{true, false} {
		t.Run(fmt.Sprintf("of a participant who connects: %v", connects), func(t *testing.T) {
			mallory, trent := s.dial("mallory"), s.dial("trent")
			id := ring(t, mallory, "trent")
			answer(t, trent, id)
			in, refused := intrude(t, mallory, id, func(sdp string) string {
				if connects {
					return sdp
				}
				// The server knows other credentials than the library has, so that only our checks are good ones.
				return regexp.MustCompile(`a=ice-(ufrag|pwd):`).ReplaceAllString(sdp, "${0}another")
			})
			if refused != "" {
				t.Fatal(refused)
			}
			if connects {
				in.connected()
			}
			before := s.memory()
			theirs, password := credentials(in.answer)
			ours, _ := credentials(in.offer)
			const addresses = 1000
			back := s.checkFrom(addresses, binding(ours, theirs, password), 2500*time.Millisecond) // nine checks 200 ms apart
			t.Logf("%d checks from as many addresses: %d datagrams back", addresses, back)
			if back > 2*addresses {
				t.Errorf("%d checks make the server send %d datagrams", addresses, back)
			}
			c.undisturbed("checks from many addresses", tolerable)
			s.grewBy("checks from many addresses", before, 64)
			if _, err := mallory.End(wait(t), id); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestAFloodOfChecksLeavesTheMemoryAlone has a participant send more checks than its agent can look at.
func TestAFloodOfChecksLeavesTheMemoryAlone(t *testing.T) {
	s := start(t)
	c := s.converse("alice", "bob")
	in, _ := s.hostilePair(t)
	before := s.memory()
	theirs, password := credentials(in.answer)
	ours, _ := credentials(in.offer)
	check := binding(ours, theirs, password+"wrong")
	rng := rand.New(rand.NewPCG(21, 21))
	peak := before
	for i := range 300_000 {
		binary.BigEndian.PutUint64(check[12:], rng.Uint64()) // another transaction
		_, _ = in.socket.WriteTo(check, s.media())
		if i%20_000 == 19_999 {
			peak = max(peak, s.memory())
		}
	}
	t.Logf("at its peak the memory was %.0f MiB", peak)
	if peak > before+128 {
		t.Errorf("the memory grew from %.0f to %.0f MiB", before, peak)
	}
	c.undisturbed("flood of checks", tolerable)
}

func TestOneUsersTCPConnectionsLeaveRoomForOthers(t *testing.T) {
	s := start(t)
	in, _ := s.hostilePair(t)
	theirs, password := credentials(in.answer)
	ours, _ := credentials(in.offer)
	check := binding(ours, theirs, password)
	frame := append(binary.BigEndian.AppendUint16(nil, uint16(len(check))), check...)
	before, goroutines := s.memory(), s.metric("go_goroutines")
	const tries = 2000
	var open []net.Conn
	for range tries {
		conn, err := net.Dial("tcp4", "127.0.0.1:"+s.Media)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_, _ = conn.Write(frame) // a connection that was closed at once is what we want to see
		open = append(open, conn)
	}
	var alive atomic.Int64
	var readers sync.WaitGroup
	deadline := time.Now().Add(3 * time.Second)
	for _, conn := range open {
		_ = conn.SetReadDeadline(deadline)
		readers.Go(func() {
			if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
				alive.Add(1)
			}
		})
	}
	readers.Wait()
	t.Logf("%d of %d connections of one participant stay open; goroutines %.0f → %.0f", alive.Load(), tries, goroutines, s.metric("go_goroutines"))
	if alive.Load() > 256 {
		t.Errorf("one participant keeps %d connections of the ICE-TCP port", alive.Load())
	}
	s.grewBy("ICE-TCP connections", before, 128)
}

// TestStrangersAreAnsweredLittle sends what a forger would: small requests, whose answers would go to a victim.
func TestStrangersAreAnsweredLittle(t *testing.T) {
	s := start(t)
	c := s.converse("alice", "bob")
	const requests = 2000
	for _, p := range []struct {
		name, port string
		request    []byte
		most       int // answers
	}{
		{"STUN to the TURN port", s.TURN, stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw, 400},
		{"Allocate to the TURN port", s.TURN, stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest),
			stun.RawAttribute{Type: stun.AttrRequestedTransport, Value: []byte{17, 0, 0, 0}}).Raw, 400},
		{"STUN to the media port", s.Media, stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw, 0},
		{"a check of nobody's to the media port", s.Media, binding("abcd", "efgh", "0123456789012345678901"), 0},
	} {
		t.Run(p.name, func(t *testing.T) {
			to, err := net.ResolveUDPAddr("udp4", "127.0.0.1:"+p.port)
			if err != nil {
				t.Fatal(err)
			}
			conn, err := net.DialUDP("udp4", nil, to)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			for i := range requests {
				binary.BigEndian.PutUint64(p.request[12:], uint64(i)+1)
				if _, err := conn.Write(p.request); err != nil {
					t.Fatal(err)
				}
				if i%100 == 99 {
					<-time.After(time.Millisecond)
				}
			}
			_ = conn.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
			answers, bytes, buf := 0, 0, make([]byte, 2048)
			for {
				n, err := conn.Read(buf)
				if err != nil {
					break
				}
				answers++
				bytes += n
			}
			t.Logf("%d requests of %d bytes: %d answers of %d bytes in all", requests, len(p.request), answers, bytes)
			if answers > p.most {
				t.Errorf("%d answers, more than %d", answers, p.most)
			}
			if answers > 0 && float64(bytes)/float64(answers) > 2.6*float64(len(p.request)) {
				t.Errorf("an answer has %.1f times the bytes of its request", float64(bytes)/float64(answers)/float64(len(p.request)))
			}
		})
	}
	c.undisturbed("strangers' requests", tolerable)
}
