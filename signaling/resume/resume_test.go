package resume

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func texts(events []Event) []string {
	var out []string
	for _, e := range events {
		out = append(out, string(e.Data))
	}
	return out
}

func event(data []byte) Event { return Event{Type: "t", Data: data} }

func TestSinceGivesEachMissedEventOnceAndInOrder(t *testing.T) {
	b := New(Limits{Events: 4, Bytes: 100})
	for n := 1; n <= 3; n++ {
		if b.Next() != uint64(n) {
			t.Fatalf("Next = %d, want %d", b.Next(), n)
		}
		b.Append(event(fmt.Appendf(nil, "e%d", n)))
	}
	for _, row := range []struct {
		last uint64
		want []string
		ok   bool
	}{
		{0, []string{"e1", "e2", "e3"}, true},
		{2, []string{"e3"}, true},
		{3, nil, true},
		{4, nil, false}, // never given out
		{1 << 63, nil, false},
		{^uint64(0), nil, false},
	} {
		got, ok := b.Since(row.last)
		if ok != row.ok || cmp.Diff(row.want, texts(got)) != "" {
			t.Errorf("Since(%d) = %v, %v; want %v, %v", row.last, texts(got), ok, row.want, row.ok)
		}
	}
}

func TestWhatIsForgottenNeedsASnapshot(t *testing.T) {
	b := New(Limits{Events: 2, Bytes: 100})
	for n := 1; n <= 4; n++ {
		b.Append(event([]byte{byte('0' + n)}))
	}
	if _, ok := b.Since(1); ok {
		t.Error("event 2 is gone, Since(1) must say so")
	}
	if got, ok := b.Since(2); !ok || len(got) != 2 {
		t.Errorf("Since(2) = %v, %v", texts(got), ok)
	}
	b.Forget(3)
	if got, ok := b.Since(3); !ok || len(got) != 1 {
		t.Errorf("after Forget(3): Since(3) = %v, %v", texts(got), ok)
	}
	b.Clear()
	if _, ok := b.Since(3); ok {
		t.Error("after Clear event 4 is gone")
	}
	if got, ok := b.Since(4); !ok || len(got) != 0 {
		t.Error("a client that has everything needs no snapshot")
	}
}

func TestBytesAreBounded(t *testing.T) {
	b := New(Limits{Events: 10, Bytes: 10})
	b.Append(event(make([]byte, 6)))
	b.Append(event(make([]byte, 6)))
	if got, ok := b.Since(1); !ok || len(got) != 1 {
		t.Fatal("the second event must push the first one out")
	}
	b.Append(event(make([]byte, 11)))
	if _, ok := b.Since(2); ok || b.Last() != 3 {
		t.Fatal("an event larger than the buffer is counted but not kept")
	}
}

func TestBufferAgreesWithAListOfEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := Limits{Events: rapid.IntRange(1, 8).Draw(t, "events"), Bytes: rapid.IntRange(1, 40).Draw(t, "bytes")}
		b, all, forgotten := New(limits), []Event{}, uint64(0)
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				n := uint64(rapid.IntRange(0, len(all)).Draw(t, "n"))
				b.Forget(n)
				forgotten = max(forgotten, n)
			default:
				e := event(fmt.Appendf(nil, "%0*d", rapid.IntRange(1, 9).Draw(t, "size"), len(all)+1))
				b.Append(e)
				all = append(all, e)
			}
			if b.bytes > limits.Bytes || len(b.events) > limits.Events || b.Last() != uint64(len(all)) {
				t.Fatalf("bounds broken: %d bytes, %d events, last %d of %d", b.bytes, len(b.events), b.Last(), len(all))
			}
			for last := 0; last <= len(all); last++ {
				if got, ok := b.Since(uint64(last)); ok && cmp.Diff(texts(all[last:]), texts(got)) != "" {
					t.Fatalf("Since(%d) = %v, want %v", last, texts(got), texts(all[last:]))
				} else if !ok && last == len(all) {
					t.Fatalf("Since(the newest) must always be possible")
				}
			}
		}
	})
}
