// Package web holds the built web assets: the call page, the SDK and its CometChat-shaped layer.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// FS returns the built assets, rooted at the directory that is served as "/":
// index.html, page.js and page.css of the call page, and the SDK under sdk/.
// It is read-only and safe for concurrent use.
func FS() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // "dist" is a valid path, so this cannot happen
	}
	return sub
}
