"""Record batches from rows: the same as pyarrow makes, without pandas."""

import subprocess
import sys

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from instructgen.dataset.batches import make_array, make_batches
from instructgen.dataset.columns import make_schema

TEXTS = st.none() | st.text()
KINDS = st.one_of(
    st.tuples(st.just(pa.string()), st.lists(TEXTS)),
    st.tuples(st.just(pa.binary()), st.lists(st.none() | st.binary())),
    st.tuples(st.just(pa.int64()), st.lists(st.none() | st.integers(-(2**63), 2**63 - 1))),
    st.tuples(st.just(pa.float64()), st.lists(st.none() | st.floats(allow_nan=False))),
    st.tuples(st.just(pa.list_(pa.string())), st.lists(st.none() | st.lists(TEXTS))),
    st.tuples(
        st.just(pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))),
        st.lists(st.lists(st.fixed_dictionaries({"role": TEXTS, "content": TEXTS}))),
    ),
    st.tuples(
        st.just(pa.struct([("a", pa.float64()), ("b", pa.int64())])),
        st.lists(st.none() | st.dictionaries(st.sampled_from("ab"), st.integers(0, 9))),
    ),
)


@settings(deadline=None)  # the first example loads pyarrow
@given(KINDS)
def test_an_array_is_what_pyarrow_makes_of_the_same_values(column: tuple[pa.DataType, list[object]]) -> None:
    kind, values = column
    made = make_array(values, kind)
    made.validate(full=True)
    assert made.equals(pa.array(values, kind))


def make_row(number: int, picture: bytes | None) -> dict[str, object]:
    row: dict[str, object] = dict.fromkeys(make_schema(["length"], embeds_images=True).names)
    messages = [{"role": "user", "content": f"What is {number}?"}, {"role": "assistant", "content": "É"}]
    images = [{"bytes": picture, "path": f"{number}.jpg"}]
    return {**row, "sample_id": str(number), "messages": messages, "images": images, "scores": {"length": number}}


def test_a_batch_has_the_schema_with_its_metadata() -> None:
    schema = make_schema(["length"], embeds_images=True)
    rows = [make_row(number, b"picture" if number % 2 else None) for number in range(100)]
    (batch,) = make_batches(rows, schema)
    assert batch.schema.equals(schema, check_metadata=True)
    assert batch.to_pylist() == pa.Table.from_pylist(rows, schema=schema).to_pylist()


def test_rows_that_pass_arrows_offsets_together_come_in_several_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    from instructgen.dataset import batches

    monkeypatch.setattr(batches, "_OFFSET_CODE", "h")  # 16 bits, so that the test needs no gigabytes
    rows = [make_row(number, bytes(20_000)) for number in range(3)]
    with pytest.raises(OverflowError):
        batches._make_offsets([len(row["images"][0]["bytes"]) for row in rows])  # type: ignore[index]
    calls: list[int] = []

    def note(values: list[object], kind: pa.DataType) -> pa.Array:
        calls.append(len(values))
        if len(values) > 1:
            raise OverflowError
        return pa.array(values, kind)

    monkeypatch.setattr(batches, "make_array", note)
    made = make_batches(rows, make_schema(["length"], embeds_images=True))
    assert [batch.num_rows for batch in made] == [1, 1, 1]


def test_a_value_of_another_type_is_refused() -> None:
    with pytest.raises((TypeError, AttributeError)):
        make_array([1], pa.string())
    with pytest.raises(TypeError):
        make_array(["1"], pa.int64())


def test_pandas_is_not_loaded() -> None:
    script = (
        "import sys, pyarrow as pa; from instructgen.dataset.batches import make_batches; "
        "make_batches([{'a': 'b'}], pa.schema([('a', pa.string())])); assert 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
