//go:build race

package client_test

func init() { buildFlags = append(buildFlags, "-race") }
