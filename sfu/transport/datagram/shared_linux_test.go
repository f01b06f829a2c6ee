package datagram

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEveryFlowHasOneSocket(t *testing.T) {
	const sockets, flows, each = 4, 16, 20
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		all, err := ListenShared(netip.MustParseAddrPort(addr), sockets, Options{Timestamps: true, Buffer: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		type arrival struct {
			socket int
			from   netip.AddrPort
			number byte
			at     int64
		}
		arrivals := make(chan arrival, flows*each)
		ended := make(chan error, sockets)
		for i, s := range all {
			if s.Local() != all[0].Local() || s.Local().Port() == 0 {
				t.Errorf("socket %d is at %v, the first at %v", i, s.Local(), all[0].Local())
			}
			go func() { // ends when the socket is closed below
				in := NewInbox(8, 2048)
				for {
					batch, err := s.Receive(in)
					if err != nil {
						ended <- err
						return
					}
					for _, m := range batch {
						arrivals <- arrival{i, m.From, m.Data[0], m.At}
					}
				}
			}()
		}
		before := time.Now().UnixNano()
		for range flows {
			from := share(t, netip.AddrPortFrom(all[0].Local().Addr(), 0).String(), Options{})
			for n := range each {
				if err := from.WriteTo([]byte{byte(n)}, all[0].Local()); err != nil {
					t.Fatal(err)
				}
			}
		}
		socketOf, next, used := map[netip.AddrPort]int{}, map[netip.AddrPort]byte{}, map[int]bool{}
		for range flows * each {
			a := <-arrivals
			if _, known := socketOf[a.from]; !known {
				socketOf[a.from] = a.socket
			}
			if socketOf[a.from] != a.socket || next[a.from] != a.number {
				t.Fatalf("%+v on a flow of socket %d, at number %d", a, socketOf[a.from], next[a.from])
			}
			if a.at < before || a.at > time.Now().UnixNano() {
				t.Fatalf("arrived at %d, sent after %d", a.at, before)
			}
			next[a.from]++
			used[a.socket] = true
		}
		if len(socketOf) != flows || len(used) < 2 {
			t.Errorf("%d flows on %d sockets", len(socketOf), len(used))
		}
		for _, s := range all {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if err := <-ended; !errors.Is(err, net.ErrClosed) {
				t.Errorf("a closed socket's Receive ends with %v", err)
			}
		}
	}
}

func TestAnAddressInUseIsNotShared(t *testing.T) {
	for _, n := range []int{1, 2} {
		first, err := ListenShared(netip.MustParseAddrPort("127.0.0.1:0"), n, Options{})
		if err != nil || len(first) != n {
			t.Fatal(len(first), err)
		}
		for _, m := range []int{1, 2} {
			if second, err := ListenShared(first[0].Local(), m, Options{}); !errors.Is(err, syscall.EADDRINUSE) || second != nil {
				t.Errorf("%d sockets beside %d: %d, %v", m, n, len(second), err)
			}
		}
		for _, s := range first {
			s.Close()
		}
	}
}

func TestReceiveKeepsItsDeadline(t *testing.T) {
	s := share(t, "127.0.0.1:0", Options{})
	in := NewInbox(1, 100)
	start := time.Now()
	if err := s.SetReadDeadline(start.Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Receive(in); !errors.Is(err, os.ErrDeadlineExceeded) || len(got) != 0 || time.Since(start) < 20*time.Millisecond {
		t.Fatalf("after %v: %d messages, %v", time.Since(start), len(got), err)
	}
	if err := s.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := s.WriteTo([]byte("x"), s.Local()); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Receive(in); err != nil || len(got) != 1 {
		t.Fatalf("without a deadline: %d messages, %v", len(got), err)
	}
}

func TestAClosedSocketSaysSo(t *testing.T) {
	s := share(t, "127.0.0.1:0", Options{})
	closed := time.AfterFunc(20*time.Millisecond, func() { s.Close() })
	defer closed.Stop()
	if _, err := s.Receive(NewInbox(1, 100)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a Receive that waits ends with %v", err)
	}
	if _, err := s.Receive(NewInbox(1, 100)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the next Receive: %v", err)
	}
	if err := s.WriteTo([]byte("x"), s.Local()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("WriteTo: %v", err)
	}
	out := NewOutbox(2)
	out.Add(s.Local(), train(3, 10), 10)
	out.Add(s.Local(), []byte("x"), 0)
	if sent := s.Send(out); sent.Refused != 4 || sent.Datagrams != 0 || !errors.Is(sent.Err, net.ErrClosed) || out.Len() != 0 {
		t.Errorf("Send: %+v, %d messages stay", sent, out.Len())
	}
}

func TestTheKernelSaysWhatItGaveAndWhatItDropped(t *testing.T) {
	s := share(t, "127.0.0.1:0", Options{Buffer: 1})
	for range 100 {
		if err := s.WriteTo(make([]byte, 1000), s.Local()); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.Dropped(); n < 50 || n > 100 {
		t.Errorf("%d of 100 were dropped", n)
	}
	const asked = 300 << 10
	if read, write := share(t, "127.0.0.1:0", Options{Buffer: asked}).Buffers(); read <= 0 || read > asked || write <= 0 || write > asked {
		t.Errorf("buffers of %d and %d bytes, asked for %d", read, write, asked)
	}
	if !s.Segments() {
		t.Error("this kernel knows no trains, so the other tests prove little")
	}
	t.Log(SegmentationTrusted())
	s.Close()
	if read, write := s.Buffers(); read != 0 || write != 0 || s.Dropped() != 0 || s.Segments() {
		t.Error("a closed socket has something to say")
	}
}

func TestNothingIsAllocatedPerCall(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		here, there := share(t, addr, Options{Timestamps: true}), share(t, addr, Options{Timestamps: true, GRO: true})
		go func() { // sends back the first of every batch; ends when the socket is closed
			in := NewInbox(8, MaxTrain)
			for {
				got, err := there.Receive(in)
				if err != nil || there.WriteTo(got[0].Datagram(0), got[0].From) != nil {
					return
				}
			}
		}()
		in, out, data := NewInbox(8, 2048), NewOutbox(8), train(3, 1000)
		var failed error
		allocated := testing.AllocsPerRun(1000, func() {
			out.Add(there.Local(), data, 1000)
			if sent := here.Send(out); sent.Datagrams != 3 && failed == nil {
				failed = fmt.Errorf("sent %+v", sent)
			}
			if got, err := here.Receive(in); (err != nil || len(got) != 1) && failed == nil {
				failed = fmt.Errorf("%d messages, %w", len(got), err)
			}
		})
		if allocated != 0 || failed != nil {
			t.Errorf("%s: %v allocations, %v", addr, allocated, failed)
		}
		there.Close()
	}
}

func TestSendersAndCloseDoNotDisturbEachOther(t *testing.T) {
	all, err := ListenShared(netip.MustParseAddrPort("127.0.0.1:0"), 2, Options{})
	if err != nil {
		t.Fatal(err)
	}
	to := share(t, "127.0.0.1:0", Options{})
	const senders, enough = 4, 50
	sending, ended := make(chan struct{}, senders*enough), make(chan error, 2*senders)
	for i := range senders { // all of them end when the sockets are closed
		go func() {
			out, s := NewOutbox(4), all[i%2]
			for n := 0; ; n++ {
				out.Add(to.Local(), train(3, 100), 100)
				out.Add(to.Local(), []byte("x"), 0)
				sent := s.Send(out)
				if sent.Datagrams+sent.Full+sent.Refused != 4 || sent.Err != nil {
					ended <- sent.Err
					return
				}
				if n < enough {
					sending <- struct{}{}
				}
			}
		}()
		go func() {
			for {
				if err := all[i%2].WriteTo([]byte("x"), to.Local()); err != nil && !errors.Is(err, ErrFull) {
					ended <- err
					return
				}
			}
		}()
	}
	for range senders * enough {
		<-sending
	}
	for _, s := range all {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	for range 2 * senders {
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("a sender ends with %v", err)
		}
	}
}
