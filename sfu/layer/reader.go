package layer

import "github.com/parleyrtc/parley/sfu/packet"

// Reader reads the packets of one encoding. The zero value is ready. It has one owner and no lock.
type Reader struct {
	dependencies packet.DependencyReader

	// The layers of the picture whose packet was read last: not each packet tells.
	timestamp uint32
	layer     Layer
}

// Read turns a parsed packet into facts, overwriting p, whose slices alias nothing. descriptor is the value of the
// dependency descriptor's extension, nil when there is none; where there is one the payload is not looked at, except for the
// indices that a change of source renumbers. Of one that cannot be read, such as before the first keyframe, nothing is known.
func (r *Reader) Read(codec packet.Codec, encoding uint8, info *packet.Info, descriptor []byte, p *Packet) {
	p.reset(Layer{Encoding: encoding}, info)
	if r.described(codec, info.Payload, descriptor, p) {
		return
	}
	switch codec {
	case packet.VP8:
		p.fromVP8(info.Payload)
	case packet.VP9:
		p.fromVP9(info.Payload)
	case packet.H264:
		p.Keyframe = packet.Keyframe(codec, info.Payload)
		temporal, ok := packet.LayersH264(info.Payload)
		r.carry(p, 0, temporal, ok)
	case packet.AV1:
		p.Keyframe = packet.Keyframe(codec, info.Payload)
		spatial, temporal, ok := packet.LayersAV1(info.Payload)
		r.carry(p, spatial, temporal, ok)
	}
}

// Again reads a packet that was read before, such as one out of a history, into the same facts, and changes nothing. read is
// what Read made of its layers, which not each packet tells.
func (r *Reader) Again(codec packet.Codec, read Layer, info *packet.Info, descriptor []byte, p *Packet) {
	p.reset(Layer{Encoding: read.Encoding}, info)
	if r.described(codec, info.Payload, descriptor, p) {
		return
	}
	switch codec {
	case packet.VP8:
		p.fromVP8(info.Payload)
	case packet.VP9:
		p.fromVP9(info.Payload)
	case packet.H264, packet.AV1:
		p.Keyframe = packet.Keyframe(codec, info.Payload)
		p.Layer = read
	}
}

// reset forgets what p was, but for what is only to be read when p says so: it is large.
func (p *Packet) reset(l Layer, info *packet.Info) {
	p.Layer, p.Timestamp, p.Marker = l, info.Timestamp, info.Marker
	p.Keyframe, p.Last, p.Sync, p.SwitchUp, p.Intra = false, false, false, false, false
	p.HasDependency, p.HasIndices = false, false
}

// described says whether there is a dependency descriptor, and reads it.
func (r *Reader) described(codec packet.Codec, payload, descriptor []byte, p *Packet) bool {
	if len(descriptor) == 0 {
		return false
	}
	if r.dependencies.Read(descriptor, &p.Dependency) {
		p.fromDependency()
	}
	p.indices(codec, payload)
	return true
}

func (p *Packet) fromDependency() {
	d := &p.Dependency
	p.HasDependency = true
	p.Keyframe = d.Attached && d.First
	p.Last = d.Last
	p.Spatial, p.Temporal = d.Spatial, d.Temporal
}

func (p *Packet) indices(codec packet.Codec, payload []byte) {
	switch codec {
	case packet.VP8:
		p.HasIndices = packet.ParseVP8(payload, &p.VP8)
	case packet.VP9:
		p.HasIndices = packet.ParseVP9(payload, &p.VP9)
	}
}

func (p *Packet) fromVP8(payload []byte) {
	d := &p.VP8
	if p.HasIndices = packet.ParseVP8(payload, d); !p.HasIndices {
		return
	}
	p.Keyframe = d.Keyframe
	p.Temporal = d.TID
	p.Sync = d.LayerSync
}

// fromVP9 takes U in both meanings: RFC 9628's, and that of browsers, which set it on frames that refer only to lower
// temporal layers.
func (p *Packet) fromVP9(payload []byte) {
	d := &p.VP9
	if p.HasIndices = packet.ParseVP9(payload, d); !p.HasIndices {
		return
	}
	p.Keyframe = d.Keyframe
	p.Last = d.End
	p.Spatial, p.Temporal = d.SID, d.TID
	p.Sync, p.SwitchUp = d.SwitchUp, d.SwitchUp
	p.Intra = !d.Predicted
}

// carry gives a packet that does not tell its layers those of the one before it in the same picture.
func (r *Reader) carry(p *Packet, spatial, temporal uint8, told bool) {
	switch {
	case told:
		r.layer = Layer{Spatial: spatial, Temporal: temporal}
	case p.Timestamp != r.timestamp:
		r.layer = Layer{}
	}
	r.timestamp = p.Timestamp
	p.Spatial, p.Temporal = r.layer.Spatial, r.layer.Temporal
}
