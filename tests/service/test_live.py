"""Live connections over real WebSockets, networks and MediaPipe included."""

import asyncio
import contextlib
import itertools
import json
import socket
import struct
import threading
import time

import av
import cv2
import numpy as np
import pytest
import uvicorn
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame as Piece
from websockets.frames import Opcode
from websockets.sync.client import connect
from websockets.uri import parse_uri

from hcr_live.air.hands import HandDetector
from hcr_live.air.watcher import HandWatcher
from hcr_live.classifier import Classifier
from hcr_live.frame import Frame
from hcr_live.language.suggester import Suggester
from hcr_live.service.app import make_app
from hcr_live.service.connection import Answer, Clock, Inbox, Picture
from hcr_live.service.detectors import Detectors
from hcr_live.service.live import Outbox
from hcr_live.service.messages import End, Set
from hcr_live.service.settings import Settings
from hcr_live.session import Session
from tests.conftest import run_program

FPS = 30
PATIENCE = 60
"""Seconds until a connection that hangs fails its test."""


@contextlib.contextmanager
def serving(send_buffer=None, **limits):
    """A service on a free port, in a thread; yields how to stop it, and to connect to it."""
    listener = socket.create_server(("127.0.0.1", 0))
    if send_buffer is not None:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    port = listener.getsockname()[1]
    server = uvicorn.Server(
        uvicorn.Config(make_app(Settings(**limits)), log_level="error", ws_ping_interval=None)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)

    def stop():
        server.should_exit = True

    def client(**options):
        address = f"ws://127.0.0.1:{port}/v1/live"
        return connect(address, compression=None, open_timeout=PATIENCE, **options)

    try:
        yield stop, client
    finally:
        stop()
        thread.join()
        listener.close()


@pytest.fixture(scope="module")
def service():
    with serving() as (_, client):
        yield client


def jpeg(image, quality=95):
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def bgr(picture):
    return cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)


def pictures_of(clip):
    with av.open(str(clip)) as container:
        return [jpeg(frame.to_ndarray(format="bgr24")) for frame in container.decode(video=0)]


@pytest.fixture(scope="module")
def sheet(paper_clip):
    """Frames with RAKE on a sheet, smaller than they were."""
    return [jpeg(cv2.resize(bgr(data), (640, 360))) for data in pictures_of(paper_clip)]


def say(socket, **message):
    socket.send(json.dumps(message))


def hear(socket):
    return json.loads(socket.recv(timeout=PATIENCE))


def hear_until(socket, kind):
    """The events up to the first of a kind."""
    events = [hear(socket)]
    while events[-1]["event"] != kind:
        events.append(hear(socket))
    return events


def show(socket, picture, at=None):
    """Send a picture and return the events that it brought, its view (or error) last."""
    if at is not None:
        say(socket, type="frame", time=at)
    socket.send(picture)
    events = [hear(socket)]
    while events[-1]["event"] not in ("view", "error"):
        events.append(hear(socket))
    return events


def show_all(socket, pictures, first=0):
    """Send pictures one by one at `FPS`, waiting for each one's answer."""
    answers = [show(socket, one, (first + n) / FPS) for n, one in enumerate(pictures)]
    return list(itertools.chain(*answers))


def end(socket):
    say(socket, type="end")
    events = hear_until(socket, "end")
    with pytest.raises(ConnectionClosed) as closed:
        hear(socket)
    assert closed.value.rcvd.code == 1000
    return events


def closing_of(socket):
    """Read on until the server closes; return its code."""
    while True:
        try:
            hear(socket)
        except ConnectionClosed as closed:
            return closed.rcvd.code


def read_here(pictures):
    """The events of the same pictures read without a service."""
    hands = HandWatcher(HandDetector)
    session = Session(Classifier(), hands, suggest=Suggester("en"))
    events = []
    for number, picture in enumerate(pictures):
        events += session.step(Frame(bgr(picture), number, number / FPS))[1]
    events += session.finish()
    hands.close()
    return json.loads(json.dumps(events))


