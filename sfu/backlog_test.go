package sfu

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func (b *backlog) texts() []string {
	var list []string
	for _, m := range b.messages {
		list = append(list, m.text)
	}
	return list
}

func TestABacklogKeepsTheNewestMessages(t *testing.T) {
	now := time.Unix(1, 0)
	var b backlog
	displaced := 0
	for i := range 40 {
		displaced += b.add(now, strconv.Itoa(i))
	}
	if got := b.texts(); displaced != 8 || len(got) != backlogMessages || got[0] != "8" || got[31] != "39" {
		t.Errorf("%d displaced, %v kept", displaced, got)
	}
	if !slices.IsSortedFunc(b.messages, func(x, y waiting) int { return len(x.text) - len(y.text) }) {
		t.Errorf("out of order: %v", b.texts())
	}
}

func TestABacklogIsBoundedInBytes(t *testing.T) {
	now := time.Unix(1, 0)
	var b backlog
	long := strings.Repeat("x", 50<<10)
	if got := b.add(now, long) + b.add(now, long); got != 0 {
		t.Errorf("%d displaced by what fits", got)
	}
	if got := b.add(now, long); got != 1 || b.bytes != 100<<10 {
		t.Errorf("%d displaced, %d bytes kept", got, b.bytes)
	}
	if got := b.add(now, strings.Repeat("x", backlogBytes+1)); got != 3 || b.bytes != 0 || b.messages != nil {
		t.Errorf("a message over the bound: %d displaced, %d bytes in %d messages kept", got, b.bytes, len(b.messages))
	}
}

func TestABacklogForgetsWhatWaitedTooLong(t *testing.T) {
	start := time.Unix(1, 0)
	var b backlog
	b.add(start, "first")
	b.add(start.Add(4*time.Second), "second")
	for _, row := range []struct {
		after time.Duration
		want  int
	}{{backlogAge - 1, 0}, {backlogAge, 1}, {backlogAge + 3*time.Second, 0}, {time.Minute, 1}, {time.Hour, 0}} {
		if got := b.expire(start.Add(row.after)); got != row.want {
			t.Errorf("after %v: %d expired", row.after, got)
		}
	}
	if b.bytes != 0 || b.messages != nil {
		t.Errorf("%d bytes in %d messages are left", b.bytes, len(b.messages))
	}
}
