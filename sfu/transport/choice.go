package transport

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/parleyrtc/parley/sfu/transport/datagram"
)

// Path is which way media takes through this process.
type Path string

// The paths. The empty one is AutoPath.
const (
	AutoPath Path = "auto" // the fast one where there is one
	FastPath Path = "fast" // our own; Linux only
	PionPath Path = "pion"
)

// Switch is a feature that can be left to us. The empty one is Auto.
type Switch string

// The positions of a switch.
const (
	Auto Switch = "auto"
	On   Switch = "on"
	Off  Switch = "off"
)

// choose settles which path media takes, and how long trains may be.
func (p *Plane) choose() error {
	available := runtime.GOOS == "linux"
	switch p.config.Path {
	case "", AutoPath:
		p.fast = available
	case FastPath:
		if p.fast = available; !available {
			return errors.New("the fast media path needs Linux: choose auto or pion")
		}
	case PionPath:
	default:
		return fmt.Errorf("there is no media path %q: choose auto, fast or pion", p.config.Path)
	}
	p.longest = datagram.MaxSegments
	switch p.config.Segmentation {
	case "", Auto:
		if ok, why := datagram.SegmentationTrusted(); !ok {
			p.config.Logger.Info("packets are sent one by one", "why", why)
			p.longest = 1
		}
	case On:
	case Off:
		p.longest = 1
	default:
		return fmt.Errorf("segmentation cannot be %q: choose auto, on or off", p.config.Segmentation)
	}
	return nil
}

// pathName is the path in use.
func (p *Plane) pathName() Path {
	if p.fast {
		return FastPath
	}
	return PionPath
}
