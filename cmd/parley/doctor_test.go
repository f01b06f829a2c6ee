package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parleyrtc/parley/configs"
)

// writeCertificate makes a self-signed certificate and its key as PEM files.
func writeCertificate(t *testing.T, dir, name string, until time.Time) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(until.UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-100 * 24 * time.Hour), NotAfter: until,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	text, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: text},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func addrs(texts ...string) (out []netip.Addr) {
	for _, text := range texts {
		out = append(out, netip.MustParseAddr(text))
	}
	return out
}

// says checks that one finding has the grade and the words.
func says(t *testing.T, all []finding, g grade, words string) {
	t.Helper()
	for _, f := range all {
		if f.grade == g && strings.Contains(f.text, words) {
			return
		}
	}
	t.Errorf("no %q finding says %q in %v", g, words, all)
}

func TestDoctorOnAddresses(t *testing.T) {
	cfg := configs.Default()
	cfg.TURN.TLS = configs.Off
	cfg.Media.UDP = "192.168.1.5:7701"
	says(t, checkAddresses(cfg, addrs("192.168.1.5")), hint, "set media.advertise to the public address")
	cfg.Media.Advertise = []string{"203.0.113.7"}
	says(t, checkAddresses(cfg, addrs("192.168.1.5")), hint, "must forward UDP and TCP port 7701, UDP 3478, TCP 3478")
	all := checkAddresses(cfg, addrs("203.0.113.7"))
	says(t, all, good, "203.0.113.7, port 7701")
	if len(all) != 1 {
		t.Errorf("a public machine hears %v", all)
	}
	cfg.Media.Advertise = []string{"10.1.2.3"}
	says(t, checkAddresses(cfg, addrs("192.168.1.5")), hint, "for clients of that network")
	cfg.TURN.Enabled = false
	says(t, checkAddresses(cfg, nil), hint, "it is off")
	says(t, checkAddresses(configs.Dev("127.0.0.1"), nil), hint, "that is loopback")
}

func TestDoctorOnCertificates(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	cfg := configs.Default()
	cfg.HTTP.CertFile, cfg.HTTP.KeyFile = writeCertificate(t, dir, "calls.example.org", now.Add(80*24*time.Hour))
	cfg.TURN.Host = "calls.example.org"
	says(t, checkCertificates(cfg, now), good, "for calls.example.org")
	cfg.TURN.Host = "turn.example.org"
	says(t, checkCertificates(cfg, now), bad, "is not for turn.example.org, so clients will refuse it")
	says(t, checkCertificates(cfg, now.Add(75*24*time.Hour)), hint, "renew it")
	writeCertificate(t, dir, "calls.example.org", now.Add(-time.Hour))
	says(t, checkCertificates(cfg, now), bad, "ran out on")
	cfg.HTTP.CertFile = filepath.Join(dir, "none.pem")
	says(t, checkCertificates(cfg, now), bad, "there is no file")
}

func TestDoctorOnExposureAndStore(t *testing.T) {
	cfg := configs.Default()
	cfg.Admin.Listen, cfg.HTTP.AllowedOrigins = ":7702", []string{"*"}
	says(t, checkExposure(cfg), hint, "asks for no password")
	says(t, checkExposure(cfg), hint, "over HTTPS only")
	says(t, checkExposure(cfg), hint, "every web site")
	says(t, checkExposure(configs.Dev("127.0.0.1")), hint, "anyone can sign in")
	cfg.Store.Dir = filepath.Join(t.TempDir(), "data")
	says(t, checkStore(cfg), good, "on disk after")
	cfg.Store.Dir = "/dev/null/data"
	says(t, checkStore(cfg), bad, "cannot be written (not a directory)")
	cfg.Store.URL = "nats://nats.internal"
	says(t, checkStore(cfg), hint, "NATS cluster")
}

func TestDoctorOnWebhooks(t *testing.T) {
	cfg := configs.Default()
	if all := checkWebhooks(t.Context(), cfg); len(all) != 0 {
		t.Errorf("without targets it says %v", all)
	}
	cfg.Webhooks.Targets = []configs.Webhook{{Name: "app", URL: "https://127.0.0.1/hook"}}
	says(t, checkWebhooks(t.Context(), cfg), bad, "put it into webhooks.allow")
	cfg.Webhooks.Allow = []string{"127.0.0.0/8"}
	says(t, checkWebhooks(t.Context(), cfg), good, "127.0.0.1 leads to")
	cfg.Webhooks.Targets[0].URL = "http://93.184.215.14/hook"
	says(t, checkWebhooks(t.Context(), cfg), bad, "write https://")
	cfg.Webhooks.Targets[0].URL = "https://nowhere.invalid/hook"
	says(t, checkWebhooks(t.Context(), cfg), bad, "cannot be resolved")
}

func TestDoctorFailsForBadFindingsOnly(t *testing.T) {
	var out bytes.Buffer
	if err := report(&out, []finding{found(good, "a", "fine."), found(hint, "b", "well.")}); err != nil {
		t.Error(err)
	}
	if err := report(&out, []finding{found(bad, "a", "no.")}); err == nil {
		t.Error("a bad finding did not fail")
	}
}

func TestChangedCertificateIsReadAgain(t *testing.T) {
	dir := t.TempDir()
	cert, key := writeCertificate(t, dir, "a.example", time.Now().Add(time.Hour))
	var log bytes.Buffer
	c, err := openCertificate("http", cert, key, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	name := func(at time.Time) string {
		t.Helper()
		for _, file := range []string{cert, key} { // the time stands for a later change
			if err := os.Chtimes(file, at, at); err != nil {
				t.Fatal(err)
			}
		}
		c.checked = time.Time{}
		pair, err := c.get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return pair.Leaf.DNSNames[0]
	}
	writeCertificate(t, dir, "b.example", time.Now().Add(2*time.Hour))
	if got := name(time.Now().Add(time.Minute)); got != "b.example" {
		t.Errorf("after a change it is %s", got)
	}
	if err := os.WriteFile(cert, []byte("half a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := name(time.Now().Add(2 * time.Minute)); got != "b.example" {
		t.Errorf("after a broken change it is %s", got)
	}
	if !strings.Contains(log.String(), "the changed certificate is not used") {
		t.Errorf("the log says %s", &log)
	}
}
