"""`instructgen demo`: from nothing to a trained and evaluated student, by the commands that anybody else would run.

Every step is a command; two processes take one after the other. A step whose result is there is not taken again, and
the commands themselves go on where they were stopped.
"""

import json
import os
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from instructgen.disk import replace_text
from instructgen.errors import InstructgenError, RunLockedError, RunStoppedError
from instructgen.jobs.demo_blind import write_blind
from instructgen.jobs.demo_plan import DemoPlan
from instructgen.jobs.demo_scores import Accuracies, Shares, read_accuracies

PLAN_NAME, LOCK_NAME, TIMES_NAME, RESULT_NAME = "plan.json", ".lock", "seconds.json", "result.json"
_ALL = "all"
_SOURCE = "simple-scenes"
STAGE0 = "stage0"
_NUM_AT_ONCE = 2
_PARTS = ("stage2", "captions", "blind")
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Step:
    """`command` as `instructgen` takes it, or a part of stage 0; `after` must be done before."""

    name: str
    command: tuple[str, ...]
    done: Path
    """There when the step was taken."""
    after: tuple[str, ...] = ()
    before: Callable[[], None] | None = None
    """What is to be made ready in this process."""

    @property
    def is_command(self) -> bool:
        """Whether anybody can run it by hand."""
        return self.command[0] != STAGE0


class Worker:
    """A process that takes steps, one after the other; it ends when this one does."""

    def __init__(self, command: Sequence[str]) -> None:
        # One thread a process: two small models side by side are faster than each on two threads.
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
        self._process = subprocess.Popen(  # noqa: S603  the caller's own program
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
            start_new_session=True,  # Ctrl-C comes to it once, through stop()
        )

    def run(self, command: Sequence[str], log: Path) -> int:
        """Return the exit code of a command, whose output goes to the end of `log`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps([str(log), *command]) + "\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        return int(answer) if answer.strip() else self._process.wait() or 1

    def stop(self) -> None:
        """End it; a step that it is at saves what it has first, as with Ctrl-C."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait()
        except KeyboardInterrupt:
            self._process.kill()
            raise


@dataclass(slots=True)
class Demo:
    """One demo in the folder `out`. `say` hears what is done; `worker` is the command line of a process for steps."""

    out: Path
    plan: DemoPlan
    say: Say
    worker: Sequence[str]
    _seconds: dict[str, float] = field(default_factory=dict)

    def run(self) -> dict[str, Any]:
        """Take all steps that are left, and return what result.json says.

        Raises RunStoppedError where it was interrupted, and InstructgenError where a step failed.
        """
        self.out.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.out / LOCK_NAME, timeout=0):
                return self._run()
        except Timeout:
            raise RunLockedError(f"another demo runs in {self.out}; wait for it, or give another --out") from None

    def _run(self) -> dict[str, Any]:
        self._enter_plan()
        times = self.out / TIMES_NAME
        self._seconds = json.loads(times.read_text(encoding="utf-8")) if times.is_file() else {}
        started = time.monotonic()
        spent = self._seconds.get(_ALL, 0.0)
        try:
            self._take_all(make_steps(self.out.absolute(), self.plan))
        finally:
            self._seconds[_ALL] = round(spent + time.monotonic() - started, 1)
            replace_text(times, json.dumps(self._seconds, indent=2) + "\n")
        result = summarise(self.out, self.plan, self._seconds)
        replace_text(self.out / RESULT_NAME, json.dumps(result, indent=2) + "\n")
        return result

    def _enter_plan(self) -> None:
        """Write the plan down, or check that an earlier run had the same."""
        path = self.out / PLAN_NAME
        if path.is_file() and DemoPlan.read(path.read_text(encoding="utf-8")) != self.plan:
            raise InstructgenError(f"{self.out} holds a demo with another plan (seed, --quick); give another --out")
        replace_text(path, self.plan.write() + "\n")

    def _take_all(self, steps: Sequence[Step]) -> None:
        done = {step.name for step in steps if step.done.exists()}
        left = [step for step in steps if step.name not in done]
        if not left:
            return
        idle = [Worker(self.worker) for _ in range(_NUM_AT_ONCE)]
        workers = tuple(idle)
        under_way: dict[Future[None], tuple[Step, Worker]] = {}
        with ThreadPoolExecutor(_NUM_AT_ONCE) as pool:
            try:
                while left or under_way:
                    for step in [one for one in left if done.issuperset(one.after)][: len(idle)]:
                        left.remove(step)
                        worker = idle.pop()
                        under_way[pool.submit(self._take, step, worker)] = step, worker
                    for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                        step, worker = under_way.pop(future)
                        future.result()
                        done.add(step.name)
                        idle.append(worker)
            finally:
                for worker in workers:
                    worker.stop()

    def _take(self, step: Step, worker: Worker) -> None:
        """Let a worker run a step's command; its output is kept in logs/."""
        if step.before is not None:
            step.before()
        log = self.out / "logs" / f"{step.name}.log"
        log.parent.mkdir(exist_ok=True)
        log.touch()
        self.say(f"{step.name}: {' '.join(('instructgen', *step.command) if step.is_command else step.command)}")
        started = time.monotonic()
        code = worker.run(step.command, log)
        seconds = time.monotonic() - started
        self._seconds[step.name] = round(self._seconds.get(step.name, 0.0) + seconds, 1)
        if code == RunStoppedError.exit_code or code < 0:
            raise RunStoppedError("stopped; the same command goes on from here")
        if code or not step.done.exists():
            last = "".join(log.read_text(encoding="utf-8").splitlines(keepends=True)[-3:])
            raise InstructgenError(f"the step {step.name} failed (exit code {code}; {log}):\n{last}")
        self.say(f"{step.name}: done in {seconds:.0f} s")


