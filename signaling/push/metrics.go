package push

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	pushes *prometheus.CounterVec   // by provider, purpose and result
	lost   *prometheus.CounterVec   // by reason
	time   *prometheus.HistogramVec // by provider
}

func newMetrics(r prometheus.Registerer, lanes []*lane) (*metrics, error) {
	m := &metrics{
		pushes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parley_push_total", Help: "Pushes by provider, purpose and what came of them; \"again\" counts each attempt that is made anew.",
		}, []string{"provider", "purpose", "result"}),
		lost: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "parley_push_lost_total", Help: "Users who were not pushed because the queue was full or their devices could not be read.",
		}, []string{"reason"}),
		time: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "parley_push_seconds", Help: "Time from a change of a call to the provider's word that it has the push.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"provider"}),
	}
	all := []prometheus.Collector{m.pushes, m.lost, m.time}
	for _, l := range lanes {
		all = append(all, prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "parley_push_waiting", Help: "Notices waiting for a provider.", ConstLabels: prometheus.Labels{"provider": l.name},
		}, func() float64 { return float64(l.length()) }))
	}
	for _, c := range all {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("push: %w", err)
		}
	}
	return m, nil
}
