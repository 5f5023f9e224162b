"""What people and animals do, as captions say it."""

import pytest

from tests.support.claims import find_claims, image, tell

DOG = image("A brown dog lies on the grass.|A dog sits by a man who rides.", "dog", "person", "sports ball")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("The dog is lying there.", ["action supported: The dog is lying"]),
        ("A dog laying down", ["action supported: A dog laying"]),
        ("The dog appears to be sitting.", ["action supported: The dog appears to be sitting"]),
        ("The man is riding.", ["action supported: The man is riding"]),
        ("The dog is running.", ["action unverifiable: The dog is running"]),
        ("The dog is being walked.", []),
        ("The ball is rolling.", []),
        ("The dog, running, barks.", []),
        ("A dog including it", []),
        ("There might be a dog sleeping.", []),
    ],
)
def test_action_of_the_living_is_borne_out_or_left_open(text: str, told: list[str]) -> None:
    assert tell(find_claims(DOG, text), "action") == told
