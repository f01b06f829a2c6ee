package turn

import "github.com/prometheus/client_golang/prometheus"

// Reasons of parley_turn_denied_total. Every message and connection that is turned away counts under one of them.
const (
	deniedMalformed   = "malformed"   // Neither STUN nor ChannelData, or cut short; media that does not fit a message.
	deniedMethod      = "method"      // A method that is not offered.
	deniedAttribute   = "attribute"   // An attribute that must not be as it is.
	deniedPeer        = "peer"        // An address that is no media address.
	deniedQuota       = "quota"       // Too many allocations of one credential.
	deniedCapacity    = "capacity"    // No relay port, or too many allocations in all.
	deniedUnsupported = "unsupported" // A transport or family that is not relayed.
	deniedRate        = "rate"        // Too many answers to one neighbourhood.
	deniedConnections = "connections" // Too many connections.
	deniedTimeout     = "timeout"     // A connection that said too little for too long.
	deniedStray       = "stray"       // Data without an allocation, or to a relay from elsewhere.
	deniedOverflow    = "overflow"    // Media for a client that takes it too slowly.
	deniedPanic       = "panic"       // Our own fault; logged.
)

var deniedReasons = []string{
	deniedMalformed, deniedMethod, deniedAttribute, deniedPeer, deniedQuota, deniedCapacity, deniedUnsupported, deniedRate,
	deniedConnections, deniedTimeout, deniedStray, deniedOverflow, deniedPanic,
}

type metrics struct {
	allocations  prometheus.Gauge
	connections  prometheus.Gauge
	authFailures prometheus.Counter
	toPeer       prometheus.Counter
	toClient     prometheus.Counter
	denied       map[string]prometheus.Counter // Fixed after construction.
	collectors   []prometheus.Collector
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	allocations := prometheus.NewGauge(prometheus.GaugeOpts{Name: "parley_turn_allocations", Help: "Live TURN allocations."})
	connections := prometheus.NewGauge(prometheus.GaugeOpts{Name: "parley_turn_connections", Help: "Open TURN connections over TCP and TLS."})
	authFailures := prometheus.NewCounter(prometheus.CounterOpts{Name: "parley_turn_auth_failures_total", Help: "TURN requests with a wrong, expired or revoked credential."})
	bytes := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "parley_turn_bytes_total", Help: "Relayed bytes of payload, by where they go."}, []string{"dir"})
	denied := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "parley_turn_denied_total", Help: "TURN messages and connections turned away."}, []string{"reason"})
	m := &metrics{
		allocations: allocations, connections: connections, authFailures: authFailures,
		toPeer: bytes.WithLabelValues("to_peer"), toClient: bytes.WithLabelValues("to_client"),
		denied:     make(map[string]prometheus.Counter),
		collectors: []prometheus.Collector{allocations, connections, authFailures, bytes, denied},
	}
	for i, c := range m.collectors {
		if err := r.Register(c); err != nil {
			m.collectors = m.collectors[:i]
			m.unregister(r)
			return nil, err
		}
	}
	for _, reason := range deniedReasons {
		m.denied[reason] = denied.WithLabelValues(reason)
	}
	return m, nil
}

func (m *metrics) deny(reason string) { m.denied[reason].Inc() }

// unregister takes back what was registered, for a server that did not start.
func (m *metrics) unregister(r prometheus.Registerer) {
	for _, c := range m.collectors {
		r.Unregister(c)
	}
}
