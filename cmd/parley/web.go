package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
)

// asset is one file of the web page or the SDK, ready to be sent.
type asset struct {
	mediaType string
	etag      string
	plain     []byte
	zipped    []byte // nil when it is not smaller
}

// assets serves the built web files from memory. Their names carry no hash, so a browser asks each time whether its copy is
// still good; the answer is a 304 of a few bytes.
type assets struct{ files map[string]asset }

// newAssets reads all files of a tree. Paths begin with a slash; "/" is index.html.
func newAssets(tree fs.FS) (*assets, error) {
	a := &assets{files: map[string]asset{}}
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		a.files["/"+name] = newAsset(name, text)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the web files: %w", err)
	}
	if index, ok := a.files["/index.html"]; ok {
		a.files["/"] = index
	}
	return a, nil
}

// mediaTypes are those of our own files, so that they do not depend on the machine's tables.
var mediaTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".map": "application/json", ".json": "application/json",
	".ts": "text/plain; charset=utf-8",
}

func newAsset(name string, text []byte) asset {
	sum := sha256.Sum256(text)
	mediaType := mediaTypes[path.Ext(name)]
	if mediaType == "" {
		mediaType = mime.TypeByExtension(path.Ext(name))
	}
	if mediaType == "" {
		mediaType = "application/octet-stream"
	}
	a := asset{mediaType: mediaType, etag: `"` + hex.EncodeToString(sum[:12]) + `"`, plain: text}
	var zipped bytes.Buffer
	w, _ := gzip.NewWriterLevel(&zipped, gzip.BestCompression) // the level is a valid one
	_, _ = w.Write(text)                                       // into memory: cannot fail
	_ = w.Close()
	if zipped.Len() < len(text)*9/10 {
		a.zipped = zipped.Bytes()
	}
	return a
}

// pagePolicy lets the page run its own script and talk to its own server, and nothing else. Video elements play streams,
// which need no source of their own; avatars may come from anywhere over HTTPS.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob: https:; " +
	"media-src 'self' blob: data:; connect-src 'self'; font-src 'self'; manifest-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// ServeHTTP sends a file.
func (a *assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
		return
	}
	file, ok := a.files[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Security-Policy", pagePolicy)
	h.Set("Permissions-Policy", "camera=(self), microphone=(self), display-capture=(self)")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	if strings.HasPrefix(r.URL.Path, "/sdk/") { // other sites may load the SDK; what they may do is decided by Origin
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	}
	h.Set("Content-Type", file.mediaType)
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", file.etag)
	h.Set("Vary", "Accept-Encoding")
	if strings.Contains(r.Header.Get("If-None-Match"), file.etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := file.plain
	if file.zipped != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = file.zipped
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(body) // the client is gone, or it has the file
	}
}
