package configs

import (
	"encoding/base64"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Webhooks is who is told of what happens in calls, see docs/webhooks.md.
type Webhooks struct {
	Targets       []Webhook     `yaml:"targets" envPrefix:"TARGETS_"`
	Allow         []string      `yaml:"allow" env:"ALLOW"` // private addresses or prefixes that targets may have
	Timeout       time.Duration `yaml:"timeout" env:"TIMEOUT"`
	Parallel      int           `yaml:"parallel" env:"PARALLEL"` // per target
	MaxAge        time.Duration `yaml:"max_age" env:"MAX_AGE"`
	QueueBytes    int64         `yaml:"queue_bytes" env:"QUEUE_BYTES"` // per target
	DeadLetterAge time.Duration `yaml:"dead_letter_age" env:"DEAD_LETTER_AGE"`
}

// Webhook is one target.
type Webhook struct {
	Name       string   `yaml:"name" env:"NAME"`
	URL        string   `yaml:"url" env:"URL"`
	Secret     Secret   `yaml:"secret,omitempty" env:"SECRET"` // whsec_…; several separated by spaces all sign
	SecretFile string   `yaml:"secret_file,omitempty" env:"SECRET_FILE"`
	Events     []string `yaml:"events" env:"EVENTS"` // empty: all
}

// Secrets are the target's secrets one by one.
func (w Webhook) Secrets() []Secret {
	var out []Secret
	for text := range strings.FieldsSeq(w.Secret.Reveal()) {
		out = append(out, Secret(text))
	}
	return out
}

func defaultWebhooks() Webhooks {
	return Webhooks{
		Targets: []Webhook{}, Allow: []string{}, Timeout: 10 * time.Second, Parallel: 16, MaxAge: 24 * time.Hour,
		QueueBytes: 256 << 20, DeadLetterAge: 7 * 24 * time.Hour,
	}
}

// hookEvents are the events that a target can want: the kinds of signaling/journal.
var hookEvents = []string{
	"call.initiated", "call.accepted", "call.rejected", "call.cancelled", "call.busy", "call.unanswered", "call.ended",
	"participant.joined", "participant.left",
}

var hookName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

// maxHooks bounds the targets: each has two queues on disk.
const maxHooks = 32

func (c Config) checkWebhooks(k *checker) {
	w := c.Webhooks
	if len(w.Targets) > maxHooks {
		k.add("webhooks.targets", "has %d entries; at most %d are possible", len(w.Targets), maxHooks)
	}
	seen := map[string]bool{}
	for i, t := range w.Targets {
		path := "webhooks.targets." + strconv.Itoa(i)
		switch {
		case !hookName.MatchString(t.Name):
			k.add(path+".name", "is %q; write 1 to 32 of A-Z a-z 0-9 _ -", t.Name)
		case seen[t.Name]:
			k.add(path+".name", "%q is there twice; every target needs a name of its own", t.Name)
		}
		seen[t.Name] = true
		if u, err := url.Parse(t.URL); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil {
			k.add(path+".url", "is not a URL such as https://app.example/hooks, without a name and password")
		}
		k.hookSecret(path+".secret", t)
		for _, event := range t.Events {
			if !slices.Contains(hookEvents, event) {
				k.add(path+".events", "has %q; write some of %s", event, strings.Join(hookEvents, ", "))
			}
		}
	}
	for _, p := range w.Allow {
		if _, err := ParsePrefix(p); err != nil {
			k.add("webhooks.allow", "has %q, which is neither an address nor a prefix such as 10.0.0.0/8", p)
		}
	}
	k.between("webhooks.timeout", w.Timeout, time.Second, time.Minute)
	k.number("webhooks.parallel", w.Parallel, 1, 1000)
	k.between("webhooks.max_age", w.MaxAge, time.Minute, 30*24*time.Hour)
	if w.QueueBytes < 1<<20 || w.QueueBytes > 1<<40 {
		k.add("webhooks.queue_bytes", "is %d; write a number from 1048576 (1 MiB) to 1099511627776 (1 TiB)", w.QueueBytes)
	}
	k.between("webhooks.dead_letter_age", w.DeadLetterAge, time.Hour, 365*24*time.Hour)
}

// hookSecret checks that a target has secrets in the form of Standard Webhooks: whsec_ and 24 to 64 bytes in Base64.
func (k *checker) hookSecret(path string, t Webhook) {
	const make = `write "whsec_" and the output of: openssl rand -base64 32`
	secrets := t.Secrets()
	if len(secrets) == 0 {
		k.add(path, "is empty; "+make)
	}
	for _, s := range secrets {
		encoded, ok := strings.CutPrefix(s.Reveal(), "whsec_")
		raw, err := base64.StdEncoding.DecodeString(encoded)
		if !ok || err != nil || len(raw) < 24 || len(raw) > 64 {
			k.add(path, "is not a webhook secret; "+make)
		}
	}
}
