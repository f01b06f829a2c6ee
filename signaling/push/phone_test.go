package push

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/parleyrtc/parley/bench/client"
	"github.com/parleyrtc/parley/signaling"
	"github.com/parleyrtc/parley/signaling/token"
)

const (
	nodeKey    = "backend"
	nodeSecret = "a-secret-of-at-least-32-bytes-length"
)

// silence is a media side that agrees to everything.
type silence struct{ signaling.Media }

func (silence) Open(context.Context, string) error                  { return nil }
func (silence) Close(context.Context, string, string) error         { return nil }
func (silence) Join(context.Context, signaling.MediaJoin) error     { return nil }
func (silence) Leave(context.Context, string, string, string) error { return nil }

// node is a whole signaling server with its pushes going to the fakes of an office.
type node struct {
	*office
	server *signaling.Server
	http   *httptest.Server
	ctx    context.Context
}

func openNode(t testing.TB) *node {
	t.Helper()
	o := openOffice(t, nil)
	tokens, err := token.New([]token.APIKey{{ID: nodeKey, Secret: nodeSecret, Role: token.RoleAdmin}})
	if err != nil {
		t.Fatal(err)
	}
	directory, noICE := signaling.NewDirectory(o.store), func(string, string) []signaling.ICEServer { return nil }
	server, err := signaling.New(signaling.Config{OpenDirectory: true, RingTimeout: time.Minute, Logger: slog.New(slog.DiscardHandler)}, signaling.Deps{
		Store: o.store, Media: silence{}, Tokens: tokens, Directory: directory, ICEServers: noICE, Observer: o.sender, Devices: o.registry,
	})
	if err != nil {
		t.Fatal(err)
	}
	rest, err := signaling.NewREST(signaling.RESTConfig{VAPIDPublicKey: o.web.public}, signaling.RESTDeps{
		Calls: server, Directory: directory, Tokens: tokens, ICEServers: noICE, Devices: o.registry,
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/v1/ws", server.Handler())
	mux.Handle("/", rest.Handler())
	n := &node{office: o, server: server, http: httptest.NewServer(mux)}
	var cancel context.CancelFunc
	n.ctx, cancel = context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(func() {
		cancel()
		server.Close()
		n.http.Close()
	})
	return n
}

func (n *node) token(uid string) string {
	raw, err := token.Mint(nodeKey, nodeSecret, token.Claims{UID: uid, Name: strings.ToUpper(uid)}, time.Now(), time.Hour)
	if err != nil {
		n.t.Fatal(err)
	}
	return raw
}

// connect opens a WebSocket for a user, on a device that was there before if its id is given.
func (n *node) connect(uid, device string) *client.Client {
	n.t.Helper()
	c, err := client.Dial(n.ctx, client.Config{URL: "ws" + strings.TrimPrefix(n.http.URL, "http") + "/v1/ws", Token: n.token(uid), DeviceID: device})
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(c.Close)
	return c
}

// registers lets a client register and returns the registration's id.
func (n *node) registers(c *client.Client, params map[string]any) string {
	n.t.Helper()
	params["mutationId"] = client.NewMutationID()
	var result struct {
		Device struct{ RegistrationID, DeviceID string }
	}
	if err := c.Request(n.ctx, "device.register", params, &result); err != nil {
		n.t.Fatal(err)
	}
	if result.Device.DeviceID != c.Hello.DeviceID {
		n.t.Errorf("registered for %q, connected as %q", result.Device.DeviceID, c.Hello.DeviceID)
	}
	return result.Device.RegistrationID
}

func (n *node) calls(c *client.Client, uid string) client.Call {
	n.t.Helper()
	ring, err := c.Initiate(n.ctx, uid, "user", "video")
	if err != nil {
		n.t.Fatal(err)
	}
	return ring
}

// codeOf is the ERR_ code of a refusal.
func codeOf(err error) string {
	var refusal *client.Error
	if errors.As(err, &refusal) {
		return refusal.Code
	}
	return fmt.Sprint(err)
}

func TestAPhoneThatWasOffComesUpFromThePushAlone(t *testing.T) {
	n := openNode(t)
	phone := n.connect("bob", "")
	device := phone.Hello.DeviceID
	n.registers(phone, map[string]any{"kind": "fcm", "token": "bobs-phone"})
	n.registers(n.connect("bob", ""), map[string]any{"kind": "fcm", "token": "bobs-tablet"})
	phone.Close()

	alice := n.connect("alice", "")
	ring := n.calls(alice, "bob")
	woken := map[string]map[string]string{}
	for _, p := range n.fcm.awaits(2) {
		woken[p.token] = p.data
	}
	session := woken["bobs-phone"]["sessionId"]
	if session != ring.SessionID || woken["bobs-tablet"]["sessionId"] != session || woken["bobs-phone"]["senderName"] != "ALICE" {
		t.Fatalf("the pushes say %v", woken)
	}
	// The phone has nothing but the push. It connects as who it was and takes the call.
	phone = n.connect("bob", device)
	if c, err := phone.Accept(n.ctx, session); err != nil || c.Status != "ongoing" {
		t.Fatalf("%+v %v", c, err)
	}
	if _, err := alice.WaitEvent(n.ctx, "call.accepted"); err != nil {
		t.Fatal(err)
	}
	// The tablet is told to stop, the phone, which did it, is not.
	stop := n.fcm.awaits(3)[2]
	if stop.token != "bobs-tablet" || stop.data["callAction"] != "ongoing" {
		t.Errorf("%s got %v", stop.token, stop.data)
	}
	if _, err := n.connect("bob", "").Accept(n.ctx, session); codeOf(err) != "ERR_CALL_USER_ALREADY_JOINED" {
		t.Errorf("a third device: %v", err)
	}
	n.settles("fcm", "stop", "delivered", 1)
	if tries := n.fcm.attempts(); tries != 3 {
		t.Errorf("%d pushes", tries)
	}
}

func TestAPhoneThatWakesTooLateIsToldSo(t *testing.T) {
	n := openNode(t)
	first := n.connect("bob", "")
	n.registers(first, map[string]any{"kind": "apnsVoip", "token": voipToken})
	first.Close()
	alice := n.connect("alice", "")
	n.calls(alice, "bob")
	session := n.apns.awaits(1)[0].data["sessionId"]
	if _, err := alice.Cancel(n.ctx, session); err != nil {
		t.Fatal(err)
	}
	phone := n.connect("bob", "")
	_, err := phone.Accept(n.ctx, session)
	var refusal *client.Error
	if !errors.As(err, &refusal) || refusal.Code != "ERR_CALL_TERMINATED" {
		t.Fatalf("accepting a cancelled call: %v", err)
	}
	var details struct{ Call client.Call }
	if err := json.Unmarshal(refusal.Details, &details); err != nil || details.Call.Status != "cancelled" {
		t.Errorf("details %s %v", refusal.Details, err)
	}
	if n.apns.attempts() != 1 {
		t.Error("the VoIP token was pushed again")
	}
}

func TestAppsRegisterOverWebSocketAndREST(t *testing.T) {
	n := openNode(t)
	bob := n.connect("bob", "")
	id := n.registers(bob, map[string]any{"kind": "fcm", "token": "bobs-phone"})
	for _, row := range []struct {
		params map[string]any
		code   string
	}{
		{map[string]any{"kind": "custom", "token": "x"}, "ERR_PUSH_KIND_NOT_CONFIGURED"},
		{map[string]any{"kind": "apnsVoip", "token": "not hexadecimal"}, "ERR_BAD_REQUEST"},
		{map[string]any{"kind": "web"}, "ERR_BAD_REQUEST"},
	} {
		row.params["mutationId"] = client.NewMutationID()
		if err := bob.Request(n.ctx, "device.register", row.params, nil); codeOf(err) != row.code {
			t.Errorf("%v: %v", row.params, err)
		}
	}
	p256dh, auth := newBrowser(t).keys()
	err := bob.Request(n.ctx, "device.register", map[string]any{
		"kind": "web", "subscription": map[string]any{"endpoint": "https://evil.example/", "keys": map[string]any{"p256dh": p256dh, "auth": auth}},
		"mutationId": client.NewMutationID(),
	}, nil)
	if codeOf(err) != "ERR_PUSH_ENDPOINT_NOT_ALLOWED" {
		t.Error(err)
	}
	if status, body := n.rest("GET", "/v1/config", "", ""); status != 200 || !strings.Contains(body, n.web.public) {
		t.Errorf("%d %s", status, body)
	}
	// The back end registers for bob what alice has on the same phone, and sees no token.
	status, body := n.rest("POST", "/v1/devices", "", `{"uid":"alice","kind":"fcm","token":"bobs-phone"}`)
	if status != 200 || !strings.Contains(body, id) {
		t.Errorf("%d %s", status, body)
	}
	if status, body = n.rest("GET", "/v1/devices?uid=bob", "", ""); status != 200 || body != `{"devices":[]}` {
		t.Errorf("%d %s", status, body)
	}
	if status, body = n.rest("GET", "/v1/devices", "alice", ""); status != 200 || !strings.Contains(body, id) || strings.Contains(body, "bobs-phone") {
		t.Errorf("%d %s", status, body)
	}
	if status, _ = n.rest("GET", "/v1/devices?uid=alice", "bob", ""); status != 403 {
		t.Errorf("bob sees alice's devices: %d", status)
	}
	for range 2 {
		if status, body = n.rest("DELETE", "/v1/devices/"+id, "alice", ""); status != 204 {
			t.Errorf("%d %s", status, body)
		}
	}
	n.rest("POST", "/v1/devices", "", `{"uid":"carol","kind":"fcm","token":"carols-phone"}`)
	if status, body = n.rest("PUT", "/v1/users/carol", "", `{}`); status != 201 {
		t.Fatalf("%d %s", status, body)
	}
	if status, body = n.rest("DELETE", "/v1/users/carol", "", ""); status != 204 || len(n.devices("carol")) != 0 {
		t.Errorf("%d %s, carol has %v", status, body, n.devices("carol"))
	}
}

// rest makes a request as a user, or with the API key when uid is empty.
func (n *node) rest(method, path, uid, body string) (status int, answer string) {
	n.t.Helper()
	req, err := http.NewRequestWithContext(n.ctx, method, n.http.URL+path, strings.NewReader(body))
	if err != nil {
		n.t.Fatal(err)
	}
	req.Header.Set("Authorization", "ApiKey "+nodeKey+":"+nodeSecret)
	if uid != "" {
		req.Header.Set("Authorization", "Bearer "+n.token(uid))
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		n.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	return res.StatusCode, strings.TrimSpace(string(text))
}
