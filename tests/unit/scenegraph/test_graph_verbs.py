"""The table of verbs: every form is one that English has, and the frames make sense."""

import pytest
from lemminflect import getInflection, getLemma  # type: ignore[import-untyped]

from instructgen.scenegraph.verbs import BASE_FORMS, BE, VERB_FORMS, Verb
from instructgen.scenegraph.vocabulary import PREPOSITIONS

VERBS = sorted({(verb.base, verb.ing, verb.third): verb for verb in VERB_FORMS.values()}.items())
# American spellings of the table, where the oracle doubles the last letter too.
_ALSO = {"traveling"}


@pytest.mark.parametrize("verb", [verb for _, verb in VERBS], ids=[" ".join(forms) for forms, _ in VERBS])
def test_forms_agree_with_lemminflect(verb: Verb) -> None:
    """What follows "is" is the -ing form or, of what is done to a thing ("parked"), the participle."""
    assert verb.third in getInflection(verb.base, tag="VBZ")
    following = {*getInflection(verb.base, tag="VBG"), *getInflection(verb.base, tag="VBN")} | _ALSO
    assert verb.ing in following
    assert verb.base in getLemma(verb.ing, upos="VERB")


def test_the_oracle_can_tell_wrong_forms() -> None:
    assert "lieing" not in getInflection("lie", tag="VBG")
    assert "sitting" in getInflection("sit", tag="VBG")
    assert "flys" not in getInflection("fly", tag="VBZ")


def test_every_form_leads_to_its_verb() -> None:
    for form, verb in VERB_FORMS.items():
        assert form in (verb.ing, verb.third)
        assert BASE_FORMS[verb.base].base == verb.base


def test_every_verb_says_something() -> None:
    """A verb without object, place or leave to stand alone would never be read."""
    for verb in (*VERB_FORMS.values(), BE):
        assert verb.takes_object or verb.may_stand_alone or verb.prepositions & {*PREPOSITIONS.values()}, verb.base
        assert verb.groups, verb.base
        assert verb.groups <= set("pavt"), verb.base


def test_no_verb_form_is_a_preposition() -> None:
    assert not [form for form in VERB_FORMS if form in PREPOSITIONS]
