// Command parley is a calling server in one process: call signaling, an SFU and a TURN server.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/parleyrtc/parley/configs"
)

// commands is the command line. Its tags are the help.
type commands struct {
	Serve          serveCommand       `cmd:"" help:"Run the server."`
	Token          tokenCommand       `cmd:"" help:"Print a token for a user."`
	TURNCredential credentialCommand  `cmd:"" name:"turn-credential" help:"Print TURN credentials for a user, as JSON."`
	Doctor         doctorCommand      `cmd:"" help:"Say what is wrong with ports, addresses, certificates and disk."`
	Healthcheck    healthcheckCommand `cmd:"" help:"Ask a running server whether it is ready; exit code 1 when it is not."`
	Config         configCommand      `cmd:"" help:"Work with the configuration."`
	Version        versionCommand     `cmd:"" help:"Print the version."`
}

// process is what a command may use of the world around it.
type process struct {
	context context.Context
	env     []string
	stdout  io.Writer
	stderr  io.Writer
	now     func() time.Time
}

// errSilent ends a command that has said everything already with exit code 1.
var errSilent = errors.New("failed")

func main() {
	p := &process{context: context.Background(), env: os.Environ(), stdout: os.Stdout, stderr: os.Stderr, now: time.Now}
	os.Exit(p.run(os.Args[1:]))
}

// run carries out one command line and returns the exit code.
func (p *process) run(args []string) int {
	exited := -1
	parser, err := kong.New(&commands{},
		kong.Name("parley"), kong.Description("Self-hosted calling: signaling, SFU and TURN in one process."),
		kong.Writers(p.stdout, p.stderr), kong.Exit(func(code int) { exited = code }), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
	)
	if err != nil {
		return p.fail(err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	command, err := parser.Parse(args)
	if exited >= 0 { // --help has been printed
		return exited
	}
	if err != nil {
		return p.fail(fmt.Errorf("%w; see parley --help", err))
	}
	if err := command.Run(p); err != nil {
		return p.fail(err)
	}
	return 0
}

// fail says what went wrong, a line each, and returns the exit code.
func (p *process) fail(err error) int {
	if !errors.Is(err, errSilent) {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			fmt.Fprintln(p.stderr, "parley: "+line)
		}
	}
	return 1
}

// source are the flags that say where the configuration comes from.
type source struct {
	Config string   `short:"c" placeholder:"FILE" help:"Configuration file (YAML); configs/parley.yaml lists every option."`
	Dev    bool     `help:"Try things out: no configuration needed, a key that everybody knows, anyone signs in as anyone, everything on loopback."`
	Bind   string   `placeholder:"ADDRESS" help:"With --dev: listen on this address instead of loopback."`
	Set    []string `placeholder:"section.key=value" sep:"none" help:"Set one option; goes before file and environment. May be repeated."`
}

func (s source) of(env []string) (configs.Source, error) {
	if s.Bind != "" && !s.Dev {
		return configs.Source{}, errors.New("--bind goes with --dev; in a configuration file every listener has its own address")
	}
	return configs.Source{Path: s.Config, Env: env, Set: s.Set, Dev: s.Dev, Bind: s.Bind}, nil
}

// load reads the configuration strictly.
func (s source) load(env []string) (configs.Config, error) {
	src, err := s.of(env)
	if err != nil {
		return configs.Config{}, err
	}
	return configs.Load(src)
}

// read reads it without checking what a server would need.
func (s source) read(env []string) (configs.Config, error) {
	src, err := s.of(env)
	if err != nil {
		return configs.Config{}, err
	}
	return configs.Read(src)
}
