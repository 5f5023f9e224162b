"""A build of one share of a source: what of the limits is its own."""

from dataclasses import replace as with_fields

from msgspec import Struct
from msgspec.structs import replace

from instructgen.config import BuildConfig, ServerConfig, TeacherConfig
from instructgen.errors import InstructgenError
from instructgen.jobs.parts import BuildParts, make_parts
from instructgen.sources.shares import Share


class WantedShare(Struct, frozen=True):
    """A share to build; `has_whole_limits` where budget and rates are not those of all shares together."""

    share: Share
    has_whole_limits: bool = False

    def make_parts(self, config: BuildConfig) -> BuildParts:
        """Return the parts of the build, with a note on its limits. Raises as `jobs.parts.make_parts` does."""
        divided = config if self.has_whole_limits else divide_limits(config, self.share.num_shares)
        parts = make_parts(divided, self.share)
        note = f"building share {self.share}"
        if divided != config:
            note += f", with 1/{self.share.num_shares} of the budget and of the rates; --whole-limits gives it all"
        return with_fields(parts, notes=(*parts.notes, note))


def divide_limits(config: BuildConfig, num: int) -> BuildConfig:
    """Return the settings with a budget and rates of which `num` builds together do not pass the given ones."""
    run = config.run
    if run.budget_tokens is not None and run.budget_tokens < num:
        raise InstructgenError(f"--budget-tokens {run.budget_tokens} is not a token for each of {num} shares")
    budget_usd = None if run.budget_usd is None else run.budget_usd / num
    budget_tokens = None if run.budget_tokens is None else run.budget_tokens // num
    judge, refine = config.judge, config.refine
    return replace(
        config,
        teacher=_divide(config.teacher, num),
        refine=refine if refine.teacher is None else replace(refine, teacher=_divide(refine.teacher, num)),
        judge=judge if judge.teacher is None else replace(judge, teacher=_divide(judge.teacher, num)),
        run=replace(run, budget_usd=budget_usd, budget_tokens=budget_tokens),
    )


def _divide(teacher: TeacherConfig, num: int) -> TeacherConfig:
    fallback = teacher.fallback
    return replace(
        teacher,
        requests_per_minute=_share_of(teacher.requests_per_minute, num),
        tokens_per_minute=_share_of(teacher.tokens_per_minute, num),
        servers=tuple(_divide_server(server, num) for server in teacher.servers),
        fallback=None if fallback is None else _divide(fallback, num),
    )


def _divide_server(server: ServerConfig, num: int) -> ServerConfig:
    return replace(
        server,
        requests_per_minute=_share_of(server.requests_per_minute, num),
        tokens_per_minute=_share_of(server.tokens_per_minute, num),
    )


def _share_of(rate: float | None, num: int) -> float | None:
    return None if rate is None else rate / num
