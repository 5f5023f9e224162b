"""The server over real connections: what OpenAI's own client gets, what is refused and how, who waits for whom."""

import asyncio
import base64
import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import openai
import pytest

pytest.importorskip("torch", reason="torch is not installed")
pytest.importorskip("transformers", reason="transformers is not installed")

from instructgen.records import Message
from instructgen.student.ask import Ask, Sampling
from instructgen.student.local import LocalStudent
from instructgen.student.serving.batches import Batching
from instructgen.student.serving.pictures import PictureRules
from instructgen.student.serving.server import ServerSettings
from tests.support.served_students import Parrot, ServedStudent
from tests.support.tiny_students import make_picture, make_tiny

QUESTION = "What is in the picture?"


@pytest.fixture(scope="module")
def tiny() -> LocalStudent:
    return make_tiny()


@pytest.fixture(scope="module")
def served(tiny: LocalStudent) -> Iterator[ServedStudent]:
    with ServedStudent(tiny) as server:
        yield server


@pytest.fixture
def parrot() -> Iterator[tuple[Parrot, ServedStudent]]:
    student = Parrot()
    settings = ServerSettings(port=0, batching=Batching(max_batch=4, max_waiting=3), grace_s=5.0)
    with ServedStudent(student, settings) as server:
        yield student, server


def make_client(server: ServedStudent, key: str = "none") -> openai.OpenAI:
    return openai.OpenAI(base_url=server.base_url, api_key=key, max_retries=0, timeout=20)


def data_url(picture: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def show(*pictures: bytes, text: str = QUESTION) -> list[Any]:
    parts = [{"type": "image_url", "image_url": {"url": data_url(picture)}} for picture in pictures]
    return [{"role": "user", "content": [*parts, {"type": "text", "text": text}]}]


def send(server: ServedStudent, body: Any, path: str = "/v1/chat/completions", **headers: str) -> tuple[int, Any]:
    """Return status and body of a request that no client would send."""
    connection = HTTPConnection("127.0.0.1", server.server.port, timeout=20)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    connection.request("POST" if body is not None else "GET", path, raw if body is not None else None, given)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text)


def asking(text: str = "one two", **more: Any) -> dict[str, Any]:
    return {"model": "parrot", "messages": [{"role": "user", "content": text}], **more}


def test_openais_client_gets_the_students_own_answer(served: ServedStudent, tiny: LocalStudent) -> None:
    picture = make_picture(5)
    found = make_client(served).chat.completions.create(
        model="tiny", messages=show(picture), max_tokens=16, temperature=1.0, top_p=0.8, seed=11
    )
    sampling = Sampling(max_tokens=16, temperature=1.0, top_p=0.8, seed=11)
    answer = tiny.answer_all([Ask((Message("user", QUESTION),), (picture,))], sampling)[0]
    assert found.choices[0].message.content == answer.text
    assert found.choices[0].finish_reason == answer.finish_reason
    assert found.usage is not None
    assert (found.usage.prompt_tokens, found.usage.completion_tokens) == (
        answer.prompt_tokens,
        answer.completion_tokens,
    )
    assert found.usage.total_tokens == answer.prompt_tokens + answer.completion_tokens


def test_stream_brings_the_same_text_in_pieces_and_its_usage(served: ServedStudent) -> None:
    client = make_client(served)
    asked: dict[str, Any] = {"model": "tiny", "messages": show(make_picture(5), make_picture(6)), "max_tokens": 16}
    whole = client.chat.completions.create(**asked, temperature=0)
    chunks = list(
        client.chat.completions.create(**asked, temperature=0, stream=True, stream_options={"include_usage": True})
    )
    texts = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert len([text for text in texts if text]) > 3
    assert "".join(texts) == whole.choices[0].message.content
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == whole.choices[0].finish_reason
    assert chunks[-1].usage == whole.usage
    assert len({chunk.id for chunk in chunks}) == 1


def test_models_are_listed_and_one_of_another_name_is_not_there(served: ServedStudent) -> None:
    client = make_client(served)
    assert [model.id for model in client.models.list()] == ["tiny"]
    assert client.models.retrieve("tiny").owned_by == "instructgen"
    with pytest.raises(openai.NotFoundError, match="this one is: 'tiny'"):
        client.chat.completions.create(model="gpt-4o", messages=show(make_picture()))


