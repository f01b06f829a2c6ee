package sfu

import (
	"testing"
	"testing/synctest"
	"time"
)

// An alarm rings at the earliest time asked for, then at what its function asks for, and after stop never again.
func TestAnAlarmRingsAtTheEarliestTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var a alarm
		var rung []time.Duration
		stopped := 0
		a.start(began.Add(time.Second), func() {
			rung = append(rung, time.Since(began))
			a.by(time.Now().Add(time.Second))
		}, func() { stopped++ })
		for _, ms := range []time.Duration{900, 300, 700, 1100} {
			a.by(began.Add(ms * time.Millisecond))
		}
		time.Sleep(2 * time.Second)
		a.stop()
		a.stop()
		a.by(time.Now())
		time.Sleep(time.Hour)
		if len(rung) != 2 || rung[0] != 300*time.Millisecond || rung[1] != 1300*time.Millisecond || stopped != 1 {
			t.Errorf("rung at %v, stopped %d times", rung, stopped)
		}
	})
}

// What is asked for while the function runs rings afterwards, not beside it; and the end of the function is waited for.
func TestAnAlarmNeverRingsTwiceAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var a alarm
		var times, at int
		over := make(chan struct{})
		a.start(time.Now(), func() {
			if at++; at > 1 {
				t.Error("two at once")
			}
			times++
			time.Sleep(time.Minute)
			at--
			a.by(time.Now().Add(time.Hour))
		}, func() { close(over) })
		time.Sleep(time.Second)
		a.by(time.Now())
		a.by(time.Now())
		time.Sleep(90 * time.Second)
		synctest.Wait()
		if times != 2 {
			t.Errorf("rung %d times, want 2", times)
		}
		a.stop()
		select {
		case <-over:
			t.Error("over while the function runs")
		default:
		}
		<-over
	})
}
