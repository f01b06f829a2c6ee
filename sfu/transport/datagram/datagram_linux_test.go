package datagram

import (
	"bytes"
	"net/netip"
	"testing"
	"time"
)

func listen(t *testing.T, addr string, opts Options) *Socket {
	t.Helper()
	s, err := Listen(netip.MustParseAddrPort(addr), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestATrainArrivesCutOrWhole(t *testing.T) {
	for _, addr := range []string{"127.0.0.1:0", "[::1]:0"} {
		from, plain := listen(t, addr, Options{}), listen(t, addr, Options{Timestamps: true})
		gro := listen(t, addr, Options{GRO: true, Buffer: 1 << 20})
		train := append(bytes.Repeat([]byte{1}, 100), append(bytes.Repeat([]byte{2}, 100), 3, 3, 3)...)
		out, in := NewOutbox(4), NewInbox(8, MaxTrain)
		before := time.Now().UnixNano()
		out.Add(plain.Local(), train, 100)
		out.Add(gro.Local(), train, 100)
		out.Add(plain.Local(), []byte("single"), 0)
		if refused := out.Flush(from); refused != 0 || out.Len() != 0 {
			t.Fatalf("%s: %d refused, %d left", addr, refused, out.Len())
		}
		got, err := in.Receive(plain, true)
		if err != nil || len(got) != 4 {
			t.Fatalf("%s: %d messages, %v; want the three datagrams and the single", addr, len(got), err)
		}
		for i, want := range []int{100, 100, 3, 6} {
			m := got[i]
			if len(m.Data) != want || m.From != from.Local() || m.Segment != 0 {
				t.Errorf("%s: message %d: %d bytes from %v in segments of %d", addr, i, len(m.Data), m.From, m.Segment)
			}
			if m.At < before || m.At > time.Now().UnixNano() {
				t.Errorf("%s: message %d arrived at %d, sent at %d", addr, i, m.At, before)
			}
		}
		got, err = in.Receive(gro, true)
		if err != nil || len(got) != 1 || got[0].Segment != 100 || !bytes.Equal(got[0].Data, train) {
			t.Fatalf("%s: with GRO %d messages, %v", addr, len(got), err)
		}
	}
}

func TestAFullSocketSaysWhatItLost(t *testing.T) {
	from, to := listen(t, "127.0.0.1:0", Options{}), listen(t, "127.0.0.1:0", Options{})
	for range 5000 {
		if err := from.WriteTo(make([]byte, 1000), to.Local()); err != nil {
			t.Fatal(err)
		}
	}
	in := NewInbox(64, 2048)
	received := 0
	for {
		got, err := in.Receive(to, false)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) == 0 {
			break
		}
		received += len(got)
	}
	if err := from.WriteTo([]byte("last"), to.Local()); err != nil {
		t.Fatal(err)
	}
	got, err := in.Receive(to, true)
	if err != nil || len(got) != 1 {
		t.Fatal(len(got), err)
	}
	if lost := 5000 - received; lost == 0 || int(got[0].Dropped) != lost {
		t.Fatalf("received %d of 5000, the socket says it dropped %d", received, got[0].Dropped)
	}
}

func TestThePollerNamesReadySocketsAndKeepsTime(t *testing.T) {
	p, err := NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	a, b := listen(t, "127.0.0.1:0", Options{}), listen(t, "127.0.0.1:0", Options{})
	for id, s := range []*Socket{a, b} {
		if err := p.Add(s, int32(id)); err != nil {
			t.Fatal(err)
		}
	}
	start := time.Now()
	if ready := p.Wait(3 * time.Millisecond); len(ready) != 0 || time.Since(start) < 3*time.Millisecond {
		t.Fatalf("ready %v after %v", ready, time.Since(start))
	}
	if err := a.WriteTo([]byte{1}, b.Local()); err != nil {
		t.Fatal(err)
	}
	if ready := p.Wait(time.Minute); len(ready) != 1 || ready[0] != 1 {
		t.Fatalf("ready %v, want only b", ready)
	}
	p.Remove(b)
	p.Wake()
	if ready := p.Wait(time.Minute); len(ready) != 0 {
		t.Fatalf("a wake-up alone says %v is ready", ready)
	}
}
