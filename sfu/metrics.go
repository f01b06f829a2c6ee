package sfu

import (
	"errors"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/parleyrtc/parley/sfu/budget"
	"github.com/parleyrtc/parley/sfu/bwe"
	"github.com/parleyrtc/parley/sfu/quality"
	"github.com/parleyrtc/parley/sfu/transport"
)

// metrics are the counters of the package, resolved once so that a packet costs one atomic addition.
type metrics struct {
	in, out [2]prometheus.Counter // by kind: audio, video
	dropped [dropReasons]prometheus.Counter

	nackIn, nackOut prometheus.Counter
	pliIn, pliOut   prometheus.Counter
	repeated        prometheus.Counter
	restored        prometheus.Counter
	padding         prometheus.Counter
	replayed        prometheus.Counter
	waited          prometheus.Histogram
	target          prometheus.Histogram
	limited         []prometheus.Counter // by bwe.Reason
	pauses          *prometheus.CounterVec
	data            [dataResults]prometheus.Counter
	offers          [2]prometheus.Counter // answered, refused
	gone            *prometheus.CounterVec
	quality         [quality.Excellent + 1]prometheus.Counter // seconds, by grade

	rooms, participants, publications, subscriptions atomic.Int64
}

// dropReason is why a packet was not forwarded.
type dropReason uint8

const (
	forwarded dropReason = iota // it was
	dropMalformed
	dropTooLong
	dropSource
	dropPayloadType
	dropGate
	dropUnsubscribed
	dropUnheard
	dropPadding
	dropRepair
	dropStale
	dropLayer
	dropWaiting
	dropLate
	dropDuplicate
	dropCodec
	dropCongestion
	dropUnconnected
	dropWrite
	dropReasons
)

var dropNames = [dropReasons]string{
	dropMalformed: "malformed", dropTooLong: "too_long", dropSource: "unknown_source", dropPayloadType: "payload_type",
	dropGate: "not_accepted", dropUnsubscribed: "unsubscribed", dropUnheard: "unheard", dropPadding: "padding", dropRepair: "useless_repair",
	dropStale: "slot_changed", dropLayer: "layer_not_wanted", dropWaiting: "waiting_for_keyframe", dropLate: "late", dropDuplicate: "duplicate",
	dropCodec: "not_decodable", dropCongestion: "congestion", dropUnconnected: "not_connected", dropWrite: "write",
}

// dataResult is what became of a data message: of one that a client sent, forwarded or dropped; of one on its way to a
// receiver, dropped, displaced or expired.
type dataResult uint8

const (
	dataForwarded dataResult = iota
	dataDropped              // against the rules, or the receiver is slow
	dataDisplaced            // by newer ones that waited with it for the receiver's data channel
	dataExpired              // the receiver opened no data channel in time
	dataResults
)

var dataNames = [dataResults]string{"forwarded", "dropped", "displaced", "expired"}

// tally counts what becomes of packets, so that the counters, which all goroutines share, are touched once for many.
type tally struct {
	in, out [2]int // by kind
	dropped [dropReasons]int

	restored int
}

// waits are the buckets of what packets wait for, in seconds.
var waits = []float64{.002, .005, .01, .02, .05, .1, .2, .5}

