package sfu

import (
	"strings"
	"testing"
	"time"
)

// chat is a message to everybody else, and what they receive of it.
func chat(from, text string) (sent, received string) {
	body := `"topic":"chat","payload":"` + text + `"}`
	return "{" + body, `{"from":"` + from + `",` + body
}

// say sends a message on the open channel and returns what the others are to receive.
func (c *client) say(text string) string {
	c.t.Helper()
	out, in := chat(c.id, text)
	must(c.t, c.channel.SendText(out))
	return in
}

func TestDataMessagesReachTheOthers(t *testing.T) {
	b := newBench(t, nil)
	var clients []*client
	for _, id := range []string{"alice", "bob", "carol"} {
		clients = append(clients, newClient(b, "room", id, clientOptions{open: true, silent: true}))
	}
	alice, bob, carol := clients[0], clients[1], clients[2]
	<-alice.opened
	want := alice.say("hello")
	for _, c := range []*client{bob, carol} {
		if got := c.message(); got != want {
			t.Errorf("%s received %s", c.id, got)
		}
	}
	must(t, alice.channel.SendText(`{"to":["carol"],"topic":"chat","payload":1}`))
	if got := carol.message(); !strings.Contains(got, `"payload":1`) {
		t.Errorf("carol received %s", got)
	}
	must(t, alice.channel.SendText(`nonsense`))
	must(t, alice.channel.SendText(`{"topic":"`+strings.Repeat("x", 17<<10)+`"}`))
	for range 200 {
		must(t, alice.channel.SendText(`{"topic":"flood"}`))
	}
	eventually(t, func() bool { return b.count("parley_data_messages_total", "dropped") > 100 })
	floods := 0
	for len(bob.messages) > 0 {
		if strings.Contains(<-bob.messages, "flood") {
			floods++
		}
	}
	if floods > 80 {
		t.Errorf("bob received %d messages of a flood", floods)
	}
}

func TestAMessageWaitsForTheReceiversChannel(t *testing.T) {
	b := newBench(t, nil)
	alice := newClient(b, "room", "alice", clientOptions{open: true, silent: true, lazy: true})
	bob := newClient(b, "room", "bob", clientOptions{open: true, silent: true, lazy: true})
	b.awaitKind(Connected, "alice")
	b.awaitKind(Connected, "bob")
	alice.openChannel()
	want := []string{alice.say("one"), alice.say("two"), alice.say("three")}
	b.awaitKind(DataWaiting, "bob")
	b.waiting("bob", 3)
	bob.openChannel()
	want = append(want, alice.say("four"))
	for _, text := range want {
		if got := bob.message(); got != text {
			t.Errorf("bob received %s, not %s", got, text)
		}
	}
	want = []string{bob.say("and back")}
	if got := alice.message(); got != want[0] {
		t.Errorf("alice received %s", got)
	}
	told := 0
	for _, e := range b.all() {
		if e.Kind == DataWaiting {
			told++
		}
	}
	if told != 1 {
		t.Errorf("told %d times that data waits: %+v", told, b.all())
	}
}

// waiting waits until so many messages wait for a participant.
func (b *bench) waiting(participant string, messages int) {
	b.t.Helper()
	p := b.participant("room", participant)
	eventually(b.t, func() bool {
		p.handing.Lock()
		defer p.handing.Unlock()
		return len(p.backlog.messages) == messages
	})
}

func TestWhoOpensNoChannelGetsTheNewestMessagesForAWhile(t *testing.T) {
	b := newBench(t, nil)
	alice := newClient(b, "room", "alice", clientOptions{open: true, silent: true})
	bob := newClient(b, "room", "bob", clientOptions{open: true, silent: true, lazy: true})
	b.awaitKind(Connected, "bob")
	<-alice.opened
	for i := range backlogMessages + 8 {
		alice.say(itoa(i))
	}
	eventually(t, func() bool { return b.count("parley_data_messages_total", "displaced") == 8 })
	b.waiting("bob", backlogMessages)
	b.participant("room", "bob").handOver(time.Now().Add(backlogAge + time.Second))
	if got := b.count("parley_data_messages_total", "expired"); got != backlogMessages {
		t.Errorf("%v messages expired", got)
	}
	last := alice.say("last")
	b.waiting("bob", 1)
	bob.openChannel()
	if got := bob.message(); got != last {
		t.Errorf("bob received %s", got)
	}
	if got := b.count("parley_data_messages_total", "dropped"); got != 0 {
		t.Errorf("%v messages dropped", got)
	}
}

func TestWhatWaitsForSomebodyWhoLeavesIsForgotten(t *testing.T) {
	b := newBench(t, nil)
	alice := newClient(b, "room", "alice", clientOptions{open: true, silent: true})
	newClient(b, "room", "bob", clientOptions{open: true, silent: true, lazy: true})
	bob := b.participant("room", "bob")
	<-alice.opened
	alice.say("hello")
	b.waiting("bob", 1)
	must(t, b.Leave(t.Context(), "room", "bob", "left"))
	if got := b.count("parley_data_messages_total", "expired"); got != 1 || bob.backlog.messages != nil {
		t.Errorf("%v expired, %d still wait", got, len(bob.backlog.messages))
	}
	bob.hand(time.Now(), "late")
	if bob.backlog.messages != nil {
		t.Error("a message waits for somebody who has left")
	}
}
