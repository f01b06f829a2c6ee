package idem

import (
	"strconv"
	"testing"
	"time"
)

var start = time.Unix(1_790_000_000, 0)

func TestFirstAnswerIsGivenAgainUntilItIsTooOld(t *testing.T) {
	c := New[string](Limits{Keep: 5 * time.Minute, Total: 10, PerUser: 10})
	key := Key{"alice", "d_1", "m-1"}
	if _, ok := c.Get(start, key); ok {
		t.Fatal("an empty cache knows nothing")
	}
	c.Put(start, key, "first")
	c.Put(start.Add(time.Minute), key, "second")
	if got, ok := c.Get(start.Add(5*time.Minute-1), key); !ok || got != "first" {
		t.Fatalf("Get = %q, %v; want the first answer", got, ok)
	}
	if _, ok := c.Get(start.Add(5*time.Minute), key); ok || c.Len() != 0 {
		t.Fatal("after five minutes it is forgotten")
	}
}

func TestUsersAndDevicesDoNotShareIDs(t *testing.T) {
	c := New[int](Limits{Keep: time.Hour, Total: 10, PerUser: 10})
	keys := []Key{{"alice", "d_1", "m"}, {"alice", "d_2", "m"}, {"bob", "d_1", "m"}}
	for i, key := range keys {
		c.Put(start, key, i)
	}
	for i, key := range keys {
		if got, _ := c.Get(start, key); got != i {
			t.Errorf("%v = %d, want %d", key, got, i)
		}
	}
	c.Drop(keys[0])
	if _, ok := c.Get(start, keys[0]); ok || c.Len() != 2 {
		t.Error("a dropped key may be tried again")
	}
	c.Drop(keys[0])
}

func TestAUserPushesOutOnlyTheirOwn(t *testing.T) {
	c := New[int](Limits{Keep: time.Hour, Total: 8, PerUser: 3})
	c.Put(start, Key{"bob", "d", "0"}, 0)
	for i := range 100 {
		c.Put(start, Key{"alice", "d", strconv.Itoa(i)}, i)
	}
	if _, ok := c.Get(start, Key{"bob", "d", "0"}); !ok || c.Len() != 4 {
		t.Fatalf("bob's answer must stay beside alice's newest three, have %d", c.Len())
	}
	for i := range 100 {
		c.Put(start, Key{strconv.Itoa(i), "d", "0"}, i)
	}
	if c.Len() != 8 || len(c.users) != 8 {
		t.Fatalf("total is bounded, have %d of %d users", c.Len(), len(c.users))
	}
}
