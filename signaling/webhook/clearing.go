package webhook

import (
	"context"
	"errors"
	"slices"
	"time"
)

// end waits for what is on its way, which is cut off, and takes what has arrived all the same out of the queue, so that only a crash
// has it sent again.
func (c *courier) end() {
	ended := make(chan struct{})
	go func() {
		c.sending.Wait()
		close(ended)
	}()
	for waiting := true; waiting; {
		select {
		case r := <-c.results:
			if r.over() {
				delete(c.letters, r.number)
				c.done = append(c.done, r.number)
			}
		case <-c.cleared:
			c.busy = false
		case <-ended:
			waiting = false
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), endWait)
	defer cancel()
	c.empty(ctx, c.done, c.floor())
}

// clearEvery is how often what was delivered is taken out of the queue. One by one would cost as much as putting it in; all that
// was delivered within this time is sent again after a crash.
const clearEvery = 250 * time.Millisecond

// endWait bounds the last clearing.
const endWait = 2 * time.Second

// floor is the number below which nothing has to stay in the queue.
func (c *courier) floor() uint64 {
	floor := c.next
	for number := range c.letters {
		floor = min(floor, number)
	}
	return floor
}

// clear takes what is done out of the queue, beside everything else.
func (c *courier) clear(ctx context.Context) {
	if c.busy || len(c.done) == 0 {
		return
	}
	done, floor := c.done, c.floor()
	c.busy, c.done = true, nil
	c.sending.Go(func() {
		c.empty(ctx, done, floor)
		c.cleared <- struct{}{}
	})
}

// empty removes everything below the floor together, and the rest one by one: those overtook a message that is still to go.
func (c *courier) empty(ctx context.Context, done []uint64, floor uint64) {
	var err error
	if slices.ContainsFunc(done, func(n uint64) bool { return n < floor }) {
		err = c.queue.RemoveBefore(ctx, floor)
	}
	for _, number := range done {
		if number >= floor {
			err = errors.Join(err, c.queue.Remove(ctx, number))
		}
	}
	if err != nil && ctx.Err() == nil {
		c.log.Error("delivered webhooks stay in their queue, and will be sent again after a restart", "error", err)
	}
}
