package configs

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// problem is one field that cannot be used, and what to do about it.
type problem struct {
	path string // http.listen, auth.keys.0.id
	text string // continues the sentence that begins with the path
}

// origin says where the value of a path was written: parley.yaml:12, PARLEY_HTTP_LISTEN or --set http.listen.
type origin map[string]string

// file notes the line of every key of a YAML file.
func (o origin) file(text []byte, name string) {
	var doc yaml.Node
	if yaml.Unmarshal(text, &doc) == nil && len(doc.Content) == 1 {
		o.walk(doc.Content[0], nil, name)
	}
}

func (o origin) walk(node *yaml.Node, path []string, name string) {
	if len(path) > 0 {
		o[strings.Join(path, ".")] = name + ":" + strconv.Itoa(node.Line)
	}
	switch node.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			o.walk(node.Content[i+1], append(slices.Clone(path), node.Content[i].Value), name)
		}
	case yaml.SequenceNode:
		for i, item := range node.Content {
			o.walk(item, append(slices.Clone(path), strconv.Itoa(i)), name)
		}
	}
}

// explain makes one error of problems, a line each, with the place where the value came from.
func (o origin) explain(problems []problem) error {
	lines := make([]string, 0, len(problems))
	for _, p := range problems {
		line := p.path + " " + p.text
		if at := o[p.path]; at != "" && at != p.path {
			line = fmt.Sprintf("%s: %s", at, line)
		}
		lines = append(lines, line)
	}
	return errors.New(strings.Join(lines, "\n"))
}
