package bench

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/parleyrtc/parley/bench/report"
)

// TurnConfig says how the TURN server is used.
type TurnConfig struct {
	Transports  []string      // "udp", "tcp", "tls"; default all that the server offers
	Clients     int           // allocations that relay at the same time; default 8
	Rate        int           // packets a second over all of them; default 10,000
	PacketBytes int           // payload of one; default 1000
	Duration    time.Duration // of each half of each transport: allocating, relaying; default 4 s
}

func (c TurnConfig) withDefaults() TurnConfig {
	if c.Clients == 0 {
		c.Clients = 8
	}
	if c.Rate == 0 {
		c.Rate = 10_000
	}
	if c.PacketBytes == 0 {
		c.PacketBytes = 1000
	}
	if c.Duration == 0 {
		c.Duration = 4 * time.Second
	}
	return c
}

// Check says what is wrong with the configuration.
func (c TurnConfig) Check() error {
	c = c.withDefaults()
	for _, transport := range c.Transports {
		if !slices.Contains([]string{"udp", "tcp", "tls"}, transport) {
			return fmt.Errorf("%w: transport %q; use udp, tcp or tls", ErrShape, transport)
		}
	}
	if c.PacketBytes < 1 || c.PacketBytes > 1200 || c.Clients < 1 || c.Rate < 1 {
		return fmt.Errorf("%w: TURN needs at least one client and packet a second, and packets of 1 to 1200 bytes", ErrShape)
	}
	return nil
}

// turnWay is one way to the TURN server, with a credential for it.
type turnWay struct {
	transport          string // udp, tcp, tls
	address            string // host:port
	host               string // for the certificate
	username, password string
}

// Turn measures the embedded TURN server over each transport: allocations a second, then packets a second that it relays from
// clients to the media port, and the server's CPU for each. A Parley relays to its own media port only, so the packets end
// there: they come from a stranger and the SFU drops them, the cost of which is in the figure.
func Turn(ctx context.Context, t Target, cfg TurnConfig, p Progress) (report.Result, error) {
	if err := cfg.Check(); err != nil {
		return report.Result{}, err
	}
	cfg = cfg.withDefaults()
	ways, peer, err := turnWays(ctx, t, cfg.Transports)
	if err != nil {
		return report.Result{}, err
	}
	r := report.Result{Scenario: "turn", Arrivals: "single packets, evenly spread over the clients",
		Shape: fmt.Sprintf("%s, %d packets/s of %d B to the media port", report.Plural(cfg.Clients, "client"), cfg.Rate, cfg.PacketBytes)}
	var clients report.Clients
	began := time.Now()
	for _, way := range ways {
		err := cfg.over(ctx, t, way, peer, p, &r)
		if r.Clients.Cores > clients.Cores {
			clients = r.Clients
		}
		if err != nil || ctx.Err() != nil {
			r.Partial = true
			if ctx.Err() != nil {
				err = nil
			}
			r.Clients, r.Began, r.Took = clients, began, time.Since(began)
			return r, err
		}
	}
	r.Clients, r.Began, r.Took = clients, began, time.Since(began)
	return r, nil
}

// over measures one transport.
func (c TurnConfig) over(ctx context.Context, t Target, way turnWay, peer *net.UDPAddr, p Progress, r *report.Result) error {
	if err := c.allocating(ctx, t, way, p, r); err != nil {
		return err
	}
	return c.relaying(ctx, t, way, peer, p, r)
}

