package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"
)

// Get reads one record, or ErrNotFound.
func (s *JetStream) Get(ctx context.Context, key string) (Record, error) {
	if err := checkKey(key); err != nil {
		return Record{}, err
	}
	ctx, end, err := s.begin(ctx)
	if err != nil {
		return Record{}, err
	}
	defer end()
	message, err := s.last(ctx, subject(key))
	if err != nil {
		return Record{}, err
	}
	if message == nil || deleted(message) {
		return Record{}, ErrNotFound
	}
	return Record{Key: key, Value: value(message), Revision: message.Sequence}, nil
}

// last is the message on a subject, which may be a tombstone; nil if there is none.
func (s *JetStream) last(ctx context.Context, subj string) (*jetstream.RawStreamMsg, error) {
	message, err := s.stream.GetLastMsgForSubject(ctx, subj)
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("store: read: %w", err)
	}
	return message, nil
}

func deleted(m *jetstream.RawStreamMsg) bool { return m.Header.Get(deletedHeader) != "" }

// value is never nil, since nil means to delete.
func value(m *jetstream.RawStreamMsg) []byte {
	if m.Data == nil {
		return []byte{}
	}
	return m.Data
}

// readers fetch the records of one List at the same time.
const readers = 16

// List reads the records under a prefix. It asks the stream's leader for the subjects and then for each of them, and not a
// consumer, which may be served by a replica that lags behind. A record that changes meanwhile appears once, as it was before
// or after.
func (s *JetStream) List(ctx context.Context, prefix string) ([]Record, error) {
	if len(prefix) > MaxKey {
		return nil, ErrTooLarge
	}
	ctx, end, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	info, err := s.stream.Info(ctx, jetstream.WithSubjectFilter(subjectsUnder(prefix)))
	if err != nil {
		return nil, fmt.Errorf("store: list: %w", err)
	}
	found := make(chan Record, readers)
	group, ctx := errgroup.WithContext(ctx)
	subjects := make(chan string)
	group.Go(func() error {
		defer close(subjects)
		for subj := range info.State.Subjects {
			select {
			case subjects <- subj:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range readers {
		group.Go(func() error { return s.fetch(ctx, subjects, found) })
	}
	var failure error
	go func() { // ends with the group, whose members end with the context at the latest
		failure = group.Wait()
		close(found)
	}()
	records := make([]Record, 0, len(info.State.Subjects))
	for record := range found {
		records = append(records, record)
	}
	if failure != nil {
		return nil, failure
	}
	slices.SortFunc(records, func(a, b Record) int { return cmp.Compare(a.Revision, b.Revision) })
	return records, nil
}

// fetch reads subjects until there are no more, and leaves out what is deleted.
func (s *JetStream) fetch(ctx context.Context, subjects <-chan string, found chan<- Record) error {
	for subj := range subjects {
		message, err := s.last(ctx, subj)
		if err != nil {
			return err
		}
		if message == nil || deleted(message) {
			continue
		}
		key, err := keyOf(subj)
		if err != nil {
			return err
		}
		found <- Record{Key: key, Value: value(message), Revision: message.Sequence}
	}
	return nil
}
