"""How well ours fills a server's time: at high latency, at a rate limit, and where it is told to come back later."""

import math
import shutil
import threading
from collections.abc import Mapping
from typing import Any

from requests_run import (
    Options,
    OurRun,
    Run,
    Server,
    check,
    make_annotations,
    run_ours,
    run_peer,
    say,
    spread,
    start_server,
)

_RATE_PER_MIN = 1200
_NUM_ROWS = 200
_LIMIT_PER_S = 20
_RETRY_PEERS = ("curator", "distilabel", "designer")


def _build(
    options: Options, server: Server, num: int, num_in_flight: int, teacher: Mapping[str, object] | None = None
) -> Run:
    out = options.work / f"out-speed-{server.port}"
    root = make_annotations(options, num)
    run = run_ours(options, server, OurRun(root, out, num_in_flight, tables={"teacher": teacher or {}}))
    shutil.rmtree(out, ignore_errors=True)
    return run


def measure_latency(options: Options) -> dict[str, Any]:
    """Times are the server's, from the first request to the last answer. The delays are the same for both."""
    found: dict[str, Any] = {}
    num = options.num_requests
    settings = {"200 ms, 256 in flight": (200, 0.0, 256), "1 s log-normal, 1,000 in flight": (1000, 0.5, 1000)}
    for _ in range(options.repeat):
        for title, (delay_ms, sigma, num_in_flight) in settings.items():
            for who in ("floor", "ours"):
                flags = ("--delay-ms", str(delay_ms), "--sigma", str(sigma))
                with start_server(options, *flags) as server:
                    if who == "ours":
                        run = _build(options, server, num, num_in_flight)
                        check(run, "instructgen", num)
                        peaks = {"peak_mb": run.marks["generate"].peak_mb, "peak_mb_with_write": run.peak_mb}
                    else:
                        run = run_peer(options, who, server, num, num_in_flight)
                        check(run, who, num)
                        peaks = {"peak_mb": run.peak_mb}
                    figures = {"seconds": server.stats()["seconds"], **peaks}
                say(f"{title}, {who}: {figures}")
                for key, value in figures.items():
                    found.setdefault(title, {}).setdefault(who, {}).setdefault(key, []).append(value)
        # Rounds of full flight, the last one as long as any.
        found["ideal_s"] = math.ceil(num / 256) * 0.2
    return found


def tell_latency(found: dict[str, Any]) -> list[str]:
    lines = []
    for title, by_who in found.items():
        if title == "ideal_s":
            continue
        ours, floor = by_who["ours"], by_who["floor"]
        ratios = [mine / theirs for mine, theirs in zip(ours["seconds"], floor["seconds"], strict=True)]
        lines.append(
            f"{title}: ours {spread(ours['seconds'])} s, floor {spread(floor['seconds'])} s, ratio {spread(ratios)}; "
            f"peak {spread(ours['peak_mb'], 0)} MB, with the write stage {spread(ours['peak_mb_with_write'], 0)} MB"
        )
        if title.startswith("200 ms"):
            ideal = [seconds / found["ideal_s"] for seconds in ours["seconds"]]
            lines.append(
                f"  ideal {found['ideal_s']:.1f} s: ours takes {spread(ideal)} times that (wanted: at most 1.3)"
            )
        else:
            lines.append("  wanted: at most 1.2 times the floor, at most 200 MB")
    return lines


