package store

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// root is before every subject, so that nothing else on a shared NATS is touched.
const root = "parley.state."

// subject is where a record lives: one token for each element of its key. Letters, digits, '-' and '_' stand for themselves,
// every other byte is '=' and two hex digits, and an empty element is a single '='. The mapping is injective, and no key can
// have a wildcard, a separator or a space in its subject.
func subject(key string) string {
	elements := strings.Split(key, "/")
	for i, element := range elements {
		elements[i] = escape(element)
	}
	return root + strings.Join(elements, ".")
}

// subjectsUnder is the wildcard for the keys below a prefix that ends on an element.
func subjectsUnder(prefix string) string {
	if prefix == "" {
		return root + ">"
	}
	return subject(strings.TrimSuffix(prefix, "/")) + ".>"
}

// keyOf is the reverse of subject.
func keyOf(subj string) (string, error) {
	tokens, ours := strings.CutPrefix(subj, root)
	if !ours {
		return "", fmt.Errorf("store: %q is not a subject of this store", subj)
	}
	elements := strings.Split(tokens, ".")
	for i, token := range elements {
		element, err := unescape(token)
		if err != nil {
			return "", fmt.Errorf("store: %q is not a subject of this store", subj)
		}
		elements[i] = element
	}
	return strings.Join(elements, "/"), nil
}

func escape(element string) string {
	if element == "" {
		return "="
	}
	var b strings.Builder
	for i := range len(element) {
		if c := element[i]; plain(c) {
			b.WriteByte(c)
		} else {
			b.WriteByte('=')
			b.WriteString(hex.EncodeToString([]byte{c}))
		}
	}
	return b.String()
}

func unescape(token string) (string, error) {
	if token == "=" {
		return "", nil
	}
	var b strings.Builder
	for i := 0; i < len(token); i++ {
		if token[i] != '=' {
			b.WriteByte(token[i])
			continue
		}
		if i+3 > len(token) {
			return "", errors.New("cut escape")
		}
		c, err := hex.DecodeString(token[i+1 : i+3])
		if err != nil {
			return "", err
		}
		b.Write(c)
		i += 2
	}
	return b.String(), nil
}

func plain(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}
