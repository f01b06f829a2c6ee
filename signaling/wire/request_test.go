package wire

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func ptr[T any](v T) *T { return &v }

func TestEveryMethodIsRead(t *testing.T) {
	const s = `"sessionId":"s-1"`
	const m = `"mutationId":"m-1"`
	for _, test := range []struct {
		method, params string
		want           Params
	}{
		{MethodHello, `{"token":"t","protocol":"1.0"}`, HelloParams{Token: "t", Protocol: "1.0"}},
		{MethodHello, `{"token":"","protocol":"1.0","client":{"name":"js","version":"2"},"deviceId":"d_1","resume":{"connectionId":"c_1","lastSeq":41}}`,
			HelloParams{Protocol: "1.0", Client: Client{"js", "2"}, DeviceID: "d_1", Resume: &Resume{"c_1", 41}}},
		{MethodHello, `{"token":"t","protocol":"1.0","client":null,"deviceId":null,"resume":null}`, HelloParams{Token: "t", Protocol: "1.0"}},
		{MethodHello, `{"token":"t","protocol":"1.7","new":[{}]}`, HelloParams{Token: "t", Protocol: "1.7"}},
		{MethodTokenRenew, `{"token":"t"}`, TokenRenewParams{Token: "t"}},
		{MethodPing, `{}`, PingParams{}},
		{MethodPing, `null`, PingParams{}},
		{MethodPing, `{"lastSeq":7}`, PingParams{LastSeq: ptr(uint64(7))}},
		{MethodCallInitiate, `{"receiverId":"bob@x","receiverType":"user","type":"audio",` + m + `}`,
			InitiateParams{ReceiverID: "bob@x", ReceiverType: "user", Type: "audio", MutationID: "m-1"}},
		{MethodCallInitiate, `{"receiverId":"g","receiverType":"group","type":"video","timeoutSeconds":5,"metadata":{"a":[1.5,null]},` + m + `}`,
			InitiateParams{ReceiverID: "g", ReceiverType: "group", Type: "video", TimeoutSeconds: ptr(5), Metadata: json.RawMessage(`{"a":[1.5,null]}`), MutationID: "m-1"}},
		{MethodCallAccept, `{` + s + `,"takeover":true,` + m + `}`, AcceptParams{"s-1", true, "m-1"}},
		{MethodCallReject, `{` + s + `,"status":"busy",` + m + `}`, RejectParams{"s-1", "busy", "m-1"}},
		{MethodCallCancel, `{` + s + `,` + m + `}`, CancelParams{"s-1", "m-1"}},
		{MethodCallEnd, `{` + s + `,"forAll":true,` + m + `}`, EndParams{"s-1", true, "m-1"}},
		{MethodCallGet, `{` + s + `}`, GetParams{"s-1"}},
		{MethodCallActive, `{}`, ActiveParams{}},
		{MethodDeviceRegister, `{"kind":"fcm","token":"t",` + m + `}`, DeviceRegisterParams{Kind: "fcm", Token: "t", MutationID: "m-1"}},
		{MethodDeviceRegister, `{"kind":"web","subscription":{"endpoint":"https://p.example/x","keys":{"p256dh":"B","auth":"A"}},"sandbox":true,` + m + `}`,
			DeviceRegisterParams{Kind: "web", Subscription: &PushSubscription{"https://p.example/x", SubscriptionKeys{"B", "A"}}, Sandbox: true, MutationID: "m-1"}},
		{MethodDeviceUnregister, `{"registrationId":"r_1",` + m + `}`, DeviceUnregisterParams{"r_1", "m-1"}},
		{MethodDeviceList, `{}`, DeviceListParams{}},
		{MethodUserBlock, `{"uid":"bob@x",` + m + `}`, BlockParams{"bob@x", "m-1"}},
		{MethodUserUnblock, `{"uid":"bob@x",` + m + `}`, UnblockParams{"bob@x", "m-1"}},
		{MethodUserBlocked, `{}`, BlockedParams{}},
		{MethodUserBlocked, `{"cursor":"bob","limit":3}`, BlockedParams{"bob", ptr(3)}},
		{MethodCallHistory, `{}`, HistoryParams{}},
		{MethodCallHistory, `{"status":"missed","type":"audio","receiverType":"user","direction":"incoming","uid":"bob","guid":"team","from":1,"until":2,"attended":1,"cursor":"1-2"}`,
			HistoryParams{Status: "missed", Type: "audio", ReceiverType: "user", Direction: "incoming", UID: "bob", GUID: "team", From: 1, Until: 2, Attended: 1, Cursor: "1-2"}},
		{MethodSessionJoin, `{` + s + `,` + m + `}`, JoinParams{"s-1", false, "m-1"}},
		{MethodSessionOffer, `{` + s + `,"sdp":"v=0","publications":[{"mid":"0","source":"microphone","muted":true}],"slots":[{"pair":0,"audioMid":"2","videoMid":"3"}],"iceRestart":true}`,
			OfferParams{"s-1", "v=0", []Publication{{"0", "microphone", true}}, []Slot{{0, "2", "3"}}, true}},
		{MethodSessionMute, `{` + s + `,"publicationId":"pub_1","muted":false}`, MuteParams{"s-1", "pub_1", false}},
		{MethodSessionWish, `{` + s + `,"slots":[]}`, WishParams{"s-1", []SlotWish{}}},
		{MethodSessionWish, `{` + s + `,"slots":[{"pair":0},{"pair":27,"width":640,"height":360,"frameRate":7.5,"hidden":true,"paused":true,"pinned":true}]}`,
			WishParams{"s-1", []SlotWish{{}, {27, 640, 360, 7.5, true, true, true}}}},
		{MethodSessionStats, `{` + s + `,"slots":[{"pair":1},{"pair":2,"concealed":0,"jitterBufferMs":41.5,"frozen":0.25,"frameRate":24,"width":1280,"height":720}]}`,
			StatsParams{"s-1", []SlotStats{{Pair: 1}, {2, ptr(0.0), 41.5, 0.25, 24, 1280, 720}}}},
		{MethodSessionICEServers, `{` + s + `}`, ICEServersParams{"s-1"}},
		{MethodSessionLeave, `{` + s + `,` + m + `}`, LeaveParams{"s-1", "m-1"}},
		{MethodSessionEnter, `{"session":"weekly:1",` + m + `}`, EnterParams{Session: "weekly:1", MutationID: "m-1"}},
		{MethodSessionEnter, `{"session":"weekly","type":"audio","metadata":{"a":1},"takeover":true,` + m + `}`,
			EnterParams{"weekly", "audio", json.RawMessage(`{"a":1}`), true, "m-1"}},
		{MethodSessionHand, `{` + s + `,"raised":true}`, HandParams{"s-1", true, ""}},
		{MethodSessionHand, `{` + s + `,"raised":false,"participantId":"p_1"}`, HandParams{"s-1", false, "p_1"}},
		{MethodSessionMuteOther, `{` + s + `,"publicationId":"p_1.0"}`, MuteOtherParams{"s-1", "p_1.0"}},
		{MethodSessionExpel, `{` + s + `,"participantId":"p_1",` + m + `}`, ExpelParams{"s-1", "p_1", "m-1"}},
		{MethodConnectionTest, `{}`, TestParams{}},
		{MethodConnectionTestOffer, `{"testId":"t_1","leg":"udp","sdp":"v=0","publications":[],"slots":[{"pair":0,"audioMid":"0","videoMid":"1"}]}`,
			TestOfferParams{"t_1", "udp", "v=0", []Publication{}, []Slot{{0, "0", "1"}}}},
		{MethodConnectionTestEnd, `{"testId":"t_1"}`, TestEndParams{"t_1"}},
	} {
		req, err := Parse(fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, test.method, test.params), false)
		if err != nil {
			t.Errorf("%s %s: %v", test.method, test.params, err)
			continue
		}
		wantMutation := ""
		if strings.Contains(test.params, "mutationId") {
			wantMutation = "m-1"
		}
		if diff := cmp.Diff(test.want, req.Params); diff != "" {
			t.Errorf("%s: %s", test.method, diff)
		}
		if req.Method != test.method || req.ID.String() != "1" || req.MutationID != wantMutation || req.Offer() != (test.method == MethodSessionOffer) {
			t.Errorf("%s: got %+v", test.method, req)
		}
	}
	if len(methods) != 31 {
		t.Errorf("there are %d methods; the table above has 31", len(methods))
	}
}

