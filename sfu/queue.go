package sfu

import "sync"

// item is one packet for one subscription.
type item struct {
	subscription *subscription
	media        *media
}

// lost asks to send a packet of one of our streams again.
type lost struct {
	line     *line
	sequence uint16
}

// maxLost bounds the repetitions asked for and not yet made; more are forgotten, the client asks again.
const maxLost = 512

// queue is what waits for a participant's sender. Publishers and the RTCP reader put in, the sender takes out; a full
// queue refuses packets, so that nobody ever waits for a slow receiver.
type queue struct {
	mu    sync.Mutex
	items []item // a ring, taken at the first packet
	first int
	count int
	limit int
	lost  []lost
}

// push adds a packet; false when the queue is full.
func (q *queue) push(i item) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.count == len(q.items) && !q.grow() {
		return false
	}
	q.items[(q.first+q.count)%len(q.items)] = i
	q.count++
	return true
}

// grow makes room, up to the limit: most participants never need more than a few places.
func (q *queue) grow() bool {
	if len(q.items) >= q.limit {
		return false
	}
	items := make([]item, min(max(64, 2*len(q.items)), q.limit))
	for i := range q.count {
		items[i] = q.items[(q.first+i)%len(q.items)]
	}
	q.items, q.first = items, 0
	return true
}

// pull moves up to len(into) packets out.
func (q *queue) pull(into []item) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(into), q.count)
	for i := range n {
		into[i] = q.items[q.first]
		q.items[q.first] = item{}
		q.first = (q.first + 1) % len(q.items)
	}
	q.count -= n
	return n
}

// again asks for repetitions.
func (q *queue) again(l lost) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.lost) >= maxLost {
		return false
	}
	q.lost = append(q.lost, l)
	return true
}

// pullLost swaps the repetitions asked for with an empty slice.
func (q *queue) pullLost(into []lost) []lost {
	q.mu.Lock()
	defer q.mu.Unlock()
	taken := q.lost
	q.lost = into[:0]
	return taken
}
