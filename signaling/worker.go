package signaling

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"
)

// The bounds of one call's work on the media side.
const (
	mediaTimeout = 10 * time.Second
	maxJobs      = 1024 // then nobody new may join for the moment; what takes somebody out is always taken
)

// worker carries out one call's changes on the media side, one by one and in order, so that the call's loop never waits
// for media. Its goroutine exists only while there is something to do.
type worker struct {
	// Set at construction.
	context context.Context
	started *sync.WaitGroup
	failed  func(where string, err error)

	// Guarded by mu.
	mu      sync.Mutex
	jobs    []job
	working bool
}

// job is one call to the media side. Done gets its result, in the worker's goroutine; it may be nil.
type job struct {
	name string
	do   func(context.Context) error
	done func(error)
}

// full reports whether somebody who wants to join must wait.
func (w *worker) full() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.jobs) >= maxJobs
}

// add queues a job. Only the call's loop adds.
func (w *worker) add(j job) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.jobs = append(w.jobs, j)
	if !w.working {
		w.working = true
		w.started.Add(1) // the loop that adds is itself counted, so that this never starts from zero
		go w.work()
	}
}

func (w *worker) work() {
	defer w.started.Done()
	for {
		w.mu.Lock()
		if len(w.jobs) == 0 {
			w.working, w.jobs = false, nil
			w.mu.Unlock()
			return
		}
		next := w.jobs[0]
		w.jobs[0] = job{}
		w.jobs = w.jobs[1:]
		w.mu.Unlock()

		err := guarded(w.context, next.do)
		if err != nil {
			w.failed(next.name, err)
		}
		if next.done != nil {
			next.done(err)
		}
	}
}

// guarded calls the media side with a deadline and makes an error of a panic.
func guarded(ctx context.Context, do func(context.Context) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, mediaTimeout)
	defer cancel()
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}
	}()
	return do(ctx)
}
