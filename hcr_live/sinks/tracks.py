"""What lies in a recording beside its pictures: the sound of another file, and subtitles."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from hcr_live.errors import HcrError
from hcr_live.sinks.subtitles import Cue

if TYPE_CHECKING:
    from av import AudioFrame, AudioStream, Packet
    from av.container import InputContainer, OutputContainer
    from av.filter import Graph
    from av.stream import Stream

_COPIED = frozenset(("aac", "ac3", "alac", "eac3", "flac", "mp3", "opus"))
"""What players take in an MP4 file; any other sound is encoded again."""

_USUAL_RATE = 48_000
_BITS_A_CHANNEL = 80_000
_MILLISECONDS = Fraction(1, 1000)

_STYLES = b"""\
[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, \
Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, \
Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
"""The encoder of subtitles asks for a head of Advanced SubStation Alpha."""


class Track(Protocol):
    """Hands packets to a recording, on the recording's thread."""

    def open(self, container: OutputContainer) -> None:
        """Add the streams, before anything is written."""

    def packets(self, until: float) -> Iterator[Packet]:
        """Yield what begins before `until`, in seconds of the recording, in order."""

    def fail(self, error: Exception) -> None:
        """Take note that a packet could not be written; no more are asked for."""

    def close(self) -> None:
        """Release what is open; may be called twice."""


class SoundTrack:
    """All sound of a file: copied where MP4 takes it as it is, else encoded as AAC.

    Attributes:
        error: One sentence where sound is missing, else "".
    """

    def __init__(self, path: Path, offset: Fraction | float = 0) -> None:
        """Open the file.

        Args:
            path: A file that FFmpeg opens; it needs not have any sound.
            offset: Seconds of the file's own clock at which the recording begins.

        Raises:
            HcrError: If it cannot be opened.
        """
        from hcr_live.sources.decoding import open_container

        self.error = ""
        self._name = str(path)
        self._offset = Fraction(offset)
        self._container: InputContainer | None = open_container(self._name, self._name)
        self._routes: dict[int, _Copy | _Encoder] = {}
        self._packets: Iterator[Packet] = iter(())
        self._next: Packet | None = None

    def open(self, container: OutputContainer) -> None:
        """Add a stream for each one of the file's."""
        import av

        assert self._container is not None
        for stream in self._container.streams.audio:
            try:
                copied = stream.codec_context.codec.canonical_name in _COPIED
                route = _Copy(stream, container) if copied else _Encoder(stream, container)
                self._routes[stream.index] = route
            except (av.error.FFmpegError, ValueError, AttributeError) as error:
                self.fail(error)  # a codec that this build of FFmpeg does not know
        streams = [self._container.streams[index] for index in self._routes]
        if streams:
            self._packets = self._container.demux(streams)

    def packets(self, until: float) -> Iterator[Packet]:
        """See `Track.packets`."""
        import av

        while True:
            try:
                packet = self._next or next(self._packets, None)
            except (av.error.FFmpegError, IndexError):  # cut off, and so are its pictures
                packet = None
            self._next = packet
            if packet is None:
                self._packets = iter(())
                return
            if self._seconds(packet) >= until:
                return
            self._next = None
            yield from self._routes[packet.stream.index].packets(packet, self._offset)

    def fail(self, error: Exception) -> None:
        """See `Track.fail`."""
        reason = getattr(error, "strerror", None) or error
        self.error = self.error or f"Sound of {self._name} is missing: {reason}."

    def close(self) -> None:
        """See `Track.close`."""
        self._packets, self._next = iter(()), None
        self._routes.clear()
        if self._container is not None:
            self._container.close()
            self._container = None

    def _seconds(self, packet: Packet) -> float:
        """When it begins in the recording; what says nothing, the end of a stream, at once."""
        if packet.pts is None or packet.time_base is None:
            return -math.inf
        return float(packet.pts * packet.time_base - self._offset)


class _Copy:
    """Hands packets of a stream on as they are."""

    def __init__(self, stream: AudioStream, container: OutputContainer) -> None:
        from av.bitstream import BitStreamFilterContext

        self._stream = container.add_stream_from_template(stream)
        _describe(self._stream, stream)
        self._last = -math.inf
        self._filter = None
        if (
            stream.codec_context.codec.canonical_name == "aac"
            and not stream.codec_context.extradata
        ):
            # As broadcast: each packet has a head of its own, which MP4 wants once.
            self._filter = BitStreamFilterContext("aac_adtstoasc", stream)

    def packets(self, packet: Packet, offset: Fraction) -> Iterator[Packet]:
        import av

        if packet.size == 0 or packet.is_corrupt or packet.time_base is None:
            return
        pts = packet.pts if packet.pts is not None else packet.dts
        if pts is None:
            return
        pts -= round(offset / packet.time_base)
        # What begins earlier cannot be shown there, and what does not go on is a damaged file.
        if pts <= self._last or (pts + (packet.duration or 0)) < 0:
            return
        packet.pts = packet.dts = self._last = pts
        try:
            packets = [packet] if self._filter is None else self._filter.filter(packet)
        except av.error.FFmpegError:
            return  # damaged
        for whole in packets:
            whole.stream = self._stream
            yield whole


class _Encoder:
    """Decodes a stream, fills gaps with silence, and encodes it as AAC."""

    def __init__(self, stream: AudioStream, container: OutputContainer) -> None:
        import av

        self._source = stream
        rates = av.Codec("aac", "w").audio_rates or []
        rate = stream.rate if stream.rate in rates else _USUAL_RATE
        layout = "mono" if stream.channels == 1 else "stereo"
        self._stream = container.add_stream("aac", rate=rate, layout=layout)
        self._stream.bit_rate = _BITS_A_CHANNEL * self._stream.channels
        _describe(self._stream, stream)
        self._filters: Graph | None = None
        self._end = 0
        self._format = f"sample_fmts=fltp:sample_rates={rate}:channel_layouts={layout}"

    def packets(self, packet: Packet, offset: Fraction) -> Iterator[Packet]:
        import av

        is_end = packet.size == 0
        try:
            frames = self._source.decode(None if is_end else packet)
        except av.error.FFmpegError:
            return  # damaged; the gap becomes silence
        for frame in frames:
            base = frame.time_base or packet.time_base
            if base is None:
                continue
            # Where the file does not say when a frame begins, it is where the one before ended.
            begin = self._end if frame.pts is None else frame.pts
            self._end = begin + round(Fraction(frame.samples, frame.sample_rate) / base)
            frame.pts, frame.time_base = begin - round(offset / base), base
            self._push(frame)
            yield from self._pull()
        if is_end:
            self._push(None)
            yield from self._pull()
            yield from self._stream.encode(None)

    def _push(self, frame: AudioFrame | None) -> None:
        import av

        if self._filters is None:
            if frame is None:
                return
            graph = self._filters = av.filter.Graph()
            graph.link_nodes(
                graph.add_abuffer(
                    format=frame.format.name,
                    sample_rate=frame.sample_rate,
                    layout=frame.layout.name,
                    time_base=frame.time_base,
                ),
                graph.add("aresample", "async=1:first_pts=0"),
                graph.add("aformat", self._format),
                graph.add("abuffersink"),
            ).configure()
        self._filters.push(frame)

    def _pull(self) -> Iterator[Packet]:
        import av

        if self._filters is None:
            return
        while True:
            try:
                frame = self._filters.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            assert isinstance(frame, av.AudioFrame)
            yield from self._stream.encode(frame)


def add_subtitles(path: Path, cues: Sequence[Cue]) -> None:
    """Add subtitles that the viewer can turn on and off (3GPP timed text) to an MP4 file.

    The file is written anew beside itself and then replaced, so that nothing is lost where that
    fails. They are not written while the file grows: FFmpeg gives pictures wrong times where a
    fragmented file has such a track.

    Args:
        path: The file.
        cues: In order, in seconds of the file.

    Raises:
        HcrError: If they can't be added; the file is as it was.
    """
    import av

    part = path.with_name(path.name + ".part")
    try:
        with av.open(str(path)) as source, av.open(str(part), "w", format="mp4") as target:
            target.metadata.update(source.metadata)
            streams = {}
            for stream in source.streams:
                streams[stream.index] = target.add_stream_from_template(stream, opaque=True)
                _describe(streams[stream.index], stream)
            text = _text_stream(target)
            coming = deque(cues)
            for packet in source.demux():
                if packet.dts is None or packet.time_base is None:
                    continue
                while coming and coming[0].begin <= packet.dts * packet.time_base:
                    target.mux_one(_text_packet(coming.popleft(), text))
                packet.stream = streams[packet.stream.index]
                target.mux_one(packet)
            for cue in coming:
                target.mux_one(_text_packet(cue, text))
        part.replace(path)
    except (av.error.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise HcrError(f"{path} lacks its own subtitles: {reason}.") from error
    finally:
        part.unlink(missing_ok=True)


def _text_stream(container: OutputContainer) -> Stream:
    stream = container.add_stream("mov_text")
    stream.codec_context.subtitle_header = _STYLES
    stream.codec_context.time_base = stream.time_base = _MILLISECONDS
    stream.metadata["handler_name"] = "Recognised text"
    return stream


def _text_packet(cue: Cue, stream: Stream) -> Packet:
    from av import Packet

    text = cue.text.encode()
    packet = Packet(len(text).to_bytes(2, "big") + text)
    packet.pts = packet.dts = round(cue.begin * 1000)
    packet.duration = round(cue.end * 1000) - packet.pts
    packet.time_base = _MILLISECONDS
    packet.stream = stream
    return packet


def _describe(target: Stream, source: Stream) -> None:
    """Keep the language, so that players can choose among several."""
    for name in ("language", "title"):
        if name in source.metadata:
            target.metadata[name] = source.metadata[name]
