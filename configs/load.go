package configs

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/caarlos0/env/v11"
	"go.yaml.in/yaml/v3"
)

// EnvPrefix begins the name of every variable that the loader reads: PARLEY_HTTP_LISTEN is http.listen.
const EnvPrefix = "PARLEY_"

// maxFile bounds a configuration file, in bytes.
const maxFile = 1 << 20

// Source is where a configuration comes from. Later ones win: defaults, file, environment, Set.
type Source struct {
	Path string   // a YAML file; empty: none
	Env  []string // as os.Environ gives it; other names than PARLEY_SECTION_… are ignored
	Set  []string // section.key=value, the value in YAML
	Dev  bool     // begin with Dev(Bind) instead of Default(), and let it pass
	Bind string   // the address for Dev; empty: Loopback
}

// Load reads a configuration strictly and checks every field of it. The error has one line for each thing that is wrong.
func Load(src Source) (Config, error) {
	cfg, where, err := read(src)
	if err != nil {
		return Config{}, err
	}
	if problems := cfg.resolveSecrets(); len(problems) > 0 {
		return Config{}, where.explain(problems)
	}
	if problems := cfg.problems(src.Dev); len(problems) > 0 {
		return Config{}, where.explain(problems)
	}
	return cfg, nil
}

// Read is Load without the checks and without reading secret files, for printing a configuration that may be incomplete.
func Read(src Source) (Config, error) {
	cfg, _, err := read(src)
	return cfg, err
}

func read(src Source) (Config, origin, error) {
	cfg := Default()
	if src.Dev {
		cfg = Dev(cmp.Or(src.Bind, Loopback))
	}
	where := origin{}
	if src.Path != "" {
		text, err := readFile(src.Path)
		if err != nil {
			return Config{}, nil, err
		}
		if err := decode(text, src.Path, &cfg); err != nil {
			return Config{}, nil, err
		}
		where.file(text, src.Path)
	}
	if err := applyEnv(src.Env, &cfg, where); err != nil {
		return Config{}, nil, err
	}
	for _, set := range src.Set {
		if err := applySet(set, &cfg, where); err != nil {
			return Config{}, nil, err
		}
	}
	return cfg, where, nil
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the configuration file cannot be read: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("the configuration file cannot be read: %w", err)
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("%s is longer than %d bytes, so it cannot be a configuration file", path, maxFile)
	}
	return text, nil
}

// decode reads one strict YAML document over cfg. An empty document changes nothing.
func decode(text []byte, name string, cfg *Config) error {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(cfg); err != nil && !errors.Is(err, io.EOF) {
		return yamlError(err, name)
	}
	var more yaml.Node
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: a second YAML document is not read; remove everything from the line ---", name)
	}
	return nil
}

var (
	yamlLine    = regexp.MustCompile(`^(?:yaml: )?line (\d+): (.*)$`)
	yamlUnknown = regexp.MustCompile(`^field (.*) not found in type configs\.(\w+)$`)
	yamlType    = regexp.MustCompile("^cannot unmarshal !!\\w+(?: `(.*)`)? into (.+)$")
)

// yamlError says what the YAML library says, with file:line in front and the words of this file.
func yamlError(err error, name string) error {
	lines := []string{err.Error()}
	var typed *yaml.TypeError
	if errors.As(err, &typed) {
		lines = typed.Errors
	}
	out := make([]string, 0, len(lines))
	for _, line := range lines {
		text, at := line, name
		if m := yamlLine.FindStringSubmatch(line); m != nil {
			at, text = name+":"+m[1], m[2]
		}
		if m := yamlUnknown.FindStringSubmatch(text); m != nil {
			text = fmt.Sprintf("unknown key %q%s", m[1], inSection(m[2]))
		}
		if m := yamlType.FindStringSubmatch(text); m != nil {
			text = strings.TrimSpace(fmt.Sprintf("%s is not %s", quoted(m[1]), inWords(m[2])))
		}
		out = append(out, at+": "+strings.TrimPrefix(text, "yaml: "))
	}
	return errors.New(strings.Join(out, "\n"))
}

func quoted(value string) string {
	if value == "" {
		return "the value"
	}
	return strconv.Quote(value)
}

// inSection names the section whose Go type is given.
func inSection(typeName string) string {
	t := reflect.TypeFor[Config]()
	for i := range t.NumField() {
		if t.Field(i).Type.Name() == typeName {
			return " in " + t.Field(i).Tag.Get("yaml")
		}
	}
	switch typeName {
	case "Key":
		return " in auth.keys"
	case "Webhook":
		return " in webhooks.targets"
	}
	return ""
}

// kubernetesVariable matches what Kubernetes puts into every container for a service called parley or parley-….
var kubernetesVariable = regexp.MustCompile(`^PARLEY_([A-Z0-9_]+_)?(SERVICE_(HOST|PORT(_.*)?)|PORT(_\d+_(TCP|UDP).*)?)$`)