def summarise(out: Path, plan: DemoPlan, seconds: dict[str, float]) -> dict[str, Any]:
    """Return what result.json says of a finished demo."""
    found = {part: read_accuracies(out / "evaluation" / part / "results.json") for part in _PARTS}
    student, captions, blind = (found[part] for part in _PARTS)
    controls = {"images_shuffled": student.shuffled, "image_zero": student.zero, "question_only": blind.zero}
    best = max(controls.values(), key=lambda one: one.all)
    return {
        "out": str(out),
        "accuracy": student.seen.all,
        "blind_accuracy": best.all,
        "captions_only_accuracy": captions.seen.all,
        "seconds": seconds[_ALL],
        "questions": student.num_questions,
        "seed": plan.seed,
        "controls": {name: one.all for name, one in controls.items()},
        "by_kind": {kind: _describe_kind(kind, student, captions, controls) for kind in sorted(student.seen.by_kind)},
        "seconds_by_step": {name: value for name, value in seconds.items() if name != _ALL},
        "plan": json.loads(plan.write()),
    }


def _describe_kind(
    kind: str, student: Accuracies, captions: Accuracies, controls: dict[str, Shares]
) -> dict[str, Any]:
    return {
        "accuracy": student.seen.by_kind[kind],
        "blind_accuracy": max(one.by_kind[kind] for one in controls.values()),
        "captions_only_accuracy": captions.seen.by_kind[kind],
        "chance": student.chance.by_kind[kind],
        **{name: one.by_kind[kind] for name, one in controls.items()},
    }


def make_steps(out: Path, plan: DemoPlan) -> list[Step]:
    """Return all steps, those that others wait for first."""
    vision, language = out / "stage0" / "vision", out / "stage0" / "language"
    pairs, chats, blind_chats = out / "data" / "pairs", out / "data" / "chats", out / "data" / "blind" / "chats.jsonl"
    parts = ("--set", f"model.vision.name={vision}", "--set", f"model.language.name={language}")
    scenes = ("--source", _SOURCE, "--limit", str(plan.num_scenes), "--seed", str(plan.student_seed))
    details, stage1, captions1 = out / "data" / "details", out / "runs" / "stage1", out / "runs" / "stage1-captions"
    seed = ("--set", f"train.seed={plan.seed}", "--set", f"model.seed={plan.seed}")

    def pretrain(run: Path, data: Path) -> Step:
        command = ("pretrain", "--recipe", "demo-stage1", "--data", str(data), "--out", str(run), *parts, *seed)
        steps = ("--steps", str(plan.stage1_steps))
        return Step(run.name, (*command, *steps, *_COMMON), run / "model", ("vision", "language", data.name))

    def finetune(name: str, data: Path, before: Path, after: tuple[str, ...], *more: str) -> Step:
        run = out / "runs" / name
        command = ("finetune", "--recipe", "demo-stage2", "--data", str(data), "--model", str(before))
        steps = ("--steps", str(plan.stage2_steps), "--out", str(run))
        return Step(name, (*command, *steps, *seed, *_COMMON, *more), run / "model", (before.name, *after))

    def evaluate(name: str) -> Step:
        folder = out / "evaluation" / name
        asked = ("--source", f"{_SOURCE}:{plan.held_out_seed}", "--limit", str(plan.num_held_out))
        command = ("evaluate", str(out / "runs" / name), "--suite", "qa", "--qa-by", "likeliest", *asked)
        return Step(f"evaluate-{name}", (*command, "--out", str(folder), *_COMMON), folder / "results.json", (name,))

    def build(name: str, folder: Path, *more: str) -> Step:
        return Step(name, ("build", *scenes, *more, "--out", str(folder), "--json"), folder / "tags" / "latest")

    blind = finetune("blind", blind_chats, stage1, ("chats",), "--images", str(blind_chats.parent))
    return [
        _make_stage0("language", language, plan),
        _make_stage0("vision", vision, plan),
        build("details", details, "--teacher", "scene-program", "--types", "detail"),
        build("pairs", pairs, "--teacher", "captions", "--types", "brief"),
        build("chats", chats, "--teacher", "scene-program", "--types", "conv,detail,reasoning,negative"),
        pretrain(stage1, details),
        pretrain(captions1, pairs),
        finetune("stage2", chats, stage1, ("chats",)),
        replace(blind, before=lambda: write_blind(chats, blind_chats)),
        finetune("captions", pairs, captions1, ()),
        *(evaluate(name) for name in _PARTS),
    ]


_COMMON = ("--device", "cpu", "--json")


def _make_stage0(part: str, folder: Path, plan: DemoPlan) -> Step:
    folder.parent.mkdir(parents=True, exist_ok=True)
    return Step(part, (STAGE0, part, str(folder), plan.write()), folder)
