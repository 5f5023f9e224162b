"""Does a student learn more from one dataset than from another of the same images? Same size, same steps, same seeds.

    python bench/student.py FIRST NEW --images-source scenes:1011 --eye eye.pt --steps 1500 --seeds 2 --json out.json

First an eye is trained on the truth of other scenes, or read from --eye (student_model.py). Once for each dataset and
seed a small language model behind it is then trained from nothing on all samples, its loss on what an assistant
says; both datasets and the probes share one vocabulary. Then it is asked about held-out scenes with questions that
neither teacher wrote (student_probes.py). It answers with the candidate that it finds likeliest: the mean
log-probability per token, averaged over the forms. Printed by kind, in percent:

- `chance`: of one who guesses.
- `blind`: the same student with the pictures shuffled among the questions of a kind.
- `centred`: with each label's mean score over the kind taken off first, so that a liking for "yes" hides nothing.
- the difference with the spread of the seeds (half of the range) and a standard error over the questions.

A dataset against itself gets other seeds the second time, so that the difference shows what chance makes.
Needs torch (the extra `train`).
"""

import argparse
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from student_data import Course, Tokens, Vocabulary, digest_of, read_course, shrink, split_words
from student_model import SIDE_PX, SIGNS, Eye, Recipe, Saying, Student, score_sayings, train, train_eye
from student_probes import FORMS, KINDS, Probe, fair_forms, make_probes
from torch import Tensor

from instructgen.sources.scenes import ScenesSource

WAYS = ("seeing", "blind", "seeing_centred", "blind_centred")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", type=Path, help="a dataset's folder, the --out of a build, or one of its versions")
    parser.add_argument("second", type=Path, help="another, best of the same images")
    parser.add_argument("--images-source", default="scenes:1011", help="scenes:SEED, the held-out images")
    parser.add_argument("--held-out", type=int, default=5000, help="so many of them, to choose questions from")
    parser.add_argument("--per-kind", type=int, default=240, help="questions of each kind at most")
    parser.add_argument("--eye", type=Path, help="where the trained eye is kept; without it, it is trained each time")
    parser.add_argument("--eye-source", default="scenes:555", help="scenes:SEED, what the eye is trained on")
    parser.add_argument("--eye-scenes", type=int, default=10_000)
    parser.add_argument("--eye-steps", type=int, default=1600)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seeds", type=int, default=2, help="trainings of each dataset")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path, help="where all figures go")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    courses = [read_course(path, SIDE_PX) for path in (args.first, args.second)]
    probes, pictures = read_held_out(args.images_source, args.held_out, args.per_kind, courses)
    vocabulary = Vocabulary([*texts_of(courses), *probe_texts(probes)])
    for course in courses:
        print(describe(course, vocabulary))
    eye = get_eye(args.eye, args.eye_source, args.eye_scenes, args.eye_steps)
    seen_by_course = [eye.look(course.pictures) for course in courses]
    held_out = probes, eye.look(pictures)
    is_same = courses[0].digests == courses[1].digests and courses[0].lessons == courses[1].lessons
    runs: list[list[dict[str, Any]]] = [[], []]
    for seed in range(args.first_seed, args.first_seed + args.seeds):
        for number, course in enumerate(courses):
            recipe = Recipe(args.steps, args.batch, seed + 1000 * number if is_same else seed)
            run = run_once(course, seen_by_course[number], vocabulary, recipe, held_out)
            runs[number].append(run)
            print(f"{'AB'[number]} {tell_run(run)}", flush=True)
    report(runs, probes)
    if args.json:
        hits = [[{**run, "hits": {way: run["hits"][way].tolist() for way in WAYS}} for run in of] for of in runs]
        names = [course.name for course in courses]
        kinds = [probe.kind for probe in probes]
        args.json.write_text(
            json.dumps({"args": vars(args), "names": names, "kinds": kinds, "runs": hits}, default=str)
        )


def get_eye(path: Path | None, source_name: str, num_scenes: int, num_steps: int) -> Eye:
    """Read the eye, or train it and keep it."""
    if path is not None and path.exists():
        eye = Eye()
        eye.load_state_dict(torch.load(path, weights_only=True))
        return eye.eval()
    eye, loss = train_eye(seed_of(source_name), num_scenes, num_steps)
    print(f"the eye: {num_scenes} scenes, {num_steps} steps, loss {loss:.3f}", flush=True)
    if path is not None:
        torch.save(eye.state_dict(), path)
    return eye


