"""What is said and shown to a teacher that sees the picture, and what of that is in a request's identity."""

import pytest
from msgspec.structs import replace

from instructgen.config import SurrogateConfig, TeacherConfig
from instructgen.prompting.prompts import load_prompt
from instructgen.prompting.requests import make_prompt_book, make_request
from instructgen.prompting.seeing import load_seeing
from instructgen.records import Decoding, Message, Picture, Unit
from instructgen.sample_types import PROMPTED_TYPES, SAMPLE_TYPES
from tests.support.make import make_unit

SHA256 = "ab" * 32


def write(
    see_image: str, sample_type: str = "caption", *, max_side_px: int = 768
) -> tuple[Unit, tuple[Message, ...]]:
    config = TeacherConfig(see_image=see_image, max_image_side_px=max_side_px)  # type: ignore[arg-type]
    unit = replace(make_unit(sample_type=sample_type), picture_sha256=SHA256)
    prompts = {sample_type: load_prompt(None, sample_type)}
    book = make_prompt_book(prompts, SAMPLE_TYPES, SurrogateConfig(), Decoding(), load_seeing(None, config))
    return unit, book.messages(unit)


def request_id(unit: Unit, messages: tuple[Message, ...]) -> str:
    return make_request(unit, messages, "m", Decoding()).request_id


@pytest.mark.parametrize("sample_type", PROMPTED_TYPES)
def test_picture_goes_along_with_the_last_message_alone(sample_type: str) -> None:
    _, messages = write("beside", sample_type)
    assert [message.picture for message in messages] == [None] * (len(messages) - 1) + [Picture(SHA256, 768)]


@pytest.mark.parametrize("sample_type", PROMPTED_TYPES)
def test_surrogate_is_shown_beside_the_picture_or_not_at_all(sample_type: str) -> None:
    unit, beside = write("beside", sample_type)
    _, only = write("only", sample_type)
    assert unit.surrogate.text in beside[-1].content
    assert not any(line in message.content for line in unit.record.captions for message in only)
    assert only[-1].content


def test_rules_say_what_is_to_be_seen() -> None:
    _, no = write("no", "detail")
    _, beside = write("beside", "detail")
    _, only = write("only", "detail")
    assert beside[0].content.startswith(no[0].content)
    assert len({no[0].content, beside[0].content, only[0].content}) == 3
    assert beside[1:-1] == only[1:-1] == no[1:-1]


def test_teacher_that_sees_nothing_is_asked_as_ever() -> None:
    unit, messages = write("no", "detail")
    request = make_request(unit, messages, "m", Decoding())
    assert request.record is None
    assert request_id(make_unit(sample_type="detail"), messages) == request.request_id


def test_identity_tells_pictures_and_their_sizes_apart() -> None:
    unit, messages = write("only")
    other = (*messages[:-1], replace(messages[-1], picture=Picture("cd" * 32, 768)))
    _, smaller = write("only", max_side_px=512)
    assert len({request_id(unit, each) for each in (messages, other, smaller, write("no")[1])}) == 4


def test_two_files_with_the_same_picture_share_one_request() -> None:
    unit, messages = write("only")
    again = replace(unit, record=replace(unit.record, image_id="coco/2", file_name="2.jpg"))
    assert request_id(unit, messages) == request_id(again, messages)
    assert make_request(unit, messages, "m", Decoding()).record == unit.record
