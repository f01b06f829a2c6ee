package notice

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/parleyrtc/parley/signaling/call"
	"github.com/parleyrtc/parley/signaling/wire"
)

var start = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// story is a call, the ledger that hears of it, and the time.
type story struct {
	t      *testing.T
	ledger Ledger
	call   *call.Call
	now    time.Time
	orders []Order
}

func ringing(t *testing.T, adjust func(*call.Initiate)) *story {
	t.Helper()
	wish := call.Initiate{
		ID: "session", Type: call.Video, ReceiverType: call.User, By: call.Device{UID: "alice", ID: "d_a"}, Receiver: "bob",
		Timeout: 40 * time.Second,
	}
	if adjust != nil {
		adjust(&wish)
	}
	s := &story{t: t, now: start}
	c, effects, err := call.New(s.now, wish)
	if err != nil {
		t.Fatal(err)
	}
	s.call = c
	s.hear(effects)
	return s
}

func group(wish *call.Initiate) {
	wish.ReceiverType, wish.Receiver, wish.GroupMembers = call.Group, "team", []string{"alice", "bob", "carol", "dave"}
}

func (s *story) hear(effects []call.Effect) {
	s.orders = s.ledger.Orders(s.now, s.call, viewOf(s.call), effects)
}

func (s *story) does(event call.Event) *story {
	s.t.Helper()
	s.now = s.now.Add(time.Second)
	effects, err := s.call.Handle(s.now, event)
	if err != nil {
		s.t.Fatal(err)
	}
	s.hear(effects)
	return s
}

func (s *story) passes(d time.Duration) *story {
	s.now = s.now.Add(d)
	s.hear(s.call.Advance(s.now))
	return s
}

