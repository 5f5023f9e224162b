"""What a request asks, and an answer to it that suits: for servers of the tests' own."""

import hashlib
import json
import random
from typing import Any

# What may be said of any picture: filters hold things, colors, counts and places against the annotations.
_MOODS = (
    *("calm", "plain", "slow", "gentle", "simple", "quick", "silent", "lively", "warm", "mild", "steady", "peaceful"),
    *(
        "lazy",
        "bold",
        "modest",
        "solemn",
        "playful",
        "serious",
        "odd",
        "even",
        "fresh",
        "drowsy",
        "tender",
        "earnest",
    ),
)


def prompt_key(body: dict[str, Any]) -> str:
    """Return what tells one prompt from another."""
    return hashlib.sha256(json.dumps(body.get("messages")).encode()).hexdigest()


def find_text(message: dict[str, Any]) -> str:
    """Return what a message says: its content, or the text beside its picture."""
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(part["text"] for part in content if part.get("type") == "text")
    return content if isinstance(content, str) else ""


def find_picture(body: dict[str, Any]) -> str | None:
    """Return the data URL of the picture that a request shows, or None."""
    for message in body["messages"]:
        if isinstance(message["content"], list):
            return next((part["image_url"]["url"] for part in message["content"] if "image_url" in part), None)
    return None


def answer_like_shots(body: dict[str, Any]) -> str:
    """Answer in the form of the last few-shot answer, differently for each prompt."""
    messages = body["messages"]
    shot = messages[-2]["content"] if len(messages) > 2 else ""
    first_line = find_text(messages[-1]).splitlines()[0]
    words = " ".join(word for word in first_line.split() if word.isalpha())
    draw = random.Random(prompt_key(body))
    moods = [draw.choice(_MOODS) for _ in range(3)]
    own = f"It all seems {moods[0]} at first, then {moods[1]}, and in the end {moods[2]}."
    if "response_format" in body:
        turns = [
            {"question": f"What can be seen near {words}?", "answer": f"One can see {words} in plain view. {own}"}
        ]
        description = f"The picture shows {words}. It was taken from close by, and nothing of it is hidden. {own}"
        is_detail = "description" in json.dumps(body["response_format"])
        return json.dumps({"description": description} if is_detail else {"turns": turns})
    if "===" in shot:
        return f"Question:\nWhat can be seen near {words}?\n===\nAnswer:\nOne can see {words} in plain view. {own}"
    return (
        f"The picture shows {words}. It was taken from close by, and nothing of it is hidden. Whoever looks at it "
        f"for a while will find that there is little else to tell of it. {own}"
    )