func TestMalformedMessagesGetTheirCode(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for name, test := range map[string]struct {
		message, field, id string
		rpc                int
	}{
		"empty":                    {``, "", "null", RPCParse},
		"not JSON":                 {`hello`, "", "null", RPCParse},
		"cut":                      {`{"jsonrpc":"2.0","id":1,"method":"ping"`, "", "null", RPCParse},
		"two values":               {`{"jsonrpc":"2.0","id":1,"method":"ping"}{}`, "", "null", RPCParse},
		"comma at the end":         {`{"jsonrpc":"2.0","id":1,"method":"ping",}`, "", "null", RPCParse},
		"bad UTF-8":                {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pi\xffng\"}", "", "null", RPCParse},
		"overlong UTF-8":           {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xc0\xaf\"}", "", "null", RPCParse},
		"bad escape":               {`{"jsonrpc":"2.0","id":1,"method":"\q"}`, "", "null", RPCParse},
		"raw control character":    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"a\nb\"}", "", "null", RPCParse},
		"a million deep":           {strings.Repeat("[", 1_000_000), "", "null", RPCRequest},
		"deep params":              {`{"jsonrpc":"2.0","id":1,"method":"ping","params":` + deep(MaxDepth) + `}`, "params", "1", RPCRequest},
		"deep object":              {`{"jsonrpc":"2.0","id":1,"method":"ping","params":` + strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40) + `}`, "params", "1", RPCRequest},
		"batch":                    {`[{"jsonrpc":"2.0","id":1,"method":"ping"}]`, "", "null", RPCRequest},
		"a string":                 {`"ping"`, "", "null", RPCRequest},
		"null":                     {`null`, "", "null", RPCRequest},
		"a notification":           {`{"jsonrpc":"2.0","method":"ping"}`, "id", "null", RPCRequest},
		"null id":                  {`{"jsonrpc":"2.0","id":null,"method":"ping"}`, "id", "null", RPCRequest},
		"fractional id":            {`{"jsonrpc":"2.0","id":1.5,"method":"ping"}`, "id", "null", RPCRequest},
		"exponent id":              {`{"jsonrpc":"2.0","id":1e3,"method":"ping"}`, "id", "null", RPCRequest},
		"huge id":                  {`{"jsonrpc":"2.0","id":92233720368547758080,"method":"ping"}`, "id", "null", RPCRequest},
		"object id":                {`{"jsonrpc":"2.0","id":{},"method":"ping"}`, "id", "null", RPCRequest},
		"empty id":                 {`{"jsonrpc":"2.0","id":"","method":"ping"}`, "id", "null", RPCRequest},
		"long id":                  {`{"jsonrpc":"2.0","id":"` + strings.Repeat("x", 65) + `","method":"ping"}`, "id", "null", RPCRequest},
		"no version":               {`{"id":1,"method":"ping"}`, "jsonrpc", "1", RPCRequest},
		"other version":            {`{"jsonrpc":"1.0","id":1,"method":"ping"}`, "jsonrpc", "1", RPCRequest},
		"no method":                {`{"jsonrpc":"2.0","id":1}`, "method", "1", RPCRequest},
		"method of the wrong type": {`{"jsonrpc":"2.0","id":"a","method":5}`, "method", `"a"`, RPCRequest},
		"unknown member":           {`{"jsonrpc":"2.0","id":1,"method":"ping","extra":1}`, "extra", "1", RPCRequest},
		"member in another case":   {`{"jsonrpc":"2.0","id":1,"Method":"ping"}`, "Method", "1", RPCRequest},
		"member twice":             {`{"jsonrpc":"2.0","id":1,"method":"ping","method":"hello"}`, "method", "1", RPCRequest},
		"unknown method":           {`{"jsonrpc":"2.0","id":1,"method":"call.explode"}`, "method", "1", RPCMethod},
		"a reply":                  {`{"jsonrpc":"2.0","id":1,"result":{}}`, "result", "1", RPCRequest},
	} {
		req, err := Parse([]byte(test.message), false)
		if err == nil {
			t.Errorf("%s: accepted as %+v", name, req)
			continue
		}
		if err.RPC != test.rpc || err.Field != test.field || err.Code != CodeBadRequest || !err.Malformed() || req.ID.String() != test.id {
			t.Errorf("%s: got %d %s field %q id %s (%s), want %d field %q id %s", name, err.RPC, err.Code, err.Field, req.ID, err.Message, test.rpc, test.field, test.id)
		}
	}
}

