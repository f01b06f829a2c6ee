package store

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
)

// server is a NATS server in this process. It has no listening port: the only way in is its in-process connection.
type server struct {
	dir       string
	nats      *natsserver.Server
	lock      *os.File // held while the server may write
	hadStream bool     // the directory had our stream before
}

// startServer takes the data directory and starts a server on it.
func startServer(dir string, log *slog.Logger) (*server, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("store: the data directory %s cannot be used: %w", dir, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("store: the data directory %s cannot be made: %w", dir, reason(err))
	}
	lock, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir, lock: lock}
	_, err = os.Stat(filepath.Join(dir, "jetstream", natsserver.DEFAULT_GLOBAL_ACCOUNT, "streams", streamName, "meta.inf"))
	s.hadStream = err == nil
	if err := s.start(log); err != nil {
		_ = s.stop() // the reason it did not start says more
		return nil, err
	}
	return s, nil
}

func (s *server) start(log *slog.Logger) error {
	nats, err := natsserver.NewServer(&natsserver.Options{
		ServerName: "parley",
		DontListen: true,
		NoSigs:     true,
		JetStream:  true,
		StoreDir:   s.dir,
		// An acknowledged change is on disk. The default is up to two minutes later.
		SyncAlways:             true,
		DisableJetStreamBanner: true,
	})
	if err != nil {
		return fmt.Errorf("store: the state server cannot be made: %w", err)
	}
	s.nats = nats
	bridge := &logBridge{log: log}
	nats.SetLogger(bridge, false, false)
	nats.Start() // returns, as there is nothing to listen on
	if cause := bridge.cause(); cause != "" {
		return fmt.Errorf("store: the data directory %s cannot be used: %s", s.dir, cause)
	}
	if !nats.ReadyForConnections(10 * time.Second) {
		return fmt.Errorf("store: the state in %s was not ready in time; is the disk very slow?", s.dir)
	}
	return nil
}

// stop waits until everything is on disk and then gives the directory free.
func (s *server) stop() error {
	if s.nats != nil {
		s.nats.Shutdown()
		s.nats.WaitForShutdown()
	}
	if err := s.lock.Close(); err != nil {
		return fmt.Errorf("store: unlock %s: %w", s.dir, err)
	}
	return nil
}

// lockDir makes sure that only one process writes to the directory, and that it can. The lock goes with the process.
func lockDir(dir string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store: the data directory %s cannot be written: %w", dir, reason(err))
	}
	if err := lockFile(file); err != nil {
		_ = file.Close() // nothing was written
		if errors.Is(err, errLocked) {
			return nil, fmt.Errorf("store: the data directory %s is in use by another process; stop that one or choose another directory", dir)
		}
		return nil, fmt.Errorf("store: the data directory %s cannot be locked: %w", dir, reason(err))
	}
	return file, nil
}

var errLocked = errors.New("locked")

// reason drops the path from an error whose sentence names the directory already.
func reason(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// logBridge passes on what nats-server warns of; the rest is of no interest to who runs Parley.
type logBridge struct {
	log *slog.Logger

	mu    sync.Mutex
	fatal string // guarded by mu; the first reason why the server gave up
}

func (b *logBridge) cause() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.fatal
}

// Warnf logs a warning of nats-server.
func (b *logBridge) Warnf(format string, v ...any) { b.log.Warn("nats: " + fmt.Sprintf(format, v...)) }

// Errorf logs an error of nats-server.
func (b *logBridge) Errorf(format string, v ...any) {
	b.log.Error("nats: " + fmt.Sprintf(format, v...))
}

// Fatalf keeps what stopped the server, for startServer to return.
func (b *logBridge) Fatalf(format string, v ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fatal == "" {
		b.fatal = fmt.Sprintf(format, v...)
	}
}

// Noticef drops the account of a normal start.
func (b *logBridge) Noticef(string, ...any) {}

// Debugf drops debugging.
func (b *logBridge) Debugf(string, ...any) {}

// Tracef drops the messages themselves.
func (b *logBridge) Tracef(string, ...any) {}
