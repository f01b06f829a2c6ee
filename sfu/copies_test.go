package sfu

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pion/interceptor/pkg/twcc"

	"github.com/parleyrtc/parley/sfu/bwe"
)

// reported plays a second of a network that loses a share of 100 packets and delays each more than the one before, and reports.
func reported(t *testing.T, e *bwe.Estimator, from time.Time, number int64, loss float64, queue time.Duration, luck *rand.Rand) {
	t.Helper()
	recorder := twcc.NewRecorder(1)
	for i := range int64(100) {
		now := from.Add(time.Duration(i) * 10 * time.Millisecond)
		e.Sent(now, number+i, 250, 0)
		if luck.Float64() >= loss {
			recorder.Record(2, uint16(number+i), now.Add(time.Duration(i)*queue).UnixMicro())
		}
		if i%10 < 9 {
			continue
		}
		for _, p := range recorder.BuildFeedbackPacket() {
			raw, err := p.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			e.Feedback(now.Add(20*time.Millisecond), raw)
		}
	}
}

// Copies of earlier sounds cost what pictures need in a narrow network, so they end when nothing has been lost for some seconds, though
// whoever counts losses remembers for longer.
func TestCopiesEndWithTheLosses(t *testing.T) {
	begin := time.Unix(1000, 0)
	c := &pace{estimate: bwe.New(begin, bwe.Config{Start: 300_000, Max: 500_000})}
	luck := rand.New(rand.NewPCG(1, 1))
	copies, number := 0, int64(1)
	second := func(loss float64, queue time.Duration) {
		reported(t, c.estimate, begin.Add(time.Duration(number/100)*time.Second), number, loss, queue, luck)
		number += 100
		copies = c.room(20_000, copies)
	}
	for range 5 {
		second(0.3, 2*time.Millisecond)
	}
	if !c.estimate.Bounded() || copies != 2 {
		t.Fatalf("%d copies while much is lost: %+v", copies, c.estimate.State())
	}
	for range 10 {
		second(0, 0)
	}
	if copies != 0 {
		t.Errorf("%d copies when nothing is lost any more: %+v", copies, c.estimate.State())
	}
	second(0.3, 0)
	second(0.3, 0)
	if copies == 0 {
		t.Errorf("no copies when something is lost again: %+v", c.estimate.State())
	}
}
