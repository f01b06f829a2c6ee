package report

import (
	"bufio"
	"os"
	"runtime"
	"strings"
	"time"
)

// Machine is where a report was made.
type Machine struct {
	Cores  int    `json:"cores"`
	CPU    string `json:"cpu,omitempty"` // model name, where the system says it
	Kernel string `json:"kernel,omitempty"`
	OS     string `json:"os"`
	Arch   string `json:"arch"`
	Go     string `json:"go"`
	Memory uint64 `json:"memory_bytes,omitempty"`
}

// ThisMachine describes the machine that the process runs on. What the system does not say is left empty.
func ThisMachine() Machine {
	m := Machine{Cores: runtime.NumCPU(), OS: runtime.GOOS, Arch: runtime.GOARCH, Go: runtime.Version()}
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = strings.TrimSpace(string(release))
	}
	m.CPU = field("/proc/cpuinfo", "model name")
	m.Memory = kibibytes(field("/proc/meminfo", "MemTotal"))
	return m
}

// field is the value of the first line "name : value" of a file, or empty.
func field(path, name string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		key, value, found := strings.Cut(lines.Text(), ":")
		if found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// kibibytes reads "123 kB" as bytes.
func kibibytes(s string) uint64 {
	var n uint64
	for _, c := range strings.TrimSuffix(s, " kB") {
		if c < '0' || c > '9' {
			return 0
		}
		n = n*10 + uint64(c-'0')
	}
	return n << 10
}

// Report is one invocation: one scenario, or a suite of them.
type Report struct {
	Version string // of parley-bench
	Server  string // version of the server, empty when it does not say
	Target  string // "own server on core 0", or the address
	Machine Machine
	Began   time.Time
	Others  float64 // cores that other processes of the machine used meanwhile; below zero: unknown
	Results []Result
}
