package hostile

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"github.com/parleyrtc/parley/bench/client"
)

// hostilePair is a call of an intruder with a user who only holds their end, beside a conversation of others.
func (s *target) hostilePair(t testing.TB) (*intruder, *client.Client) {
	t.Helper()
	mallory, trent := s.dial("mallory"), s.dial("trent")
	id := ring(t, mallory, "trent")
	answer(t, trent, id)
	in, refused := intrude(t, mallory, id, nil)
	if refused != "" {
		t.Fatal(refused)
	}
	return in.connected(), mallory
}

func TestASourceFloodEndsTheFloodersSession(t *testing.T) {
	s := start(t)
	c := s.converse("alice", "bob")
	in, mallory := s.hostilePair(t)
	before := s.memory()
	for i := range uint32(100_000) {
		h := &rtp.Header{Version: 2, PayloadType: 111, SSRC: i + 1, SequenceNumber: 1}
		if _, err := in.track.writer.WriteRTP(h, []byte("x")); err != nil {
			break // the session is over
		}
		if i%200 == 199 {
			<-time.After(time.Millisecond)
		}
	}
	if reason := closedFor(t, mallory); reason != "media_failed" {
		t.Errorf("closed for %q", reason)
	}
	c.undisturbed("source flood", tolerable)
	s.grewBy("source flood", before, 96)
}

func TestAThousandDataChannelsEndTheSession(t *testing.T) {
	s := start(t)
	c := s.converse("alice", "bob")
	in, mallory := s.hostilePair(t)
	before := s.memory()
	for range 1000 {
		if _, err := in.pc.CreateDataChannel("another", nil); err != nil {
			break // the session is over
		}
	}
	if reason := closedFor(t, mallory); reason != "media_failed" {
		t.Errorf("closed for %q", reason)
	}
	c.undisturbed("channel flood", tolerable)
	s.grewBy("channel flood", before, 64)
}

func TestHugeAndManyDataMessagesAreDropped(t *testing.T) {
	s := start(t)
	c := s.converse("alice", "bob")
	mallory, trent := s.talker("mallory"), s.talker("trent")
	id := ring(t, mallory.Client, "trent")
	answer(t, trent.Client, id)
	got := make(chan string, 1000)
	hears, err := trent.Join(wait(t), id, client.SessionConfig{ICEServers: []webrtc.ICEServer{}, OnData: func(m client.DataMessage) { got <- m.Topic }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(hears.Close)
	says := mallory.join(t, id)
	<-hears.Connected()
	for len(got) == 0 { // both channels are open
		if err := says.Send(wait(t), client.DataMessage{Topic: "first", Payload: json.RawMessage(`1`)}); err != nil {
			t.Fatal(err)
		}
		<-time.After(100 * time.Millisecond)
	}
	before := s.memory()
	huge := json.RawMessage(`"` + strings.Repeat("x", 60<<10) + `"`)
	for range 300 {
		if err := says.Send(wait(t), client.DataMessage{Topic: "huge", Payload: huge}); err != nil {
			break // refused by the channel is as good
		}
	}
	for range 2000 {
		if err := says.Send(wait(t), client.DataMessage{Topic: "many", To: []string{"p_nobody"}, Payload: json.RawMessage(`1`)}); err != nil {
			break
		}
	}
	eventually(t, "the messages are dropped", func() bool { return s.metric(`parley_data_messages_total{result="dropped"}`) >= 2000 })
	for len(got) > 0 {
		if topic := <-got; topic != "first" {
			t.Fatalf("a message with topic %q came through", topic)
		}
	}
	c.undisturbed("data flood", tolerable)
	s.grewBy("data flood", before, 96)
}

// TestAFloodOfOneClientLeavesTheSignalingOfOthersAlone sends requests as fast as it can over several connections.
func TestAFloodOfOneClientLeavesTheSignalingOfOthersAlone(t *testing.T) {
	s := start(t)
	c := s.converse("alice", "bob")
	token := s.token("mallory")
	before := s.memory()
	ctx, stop := context.WithCancel(context.Background())
	var flooders sync.WaitGroup
	var mu sync.Mutex
	sent, closes := 0, map[int]int{}
	for range 4 {
		flooders.Go(func() {
			for ctx.Err() == nil {
				conn, n := s.say(ctx, token)
				for i := 0; conn != nil && ctx.Err() == nil && i < 20_000; i++ { // the server stops at a few hundred
					if conn.send(`{"jsonrpc":"2.0","id":1,"method":"call.initiate","params":{"receiverId":"alice","receiverType":"user","type":"audio","mutationId":"x"}}`) != nil {
						break
					}
					n++
				}
				mu.Lock()
				sent += n
				mu.Unlock()
				if conn == nil {
					continue // the server does not want this connection now
				}
				if ctx.Err() != nil {
					_ = conn.conn.Close()
					return
				}
				reason := conn.end()
				mu.Lock()
				closes[reason]++
				mu.Unlock()
			}
		})
	}
	slowest, err := slowestPing(wait(t), c.alice.Client, 100)
	stop()
	flooders.Wait()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d requests over connections that ended with %v; alice's slowest ping of 100 took %v", sent, closes, slowest.Round(time.Millisecond))
	if slowest > 3*time.Second {
		t.Errorf("alice's signaling stood still for %v", slowest)
	}
	if closes[4429] == 0 {
		t.Error("no connection was closed with 4429")
	}
	c.undisturbed("request flood", tolerable)
	s.grewBy("request flood", before, 96)
}

func TestAVictimIsRungSixTimesAMinute(t *testing.T) {
	s := start(t)
	mallory, alice := s.dial("mallory"), s.dial("alice")
	refused := 0
	for range 20 {
		call, err := mallory.Initiate(wait(t), "alice", "user", "audio")
		if code(t, err) == "ERR_CALL_TOO_MANY_RINGS" {
			refused++
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		if _, err := mallory.Cancel(wait(t), call.SessionID); err != nil {
			t.Fatal(err)
		}
	}
	if refused != 14 {
		t.Errorf("14 rings of 20 should be refused, %d are", refused)
	}
	if err := alice.Request(wait(t), "ping", map[string]any{}, nil); err != nil { // all events before it have come
		t.Fatal(err)
	}
	rings := 0
	for len(alice.Events()) > 0 {
		if ev := <-alice.Events(); ev.Type == "call.incoming" {
			rings++
		}
	}
	if rings != 6 {
		t.Errorf("alice's phone rang %d times", rings)
	}
}
