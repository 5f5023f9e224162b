"""The README of an exported folder: how it is loaded, and what ends its answers."""

from pathlib import Path

from instructgen.student.reading import find_text_stop
from instructgen.train.encode import Stop
from instructgen.train.templates import Template

_HEAD = """---
library_name: transformers
pipeline_tag: image-text-to-text
---
# A vision-language model

Trained with instructgen (template `{template}`), and written as a `LlavaForConditionalGeneration`:

```python
from PIL import Image
from transformers import AutoProcessor, LlavaForConditionalGeneration

model = LlavaForConditionalGeneration.from_pretrained("THIS_FOLDER")
processor = AutoProcessor.from_pretrained("THIS_FOLDER")
chat = [{{"role": "user", "content": [{{"type": "image"}}, {{"type": "text", "text": "What is in the picture?"}}]}}]
text = processor.apply_chat_template(chat, add_generation_prompt=True)
inputs = processor(images=Image.open("picture.jpg"), text=text, return_tensors="pt", add_special_tokens=False)
answer = model.generate(**inputs, max_new_tokens=200{stop})
print(processor.decode(answer[0, inputs["input_ids"].shape[1]:], skip_special_tokens=True))
```
"""
_STOP = """
An answer of this model ends with the text {string}, which is no token of its own: give it as a stop string, as above;
to a server as `stop`.
"""


_BLIP2 = """---
library_name: transformers
pipeline_tag: image-text-to-text
---
# A vision-language model

Trained with instructgen (template `{template}`), and written as a `Blip2ForConditionalGeneration`:

```python
from PIL import Image
from transformers import AutoProcessor, Blip2ForConditionalGeneration

model = Blip2ForConditionalGeneration.from_pretrained("THIS_FOLDER")
processor = AutoProcessor.from_pretrained("THIS_FOLDER")
inputs = processor(images=Image.open("picture.jpg"), text={prompt!r}, return_tensors="pt")
answer = model.generate(**inputs, max_new_tokens=40)
print(processor.decode(answer[0{cut}], skip_special_tokens=True))
```
"""
_ELSEWHERE = """
The processor puts the picture before all text. This model was trained with it elsewhere, so its prompts are not those
that transformers' processor makes; `instructgen chat` writes the right ones.
"""


def write_blip2_notes(path: Path, template: Template, stop: Stop, *, repeats_prompt: bool) -> None:
    """Write the README of a folder in BLIP-2's form; decoder-only models repeat the prompt before their answer."""
    prompt = f"{template.bare}What is in the picture?" if template.has_questions else template.bare
    cut = ', inputs["input_ids"].shape[1] :' if repeats_prompt else ""
    text = _BLIP2.format(template=template.name, prompt=prompt + template.answer_before, cut=cut)
    text += "" if template.images_first else _ELSEWHERE
    path.write_text(text + _tell_stop(stop), encoding="utf-8")


def write_notes(path: Path, template: str, stop: Stop) -> None:
    stop_text = find_text_stop(stop)
    given = f", stop_strings=[{stop_text!r}], tokenizer=processor.tokenizer" if stop_text else ""
    text = _HEAD.format(template=template, stop=given)
    path.write_text(text + _tell_stop(stop), encoding="utf-8")


def _tell_stop(stop: Stop) -> str:
    text = find_text_stop(stop)
    return _STOP.format(string=f"`{text!r}`") if text else ""
