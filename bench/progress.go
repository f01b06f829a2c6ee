package bench

// Progress is told how far a scenario is; nil is not told. One goroutine of the scenario calls it.
type Progress func(Update)

// Update is one step forward.
type Update struct {
	Phase       string  // "joining", "measuring"
	Done, Total float64 // of Unit; a Total of 0 is unknown
	Unit        string  // "clients", "s"
	Sample      *Sample // about once a second while measuring, else nil
}

// Sample is one moment of a run, for plots over time.
type Sample struct {
	At                  float64 `json:"at_seconds"`
	Phase               string  `json:"phase"`
	ServerCPUCores      float64 `json:"server_cpu_cores"`
	ServerRSSBytes      uint64  `json:"server_rss_bytes"`
	PacketsOutPerSecond float64 `json:"packets_out_per_second"`
	P99                 float64 `json:"p99_us"` // of latency
}

func (p Progress) tell(u Update) {
	if p != nil {
		p(u)
	}
}
