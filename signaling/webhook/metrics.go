package webhook

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
)

// The results that are counted. Each attempt is delivered or failed; each message is delivered, dead or lost in the end.
const (
	resultDelivered = "delivered"
	resultFailed    = "failed"
	resultDead      = "dead"
	resultLost      = "lost" // the queue was full
	resultReplayed  = "replayed"
)

// metrics counts by target. Targets are those of the configuration, so they are few.
type metrics struct {
	results  *prometheus.CounterVec
	waiting  *prometheus.GaugeVec
	duration *prometheus.HistogramVec
	delay    *prometheus.HistogramVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	auto := promauto.With(reg)
	return &metrics{
		results: auto.NewCounterVec(prometheus.CounterOpts{
			Name: "parley_webhooks_total", Help: "Webhooks by target and by what came of an attempt or of the message.",
		}, []string{"target", "result"}),
		waiting: auto.NewGaugeVec(prometheus.GaugeOpts{
			Name: "parley_webhooks_pending", Help: "Webhooks in memory that wait or are on their way; 4096 means that more are on disk.",
		}, []string{"target"}),
		duration: auto.NewHistogramVec(prometheus.HistogramOpts{
			Name: "parley_webhook_request_seconds", Help: "Time of one request to a target.",
			Buckets: prometheus.ExponentialBuckets(0.005, 3, 8),
		}, []string{"target"}),
		delay: auto.NewHistogramVec(prometheus.HistogramOpts{
			Name: "parley_webhook_delay_seconds", Help: "Time from putting a webhook into its queue to its delivery.",
			Buckets: prometheus.ExponentialBuckets(0.005, 4, 12),
		}, []string{"target"}),
	}
}

func (m *metrics) count(target, result string) { m.results.WithLabelValues(target, result).Inc() }

func (m *metrics) pending(target string, n int) { m.waiting.WithLabelValues(target).Set(float64(n)) }
