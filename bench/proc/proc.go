// Package proc reads what processes use and says where they run: CPU time, memory, threads, cores, network namespaces.
//
// It needs Linux; elsewhere every function answers errors.ErrUnsupported.
package proc

import "time"

// Usage is what a process and all its descendants use.
type Usage struct {
	CPU     time.Duration // user and system time so far; descendants that ended count if their parent waited for them
	RSS     uint64        // bytes of resident memory
	Threads int
	FDs     int // open file descriptors; 0 when they may not be seen
}
