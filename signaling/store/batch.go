package store

import (
	"context"
	"crypto/rand"
	"slices"
	"strconv"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// maxBatches are in flight at once in one process: one that the server works on and one that is on its way. NATS works on one
// after the other anyway, and a batch costs it ten times as much as a plain message, however many changes are in it. So what
// comes meanwhile waits and goes together in the next.
const maxBatches = 2

// job is a commit of several changes that waits for a batch.
type job struct {
	// Set at construction.
	changes []Change
	expect  []uint64
	done    chan struct{} // closed when the fields below are set

	revisions []uint64
	err       error
}

// queue has the commits that wait for a batch, oldest first.
type queue struct {
	mu   sync.Mutex
	jobs []*job
}

func (q *queue) add(j *job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.jobs = append(q.jobs, j)
}

// has reports whether the job still waits for somebody to send it.
func (q *queue) has(j *job) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Contains(q.jobs, j)
}

// remove reports whether the job was still waiting, and waits no more.
func (q *queue) remove(j *job) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	at := slices.Index(q.jobs, j)
	if at >= 0 {
		q.jobs = slices.Delete(q.jobs, at, at+1)
	}
	return at >= 0
}

// take removes as many commits as may be one batch, the oldest first: within the bounds of one, and no two of the same record.
func (q *queue) take() []*job {
	q.mu.Lock()
	defer q.mu.Unlock()
	var taken, left []*job
	keys, changes, bytes := map[string]bool{}, 0, 0
	for _, j := range q.jobs {
		size, clash := 0, false
		for _, c := range j.changes {
			size += len(c.Value)
			clash = clash || keys[c.Key]
		}
		if len(taken) > 0 && (clash || changes+len(j.changes) > MaxChanges || bytes+size > MaxCommit) {
			left = append(left, j)
			continue
		}
		for _, c := range j.changes {
			keys[c.Key] = true
		}
		taken, changes, bytes = append(taken, j), changes+len(j.changes), bytes+size
	}
	q.jobs = left
	return taken
}

// publishTogether commits the changes in a batch, which it may share with other commits that wait at the same time. They
// succeed and fail independently of each other: when a shared batch is refused, each is tried on its own.
func (s *JetStream) publishTogether(ctx context.Context, changes []Change, expect []uint64) ([]uint64, error) {
	j := &job{changes: changes, expect: slices.Clone(expect), done: make(chan struct{})}
	s.waiting.add(j)
	// Whoever gets to send takes the oldest commits, which need not include its own: it goes on until somebody has taken that.
	for s.waiting.has(j) {
		select {
		case s.batches <- struct{}{}:
			s.send(ctx, s.waiting.take())
			<-s.batches
		case <-j.done:
		case <-ctx.Done():
			if s.waiting.remove(j) { // nobody would be left to send it
				return nil, ctx.Err()
			}
		}
	}
	select {
	case <-j.done: // also when somebody else has taken it
		return j.revisions, j.err
	case <-ctx.Done():
		return nil, ctx.Err() // it may happen yet
	}
}

// send brings jobs to the store. The context of the one who sends must not end what others wait for.
func (s *JetStream) send(ctx context.Context, jobs []*job) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.timeout)
	defer cancel()
	if len(jobs) > 1 {
		var all job
		for _, j := range jobs {
			all.changes, all.expect = append(all.changes, j.changes...), append(all.expect, j.expect...)
		}
		revisions, err := s.publishBatch(ctx, all.changes, all.expect)
		if err == nil || !isConflict(err) && !isBusy(err) {
			for _, j := range jobs {
				if err == nil {
					j.revisions, revisions = revisions[:len(j.changes)], revisions[len(j.changes):]
				}
				j.err = err
				close(j.done)
			}
			return
		}
	}
	for _, j := range jobs {
		j.revisions, j.err = s.publishBatch(ctx, j.changes, j.expect)
		close(j.done)
	}
}

// publishBatch is one atomic batch.
func (s *JetStream) publishBatch(ctx context.Context, changes []Change, expect []uint64) ([]uint64, error) {
	order := deletionsFirst(changes)
	id, last := rand.Text(), len(order)-1
	for place, i := range order[:last] {
		// Not acknowledged one by one: if one is lost, the last is refused.
		if err := s.conn.PublishMsg(s.batchMessage(changes[i], expect[i], id, place)); err != nil {
			return nil, err
		}
	}
	message := s.batchMessage(changes[order[last]], expect[order[last]], id, last)
	message.Header.Set(batchCommit, "1")
	ack, err := s.js.PublishMsg(ctx, message)
	if err != nil {
		return nil, err
	}
	return revisions(order, ack.Sequence), nil
}

func (s *JetStream) batchMessage(change Change, expect uint64, id string, place int) *nats.Msg {
	message := s.message(change, expect)
	message.Header.Set(batchID, id)
	message.Header.Set(batchSeq, strconv.Itoa(place+1))
	return message
}

// deletionsFirst orders the messages of a batch. After a crash nats-server looks at the newest message of the stream to see
// whether a batch was cut short; were that a tombstone, its end of life would make a whole batch look like half of one.
func deletionsFirst(changes []Change) []int {
	order := make([]int, 0, len(changes))
	for _, deletions := range []bool{true, false} {
		for i, change := range changes {
			if (change.Value == nil) == deletions {
				order = append(order, i)
			}
		}
	}
	return order
}

// revisions gives each change its own: a batch has consecutive sequences, of which the acknowledgement has the last.
func revisions(order []int, last uint64) []uint64 {
	result := make([]uint64, len(order))
	for place, i := range order {
		result[i] = last - uint64(len(order)-1-place)
	}
	return result
}

// The headers of an atomic batch (NATS ADR-50).
const (
	batchID     = "Nats-Batch-Id"
	batchSeq    = "Nats-Batch-Sequence" // from 1
	batchCommit = "Nats-Batch-Commit"   // on the last message
)

// The error codes of nats-server that nats.go has no name for.
const (
	codeIncomplete      jetstream.ErrorCode = 10176 // a message of the batch got lost, or there was no place for the batch
	codeTooManyInFlight jetstream.ErrorCode = 10210
)
