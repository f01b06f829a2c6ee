package transport

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

var somewhere = netip.MustParseAddrPort("192.0.2.7:4007")

func TestRingKeepsOrderAndRefusesWhatIsTooMuch(t *testing.T) {
	r := newRing(4)
	b := make([]byte, maxQueued)
	for start := range 9 { // every place is first once, and more
		for i := range 4 {
			if !r.put(somewhere, []byte{byte(start), byte(i)}) {
				t.Fatalf("datagram %d of round %d is refused", i, start)
			}
		}
		if r.put(somewhere, []byte("fifth")) {
			t.Fatal("a fifth datagram found a place")
		}
		for i := range 4 {
			n, from, err := r.take(b)
			if err != nil || from != somewhere || !bytes.Equal(b[:n], []byte{byte(start), byte(i)}) {
				t.Fatalf("took %x from %v, %v", b[:n], from, err)
			}
		}
		if start%2 == 0 {
			r.put(somewhere, nil)
			r.take(b)
		}
	}
	if r.put(somewhere, make([]byte, maxQueued+1)) {
		t.Error("a datagram longer than a buffer was taken")
	}
	r.put(somewhere, []byte("longer than the reader's"))
	if n, _, err := r.take(b[:6]); n != 6 || err != nil || string(b[:6]) != "longer" {
		t.Errorf("a short reader got %q, %v", b[:n], err)
	}
}

func TestRingWakesItsReader(t *testing.T) {
	for name, wake := range map[string]struct {
		do   func(r *ring)
		want error
	}{
		"a datagram":      {func(r *ring) { r.put(somewhere, []byte("x")) }, nil},
		"being closed":    {func(r *ring) { r.close(); r.close() }, net.ErrClosed},
		"a past deadline": {func(r *ring) { _ = r.expire(time.Now()) }, os.ErrDeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, done := newRing(1), make(chan error, 1)
				go func() {
					_, _, err := r.take(make([]byte, 1))
					done <- err
				}()
				synctest.Wait()
				select {
				case err := <-done:
					t.Fatalf("the reader of an empty ring returned, %v", err)
				default:
				}
				wake.do(r)
				if err := <-done; !errors.Is(err, wake.want) {
					t.Errorf("got %v, want %v", err, wake.want)
				}
			})
		})
	}
}

func TestRingAfterItsEnd(t *testing.T) {
	r := newRing(2)
	r.put(somewhere, []byte("x"))
	if err := r.expire(time.Now().Add(time.Hour)); err == nil {
		t.Error("a deadline in the future was taken")
	}
	_ = r.expire(time.Now())
	if _, _, err := r.take(nil); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("past the deadline: %v", err)
	}
	_ = r.expire(time.Time{})
	if _, _, err := r.take(make([]byte, 1)); err != nil {
		t.Errorf("without a deadline: %v", err)
	}
	r.put(somewhere, []byte("x"))
	r.close()
	if r.put(somewhere, []byte("x")) || r.places[0].buffer != nil || r.places[1].buffer != nil {
		t.Error("a closed ring holds a datagram")
	}
}

func TestRingWithManyWriters(t *testing.T) {
	const writers, each = 4, 300
	r := newRing(controlPlaces)
	for w := range writers {
		go func() {
			for i := 0; i < each; {
				if r.put(somewhere, []byte{byte(w), byte(i >> 8), byte(i)}) {
					i++
				} else {
					runtime.Gosched()
				}
			}
		}()
	}
	var next [writers]int
	b := make([]byte, 3)
	for range writers * each {
		if _, _, err := r.take(b); err != nil {
			t.Fatal(err)
		}
		if i := int(b[1])<<8 | int(b[2]); i != next[b[0]] {
			t.Fatalf("writer %d's datagram %d came, want %d", b[0], i, next[b[0]])
		}
		next[b[0]]++
	}
}
