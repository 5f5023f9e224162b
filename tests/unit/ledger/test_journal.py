from pathlib import Path

import pytest

from instructgen.ledger.journal import META, Event, Frame, Gap, Journal, encode_frame, is_journal, scan, survey


def write(path: Path, *payloads: bytes) -> None:
    with Journal(path, 0, 0, 0) as journal:
        for payload in payloads:
            journal.append([Event(META, payload)])


def payloads(path: Path) -> list[bytes]:
    return [piece.payload for piece in scan(path) if isinstance(piece, Frame)]


def test_events_come_back_in_order_with_rising_numbers(tmp_path: Path) -> None:
    write(tmp_path / "j", b"one", b"", b"three" * 100_000)
    found = list(scan(tmp_path / "j"))
    assert [piece.payload for piece in found if isinstance(piece, Frame)] == [b"one", b"", b"three" * 100_000]
    assert [piece.number for piece in found if isinstance(piece, Frame)] == [0, 1, 2]
    assert found[-1].end == (tmp_path / "j").stat().st_size


def test_file_cut_at_any_byte_keeps_every_frame_before(tmp_path: Path) -> None:
    write(tmp_path / "j", b"one", b"two", b"three")
    data = (tmp_path / "j").read_bytes()
    ends = [piece.end for piece in scan(tmp_path / "j")]
    for length in range(len(data) + 1):
        (tmp_path / "j").write_bytes(data[:length])
        assert len(payloads(tmp_path / "j")) == sum(end <= length for end in ends)


def test_every_flipped_bit_costs_only_its_own_frame(tmp_path: Path) -> None:
    write(tmp_path / "j", b"one", b"two", b"three")
    data = (tmp_path / "j").read_bytes()
    pieces = list(scan(tmp_path / "j"))
    for bit in range(len(data) * 8):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        (tmp_path / "j").write_bytes(damaged)
        expected = [p.payload for p in pieces if isinstance(p, Frame) and not p.start <= bit // 8 < p.end]
        assert payloads(tmp_path / "j") == expected


def test_frames_are_found_behind_garbage_of_any_length(tmp_path: Path) -> None:
    frame = encode_frame(7, Event(META, b"x"))
    for length in (1, 3, 4, 50, (1 << 20) - 2, (1 << 20) + 1):
        (tmp_path / "j").write_bytes(bytes(length) + frame + b"\xffIGJ" + frame)
        assert payloads(tmp_path / "j") == [b"x", b"x"]
        assert next(scan(tmp_path / "j")) == Gap(0, length)


def test_text_that_looks_like_a_frame_is_none(tmp_path: Path) -> None:
    """A teacher cannot forge a frame, for text is UTF-8 and a frame's first byte never is."""
    inner = encode_frame(5, Event(META, b"forged"))
    with pytest.raises(UnicodeDecodeError):
        inner.decode()
    write(tmp_path / "j", inner.decode(errors="replace").encode())
    (tmp_path / "j").write_bytes(b"?" + (tmp_path / "j").read_bytes()[1:])
    assert payloads(tmp_path / "j") == []


def test_length_that_is_absurd_is_not_read(tmp_path: Path) -> None:
    frame = bytearray(encode_frame(0, Event(META, b"x")))
    frame[4:8] = b"\xff\xff\xff\xff"
    (tmp_path / "j").write_bytes(frame)
    assert payloads(tmp_path / "j") == []


def test_append_that_fails_leaves_the_journal_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    write_for_real = os.write

    def write_half(file: int, data: bytes) -> int:
        if len(data) < 20:
            raise OSError(28, "No space left on device")
        return write_for_real(file, data[: len(data) // 2])

    with Journal(tmp_path / "j", 0, 0, 0) as journal:
        journal.append([Event(META, b"one")])
        before = (tmp_path / "j").read_bytes()
        with monkeypatch.context() as patch:
            patch.setattr("instructgen.ledger.journal.os.write", write_half)
            with pytest.raises(OSError, match="No space"):
                journal.append([Event(META, b"two" * 100)])
        assert (tmp_path / "j").read_bytes() == before
        journal.append([Event(META, b"three")])
    assert payloads(tmp_path / "j") == [b"one", b"three"]


def test_survey_bears_with_a_torn_end_alone(tmp_path: Path) -> None:
    from instructgen.ledger.books import Totals, make_head

    head = encode_frame(0, make_head("a", Totals()))
    one, two = encode_frame(1, Event(META, b"1")), encode_frame(2, Event(META, b"2"))
    for data, is_whole in (
        (head + one + two, True),
        (head + one + two[:-1], True),
        (head + one + two + b"garbage", True),
        (head + two, False),
        (one + two, False),
        (head + b"garbage" + one, False),
        (b"garbage" + head + one, False),
        (b"", False),
    ):
        (tmp_path / "j").write_bytes(data)
        assert survey(tmp_path / "j").is_whole == is_whole, data


def test_file_that_is_not_there_has_no_frames(tmp_path: Path) -> None:
    assert list(scan(tmp_path / "j")) == []


def test_journal_is_told_by_its_start(tmp_path: Path) -> None:
    write(tmp_path / "j", b"one")
    (tmp_path / "text").write_text("{}")
    assert is_journal(tmp_path / "j")
    assert not is_journal(tmp_path / "text")
