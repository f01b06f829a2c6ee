package wire

import (
	"encoding/json"
	"testing"
	"unicode/utf8"
)

// FuzzParse holds what the rest of signaling relies on: no panic, an answer that is JSON, and accepted params that are in range
// and mean the same when they are written and read again.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"lastSeq":3}}`), false)
	f.Add([]byte(`{"jsonrpc":"2.0","id":"a","method":"call.initiate","params":{"receiverId":"bob","receiverType":"user","type":"video","metadata":{"k":[1,null]},"mutationId":"m"}}`), false)
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"method":"session.offer","params":{"sessionId":"s","sdp":"v=0","publications":[{"mid":"0","source":"camera"}],"slots":[{"pair":0,"audioMid":"1","videoMid":"2"}]}}`), true)
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"method":"hello","params":{"token":"t","protocol":"1.9","x":{},"resume":{"connectionId":"c","lastSeq":0}}}`), false)
	f.Add([]byte(`[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[`), false)
	f.Add([]byte("{\"id\":\"\xff\"}"), false)
	f.Fuzz(func(t *testing.T, message []byte, lenient bool) {
		req, refusal := Parse(message, lenient)
		if refusal != nil {
			answer := ErrorReply(req.ID, refusal)
			if req.Params != nil || !json.Valid(answer) || !utf8.Valid(answer) || len(answer) > 1024 {
				t.Fatalf("%q is refused with %q", message, answer)
			}
			return
		}
		if err := req.Params.Validate(); err != nil {
			t.Fatalf("%q is accepted, but %v", message, err)
		}
		params, err := json.Marshal(req.Params)
		if err != nil {
			t.Fatal(err)
		}
		again := []byte(`{"jsonrpc":"2.0","id":` + req.ID.String() + `,"method":"` + req.Method + `","params":` + string(params) + `}`)
		second, refusal := Parse(again, lenient)
		if refusal != nil || second.ID != req.ID || second.MutationID != req.MutationID {
			t.Fatalf("%q was accepted, but written again as %q it is not: %v", message, again, refusal)
		}
	})
}
