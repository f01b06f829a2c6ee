package main

import (
	"time"

	"golang.org/x/sys/unix"

	"github.com/parleyrtc/parley/configs"
)

// spareFiles is what a server needs beside sockets: the store, logs, listeners.
const spareFiles = 200

// checkSystem looks at what the kernel allows and knows.
func checkSystem(cfg configs.Config) []finding {
	var out []finding
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err == nil {
		want := uint64(cfg.Signaling.MaxSockets + spareFiles)
		if cfg.TURN.Enabled {
			want += uint64(2 * (cfg.TURN.RelayPortMax - cfg.TURN.RelayPortMin + 1))
		}
		if limit.Max < want {
			out = append(out, found(hint, "open files", "this user may open %d files, a full server needs %d; raise the limit (systemd: LimitNOFILE) or lower signaling.max_sockets.", limit.Max, want))
		} else {
			out = append(out, found(good, "open files", "%d may be open.", limit.Max))
		}
	}
	return append(out, checkClock())
}

// checkClock asks the kernel whether something keeps the clock right. How far it is off cannot be known from here.
func checkClock() finding {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	now := time.Now().UTC().Format(time.DateTime)
	switch {
	case err != nil:
		return found(hint, "clock", "it says %s UTC; whether something keeps it right cannot be seen from here. Tokens tolerate one minute.", now)
	case state == unix.TIME_ERROR || t.Status&unix.STA_UNSYNC != 0:
		return found(hint, "clock", "it says %s UTC, and nothing keeps it right (no NTP). Tokens tolerate one minute; more makes every sign-in fail.", now)
	}
	return found(good, "clock", "%s UTC, kept right by NTP.", now)
}
