package sfu

import (
	"errors"
	"testing"
)

func TestWishesReplaceTheOnesBefore(t *testing.T) {
	b := newBench(t, nil)
	if err := b.Join(t.Context(), Join{Room: "r", Participant: "a"}); err != nil {
		t.Fatal(err)
	}
	p := b.participant("r", "a")
	for _, wishes := range [][]SlotWish{{{Pair: 0, Width: 320}, {Pair: 3, Hidden: true}}, {{Pair: 1, Paused: true}, {Pair: MaxPairs}, {Pair: -1}}} {
		if err := b.Wish("r", "a", wishes); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Stats("r", "a", []SlotStats{{Pair: 2, Frozen: 0.5}}); err != nil {
		t.Fatal(err)
	}
	p.room.mu.Lock()
	defer p.room.mu.Unlock()
	if len(p.wishes) != 1 || !p.wishes[1].Paused || len(p.told) != 1 || p.told[2].Frozen != 0.5 {
		t.Errorf("wishes %+v, told %+v", p.wishes, p.told)
	}
}

func TestNobodyWishesForAnother(t *testing.T) {
	b := newBench(t, nil)
	var refusal *Error
	for name, err := range map[string]error{"wish": b.Wish("r", "a", nil), "stats": b.Stats("r", "a", nil)} {
		if !errors.As(err, &refusal) || refusal.Code != CodeNotJoined {
			t.Errorf("%s of nobody: %v", name, err)
		}
	}
}
