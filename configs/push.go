package configs

import (
	"net/url"
	"strings"
	"time"
)

// Push is how devices are told of calls when they have no WebSocket. Every provider is off until its credentials are set.
type Push struct {
	FCMCredentials     Secret        `yaml:"fcm_credentials" env:"FCM_CREDENTIALS"` // a service account's JSON
	FCMCredentialsFile string        `yaml:"fcm_credentials_file" env:"FCM_CREDENTIALS_FILE"`
	FCMURL             string        `yaml:"fcm_url" env:"FCM_URL"`
	APNsKey            Secret        `yaml:"apns_key" env:"APNS_KEY"` // the text of a .p8 file
	APNsKeyFile        string        `yaml:"apns_key_file" env:"APNS_KEY_FILE"`
	APNsKeyID          string        `yaml:"apns_key_id" env:"APNS_KEY_ID"`
	APNsTeamID         string        `yaml:"apns_team_id" env:"APNS_TEAM_ID"`
	APNsBundleID       string        `yaml:"apns_bundle_id" env:"APNS_BUNDLE_ID"`
	APNsURL            string        `yaml:"apns_url" env:"APNS_URL"`
	APNsSandboxURL     string        `yaml:"apns_sandbox_url" env:"APNS_SANDBOX_URL"`
	WebContact         string        `yaml:"web_contact" env:"WEB_CONTACT"`     // mailto: or https:; empty: no Web Push
	WebVAPIDKey        Secret        `yaml:"web_vapid_key" env:"WEB_VAPID_KEY"` // empty: one that the store keeps
	WebVAPIDKeyFile    string        `yaml:"web_vapid_key_file" env:"WEB_VAPID_KEY_FILE"`
	WebHosts           []string      `yaml:"web_hosts" env:"WEB_HOSTS"`
	WebhookURL         string        `yaml:"webhook_url" env:"WEBHOOK_URL"`
	WebhookSecret      Secret        `yaml:"webhook_secret" env:"WEBHOOK_SECRET"` // whsec_…; several separated by spaces all sign
	WebhookSecretFile  string        `yaml:"webhook_secret_file" env:"WEBHOOK_SECRET_FILE"`
	Allow              []string      `yaml:"allow" env:"ALLOW"`             // private addresses or prefixes
	Timeout            time.Duration `yaml:"timeout" env:"TIMEOUT"`         // of one attempt
	Queue              int           `yaml:"queue" env:"QUEUE"`             // notices waiting for one provider
	Parallel           int           `yaml:"parallel" env:"PARALLEL"`       // attempts at one provider
	MaxDevices         int           `yaml:"max_devices" env:"MAX_DEVICES"` // registrations of one user
}

func defaultPush() Push {
	return Push{
		FCMURL: "https://fcm.googleapis.com", APNsURL: "https://api.push.apple.com", APNsSandboxURL: "https://api.sandbox.push.apple.com",
		WebHosts: []string{
			"fcm.googleapis.com", "updates.push.services.mozilla.com", "*.push.services.mozilla.com", "*.push.apple.com", "*.notify.windows.com",
		},
		Allow: []string{}, Timeout: 5 * time.Second, Queue: 4096, Parallel: 64, MaxDevices: 32,
	}
}

func (c Config) checkPush(k *checker) {
	p := c.Push
	k.provider("push.fcm_url", p.FCMURL)
	k.provider("push.apns_url", p.APNsURL)
	k.provider("push.apns_sandbox_url", p.APNsSandboxURL)
	if p.APNsKey != "" && (p.APNsKeyID == "" || p.APNsTeamID == "" || p.APNsBundleID == "") {
		k.add("push.apns_key", "is set, so push.apns_key_id, push.apns_team_id and push.apns_bundle_id are needed, too")
	}
	if p.WebContact != "" && !strings.HasPrefix(p.WebContact, "mailto:") && !strings.HasPrefix(p.WebContact, "https://") {
		k.add("push.web_contact", "is %q; write mailto:you@example.com or an https:// address", p.WebContact)
	}
	if p.WebContact != "" && len(p.WebHosts) == 0 {
		k.add("push.web_hosts", "is empty, so that no browser could be pushed; write the hosts of push services, or empty push.web_contact")
	}
	for _, h := range p.WebHosts {
		if h == "*" || strings.ContainsAny(h, "/@? ") || strings.Contains(strings.TrimPrefix(h, "*."), "*") || h != strings.ToLower(h) {
			k.add("push.web_hosts", "has %q; write a host in lower case such as fcm.googleapis.com or *.push.apple.com", h)
		}
	}
	if p.WebhookURL != "" {
		k.provider("push.webhook_url", p.WebhookURL)
		k.hookSecret("push.webhook_secret", Webhook{Secret: p.WebhookSecret})
	}
	for _, prefix := range p.Allow {
		if _, err := ParsePrefix(prefix); err != nil {
			k.add("push.allow", "has %q, which is neither an address nor a prefix such as 10.0.0.0/8", prefix)
		}
	}
	k.between("push.timeout", p.Timeout, 100*time.Millisecond, time.Minute)
	k.number("push.queue", p.Queue, 16, 1_000_000)
	k.number("push.parallel", p.Parallel, 1, 10_000)
	k.number("push.max_devices", p.MaxDevices, 1, 1000)
}

// provider checks the address of a server that we call. Plain http is for a fake on this machine or in one's own network; where
// it leads is looked at when connecting.
func (k *checker) provider(path, text string) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		k.add(path, "is not an address such as https://push.example (no name and password in it)")
	}
}
