"""The pages: a list, a sample, a picture, and the two forms of a review. No GET changes anything."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from instructgen.errors import InstructgenError, RunStoppedError
from instructgen.pages.assets import MEDIA_TYPES, SCRIPTS, STYLES, read_asset
from instructgen.pages.figures import find_media_type
from instructgen.pages.render import render
from instructgen.viewer.asked import Asked, list_kept, read_asked
from instructgen.viewer.collection import Collection
from instructgen.viewer.guard import Guard
from instructgen.viewer.listing import list_tags, make_cards, sample_address
from instructgen.viewer.reviewing import MAX_BODY_BYTES, Reviewing, read_form
from instructgen.viewer.samples import show_sample
from instructgen.viewer.search import PAGE_ROWS, Hit, Page
from instructgen.viewer.sent import FindSent

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_FOLDER = Path(__file__).parent / "assets"
_OWN_ASSETS = ("viewer.css", "viewer.js")
_OUTCOMES = ("accepted", "rejected", "failed", "all")
_CHANGES = ("changed", "added", "removed", "unchanged")
_MAX_DIGITS = 12  # of a number in an address
_SKIP_ROWS = 200  # looked at together for one without a decision


class About(Struct, frozen=True):
    """What every page says of the versions. `older` and `newer` are "" for one version."""

    title: str
    place: str
    footer: str
    older: str = ""
    newer: str = ""
    is_review: bool = False


class Around(Struct, frozen=True):
    """The addresses around a sample in its list; "" where there is none."""

    back: str
    before: str
    behind: str
    told: str
    decide: str = ""
    undo: str = ""
    skip: str = ""


class Link(Struct, frozen=True):
    """`address` "" is a place where one cannot go from here."""

    text: str
    address: str
    count: int = 0
    is_here: bool = False
    rel: str = ""


class Choices(Struct, frozen=True):
    """What the filters offer, as (value, text)."""

    types: tuple[tuple[str, str], ...]
    reasons: tuple[tuple[str, str], ...]
    splits: tuple[tuple[str, str], ...]
    changes: tuple[tuple[str, str], ...]
    decisions: tuple[tuple[str, str], ...]
    objects: tuple[str, ...]
    scores: tuple[str, ...]
    has_boxes: bool


@dataclass(frozen=True)
class Pages:
    """Answers requests; each method is a page."""

    collection: Collection
    about: About
    find_sent: FindSent
    reviewing: Reviewing | None
    changes: dict[str, int]
    """How many samples of two versions are added, removed, changed, unchanged; empty for one."""

    def show_list(self, request: "Request") -> "Response":
        asked = read_asked(request.query_params)
        page = self.collection.searcher.find(asked)
        told = _tell(page)
        values = {
            "asked": asked,
            "cards": make_cards(self.collection, asked, page.hits, self._decided()),
            "choices": self._choices(),
            "tabs": _make_tabs(asked, page),
            "pages": _make_pages(asked, page),
            "kept": list_kept(asked),
            "whole": asked.address("/"),
            "first": page.first,
            "num_found": page.num_found,
            "told": told,
        }
        return self._html("viewer/list.html", values)

    def sample(self, request: "Request") -> "Response":
        hit = self.collection.searcher.find_sample(request.path_params["sample_id"])
        return self._show(request, hit)

    def row(self, request: "Request") -> "Response":
        return self._show(request, self._read_hit(request.path_params["pos"]))

    def picture(self, request: "Request") -> "Response":
        from starlette.responses import Response

        given = request.path_params
        hit, number = self._read_hit(given["pos"]), _read_place(given["number"])
        if hit is None or number is None or given["version"] != self.collection.version.manifest.version:
            return self._problem(404, "No such picture", "This address is of another version, or of no sample.")
        picture = self.collection.picture(hit, number)
        kind = None if picture is None else find_media_type(picture)
        if picture is None or kind is None:
            return self._problem(404, "No picture", "It is not at hand, or has a format that no browser shows.")
        return Response(picture, media_type=kind, headers={"Cache-Control": "private, max-age=600"})

    def asset(self, request: "Request") -> "Response":
        from starlette.responses import Response

        name = request.path_params["name"]
        if name not in (*SCRIPTS, *STYLES, *_OWN_ASSETS):
            return self._problem(404, "No such file", "The viewer has its own style and scripts, and no others.")
        text = _read_own(name) if name in _OWN_ASSETS else read_asset(name)
        headers = {"Cache-Control": "private, max-age=60", "Content-Type": MEDIA_TYPES[Path(name).suffix]}
        return Response(text, headers=headers)

    def decide(self, request: "Request", body: bytes) -> "Response":
        """Store a decision, and go on to the next sample without one."""
        assert self.reviewing is not None
        form, asked = read_form(body), read_asked(request.query_params)
        if not self.reviewing.is_ours(form):
            return self._problem(403, "Not from this page", "Load the sample again: its form is of an earlier run.")
        hit = self.collection.searcher.find_sample(form.sample_id)
        if hit is None:
            return self._problem(404, "No such sample", "Load the list again.")
        try:
            self.reviewing.decide(form)
        except InstructgenError as error:
            status = 507 if isinstance(error, RunStoppedError) else 422
            return self._show(request, hit, problem=str(error), status=status)
        following = self._next_open(asked, hit.pos)
        return _go_to(asked.address("/") if following is None else self._address(following, asked))

    def undo(self, request: "Request", body: bytes) -> "Response":
        assert self.reviewing is not None
        asked = read_asked(request.query_params)
        if not self.reviewing.is_ours(read_form(body)):
            return self._problem(403, "Not from this page", "Load the sample again: its form is of an earlier run.")
        sample_id = self.reviewing.undo()
        hit = None if sample_id is None else self.collection.searcher.find_sample(sample_id)
        if hit is None:
            return self._problem(409, "Nothing to undo", "You have not decided on any sample of this version.")
        return _go_to(self._address(hit, asked))

    def _show(self, request: "Request", hit: Hit | None, problem: str = "", status: int = 200) -> "Response":
        if hit is None:
            return self._problem(404, "No such sample", "The version that is shown here has no sample of this name.")
        asked = read_asked(request.query_params)
        shown = show_sample(self.collection, hit)
        bar = self.reviewing.make_bar(hit.sample_id) if self.reviewing and hit.outcome == "accepted" else None
        answers = [turn.content for turn in shown.messages if turn.role == "assistant"]
        values = {
            "shown": shown,
            "around": self._around(asked, hit, is_review=bar is not None),
            "tags": list_tags(hit, self._decided()),
            "problem": problem,
            "review": bar,
            "answers": list(bar.answers) if bar is not None and bar.answers else answers,
            "scores": [(one.name, "-" if one.value is None else f"{one.value:.4g}") for one in shown.scores],
            "differing": [(field.name, field.old, field.new) for field in shown.field_diffs],
            "sent": self.find_sent(hit.image_id, hit.sample_type, shown.request_ids),
        }
        return self._html("viewer/sample.html", values, status)

    def _around(self, asked: Asked, hit: Hit, *, is_review: bool) -> Around:
        before, behind = self.collection.searcher.neighbours(asked, hit.pos)
        skip = self._next_open(asked, hit.pos) if is_review else None
        place = self.collection.searcher.find_place(asked.filters, hit)
        told = "" if place is None else f"{place:,} of {self.collection.searcher.count_all(asked.filters):,}"
        start = 1 if place is None else place - (place - 1) % PAGE_ROWS
        return Around(
            back=asked.address("/", **({"start": start} if start > 1 else {})),
            before="" if before is None else self._address(before, asked),
            behind="" if behind is None else self._address(behind, asked),
            told=told,
            decide=asked.address("/review/decide"),
            undo=asked.address("/review/undo"),
            skip="" if skip is None else self._address(skip, asked),
        )

    def _read_hit(self, text: str) -> Hit | None:
        pos = _read_place(text)
        return None if pos is None else self.collection.searcher.read_hit(pos)

    def _address(self, hit: Hit, asked: Asked) -> str:
        return sample_address(hit, asked, self.collection.searcher.doubles)

    def _next_open(self, asked: Asked, pos: int) -> Hit | None:
        """Return the next sample of the list that the reviewer has not decided on, from its front after the end."""
        decided, searcher = self._decided(), self.collection.searcher
        listed = replace(asked.filters, outcome="accepted")
        for edge in (pos, None):
            at = edge
            while True:
                hits = searcher.list_hits(replace(listed, after=at), _SKIP_ROWS)
                found = next((hit for hit in hits if hit.sample_id not in decided and hit.pos != pos), None)
                if found is not None or len(hits) < _SKIP_ROWS:
                    break
                at = hits[-1].pos
            if found is not None:
                return found
        return None

    def _decided(self) -> dict[str, str]:
        return self.reviewing.decided() if self.reviewing is not None else {}

    def _choices(self) -> Choices:
        searcher = self.collection.searcher
        changes = self.changes
        decisions = [("open", "none yet"), *((name, name) for name in ("accept", "edit", "reject"))]
        return Choices(
            types=tuple((name, name) for name in searcher.types),
            reasons=tuple((name, name.replace("_", " ")) for name in searcher.reasons),
            splits=tuple((name, name) for name in searcher.splits),
            changes=tuple((name, f"{name} ({changes[name]:,})") for name in _CHANGES if name in changes),
            decisions=tuple(decisions) if self.reviewing is not None else (),
            objects=searcher.objects,
            scores=("doubt", *searcher.scores),
            has_boxes=searcher.has_boxes,
        )

    def _problem(self, status: int, title: str, text: str) -> "Response":
        return self._html("viewer/problem.html", {"title": title, "text": text}, status)

    def _html(self, template: str, values: dict[str, object], status: int = 200) -> "Response":
        from starlette.responses import HTMLResponse

        return HTMLResponse(render(template, about=self.about, **values), status)


def _read_place(text: str) -> int | None:
    """Return the number that an address names; None for one that no row or picture can have."""
    return int(text) if text.isdecimal() and len(text) <= _MAX_DIGITS else None


@lru_cache(maxsize=4)
def _read_own(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def make_app(pages: Pages, token: str) -> Guard:
    """Return the ASGI application, its guard in front."""
    from starlette.applications import Starlette
    from starlette.exceptions import HTTPException
    from starlette.routing import Route

    routes = [
        Route("/", pages.show_list),
        Route("/sample/{sample_id:path}", pages.sample),
        Route("/row/{pos}", pages.row),
        Route("/picture/{version}/{pos}/{number}", pages.picture),
        Route("/asset/{name}", pages.asset),
    ]
    if pages.reviewing is not None:
        routes += [
            Route("/review/decide", _taking_form(pages.decide, pages), methods=["POST"]),
            Route("/review/undo", _taking_form(pages.undo, pages), methods=["POST"]),
        ]

    def tell(_: "Request", error: Exception) -> "Response":
        if isinstance(error, HTTPException):
            return pages._problem(error.status_code, "Nothing here", error.detail)  # noqa: SLF001
        return pages._problem(500, "This cannot be shown", str(error))  # noqa: SLF001

    return Guard(Starlette(routes=routes, exception_handlers={HTTPException: tell, InstructgenError: tell}), token)


def _taking_form(answer: "Callable[[Request, bytes], Response]", pages: Pages) -> Any:
    """Return what reads a form of bounded length, and answers it in a thread."""

    async def take(request: "Request") -> "Response":
        from starlette.concurrency import run_in_threadpool

        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > MAX_BODY_BYTES:
                return pages._problem(413, "Too long", "No answer is so long.")  # noqa: SLF001
        return await run_in_threadpool(answer, request, body)

    return take


def _go_to(address: str) -> "Response":
    from starlette.responses import Response

    return Response(status_code=303, headers={"Location": address})


def _tell(page: Page) -> str:
    if not page.hits:
        return "no sample" if not page.num_found else f"{page.num_found:,} samples, none so far back"
    last = page.first + len(page.hits) - 1
    return f"{page.first:,} to {last:,} of {page.num_found:,} samples"


def _make_tabs(asked: Asked, page: Page) -> Sequence[Link]:
    counts = {**page.counts, "all": sum(page.counts.values())}
    return [
        Link(name.capitalize(), asked.address("/", outcome=name), counts.get(name, 0), name == asked.outcome)
        for name in _OUTCOMES
        if counts.get(name, 0) or name in ("accepted", asked.outcome)
    ]


def _make_pages(asked: Asked, page: Page) -> Sequence[Link]:
    if page.num_found <= PAGE_ROWS or not page.hits:
        return []
    before, after = page.hits[0].pos, page.hits[-1].pos
    return [
        Link("First", asked.address("/") if page.has_before else ""),
        Link("Previous", asked.address("/", before=before) if page.has_before else "", rel="prev"),
        Link("Next", asked.address("/", after=after) if page.has_after else "", rel="next"),
        Link("Last", asked.address("/", last=True) if page.has_after else ""),
    ]
