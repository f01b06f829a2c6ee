package bench

import (
	"errors"
	"testing"
	"time"
)

func TestTurnRelaysOverEachTransport(t *testing.T) {
	r, err := Turn(t.Context(), testServer(t), TurnConfig{Clients: 2, Rate: 500, Duration: 500 * time.Millisecond}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, transport := range []string{"udp", "tcp", "tls"} {
		if got := value(t, r, transport+".allocations_per_second"); got < 10 {
			t.Errorf("%s: %v allocations a second", transport, got)
		}
		if got := value(t, r, transport+".packets_per_second"); got < 250 || got > 600 {
			t.Errorf("%s: %v packets a second, of 500 that were sent", transport, got)
		}
		if got := value(t, r, transport+".loss"); got > 0.01 {
			t.Errorf("%s: loss %v", transport, got)
		}
		if got := value(t, r, transport+".cpu_ns_per_packet"); got <= 0 {
			t.Errorf("%s: CPU per packet %v", transport, got)
		}
	}
}

func TestTurnShapesThatMakeNoSense(t *testing.T) {
	for _, cfg := range []TurnConfig{{Transports: []string{"sctp"}}, {PacketBytes: 9000}, {Rate: -1}, {Clients: -1}} {
		if _, err := Turn(t.Context(), Target{}, cfg, nil); !errors.Is(err, ErrShape) {
			t.Errorf("%+v: %v, want ErrShape", cfg, err)
		}
	}
}
