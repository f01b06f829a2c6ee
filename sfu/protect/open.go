package protect

import (
	"encoding/binary"
	"errors"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

// Opener opens what one peer sends. It is for one goroutine at a time; Open and OpenRTCP share nothing that changes and may run
// beside each other. A packet that is refused leaves no trace in it.
type Opener struct {
	ciphers

	// Of Open.
	media  sources
	header rtp.Header // Parsed by pion, kept for its slices.

	// Of OpenRTCP.
	control    sources
	rtcpHeader rtcp.Header
}

// NewOpener opens with the remote keys.
func NewOpener(k Keys) (*Opener, error) {
	c, err := newCiphers(k.Profile, k.RemoteKey, k.RemoteSalt)
	if err != nil {
		return nil, err
	}
	return &Opener{ciphers: c}, nil
}

// Open decrypts an RTP packet in place, header bytes of which are its header, with this ssrc and seq. What it returns is packet
// without its tag. After an error the payload is worth nothing any more.
//
// What can be refused without a look at the tag is refused first: a flood of repeats or of made-up sources then costs next to
// nothing, and as nobody is answered, a forger learns nothing. So what is ErrSources or ErrReplay may as well be a forgery.
func (o *Opener) Open(packet []byte, header int, ssrc uint32, seq uint16) (plain []byte, err error) {
	end := len(packet) - o.profile.overhead()
	if header < fixedHeader || end < header {
		return nil, ErrShort
	}
	if binary.BigEndian.Uint16(packet[2:]) != seq || binary.BigEndian.Uint32(packet[8:]) != ssrc {
		return nil, ErrHeader
	}
	s, index := o.media.find(ssrc), int64(seq)
	if s != nil {
		if index = s.estimate(seq); index >= endOfIndex {
			return nil, ErrExhausted
		}
	}
	if err := o.media.check(s, index); err != nil {
		return nil, err
	}
	if o.gcm.aead != nil {
		if _, err := o.gcm.aead.Open(packet[header:header], o.gcm.number(ssrc, index), packet[header:], packet[:header]); err != nil {
			return nil, ErrTag
		}
	} else if err := o.openCM(packet, header, s, index); err != nil {
		return nil, err
	}
	o.media.accept(s, ssrc, index)
	return packet[:end], nil
}

// Ahead says whether an RTP packet with this ssrc and seq would be the newest of its source, if it is authentic. It never is of
// a source without an authentic packet so far.
func (o *Opener) Ahead(ssrc uint32, seq uint16) bool {
	s := o.media.find(ssrc)
	return s != nil && s.estimate(seq) > s.highest
}

// AheadRTCP is Ahead for a compound RTCP packet as it came from the network.
func (o *Opener) AheadRTCP(packet []byte) bool {
	if len(packet) < rtcpHeader+o.profile.overhead()+rtcpIndexSize {
		return false
	}
	s := o.control.find(binary.BigEndian.Uint32(packet[4:]))
	index := int64(binary.BigEndian.Uint32(packet[len(packet)-o.profile.rtcpTrailer():]) &^ rtcpEncrypted)
	return s != nil && index > s.highest
}

// Sources is how many SSRCs have sent something authentic, those of RTCP added to those of RTP. It never falls.
func (o *Opener) Sources() int { return len(o.media.known) + len(o.control.known) }

// openCM has pion do it. Told the roll-over counter, pion follows; of a source it does not know it takes zero, and keeps it only
// if the tag is right.
func (o *Opener) openCM(packet []byte, header int, s *source, index int64) error {
	if !headerFits(packet, header) {
		return ErrHeader
	}
	if s != nil {
		o.srtp.SetROC(s.ssrc, uint32(index>>16))
	}
	_, err := o.srtp.DecryptRTP(packet, packet, &o.header)
	return reason(err)
}

// reason says in our words why pion refused a packet.
func reason(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, srtp.ErrFailedToVerifyAuthTag):
		return ErrTag
	}
	return ErrHeader // Extensions that run over each other, or of a kind nobody negotiated.
}

// OpenRTCP decrypts a compound RTCP packet in place. What it returns is packet without tag and index. After an error the packet is
// worth nothing any more. RTCP in the clear is ErrTag even if authentic: the profiles of DTLS-SRTP encrypt it (RFC 5764 §4.1.2).
func (o *Opener) OpenRTCP(packet []byte) (plain []byte, err error) {
	if len(packet) < rtcpHeader+o.profile.overhead()+rtcpIndexSize {
		return nil, ErrShort
	}
	if packet[0]&versionMask != version2 {
		return nil, ErrHeader
	}
	word := binary.BigEndian.Uint32(packet[len(packet)-o.profile.rtcpTrailer():])
	if word&rtcpEncrypted == 0 {
		return nil, ErrTag
	}
	ssrc, index := binary.BigEndian.Uint32(packet[4:]), int64(word&^rtcpEncrypted)
	s := o.control.find(ssrc)
	if err := o.control.check(s, index); err != nil {
		return nil, err
	}
	plain, err = o.srtcp.DecryptRTCP(packet, packet, &o.rtcpHeader)
	if err := reason(err); err != nil {
		return nil, err
	}
	o.control.accept(s, ssrc, index)
	return plain, nil
}
