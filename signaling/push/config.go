package push

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/parleyrtc/parley/signaling/push/notice"
	"github.com/parleyrtc/parley/signaling/webhook"
)

// Config says which providers there are. The zero value of every field means the default in its comment.
type Config struct {
	FCM     *FCMConfig     // nil: no pushes by Firebase
	APNs    *APNsConfig    // nil: no pushes by Apple
	Web     *WebConfig     // nil: no Web Push
	Webhook *WebhookConfig // nil: nobody of the operator's own is told

	Allow    []netip.Prefix // private addresses that Web Push endpoints and the webhook may be at; none
	Timeout  time.Duration  // of one attempt; 5 s
	Queue    int            // notices waiting for one provider, and orders waiting for their devices; 4096
	Parallel int            // attempts at one provider at the same time; 64

	TLS        *tls.Config           // root certificates of providers; the system's
	Now        func() time.Time      // time.Now
	Logger     *slog.Logger          // slog.Default()
	Registerer prometheus.Registerer // a registry of its own
}

// FCMConfig is a Firebase project.
type FCMConfig struct {
	Credentials string // the service account, as the JSON that Google gives out
	URL         string // https://fcm.googleapis.com
}

// APNsConfig is an app at Apple.
type APNsConfig struct {
	Key        string // the text of the .p8 file
	KeyID      string // ten characters, in the file's name
	TeamID     string // ten characters
	Bundle     string // the app's bundle id; VoIP pushes go to its .voip topic
	URL        string // https://api.push.apple.com
	SandboxURL string // https://api.sandbox.push.apple.com, for tokens of development builds
}

// WebConfig is this server as push services know it (VAPID, RFC 8292).
type WebConfig struct {
	Contact    string // whom a push service writes to when something is wrong: mailto: or https:
	PrivateKey string // 32 bytes in base64url; see NewVAPIDKey
	Hosts      []string
}

// WebhookConfig is the operator's own push server.
type WebhookConfig struct {
	URL     string
	Secrets []webhook.Secret // at least one; each signs
}

// Kinds lists the kinds of device that these providers reach.
func (c Config) Kinds() []notice.Kind {
	var out []notice.Kind
	if c.FCM != nil {
		out = append(out, notice.FCM)
	}
	if c.APNs != nil {
		out = append(out, notice.VoIP, notice.Alert)
	}
	if c.Web != nil {
		out = append(out, notice.Web)
	}
	if c.Webhook != nil {
		out = append(out, notice.Custom)
	}
	return out
}

func (c Config) withDefaults() (Config, error) {
	if c.Timeout < 0 || c.Queue < 0 || c.Parallel < 0 {
		return c, errors.New("push: Timeout, Queue and Parallel must not be negative")
	}
	if c.Timeout == 0 {
		c.Timeout = 5 * time.Second
	}
	if c.Queue == 0 {
		c.Queue = 4096
	}
	if c.Parallel == 0 {
		c.Parallel = 64
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Registerer == nil {
		c.Registerer = prometheus.NewRegistry()
	}
	return c, nil
}
