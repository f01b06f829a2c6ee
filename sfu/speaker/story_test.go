package speaker

import (
	"testing"
	"time"
)

func TestTheSpeakerDoesNotFlicker(t *testing.T) {
	c := newScene(t, 8, 3)
	c.pass(10 * time.Second)
	c.speak(2)
	c.pass(2 * time.Second)
	c.speaker(2)
	for range 10 { // Somebody nods along.
		c.speak(2, 5)
		c.pass(300 * ms)
		c.speak(2)
		c.pass(2 * time.Second)
		c.speaker(2)
	}
	c.speak()
	c.pass(20 * time.Second)
	c.speaker(2) // Who spoke last, as long as nobody else does.
	c.speak(5)
	c.pass(800 * ms)
	c.speaker(5)
	c.s.SetMuted(c.now, c.people[5].v, true)
	if id, ok := c.s.Speaker(); ok {
		t.Errorf("%d is muted and speaks", id)
	}
}

func TestTwoWhoArgueTakeTurns(t *testing.T) {
	most := 0
	for seed := range uint64(20) {
		c := newSeeded(t, 8, 3, seed)
		c.pass(10 * time.Second)
		c.speak(2, 5)
		c.pass(30 * time.Second)
		most = max(most, c.switches)
	}
	if most > 8 {
		t.Errorf("the speaker changes %d times in 30 s", most)
	}
}

// tone sends packets of one level for some time, or nothing when the level is silence.
func (c *scene) tone(i int, level uint8, d time.Duration) {
	for end := c.now.Add(d); c.now.Before(end); c.now = c.now.Add(tick) {
		if level != silence {
			c.s.Heard(c.now, c.people[i].v, Sound{Level: level, HasLevel: true, Size: 80})
		}
	}
}

func TestASighIsNoSpeech(t *testing.T) {
	c := newScene(t, 3, 3)
	c.tone(0, 25, 3*time.Second)
	c.speaker(0)
	c.tone(0, silence, 600*ms) // A pause,
	c.tone(1, 25, 500*ms)      // and somebody agrees.
	c.speaker(0)
	c.tone(0, 25, 3*time.Second)
	c.tone(0, silence, 3*time.Second) // A long one,
	c.tone(1, 25, 200*ms)             // and somebody coughs.
	c.speaker(0)
	c.tone(1, silence, time.Second)
	c.tone(1, 25, 700*ms) // And then speaks.
	c.speaker(1)
}

func TestPausesWithoutPacketsAreSilence(t *testing.T) {
	c := newScene(t, 8, 3)
	for range 20 {
		c.tone(0, 30, time.Second)
		c.tone(0, silence, 400*ms)
	}
	if !c.people[0].v.hear(c.now, Sound{Level: 30, HasLevel: true, Size: 80}) {
		t.Error("who pauses by sending nothing is taken for noise")
	}
	c.tone(0, 30, 12*time.Second)
	if c.people[0].v.hear(c.now, Sound{Level: 30, HasLevel: true, Size: 80}) {
		t.Error("a tone of twelve seconds is taken for speech")
	}
}

func TestNobodySpeaksInAnEmptyPayload(t *testing.T) {
	c := newScene(t, 8, 3)
	for range 50 {
		if c.s.Heard(c.now, c.people[0].v, Sound{Level: 0, HasLevel: true, Size: emptyPayload}) {
			t.Fatal("forwarded")
		}
		c.now = c.now.Add(tick)
	}
	if !c.s.Heard(c.now, c.people[0].v, Sound{Level: 0, HasLevel: true, Size: 60}) {
		t.Error("the first loud packet is left out")
	}
}

func TestHearingAllocatesNothing(t *testing.T) {
	c := newScene(t, 20, 3)
	c.speak(1, 2, 3, 4)
	c.pass(time.Second)
	i := 0
	ids := make([]uint64, 0, 8)
	if n := testing.AllocsPerRun(2000, func() {
		p := c.people[i%20]
		sound, _ := p.next()
		c.now = c.now.Add(ms)
		c.s.Heard(c.now, p.v, sound)
		ids = c.s.Voices(ids[:0])
		i++
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
