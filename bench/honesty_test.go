package bench

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/parleyrtc/parley/bench/netlab"
)

// through measures a server over a bad network.
func through(t *testing.T, shape Shape, duration time.Duration, rules netlab.Rules) ForwardResult {
	t.Helper()
	target := testServer(t)
	path, err := netlab.Open(netip.MustParseAddrPort("127.0.0.1:"+target.Owned.Media), rules)
	if err != nil {
		t.Fatal(err)
	}
	defer path.Close()
	target.Answer = path.Rewrite
	r, err := Forward(context.Background(), target, ForwardConfig{Shape: shape, Duration: duration, Sample: 2, NoFloor: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTwoPercentOfLossAreReportedAsSuch(t *testing.T) {
	r := through(t, AudioShape(6, 10), time.Second, netlab.Rules{Lose: 50, Seed: 1})
	for name, loss := range map[string]float64{"loss": r.Loss, "loss by sequence": r.SequenceLoss} {
		if loss < 0.018 || loss > 0.022 {
			t.Errorf("%s is reported as %.3f %%, and was 2 %%", name, 100*loss)
		}
	}
	if len(r.Failures) > 0 {
		t.Errorf("loss is no damage: %v", r.Failures)
	}
}

func TestTenMillisecondsOfDelayAreReportedAsSuch(t *testing.T) {
	shape := AudioShape(2, 4)
	plain := through(t, shape, 500*time.Millisecond, netlab.Rules{})
	late := through(t, shape, 500*time.Millisecond, netlab.Rules{Delay: 10 * time.Millisecond})
	if late.Latency.P50 < 10_000 || late.Latency.P50 > 10_000+plain.Latency.P50+1500 {
		t.Errorf("with 10 ms of delay p50 is %.0f µs, without %.0f µs", late.Latency.P50, plain.Latency.P50)
	}
}

func TestWhatComesLateIsNotLost(t *testing.T) {
	r := through(t, AudioShape(2, 4), 500*time.Millisecond, netlab.Rules{Delay: 700 * time.Millisecond})
	if r.Loss > 0.001 {
		t.Errorf("everything came 0.7 s late, and the loss is said to be %.1f %%", 100*r.Loss)
	}
	// Whoever stops looking when the publishers stop sees nothing of the last 0.7 s, here all of it.
	if sent := 2 * 4 / 2 * 50 / 2; r.CheckedPackets < uint64(sent) || r.Latency.P50 < 700_000 || r.Latency.Max > 2e6 {
		t.Errorf("%d packets of at least %d were timed: %+v", r.CheckedPackets, sent, r.Latency)
	}
}

func TestADamagedByteIsCaught(t *testing.T) {
	r := through(t, VideoShape(1, 4), time.Second, netlab.Rules{Damage: 100})
	share := float64(r.CorruptPackets) / float64(r.CorruptPackets+r.CheckedPackets)
	if share < 0.007 || share > 0.013 || len(r.Failures) == 0 {
		t.Errorf("%d of %d packets of the sample are called damaged, and 1 %% were; failures %v", r.CorruptPackets, r.CorruptPackets+r.CheckedPackets, r.Failures)
	}
	if r.Loss > 0.005 {
		t.Errorf("damage is no loss: %v", r.Loss)
	}
}