func applyEnv(environ []string, cfg *Config, where origin) error {
	vars := map[string]string{}
	for _, entry := range environ {
		name, value, ok := strings.Cut(entry, "=")
		if ok && strings.HasPrefix(name, EnvPrefix) && !kubernetesVariable.MatchString(name) {
			vars[name] = value
		}
	}
	opts := env.Options{Prefix: EnvPrefix, Environment: vars}
	if err := env.ParseWithOptions(cfg, opts); err != nil {
		return envError(err, vars)
	}
	known, err := env.GetFieldParamsWithOptions(cfg, opts)
	if err != nil {
		return fmt.Errorf("the environment cannot be read: %w", err)
	}
	names := make(map[string]bool, len(known))
	for _, field := range known {
		names[field.Key] = true
	}
	unknown := []string{}
	for name := range vars {
		if !names[name] {
			if !ofSection(name) {
				continue // for something else, such as a script around the server
			}
			unknown = append(unknown, name+": no option has this variable; see configs/parley.yaml for the names")
			continue
		}
		where[envPath(name)] = name
	}
	slices.Sort(unknown)
	if len(unknown) > 0 {
		return errors.New(strings.Join(unknown, "\n"))
	}
	return nil
}

// ofSection reports whether a variable begins like those of a section of Config.
func ofSection(name string) bool {
	t := reflect.TypeFor[Config]()
	for i := range t.NumField() {
		if strings.HasPrefix(name, EnvPrefix+t.Field(i).Tag.Get("envPrefix")) {
			return true
		}
	}
	return false
}

// envError names the variables that do not parse. The library names Go fields only, so each variable is tried alone.
func envError(err error, vars map[string]string) error {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		var scratch Config
		one := env.ParseWithOptions(&scratch, env.Options{Prefix: EnvPrefix, Environment: map[string]string{name: vars[name]}})
		var parse env.ParseError
		if errors.As(one, &parse) {
			lines = append(lines, fmt.Sprintf("%s: %q is not %s", name, vars[name], inWords(parse.Type.String())))
		}
	}
	if len(lines) == 0 {
		return fmt.Errorf("the environment cannot be read: %w", err)
	}
	return errors.New(strings.Join(lines, "\n"))
}

// inWords says what a Go type of Config wants to be given.
func inWords(goType string) string {
	switch goType {
	case "time.Duration":
		return "a duration such as 30s or 1h"
	case "int", "int64":
		return "a whole number"
	case "float64":
		return "a number"
	case "bool":
		return "true or false"
	case "[]string", "[]configs.Key", "[]configs.Webhook":
		return "a list"
	}
	return "a value of this kind (" + strings.TrimPrefix(goType, "configs.") + ")"
}

// envPath turns PARLEY_AUTH_KEYS_0_ID into auth.keys.0.id, and PARLEY_HTTP_CERT_FILE into http.cert_file.
func envPath(name string) string {
	section, key, _ := strings.Cut(strings.ToLower(strings.TrimPrefix(name, EnvPrefix)), "_")
	for _, list := range []string{"keys", "targets"} {
		rest, _ := strings.CutPrefix(key, list+"_")
		if index, field, ok := strings.Cut(rest, "_"); ok && rest != key {
			if _, err := strconv.Atoi(index); err == nil {
				key = list + "." + index + "." + field
			}
		}
	}
	return section + "." + key
}

// applySet puts one section.key=value over cfg.
func applySet(set string, cfg *Config, where origin) error {
	path, value, ok := strings.Cut(set, "=")
	section, key, dotted := strings.Cut(path, ".")
	if !ok || !dotted || section == "" || key == "" {
		return fmt.Errorf("--set %q is not section.key=value, for instance --set calls.ring_timeout=30s", set)
	}
	if err := yaml.Unmarshal([]byte(value), new(yaml.Node)); err != nil {
		return fmt.Errorf("--set %s: the value is not YAML: %w", path, err)
	}
	doc, err := yaml.Marshal(map[string]map[string]yaml.Node{section: {key: scalarOrTree(value)}})
	if err != nil {
		return fmt.Errorf("--set %s: %w", path, err)
	}
	if err := decode(doc, "--set", cfg); err != nil {
		return fmt.Errorf("%s", strings.ReplaceAll(err.Error(), "--set:2", "--set "+path))
	}
	where[path] = "--set " + path
	return nil
}

// scalarOrTree is a value as YAML reads it; the empty value is the empty string and not null.
func scalarOrTree(value string) yaml.Node {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(value), &doc); err == nil && doc.Kind == yaml.DocumentNode && len(doc.Content) == 1 {
		return *doc.Content[0]
	}
	return yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
}

// YAML returns the configuration as a file that Load would read, with every secret redacted.
func (c Config) YAML() ([]byte, error) {
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(c); err != nil {
		return nil, fmt.Errorf("print the configuration: %w", err)
	}
	return out.Bytes(), nil
}
