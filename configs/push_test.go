package configs

import (
	"strings"
	"testing"
)

func TestPushOptionsThatCannotBe(t *testing.T) {
	for set, want := range map[string]string{
		"push.fcm_url=ftp://x":                             "push.fcm_url",
		"push.apns_key=text":                               "push.apns_key",
		"push.web_contact=me@example.com":                  "push.web_contact",
		"push.web_hosts=['*']":                             "push.web_hosts",
		"push.webhook_url=https://u:p@x.example":           "push.webhook_url",
		"push.webhook_url=https://x.example":               "push.webhook_secret",
		"push.allow=[home]":                                "push.allow",
		"push.timeout=0s":                                  "push.timeout",
		"push.queue=1":                                     "push.queue",
		"push.fcm_credentials_file=/does/not/exist/x.json": "push.fcm_credentials_file",
	} {
		_, err := Load(Source{Set: []string{set}, Dev: true})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", set, err)
		}
	}
}

func TestPushSecretsAreNotPrinted(t *testing.T) {
	cfg, err := Load(Source{Dev: true, Set: []string{
		"push.fcm_credentials='{\"private_key\":\"hush\"}'", "push.web_vapid_key=hush", "push.webhook_secret=hush-hush-hush-hush-hush-hush-hush",
	}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := cfg.YAML()
	if err != nil || strings.Contains(string(text), "hush") {
		t.Errorf("%v\n%s", err, text)
	}
}