// allocating measures allocations a second: every client allocates, gives it back and allocates again.
func (c TurnConfig) allocating(ctx context.Context, t Target, way turnWay, p Progress, r *report.Result) error {
	m, measuring := startMeter(ctx, t, p, "allocating "+way.transport, elapsed(c.Duration))
	timed, stop := context.WithTimeout(measuring, c.Duration)
	defer stop()
	var mu sync.Mutex
	var all sync.WaitGroup
	var count int
	var failed error
	latency := newLatencies()
	for i := range c.Clients {
		all.Go(func() {
			for n := i; timed.Err() == nil; n += c.Clients {
				began := time.Now()
				one, err := allocate(measuring, t, way, n)
				took := time.Since(began)
				one.close()
				if measuring.Err() != nil {
					return
				}
				mu.Lock()
				if err == nil {
					count++
					record(latency, took)
				} else {
					failed = err
				}
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	all.Wait()
	_, died := interrupted(ctx, measuring)
	took := m.finish()
	if died != nil {
		return died
	}
	if failed != nil && ctx.Err() == nil {
		return fmt.Errorf("TURN over %s: %w", way.transport, failed)
	}
	r.Add(way.transport+".allocations_per_second", way.transport+" allocations", float64(count)/took.Seconds(), report.PerSecond, report.Higher)
	r.AddLatency(way.transport+".allocate_us", way.transport+" allocate", latency)
	if m.accounts && count > 0 {
		r.Add(way.transport+".cpu_us_per_allocation", way.transport+" CPU per allocation",
			float64(m.serverCPU().Microseconds())/float64(count), report.Microseconds, report.Lower)
	}
	r.Clients = m.clientCPU(took)
	return nil
}

// relaying measures packets through the relay at a fixed rate.
func (c TurnConfig) relaying(ctx context.Context, t Target, way turnWay, peer *net.UDPAddr, p Progress, r *report.Result) error {
	lines, err := allocateAll(ctx, t, way, c.Clients, peer)
	defer func() {
		for _, line := range lines {
			line.close()
		}
	}()
	if err != nil {
		return fmt.Errorf("TURN over %s: %w", way.transport, err)
	}
	before, err := relayedBytes(ctx, t)
	if errors.Is(err, ErrNoAccounting) {
		if note := "Relayed packets are not in here, because only the server's metrics can count them (--admin)."; !slices.Contains(r.Notes, note) {
			r.Notes = append(r.Notes, note)
		}
		return nil
	}
	if err != nil {
		return err
	}
	m, measuring := startMeter(ctx, t, p, "relaying "+way.transport, elapsed(c.Duration))
	timed, stop := context.WithTimeout(measuring, c.Duration)
	sent, late, err := c.send(timed, lines, peer)
	stop()
	_, died := interrupted(ctx, measuring)
	took := m.finish()
	if died != nil {
		return died
	}
	if err != nil {
		return fmt.Errorf("TURN over %s: %w", way.transport, err)
	}
	after, err := relayedAfter(context.WithoutCancel(ctx), t, before+float64(sent*c.PacketBytes))
	if err != nil {
		return err
	}
	relayed := (after - before) / float64(c.PacketBytes)
	key, name := way.transport+".", way.transport+" "
	r.Add(key+"packets_per_second", name+"relayed packets", relayed/took.Seconds(), report.PerSecond, report.Higher)
	r.Add(key+"loss", name+"loss", max(0, 1-relayed/float64(max(sent, 1))), report.Fraction, report.Lower)
	r.Add(key+"sent_late_us.p99", name+"sent late by, p99", float64(late.ValueAtQuantile(99)), report.Microseconds, report.Neither)
	if m.accounts && relayed > 0 {
		r.Add(key+"cpu_ns_per_packet", name+"CPU per packet", float64(m.serverCPU())/relayed, report.Nanoseconds, report.Lower)
		m.cpu.Name, m.memory.Name = name+m.cpu.Name, name+m.memory.Name
		r.Series = append(r.Series, m.cpu, m.memory)
	}
	used := m.clientCPU(took)
	if used.Cores > r.Clients.Cores {
		r.Clients = used
	}
	if way.transport == "udp" && neighbourhood(way.host, 0) == "" {
		r.Notes = append(r.Notes, "Over UDP the server answers few strangers a second from one network, and here all clients come from one.")
	}
	// The clients were the limit when they could not keep the rate themselves.
	r.Clients.Bound = r.Clients.Bound || float64(sent) < 0.95*float64(c.Rate)*took.Seconds()
	return nil
}

// burst is how often a sender wakes up; packets that became due meanwhile leave together.
const burst = 2 * time.Millisecond

// send has every line send its share of the rate, and says how many packets left and how late.
func (c TurnConfig) send(ctx context.Context, lines []*turnLine, peer net.Addr) (sent int, late *hdrhistogram.Histogram, err error) {
	var mu sync.Mutex
	var all sync.WaitGroup
	late = newLatencies()
	each := float64(c.Rate) / float64(len(lines))
	for _, line := range lines {
		all.Go(func() {
			mine, lateness, failed := line.send(ctx, each, c.PacketBytes, peer)
			mu.Lock()
			defer mu.Unlock()
			sent += mine
			late.Merge(lateness)
			err = errors.Join(err, failed)
		})
	}
	all.Wait()
	return sent, late, err
}

// relayedBytes is how much the server has relayed towards peers.
func relayedBytes(ctx context.Context, t Target) (float64, error) {
	n, err := t.Metric(ctx, `parley_turn_bytes_total{dir="to_peer"}`)
	if err != nil {
		return 0, fmt.Errorf("count relayed bytes: %w", err)
	}
	return n, nil
}

// relayedAfter reads the count until all that was sent is in it, or nothing more comes.
func relayedAfter(ctx context.Context, t Target, want float64) (float64, error) {
	last, err := relayedBytes(ctx, t)
	for err == nil && last < want {
		if err = pause(ctx, 100*time.Millisecond); err != nil {
			break
		}
		var now float64
		if now, err = relayedBytes(ctx, t); now == last {
			break
		}
		last = now
	}
	return last, err
}

// turnWays asks the server for credentials and takes the ways apart. The peer is the server's media port.
func turnWays(ctx context.Context, t Target, wanted []string) ([]turnWay, *net.UDPAddr, error) {
	var answer struct {
		ICEServers []struct {
			URLs       []string `json:"urls"`
			Username   string   `json:"username"`
			Credential string   `json:"credential"`
		} `json:"iceServers"`
	}
	users, err := t.names(1)
	if err != nil {
		return nil, nil, err
	}
	if err := t.REST(ctx, users[0], "POST", "/v1/turn-credentials", map[string]string{}, &answer); err != nil {
		return nil, nil, fmt.Errorf("ask for TURN credentials: %w", err)
	}
	var ways []turnWay
	for _, server := range answer.ICEServers {
		for _, raw := range server.URLs {
			way, err := parseTurnURL(raw)
			if err != nil {
				return nil, nil, err
			}
			way.username, way.password = server.Username, server.Credential
			if len(wanted) == 0 || slices.Contains(wanted, way.transport) {
				ways = append(ways, way)
			}
		}
	}
	if len(ways) == 0 {
		return nil, nil, fmt.Errorf("%w: the server offers no TURN over %s", ErrShape, strings.Join(wanted, ", "))
	}
	peer, err := t.mediaAddress(ctx)
	return ways, peer, err
}

// parseTurnURL reads "turns:host:port?transport=tcp" (RFC 7065).
func parseTurnURL(raw string) (turnWay, error) {
	scheme, rest, _ := strings.Cut(raw, ":")
	address, query, _ := strings.Cut(rest, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return turnWay{}, fmt.Errorf("TURN URL %q: %w", raw, err)
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return turnWay{}, fmt.Errorf("TURN URL %q: %w", raw, err)
	}
	way := turnWay{transport: values.Get("transport"), address: address, host: host}
	if scheme == "turns" {
		way.transport = "tls"
	}
	return way, nil
}

// turnTLS is the TLS configuration for TURN. A server of our own has a certificate that it signed itself.
func (t Target) turnTLS(host string) *tls.Config {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.TLS != nil {
		cfg = t.TLS.Clone()
	}
	cfg.ServerName = host
	cfg.InsecureSkipVerify = cfg.InsecureSkipVerify || t.Owned != nil
	return cfg
}