// Requests that are good, for the rows below to spoil.
const (
	initiate = `{"receiverId":"bob","receiverType":"user","type":"audio","mutationId":"m"}`
	offer    = `{"sessionId":"s","sdp":"v=0","publications":[{"mid":"0","source":"camera"}],"slots":[{"pair":0,"audioMid":"1","videoMid":"2"}]}`
	wish     = `{"sessionId":"s","slots":[{"pair":0,"width":640,"frameRate":30}]}`
	stats    = `{"sessionId":"s","slots":[{"pair":0,"concealed":0.5,"frozen":0.25}]}`
	test     = `{"testId":"t_1","leg":"udp","sdp":"v=0","publications":[],"slots":[]}`
	reject   = `{"sessionId":"s","status":"rejected","mutationId":"m"}`
	hello    = `{"token":"t","protocol":"1.0","client":{"name":"n"},"resume":{"connectionId":"c","lastSeq":1}}`
)

// badParams replaces from by to in the params; the error must name the field. An empty code is ERR_BAD_REQUEST.
var badParams = []struct{ method, params, from, to, field, code string }{
	{MethodCallInitiate, `[]`, "", "", "", ""},
	{MethodCallInitiate, `"x"`, "", "", "", ""},
	{MethodCallInitiate, `{}`, "", "", "receiverId", CodeEmptyReceiver},
	{MethodCallInitiate, initiate, `"bob"`, `""`, "receiverId", CodeEmptyReceiver},
	{MethodCallInitiate, initiate, `"bob"`, `null`, "receiverId", ""},
	{MethodCallInitiate, initiate, `"bob"`, `5`, "receiverId", ""},
	{MethodCallInitiate, initiate, `"bob"`, `["bob"]`, "receiverId", ""},
	{MethodCallInitiate, initiate, `"bob"`, `"b*"`, "receiverId", ""},
	{MethodCallInitiate, initiate, `"bob"`, `"b>b"`, "receiverId", ""},
	{MethodCallInitiate, initiate, `"bob"`, `"b b"`, "receiverId", ""},
	{MethodCallInitiate, initiate, `"bob"`, `"bö"`, "receiverId", ""},
	{MethodCallInitiate, initiate, `"bob"`, `"b\u0000"`, "receiverId", ""},
	{MethodCallInitiate, initiate, `"bob"`, `"` + strings.Repeat("b", 129) + `"`, "receiverId", ""},
	{MethodCallInitiate, initiate, `"user"`, `"users"`, "receiverType", CodeInvalidReceiverType},
	{MethodCallInitiate, initiate, `"audio"`, `"AUDIO"`, "type", ""},
	{MethodCallInitiate, initiate, `"m"`, `""`, "mutationId", ""},
	{MethodCallInitiate, initiate, `"m"`, `"` + strings.Repeat("m", 65) + `"`, "mutationId", ""},
	{MethodCallInitiate, initiate, `"m"`, `"a\nb"`, "mutationId", ""},
	{MethodCallInitiate, initiate, `,"mutationId":"m"`, ``, "mutationId", ""},
	{MethodCallInitiate, initiate, `"m"`, `"m","timeoutSeconds":4`, "timeoutSeconds", ""},
	{MethodCallInitiate, initiate, `"m"`, `"m","timeoutSeconds":0`, "timeoutSeconds", ""},
	{MethodCallInitiate, initiate, `"m"`, `"m","timeoutSeconds":301`, "timeoutSeconds", ""},
	{MethodCallInitiate, initiate, `"m"`, `"m","timeoutSeconds":-9223372036854775808`, "timeoutSeconds", ""},
	{MethodCallInitiate, initiate, `"m"`, `"m","timeoutSeconds":9223372036854775807`, "timeoutSeconds", ""},
	{MethodCallInitiate, initiate, `"m"`, `"m","timeoutSeconds":18446744073709551615`, "timeoutSeconds", ""},
	{MethodCallInitiate, initiate, `"m"`, `"m","timeoutSeconds":30.5`, "timeoutSeconds", ""},
	{MethodCallInitiate, initiate, `"m"`, `"m","timeoutSeconds":"30"`, "timeoutSeconds", ""},
	{MethodCallInitiate, initiate, `"m"`, `"m","metadata":"` + strings.Repeat("x", MaxMetadata-1) + `"`, "metadata", ""},
	{MethodCallInitiate, initiate, `"m"`, `"m","other":1`, "other", ""},
	{MethodCallInitiate, initiate, `"m"`, `"m","receiverID":"x"`, "receiverID", ""},
	{MethodCallInitiate, initiate, `"m"`, `"m","type":"video"`, "type", ""},
	{MethodCallInitiate, initiate, `"m"`, `"m","` + strings.Repeat("é", 64) + `":1`, strings.Repeat("é", 32) + "…", ""},
	{MethodCallReject, reject, `"rejected"`, `"cancelled"`, "status", ""},
	{MethodCallReject, reject, `"s"`, `""`, "sessionId", CodeEmptySessionID},
	{MethodCallReject, reject, `"sessionId":"s",`, ``, "sessionId", CodeEmptySessionID},
	{MethodCallReject, reject, `"s"`, `"` + strings.Repeat("s", 129) + `"`, "sessionId", ""},
	{MethodCallReject, reject, `"s"`, `"call/s"`, "sessionId", ""},
	{MethodCallEnd, `{"sessionId":"s","forAll":1,"mutationId":"m"}`, "", "", "forAll", ""},
	{MethodCallAccept, `{"sessionId":"s","takeover":"yes","mutationId":"m"}`, "", "", "takeover", ""},
	{MethodCallActive, `{"all":true}`, "", "", "all", ""},
	{MethodCallHistory, `{"status":"over"}`, "", "", "status", ""},
	{MethodCallHistory, `{"direction":"up"}`, "", "", "direction", ""},
	{MethodCallHistory, `{"limit":0}`, "", "", "limit", ""},
	{MethodCallHistory, `{"limit":101}`, "", "", "limit", ""},
	{MethodCallHistory, `{"from":-1}`, "", "", "from", ""},
	{MethodCallHistory, `{"until":9223372036854775807}`, "", "", "until", ""},
	{MethodCallHistory, `{"uid":"*"}`, "", "", "uid", ""},
	{MethodCallHistory, `{"attended":-1}`, "", "", "attended", ""},
	{MethodPing, `{"lastSeq":-1}`, "", "", "lastSeq", ""},
	{MethodTokenRenew, `{}`, "", "", "token", ""},
	{MethodTokenRenew, `{"token":true}`, "", "", "token", ""},
	{MethodSessionMute, `{"sessionId":"s","publicationId":"p"}`, "", "", "muted", ""},
	{MethodSessionMute, `{"sessionId":"s","publicationId":"p","muted":null}`, "", "", "muted", ""},
	{MethodSessionMute, `{"sessionId":"s","publicationId":"","muted":true}`, "", "", "publicationId", ""},
	{MethodSessionOffer, offer, `"v=0"`, `""`, "sdp", CodeSDPInvalid},
	{MethodSessionOffer, offer, `"v=0"`, `"v=0\u0000"`, "sdp", CodeSDPInvalid},
	{MethodSessionOffer, offer, `"v=0"`, `"` + strings.Repeat("v", MaxSDP+1) + `"`, "sdp", CodeSDPInvalid},
	{MethodSessionOffer, offer, `,"slots":[{"pair":0,"audioMid":"1","videoMid":"2"}]`, ``, "slots", ""},
	{MethodSessionOffer, offer, `[{"mid":"0","source":"camera"}]`, `{}`, "publications", ""},
	{MethodSessionOffer, offer, `[{"mid":"0","source":"camera"}]`, `null`, "publications", ""},
	{MethodSessionOffer, offer, `{"mid":"0","source":"camera"}`, `{"mid":"0","source":"camera"},5`, "publications[1]", ""},
	{MethodSessionOffer, offer, `"source":"camera"`, `"source":"camera","layers":3`, "publications[0].layers", ""},
	{MethodSessionOffer, offer, `"camera"`, `"webcam"`, "publications[0].source", ""},
	{MethodSessionOffer, offer, `"mid":"0"`, `"mid":0`, "publications[0].mid", ""},
	{MethodSessionOffer, offer, `"mid":"0"`, `"mid":""`, "publications[0].mid", ""},
	{MethodSessionOffer, offer, `"mid":"0"`, `"mid":"12345678901234567"`, "publications[0].mid", ""},
	{MethodSessionOffer, offer, `"mid":"0"`, `"mid":"a b"`, "publications[0].mid", ""},
	{MethodSessionOffer, offer, `"audioMid":"1"`, `"audioMid":"0"`, "slots[0].audioMid", ""},
	{MethodSessionOffer, offer, `"videoMid":"2"`, `"videoMid":"1"`, "slots[0].videoMid", ""},
	{MethodSessionOffer, offer, `"pair":0,`, ``, "slots[0].pair", ""},
	{MethodSessionOffer, offer, `"pair":0`, `"pair":30`, "slots[0].pair", ""},
	{MethodSessionOffer, offer, `"pair":0`, `"pair":-1`, "slots[0].pair", ""},
	{MethodSessionOffer, offer, `"videoMid":"2"}`, `"videoMid":"2"},{"pair":0,"audioMid":"3","videoMid":"4"}`, "slots[1].pair", ""},
	{MethodSessionOffer, offer, `{"mid":"0","source":"camera"}`, many(63, `{"mid":"0","source":"camera"}`), "slots", CodeSDPTooManyMedia},
	{MethodSessionWish, wish, `,"slots":[{"pair":0,"width":640,"frameRate":30}]`, ``, "slots", ""},
	{MethodSessionWish, wish, `"pair":0,`, ``, "slots[0].pair", ""},
	{MethodSessionWish, wish, `"pair":0`, `"pair":28`, "slots[0].pair", ""},
	{MethodSessionWish, wish, `{"pair":0,`, `{"pair":0},{"pair":0,`, "slots[1].pair", ""},
	{MethodSessionWish, wish, `640`, `-1`, "slots[0].width", ""},
	{MethodSessionWish, wish, `640`, `640.5`, "slots[0].width", ""},
	{MethodSessionWish, wish, `640`, `16385`, "slots[0].width", ""},
	{MethodSessionWish, wish, `"width":640`, `"height":16385`, "slots[0].height", ""},
	{MethodSessionWish, wish, `30`, `1e999`, "slots[0].frameRate", ""},
	{MethodSessionWish, wish, `30`, `240.5`, "slots[0].frameRate", ""},
	{MethodSessionWish, wish, `30`, `"30"`, "slots[0].frameRate", ""},
	{MethodSessionStats, stats, `"pair":0`, `"pair":-1`, "slots[0].pair", ""},
	{MethodSessionStats, stats, `0.5`, `1.5`, "slots[0].concealed", ""},
	{MethodSessionStats, stats, `0.5`, `-1e-9`, "slots[0].concealed", ""},
	{MethodSessionStats, stats, `0.25`, `2`, "slots[0].frozen", ""},
	{MethodSessionStats, stats, `"frozen":0.25`, `"jitterBufferMs":60001`, "slots[0].jitterBufferMs", ""},
	{MethodSessionStats, stats, `"frozen":0.25`, `"frameRate":241`, "slots[0].frameRate", ""},
	{MethodConnectionTestOffer, test, `"t_1"`, `"t/1"`, "testId", ""},
	{MethodConnectionTestOffer, test, `"udp"`, `""`, "leg", ""},
	{MethodConnectionTestOffer, test, `"v=0"`, `""`, "sdp", CodeSDPInvalid},
	{MethodConnectionTestEnd, `{}`, ``, ``, "testId", ""},
	{MethodDeviceRegister, `{"kind":"fcm","token":"t"}`, "", "", "mutationId", ""},
	{MethodDeviceRegister, `{"token":"t","mutationId":"m"}`, "", "", "kind", ""},
	{MethodDeviceRegister, `{"kind":"web","subscription":{"endpoint":"e"},"mutationId":"m"}`, "", "", "subscription.keys", ""},
	{MethodDeviceUnregister, `{"registrationId":"","mutationId":"m"}`, "", "", "registrationId", ""},
	{MethodHello, hello, `"1.0"`, `"1"`, "protocol", ""},
	{MethodHello, hello, `"1.0"`, `"-1.0"`, "protocol", ""},
	{MethodHello, hello, `"1.0"`, `1.0`, "protocol", ""},
	{MethodHello, hello, `"1.0"`, `"1.0","new":1`, "new", ""},
	{MethodHello, hello, `"token":"t",`, ``, "token", ""},
	{MethodHello, hello, `"name":"n"`, `"name":"` + strings.Repeat("n", 65) + `"`, "client.name", ""},
	{MethodHello, hello, `"name":"n"`, `"version":"\n"`, "client.version", ""},
	{MethodHello, hello, `"connectionId":"c"`, `"connectionId":"c*"`, "resume.connectionId", ""},
	{MethodHello, hello, `"lastSeq":1`, `"lastSeq":1.5`, "resume.lastSeq", ""},
	{MethodHello, hello, `,"lastSeq":1`, ``, "resume.lastSeq", ""},
	{MethodHello, hello, `"token"`, `"deviceId":"a/b","token"`, "deviceId", ""},
}