@pytest.mark.parametrize("kind", ["paper", "air"])
def test_a_clip_is_read_as_the_program_reads_its_file(kind, request, service, tmp_path):
    clip = request.getfixturevalue(f"{kind}_clip")
    pictures = pictures_of(clip)
    with service() as socket:
        events = show_all(socket, pictures) + end(socket)
    views = [event for event in events if event["event"] == "view"]
    rest = [event for event in events if event["event"] != "view"]
    height, width = bgr(pictures[0]).shape[:2]
    assert [view["frame"] for view in views] == list(range(len(pictures)))
    assert {(view["width"], view["height"]) for view in views} == {(width, height)}
    assert rest[0]["event"] == "start"
    assert (rest[0]["width"], rest[0]["height"]) == (width, height)
    assert rest[1:-1] == read_here(pictures)

    run = run_program(tmp_path, "--source", str(clip))
    assert rest[-1] == run.events[-1]
    assert [e["text"] for e in rest if e["event"] == "character"] == [
        e["text"] for e in run.of("character")
    ]
    assert views[-1]["mode"] == kind


def test_views_say_all_that_an_overlay_draws(sheet, service):
    with service() as socket:
        say(socket, type="start", mode="paper")
        view = show_all(socket, sheet)[-1]
    assert "".join(mark["text"] for mark in view["marks"]) == "RAKE"
    assert all(mark["settled"] for mark in view["marks"])
    assert all(
        mark["candidates"][0] == [mark["text"], mark["confidence"]] for mark in view["marks"]
    )
    outline = np.array(view["outline"], np.float32)
    for mark in view["marks"]:
        x, y, w, h = mark["box"]
        assert cv2.pointPolygonTest(outline, (x + w / 2, y + h / 2), False) > 0
    assert view["text"] == "RAKE"
    assert view["latest"]["text"] in "RAKE"
    assert not view["automatic"]
    assert view["hint"] == ""


def test_an_air_trail_is_part_of_the_view(air_clip, service):
    with service() as socket:
        say(socket, type="start", mode="air", mirror=False)
        events = show_all(socket, pictures_of(air_clip)[:60])
    trails = [event["trail"] for event in events if event["event"] == "view"]
    longest = max(trails, key=lambda trail: sum(map(len, trail)))
    points = np.concatenate([np.array(stroke) for stroke in longest])
    assert len(points) > 10
    assert points.min() >= 0
    assert (points.max(axis=0) < (640, 480)).all()
    assert any(event["pen"] == "down" for event in events if event["event"] == "view")


def test_of_pictures_that_come_too_fast_the_oldest_are_dropped_and_counted(sheet, service):
    with service() as socket:
        sent = 0
        for picture in sheet * 2:
            socket.send(picture)
            sent += 1
        events = end(socket)
    views = [event for event in events if event["event"] == "view"]
    numbers = [view["frame"] for view in views]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == sent - 1
    assert events[-1]["frames"] < sent
    assert events[-1]["frames"] + events[-1]["dropped"] == sent
    assert views[-1]["dropped"] == events[-1]["dropped"]
    times = [view["time"] for view in views]
    assert times == sorted(set(times))


def test_edits_and_choices(sheet, service):
    with service() as socket:
        read = show_all(socket, sheet)[-1]
        assert (read["text"], read["automatic"], read["alphabet"]) == ("RAKE", True, "letters")
        say(socket, type="set", mode="air")
        say(socket, type="edit", action="space")
        said = hear_until(socket, "text")
        assert [event["event"] for event in said] == ["edit", "text"]
        assert said[-1]["text"] == "RAKE "
        say(socket, type="edit", action="delete")
        assert hear_until(socket, "text")[-1]["text"] == "RAKE"
        say(socket, type="edit", action="clear")
        assert hear_until(socket, "text")[-1]["text"] == ""
        say(socket, type="edit", action="undo")
        assert hear_until(socket, "text")[-1]["text"] == "RAKE"
        view = show(socket, sheet[0])[-1]
        assert (view["mode"], view["automatic"]) == ("air", False)
        say(socket, type="set", mode="paper", alphabet="digits", mirror=True)
        view = show_all(socket, sheet, first=len(sheet) + 1)[-1]
        assert (view["mode"], view["alphabet"]) == ("paper", "digits")
        assert view["marks"]
        assert {mark["text"] for mark in view["marks"]} <= set("0123456789")


