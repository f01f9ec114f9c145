"""A WHEP player made of GStreamer's webrtcbin, for Debian's Python. Prints as JSON what it decoded and missed.

Usage: view_gstreamer.py ADDRESS PICTURES BUNDLE-POLICY SOUND
"""

import json
import sys
import urllib.request
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstWebRTC", "1.0")
gi.require_version("GstSdp", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402 - the versions come first

VIDEO = "application/x-rtp,media=video,encoding-name=H264,payload=96,clock-rate=90000,rtcp-fb-nack-pli=true"
SOUND = {
    "opus": "application/x-rtp,media=audio,encoding-name=OPUS,payload=97,clock-rate=48000,encoding-params=(string)2",
    "pcma": "application/x-rtp,media=audio,encoding-name=PCMA,payload=8,clock-rate=8000",
}
DECODERS = {
    "video": "rtph264depay ! h264parse ! avdec_h264 ! fakesink name=end sync=false",
    "audio": "rtpopusdepay ! opusdec ! fakesink name=end sync=false",
}
GIVE_UP = 20  # seconds


class Player:
    """Offers when its addresses are gathered, plays, and ends after so many pictures."""

    def __init__(self, address: str, pictures: int, policy: str, sound: str) -> None:
        self.address, self.pictures = address, pictures
        self.frames = {"video": 0, "audio": 0}
        self.loop = GLib.MainLoop()
        self.pipeline = Gst.Pipeline.new("player")
        self.rtc = Gst.ElementFactory.make("webrtcbin", "rtc")
        self.rtc.set_property("bundle-policy", getattr(GstWebRTC.WebRTCBundlePolicy, policy))
        self.pipeline.add(self.rtc)
        self.kept: list[Any] = []  # what the bindings would free too early
        self.offered = False
        self.rtc.connect("pad-added", self.on_pad)
        self.rtc.connect("notify::ice-gathering-state", self.on_gathering)
        self.rtc.connect("on-negotiation-needed", self.on_negotiation)
        for caps in (VIDEO, SOUND[sound]):
            direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
            self.rtc.emit("add-transceiver", direction, Gst.Caps.from_string(caps))

    def run(self) -> None:
        self.pipeline.set_state(Gst.State.PLAYING)
        GLib.timeout_add_seconds(GIVE_UP, self.end)
        GLib.timeout_add(50, self.look)
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)

    def on_negotiation(self, _rtc: Any) -> None:
        self.rtc.emit("create-offer", None, Gst.Promise.new_with_change_func(self.on_offer))

    def on_offer(self, promise: Any) -> None:
        reply = promise.get_reply()
        offer = reply.get_value("offer")
        self.kept += [reply, offer]
        self.rtc.emit("set-local-description", offer, Gst.Promise.new())

    def on_gathering(self, *_: Any) -> None:
        complete = GstWebRTC.WebRTCICEGatheringState.COMPLETE
        if self.rtc.get_property("ice-gathering-state") == complete and not self.offered:
            self.offered = True
            GLib.idle_add(self.post, self.rtc.get_property("local-description").sdp.as_text())

    def post(self, offer: str) -> bool:
        request = urllib.request.Request(self.address, offer.encode(), {"Content-Type": "application/sdp"})
        with urllib.request.urlopen(request, timeout=GIVE_UP) as answer:
            _, message = GstSdp.SDPMessage.new_from_text(answer.read().decode())
        described = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, message)
        self.rtc.emit("set-remote-description", described, Gst.Promise.new())
        return False

    def on_pad(self, _rtc: Any, pad: Any) -> None:
        if pad.direction != Gst.PadDirection.SRC:
            return
        kind = pad.get_current_caps().get_structure(0).get_string("media")
        decoder = Gst.parse_bin_from_description(DECODERS[kind], True)
        self.pipeline.add(decoder)
        decoder.sync_state_with_parent()
        pad.link(decoder.get_static_pad("sink"))
        end = decoder.get_by_name("end").get_static_pad("sink")
        end.add_probe(Gst.PadProbeType.BUFFER, self.on_frame, kind)

    def on_frame(self, _pad: Any, _info: Any, kind: str) -> Any:
        self.frames[kind] += 1
        return Gst.PadProbeReturn.OK

    def look(self) -> bool:
        return self.frames["video"] < self.pictures or self.end()

    def end(self) -> bool:
        self.rtc.emit("get-stats", None, Gst.Promise.new_with_change_func(self.on_stats))
        return False

    def on_stats(self, promise: Any) -> None:
        stats = promise.get_reply()
        values = [stats.get_value(stats.nth_field_name(at)) for at in range(stats.n_fields())]
        inbound = [value for value in values if isinstance(value, Gst.Structure) and "inbound-rtp" in value.get_name()]
        lost = sum(value.get_value("packets-lost") for value in inbound if not value.get_name().startswith("remote"))
        print(json.dumps({"frames": self.frames, "lost": lost}))  # noqa: T201
        self.loop.quit()


Gst.init(None)
Player(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]).run()
