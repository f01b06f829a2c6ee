package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"net/netip"
	"os"
	"sync"
	"time"
)

// certificate is a pair of files that is read again when it changes, so that a renewal needs no restart.
type certificate struct {
	// Set at construction.
	certFile, keyFile string
	option            string // the section that names the files
	log               *slog.Logger

	// Guarded by mu.
	mu       sync.Mutex
	current  *tls.Certificate
	modified time.Time // of the newer of the two files
	checked  time.Time
}

// lookAgain is how often the files are looked at, at most.
const lookAgain = 10 * time.Second

// openCertificate reads the files, or says in one sentence what is wrong with them.
func openCertificate(option, certFile, keyFile string, log *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, option: option, log: log}
	if err := c.read(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *certificate) read() error {
	for option, file := range map[string]string{c.option + ".cert_file": c.certFile, c.option + ".key_file": c.keyFile} {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: there is no file %s; write the path of a PEM file", option, file)
		}
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("%s.cert_file: %s and %s are not a certificate and its key: %w", c.option, c.certFile, c.keyFile, err)
	}
	if now := time.Now(); pair.Leaf != nil && now.After(pair.Leaf.NotAfter) {
		return fmt.Errorf("%s.cert_file: the certificate in %s ran out on %s; renew it",
			c.option, c.certFile, pair.Leaf.NotAfter.Format(time.DateOnly))
	}
	c.current, c.modified = &pair, c.newest()
	return nil
}

func (c *certificate) newest() time.Time {
	var newest time.Time
	for _, file := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(file); err == nil && info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	return newest
}

// get is tls.Config.GetCertificate.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.checked) > lookAgain {
		c.checked = now
		if newest := c.newest(); !newest.Equal(c.modified) {
			c.renew(newest)
		}
	}
	return c.current, nil
}

// renew reads changed files; until they are good the old certificate stays. The caller holds mu.
func (c *certificate) renew(newest time.Time) {
	if err := c.read(); err != nil {
		c.modified = newest // say it once per change
		c.log.Warn("the changed certificate is not used", "error", err)
		return
	}
	c.log.Info("read the changed certificate", "file", c.certFile, "until", c.current.Leaf.NotAfter)
}

// expires is when the certificate runs out.
func (c *certificate) expires() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.current.Leaf.NotAfter
}

func (c *certificate) tls(protocols ...string) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get, NextProtos: protocols}
}

// selfSigned makes a certificate in memory, so that TURN over TLS can be tried in --dev by clients that do not check it.
func selfSigned(now time.Time, addrs []netip.Addr) (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "parley --dev"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(30 * 24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"localhost"},
	}
	for _, addr := range addrs {
		template.IPAddresses = append(template.IPAddresses, addr.AsSlice())
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("make a certificate: %w", err)
	}
	return &tls.Config{
		MinVersion:   tls.VersionTLS12,
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
	}, nil
}
