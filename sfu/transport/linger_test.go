package transport

import (
	"io"
	"net"
	"testing"
	"time"
)

// restart does to a client's connections what pion does to them when ICE restarts.
func (s *streams) restart(t *testing.T) {
	t.Helper()
	s.face.RemoveConnByUfrag("anna")
	must(t, s.conn.(*tcpConn).SetDeadline(time.Now()))
	must(t, s.conn.Close())
}

func TestConnectionsLingerUntilThereIsAnotherWay(t *testing.T) {
	s := newStreams(t)
	s.face.learn(s.from.(*net.TCPAddr).AddrPort())
	s.face.carry(true)
	s.restart(t)
	way := tcpWay{s.face, s.from}
	for range 3 {
		must(t, way.send(media))
		b := make([]byte, 2+len(media))
		_, err := io.ReadFull(s.theirs, b)
		must(t, err)
		s.send(t, request("anna:x")) // of before the restart: nobody's
		s.send(t, media)
		if got := <-s.client.tcp; got != string(media) {
			t.Errorf("owner got %x", got)
		}
	}
	s.face.carry(true) // another connection
	must(t, way.send(media))
	s.face.release() // what the timer does
	if _, err := io.Copy(io.Discard, s.theirs); err != nil {
		t.Error(err)
	}
	s.face.release()
	s.face.linger.readers.Wait()
	if way.send(media) == nil {
		t.Error("sent over a connection that is closed")
	}
}

func TestConnectionsThatCarryNothingDoNotLinger(t *testing.T) {
	for name, prepare := range map[string]func(f *tcpFace){
		"media goes over UDP": func(*tcpFace) {},
		"it did before":       func(f *tcpFace) { f.carry(true); f.carry(false) },
		"the client is gone":  func(f *tcpFace) { f.carry(true); f.end() },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStreams(t)
			prepare(s.face)
			s.restart(t)
			if _, err := io.Copy(io.Discard, s.theirs); err != nil {
				t.Error(err)
			}
		})
	}
}