// expect compares the orders with lines such as "bob: stop ongoing (not d_b)".
func (s *story) expect(want ...string) *story {
	s.t.Helper()
	var got []string
	for _, o := range s.orders {
		line := o.UID + ":"
		for _, n := range o.Notices {
			line += fmt.Sprintf(" %s %s", n.Purpose, n.Data["callAction"])
		}
		if o.Except != "" {
			line += " (not " + o.Except + ")"
		}
		got = append(got, line)
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("orders\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	return s
}

func viewOf(c *call.Call) wire.CallView {
	user := func(uid string) wire.UserView {
		return wire.UserView{UID: uid, Name: strings.ToUpper(uid[:1]) + uid[1:], Avatar: "https://pictures.example/" + uid}
	}
	v := wire.CallView{SessionID: c.ID, Type: string(c.Type), Initiator: user(c.Initiator), Receiver: wire.UserReceiver(user(c.Receiver))}
	if c.ReceiverType == call.Group {
		v.Receiver = wire.GroupReceiver(wire.GroupView{GUID: c.Receiver, Name: "The team"})
	}
	for _, m := range c.Members {
		v.Members = append(v.Members, wire.MemberView{User: user(m.UID), State: string(m.State)})
	}
	return v
}

func TestACallRingsAndIsAnsweredOnOneDevice(t *testing.T) {
	s := ringing(t, nil).expect("bob: ring initiated")
	if !s.ledger.Rings(s.now, "session", "bob") || s.ledger.Rings(s.now, "session", "alice") {
		t.Error("it rings for bob alone")
	}
	s.does(call.Accept{By: call.Device{UID: "bob", ID: "d_b"}}).expect("bob: stop ongoing (not d_b)")
	if s.ledger.Rings(s.now, "session", "bob") || s.ledger.Len() != 0 {
		t.Error("it rings on")
	}
	s.does(call.End{By: call.Device{UID: "alice", ID: "d_a"}}).expect()
}

func TestEveryWayOutOfARing(t *testing.T) {
	bob := call.Device{UID: "bob", ID: "d_b"}
	ringing(t, nil).does(call.Reject{By: bob, Status: call.Rejected}).expect("bob: stop rejected (not d_b)")
	ringing(t, nil).does(call.Reject{By: bob, Status: call.Busy}).expect("bob: stop busy missed missed (not d_b)")
	ringing(t, nil).does(call.Cancel{By: call.Device{UID: "alice", ID: "d_a"}}).expect("bob: stop cancelled missed missed")
	ringing(t, nil).does(call.Cancel{By: call.Device{UID: "alice", ID: "d_other"}}).expect("bob: stop cancelled missed missed")
	ringing(t, nil).passes(41 * time.Second).expect("bob: stop unanswered missed missed")
	// Busy elsewhere: nobody was rung, nobody has to stop.
	ringing(t, func(wish *call.Initiate) { wish.Busy = []string{"bob"} }).expect("bob: missed missed")
}

func TestAGroupRingsForEachMember(t *testing.T) {
	s := ringing(t, group).expect("bob: ring initiated", "carol: ring initiated", "dave: ring initiated")
	s.does(call.Accept{By: call.Device{UID: "bob", ID: "d_b"}}).expect("bob: stop ongoing (not d_b)")
	s.does(call.Reject{By: call.Device{UID: "carol", ID: "d_c"}, Status: call.Rejected}).expect("carol: stop rejected (not d_c)")
	s.does(call.Join{By: call.Device{UID: "alice", ID: "d_a"}}).does(call.Join{By: call.Device{UID: "bob", ID: "d_b"}}).expect()
	s.passes(40 * time.Second).expect("dave: stop unanswered missed missed")
	s.does(call.Join{By: call.Device{UID: "dave", ID: "d_d"}}).expect() // late: no phone of dave's rings any more
}

func TestAGroupThatEndsStopsTheLastRings(t *testing.T) {
	s := ringing(t, group).does(call.Accept{By: call.Device{UID: "bob", ID: "d_b"}})
	s.does(call.End{By: call.Device{UID: "alice", ID: "d_a"}, ForAll: true}).
		expect("carol: stop cancelled missed missed", "dave: stop cancelled missed missed")
	if s.ledger.Len() != 0 {
		t.Error("it rings on")
	}
}

func TestRingsThatNobodyStoppedAreForgotten(t *testing.T) {
	s := ringing(t, nil)
	s.now = s.now.Add(2 * time.Minute)
	other, effects, err := call.New(s.now, call.Initiate{ID: "other", Type: call.Audio, ReceiverType: call.User, By: call.Device{UID: "carol", ID: "d"}, Receiver: "dave"})
	if err != nil {
		t.Fatal(err)
	}
	s.ledger.Orders(s.now, other, viewOf(other), effects)
	if s.ledger.Len() != 1 {
		t.Errorf("%d rings", s.ledger.Len())
	}
}

// android parses a push as the Android code in the calls SDK's guide does: it rings on type=call with a session and a senderUid.
func android(data map[string]string) (session, name, uid, kind string, rings bool) {
	if data["type"] != "call" {
		return "", "", "", "", false
	}
	session, hasSession := data["sessionId"]
	uid, hasUID := data["senderUid"]
	name, named := data["senderName"]
	if !named {
		name = "Unknown"
	}
	kind, typed := data["callType"]
	if !typed {
		kind = "video"
	}
	return session, name, uid, kind, hasSession && hasUID
}

// everyNotice makes one of each.
func everyNotice(t *testing.T) []*Notice {
	t.Helper()
	bob := call.Device{UID: "bob", ID: "d_b"}
	var out []*Notice
	for _, s := range []*story{
		ringing(t, nil), ringing(t, group),
		ringing(t, nil).does(call.Accept{By: bob}),
		ringing(t, nil).does(call.Reject{By: bob, Status: call.Rejected}),
		ringing(t, nil).does(call.Reject{By: bob, Status: call.Busy}),
		ringing(t, nil).does(call.Cancel{By: call.Device{UID: "alice", ID: "d_a"}}),
		ringing(t, nil).passes(time.Minute),
		ringing(t, func(wish *call.Initiate) { wish.Busy = []string{"bob"} }),
	} {
		for _, o := range s.orders {
			out = append(out, o.Notices...)
		}
	}
	return out
}

func TestTheAndroidCodeOfTheGuideRingsAtARingOnly(t *testing.T) {
	seen := map[string]bool{}
	for _, n := range everyNotice(t) {
		var body fcmMessage
		if err := json.Unmarshal(FCMBody(start, n, Device{Kind: FCM, Token: "token"}), &body); err != nil {
			t.Fatal(err)
		}
		session, name, uid, kind, rings := android(body.Message.Data)
		if rings != (n.Purpose == Ring) {
			t.Errorf("%s %s: rings %v", n.Purpose, n.Data["callAction"], rings)
		}
		if rings && (session != "session" || name != "Alice" || uid != "alice" || kind != "video" || n.Data["senderAvatar"] != "https://pictures.example/alice") {
			t.Errorf("the ring says %q %q %q %q", session, name, uid, kind)
		}
		seen[n.Data["callAction"]] = true
	}
	for _, action := range []string{"initiated", "ongoing", "rejected", "busy", "cancelled", "unanswered", "missed"} {
		if !seen[action] {
			t.Errorf("%s was not tried", action)
		}
	}
}

func TestEveryPushHasCometChatsKeys(t *testing.T) {
	for _, n := range everyNotice(t) {
		for _, key := range []string{
			"title", "body", "sender", "senderName", "senderAvatar", "receiver", "receiverName", "receiverAvatar", "receiverType",
			"tag", "conversationId", "type", "callAction", "sessionId", "callType", "sentAt", "expiresAt",
		} {
			if _, ok := n.Data[key]; !ok {
				t.Errorf("%s %s has no %s", n.Purpose, n.Data["callAction"], key)
			}
		}
		for key := range n.Data {
			if strings.Contains(strings.ToLower(key), "token") {
				t.Errorf("%s has a %s", n.Purpose, key)
			}
		}
	}
	ring := ringing(t, nil).orders[0].Notices[0].Data
	for key, want := range map[string]string{
		"title": "Alice", "body": "VIDEO CALL", "receiver": "bob", "receiverName": "Bob", "receiverType": "user", "conversationId": "alice_user_bob",
		"sentAt": "1795262400000", "expiresAt": "1795262440000",
	} {
		if ring[key] != want {
			t.Errorf("%s is %q, want %q", key, ring[key], want)
		}
	}
	team := ringing(t, group).orders[0].Notices[0].Data
	if team["conversationId"] != "group_team" || team["receiverName"] != "The team" || team["receiverType"] != "group" {
		t.Errorf("%v", team)
	}
}

func TestWhichDeviceIsSentWhat(t *testing.T) {
	ring, stop, missed := &Notice{Purpose: Ring}, &Notice{Purpose: Stop}, &Notice{Purpose: Missed}
	for _, row := range []struct {
		kind    Kind
		notices []*Notice
		want    []Purpose
	}{
		{FCM, []*Notice{ring}, []Purpose{Ring}}, {FCM, []*Notice{stop, missed}, []Purpose{Stop, Missed}},
		{VoIP, []*Notice{ring}, []Purpose{Ring}}, {VoIP, []*Notice{stop, missed}, nil}, {VoIP, []*Notice{stop}, nil}, {VoIP, []*Notice{missed}, nil},
		{Alert, []*Notice{ring}, nil}, {Alert, []*Notice{stop, missed}, []Purpose{Stop, Missed}},
		{Web, []*Notice{ring}, []Purpose{Ring}}, {Web, []*Notice{stop, missed}, []Purpose{Stop}}, {Web, []*Notice{missed}, []Purpose{Missed}},
		{Custom, []*Notice{stop, missed}, []Purpose{Stop, Missed}},
	} {
		var got []Purpose
		for _, n := range Route(row.kind, row.notices) {
			got = append(got, n.Purpose)
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: %v, want %v", row.kind, got, row.want)
		}
	}
}

func TestTheLongestNamesFitEveryProvider(t *testing.T) {
	long := strings.Repeat("𝕏", 128)
	picture := "https://pictures.example/" + strings.Repeat("x", 999)
	c := ringing(t, nil).call
	c.ID, c.Receiver, c.Initiator = strings.Repeat("s", 128), strings.Repeat("r", 128), strings.Repeat("i", 128)
	user := wire.UserView{UID: c.Initiator, Name: strings.Repeat(`"`, 128), Avatar: picture}
	m := maker{now: start, call: c, view: wire.CallView{Initiator: user, Receiver: wire.UserReceiver(wire.UserView{UID: c.Receiver, Name: long, Avatar: picture})}}
	n := m.ring()
	if size := len(encode(n.Data)); size > maxData {
		t.Errorf("%d bytes", size)
	}
	if n.Data["senderUid"] != c.Initiator || n.Data["sessionId"] != c.ID {
		t.Error("what the app cannot do without is cut")
	}
}