def test_only_a_region_is_read_while_it_is_set(sheet, service):
    with service() as socket:
        say(socket, type="set", region=[0, 0, 100, 100])
        assert hear(socket)["event"] == "error"  # there is no picture yet
        whole = show_all(socket, sheet)[-1]["marks"]
        x, y, w, h = whole[0]["box"]
        region = [max(0, x - 8), max(0, y - 8), w + 16, h + 16]
        say(socket, type="set", region=region)
        part = show_all(socket, sheet, first=len(sheet))[-1]["marks"]
        assert len(part) == 1
        say(socket, type="set", region=[5000, 5000, 100, 100])
        assert "outside" in hear(socket)["detail"]
        say(socket, type="set", region=None)
        again = show_all(socket, sheet, first=2 * len(sheet))[-1]["marks"]
        assert len(again) == len(whole)


def test_a_turned_phone_keeps_the_text(sheet, service):
    with service() as socket:
        show_all(socket, sheet)
        small = [cv2.resize(bgr(one), (480, 270)) for one in sheet]
        upright = [cv2.copyMakeBorder(one, 170, 200, 0, 0, cv2.BORDER_REPLICATE) for one in small]
        events = show_all(socket, [jpeg(one) for one in upright], first=len(sheet))
        view = events[-1]
        assert (view["width"], view["height"]) == (480, 640)
        assert all(event["event"] != "error" for event in events)
        assert [event for event in events if event["event"] == "start"] == []
        last = end(socket)[-1]
    assert last["text"] == "RAKE\nRAKE"
    assert last["frames"] == 2 * len(sheet)


def bomb():
    """A PNG whose header says 60,000 x 60,000 pixels."""
    head = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + b"\0\0\0\0"


def test_bad_pictures_are_named_and_the_connection_goes_on(sheet, service):
    noise = np.random.default_rng(0).bytes(2000)
    bad = [b"", noise, b"\xff\xd8" + noise, sheet[0][:40], bomb(), b"RIFF", b"GIF89a"]
    with service() as socket:
        for number, picture in enumerate(bad):
            socket.send(picture)
            answer = hear(socket)
            assert (answer["event"], answer["frame"]) == ("error", number)
            assert answer["detail"].endswith(".")
        read = show_all(socket, sheet)
        assert read[-1]["text"] == "RAKE"
        assert read[-1]["frame"] == len(bad) + len(sheet) - 1
        assert end(socket)[-1]["frames"] == len(sheet)


@pytest.mark.parametrize(
    ("message", "part"),
    [
        ("", "JSON"),
        ("[" * 9000, "JSON"),
        ("[]", "message"),
        ('{"type": "stop"}', "type"),
        ('{"mode": "air"}', "type"),
        ('{"type": "set", "mode": "pen"}', "mode"),
        ('{"type": "set", "mode": null}', "mode"),
        ('{"type": "set", "alfabet": "digits"}', "alfabet"),
        ('{"type": "set", "region": [0, 0, 10]}', "region"),
        ('{"type": "set", "region": [0, 0, -1, 10]}', "region"),
        ('{"type": "edit", "action": "format"}', "action"),
        ('{"type": "edit", "action": "accept", "number": 99}', "number"),
        ('{"type": "frame", "time": NaN}', "time"),
        ('{"type": "frame", "time": 1e300}', "time"),
        ('{"type": "start", "language": "/etc/passwd"}', "language"),
        ('{"type": "start", "min_confidence": "0.5"}', "min_confidence"),
    ],
)
def test_bad_messages_are_named(message, part, sheet, service):
    with service() as socket:
        socket.send(message)
        answer = hear(socket)
        assert answer["event"] == "error"
        assert part in answer["detail"]
        assert "\n" not in answer["detail"]
        say(socket, type="start", mode="paper")
        assert show(socket, sheet[0])[-1]["event"] == "view"
        say(socket, type="start", mode="paper")
        assert "already" in hear(socket)["detail"]


