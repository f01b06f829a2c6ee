package bench

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/parleyrtc/parley/bench/report"
)

// value is a figure that must be there.
func value(t *testing.T, r report.Result, key string) float64 {
	t.Helper()
	f, ok := r.Figure(key)
	if !ok {
		t.Fatalf("%s has no figure %s", r.Scenario, key)
	}
	return f.Value
}

func TestCallsAreCountedAndTimed(t *testing.T) {
	r, err := Calls(t.Context(), testServer(t), CallsConfig{Pairs: 2, Duration: time.Second}, nil)
	if err != nil {
		t.Fatal(err)
	}
	calls := value(t, r, "calls")
	if calls < 1 || value(t, r, "failed_calls") != 0 {
		t.Errorf("%v calls, failures %v", calls, r.Failures)
	}
	if rate := value(t, r, "setups_per_second"); rate > calls || rate < calls/10 {
		t.Errorf("%v calls in about a second make %v a second", calls, rate)
	}
	ring, media, setup := value(t, r, "ring_us.p50"), value(t, r, "accept_to_media_us.p50"), value(t, r, "setup_us.max")
	if ring <= 0 || media <= 0 || setup < ring {
		t.Errorf("ring %v µs, accept to media %v µs, set-up %v µs at most", ring, media, setup)
	}
	if r.Clients.Cores <= 0 || value(t, r, "server_cpu_us_per_call") <= 0 {
		t.Errorf("no CPU was counted: clients %v", r.Clients)
	}
}

func TestCallsKeepARate(t *testing.T) {
	r, err := Calls(t.Context(), testServer(t), CallsConfig{Pairs: 4, Duration: 2 * time.Second, Rate: 5, Signaling: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if calls := value(t, r, "calls"); calls < 5 || calls > 12 {
		t.Errorf("%v calls in 2 s at 5 a second", calls)
	}
}

func TestInterruptedCallsSayWhatWasMeasured(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	r, err := Calls(ctx, testServer(t), CallsConfig{Pairs: 1, Duration: time.Minute, Signaling: true}, func(u Update) {
		if u.Phase == "calling" && u.Done > 0.4 {
			interrupt()
		}
	})
	if err != nil || !r.Partial {
		t.Fatalf("partial %v, error %v", r.Partial, err)
	}
	if value(t, r, "calls") < 1 {
		t.Error("the calls until then are lost")
	}
}

func TestAServerThatDiesIsSaid(t *testing.T) {
	server := testServerAt(t, ServeConfig{})
	r, err := Calls(t.Context(), server.Target, CallsConfig{Pairs: 1, Duration: time.Minute, Signaling: true}, func(u Update) {
		if u.Phase == "calling" && u.Done > 0.4 {
			server.Owned.Kill()
		}
	})
	if !errors.Is(err, ErrServerDied) || !r.Partial {
		t.Errorf("partial %v, error %v; want ErrServerDied", r.Partial, err)
	}
}

func TestLimitsOfTheServerAreExplained(t *testing.T) {
	server := testServer(t, "PARLEY_CALLS_RINGS_PER_MINUTE=2")
	r, err := Calls(t.Context(), server, CallsConfig{Pairs: 1, Duration: 500 * time.Millisecond, Signaling: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Failures) != 1 || !strings.Contains(r.Failures[0], "calls.rings_per_minute") {
		t.Errorf("failures: %v", r.Failures)
	}
}

func TestEverybodyOfAStormIsCounted(t *testing.T) {
	r, err := Join(t.Context(), testServer(t), JoinConfig{Clients: 4}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if value(t, r, "arrived") != 4 || len(r.Failures) != 0 {
		t.Errorf("%v of 4 arrived, failures %v", value(t, r, "arrived"), r.Failures)
	}
	if first, last := value(t, r, "first_packet_us.p50"), value(t, r, "storm_seconds"); first <= 0 || last*1e6 < first*0.99 {
		t.Errorf("the median has media after %v µs, the last after %v s", first, last)
	}
}

func TestAStormThatDoesNotFitFails(t *testing.T) {
	r, err := Join(t.Context(), testServer(t, "PARLEY_CALLS_MAX_PARTICIPANTS=3"), JoinConfig{Clients: 4, Wait: 5 * time.Second}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if value(t, r, "arrived") != 2 || len(r.Failures) != 1 || !strings.Contains(r.Failures[0], "ERR_ROOM_FULL") {
		t.Errorf("%v arrived, failures %v", value(t, r, "arrived"), r.Failures)
	}
}

func TestCallsWithWebhooksAndPushes(t *testing.T) {
	sink, err := NewSink()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sink.Close)
	server := testServer(t, sink.Env(true, true)...)
	r, err := Calls(t.Context(), server, CallsConfig{Pairs: 2, Duration: time.Second, Signaling: true, Sink: sink, Webhooks: true, Push: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if calls := value(t, r, "calls"); calls < 1 || value(t, r, "webhooks") < hooksPerCall*calls || value(t, r, "pushes") < 1 || len(r.Failures) != 0 {
		t.Errorf("%v calls, %v webhooks, %v pushes, failures %v", calls, value(t, r, "webhooks"), value(t, r, "pushes"), r.Failures)
	}
}