def seed_of(source_name: str) -> int:
    name, _, seed = source_name.partition(":")
    if name != "scenes" or not seed.isdecimal():
        raise SystemExit(f"{source_name} is no source of held-out images, wants scenes:SEED")
    return int(seed)


def read_held_out(
    source_name: str, num_images: int, per_kind: int, courses: list[Course]
) -> tuple[list[Probe], NDArray[np.uint8]]:
    """Return the probes and the pictures that they ask about, none of which may be in a dataset."""
    seed = seed_of(source_name)
    source = ScenesSource(num_images, seed)
    records, pictures = [], []
    for record in source.records():
        encoded = source.image_bytes(record)
        if any(digest_of(encoded) in course.digests for course in courses):
            raise SystemExit(f"{record.image_id} of {source_name} is in a dataset too; give another seed")
        records.append(record)
        pictures.append(shrink(encoded, SIDE_PX))
    known = shared_words(courses, ("user", "assistant"))
    said = shared_words(courses, ("assistant",))
    probes = make_probes(records, per_kind, seed, said)
    fair = fair_forms(probes, texts_of(courses, ("user",)), known, said)
    if not all(fair.values()):
        raise SystemExit(f"no form is left of a kind, all others are asked by a dataset or foreign to one: {fair}")
    print("forms asked:", ", ".join(f"{kind} {len(fair[kind])} of {len(forms)}" for kind, forms in FORMS.items()))
    return [keep_forms(probe, fair[probe.kind]) for probe in probes], np.stack(pictures)


def keep_forms(probe: Probe, numbers: list[int]) -> Probe:
    return probe._replace(wordings=tuple(probe.wordings[number] for number in numbers))


def texts_of(courses: list[Course], roles: tuple[str, ...] = ("user", "assistant")) -> list[str]:
    return [text for course in courses for lesson in course.lessons for role, text in lesson.turns if role in roles]


def shared_words(courses: list[Course], roles: tuple[str, ...]) -> set[str]:
    """Return the words that these roles use in every dataset."""
    return set.intersection(
        *({word for text in texts_of([one], roles) for word in split_words(text)} for one in courses)
    )


def probe_texts(probes: list[Probe]) -> list[str]:
    return [text for probe in probes for asked, answers in probe.wordings for text in (asked, *answers)]


def describe(course: Course, vocabulary: Vocabulary) -> str:
    words = {word for text in set(texts_of([course])) for word in split_words(text)}
    types = Counter(lesson.sample_type for lesson in course.lessons)
    tokens = sum(sum(vocabulary.encode_lesson(lesson).is_told) for lesson in course.lessons)
    return (
        f"{course.name}: {len(course.pictures)} images, {len(course.lessons)} samples {dict(types)}, "
        f"{tokens / len(course.lessons):.0f} answer tokens a sample, {len(words)} of {len(vocabulary)} words"
    )


def run_once(
    course: Course, seen: Tensor, vocabulary: Vocabulary, recipe: Recipe, held_out: tuple[list[Probe], Tensor]
) -> dict[str, Any]:
    """Train and ask; `hits` holds 0 or 1 for each probe, for each of WAYS."""
    samples: list[Tokens] = [vocabulary.encode_lesson(lesson) for lesson in course.lessons]
    torch.manual_seed(recipe.seed)
    student = Student(len(vocabulary), [vocabulary.encode_known(sign) for sign in SIGNS])
    training = train(student, samples, seen, recipe)
    probes, seen_held_out = held_out
    hits = {}
    for way, images in (
        ("seeing", [probe.image for probe in probes]),
        ("blind", shuffle_images(probes, recipe.seed)),
    ):
        scores = score_probes(student, vocabulary, probes, images, seen_held_out)
        hits[way] = np.array([np.argmax(of) == probe.truth for of, probe in zip(scores, probes, strict=True)])
        centred = centre(scores, probes)
        hits[f"{way}_centred"] = np.array(
            [np.argmax(of) == probe.truth for of, probe in zip(centred, probes, strict=True)]
        )
    parameters = sum(parameter.numel() for parameter in student.parameters())
    return {"course": course.name, "seed": recipe.seed, "parameters": parameters, "training": training, "hits": hits}