def test_too_many_bad_messages_in_a_row_end_the_connection(service):
    with service() as socket:
        for _ in range(19):
            socket.send("?")
        say(socket, type="set")
        for _ in range(20):
            socket.send("?")
        assert [hear(socket)["event"] for _ in range(39)] == ["error"] * 39
        assert closing_of(socket) == 1008


def test_a_failure_while_reading_loses_a_frame_and_not_the_text(
    sheet, service, monkeypatch, caplog
):
    step = Session.step

    def fail_once(self, frame):
        monkeypatch.setattr(Session, "step", step)
        raise RuntimeError("broken")

    with service() as socket:
        show_all(socket, sheet)
        monkeypatch.setattr(Session, "step", fail_once)
        answer = show(socket, sheet[0])[-1]
        assert (answer["event"], answer["frame"]) == ("error", len(sheet))
        assert "broken" not in answer["detail"]
        view = show(socket, sheet[1])[-1]
        assert (view["event"], view["text"]) == ("view", "RAKE")
    assert "broken" in caplog.text


def test_the_limits_of_size_and_number(sheet):
    with serving(frame_bytes=200_000, frame_pixels=640 * 360, connections=1) as (_, client):
        with client() as first:
            assert show(first, sheet[0])[-1]["event"] == "view"
            with client() as second:
                assert closing_of(second) == 1013
            large = np.zeros((361, 640, 3), np.uint8)
            assert "pixels" in show(first, jpeg(large))[-1]["detail"]
            first.send(bytes(200_001))
            assert closing_of(first) == 1009
        assert until_let_in(client, sheet[0])["event"] == "view"
    with serving() as (_, client), client() as other:
        other.send("x" * 10_001)
        assert closing_of(other) == 1009


def until_let_in(client, picture):
    """Try to connect until the place of who was before is free; return the view of a picture."""
    for _ in range(100):
        with client() as socket:
            try:
                return show(socket, picture)[-1]
            except ConnectionClosed:
                time.sleep(0.1)
    raise TimeoutError


def test_a_token_is_asked_for(sheet):
    with serving(token="secret") as (_, client):
        with client() as nobody:
            nobody.send(sheet[0])
            assert closing_of(nobody) == 1008
        with client() as wrong:
            say(wrong, type="start", token="Secret")
            assert closing_of(wrong) == 1008
        with client() as right:
            say(right, type="start", mode="air", token="secret")
            assert show(right, sheet[0])[-1]["mode"] == "air"
        with client(additional_headers={"Authorization": "Bearer secret"}) as program:
            assert show(program, sheet[0])[-1]["event"] == "view"


def test_who_says_nothing_is_sent_the_end(sheet):
    with serving(idle_seconds=0.5) as (_, client), client() as socket:
        show(socket, sheet[0])
        assert hear(socket)["event"] == "end"
        assert closing_of(socket) == 1000


def test_who_never_reads_is_let_go():
    with serving(send_buffer=4096) as (_, client):
        never_read(client)
    assert threads_of_connections() == []


def never_read(client):
    """Send what is answered until the service lets go."""
    with client() as probe:
        address = probe.remote_address
    words = [b"?", b'{"type": "set"}'] * 500  # every other one is answered by an error
    words = b"".join(Piece(Opcode.TEXT, word).serialize(mask=True) for word in words)
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(address)
        deaf.settimeout(0.1)
        upgrade = ClientProtocol(parse_uri(f"ws://127.0.0.1:{address[1]}/v1/live"))
        upgrade.send_request(upgrade.connect())
        deaf.sendall(b"".join(upgrade.data_to_send()))
        assert deaf.recv(12) == b"HTTP/1.1 101"
        wait_for(threads_of_connections)
        until = time.monotonic() + PATIENCE
        sent = 0
        while threads_of_connections() and time.monotonic() < until:
            with contextlib.suppress(OSError):
                sent += deaf.send(words[sent % len(words) :])
        assert time.monotonic() < until


