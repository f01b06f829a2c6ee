package budget

import (
	"testing"
	"time"
)

var t0 = time.Unix(1000, 0)

// simulcast are the three sizes that browsers send, in two frame rates each.
func simulcast() []Choice {
	return []Choice{
		{Rate: 90_000, Width: 320, Height: 180, FrameRate: 15},
		{Rate: 150_000, Width: 320, Height: 180, FrameRate: 30},
		{Rate: 300_000, Width: 640, Height: 360, FrameRate: 15},
		{Rate: 500_000, Width: 640, Height: 360, FrameRate: 30},
		{Rate: 1_000_000, Width: 1280, Height: 720, FrameRate: 15},
		{Rate: 1_700_000, Width: 1280, Height: 720, FrameRate: 30},
	}
}

func video(id uint64, class Class) Subscription {
	return Subscription{ID: id, Class: class, Order: id, Choices: simulcast()}
}

func audio(id uint64) Subscription {
	return Subscription{ID: id, Class: Audio, Order: id, Choices: []Choice{{Rate: 40_000}}}
}

// expect allocates and compares choices and reasons.
func expect(t *testing.T, a *Allocator, now time.Time, budget Rate, s []Subscription, want ...any) *Plan {
	t.Helper()
	p := a.Allocate(now, budget, s)
	for i := range s {
		choice, reason := want[2*i].(int), want[2*i+1].(Reason)
		if g := p.Grants[i]; g.ID != s[i].ID || g.Choice != choice || g.Reason != reason {
			t.Errorf("at %d: %d gets %d (%v), want %d (%v)", budget, g.ID, g.Choice, g.Reason, choice, reason)
		}
	}
	return p
}

func TestEverybodyIsSeenBeforeAnybodyIsSeenBetter(t *testing.T) {
	s := []Subscription{video(1, Rest), video(2, Rest), video(3, Rest)}
	expect(t, New(), t0, 85_000, s, -1, Starved, -1, Starved, -1, Starved)
	expect(t, New(), t0, 95_000, s, 0, Reduced, -1, Starved, -1, Starved)
	expect(t, New(), t0, 300_000, s, 0, Reduced, 0, Reduced, 0, Reduced)
	expect(t, New(), t0, 350_000, s, 1, Reduced, 0, Reduced, 0, Reduced)
	expect(t, New(), t0, 1_000_000, s, 2, Reduced, 2, Reduced, 2, Reduced)
	p := expect(t, New(), t0, 6_000_000, s, 5, Full, 5, Full, 5, Full)
	if p.Used != 5_100_000 || p.Wanted != 5_100_000 {
		t.Errorf("%+v", p)
	}
}

func TestTheOrderInsideAClassIsTheCallers(t *testing.T) {
	s := []Subscription{video(1, Rest), video(2, Rest)}
	s[0].Order, s[1].Order = 7, 3
	expect(t, New(), t0, 110_000, s, -1, Starved, 0, Reduced)
	s[1].Order = 7
	expect(t, New(), t0, 110_000, s, 0, Reduced, -1, Starved)
}

func TestSoundComesFirstEvenWhenItDoesNotFit(t *testing.T) {
	s := []Subscription{video(1, Screen), audio(2), audio(3), audio(4)}
	p := expect(t, New(), t0, 100_000, s, -1, Starved, 0, Full, 0, Full, 0, Full)
	if p.Used != 120_000 || p.Audio != 120_000 || p.Wanted != 1_820_000 {
		t.Errorf("%+v", p)
	}
	expect(t, New(), t0, 240_000, s, 0, Reduced, 0, Full, 0, Full, 0, Full)
	s[1].Wish.Hidden = true // A sound has no place on the screen.
	s[2].Wish.Paused = true
	expect(t, New(), t0, 100_000, s, -1, Starved, 0, Full, -1, Stopped, 0, Full)
}

func TestAScreenIsReadableBeforeOthersAreSeen(t *testing.T) {
	s := []Subscription{video(1, Rest), video(2, Speaker), video(3, Pinned), video(4, Screen)}
	expect(t, New(), t0, 930_000, s, -1, Starved, 0, Reduced, 2, Reduced, 3, Reduced)
	expect(t, New(), t0, 1_300_000, s, -1, Starved, 0, Reduced, 1, Reduced, 4, Reduced)
	expect(t, New(), t0, 1_850_000, s, 1, Reduced, 2, Reduced, 2, Reduced, 4, Reduced)
}

func TestOnlyWhatIsOfUse(t *testing.T) {
	of := func(w Wish) []Subscription {
		s := video(1, Rest)
		s.Wish = w
		return []Subscription{s}
	}
	const plenty = 10_000_000
	expect(t, New(), t0, plenty, of(Wish{Width: 300, Height: 200}), 1, Full)
	expect(t, New(), t0, plenty, of(Wish{Width: 350, Height: 300}), 1, Full)
	expect(t, New(), t0, plenty, of(Wish{Width: 380, Height: 300}), 3, Full)
	expect(t, New(), t0, plenty, of(Wish{Height: 360}), 3, Full)
	expect(t, New(), t0, plenty, of(Wish{Width: 4000, Height: 4000}), 5, Full)
	expect(t, New(), t0, plenty, of(Wish{FrameRate: 15}), 4, Full)
	expect(t, New(), t0, plenty, of(Wish{FrameRate: 1}), 4, Full)
	expect(t, New(), t0, plenty, of(Wish{Width: 300, FrameRate: 20}), 0, Full)
	expect(t, New(), t0, plenty, of(Wish{Hidden: true}), -1, Hidden)
	expect(t, New(), t0, plenty, of(Wish{Hidden: true, Paused: true}), -1, Stopped)
	if p := expect(t, New(), t0, 100_000, of(Wish{Width: 300}), 0, Reduced); p.Grants[0].Wanted != 1 || p.Wanted != 150_000 {
		t.Errorf("%+v", p)
	}
}

