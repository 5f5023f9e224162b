"""What a finished sentence claims of the image: what a generator must be able to prove, and a prover checks.

A claim's `kind` says how the other fields are read; words are as the sentence has them.

    exists     `subject` is there, at least `number` of them (1, 2, or as many as the text tells)
    absent     no `subject` (a category) is there
    count      there are exactly `number` of `subject`
    more       `subject` outnumbers `other`; both are counted by claims of their own
    attribute  `subject` is `value`; `other` is the kind of the attribute
    doing      `subject` is `value` ("riding a wave") at `other` ("in the ocean", or "")
    region     the box of the evidence, a `subject`, lies at `value` ("left", "top", "left top", "middle", or
               "near left" for what is beside the middle)
    relation   `subject` lies `value` (left, right, higher, lower) of `other` in the frame
    larger     `subject` takes up more of the frame than `other`
    order      the things of `subject`, parted by "|", stand so from left to right or from large to small (`value`)
    largest    the box of the evidence is clearly the largest of all `subject`
    overlap    the boxes of `subject` and `other` overlap
    edge       the box of `subject` reaches the `value` edge of the frame
    extent     the box of `subject` is "wide", "tall", "large" or "small" (`value`)
    half       all boxes of `subject` lie in the `value` half, or in "both"
    sides      the two boxes of `subject` lie on `value` ("opposite") sides: one on the left, one on the right
    place, time, weather   captions say so of `value`
    inferred   the things of `subject`, parted by "|", give the place `value` away
    located    the box of the evidence is that of a `subject`
    main       `subject` is what most would name first
    told       the cited caption tells `subject` ("a man in a hat") and `value` ("riding a horse", or "")

`image` tells of which image: 0 is the only one, or the first of two, and 1 the second.
"""

from typing import Literal

from msgspec import Struct

from instructgen.scenegraph.graph import Evidence

ClaimKind = Literal[
    "exists", "absent", "count", "more", "attribute", "doing", "region", "relation", "larger", "order", "largest",
    "overlap", "edge", "extent", "half", "place", "time", "weather", "inferred", "located",
    "main", "told", "sides",
]  # fmt: skip


class Claim(Struct, frozen=True):
    kind: ClaimKind
    subject: str = ""
    value: str = ""
    other: str = ""
    number: int = 0
    evidence: Evidence = Evidence()
    image: int = 0
