package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Config says where the state lives. Dir or URL must be set, but not both.
type Config struct {
	Dir string // data directory of the server in this process; made if it is absent
	URL string // external NATS, such as nats://user:password@host:4222; the members of a cluster are separated by commas

	Replicas int           // 1 with Dir, 3 with URL; copies of the stream
	Timeout  time.Duration // 10s; for opening, and for every operation whose context has no deadline

	Logger *slog.Logger // slog.Default(); gets the warnings and errors of NATS
}

const (
	streamName = "PARLEY_STATE"
	// deletedHeader marks the empty message that takes the place of a deleted record.
	deletedHeader = "Parley-Deleted"
	// tombstoneTime is how long NATS keeps that message. Nothing here needs it once it is written; an hour lets a reader of
	// the stream's changes who was away learn of the deletion.
	tombstoneTime = time.Hour
)

// JetStream is the Store on NATS JetStream, in this process or outside. Each record is the only message on its own subject.
type JetStream struct {
	// Set by Open.
	log       *slog.Logger
	timeout   time.Duration
	tombstone time.Duration // life of a tombstone
	conn      *nats.Conn
	js        jetstream.JetStream
	stream    jetstream.Stream
	replicas  int
	server    *server       // nil with a URL
	batches   chan struct{} // one place for each batch in flight
	waiting   queue         // commits for the next batch

	// Operations under way hold it for reading, Close for writing.
	running sync.RWMutex
	closed  bool // guarded by running
}

var _ Store = (*JetStream)(nil)

// Open starts the server in the data directory, or connects to the one at the URL, and makes the stream if there is none. Its
// errors are one sentence for the operator. The context bounds the opening only.
func Open(ctx context.Context, c Config) (*JetStream, error) {
	if (c.Dir == "") == (c.URL == "") {
		return nil, errors.New("store: exactly one of the data directory and the NATS URL must be set")
	}
	s := &JetStream{
		log: c.Logger, timeout: cmp.Or(c.Timeout, 10*time.Second), tombstone: tombstoneTime,
		batches: make(chan struct{}, maxBatches),
	}
	if s.log == nil {
		s.log = slog.Default()
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if err := s.open(ctx, c); err != nil {
		_ = s.Close() // the reason it did not open says more
		return nil, err
	}
	return s, nil
}

func (s *JetStream) open(ctx context.Context, c Config) error {
	options := []nats.Option{
		nats.Name("parley"),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250 * time.Millisecond),
		// While NATS is away a commit fails at once. Buffered, it would happen long after its caller was told that it failed.
		nats.ReconnectBufSize(-1),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { s.log.Warn("store: NATS", "error", err) }),
	}
	replicas := cmp.Or(c.Replicas, 3)
	if c.Dir != "" {
		embedded, err := startServer(c.Dir, s.log)
		if err != nil {
			return err
		}
		s.server, replicas = embedded, 1
		options = append(options, nats.InProcessServer(embedded.nats))
	} else if err := s.checkURL(c.URL); err != nil {
		return err
	}
	conn, err := nats.Connect(c.URL, options...)
	if err != nil {
		return fmt.Errorf("store: NATS cannot be reached: %w", err)
	}
	s.conn = conn
	if s.js, err = jetstream.New(conn); err != nil {
		return fmt.Errorf("store: %w", err)
	}
	s.replicas = replicas
	return s.openStream(ctx, replicas)
}

// checkURL refuses what nats.go would refuse, without showing the password, and warns of what it would not.
func (s *JetStream) checkURL(urls string) error {
	for raw := range strings.SplitSeq(urls, ",") {
		u, err := url.Parse(strings.TrimSpace(raw))
		if err != nil || u.Hostname() == "" {
			return errors.New("store: the NATS URL must look like tls://user:password@host:4222")
		}
		local := u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
		if !local && u.Scheme != "tls" && u.Scheme != "wss" {
			s.log.Warn("store: state and password travel unencrypted to NATS; use tls://", "host", u.Host)
		}
	}
	return nil
}

func (s *JetStream) openStream(ctx context.Context, replicas int) error {
	if s.server != nil && s.server.hadStream {
		// The server leaves out a stream that it cannot read. A new one in its place would lose all there was.
		if _, err := s.js.Stream(ctx, streamName); errors.Is(err, jetstream.ErrStreamNotFound) {
			return fmt.Errorf("store: the state in %s is damaged and cannot be read; restore it from a backup, or move it away to start anew",
				s.server.dir)
		}
	}
	stream, err := s.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name:               streamName,
		Description:        "Calls, users and groups of Parley",
		Subjects:           []string{root + ">"},
		Storage:            jetstream.FileStorage,
		Retention:          jetstream.LimitsPolicy,
		Discard:            jetstream.DiscardNew, // full means refused, not forgotten
		MaxMsgsPerSubject:  1,
		Replicas:           replicas,
		AllowAtomicPublish: true,
		AllowMsgTTL:        true, // of tombstones and of records with a TTL
		// A direct read may be answered by a replica that lags behind. With one copy there is no such thing.
		AllowDirect: replicas == 1,
	})
	if err != nil {
		return fmt.Errorf("store: the stream %s cannot be opened: %w", streamName, err)
	}
	s.stream = stream
	return nil
}

// Close waits for the operations under way, then ends the connection and, in process, the server, and waits for it.
func (s *JetStream) Close() error {
	s.running.Lock()
	defer s.running.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	if s.conn != nil {
		s.conn.Close()
	}
	if s.server != nil {
		return s.server.stop()
	}
	return nil
}

// begin starts an operation: it keeps Close waiting until end, and has a deadline even if its caller gave none.
func (s *JetStream) begin(ctx context.Context) (_ context.Context, end func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	s.running.RLock()
	if s.closed {
		s.running.RUnlock()
		return nil, nil, ErrClosed
	}
	cancel := func() {}
	if _, has := ctx.Deadline(); !has {
		ctx, cancel = context.WithTimeout(ctx, s.timeout)
	}
	return ctx, func() { cancel(); s.running.RUnlock() }, nil
}