func TestWhatCannotBeHadIsNotChosen(t *testing.T) {
	s := []Subscription{video(1, Rest)}
	s[0].Choices[4].Rate, s[0].Choices[5].Rate = 0, 0
	expect(t, New(), t0, 10_000_000, s, 3, Full)
	for i := range s[0].Choices {
		s[0].Choices[i].Rate = 0
	}
	expect(t, New(), t0, 10_000_000, s, -1, Absent)
	s[0].Choices = nil
	expect(t, New(), t0, 10_000_000, s, -1, Absent)
	s[0].Choices = simulcast()
	s[0].Choices[3].Rate = 250_000 // A still picture: more of it takes less.
	expect(t, New(), t0, 280_000, s, 3, Reduced)
}

// TestAShortfallIsRiddenOut falls short a little for a while, and then for longer.
func TestAShortfallIsRiddenOut(t *testing.T) {
	a := New()
	s := []Subscription{video(1, Rest), video(2, Rest)}
	expect(t, a, t0, 3_500_000, s, 5, Full, 5, Full)
	at := func(ms time.Duration, budget Rate, first, second int) {
		t.Helper()
		p := a.Allocate(t0.Add(ms*time.Millisecond), budget, s)
		if p.Grants[0].Choice != first || p.Grants[1].Choice != second {
			t.Errorf("after %d ms at %d: %d and %d, want %d and %d", ms, budget, p.Grants[0].Choice, p.Grants[1].Choice, first, second)
		}
	}
	at(1000, 3_200_000, 5, 5)
	at(2000, 3_450_000, 5, 5) // enough in between
	at(3000, 3_200_000, 5, 5)
	at(4400, 3_200_000, 5, 5)
	at(4500, 3_200_000, 5, 4) // for too long
	at(5000, 2_550_000, 5, 4)
	at(5100, 2_450_000, 4, 4) // too much
}

func TestDownAtOnceAndUpAfterAWhile(t *testing.T) {
	a := New()
	s := []Subscription{video(1, Rest)}
	now := t0
	at := func(after time.Duration, budget Rate, choice int, reason Reason) {
		t.Helper()
		now = now.Add(after)
		expect(t, a, now, budget, s, choice, reason)
	}
	at(0, 1_900_000, 5, Full)
	at(time.Second, 1_700_000, 5, Full) // Just enough to keep it.
	at(time.Second, 1_550_000, 4, Reduced)
	at(time.Second, 1_720_000, 4, Reduced) // Not enough to go up.
	at(500*time.Millisecond, 1_900_000, 4, Reduced)
	at(500*time.Millisecond, 1_900_000, 5, Full)
	// Going up was a mistake: twice as long.
	at(time.Second, 1_550_000, 4, Reduced)
	at(3*time.Second, 1_900_000, 4, Reduced)
	at(time.Second, 1_900_000, 5, Full)
	at(time.Second, 1_550_000, 4, Reduced)
	at(7*time.Second, 1_900_000, 4, Reduced)
	at(time.Second, 1_900_000, 5, Full)
	// The network has changed since: going up was no mistake.
	at(time.Second, 1_200_000, 4, Reduced)
	at(2*time.Second, 1_900_000, 5, Full)
	// It has been well for long: two seconds again.
	at(time.Minute, 1_550_000, 4, Reduced)
	at(2*time.Second, 1_900_000, 5, Full)
	// A wish is followed at once in both directions.
	s[0].Wish.Width = 300
	at(time.Second, 1_900_000, 1, Full)
	s[0].Wish.Width = 0
	at(10*time.Millisecond, 1_900_000, 5, Full)
}

func TestNobodyWaitsLongWhileMostOfTheBudgetIsIdle(t *testing.T) {
	a := New()
	s := []Subscription{video(1, Rest)}
	expect(t, a, t0, 2_000_000, s, 5, Full)
	expect(t, a, t0, 1_550_000, s, 4, Reduced)
	expect(t, a, t0.Add(500*time.Millisecond), 4_000_000, s, 4, Reduced)
	expect(t, a, t0.Add(time.Second), 2_500_000, s, 4, Reduced) // enough, but not plenty
	expect(t, a, t0.Add(time.Second), 4_000_000, s, 5, Full)
}

func TestALesserOneDoesNotTakeWhatABetterOneWaitsFor(t *testing.T) {
	a := New()
	s := []Subscription{video(1, Pinned), video(2, Rest)}
	expect(t, a, t0, 2_050_000, s, 5, Full, 1, Reduced)
	expect(t, a, t0.Add(time.Second), 1_200_000, s, 4, Reduced, 1, Reduced)
	expect(t, a, t0.Add(2*time.Second), 2_050_000, s, 4, Reduced, 1, Reduced)
	expect(t, a, t0.Add(3*time.Second), 2_050_000, s, 5, Full, 1, Reduced)
}

func TestAnotherSpeakerChangesPlacesAtOnce(t *testing.T) {
	a := New()
	s := []Subscription{video(1, Speaker), video(2, Rest)}
	expect(t, a, t0, 1_300_000, s, 4, Reduced, 1, Reduced)
	s[0].Class, s[1].Class = Rest, Speaker
	expect(t, a, t0.Add(time.Millisecond), 1_300_000, s, 2, Reduced, 4, Reduced)
}

func TestReasonsHaveNames(t *testing.T) {
	for r := Full; r <= Absent; r++ {
		if r.String() == "" || r.String() == "unknown" {
			t.Errorf("%d: %s", r, r)
		}
	}
	if Reason(99).String() != "unknown" {
		t.Error("a reason from nowhere")
	}
}
