package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/parleyrtc/parley/"

// kind says what a package may do.
type kind int

const (
	pure kind = iota // decides: no socket, clock, lock, goroutine
	rim              // does: sockets, timers, goroutines
)

// packages is the import table of docs/architecture.md: every package, what it is, and which of ours it may import.
var packages = map[string]struct {
	kind kind
	uses []string // prefixes of packages of this module
}{
	"cmd/parley": {rim, []string{""}},
	"configs":    {rim, nil},
	"web":        {rim, nil},

	"signaling":               {rim, []string{"signaling/"}},
	"signaling/store":         {rim, nil},
	"signaling/call":          {pure, nil},
	"signaling/wire":          {pure, nil},
	"signaling/token":         {pure, []string{"signaling/wire"}},
	"signaling/webhook":       {rim, []string{"signaling/"}},
	"signaling/webhook/lanes": {pure, nil},
	"signaling/journal":       {pure, []string{"signaling/call"}},
	"signaling/history":       {pure, []string{"signaling/call", "signaling/journal", "signaling/wire"}},
	"signaling/resume":        {pure, nil},
	"signaling/idem":          {pure, nil},
	"signaling/outbound":      {rim, nil},
	"signaling/push":          {rim, []string{"signaling/"}},
	"signaling/push/notice":   {pure, []string{"signaling/call", "signaling/wire"}},

	"sfu":                    {rim, []string{"sfu/"}},
	"sfu/transport":          {rim, []string{"sfu/"}},
	"sfu/transport/datagram": {rim, nil}, // bench/load and bench/floor use it as well
	"sfu/packet":             {pure, nil},
	"sfu/budget":             {pure, nil},
	"sfu/protect":            {pure, nil},
	"sfu/seq":                {pure, nil},
	"sfu/history":            {pure, []string{"sfu/"}},
	"sfu/munge":              {pure, []string{"sfu/"}},
	"sfu/layer":              {pure, []string{"sfu/"}},
	"sfu/nack":               {pure, []string{"sfu/"}},
	"sfu/quality":            {pure, nil},
	"sfu/red":                {pure, nil},
	"sfu/report":             {pure, []string{"sfu/"}},
	"sfu/slots":              {pure, nil},
	"sfu/bwe":                {pure, nil},
	"sfu/pacer":              {pure, []string{"sfu/bwe"}},
	"sfu/speaker":            {pure, nil},

	"turn":            {rim, []string{"turn/"}},
	"turn/credential": {pure, nil},
	"turn/guard":      {pure, nil},
	"turn/peers":      {pure, nil},
	"turn/ports":      {pure, nil},
	"turn/ration":     {pure, nil},

	"bench/client": {rim, nil}, // written from docs/protocol.md alone
	"bench/serve":  {rim, nil},

	"bench/report":   {rim, nil},
	"bench/progress": {rim, nil},
	"bench":          {rim, []string{"bench/"}},
	"bench/load":     {rim, []string{"bench/", "sfu/transport/datagram", "sfu/packet"}},
	"bench/floor":    {rim, []string{"bench/", "sfu/transport/datagram", "sfu/packet"}},
	"bench/netlab":   {rim, []string{"bench/netlab/"}},
	"bench/proc":     {rim, nil},
	"bench/keys":     {rim, nil},
	"bench/witness":  {rim, []string{"bench/"}},

	"bench/netlab/link": {pure, nil},
	"bench/verdict":     {pure, nil},

	"cmd/parley-bench": {rim, []string{"bench"}},
}

// forbidden are the imports that a pure package has no use for.
var forbidden = []string{"net/http", "os", "os/signal", "sync", "sync/atomic", "syscall", "context", "github.com/pion/webrtc/v4",
	"github.com/gorilla/websocket", "github.com/nats-io/", "github.com/prometheus/"}

// clock are the functions of package time that read or wait for the clock.
var clock = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"}

// addresses are what package net has for a pure package: types that hold an address, and what writes and reads them.
var addresses = []string{"Addr", "UDPAddr", "TCPAddr", "IP", "UDPAddrFromAddrPort", "TCPAddrFromAddrPort", "JoinHostPort", "SplitHostPort"}

// sourceFiles reads the files of the module that are not tests, by package.
func sourceFiles(t *testing.T) (map[string][]*ast.File, *token.FileSet) {
	t.Helper()
	root := filepath.Join("..", "..")
	set := token.NewFileSet()
	found := map[string][]*ast.File{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && path != root && (strings.HasPrefix(name, ".") && name != ".." || name == "node_modules" || name == "testdata") {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		found[filepath.ToSlash(dir)] = append(found[filepath.ToSlash(dir)], file)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found, set
}

func TestEveryPackageIsInTheTable(t *testing.T) {
	found, _ := sourceFiles(t)
	for dir := range found {
		if _, ok := packages[dir]; !ok {
			t.Errorf("the package %s is not in the import table; say there what it is and what it may import", dir)
		}
	}
	for dir := range packages {
		if found[dir] == nil {
			t.Errorf("the import table has a package %s, which is not there", dir)
		}
	}
}

func TestImportRules(t *testing.T) {
	found, set := sourceFiles(t)
	for dir, files := range found {
		rule := packages[dir]
		for _, file := range files {
			where := set.Position(file.Pos()).Filename
			for _, spec := range file.Imports {
				path, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					t.Fatal(err)
				}
				ours, isOurs := strings.CutPrefix(path, module)
				allowed := slices.ContainsFunc(rule.uses, func(prefix string) bool { return strings.HasPrefix(ours, prefix) })
				if isOurs && !allowed {
					t.Errorf("%s: %s must not import %s", where, dir, ours)
				}
				if rule.kind == pure && slices.ContainsFunc(forbidden, func(f string) bool {
					return path == f || strings.HasSuffix(f, "/") && strings.HasPrefix(path, f)
				}) {
					t.Errorf("%s: %s decides only and must not import %s", where, dir, path)
				}
			}
			if rule.kind == pure {
				checkPure(t, set, file)
			}
		}
	}
}

// checkPure finds goroutines and looks at the clock.
func checkPure(t *testing.T, set *token.FileSet, file *ast.File) {
	t.Helper()
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			t.Errorf("%s: a goroutine in a package that decides only", set.Position(n.Pos()))
		case *ast.SelectorExpr:
			x, ok := n.X.(*ast.Ident)
			switch {
			case !ok || x.Obj != nil: // a variable that is called like a package
			case x.Name == "time" && slices.Contains(clock, n.Sel.Name):
				t.Errorf("%s: time.%s in a package that decides only; take the time as an argument", set.Position(n.Pos()), n.Sel.Name)
			case x.Name == "net" && !slices.Contains(addresses, n.Sel.Name):
				t.Errorf("%s: net.%s in a package that decides only", set.Position(n.Pos()), n.Sel.Name)
			}
		}
		return true
	})
}