// downlinks are the buckets of estimates, in bits per second.
var downlinks = []float64{100e3, 300e3, 600e3, 1e6, 2.5e6, 5e6, 10e6, 20e6}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{}
	var errs []error
	vec := func(name, help string, labels ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		errs = append(errs, r.Register(v))
		return v
	}
	packets := vec("parley_rtp_packets_total", "RTP packets, retransmissions included.", "dir", "kind")
	for i, kind := range []string{"audio", "video"} {
		m.in[i] = packets.WithLabelValues("in", kind)
		m.out[i] = packets.WithLabelValues("out", kind)
	}
	dropped := vec("parley_rtp_dropped_total", "RTP packets not forwarded, once for each receiver where it concerns one.", "reason")
	for reason := forwarded + 1; reason < dropReasons; reason++ {
		m.dropped[reason] = dropped.WithLabelValues(dropNames[reason])
	}
	nack := vec("parley_nack_total", "Packets asked for again, by clients (in) and by us (out).", "dir")
	m.nackIn, m.nackOut = nack.WithLabelValues("in"), nack.WithLabelValues("out")
	pli := vec("parley_pli_total", "Keyframe requests, from clients (in) and to publishers (out).", "dir")
	m.pliIn, m.pliOut = pli.WithLabelValues("in"), pli.WithLabelValues("out")
	m.repeated = vec("parley_retransmissions_total", "RTP packets sent again.").WithLabelValues()
	m.replayed = vec("parley_rtp_replayed_total", "Packets of video that a receiver was sent because they came before it.").WithLabelValues()
	m.padding = vec("parley_padding_bytes_total", "Bytes sent to find out what clients' networks carry.").WithLabelValues()
	m.waited = prometheus.NewHistogram(prometheus.HistogramOpts{Name: "parley_pacer_wait_seconds",
		Help: "How long packets wait for a client's network, once for each train of those that do.", Buckets: waits})
	m.target = prometheus.NewHistogram(prometheus.HistogramOpts{Name: "parley_downlink_bits_per_second",
		Help: "What clients' networks are estimated to carry, once a second for each client that reports.", Buckets: downlinks})
	errs = append(errs, r.Register(m.waited), r.Register(m.target))
	limited := vec("parley_downlink_limited_total", "Seconds of clients by why the estimate is not higher.", "reason")
	for reason := bwe.Starting; reason <= bwe.Ceiling; reason++ {
		m.limited = append(m.limited, limited.WithLabelValues(reason.String()))
	}
	m.pauses = vec("parley_video_pauses_total", "Times that a video was not sent to a client any more.", "reason")
	for _, reason := range []budget.Reason{budget.Starved, budget.Hidden, budget.Stopped, budget.Absent} {
		m.pauses.WithLabelValues(reason.String())
	}
	m.restored = vec("parley_restored_total", "Sounds that were lost on their way to us, and taken from the copies in later packets.").WithLabelValues()
	data := vec("parley_data_messages_total", "Data messages: of clients, by whether they went on; and those that a receiver did not get.", "result")
	for result, name := range dataNames {
		m.data[result] = data.WithLabelValues(name)
	}
	offers := vec("parley_offers_total", "SDP offers of clients.", "result")
	m.offers = [2]prometheus.Counter{offers.WithLabelValues("answered"), offers.WithLabelValues("refused")}
	m.gone = vec("parley_participants_gone_total", "Participants whose session the media side ended.", "reason")
	for _, reason := range []string{ReasonFingerprint, ReasonFailed, ReasonServer} {
		m.gone.WithLabelValues(reason)
	}
	graded := vec("parley_quality_seconds_total", "How long calls were how good for participants, in seconds.", "grade")
	for grade := quality.Bad; grade <= quality.Excellent; grade++ {
		m.quality[grade] = graded.WithLabelValues(grade.String())
	}
	for _, g := range []struct {
		name, help string
		value      *atomic.Int64
	}{
		{"parley_rooms", "Rooms open.", &m.rooms},
		{"parley_participants", "Participants in rooms.", &m.participants},
		{"parley_publications", "Tracks published.", &m.publications},
		{"parley_subscriptions", "Publications carried into slots.", &m.subscriptions},
	} {
		errs = append(errs, r.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: g.name, Help: g.help},
			func() float64 { return float64(g.value.Load()) })))
	}
	return m, errors.Join(errs...)
}

// sockets registers what only the sockets know.
func (m *metrics) sockets(r prometheus.Registerer, plane *transport.Plane) error {
	counter := func(name, help string, labels prometheus.Labels, value func() uint64) error {
		return r.Register(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels},
			func() float64 { return float64(value()) }))
	}
	errs := []error{
		counter("parley_media_refused_total", "Datagrams and ICE-TCP connections turned away because their address sent too many.", nil, plane.Refused),
		counter("parley_media_unsent_total", "Packets that were forwarded, and that the sockets then did not take.", nil, plane.Unsent),
		counter("parley_media_moved_total", "Clients who are sent media at another address because theirs came from there.", nil, plane.Moved),
		counter("parley_media_overflowed_total", "Datagrams that the kernel dropped because the media sockets' buffers were full (Linux).", nil, plane.Overflowed),
	}
	for reason, value := range plane.Discarded() {
		errs = append(errs, counter("parley_media_discarded_total", "Datagrams at the media port that nobody could use.",
			prometheus.Labels{"reason": reason}, value))
	}
	return errors.Join(errs...)
}

// add moves what a tally has to the counters.
func (m *metrics) add(t *tally) {
	if t.restored > 0 {
		m.restored.Add(float64(t.restored))
	}
	for kind := range t.in {
		if n := t.in[kind]; n > 0 {
			m.in[kind].Add(float64(n))
		}
		if n := t.out[kind]; n > 0 {
			m.out[kind].Add(float64(n))
		}
	}
	for reason, n := range t.dropped {
		if n > 0 {
			m.dropped[reason].Add(float64(n))
		}
	}
	*t = tally{}
}

// kindIndex is the index of a kind in the arrays of metrics.
func kindIndex(video bool) int {
	if video {
		return 1
	}
	return 0
}
