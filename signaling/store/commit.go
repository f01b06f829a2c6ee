package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// messageTTL is the header of a life of one message (NATS ADR-43).
const messageTTL = "Nats-TTL"

// attempts at one commit: for a tombstone in the way of a new record, and for a server with too many batches under way.
const attempts = 5

// Commit writes all changes or none. One change is a plain message; several are an atomic batch, in which every message has its
// own expectation.
func (s *JetStream) Commit(ctx context.Context, changes []Change) ([]uint64, error) {
	if err := checkChanges(changes); err != nil || len(changes) == 0 {
		return nil, err
	}
	ctx, end, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	expect := make([]uint64, len(changes))
	for i, change := range changes {
		expect[i] = change.Expect
	}
	for attempt := 1; ; attempt++ {
		revisions, err := s.publish(ctx, changes, expect)
		switch {
		case err == nil:
			return revisions, nil
		case isConflict(err):
			again, err := s.overTombstones(ctx, changes, expect)
			if err != nil {
				return nil, err
			}
			if !again || attempt == attempts {
				return nil, ErrConflict
			}
		case isBusy(err) && attempt < attempts:
			if err := pause(ctx, time.Duration(attempt)*10*time.Millisecond); err != nil {
				return nil, fmt.Errorf("store: commit: %w", err)
			}
		default:
			return nil, fmt.Errorf("store: commit: %w", err)
		}
	}
}

// overTombstones corrects the expectation for new records whose subject holds a tombstone: to NATS that is a message, to us
// it is nothing. It reports whether any expectation changed. Commit only asks when there was a conflict, so that what is new
// indeed costs no read.
func (s *JetStream) overTombstones(ctx context.Context, changes []Change, expect []uint64) (changed bool, err error) {
	for i, change := range changes {
		if change.Blind || change.Expect != 0 {
			continue
		}
		message, err := s.last(ctx, subject(change.Key))
		if err != nil {
			return false, err
		}
		var now uint64
		if message != nil {
			if !deleted(message) {
				return false, nil // it exists: a conflict indeed
			}
			now = message.Sequence
		}
		changed = changed || now != expect[i]
		expect[i] = now
	}
	return changed, nil
}

func (s *JetStream) publish(ctx context.Context, changes []Change, expect []uint64) ([]uint64, error) {
	if len(changes) == 1 {
		ack, err := s.js.PublishMsg(ctx, s.message(changes[0], expect[0]))
		if err != nil {
			return nil, err
		}
		return []uint64{ack.Sequence}, nil
	}
	return s.publishTogether(ctx, changes, expect)
}

// message is one change as NATS sees it. A deletion is an empty message with a header and an end of life, and not a purge of
// the subject, which could neither be part of a batch nor have an expectation.
func (s *JetStream) message(change Change, expect uint64) *nats.Msg {
	message := nats.NewMsg(subject(change.Key))
	message.Data = change.Value
	if !change.Blind {
		message.Header.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(expect, 10))
	}
	if change.Value == nil {
		message.Header.Set(deletedHeader, "1")
		message.Header.Set(messageTTL, s.tombstone.String())
	} else if change.TTL > 0 {
		message.Header.Set(messageTTL, change.TTL.String())
	}
	return message
}

func isConflict(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) &&
		(api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}

// isBusy says that nothing was written and that trying again may help.
func isBusy(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == codeIncomplete || api.ErrorCode == codeTooManyInFlight)
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func checkKey(key string) error {
	switch {
	case key == "":
		return fmt.Errorf("%w: it is empty", ErrBadKey)
	case len(key) > MaxKey:
		return fmt.Errorf("%w: a key has %d bytes, at most %d are allowed", ErrTooLarge, len(key), MaxKey)
	}
	return nil
}

func checkChanges(changes []Change) error {
	if len(changes) > MaxChanges {
		return fmt.Errorf("%w: %d changes, at most %d are allowed", ErrTooLarge, len(changes), MaxChanges)
	}
	seen := make(map[string]bool, len(changes))
	total := 0
	for _, change := range changes {
		if err := checkKey(change.Key); err != nil {
			return err
		}
		if seen[change.Key] {
			return fmt.Errorf("%w: it is there twice", ErrBadKey)
		}
		seen[change.Key] = true
		// A batch with a message that ends before the others would look cut short after a crash; see deletionsFirst.
		if change.TTL != 0 && (change.TTL < time.Second || change.Value == nil || len(changes) > 1) {
			return fmt.Errorf("%w: it must be at least a second, of the only change, which is no deletion", ErrBadTTL)
		}
		if total += len(change.Value); len(change.Value) > MaxValue || total > MaxCommit {
			return fmt.Errorf("%w: a value has at most %d bytes, a commit %d", ErrTooLarge, MaxValue, MaxCommit)
		}
	}
	return nil
}
