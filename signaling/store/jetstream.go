package store

import (
	"log/slog"
	"time"
)

// Config says where the state lives. Dir or URL must be set, but not both.
type Config struct {
	Dir string // data directory of the server in this process; made if it is absent
	URL string // of an external NATS server or cluster, such as nats://user:password@host:4222; several are separated by commas

	Stream   string        // PARLEY_STATE; name of the JetStream stream, for several installations on one cluster
	Replicas int           // 1 in process, 3 external; copies of the stream
	Timeout  time.Duration // 10s; for every operation whose context has no deadline

	Logger *slog.Logger // slog.Default(); warnings and errors of NATS
}
