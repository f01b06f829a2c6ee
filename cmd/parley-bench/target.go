package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/golang-jwt/jwt/v5"

	"github.com/parleyrtc/parley/bench"
)

// server says which server gets the load.
type server struct {
	Serve       bool     `group:"server" help:"Start a server for this run, on a core of its own where there are two."`
	Binary      string   `group:"server" placeholder:"FILE" help:"With --serve: the parley binary; otherwise it is built from the source around."`
	Netns       bool     `group:"server" help:"With --serve: server and clients in two network namespaces joined by a veth pair (root only)."`
	URL         string   `group:"server" name:"url" placeholder:"URL" help:"Load this running server, such as http://127.0.0.1:7700."`
	Token       []string `group:"server" sep:"none" placeholder:"TOKEN" help:"With --url: a user's token. May be repeated, one for each user; @FILE has one a line."`
	APIKey      string   `group:"server" name:"api-key" placeholder:"ID:SECRET" help:"With --url: an API key, to sign tokens for as many users as it takes; @FILE has it."`
	Admin       string   `group:"server" placeholder:"URL" help:"With --url: its admin listener, for goroutines, heap and relayed bytes."`
	PID         int      `group:"server" name:"pid" placeholder:"PID" help:"With --url: its process, where it runs on this machine, for CPU and memory."`
	AllowRemote bool     `group:"server" help:"With --url: load another machine. Ask whoever owns it first."`

	noServer bool     // the scenario measures without one
	env      []string // more of a server that is started
	anywhere bool     // server and clients may run on all cores: what is measured is not what they cost
}

// opened is a target with what is to be undone at the end.
type opened struct {
	bench.Target
	words string // for the report
	close func()
}

// open starts or finds the server.
func (s server) open(ctx context.Context, p bench.Progress) (opened, error) {
	if s.noServer {
		cores := bench.PickCores()
		return opened{Target: bench.Target{Cores: cores}, words: "none" + onCores(cores, "floor") + ", over loopback", close: func() {}}, bench.PinClients(cores)
	}
	if err := s.check(); err != nil {
		return opened{}, err
	}
	if s.Serve {
		return s.start(ctx, p)
	}
	local, err := bench.IsLocal(s.URL)
	if err != nil {
		return opened{}, err
	}
	if !local && !s.AllowRemote {
		return opened{}, fmt.Errorf("%w: %s is not loopback; load is an attack on whoever did not ask for it, so say --allow-remote if you may",
			bench.ErrRemote, s.URL)
	}
	t := bench.Target{Base: strings.TrimSuffix(s.URL, "/"), Admin: strings.TrimSuffix(s.Admin, "/"), PID: s.PID}
	if err := s.authorize(&t); err != nil {
		return opened{}, err
	}
	words := t.Base
	if s.PID != 0 {
		words += fmt.Sprintf(" (process %d)", s.PID)
	}
	return opened{Target: t, words: words, close: func() {}}, nil
}

// check finds flags that contradict each other.
func (s server) check() error {
	switch {
	case !s.Serve && s.URL == "":
		return fmt.Errorf("%w: which server? Say --serve to start one, or --url to load a running one", errUsage)
	case s.Serve && s.URL != "":
		return fmt.Errorf("%w: --serve and --url contradict each other", errUsage)
	case s.Serve && (len(s.Token) > 0 || s.APIKey != "" || s.Admin != "" || s.PID != 0 || s.AllowRemote):
		return fmt.Errorf("%w: --token, --api-key, --admin, --pid and --allow-remote go with --url", errUsage)
	case !s.Serve && (s.Netns || s.Binary != ""):
		return fmt.Errorf("%w: --netns and --binary go with --serve", errUsage)
	case len(s.Token) > 0 && s.APIKey != "":
		return fmt.Errorf("%w: --token and --api-key contradict each other", errUsage)
	}
	return nil
}

func (s server) start(ctx context.Context, p bench.Progress) (opened, error) {
	phase := "starting a server"
	if s.Binary == "" {
		phase = "building a server"
	}
	p(bench.Update{Phase: phase})
	cores := bench.PickCores()
	if s.anywhere {
		cores = bench.AllCores()
	}
	own, err := bench.Serve(ctx, bench.ServeConfig{Binary: s.Binary, Cores: cores, Netns: s.Netns, Env: s.env})
	if err != nil {
		return opened{}, err
	}
	if err := bench.PinClients(cores); err != nil { // only now, so that the compiler had all cores
		own.Close()
		return opened{}, err
	}
	words := "started for this run" + onCores(cores, "server")
	if s.Netns {
		words += ", in two network namespaces joined by veth"
	} else {
		words += ", over loopback"
	}
	return opened{Target: own.Target, words: words, close: own.Close}, nil
}

// onCores says who runs where.
func onCores(cores bench.Cores, server string) string {
	if len(cores.Server) == 0 {
		return ""
	}
	return fmt.Sprintf(": %s on core %s, clients on core %s", server, list(cores.Server), list(cores.Clients))
}

func list(cores []int) string {
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint(cores)), ","), "[]")
}

// authorize says how users sign in.
func (s server) authorize(t *bench.Target) error {
	switch {
	case s.APIKey != "":
		key, err := contents(s.APIKey)
		if err != nil {
			return err
		}
		id, secret, ok := strings.Cut(strings.TrimSpace(key), ":")
		if !ok {
			return fmt.Errorf("%w: --api-key is the id and the secret of a key, ID:SECRET", errUsage)
		}
		t.APIKey, t.Token = id+":"+secret, bench.MintWithAPIKey(id, secret)
	case len(s.Token) > 0:
		pool, err := newPool(s.Token)
		if err != nil {
			return err
		}
		t.Token, t.Users = pool.token, pool.users
	default:
		t.Token = t.OpenLogin
	}
	return nil
}

// contents is the text itself, or what is in the file that @FILE names.
func contents(text string) (string, error) {
	path, isFile := strings.CutPrefix(text, "@")
	if !isFile {
		return text, nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errUsage, err)
	}
	return string(raw), nil
}

// pool are the users whose tokens were given.
type pool struct {
	users  []string
	tokens map[string]string // by user
}

func newPool(given []string) (*pool, error) {
	p := &pool{tokens: map[string]string{}}
	for _, one := range given {
		text, err := contents(one)
		if err != nil {
			return nil, err
		}
		for token := range strings.FieldsSeq(text) {
			uid, err := subject(token)
			if err != nil {
				return nil, err
			}
			if p.tokens[uid] == "" {
				p.users = append(p.users, uid)
			}
			p.tokens[uid] = token
		}
	}
	return p, nil
}

// subject reads who a token is for, which the server will check.
func subject(token string) (string, error) {
	var claims jwt.RegisteredClaims
	if _, _, err := jwt.NewParser().ParseUnverified(token, &claims); err != nil || claims.Subject == "" {
		return "", fmt.Errorf("%w: what --token got is no user's token", bench.ErrUnauthorized)
	}
	return claims.Subject, nil
}

// token is the token of a user, if there is one.
func (p *pool) token(_ context.Context, uid string) (string, error) {
	if token, ok := p.tokens[uid]; ok {
		return token, nil
	}
	return "", fmt.Errorf("%w: there is no token for %s among the %d given; an --api-key signs tokens for everybody", bench.ErrUnauthorized, uid, len(p.users))
}
