package store

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// ErrFull: the queue has its MaxBytes, and takes nothing more until something is removed.
var ErrFull = errors.New("store: the queue is full")

// QueueConfig bounds a Queue.
type QueueConfig struct {
	Name     string        // 1 to 64 of A-Z a-z 0-9 _ -; the queue of the same name is opened if there is one
	MaxBytes int64         // of all items together
	MaxAge   time.Duration // items that were put longer ago are gone
	Forget   bool          // a full queue forgets its oldest items; otherwise it refuses new ones
}

// Queue is a work queue on disk: what is put is there until it is removed, also over a restart, and is read in the order in which
// it was put. It is a stream of its own, so that it keeps nobody else waiting and its bounds are its own. All methods may be
// called from several goroutines.
type Queue struct {
	store   *JetStream
	stream  jetstream.Stream
	subject string
}

// Item is one item of a queue.
type Item struct {
	Number uint64 // grows with every item, never used twice
	Value  []byte
	At     time.Time // when it was put
}

// NewItem is an item to put. Another with the same ID within two minutes is dropped.
type NewItem struct {
	ID    string
	Value []byte
}

var queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// codeStoreFailed is what nats-server says of a full stream, among other things.
const codeStoreFailed jetstream.ErrorCode = 10077

// Queue opens a queue, or makes it. The bounds of one that exists are changed to these.
func (s *JetStream) Queue(ctx context.Context, c QueueConfig) (*Queue, error) {
	if !queueName.MatchString(c.Name) {
		return nil, fmt.Errorf("store: %q is no name for a queue", c.Name)
	}
	ctx, end, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	q := &Queue{store: s, subject: "parley.queue." + c.Name}
	config := jetstream.StreamConfig{
		Name: "PARLEY_QUEUE_" + c.Name, Description: "A queue of Parley", Subjects: []string{q.subject},
		Storage: jetstream.FileStorage, Retention: jetstream.LimitsPolicy, Discard: jetstream.DiscardNew,
		MaxBytes: c.MaxBytes, MaxAge: c.MaxAge, Duplicates: min(2*time.Minute, c.MaxAge),
		Replicas: s.replicas, AllowDirect: s.replicas == 1, // see openStream
	}
	if c.Forget {
		config.Discard = jetstream.DiscardOld
	}
	if q.stream, err = s.js.CreateOrUpdateStream(ctx, config); err != nil {
		return nil, fmt.Errorf("store: the queue %s cannot be opened: %w", c.Name, err)
	}
	return q, nil
}

// Put appends items and has one result for each, nil when it is on disk and ErrFull when there is no room. Whether an item is
// there after any other error is open. The items of one Put are on their way at the same time, and in no order.
func (q *Queue) Put(ctx context.Context, items ...NewItem) []error {
	errs := make([]error, len(items))
	ctx, end, err := q.store.begin(ctx)
	if err != nil {
		for i := range errs {
			errs[i] = err
		}
		return errs
	}
	defer end()
	futures := make([]jetstream.PubAckFuture, len(items))
	for i, item := range items {
		message := nats.NewMsg(q.subject)
		message.Data = item.Value
		message.Header.Set(jetstream.MsgIDHeader, item.ID)
		futures[i], errs[i] = q.store.js.PublishMsgAsync(message)
	}
	for i, future := range futures {
		if errs[i] != nil {
			continue
		}
		select {
		case <-future.Ok():
		case err := <-future.Err():
			errs[i] = putError(err)
		case <-ctx.Done():
			errs[i] = ctx.Err()
		}
	}
	return errs
}

func putError(err error) error {
	var api *jetstream.APIError
	if errors.As(err, &api) && api.ErrorCode == codeStoreFailed {
		return ErrFull
	}
	return fmt.Errorf("store: put: %w", err)
}

// Read hands over every item with a greater number than after, in their order, those that are put later too. It returns when the
// context ends, with its error, or when the store fails.
func (q *Queue) Read(ctx context.Context, after uint64, each func(Item)) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	consumer, err := q.stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: after + 1,
	})
	if err != nil {
		return fmt.Errorf("store: read: %w", err)
	}
	messages, err := consumer.Messages(jetstream.PullMaxMessages(64)) // few: each can be 100 KiB, and they wait in memory
	if err != nil {
		return fmt.Errorf("store: read: %w", err)
	}
	defer messages.Stop()
	for {
		message, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fmt.Errorf("store: read: %w", err)
		}
		about, err := message.Metadata()
		if err != nil {
			return fmt.Errorf("store: read: %w", err)
		}
		each(Item{Number: about.Sequence.Stream, Value: message.Data(), At: about.Timestamp})
	}
}

// Remove takes an item out. One that is gone already is no error.
func (q *Queue) Remove(ctx context.Context, number uint64) error {
	ctx, end, err := q.store.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	if err = q.stream.DeleteMsg(ctx, number); err == nil {
		return nil
	}
	if _, missing := q.get(ctx, number); errors.Is(missing, ErrNotFound) {
		return nil
	}
	return fmt.Errorf("store: remove: %w", err)
}

// RemoveBefore takes out all items with smaller numbers, which costs little more than one.
func (q *Queue) RemoveBefore(ctx context.Context, number uint64) error {
	ctx, end, err := q.store.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	if err := q.stream.Purge(ctx, jetstream.WithPurgeSequence(number)); err != nil {
		return fmt.Errorf("store: remove: %w", err)
	}
	return nil
}

// Get reads one item, or ErrNotFound.
func (q *Queue) Get(ctx context.Context, number uint64) (Item, error) {
	ctx, end, err := q.store.begin(ctx)
	if err != nil {
		return Item{}, err
	}
	defer end()
	return q.get(ctx, number)
}

func (q *Queue) get(ctx context.Context, number uint64, options ...jetstream.GetMsgOpt) (Item, error) {
	message, err := q.stream.GetMsg(ctx, number, options...)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return Item{}, ErrNotFound
	}
	if err != nil {
		return Item{}, fmt.Errorf("store: read: %w", err)
	}
	return Item{Number: message.Sequence, Value: message.Data, At: message.Time}, nil
}

// Page reads the items with greater numbers than after, at most limit.
func (q *Queue) Page(ctx context.Context, after uint64, limit int) ([]Item, error) {
	ctx, end, err := q.store.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	var items []Item
	for len(items) < limit {
		item, err := q.get(ctx, after+1, jetstream.WithGetMsgSubject(q.subject)) // the next one, whatever is missing
		if errors.Is(err, ErrNotFound) {
			return items, nil
		}
		if err != nil {
			return nil, err
		}
		items, after = append(items, item), item.Number
	}
	return items, nil
}

// Len is the number of items.
func (q *Queue) Len(ctx context.Context) (int, error) {
	ctx, end, err := q.store.begin(ctx)
	if err != nil {
		return 0, err
	}
	defer end()
	info, err := q.stream.Info(ctx)
	if err != nil {
		return 0, fmt.Errorf("store: read: %w", err)
	}
	return int(info.State.Msgs), nil
}
