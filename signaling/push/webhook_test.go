package push

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/parleyrtc/parley/signaling/push/notice"
	"github.com/parleyrtc/parley/signaling/webhook"
)

const webhookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" // of the specification's example

// fakeBackEnd is an operator's own push server. It checks signatures.
type fakeBackEnd struct {
	mailbox
	server *httptest.Server
	secret webhook.Secret
}

func (f *fakeBackEnd) config() *WebhookConfig {
	return &WebhookConfig{URL: f.server.URL + "/push", Secrets: []webhook.Secret{f.secret}}
}

func newFakeBackEnd(t testing.TB) *fakeBackEnd {
	secret, err := webhook.ParseSecret(webhookSecret)
	if err != nil {
		t.Fatal(err)
	}
	f := &fakeBackEnd{mailbox: mailbox{t: t}, secret: secret}
	f.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if secret.Verify(r.Header, body, time.Now()) != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		var message struct {
			Data struct {
				NotificationDetails map[string]string
			}
		}
		if json.Unmarshal(body, &message) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		f.receive(w, pushed{header: r.Header, body: body, data: message.Data.NotificationDetails}, func() { w.WriteHeader(http.StatusNoContent) })
	}))
	t.Cleanup(f.server.Close)
	return f
}

func TestTheOperatorsOwnServerIsTold(t *testing.T) {
	f := newFakeBackEnd(t)
	o := openOffice(t, func(_ *office, c *Config) {
		c.Webhook = f.config()
	})
	f.says(func(try int, _ string) (int, map[string]string, string) {
		if try == 1 {
			return 500, nil, ""
		}
		return 0, nil, ""
	})
	o.register("bob", notice.Device{Kind: notice.Custom, Token: "hms:bob"})
	o.ring("session-1", "alice", "bob", 45*time.Second)
	o.ring("session-2", "alice", "carol", 45*time.Second) // has registered nothing
	users := map[string][]string{}
	for _, p := range f.awaits(2) {
		var message struct {
			Trigger, Webhook string
			Data             struct {
				To struct {
					UID    string
					Tokens []string
				}
			}
		}
		if err := json.Unmarshal(p.body, &message); err != nil || message.Trigger != "push-notification-payload-generated" || message.Webhook != "custom" {
			t.Errorf("%s %v", p.body, err)
		}
		if p.data["callAction"] != "initiated" || p.data["senderUid"] != "alice" {
			t.Errorf("%v", p.data)
		}
		users[message.Data.To.UID] = message.Data.To.Tokens
	}
	if len(users["bob"]) != 1 || users["bob"][0] != "hms:bob" || len(users["carol"]) != 0 || len(users) != 2 {
		t.Errorf("%v", users)
	}
}

func TestAWebhookInOurOwnNetworkIsNotReached(t *testing.T) {
	f := newFakeBackEnd(t)
	o := openOffice(t, func(_ *office, c *Config) {
		c.Allow = nil
		c.Webhook = f.config()
	})
	o.subscribe("bob", newBrowser(t))
	o.ring("session-1", "alice", "bob", 45*time.Second)
	o.settles("webhook", "ring", "refused", 1)
	o.settles("web", "ring", "refused", 1)
	if f.attempts() != 0 || o.web.attempts() != 0 {
		t.Error("they were reached")
	}
}

func TestConfigurationsThatCannotBe(t *testing.T) {
	apns, fcm := newFakeAPNs(t), newFakeFCM(t)
	for name, adjust := range map[string]func(*Config){
		"FCM without JSON":    func(c *Config) { c.FCM = &FCMConfig{Credentials: "secret words"} },
		"FCM of another kind": func(c *Config) { c.FCM = &FCMConfig{Credentials: `{"type":"authorized_user"}`} },
		"APNs without a key":  func(c *Config) { c.APNs = &APNsConfig{Key: "secret words", KeyID: "k", TeamID: "t", Bundle: "b"} },
		"APNs without a team": func(c *Config) { c.APNs = apns.config(); c.APNs.TeamID = "" },
		"Web without a key":   func(c *Config) { c.Web = &WebConfig{Contact: "mailto:a@b.example"} },
		"Web without contact": func(c *Config) { key, _ := NewVAPIDKey(); c.Web = &WebConfig{PrivateKey: key} },
		"webhook, no secret":  func(c *Config) { c.Webhook = &WebhookConfig{URL: "https://example.com/"} },
		"webhook without URL": func(c *Config) { c.Webhook = &WebhookConfig{Secrets: make([]webhook.Secret, 1)} },
		"a negative timeout":  func(c *Config) { c.FCM = fcm.config(); c.Timeout = -1 },
		"FCM, token_uri wrong": func(c *Config) {
			c.FCM = &FCMConfig{Credentials: `{"type":"service_account","project_id":"p","client_email":"e","private_key":"secret words","token_uri":"file:///etc"}`}
		},
	} {
		var c Config
		adjust(&c)
		s, err := New(c, nil)
		if err == nil {
			s.Close()
			t.Errorf("%s passes", name)
		} else if len(err.Error()) > 200 || strings.Contains(err.Error(), "secret words") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
