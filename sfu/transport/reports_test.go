package transport

import (
	"encoding/binary"
	"reflect"
	"runtime"
	"slices"
	"testing"

	"github.com/pion/rtcp"
)

// arrivalReport is a report of arrival times with chunks as they are given, and with room for as many bytes of times.
func arrivalReport(packets uint16, chunks []uint16, times int) []byte {
	b := make([]byte, 20, 1500)
	b[0], b[1] = 0x80|rtcp.FormatTCC, byte(rtcp.TypeTransportSpecificFeedback)
	binary.BigEndian.PutUint16(b[14:], packets)
	for _, c := range chunks {
		b = binary.BigEndian.AppendUint16(b, c)
	}
	b = append(b, make([]byte, times)...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)/4-1))
	return b
}

// allocated is how many bytes do takes from the heap.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A few bytes that announce much do not get the memory for it.
func TestAReportCostsWhatItIsLong(t *testing.T) {
	const received = 1 << 13 // small delta
	full := make([]uint16, 0, 590)
	for len(full) < cap(full) { // round and round the 16 bits of the count
		for range 8 {
			full = append(full, received|8191)
		}
		full = append(full, 0xbfff)
	}
	nack := &rtcp.TransportLayerNack{Nacks: make([]rtcp.NackPair, 250)}
	long, err := nack.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{
		"run of arrivals":  arrivalReport(8191, []uint16{received | 8191}, 0),
		"overflow":         arrivalReport(65535, full[:590], 0),
		"nearly full":      arrivalReport(65521, full[:8], 4),
		"honest":           arrivalReport(1000, []uint16{received | 1000}, 1000),
		"all lost":         arrivalReport(65000, []uint16{8191, 8191, 8191, 8191, 8191, 8191, 8191, 8191}, 0),
		"vectors":          arrivalReport(14*500, full[9:10], 0),
		"behind the count": arrivalReport(65535, append([]uint16{8191, 8191, 8191, 8191, 8191, 8191, 8191, 8190, 0x8000}, full[:9]...), 0),
		"a thousand NACKs": long,
	} {
		if n := allocated(func() { _, err = appendReports(nil, b) }); n > uint64(64*len(b)+4096) {
			t.Errorf("%s: %d bytes of report took %d bytes of memory (%v)", name, len(b), n, err)
		}
	}
}

// What an honest client reports comes out as pion would read it.
func TestReportsAreReadAsTheyWereWritten(t *testing.T) {
	wrote := []rtcp.Packet{
		&rtcp.SenderReport{SSRC: 1, NTPTime: 2, RTPTime: 3, PacketCount: 4, OctetCount: 5, Reports: []rtcp.ReceptionReport{{SSRC: 6}}},
		&rtcp.ReceiverReport{SSRC: 1, Reports: []rtcp.ReceptionReport{{SSRC: 6, FractionLost: 7}}},
		&rtcp.TransportLayerNack{SenderSSRC: 1, MediaSSRC: 2, Nacks: []rtcp.NackPair{{PacketID: 3, LostPackets: 4}}},
		&rtcp.PictureLossIndication{SenderSSRC: 1, MediaSSRC: 2},
		&rtcp.FullIntraRequest{SenderSSRC: 1, MediaSSRC: 2, FIR: []rtcp.FIREntry{{SSRC: 3, SequenceNumber: 4}}},
		&rtcp.ReceiverEstimatedMaximumBitrate{SenderSSRC: 1, Bitrate: 1e6, SSRCs: []uint32{2}},
		&rtcp.TransportLayerCC{Header: rtcp.Header{Count: rtcp.FormatTCC, Type: rtcp.TypeTransportSpecificFeedback, Length: 6}, SenderSSRC: 1,
			MediaSSRC: 2, BaseSequenceNumber: 3, PacketStatusCount: 9, ReferenceTime: 5, FbPktCount: 6,
			PacketChunks: []rtcp.PacketStatusChunk{
				&rtcp.RunLengthChunk{Type: rtcp.TypeTCCRunLengthChunk, PacketStatusSymbol: rtcp.TypeTCCPacketReceivedSmallDelta, RunLength: 2},
				&rtcp.StatusVectorChunk{Type: rtcp.TypeTCCStatusVectorChunk, SymbolSize: rtcp.TypeTCCSymbolSizeTwoBit, SymbolList: []uint16{
					rtcp.TypeTCCPacketReceivedLargeDelta, 0, 0, 0, 0, 0, 0}}},
			RecvDeltas: []*rtcp.RecvDelta{{Type: rtcp.TypeTCCPacketReceivedSmallDelta, Delta: 250},
				{Type: rtcp.TypeTCCPacketReceivedSmallDelta, Delta: 500}, {Type: rtcp.TypeTCCPacketReceivedLargeDelta, Delta: -250}}},
	}
	unread := []rtcp.Packet{
		&rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{{Source: 1, Items: []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: "x"}}}}},
		&rtcp.Goodbye{Sources: []uint32{1}}, &rtcp.ExtendedReport{SenderSSRC: 1},
		&rtcp.ApplicationDefined{SubType: 1, SSRC: 1, Name: "name", Data: []byte("data")},
		&rtcp.RapidResynchronizationRequest{SenderSSRC: 1, MediaSSRC: 2}, &rtcp.SliceLossIndication{SenderSSRC: 1, MediaSSRC: 2, SLI: []rtcp.SLIEntry{{First: 1}}},
	}
	var all []rtcp.Packet
	for i, p := range wrote {
		all = append(all, p)
		if i < len(unread) {
			all = append(all, unread[i])
		}
	}
	b, err := rtcp.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	kept := &rtcp.Goodbye{}
	got, err := appendReports([]rtcp.Packet{kept}, b)
	if err != nil || len(got) != 1+len(wrote) || got[0] != rtcp.Packet(kept) {
		t.Fatalf("%d packets, %v", len(got), err)
	}
	theirs, err := rtcp.Unmarshal(b)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range got[1:] {
		if a, ok := p.(*Arrivals); ok { // is read by who needs it
			cc := &rtcp.TransportLayerCC{}
			if err := cc.Unmarshal(a.RawPacket); err != nil || !slices.Equal(a.DestinationSSRC(), cc.DestinationSSRC()) {
				t.Errorf("%v, for %v", err, a.DestinationSSRC())
			}
			p = cc
		}
		found := false
		for _, q := range theirs {
			found = found || reflect.DeepEqual(p, q)
		}
		if !found {
			t.Errorf("%d: %v, which pion does not find", i, p)
		}
	}
	for cut := 1; cut < len(b); cut += 3 {
		if got, err := appendReports([]rtcp.Packet{kept}, b[:cut]); err != nil && len(got) != 1 {
			t.Fatalf("cut after %d bytes: %d packets", cut, len(got))
		}
	}
}