def wait_for(condition):
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def threads_of_connections():
    return [t for t in threading.enumerate() if t.name.startswith(("live", "hands"))]


def test_threads_end_with_their_connection_and_with_the_service(sheet):
    with serving() as (stop, client):
        with client() as one:
            show(one, sheet[0])
            assert threads_of_connections()
            end(one)
        with client() as abrupt:
            abrupt.send(sheet[0])
            abrupt.socket.shutdown(socket.SHUT_RDWR)
        with client() as stays:
            show(stays, sheet[0])
            stop()
            assert closing_of(stays) in (1001, 1012)
    assert threads_of_connections() == []


def test_views_give_way_to_newer_ones_and_events_never():
    async def fill():
        outbox = Outbox()
        for number in range(100):
            outbox.put([Answer(f"event {number}"), Answer(f"view {number}", is_view=True)])
        assert not outbox.overflows.is_set()
        waiting = [(await outbox.take()).text for _ in range(104)]
        assert [text for text in waiting if "event" in text] == [f"event {n}" for n in range(100)]
        assert [text for text in waiting if "view" in text] == [f"view {n}" for n in range(96, 100)]
        assert waiting[-2:] == ["event 99", "view 99"]
        for _ in range(30):
            outbox.put([Answer("e" * 200_000)])
        assert outbox.overflows.is_set()

    asyncio.run(fill())


def picture(number):
    return Picture(b"", number, float(number))


def test_the_inbox_keeps_the_order_and_of_pictures_the_newest():
    inbox = Inbox(1000.0)
    choice = Set(type="set", mode="air")
    for item in (picture(0), picture(1), choice, picture(2), End()):
        assert inbox.put(item)
    assert inbox.dropped == 1
    first, second, third, last = (inbox.take() for _ in range(4))
    assert (first.number, second, third.number, last) == (1, choice, 2, End())
    inbox.close()
    assert inbox.take() is None


def test_the_inbox_refuses_words_without_end():
    inbox = Inbox(30.0)
    put = [inbox.put(End()) for _ in range(1000)]
    assert 0 < sum(put) < 1000
    assert put == sorted(put, reverse=True)


def test_pictures_are_handed_out_no_faster_than_allowed():
    now = [0.0]
    inbox = Inbox(10.0, clock=lambda: now[0])
    taken = 0
    for tick in range(1000):  # ten seconds, a hundred pictures a second
        now[0] = tick / 100
        inbox.put(picture(tick))
        if inbox.next_in() <= 0:
            inbox.take()
            taken += 1
    assert 100 <= taken <= 105
    assert inbox.dropped == 1000 - taken - 2 or inbox.dropped == 1000 - taken - 1


def test_times_of_frames_grow_whatever_the_sender_says():
    clock = Clock()
    assert clock(100.0, 5e8) == 0.0
    assert clock(100.5, 5e8 + 0.25) == pytest.approx(0.25)
    assert clock(100.6, 5e8) == pytest.approx(0.35)  # it runs back: the arrival counts
    assert clock(100.7, None) == pytest.approx(0.45)
    assert clock(100.7, 5e8 + 0.45) == pytest.approx(0.451)
    assert clock(100.8, 5e8 + 1) == pytest.approx(1.0)
    assert clock.seconds == pytest.approx(1.0)


def test_a_detector_that_comes_back_is_lent_again_and_knows_nothing_of_before(air_clip):
    frames = [bgr(one) for one in pictures_of(air_clip)[20:40]]
    detectors = Detectors()

    def found(detector):
        hands = [detector.detect(frame, number / FPS) for number, frame in enumerate(frames)]
        return [hand.landmarks.tolist() for few in hands for hand in few]

    first = detectors.lend()
    expected = found(first)
    assert expected
    first.close()
    again = detectors.lend()
    assert again is first
    other = detectors.lend()
    assert other is not first
    assert found(again) == found(other) == expected
    again.close()
    other.close()
    detectors.close()