func many(n int, item string) string { return strings.TrimSuffix(strings.Repeat(item+",", n), ",") }

func TestBadParamsNameTheField(t *testing.T) {
	for _, test := range badParams {
		params := strings.Replace(test.params, test.from, test.to, 1)
		message := fmt.Appendf(nil, `{"jsonrpc":"2.0","id":"x","method":%q,"params":%s}`, test.method, params)
		req, err := Parse(message, false)
		if len(params) > 80 {
			params = params[:80] + "…"
		}
		if err == nil {
			t.Errorf("%s %s: accepted as %+v", test.method, params, req)
			continue
		}
		code := test.code
		if code == "" {
			code = CodeBadRequest
		}
		if err.RPC != RPCParams || err.Field != test.field || err.Code != code || req.ID.String() != `"x"` || req.Method != test.method {
			t.Errorf("%s %s: got %d %s field %q (%s), want %s field %q", test.method, params, err.RPC, err.Code, err.Field, err.Message, code, test.field)
		}
	}
}

func TestANewerClientMayHaveFieldsWeDoNotKnow(t *testing.T) {
	message := []byte(`{"jsonrpc":"2.0","id":1,"method":"session.offer","hint":1,"params":{"sessionId":"s","sdp":"v=0","slots":[],
		"publications":[{"mid":"0","source":"camera","layers":[{"a":1}]}],"new":{"deep":[[]]}}}`)
	if _, err := Parse(message, false); err == nil {
		t.Error("a strict server accepts unknown fields")
	}
	req, err := Parse(message, true)
	want := OfferParams{SessionID: "s", SDP: "v=0", Publications: []Publication{{MID: "0", Source: "camera"}}, Slots: []Slot{}}
	if diff := cmp.Diff(Params(want), req.Params); err != nil || diff != "" {
		t.Error(err, diff)
	}
	// But a known field is still checked.
	if _, err := Parse([]byte(`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"new":1,"lastSeq":"1"}}`), true); err == nil || err.Field != "lastSeq" {
		t.Errorf("got %v", err)
	}
}

func TestIdsComeBackAsTheyWere(t *testing.T) {
	for _, id := range []string{`1`, `0`, `-5`, `9223372036854775807`, `"a"`, `"\"\\"`, `"日本"`, `"\u2028"`} {
		req, err := Parse([]byte(`{"jsonrpc":"2.0","id":`+id+`,"method":"ping"}`), false)
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		var got, want any
		if json.Unmarshal([]byte(req.ID.String()), &got) != nil || json.Unmarshal([]byte(id), &want) != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s came back as %s", id, req.ID)
		}
	}
}

func TestVersionsAreCompared(t *testing.T) {
	for protocol, want := range map[string][2]bool{
		"1.0": {true, false}, "1.1": {true, true}, "1.65535": {true, true}, "2.0": {}, "0.9": {}, "1": {}, "": {}, "a.b": {}, "1.0.0": {}, "1.-1": {}, "1.99999": {}, "+1.0": {},
	} {
		supported, newer := Version(protocol)
		if [2]bool{supported, newer} != want {
			t.Errorf("%q: supported %v, newer %v", protocol, supported, newer)
		}
	}
}
