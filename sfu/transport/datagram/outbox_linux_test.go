package datagram

import (
	"bytes"
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// train is datagrams of a length each, all of one letter, and a last one of three bytes.
func train(datagrams, length int) []byte {
	var b []byte
	for i := range datagrams - 1 {
		b = append(b, bytes.Repeat([]byte{'a' + byte(i)}, length)...)
	}
	return append(b, "end"...)
}

// collect receives n datagrams and returns the first byte of each.
func collect(t *testing.T, s *Shared, n int) string {
	t.Helper()
	in := NewInbox(16, MaxTrain)
	if err := s.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	var got []byte
	for len(got) < n {
		batch, err := s.Receive(in)
		if err != nil {
			t.Fatalf("after %q: %v", got, err)
		}
		for i := range batch {
			m := &batch[i]
			for k := range m.Datagrams() {
				got = append(got, m.Datagram(k)[0])
			}
		}
	}
	return string(got)
}

func share(t testing.TB, addr string, opts Options) *Shared {
	t.Helper()
	all, err := ListenShared(netip.MustParseAddrPort(addr), 1, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { all[0].Close() })
	return all[0]
}

func TestARefusedMessageLosesOnlyItself(t *testing.T) {
	from, to := share(t, "127.0.0.1:0", Options{}), share(t, "127.0.0.1:0", Options{})
	out := NewOutbox(16)
	out.Add(to.Local(), []byte("1"), 0)
	out.Add(to.Local(), make([]byte, MaxTrain+1), 0) // EMSGSIZE
	out.Add(to.Local(), []byte("2"), 0)
	out.Add(netip.MustParseAddrPort("255.255.255.255:9"), []byte("x"), 0) // not without SO_BROADCAST
	out.Add(netip.MustParseAddrPort("255.255.255.255:9"), train(4, 10), 10)
	out.Add(to.Local(), train(3, 10), 10)
	out.Add(netip.MustParseAddrPort("[::1]:9"), []byte("x"), 0) // the socket has no IPv6
	out.Add(to.Local(), []byte("3"), 0)
	sent := from.Send(out)
	if sent.Datagrams != 6 || sent.Refused != 7 || sent.Full != 0 || len(sent.Unsegmented) != 0 || !errors.Is(sent.Err, unix.EAFNOSUPPORT) {
		t.Errorf("sent %+v", sent)
	}
	if out.Len() != 0 {
		t.Errorf("%d messages stay", out.Len())
	}
	if got := collect(t, to, 6); got != "12abe3" {
		t.Errorf("received %q", got)
	}
	if sent := from.Send(out); sent.Datagrams+sent.Refused+sent.Full != 0 || sent.Err != nil {
		t.Errorf("an empty outbox sends %+v", sent)
	}
}

func TestOneBatchGoesToBothFamilies(t *testing.T) {
	from := share(t, "[::]:0", Options{})
	four, six := share(t, "127.0.0.1:0", Options{}), share(t, "[::1]:0", Options{GRO: true})
	mapped := netip.AddrPortFrom(netip.AddrFrom16(four.Local().Addr().As16()), four.Local().Port())
	out := NewOutbox(8)
	for range 2 { // the second time in the other's place
		out.Add(four.Local(), []byte("1"), 0)
		out.Add(six.Local(), train(3, 10), 10)
		out.Add(mapped, train(3, 10), 10)
	}
	out.Add(six.Local(), []byte("2"), 0)
	if sent := from.Send(out); sent.Datagrams != 15 || sent.Refused != 0 {
		t.Fatalf("sent %+v", sent)
	}
	if got := collect(t, four, 8); got != "1abe1abe" {
		t.Errorf("IPv4 received %q", got)
	}
	if got := collect(t, six, 7); got != "abeabe2" {
		t.Errorf("IPv6 received %q", got)
	}
	if err := four.WriteTo([]byte("back"), netip.AddrPortFrom(four.Local().Addr(), from.Local().Port())); err != nil {
		t.Fatal(err)
	}
	got, err := from.Receive(NewInbox(1, 100))
	if err != nil || len(got) != 1 || got[0].From != four.Local() {
		t.Errorf("received %+v from %v, want it from %v", got, err, four.Local())
	}
}

// noTrains answers as a device without checksums would; no machine of ours has one. It counts its calls.
func noTrains(calls *int) sendmmsg {
	return func(fd int, messages []unix.Mmsghdr) (int, unix.Errno) {
		*calls++
		n := slices.IndexFunc(messages, func(m unix.Mmsghdr) bool { return m.Hdr.Control != nil })
		switch n {
		case -1:
			return toKernel(fd, messages)
		case 0:
			return 0, unix.EIO
		}
		return toKernel(fd, messages[:n])
	}
}

func TestATrainThatCannotBeCutGoesAsSingleDatagrams(t *testing.T) {
	from, to := share(t, "127.0.0.1:0", Options{}), share(t, "127.0.0.1:0", Options{Buffer: 1 << 20})
	calls := 0
	out := NewOutbox(8)
	out.sendmmsg = noTrains(&calls)
	out.Add(to.Local(), []byte("1"), 0)
	out.Add(to.Local(), train(4, 100), 100)
	out.Add(to.Local(), []byte("2"), 0)
	out.Add(to.Local(), train(MaxSegments, 1000), 1000)
	out.Add(netip.MustParseAddrPort("255.255.255.255:9"), train(MaxSegments, 100), 100) // refused as single datagrams, too
	out.Add(to.Local(), []byte("3"), 0)
	sent := from.Send(out)
	if sent.Datagrams != 7+MaxSegments || sent.Refused != MaxSegments || sent.Full != 0 || !slices.Equal(sent.Unsegmented, []int{1, 3}) {
		t.Errorf("sent %+v", sent)
	}
	if calls > 9 {
		t.Errorf("%d system calls", calls)
	}
	want := "1abce2" + string(train(MaxSegments, 1)[:MaxSegments]) + "3"
	if got := collect(t, to, 7+MaxSegments); got != want {
		t.Errorf("received %q, want %q", got, want)
	}
	out.Add(to.Local(), []byte("4"), 0)
	if sent := from.Send(out); sent.Datagrams != 1 || len(sent.Unsegmented) != 0 {
		t.Errorf("the next batch: %+v", sent)
	}
}

func TestATrainLongerThanThePathGoesInFragments(t *testing.T) {
	s := inSilentNetwork(t, Options{Buffer: 1 << 20})
	out := NewOutbox(4)
	out.Add(silent, train(4, 1400), 1400)
	out.Add(silent, train(4, 2000), 2000) // the device takes 1500
	if sent := s.Send(out); sent.Datagrams != 8 || !slices.Equal(sent.Unsegmented, []int{1}) {
		t.Errorf("sent %+v", sent)
	}
}

func TestAFullBufferDropsAndCountsAndNeverWaits(t *testing.T) {
	s := inSilentNetwork(t, Options{Buffer: 1}) // the least the kernel gives: a few datagrams
	out := NewOutbox(64)
	for range 32 {
		out.Add(silent, make([]byte, 1100), 0)
	}
	for range 32 {
		out.Add(silent, train(10, 1100), 1100)
	}
	start := time.Now()
	sent := s.Send(out)
	if sent.Datagrams < 1 || sent.Datagrams > 31 || sent.Full != 32+320-sent.Datagrams || sent.Refused != 0 || sent.Err != nil {
		t.Errorf("sent %+v", sent)
	}
	if err := s.WriteTo([]byte("x"), silent); !errors.Is(err, ErrFull) {
		t.Errorf("one more: %v", err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("it took %v", took)
	}
}