def shuffle_images(probes: list[Probe], seed: int) -> list[int]:
    """Return for each probe the image of another of its kind: a shuffled circle, so that none keeps its place."""
    images = [probe.image for probe in probes]
    for kind in KINDS:
        positions = [position for position, probe in enumerate(probes) if probe.kind == kind]
        random.Random(seed).shuffle(positions)
        for position, other in zip(positions, positions[1:] + positions[:1], strict=True):
            images[position] = probes[other].image
    return images


def score_probes(
    student: Student, vocabulary: Vocabulary, probes: list[Probe], images: list[int], seen: Tensor
) -> list[NDArray[np.float64]]:
    """Return a score for each candidate of each probe: the mean over the wordings."""
    sayings = [
        Saying(image, vocabulary.encode_question(asked), vocabulary.encode(answer))
        for probe, image in zip(probes, images, strict=True)
        for asked, answers in probe.wordings
        for answer in answers
    ]
    scores = score_sayings(student, sayings, seen)
    found, start = [], 0
    for probe in probes:
        size = len(probe.wordings) * len(probe.labels)
        found.append(scores[start : start + size].reshape(len(probe.wordings), len(probe.labels)).mean(0))
        start += size
    return found


def centre(scores: list[NDArray[np.float64]], probes: list[Probe]) -> list[NDArray[np.float64]]:
    """Take off the mean of each label over its kind, relative to the question's own mean."""
    leanings: dict[tuple[str, str], list[float]] = {}
    for of_probe, probe in zip(scores, probes, strict=True):
        for label, score in zip(probe.labels, of_probe - of_probe.mean(), strict=True):
            leanings.setdefault((probe.kind, label), []).append(float(score))
    means = {key: sum(values) / len(values) for key, values in leanings.items()}
    return [
        of_probe - np.array([means[probe.kind, label] for label in probe.labels])
        for of_probe, probe in zip(scores, probes, strict=True)
    ]


def tell_run(run: dict[str, Any]) -> str:
    training = run["training"]
    shares = ", ".join(f"{way} {100 * run['hits'][way].mean():.1f}" for way in WAYS)
    return (
        f"{run['course']} seed {run['seed']}: loss {training['loss']:.3f}, {training['epochs']:.1f} epochs, "
        f"{training['answer_tokens']} answer tokens, {training['cpu_s']:.0f} CPU s; {shares}"
    )


def report(runs: list[list[dict[str, Any]]], probes: list[Probe]) -> None:
    """Print a table for the answers as they are and one for the centred ones."""
    kinds = np.array([probe.kind for probe in probes])
    chances = np.array([1 / len(probe.labels) for probe in probes])
    for suffix in ("", "_centred"):
        print(
            f"\n{suffix.strip('_') or 'as they are'}: % right | A blind | B blind | A | B | B - A, seeds, questions"
        )
        for kind in (*KINDS, "all"):
            which = kinds == kind if kind != "all" else np.ones(len(kinds), dtype=bool)
            if not which.any():
                continue
            seeing = [np.stack([run["hits"][f"seeing{suffix}"][which] for run in of]) for of in runs]
            blind = [np.stack([run["hits"][f"blind{suffix}"][which] for run in of]) for of in runs]
            gains = 100 * (seeing[1].mean(1) - seeing[0].mean(1))
            by_question = 100 * (seeing[1].mean(0) - seeing[0].mean(0))
            error = by_question.std() / np.sqrt(len(by_question))
            print(
                f"{kind:18} n {which.sum():4} chance {100 * chances[which].mean():3.0f} | "
                f"{_spread(blind[0])} | {_spread(blind[1])} | {_spread(seeing[0])} | {_spread(seeing[1])} | "
                f"{gains.mean():+5.1f} (seeds {np.ptp(gains) / 2:.1f}, questions {error:.1f})"
            )


def _spread(hits: NDArray[np.bool_]) -> str:
    """Return the mean of the seeds, and half of their range."""
    shares = 100 * hits.mean(1)
    return f"{shares.mean():5.1f} +-{np.ptp(shares) / 2:4.1f}"


if __name__ == "__main__":
    main()
