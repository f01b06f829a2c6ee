package wire

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var exampleCall = CallView{
	SessionID: "s-1", Type: "video", ReceiverType: "user", Status: "initiated", Initiator: UserView{UID: "alice", Name: "Alice"},
	Receiver: UserReceiver(UserView{UID: "bob", Name: "Bob"}), InitiatedAt: 1, RingDeadline: 2,
	Members: List[MemberView]{{User: UserView{UID: "alice"}, State: "calling"}}, Metadata: Metadata(nil),
}

const exampleCallJSON = `{"sessionId":"s-1","type":"video","receiverType":"user","status":"initiated","reason":"",` +
	`"initiator":{"uid":"alice","name":"Alice","avatar":""},"receiver":{"uid":"bob","name":"Bob","avatar":""},` +
	`"initiatedAt":1,"ringDeadline":2,"members":[{"user":{"uid":"alice","name":"","avatar":""},"state":"calling"}],"metadata":{}}`

func TestMessagesLookAsTheProtocolSays(t *testing.T) {
	encode := func(v any) json.RawMessage {
		data, err := Encode(v)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	at := time.UnixMilli(1790000000000)
	id := ID{"7"}
	for _, test := range []struct {
		got  []byte
		want string
	}{
		{Reply(id, encode(Empty{})), `{"jsonrpc":"2.0","id":7,"result":{}}`},
		{Reply(id, encode(CallResult{exampleCall})), `{"jsonrpc":"2.0","id":7,"result":{"call":` + exampleCallJSON + `}}`},
		{Reply(id, encode(CallsResult{})), `{"jsonrpc":"2.0","id":7,"result":{"calls":[]}}`},
		{Reply(id, encode(JoinResult{ParticipantID: "p_1", Call: exampleCall, Pairs: 1, VideoCodec: "VP8"})),
			`{"jsonrpc":"2.0","id":7,"result":{"participantId":"p_1","call":` + exampleCallJSON + `,"participants":[],"iceServers":[],"pairs":1,"videoCodec":"VP8",` +
				`"rights":{"publish":[],"subscribe":false,"moderate":false,"hidden":false}}}`},
		{Reply(ID{`"x"`}, encode(ICEServersResult{List[ICEServer]{{URLs: []string{"turn:h"}, Username: "u", Credential: "c"}}})),
			`{"jsonrpc":"2.0","id":"x","result":{"iceServers":[{"urls":["turn:h"],"username":"u","credential":"c"}]}}`},
		{Reply(id, encode(HelloResult{Protocol: "1.0", ConnectionID: "c_1", DeviceID: "d_1", Snapshot: &Snapshot{}, Limits: Limits{1, 2, 3}})),
			`{"jsonrpc":"2.0","id":7,"result":{"protocol":"1.0","connectionId":"c_1","deviceId":"d_1","user":{"uid":"","name":"","avatar":""},"resumed":false,"lastSeq":0,` +
				`"serverTime":0,"tokenExpiresAt":0,"limits":{"messageBytes":1,"offerBytes":2,"resumeSeconds":3},"snapshot":{"calls":[]}}}`},
		{ErrorReply(id, Refuse(CodeTerminated, "The call has already ended.")),
			`{"jsonrpc":"2.0","id":7,"error":{"code":-32001,"message":"The call has already ended.","data":{"code":"ERR_CALL_TERMINATED","field":"","details":{}}}}`},
		{ErrorReply(ID{}, bad("slots[0].pair", "must be 0 to 29")),
			`{"jsonrpc":"2.0","id":null,"error":{"code":-32602,"message":"must be 0 to 29","data":{"code":"ERR_BAD_REQUEST","field":"slots[0].pair","details":{}}}}`},
		{ErrorReply(id, Refuse(CodeTooManyRequests, "Slow down.").With("retryAfterMs", 50)),
			`{"jsonrpc":"2.0","id":7,"error":{"code":-32001,"message":"Slow down.","data":{"code":"ERR_TOO_MANY_REQUESTS","field":"","details":{"retryAfterMs":50}}}}`},
		{ErrorReply(id, Internal().With("bad", func() {})),
			`{"jsonrpc":"2.0","id":7,"error":{"code":-32603,"message":"The server failed; try again.","data":{"code":"ERR_INTERNAL","field":"","details":{}}}}`},
		{Event(12, EventCallIncoming, at, encode(CallEvent{Call: exampleCall, By: &exampleCall.Initiator})),
			`{"jsonrpc":"2.0","method":"event","params":{"seq":12,"type":"call.incoming","at":1790000000000,"data":{"call":` + exampleCallJSON + `,"by":{"uid":"alice","name":"Alice","avatar":""}}}}`},
		{Event(1, EventCallMissed, at, encode(CallEvent{Call: exampleCall})),
			`{"jsonrpc":"2.0","method":"event","params":{"seq":1,"type":"call.missed","at":1790000000000,"data":{"call":` + exampleCallJSON + `}}}`},
		{Event(2, EventSessionSlot, at, encode(SlotEvent{SessionID: "s", Pair: 1})),
			`{"jsonrpc":"2.0","method":"event","params":{"seq":2,"type":"session.slot","at":1790000000000,"data":{"sessionId":"s","pair":1,"participantId":"","audio":"","video":""}}}`},
		{Event(4, EventSessionPublish, at, encode(PublishEvent{SessionID: "s", Publications: List[WatchedPublication]{{PublicationID: "p.0", MID: "0"},
			{PublicationID: "p.1", MID: "1", Active: true, Encodings: []WatchedEncoding{{"q", true}, {"h", false}}}}})),
			`{"jsonrpc":"2.0","method":"event","params":{"seq":4,"type":"session.publish","at":1790000000000,"data":{"sessionId":"s","publications":[` +
				`{"publicationId":"p.0","mid":"0","active":false},` +
				`{"publicationId":"p.1","mid":"1","active":true,"encodings":[{"rid":"q","active":true},{"rid":"h","active":false}]}]}}}`},
		{Event(5, EventSessionSpeakers, at, encode(SpeakersEvent{SessionID: "s"})),
			`{"jsonrpc":"2.0","method":"event","params":{"seq":5,"type":"session.speakers","at":1790000000000,"data":{"sessionId":"s","speaker":"","voices":[]}}}`},
		{Event(6, EventSessionQuality, at, encode(QualityEvent{"s", "p", QualityView{84.5, "excellent", "none"}})),
			`{"jsonrpc":"2.0","method":"event","params":{"seq":6,"type":"session.quality","at":1790000000000,"data":{"sessionId":"s","participantId":"p","score":84.5,"grade":"excellent","cause":"none"}}}`},
		{Event(3, EventSessionJoined, at, encode(ParticipantEvent{SessionID: "s", Participant: ParticipantView{ParticipantID: "p"}})),
			`{"jsonrpc":"2.0","method":"event","params":{"seq":3,"type":"session.joined","at":1790000000000,"data":{"sessionId":"s","participant":` +
				`{"participantId":"p","user":{"uid":"","name":"","avatar":""},"deviceId":"","joinedAt":0,"publications":[]}}}}`},
	} {
		if diff := cmp.Diff(test.want, string(test.got)); diff != "" {
			t.Error(diff)
		}
		if !json.Valid(test.got) {
			t.Errorf("not JSON: %s", test.got)
		}
	}
	if _, err := Encode(CallView{Metadata: json.RawMessage(`{`)}); err == nil {
		t.Error("broken metadata is written")
	}
}

func TestAGroupIsAReceiver(t *testing.T) {
	data, err := Encode(GroupReceiver(GroupView{GUID: "g", Name: "Team"}))
	if err != nil || string(data) != `{"guid":"g","name":"Team"}` {
		t.Errorf("%s %v", data, err)
	}
	if got := Millis(time.Time{}); got != 0 {
		t.Errorf("no time is %d", got)
	}
}

// TestTheProtocolPageAndTheCodeNameTheSameThings keeps docs/protocol.md true.
func TestTheProtocolPageAndTheCodeNameTheSameThings(t *testing.T) {
	read := func(path string) string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	page := read("../../docs/protocol.md")
	var sources string
	for _, file := range []string{"error.go", "events.go", "methods.go"} {
		sources += read(file)
	}
	find := func(text, pattern string) []string {
		var names []string
		for _, match := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			names = append(names, match[1])
		}
		slices.Sort(names)
		return slices.Compact(names)
	}
	if diff := cmp.Diff(find(page, `\b(ERR_[A-Z_]+[A-Z])\b`), find(sources, `"(ERR_[A-Z_]+)"`)); diff != "" {
		t.Error("error codes (- page, + code):", diff)
	}
	const name = `(?:call|session|connection|device|token|server)\.[a-zA-Z]+`
	grant := `"call.moderate"` // looks like a method, but is a grant of signaling/token
	if diff := cmp.Diff(find(page, "`("+name+")[` ]"), find(sources+grant, `"(`+name+`)"`)); diff != "" {
		t.Error("methods and events (- page, + code):", diff)
	}
	if want := fmt.Sprintf("At most %d m-lines: up to %d pairs", MaxMediaLines, MaxPairs); !strings.Contains(page, want) {
		t.Errorf("the page does not say %q", want)
	}
	for _, closing := range []Close{CloseTooBig, CloseRestart, CloseAbuse, CloseUnauthorized, CloseHelloTimeout, CloseIdle, CloseSlowConsumer,
		CloseReplaced, CloseUnsupported, CloseTooManyErrors, CloseInternal} {
		if len(closing.Reason) > 123 || closing.Reason == "" || strings.ContainsRune(closing.Reason, ' ') {
			t.Errorf("%+v is not fit for a close frame", closing)
		}
	}
}
