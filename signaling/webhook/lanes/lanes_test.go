package lanes

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// TestOrderHoldsInEveryLane sends at random, with failures and lost patience: of one call there is never more than one message on
// its way, they end in their order, none is lost, and no more than allowed are on their way.
func TestOrderHoldsInEveryLane(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := Policy{
			Parallel: rapid.IntRange(1, 4).Draw(t, "parallel"), Patience: time.Hour,
			Backoff: []time.Duration{time.Second, time.Minute, 20 * time.Minute},
		}
		l, now, added := New(policy), start, uint64(0)
		on, ended, want := map[uint64]string{}, map[string][]uint64{}, map[string][]uint64{}
		step := func() {
			m, attempt, ok := l.Next(now)
			if !ok {
				return
			}
			if attempt < 1 {
				t.Fatalf("attempt %d", attempt)
			}
			for _, lane := range on {
				if lane == m.Lane {
					t.Fatalf("two of %s are on their way", lane)
				}
			}
			if on[m.Number] = m.Lane; len(on) > policy.Parallel {
				t.Fatalf("%d are on their way", len(on))
			}
		}
		finish := func(good bool) {
			for number, lane := range on { // some one
				delete(on, number)
				if good {
					l.Delivered(now, number)
				} else if l.Failed(now, number, rapid.IntRange(0, 9).Draw(t, "hopeless") == 0, 0, 0.5) != GiveUp {
					return
				}
				ended[lane] = append(ended[lane], number)
				return
			}
		}
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "what") {
			case 0:
				added++
				lane := fmt.Sprint(rapid.IntRange(0, 3).Draw(t, "lane"))
				l.Add(Message{added, lane, now})
				want[lane] = append(want[lane], added)
			case 1, 2:
				step()
			case 3:
				finish(true)
			case 4:
				finish(false)
			case 5:
				now = now.Add(time.Duration(rapid.IntRange(0, 1000).Draw(t, "seconds")) * time.Second)
			}
		}
		for range 10 * int(added) { // let everything end
			step()
			finish(true)
			if due := l.Due(); due.After(now) {
				now = due
			}
		}
		if fmt.Sprint(ended) != fmt.Sprint(want) || l.Len() != 0 {
			t.Fatalf("ended %v, want %v, %d left", ended, want, l.Len())
		}
	})
}

func TestAFailureWaitsLongerEachTimeAndIsGivenUpAtLast(t *testing.T) {
	l, now := New(Policy{}), start
	l.Add(Message{1, "a", now})
	l.Add(Message{2, "a", now})
	var waits []time.Duration
	for {
		m, attempt, ok := l.Next(now)
		if !ok || m.Number != 1 || attempt != len(waits)+1 {
			t.Fatalf("attempt %d is number %d, %v", attempt, m.Number, ok)
		}
		if l.Failed(now, 1, false, 0, 0) == GiveUp {
			break
		}
		if _, _, early := l.Next(l.Due().Add(-1)); early {
			t.Fatal("the second message overtakes the first")
		}
		waits = append(waits, l.Due().Sub(now))
		now = l.Due()
	}
	if waits[0] != 5*time.Second || waits[2] != 2*time.Minute || waits[len(waits)-1] != time.Hour || now.Sub(start) < 24*time.Hour {
		t.Errorf("it waited %v, altogether %v", waits, now.Sub(start))
	}
	if m, attempt, ok := l.Next(now); m.Number != 2 || attempt != 1 || !ok {
		t.Errorf("then comes %v, attempt %d, %v", m, attempt, ok)
	}
	if l.Failed(now, 2, false, 0, 0) != GiveUp {
		t.Error("what has waited behind a message for its whole time gets one attempt only")
	}
}

func TestATargetThatIsBackGetsEverythingAtOnce(t *testing.T) {
	l, now := New(Policy{Parallel: 100}), start
	for i := range uint64(20) {
		l.Add(Message{i, fmt.Sprint(i), now})
	}
	for i := range uint64(19) {
		if _, _, ok := l.Next(now); !ok {
			t.Fatal("nothing to send")
		}
		l.Failed(now, i, false, 0, 0)
	}
	if m, _, _ := l.Next(now); m.Number != 19 {
		t.Fatalf("the last is %d", m.Number)
	}
	l.Delivered(now, 19)
	for range 19 {
		m, attempt, ok := l.Next(now)
		if !ok || attempt != 2 {
			t.Fatalf("%v, attempt %d, %v", m, attempt, ok)
		}
		l.Failed(now, m.Number, false, time.Minute, 0)
	}
	if wait := l.Due().Sub(now); wait != time.Minute {
		t.Errorf("a target that asks for a minute gets %v", wait)
	}
	if l.Failed(now, 0, true, 0, 0) != Unknown {
		t.Error("a message that is not on its way fails")
	}
}
