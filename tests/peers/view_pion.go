// A WHEP player made of pion, of the version that Debian has. Prints as JSON what came and what did not.
//
// Usage: go run view_pion.go ADDRESS FRAMES
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pion/webrtc/v3"
)

const giveUp = 20 * time.Second

// counted is what came of one kind of track.
type counted struct {
	Packets int    `json:"packets"`
	Frames  int    `json:"frames"` // markers of video
	Lost    int    `json:"lost"`   // numbers that never came
	Codec   string `json:"codec"`
	seen    map[uint16]bool
	first   int
	newest  int
}

func (c *counted) take(sequence uint16, marker bool) {
	if c.Packets == 0 {
		c.first, c.newest = int(sequence), int(sequence)
	}
	c.Packets++
	ahead := int(int16(sequence - uint16(c.newest)))
	if ahead > 0 {
		c.newest += ahead
	}
	if marker {
		c.Frames++
	}
	c.seen[sequence] = true
	c.Lost = c.newest - c.first + 1 - len(c.seen)
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	frames, err := strconv.Atoi(os.Args[2])
	must(err)
	player, err := webrtc.NewPeerConnection(webrtc.Configuration{})
	must(err)
	var lock sync.Mutex
	came, enough := map[string]*counted{}, make(chan struct{})
	player.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		count := &counted{Codec: track.Codec().MimeType, seen: map[uint16]bool{}}
		lock.Lock()
		came[track.Kind().String()] = count
		lock.Unlock()
		for {
			packet, _, err := track.ReadRTP()
			if err != nil {
				return
			}
			lock.Lock()
			before := count.Frames
			count.take(packet.SequenceNumber, packet.Marker)
			if track.Kind() == webrtc.RTPCodecTypeVideo && before < frames && count.Frames == frames {
				close(enough)
			}
			lock.Unlock()
		}
	})
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeVideo, webrtc.RTPCodecTypeAudio} {
		_, err = player.AddTransceiverFromKind(kind, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly})
		must(err)
	}
	offer, err := player.CreateOffer(nil)
	must(err)
	gathered := webrtc.GatheringCompletePromise(player)
	must(player.SetLocalDescription(offer))
	<-gathered
	answered, err := http.Post(os.Args[1], "application/sdp", strings.NewReader(player.LocalDescription().SDP))
	must(err)
	body, err := io.ReadAll(answered.Body)
	must(err)
	if answered.StatusCode != http.StatusCreated {
		must(fmt.Errorf("%s: %s", answered.Status, body))
	}
	must(player.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: string(body)}))
	select {
	case <-enough:
	case <-time.After(giveUp):
		fmt.Fprintln(os.Stderr, "too few frames came in time")
	}
	lock.Lock()
	must(json.NewEncoder(os.Stdout).Encode(came))
	os.Exit(0)
}