def test_requests_at_once_are_answered_in_one_batch_each_its_own(tiny: LocalStudent) -> None:
    sizes: list[int] = []
    together = tiny.answer_together

    def watched(asks: Any, is_wanted: Any) -> Any:
        sizes.append(len(asks))
        return together(asks, is_wanted)

    tiny.answer_together = watched  # type: ignore[method-assign]
    with ServedStudent(tiny) as server, ThreadPoolExecutor(6) as threads:
        client = make_client(server)

        def ask(number: int) -> str | None:
            found = client.chat.completions.create(
                model="tiny", messages=show(make_picture(number)), max_tokens=8, temperature=0
            )
            return found.choices[0].message.content

        texts = list(threads.map(ask, range(6)))
    tiny.answer_together = together  # type: ignore[method-assign]
    asks = [Ask((Message("user", QUESTION),), (make_picture(number),)) for number in range(6)]
    assert texts == [tiny.answer_all([one], Sampling(max_tokens=8))[0].text for one in asks]
    assert sum(sizes) == 6
    assert max(sizes) > 1


def test_system_and_earlier_turns_reach_the_student(parrot: tuple[Parrot, ServedStudent]) -> None:
    student, server = parrot
    make_client(server).chat.completions.create(
        model="parrot",
        messages=[
            {"role": "system", "content": "Be brief."},
            *show(b"a", text="first"),
            {"role": "assistant", "content": "said"},
            *show(b"b", text="second"),
        ],
    )
    [[ask]] = student.batches
    assert (ask.system, ask.pictures) == ("Be brief.", (b"a", b"b"))
    assert [(turn.role, turn.content) for turn in ask.turns] == [
        *(("user", "first"), ("assistant", "said"), ("user", "second"))
    ]


def test_settings_reach_the_student(parrot: tuple[Parrot, ServedStudent]) -> None:
    student, server = parrot
    send(server, asking(temperature=0.5, top_p=0.25, max_completion_tokens=7, seed=9, stop=["x", "y"]))
    send(server, asking(max_tokens=1, stop="z", repetition_penalty=1.1))
    assert student.samplings[0] == Sampling(7, 0.5, 0.25, 1.0, 9, ("x", "y"))
    assert student.samplings[1] == Sampling(1, 0.0, 1.0, 1.1, student.samplings[1].seed, ("z",))


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"n": 2}, "n"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"logprobs": True}, "logprobs"),
        ({"frequency_penalty": 0.5}, "frequency_penalty"),
        ({"max_tokens": 1_000_000}, "max_tokens"),
        ({"temperature": 3}, "temperature"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0]"),
        ({"messages": [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]}, "messages"),
        ({"messages": [{"role": "user", "content": "x"}, {"role": "user", "content": "y"}]}, "messages[1]"),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "messages[0].content[0]"),
    ],
)
def test_what_there_is_not_is_refused_by_name(
    parrot: tuple[Parrot, ServedStudent], changes: dict[str, Any], param: str
) -> None:
    status, body = send(parrot[1], asking() | changes)
    assert (status, body["error"]["param"], body["error"]["type"]) == (400, param, "invalid_request_error")
    assert parrot[0].batches == []


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b"\xff", b'{"model": "parrot"}', b"[" * 100_000])
def test_body_that_is_no_request_is_400(parrot: tuple[Parrot, ServedStudent], body: bytes) -> None:
    status, answer = send(parrot[1], body)
    assert status == 400
    assert set(answer["error"]) == {"message", "type", "param", "code"}


def test_prompt_that_is_too_long_is_400_and_the_server_goes_on(parrot: tuple[Parrot, ServedStudent]) -> None:
    status, body = send(parrot[1], asking("too long"))
    assert (status, body["error"]["message"]) == (400, "the prompt has 9,999 tokens")
    assert send(parrot[1], asking("still there?"))[0] == 200


def test_bug_of_one_batch_is_500_and_the_next_is_answered(
    parrot: tuple[Parrot, ServedStudent], capfd: pytest.CaptureFixture[str]
) -> None:
    assert send(parrot[1], asking("crash now"))[0] == 500
    assert "ZeroDivisionError" in capfd.readouterr().err
    assert send(parrot[1], asking("crash later", stream=True) | {"stream": False})[0] == 500
    assert send(parrot[1], asking("well?"))[1]["choices"][0]["message"]["content"] == "0: well?"


