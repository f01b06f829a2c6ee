package signaling

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// metrics counts what happens at the rim. Labels are closed sets: methods and codes of the protocol, never ids.
type metrics struct {
	calls       *prometheus.CounterVec // result: how the call ended
	callsActive prometheus.Gauge
	ringTime    prometheus.Histogram
	commits     *prometheus.CounterVec // result: ok, conflict, error
	commitTime  prometheus.Histogram

	connections prometheus.Gauge
	messages    *prometheus.CounterVec // method, status
	closed      *prometheus.CounterVec // reason
	hellos      *prometheus.CounterVec // result: new, resumed, refused

	mediaEvents  *prometheus.CounterVec // kind
	mediaDropped prometheus.Counter
	untold       prometheus.Counter
	panics       *prometheus.CounterVec // where
}

func newMetrics(reg prometheus.Registerer) *metrics {
	auto := promauto.With(reg)
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		return auto.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	gauge := func(name, help string) prometheus.Gauge {
		return auto.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
	}
	return &metrics{
		calls:       counters("parley_calls_total", "Calls that are over, by how they ended.", "result"),
		callsActive: gauge("parley_calls_active", "Calls that ring or are ongoing."),
		ringTime: auto.NewHistogram(prometheus.HistogramOpts{
			Name: "parley_call_ring_seconds", Help: "Time from initiating a call to its first answer or end.",
			Buckets: []float64{0.5, 1, 2, 5, 10, 20, 30, 45, 60, 120, 300},
		}),
		commits: counters("parley_call_commits_total", "Changes of calls brought to disk.", "result"),
		commitTime: auto.NewHistogram(prometheus.HistogramOpts{
			Name: "parley_call_commit_seconds", Help: "Time one change of a call took to be on disk.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 3, 10),
		}),
		connections:  gauge("parley_ws_connections", "Open WebSocket connections."),
		messages:     counters("parley_ws_messages_total", "Requests by method and by ok or error code.", "method", "status"),
		closed:       counters("parley_ws_closed_total", "WebSocket connections that ended, by reason.", "reason"),
		hellos:       counters("parley_ws_hellos_total", "First messages by what came of them.", "result"),
		mediaEvents:  counters("parley_signaling_media_events_total", "Events from the media side.", "kind"),
		mediaDropped: auto.NewCounter(prometheus.CounterOpts{Name: "parley_signaling_media_events_dropped_total", Help: "Events from the media side that a call could not take in time."}),
		untold:       auto.NewCounter(prometheus.CounterOpts{Name: "parley_calls_untold_total", Help: "Changes of calls that the outbox of webhooks did not take in time."}),
		panics:       counters("parley_signaling_panics_total", "Panics that ended one connection or one step of a call.", "where"),
	}
}

func since(start time.Time) float64 { return time.Since(start).Seconds() }
