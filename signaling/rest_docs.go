package signaling

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed rest_docs.html
var docsPage string

// docsGroup is the operations under one first element of the path.
type docsGroup struct {
	Name       string
	Operations []docsOperation
}

// docsOperation is one operation as the page shows it.
type docsOperation struct {
	ID, Method, Path, Summary, Access string
	Params                            []docsField
	Body                              []docsField
	Answers                           []docsAnswer
}

type docsAnswer struct {
	Status, Type string
	Fields       []docsField
}

// docsField is one parameter or one field of an object.
type docsField struct {
	Name, In, Type, Doc string
	Required            bool
}

// serveDocs shows the OpenAPI document to people at /v1/docs. The page is made when it is first asked for: operations are
// registered until then.
func (r *REST) serveDocs() error {
	page, err := template.New("docs").Parse(docsPage)
	if err != nil {
		return fmt.Errorf("signaling: the page of the API: %w", err)
	}
	rendered := sync.OnceValues(func() ([]byte, error) {
		var out bytes.Buffer
		api := r.api.OpenAPI()
		err := page.Execute(&out, map[string]any{
			"Title": api.Info.Title, "Version": api.Info.Version, "About": api.Info.Description, "Groups": docsOf(api),
		})
		return out.Bytes(), err
	})
	r.mux.HandleFunc("GET /v1/docs", func(w http.ResponseWriter, _ *http.Request) {
		text, err := rendered()
		if err != nil {
			writeProblem(w, r.problem(err).(*Problem))
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write(text) // the client is gone, or it has the page
	})
	return nil
}

// docsOf arranges the document for the page, by path and method.
func docsOf(api *huma.OpenAPI) []docsGroup {
	var groups []docsGroup
	for _, path := range slices.Sorted(maps.Keys(api.Paths)) {
		name, _, _ := strings.Cut(strings.TrimPrefix(path, "/v1/"), "/")
		if len(groups) == 0 || groups[len(groups)-1].Name != name {
			groups = append(groups, docsGroup{Name: name})
		}
		group, item := &groups[len(groups)-1], api.Paths[path]
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil {
				group.Operations = append(group.Operations, docsOperationOf(api, op))
			}
		}
	}
	return groups
}

func docsOperationOf(api *huma.OpenAPI, op *huma.Operation) docsOperation {
	out := docsOperation{ID: op.OperationID, Method: op.Method, Path: op.Path, Summary: op.Summary, Access: docsAccess(op)}
	for _, p := range op.Parameters {
		out.Params = append(out.Params, docsField{Name: p.Name, In: p.In, Type: docsType(p.Schema), Doc: p.Description, Required: p.Required})
	}
	if op.RequestBody != nil {
		for _, content := range op.RequestBody.Content {
			out.Body = docsFields(api, content.Schema)
		}
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		answer := docsAnswer{Status: status, Type: op.Responses[status].Description}
		for _, content := range op.Responses[status].Content {
			if status < "300" {
				answer.Fields = docsFields(api, content.Schema)
			}
		}
		out.Answers = append(out.Answers, answer)
	}
	return out
}

// docsAccess says in words who may use an operation.
func docsAccess(op *huma.Operation) string {
	var ways []string
	for _, security := range op.Security {
		for scheme := range security {
			ways = append(ways, map[string]string{"token": "a user's token", "key": "an API key"}[scheme])
		}
	}
	if len(ways) == 0 {
		return "anybody"
	}
	return strings.Join(ways, " or ")
}

// docsFields lists the fields of an object, following a reference.
func docsFields(api *huma.OpenAPI, schema *huma.Schema) []docsField {
	if schema != nil && schema.Ref != "" {
		schema = api.Components.Schemas.SchemaFromRef(schema.Ref)
	}
	if schema == nil {
		return nil
	}
	var out []docsField
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		p := schema.Properties[name]
		out = append(out, docsField{Name: name, Type: docsType(p), Doc: p.Description, Required: slices.Contains(schema.Required, name)})
	}
	return out
}

// docsType is a schema in a few words.
func docsType(schema *huma.Schema) string {
	switch {
	case schema == nil:
		return ""
	case schema.Ref != "":
		return schema.Ref[strings.LastIndexByte(schema.Ref, '/')+1:]
	case schema.Type == huma.TypeArray:
		return "list of " + docsType(schema.Items)
	case len(schema.Enum) > 0:
		values := make([]string, len(schema.Enum))
		for i, value := range schema.Enum {
			values[i] = fmt.Sprint(value)
		}
		return strings.Join(values, " | ")
	}
	return schema.Type
}