def test_stream_that_breaks_says_so_in_the_stream_and_on_the_terminal(
    parrot: tuple[Parrot, ServedStudent], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(openai.APIError, match="a bug in the server"):
        for _ in make_client(parrot[1]).chat.completions.create(
            model="parrot", messages=[{"role": "user", "content": "one two crash"}], stream=True
        ):
            pass
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_where_too_many_wait_the_next_is_told_to_come_again(parrot: tuple[Parrot, ServedStudent]) -> None:
    student, server = parrot
    student.gate.clear()
    with ThreadPoolExecutor(16) as threads:
        found = [threads.submit(send, server, asking(f"number {number}")) for number in range(12)]
        deadline_s = time.monotonic() + 20
        while sum(one.done() for one in found) < 5 and time.monotonic() < deadline_s:
            time.sleep(0.01)
        student.gate.set()
        answers = [one.result() for one in found]
    statuses = [status for status, _ in answers]
    assert (statuses.count(200), statuses.count(429)) == (7, 5)  # a batch of four, three that wait
    assert {body["error"]["type"] for status, body in answers if status == 429} == {"rate_limit_error"}
    assert all(len(batch) <= 4 for batch in student.batches)


def test_client_that_leaves_is_answered_no_further() -> None:
    student = Parrot(delay_s=0.02)
    with ServedStudent(student) as server:
        stream = make_client(server).chat.completions.create(
            model="parrot", messages=[{"role": "user", "content": "word " * 2000}], max_tokens=4000, stream=True
        )
        next(iter(stream))
        stream.close()
        assert send(server, asking("next"))[0] == 200  # waits for the first batch, which ends early
    assert student.num_dropped == 1


def test_stopping_server_ends_what_runs_and_takes_no_more() -> None:
    student = Parrot()
    student.gate.clear()
    with ServedStudent(student) as server, ThreadPoolExecutor(2) as threads:
        running = threads.submit(send, server, asking("let me finish"))
        while not student.batches:
            time.sleep(0.01)
        stopped = server.begin_stop()
        while not server.server.is_stopping:
            time.sleep(0.01)
        status, body = send(server, asking("too late"))
        assert (status, body["error"]["code"]) == (503, "stopping")
        assert send(server, None, "/health")[0] == 503
        student.gate.set()
        assert running.result()[1]["choices"][0]["message"]["content"] == "0: let me finish"
        stopped.result(20)  # type: ignore[call-arg]


def test_request_whose_body_is_not_there_yet_does_not_hold_the_stopping_server() -> None:
    head = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with ServedStudent(Parrot()) as server, socket.create_connection(("127.0.0.1", server.server.port), 20) as caller:
        caller.sendall(f'{head}Content-Length: 1000\r\n\r\n{{"model":'.encode())
        while not server.server._read_limits:
            time.sleep(0.01)
        stopped = server.begin_stop()
        assert caller.recv(1000).startswith(b"HTTP/1.1 503 ")
        caller.close()
        stopped.result(20)  # type: ignore[call-arg]


def test_key_of_bytes_that_are_no_text_is_a_wrong_key() -> None:
    request = b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \xff\xfe\r\n\r\n"
    settings = ServerSettings(port=0, api_key="secret")
    with (
        ServedStudent(Parrot(), settings) as server,
        socket.create_connection(("127.0.0.1", server.server.port), 20) as caller,
    ):
        caller.sendall(request)
        assert caller.recv(1000).startswith(b"HTTP/1.1 401 ")


def test_stop_waits_no_longer_than_it_was_given() -> None:
    student = Parrot(delay_s=0.05)
    settings = ServerSettings(port=0, grace_s=0.2)
    with ServedStudent(student, settings) as server, ThreadPoolExecutor(1) as threads:
        running = threads.submit(send, server, asking("word " * 1000, max_tokens=4000))
        while not student.batches:
            time.sleep(0.01)
        server.begin_stop().result(20)  # type: ignore[call-arg]
        assert running.result()[0] == 503


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example:8000"}, 403),
        ({"Host": "evil.example@localhost"}, 403),
        ({"Host": "localhost/.evil.example"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Content_Type": "text/plain"}, 415),
        ({"Host": "localhost:1234"}, 200),
        ({"Host": "[::1]:1234"}, 200),
    ],
)
def test_web_pages_of_other_places_get_nothing(
    parrot: tuple[Parrot, ServedStudent], headers: dict[str, str], status: int
) -> None:
    assert send(parrot[1], asking(), **headers)[0] == status


def test_no_answer_allows_other_origins(parrot: tuple[Parrot, ServedStudent]) -> None:
    connection = HTTPConnection("127.0.0.1", parrot[1].server.port, timeout=20)
    connection.request("OPTIONS", "/v1/chat/completions", headers={"Access-Control-Request-Method": "POST"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    assert answer.status == 405
    assert not [name for name, _ in answer.getheaders() if name.lower().startswith("access-control")]


def test_key_is_asked_for_everywhere_but_health() -> None:
    with ServedStudent(Parrot(), ServerSettings(port=0, api_key="sesame-open")) as server:
        assert send(server, None, "/health")[0] == 200
        assert send(server, None, "/v1/models")[0] == 401
        assert send(server, asking(), Authorization="Bearer sesame")[0] == 401
        with pytest.raises(openai.AuthenticationError):
            make_client(server, "wrong").models.list()
        assert [model.id for model in make_client(server, "sesame-open").models.list()] == ["parrot"]


def test_page_that_is_not_there_and_method_that_is_wrong_are_told_in_json(
    parrot: tuple[Parrot, ServedStudent],
) -> None:
    assert send(parrot[1], None, "/v2")[0] == 404
    assert send(parrot[1], None, "/v1/chat/completions")[0] == 405


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/a.png",
        "https://example.com/a.png",
        "data:text/html;base64,PGI+",
        "data:image/png;base64,@@@@",
        "data:image/png,abc",
        "file:///etc/hostname",
        "photo.png",
        "",
    ],
)
def test_address_of_no_picture_is_refused(parrot: tuple[Parrot, ServedStudent], url: str) -> None:
    body = asking() | {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]}
    status, answer = send(parrot[1], body)
    assert (status, answer["error"]["code"]) == (400, "invalid_image")


