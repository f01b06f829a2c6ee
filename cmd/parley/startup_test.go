package main

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// quiet is a log that nobody reads.
var quiet = slog.New(slog.DiscardHandler)

// startupSecret is long enough for an API key.
const startupSecret = "0123456789abcdef0123456789abcdef"

// startUp is one way of not starting.
type startUp struct {
	name string
	args []string
	want []string // all of these, in one sentence
}

// startUps prepares everything that can keep a server from starting.
func startUps(t *testing.T) []startUp {
	t.Helper()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	takenUDP, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = takenUDP.Close() })
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	keys := "auth: {keys: [{id: backend, secret: " + startupSecret + "}]}\n"
	unknown := file("unknown.yaml", keys+"http:\n  listen: 127.0.0.1:0\n  colour: red\n")
	devkey := file("devkey.yaml", strings.Replace(keys, "backend", "devkey", 1)+"turn: {tls: off}\n")
	noCert := file("nocert.yaml", keys+"turn: {tls: off}\nhttp: {cert_file: "+dir+"/none.pem, key_file: "+dir+"/none.key}\n")
	garbage := file("garbage.pem", "not a certificate")
	badCert := file("badcert.yaml", keys+"turn: {tls: off}\nhttp: {cert_file: "+garbage+", key_file: "+garbage+"}\n")
	noTURNCert := file("noturncert.yaml", keys)
	plain := file("plain", "")

	ours, _, _ := devArgs(t, filepath.Join(dir, "data"))
	dev := func(set ...string) []string {
		args := append([]string{}, ours...)
		for _, s := range set {
			args = append(args, "--set", s)
		}
		return args
	}
	with := func(path string) []string {
		args := []string{"serve", "--config", path}
		for i, arg := range ours {
			if arg == "--set" && !strings.HasPrefix(ours[i+1], "turn.tls=") && !strings.HasPrefix(ours[i+1], "auth.") {
				args = append(args, arg, ours[i+1])
			}
		}
		return args
	}
	return []startUp{
		{"port in use", dev("http.listen=" + taken.Addr().String()), []string{"http.listen: TCP port", "is in use by another program; stop that program, or choose another"}},
		{"media port in use", dev("media.udp=" + takenUDP.LocalAddr().String()), []string{"media.udp: UDP port", "is in use"}},
		{"TURN port in use", dev("turn.tls=" + taken.Addr().String()), []string{"turn.tls: TCP port", "is in use"}},
		{"address of another machine", dev("http.listen=192.0.2.1:7700"), []string{`http.listen: "192.0.2.1:7700" is not an address of this machine`}},
		{"one port twice", dev("http.listen=127.0.0.1:1", "admin.listen=127.0.0.1:1"), []string{"http.listen and admin.listen both ask for TCP port 1"}},
		{"no configuration", []string{"serve", "--set", "turn.tls=off"}, []string{"auth.keys is empty", "or start with --dev"}},
		{"missing file", []string{"serve", "--config", "/nowhere/parley.yaml"}, []string{"the configuration file cannot be read", "/nowhere/parley.yaml"}},
		{"unknown key", []string{"serve", "--config", unknown}, []string{unknown + `:4: unknown key "colour" in http`}},
		{"devkey outside --dev", []string{"serve", "--config", devkey}, []string{devkey + ":1: auth.keys.0.id", "everybody knows"}},
		{"missing certificate", with(noCert), []string{"there is no file " + dir + "/none."}},
		{"not a certificate", with(badCert), []string{"http.cert_file: " + garbage, "are not a certificate and its key"}},
		{"no certificate for TURN", []string{"serve", "--config", noTURNCert}, []string{`turn.tls is ":5349", but there is no certificate`, "or turn.tls: off"}},
		{"data directory is a file", dev("store.dir=" + plain + "/data"), []string{"store.dir: the data directory " + plain + "/data cannot be written (not a directory)"}},
		{"--bind without --dev", []string{"serve", "--bind", "0.0.0.0"}, []string{"--bind goes with --dev"}},
		{"unknown flag", []string{"serve", "--colour"}, []string{"unknown flag --colour", "see parley --help"}},
		{"unknown command", []string{"serv"}, []string{"unexpected argument serv"}},
	}
}

// TestStartUpErrors runs the real binary into all of them: one sentence, exit code 1.
func TestStartUpErrors(t *testing.T) {
	for _, row := range startUps(t) {
		t.Run(row.name, func(t *testing.T) {
			code, stdout, stderr := runBinary(t, row.args...)
			if code != 1 || stdout != "" {
				t.Errorf("exit code %d, standard output %q", code, stdout)
			}
			var said []string // log lines of what had started before do not count
			for line := range strings.Lines(stderr) {
				if strings.HasPrefix(line, "parley: ") {
					said = append(said, line)
				}
			}
			if len(said) != 1 {
				t.Fatalf("it said\n%s", stderr)
			}
			for _, want := range row.want {
				if !strings.Contains(said[0], want) {
					t.Errorf("it said\n  %swant\n  %s", said[0], want)
				}
			}
			if strings.Contains(stderr, startupSecret) {
				t.Error("a secret was printed")
			}
		})
	}
}

func TestTokensAndCredentialsNeedNoServer(t *testing.T) {
	code, out, _ := runBinary(t, "token", "--dev", "--uid", "alice")
	if code != 0 || strings.Count(out, ".") != 2 || strings.Count(out, "\n") != 1 {
		t.Errorf("token gave %d %q", code, out)
	}
	code, out, _ = runBinary(t, "turn-credential", "--dev", "--uid", "alice")
	for _, want := range []string{`{"urls":["turn:127.0.0.1:3478?transport=udp"`, `"turns:127.0.0.1:5349?transport=tcp"]`, `"username":`, `"credential":`} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("turn-credential gave %d %s, without %s", code, out, want)
		}
	}
	if code, _, stderr := runBinary(t, "token", "--dev", "--uid", "a b"); code != 1 || !strings.Contains(stderr, "is not a uid") {
		t.Errorf("a bad uid gave %d %s", code, stderr)
	}
	if code, out, _ = runBinary(t, "version"); code != 0 || !strings.HasPrefix(out, "parley ") {
		t.Errorf("version gave %d %s", code, out)
	}
	if code, out, _ = runBinary(t, "config", "print", "--dev"); code != 0 || !strings.Contains(out, "ring_timeout: 45s") || strings.Contains(out, "never-deploy") {
		t.Errorf("config print gave %d %s", code, out)
	}
	if code, out, _ = runBinary(t, "--help"); code != 0 || !strings.Contains(out, "turn-credential") {
		t.Errorf("help gave %d %s", code, out)
	}
}
