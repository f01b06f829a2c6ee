package configs

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

const testSecret = "0123456789abcdef0123456789abcdef"

// usable is the least that a server starts from.
const usable = "auth: {keys: [{id: backend, secret: " + testSecret + "}]}\nturn: {tls: off}\n"

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "parley.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSampleFileEqualsTheDefaults(t *testing.T) {
	got, err := Read(Source{Path: "parley.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Default(), got); diff != "" {
		t.Errorf("configs/parley.yaml differs from Default() (-default +file):\n%s", diff)
	}
}

func TestSampleFileHasEveryOptionWithAReason(t *testing.T) {
	text, err := os.ReadFile("parley.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	root := doc.Content[0]
	config := reflect.TypeFor[Config]()
	for i := range config.NumField() {
		section := config.Field(i)
		name := section.Tag.Get("yaml")
		keys := mapping(root)[name]
		if keys == nil {
			t.Errorf("section %s is missing", name)
			continue
		}
		present := mapping(keys)
		for j := range section.Type.NumField() {
			key := strings.Split(section.Type.Field(j).Tag.Get("yaml"), ",")[0]
			if present[key] == nil {
				t.Errorf("%s.%s is missing", name, key)
			}
		}
		checkReasons(t, name, keys)
	}
}

func mapping(node *yaml.Node) map[string]*yaml.Node {
	out := map[string]*yaml.Node{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		out[node.Content[i].Value] = node.Content[i+1]
	}
	return out
}

// checkReasons wants a comment above every key; the second of a pair (cert and key, rate and burst) may share one.
func checkReasons(t *testing.T, section string, keys *yaml.Node) {
	t.Helper()
	shared := false
	for i := 0; i+1 < len(keys.Content); i += 2 {
		key := keys.Content[i]
		pair := strings.HasSuffix(key.Value, "key_file") || strings.HasSuffix(key.Value, "_burst")
		if key.HeadComment == "" && !(pair && shared) {
			t.Errorf("%s.%s has no line of why", section, key.Value)
		}
		shared = key.HeadComment != ""
	}
}

func TestLaterSourcesWin(t *testing.T) {
	path := write(t, usable+"calls: {ring_timeout: 20s, grace: 10s, when_busy: ring}\n")
	cfg, err := Load(Source{
		Path: path,
		Env:  []string{"PARLEY_CALLS_RING_TIMEOUT=25s", "PARLEY_CALLS_GRACE=12s", "HOME=/root", "PARLEY_MEDIA_ADVERTISE=203.0.113.7,2001:db8::7"},
		Set:  []string{"calls.ring_timeout=30s", "http.trusted_proxies=[10.0.0.0/8]"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Calls.RingTimeout != 30*time.Second || cfg.Calls.Grace != 12*time.Second || cfg.Calls.WhenBusy != "ring" {
		t.Errorf("calls are %+v", cfg.Calls)
	}
	if diff := cmp.Diff([]string{"203.0.113.7", "2001:db8::7"}, cfg.Media.Advertise); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"10.0.0.0/8"}, cfg.HTTP.TrustedProxies); diff != "" {
		t.Error(diff)
	}
	if cfg.Calls.JoinDeadline != 30*time.Second {
		t.Errorf("a key that nobody wrote is %v", cfg.Calls.JoinDeadline)
	}
}

func TestKeysFromTheEnvironment(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(testSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := Load(Source{Env: []string{
		"PARLEY_AUTH_KEYS_0_ID=backend", "PARLEY_AUTH_KEYS_0_SECRET_FILE=" + file,
		"PARLEY_AUTH_KEYS_1_ID=reports", "PARLEY_AUTH_KEYS_1_SECRET=" + testSecret, "PARLEY_AUTH_KEYS_1_ROLE=read",
		"PARLEY_TURN_TLS=off",
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Auth.Keys) != 2 || cfg.Auth.Keys[0].Secret != testSecret || cfg.Auth.Keys[1].Role != RoleRead {
		t.Errorf("keys are %+v", cfg.Auth.Keys)
	}
}

func TestForeignVariablesAreIgnored(t *testing.T) {
	_, err := Load(Source{Path: write(t, usable), Env: []string{
		"PARLEY_SERVICE_HOST=10.0.0.1", "PARLEY_SERVICE_PORT_HTTP=7700", "PARLEY_PORT=tcp://10.0.0.1:7700",
		"PARLEY_PORT_7700_TCP_ADDR=10.0.0.1", "PARLEY_BIN=/usr/bin/parley", "PARLEY_HTTP_SERVICE_HOST=10.0.0.2", "PARLEY_HTTP_PORT_7700_TCP=tcp://10.0.0.2:7700",
	}})
	if err != nil {
		t.Error(err)
	}
}

func TestRefusals(t *testing.T) {
	rows := []struct {
		name string
		text string
		env  []string
		set  []string
		want string // ends with this; FILE stands for the path
	}{
		{"unknown key", usable + "http:\n  listn: :80\n", nil, nil, `FILE:4: unknown key "listn" in http`},
		{"unknown section", usable + "htp: {}\n", nil, nil, `FILE:3: unknown key "htp"`},
		{"unknown key of an API key", "auth:\n  keys:\n    - {id: a, sekret: b}\n", nil, nil, `FILE:3: unknown key "sekret" in auth.keys`},
		{"key twice", "log: {level: info, level: warn}\n", nil, nil, `FILE:1: mapping key "level" already defined at line 1`},
		{"wrong type", "calls:\n  pairs: many\n", nil, nil, `FILE:2: "many" is not a whole number`},
		{"wrong duration", "calls:\n  ring_timeout: 45\n", nil, nil, `FILE:2: "45" is not a duration such as 30s or 1h`},
		{"broken YAML", "calls: [\n", nil, nil, `did not find expected node content`},
		{"two documents", usable + "---\nlog: {}\n", nil, nil, `FILE: a second YAML document is not read; remove everything from the line ---`},
		{"no key", "turn: {tls: off}\n", nil, nil, `auth.keys is empty, so nobody could sign a token: add a key with an id and a secret of your own (openssl rand -hex 32), or start with --dev to try things out`},
		{"devkey", strings.Replace(usable, "backend", DevKey, 1), nil, nil, `FILE:1: auth.keys.0.id is "devkey", the key of --dev that everybody knows; choose another id and secret`},
		{"secret of --dev", strings.Replace(usable, testSecret, devSecret, 1), nil, nil, `FILE:1: auth.keys.0.secret is the secret of --dev that everybody knows; choose another (openssl rand -hex 32)`},
		{"open login", usable, []string{"PARLEY_AUTH_OPEN_LOGIN=true"}, nil, `PARLEY_AUTH_OPEN_LOGIN: auth.open_login lets anyone sign in as anyone and is for --dev only; set it to false`},
		{"short secret", "turn: {tls: off}\nauth:\n  keys: [{id: a, secret: short}]\n", nil, nil, `FILE:3: auth.keys.0.secret has 5 characters; write at least 32 (openssl rand -hex 32)`},
		{"webhook without a secret", usable + "webhooks: {targets: [{name: a, url: 'https://a.example'}]}\n", nil, nil, `webhooks.targets.0.secret is empty; write "whsec_" and the output of: openssl rand -base64 32`},
		{"webhook with another's secret", usable, []string{"PARLEY_WEBHOOKS_TARGETS_0_NAME=a", "PARLEY_WEBHOOKS_TARGETS_0_URL=https://a.example", "PARLEY_WEBHOOKS_TARGETS_0_SECRET=" + testSecret}, nil, `PARLEY_WEBHOOKS_TARGETS_0_SECRET: webhooks.targets.0.secret is not a webhook secret; write "whsec_" and the output of: openssl rand -base64 32`},
		{"webhook for an event that never happens", usable + "webhooks: {targets: [{name: a, url: 'https://a.example', secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, events: [call.over]}]}\n", nil, nil, `FILE:3: webhooks.targets.0.events has "call.over"; write some of call.initiated, call.accepted, call.rejected, call.cancelled, call.busy, call.unanswered, call.ended, participant.joined, participant.left`},
		{"missing secret file", "turn: {tls: off}\nauth:\n  keys: [{id: a, secret_file: /nowhere}]\n", nil, nil, `FILE:3: auth.keys.0.secret_file "/nowhere" cannot be read: open /nowhere: no such file or directory`},
		{"secret and secret file", usable, nil, []string{"turn.secret=" + testSecret, "turn.secret_file=/x"}, `--set turn.secret_file: turn.secret_file and turn.secret are both set; keep one`},
		{"no certificate for TURN", strings.Replace(usable, "off", `":5349"`, 1), nil, nil, `turn.tls is ":5349", but there is no certificate: set turn.cert_file and turn.key_file (or those of http), or turn.tls: off`},
		{"half a pair", usable + "http:\n  cert_file: a.pem\n", nil, nil, `http.key_file is empty, but http.cert_file is set; TLS needs both`},
		{"bad listen", usable + "http:\n  listen: 7700\n", nil, nil, `FILE:4: http.listen is "7700"; write [address]:port such as :7700 or 127.0.0.1:7700`},
		{"bad advertise", usable, nil, []string{"media.advertise=[example.org]"}, `--set media.advertise: media.advertise has "example.org", which is not an IP address; write the public address of this machine`},
		{"unspecified advertise", usable, nil, []string{"media.advertise=[0.0.0.0]"}, `media.advertise has 0.0.0.0, which no client can send to; write the public address of this machine`},
		{"bad proxy", usable, []string{"PARLEY_HTTP_TRUSTED_PROXIES=10.0.0.0/33"}, nil, `PARLEY_HTTP_TRUSTED_PROXIES: http.trusted_proxies has "10.0.0.0/33", which is neither an address nor a prefix such as 10.0.0.0/8`},
		{"bad origin", usable, nil, []string{"http.allowed_origins=[https://app.example/]"}, `http.allowed_origins has "https://app.example/", which is not an origin such as https://app.example (no path) or *`},
		{"ports upside down", usable, nil, []string{"turn.relay_port_min=60000"}, `turn.relay_port_max (50999) is below turn.relay_port_min (60000)`},
		{"out of range", usable, []string{"PARLEY_CALLS_RING_TIMEOUT=1s"}, nil, `PARLEY_CALLS_RING_TIMEOUT: calls.ring_timeout is 1s; write a duration from 5s to 5m0s`},
		{"not a number", usable, nil, []string{"http.request_rate=.nan"}, `http.request_rate is NaN; write a number of requests a second from 0.01 to 1000000`},
		{"wrong word", usable, nil, []string{"log.level=loud"}, `log.level is "loud"; write debug or info or warn or error`},
		{"unknown variable", usable, []string{"PARLEY_HTTP_LISTN=:80"}, nil, `PARLEY_HTTP_LISTN: no option has this variable; see configs/parley.yaml for the names`},
		{"variable of the wrong type", usable, []string{"PARLEY_CALLS_PAIRS=many"}, nil, `PARLEY_CALLS_PAIRS: "many" is not a whole number`},
		{"unknown flag key", usable, nil, []string{"http.listn=:80"}, `--set http.listn: unknown key "listn" in http`},
		{"flag without value", usable, nil, []string{"http.listen"}, `--set "http.listen" is not section.key=value, for instance --set calls.ring_timeout=30s`},
		{"key twice by id", usable, []string{"PARLEY_AUTH_KEYS_0_ROLE=admin", "PARLEY_AUTH_KEYS_1_ID=backend", "PARLEY_AUTH_KEYS_1_SECRET=" + testSecret}, nil, `PARLEY_AUTH_KEYS_1_ID: auth.keys.1.id "backend" is there twice; every key needs an id of its own`},
		{"bad store", usable, nil, []string{"store.url=http://x"}, `store.url is not the address of a NATS server such as nats://nats.internal:4222`},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			path := write(t, row.text)
			_, err := Load(Source{Path: path, Env: row.env, Set: row.set})
			if err == nil {
				t.Fatal("it was accepted")
			}
			got := strings.ReplaceAll(err.Error(), path, "FILE")
			if !strings.HasSuffix(got, row.want) || strings.Contains(got, "\n") {
				t.Errorf("the error is\n  %s\nwant\n  %s", got, row.want)
			}
		})
	}
}

func TestMissingFile(t *testing.T) {
	_, err := Load(Source{Path: "/nowhere/parley.yaml"})
	if err == nil || !strings.Contains(err.Error(), "/nowhere/parley.yaml: no such file") {
		t.Error(err)
	}
}

func TestEverythingWrongIsSaidAtOnce(t *testing.T) {
	_, err := Load(Source{Path: write(t, usable+"log: {level: loud, format: xml}\n")})
	if err == nil || strings.Count(err.Error(), "\n") != 1 {
		t.Errorf("want two lines, got: %v", err)
	}
}

func TestPrintingHidesSecrets(t *testing.T) {
	cfg, err := Load(Source{Path: write(t, usable), Set: []string{"turn.secret=" + testSecret}})
	if err != nil {
		t.Fatal(err)
	}
	text, err := cfg.YAML()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte(testSecret)) || bytes.Count(text, []byte(redacted)) != 2 {
		t.Errorf("printed as\n%s", text)
	}
	back := Default()
	if err := decode(text, "printed", &back); err != nil {
		t.Errorf("what is printed does not load: %v", err)
	}
}

func TestTURNSecretIsDerivedAndStable(t *testing.T) {
	cfg, err := Load(Source{Path: write(t, usable)})
	if err != nil {
		t.Fatal(err)
	}
	derived := cfg.TURNSecret()
	if len(derived.Reveal()) < minSecret || derived == cfg.Auth.Keys[0].Secret || derived != cfg.TURNSecret() {
		t.Errorf("derived %q", derived.Reveal())
	}
	cfg.TURN.Secret = testSecret
	if cfg.TURNSecret() != testSecret {
		t.Error("a secret of its own is not used")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(usable))
	f.Add([]byte("http: {listen: off}\n---\n"))
	f.Add([]byte("a: &a [*a]\n"))
	if sample, err := os.ReadFile("parley.yaml"); err == nil {
		f.Add(sample)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		cfg := Default()
		if err := decode(text, "fuzz", &cfg); err != nil {
			return
		}
		where := origin{}
		where.file(text, "fuzz")
		problems := cfg.problems(false)
		if len(problems) > 0 {
			if where.explain(problems).Error() == "" {
				t.Error("a refusal without words")
			}
			return
		}
		printed, err := cfg.YAML()
		if err != nil {
			t.Fatalf("a good configuration does not print: %v", err)
		}
		again := Default()
		if err := decode(printed, "printed", &again); err != nil {
			t.Fatalf("a printed configuration does not load: %v", err)
		}
	})
}

func TestDevNeedsNothingAndBindsToLoopback(t *testing.T) {
	cfg, err := Load(Source{Dev: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, listen := range []string{
		cfg.HTTP.Listen, cfg.Admin.Listen, cfg.Media.UDP, cfg.Media.TCP, cfg.TURN.UDP, cfg.TURN.TCP, cfg.TURN.TLS,
	} {
		if !strings.HasPrefix(listen, Loopback+":") {
			t.Errorf("--dev listens on %s", listen)
		}
	}
	cfg, err = Load(Source{Dev: true, Bind: "::", Set: []string{"turn.tls=off"}})
	if err != nil || cfg.HTTP.Listen != "[::]:7700" || cfg.TURN.TLS != Off || cfg.Admin.Listen != "127.0.0.1:7702" {
		t.Errorf("--bind :: gives %+v, %v", cfg, err)
	}
}