@pytest.mark.parametrize(
    ("name", "is_there"),
    [
        ("a.png", True),
        ("sub/b.png", True),
        ("file://{folder}/a.png", True),
        ("../outside.png", False),
        ("{folder}/../outside.png", False),
        ("link.png", False),
        ("sub", False),
        ("none.png", False),
        ("a\0.png", False),
        ("file://[/a.png", False),
    ],
)
def test_files_are_read_below_the_allowed_folder_alone(tmp_path: Path, name: str, *, is_there: bool) -> None:
    folder = tmp_path / "allowed"
    (folder / "sub").mkdir(parents=True)
    for path in (folder / "a.png", folder / "sub" / "b.png", tmp_path / "outside.png"):
        path.write_bytes(path.name.encode())
    (folder / "link.png").symlink_to(tmp_path / "outside.png")
    student, rules = Parrot(), PictureRules(folder=folder)
    with ServedStudent(student, ServerSettings(port=0, pictures=rules)) as server:
        part = {"type": "image_url", "image_url": {"url": name.format(folder=folder)}}
        status, _ = send(server, asking() | {"messages": [{"role": "user", "content": [part]}]})
    assert status == (200 if is_there else 400)
    assert [ask.pictures for batch in student.batches for ask in batch] == (
        [(Path(name).name.encode(),)] if is_there else []
    )


def test_bodies_pictures_and_their_number_are_bounded() -> None:
    rules = PictureRules(max_pictures=2, max_bytes=100)
    settings = ServerSettings(port=0, max_body_bytes=2_000, pictures=rules)
    with ServedStudent(Parrot(), settings) as server:
        assert send(server, asking("word " * 1000))[0] == 413
        # A packed one, which would be larger in memory, is not even unpacked.
        packed = gzip.compress(json.dumps(asking("word " * 1000)).encode())
        assert send(server, packed, Content_Encoding="gzip")[0] == 415
        three = asking() | {"messages": show(b"1", b"2", b"3")}
        assert "more than 2 pictures" in send(server, three)[1]["error"]["message"]
        large = asking() | {"messages": show(b"1" * 101)}
        assert "at most 100" in send(server, large)[1]["error"]["message"]


def test_what_is_no_picture_is_400_and_takes_no_neighbour_down(served: ServedStudent) -> None:
    status, body = send(served, {"model": "tiny", "messages": show(b"no picture at all")})
    assert status == 400
    assert "cannot be read" in body["error"]["message"]


def test_port_that_is_taken_is_told(served: ServedStudent) -> None:
    from instructgen.errors import InstructgenError
    from instructgen.student.serving.server import StudentServer

    async def start() -> None:
        await StudentServer(Parrot(), ServerSettings(port=served.server.port)).start()

    with pytest.raises(InstructgenError, match="give another --port"):
        asyncio.run(start())


def test_threads_end_with_the_server() -> None:
    before = threading.active_count()
    with ServedStudent(Parrot()) as server:
        send(server, asking())
    assert threading.active_count() <= before