def measure_rate(options: Options) -> dict[str, Any]:
    """The share of the limit that is used in the first minutes. The variants run at the same time: none is busy."""
    variants: dict[str, tuple[tuple[str, ...], dict[str, object]]] = {
        "configured, fixed window": ((), {"requests_per_minute": _RATE_PER_MIN}),
        "configured, token bucket": (("--limit-kind", "bucket"), {"requests_per_minute": _RATE_PER_MIN}),
        "from headers, fixed window": (("--limit-headers",), {}),
        "from headers, token bucket": (("--limit-headers", "--limit-kind", "bucket"), {}),
    }
    found: dict[str, Any] = {}
    num = round(_RATE_PER_MIN * (options.minutes + 0.25))
    make_annotations(options, num)

    def measure_one(title: str) -> None:
        flags, teacher = variants[title]
        with start_server(options, "--delay-ms", "100", "--limit-per-min", str(_RATE_PER_MIN), *flags) as server:
            ended = threading.Event()
            shares: list[float] = []
            watch = threading.Thread(target=_watch_share, args=(server, options.minutes, ended, shares))
            watch.start()
            run = _build(options, server, num, 64, teacher)
            ended.set()
            watch.join()
            stats = server.stats()
            found[title] = {
                "share": shares[0] if shares else 0.0,
                "requests": stats["requests"],
                "refused": stats["refused"],
                "refused_share": stats["refused"] / max(stats["requests"], 1),
                "distinct": stats["distinct"],
                "code": run.code,
            }
        say(f"{title}: {found[title]}")

    runs = [threading.Thread(target=measure_one, args=(title,)) for title in variants]
    for one in runs:
        one.start()
    for one in runs:
        one.join()
    return found


def _watch_share(server: Server, minutes: float, ended: threading.Event, shares: list[float]) -> None:
    """Put the share of the limit that was answered in the first minutes since the first request."""
    while not server.stats()["requests"] and not ended.wait(0.05):
        pass
    ended.wait(minutes * 60)
    shares.append(server.stats()["answered"] / (_RATE_PER_MIN * minutes))


def tell_rate(found: dict[str, Any]) -> list[str]:
    return [
        f"{title}: {figures['share']:.1%} of {_RATE_PER_MIN} requests/min (wanted: 97%), "
        f"{figures['refused_share']:.2%} of {figures['requests']:.0f} answered 429 (wanted: under 1%)"
        + (f"; ended with code {figures['code']}" if figures["code"] else "")
        for title, figures in found.items()
    ]


def measure_retry_after(options: Options) -> dict[str, Any]:
    """200 rows against 20 requests/s that nobody was told of; Retry-After in whole seconds, and exactly."""
    found: dict[str, Any] = {}
    ideal_s = _NUM_ROWS / _LIMIT_PER_S - 1
    peers = [name for name in _RETRY_PEERS if (options.peers / name / "bin" / "python").exists()]
    for _ in range(options.repeat):
        for kind in ("window", "bucket"):
            for form in ("seconds", "exact"):
                for who in ("ours", *peers):
                    flags = ("--limit-per-s", str(_LIMIT_PER_S), "--limit-kind", kind, "--retry-after", form)
                    with start_server(options, "--delay-ms", "50", *flags) as server:
                        if who == "ours":
                            _build(options, server, _NUM_ROWS, options.num_in_flight)
                        else:
                            run_peer(options, who, server, _NUM_ROWS, options.num_in_flight)
                        stats = server.stats()
                    figures = {key: stats[key] for key in ("refused", "refused_late", "seconds", "answered")}
                    say(f"{kind}, {form}, {who}: {figures}")
                    title = f"{kind}, Retry-After {form}"
                    for key, value in figures.items():
                        found.setdefault(title, {}).setdefault(who, {}).setdefault(key, []).append(value)
    return {"ideal_s": ideal_s, **found}


def tell_retry_after(found: dict[str, Any]) -> list[str]:
    lines = [f"ideal {found['ideal_s']} s; wanted: at most 5 useless 429s in at most 9.5 s"]
    for title, by_who in found.items():
        if title != "ideal_s":
            for who, figures in by_who.items():
                refused, late = spread(figures["refused"], 0), spread(figures["refused_late"], 0)
                lines.append(
                    f"{title}, {who}: {refused} times 429, {late} of them more than 0.1 s after it was told to wait; "
                    f"{spread(figures['seconds'])} s, {spread(figures['answered'], 0)} answered"
                )
    return lines
