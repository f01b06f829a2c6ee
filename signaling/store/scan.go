package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Scan hands over every record below a prefix that was written before the call, with the time at which it ends by itself (zero:
// never), in the order of the revisions. It makes one pass over the stream, which is much faster than List for many records. With
// a cluster it may miss what was written in the last moments.
func (s *JetStream) Scan(ctx context.Context, prefix string, each func(r Record, expires time.Time) error) error {
	if len(prefix) > MaxKey {
		return ErrTooLarge
	}
	if _, end, err := s.begin(ctx); err != nil {
		return err
	} else {
		defer end()
	}
	consumer, err := s.stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{FilterSubjects: []string{subjectsUnder(prefix)}})
	if err != nil {
		return fmt.Errorf("store: scan: %w", err)
	}
	info, err := consumer.Info(ctx)
	if err != nil {
		return fmt.Errorf("store: scan: %w", err)
	}
	if info.NumPending == 0 {
		return nil
	}
	messages, err := consumer.Messages()
	if err != nil {
		return fmt.Errorf("store: scan: %w", err)
	}
	defer messages.Stop()
	for pending := info.NumPending; pending > 0; {
		message, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("store: scan: %w", err)
		}
		about, err := message.Metadata()
		if err != nil {
			return fmt.Errorf("store: scan: %w", err)
		}
		pending = about.NumPending
		if message.Headers().Get(deletedHeader) != "" {
			continue
		}
		key, err := keyOf(message.Subject())
		if err != nil {
			return err
		}
		var expires time.Time
		if ttl, err := time.ParseDuration(message.Headers().Get(messageTTL)); err == nil {
			expires = about.Timestamp.Add(ttl)
		}
		if err := each(Record{Key: key, Value: message.Data(), Revision: about.Sequence.Stream}, expires); err != nil {
			return err
		}
	}
	return nil
}

// At reads the record that was written with a revision, or ErrNotFound when it was written again since, or is gone.
func (s *JetStream) At(ctx context.Context, revision uint64) (Record, error) {
	ctx, end, err := s.begin(ctx)
	if err != nil {
		return Record{}, err
	}
	defer end()
	message, err := s.stream.GetMsg(ctx, revision)
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound), err == nil && deleted(message):
		return Record{}, ErrNotFound
	case err != nil:
		return Record{}, fmt.Errorf("store: read: %w", err)
	}
	key, err := keyOf(message.Subject)
	if err != nil {
		return Record{}, err
	}
	return Record{Key: key, Value: value(message), Revision: revision}, nil
}
