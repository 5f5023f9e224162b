"""The columns' types as other tools name them: Hugging Face's features, in a dataset card's front matter."""

from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    import pyarrow as pa

LIST, STRUCT = "list", "struct"
_HUB_NAMES = {"double": "float64", "float": "float32", "halffloat": "float16"}
_PICTURE_FIELDS = ["bytes", "path"]


class Feature(Struct, frozen=True, omit_defaults=True):
    """`kind` is "list" (of the one in `fields`), "struct", or the type's name at Hugging Face: "string", "int64"."""

    name: str
    kind: str
    fields: tuple["Feature", ...] = ()

    @property
    def is_picture(self) -> bool:
        """Whether this is Hugging Face's storage of an encoded image."""
        return self.kind == STRUCT and [field.name for field in self.fields] == _PICTURE_FIELDS


def make_feature(name: str, kind: "pa.DataType") -> Feature:
    import pyarrow.types as is_type

    if is_type.is_list(kind) or is_type.is_large_list(kind):
        return Feature(name, LIST, (make_feature("", kind.value_type),))
    if is_type.is_struct(kind):
        return Feature(name, STRUCT, tuple(make_feature(child.name, child.type) for child in kind))
    return Feature(name, _HUB_NAMES.get(str(kind), str(kind)))


def describe_feature(feature: Feature, *, decodes_pictures: bool) -> dict[str, Any]:
    """Return the feature in the form that a card's `dataset_info` has.

    Pictures that are not in the rows stay a struct: their bare paths would be opened where the reader happens to be.
    """
    named: dict[str, Any] = {"name": feature.name} if feature.name else {}
    return named | _describe_kind(feature, decodes_pictures)


def _describe_kind(feature: Feature, decodes_pictures: bool) -> dict[str, Any]:
    if feature.kind == STRUCT and not (feature.is_picture and decodes_pictures):
        return {STRUCT: [describe_feature(field, decodes_pictures=decodes_pictures) for field in feature.fields]}
    if feature.kind != LIST:
        return {"dtype": "image" if feature.kind == STRUCT else feature.kind}
    inner = _describe_kind(feature.fields[0], decodes_pictures)
    # One key alone is written without its name: "list: string", and a list of structs is a list of their fields.
    return {LIST: next(iter(inner.values())) if LIST not in inner else inner}
