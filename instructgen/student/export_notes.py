"""The README of an exported folder: how it is loaded, and what ends its answers."""

from pathlib import Path

from instructgen.student.reading import find_text_stop
from instructgen.train.encode import Stop

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


def write_notes(path: Path, template: str, stop: Stop) -> None:
    stop_text = find_text_stop(stop)
    given = f", stop_strings=[{stop_text!r}], tokenizer=processor.tokenizer" if stop_text else ""
    text = _HEAD.format(template=template, stop=given)
    path.write_text(text + (_STOP.format(string=f"`{stop_text!r}`") if stop_text else ""), encoding="utf-8")
