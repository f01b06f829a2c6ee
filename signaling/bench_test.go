package signaling

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/wire"
)

// BenchmarkCall tells how many calls a second get through on one store: initiated, accepted, joined by both and ended,
// every step on disk before the next; without webhooks, with a back end that takes its seven messages a call, and with one that hangs.
func BenchmarkCall(b *testing.B) {
	config := quick()
	config.RingsPerMinute = 1 << 30
	b.Run("untold", func(b *testing.B) { benchmarkCall(b, serve(b, config)) })
	taking := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer taking.Close()
	b.Run("told", func(b *testing.B) { benchmarkCall(b, serveTold(b, b.TempDir(), config, nil, tells(b, taking.URL))) })
	release := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		select {
		case <-release:
		case <-req.Context().Done():
		}
	}))
	defer hanging.Close()
	defer close(release)
	b.Run("hanging", func(b *testing.B) { benchmarkCall(b, serveTold(b, b.TempDir(), config, nil, tells(b, hanging.URL))) })
}

func benchmarkCall(b *testing.B, n *node) {
	ask := func(do func(reply answer)) wire.CallView {
		done := make(chan any, 1)
		do(func(result any, refusal *wire.Error) {
			if refusal != nil {
				b.Error(refusal)
			}
			done <- result
		})
		answered, _ := (<-done).(wire.CallResult)
		return answered.Call
	}
	request := func(by call.Device, params any) wire.CallView {
		return ask(func(reply answer) { n.request(by, false, params, reply) })
	}
	join := func(by call.Device, id string) {
		ask(func(reply answer) {
			n.within(id, by, func(l *loop) { l.joinSession(call.Join{By: by}, false, reply) }, func(*call.Call) { b.Error("over") }, reply)
		})
	}
	var pairs atomic.Int64
	b.SetParallelism(16)
	b.ResetTimer()
	start := time.Now()
	b.RunParallel(func(pb *testing.PB) {
		pair := strconv.FormatInt(pairs.Add(1), 10)
		alice, bob := call.Device{UID: "alice" + pair, ID: "a"}, call.Device{UID: "bob" + pair, ID: "b"}
		for pb.Next() {
			id := request(alice, wire.InitiateParams{ReceiverID: bob.UID, ReceiverType: "user", Type: "audio"}).SessionID
			request(bob, wire.AcceptParams{SessionID: id})
			join(alice, id)
			join(bob, id)
			request(alice, wire.EndParams{SessionID: id})
		}
	})
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "calls/s")
}
