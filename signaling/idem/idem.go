// Package idem remembers the first answer to each mutation, so that a retry after a lost reply changes nothing.
package idem

import (
	"container/list"
	"time"
)

// Key names one mutation: the client's mutationId within one device of one user.
type Key struct{ UID, Device, ID string }

// Limits bound what is remembered.
type Limits struct {
	Keep    time.Duration // an answer is remembered so long
	Total   int           // entries of everybody
	PerUser int           // entries of one user, so that nobody pushes out the others
}

// Cache maps keys to answers of type V. When a limit is reached the oldest answer goes. Its owner serialises all calls.
type Cache[V any] struct {
	limits Limits
	byKey  map[Key]*entry[V]
	oldest *list.List // of *entry[V], in the order of Put
	users  map[string]*list.List
}

type entry[V any] struct {
	key       Key
	at        time.Time
	value     V
	all, mine *list.Element
}

// New returns an empty cache.
func New[V any](limits Limits) *Cache[V] {
	return &Cache[V]{limits: limits, byKey: map[Key]*entry[V]{}, oldest: list.New(), users: map[string]*list.List{}}
}

// Get returns the answer remembered for key.
func (c *Cache[V]) Get(now time.Time, key Key) (V, bool) {
	c.expire(now)
	if e, ok := c.byKey[key]; ok {
		return e.value, true
	}
	var none V
	return none, false
}

// Put remembers the answer for key from now on. A key that is there already keeps its first answer and time.
func (c *Cache[V]) Put(now time.Time, key Key, value V) {
	c.expire(now)
	if _, ok := c.byKey[key]; ok {
		return
	}
	mine := c.users[key.UID]
	if mine == nil {
		mine = list.New()
		c.users[key.UID] = mine
	}
	e := &entry[V]{key: key, at: now, value: value}
	e.all, e.mine = c.oldest.PushBack(e), mine.PushBack(e)
	c.byKey[key] = e
	if mine.Len() > c.limits.PerUser {
		c.remove(mine.Front().Value.(*entry[V]))
	}
	if c.oldest.Len() > c.limits.Total {
		c.remove(c.oldest.Front().Value.(*entry[V]))
	}
}

// Drop forgets key: its mutation changed nothing and may be tried again.
func (c *Cache[V]) Drop(key Key) {
	if e, ok := c.byKey[key]; ok {
		c.remove(e)
	}
}

// Len returns the number of remembered answers.
func (c *Cache[V]) Len() int { return len(c.byKey) }

func (c *Cache[V]) expire(now time.Time) {
	for front := c.oldest.Front(); front != nil; front = c.oldest.Front() {
		e := front.Value.(*entry[V])
		if now.Sub(e.at) < c.limits.Keep {
			return
		}
		c.remove(e)
	}
}

func (c *Cache[V]) remove(e *entry[V]) {
	delete(c.byKey, e.key)
	c.oldest.Remove(e.all)
	mine := c.users[e.key.UID]
	mine.Remove(e.mine)
	if mine.Len() == 0 {
		delete(c.users, e.key.UID)
	}
}
