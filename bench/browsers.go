package bench

// Browsers is where real browsers come from.
type Browsers struct{}

func browserRows() []QualityRow { return nil }
