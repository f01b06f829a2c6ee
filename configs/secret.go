package configs

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// redacted stands for a secret wherever a configuration is shown.
const redacted = "[redacted]"

// Secret is a string that prints, logs and marshals as [redacted]. Reveal gives what it hides.
type Secret string

// Reveal returns the secret itself, for the one place that uses it.
func (s Secret) Reveal() string { return string(s) }

// String hides the secret; an empty one stays empty, so that it shows that none is set.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText hides the secret from encoders and from log/slog.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalYAML hides the secret from configs printed as YAML.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }

// maxSecretFile bounds a secret file; a longer one is surely the wrong file.
const maxSecretFile = 4096

// readSecret returns the content of a file that holds one secret, without the newline that editors add.
func readSecret(path string) (Secret, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("cannot be read: %w", err)
	}
	text := strings.TrimRight(string(raw), "\r\n")
	switch {
	case text == "":
		return "", errors.New("is empty")
	case len(raw) > maxSecretFile:
		return "", fmt.Errorf("is longer than %d bytes, so it cannot be a secret", maxSecretFile)
	}
	return Secret(text), nil
}
