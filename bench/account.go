package bench

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/parleyrtc/parley/bench/proc"
)

// Usage is what the server's process and its children use now.
func (t Target) Usage() (proc.Usage, error) {
	if t.PID == 0 {
		return proc.Usage{}, fmt.Errorf("%w: its process id is unknown", ErrNoAccounting)
	}
	u, err := proc.Of(t.PID)
	return u, t.accounting(err)
}

// cpu is the CPU time of the server's process and its children.
func (t Target) cpu() (time.Duration, error) {
	if t.PID == 0 {
		return 0, fmt.Errorf("%w: its process id is unknown", ErrNoAccounting)
	}
	used, err := proc.CPU(t.PID)
	return used, t.accounting(err)
}

func (t Target) accounting(err error) error {
	switch {
	case err == nil:
		return nil
	case t.dead() || errors.Is(err, proc.ErrGone):
		return fmt.Errorf("%w: process %d is gone", ErrServerDied, t.PID)
	}
	return fmt.Errorf("%w: %w", ErrNoAccounting, err)
}

// Metric reads one number from the admin listener's /metrics; the name includes the labels, if there are any.
func (t Target) Metric(ctx context.Context, name string) (float64, error) {
	var value float64
	found := false
	err := t.ask(ctx, "/metrics", func(body io.Reader) error {
		lines := bufio.NewScanner(body)
		for lines.Scan() {
			if text, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
				var err error
				value, err = strconv.ParseFloat(text, 64)
				found = true
				return err
			}
		}
		return lines.Err()
	})
	if err == nil && !found {
		err = fmt.Errorf("%w: /metrics has no %s", ErrNoAccounting, name)
	}
	return value, err
}

// Collect has the server collect its garbage, twice so that what finalizers and pools held goes too.
func (t Target) Collect(ctx context.Context) error {
	for range 2 {
		err := t.ask(ctx, "/debug/pprof/heap?gc=1", func(body io.Reader) error {
			_, err := io.Copy(io.Discard, body)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ask sends a GET to the admin listener.
func (t Target) ask(ctx context.Context, path string, read func(io.Reader) error) error {
	if t.Admin == "" {
		return fmt.Errorf("%w: its admin listener is unknown", ErrNoAccounting)
	}
	ctx, cancel := context.WithTimeout(ctx, requestWait)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(t.Admin, "/")+path, nil)
	if err != nil {
		return err
	}
	resp, err := t.http().Do(req)
	if err != nil {
		return t.explain("GET "+path, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: GET %s: HTTP %d", ErrNoAccounting, path, resp.StatusCode)
	}
	return read(resp.Body)
}

// PickCores gives the server the first CPU and the clients the others. With one CPU nobody is kept anywhere.
func PickCores() Cores {
	all, err := proc.Cores()
	if err != nil || len(all) < 2 {
		return Cores{}
	}
	return Cores{Server: all[:1], Clients: all[1:]}
}

// AllCores lets the server and the clients run anywhere.
func AllCores() Cores {
	all, err := proc.Cores()
	if err != nil {
		return Cores{}
	}
	return Cores{Server: all, Clients: all}
}

// clientGarbage is how much garbage may gather, in percent of what lives, before it is collected, which takes time from the engines.
const clientGarbage = 400

// PinClients keeps this process on the clients' cores. The engines are threads that block in system calls, so Go gets some
// more processors than there are cores.
func PinClients(c Cores) error {
	if len(c.Clients) == 0 {
		return nil
	}
	runtime.GOMAXPROCS(2*len(c.Clients) + 4)
	debug.SetGCPercent(clientGarbage)
	return proc.PinSelf(c.Clients)
}

// available is how many cores the clients have.
func (t Target) available() float64 {
	if len(t.Cores.Clients) > 0 {
		return float64(len(t.Cores.Clients))
	}
	if all, err := proc.Cores(); err == nil {
		return float64(len(all))
	}
	return float64(runtime.NumCPU())
}

// MintWithAPIKey makes user tokens as a back end with this API key does (docs/protocol.md §8).
func MintWithAPIKey(id, secret string) func(ctx context.Context, uid string) (string, error) {
	return func(_ context.Context, uid string) (string, error) {
		now := time.Now()
		return jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
			"iss": id, "sub": uid, "aud": "parley", "iat": now.Unix(), "exp": now.Add(12 * time.Hour).Unix(),
		}).SignedString([]byte(secret))
	}
}
