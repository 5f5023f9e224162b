"""A template as the Jinja text that Hugging Face's `apply_chat_template` and the servers that follow it read.

What it renders is, tokenised, what `Encoder.prompt_ids` gives, for texts that hold no control strings: those who
render a whole chat and then tokenise it cannot tell a person's "</s>" from the template's.
"""

import json
import re
from typing import TYPE_CHECKING

from instructgen.train.chat_format import IMAGE_MARK
from instructgen.train.templates import Template, find_template

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# No text stands between the tags, so that no setting of white space can change what is written.
_COUNT = """
{%- set chat = namespace(images=0, system=@SYSTEM@, asked=0) -%}
{%- for message in messages -%}
  {%- if message['role'] == 'system' -%}
    {%- set chat.system = message['content'] if message['content'] is string else message['content'][0]['text'] -%}
  {%- elif message['role'] == 'user' and message['content'] is string -%}
    {%- set chat.images = chat.images + (message['content'].split(@MARK@) | length) - 1 -%}
  {%- elif message['role'] == 'user' -%}
    {%- for part in message['content'] -%}
      {%- if part['type'] in ['image', 'image_url'] -%}{%- set chat.images = chat.images + 1 -%}{%- endif -%}
    {%- endfor -%}
  {%- endif -%}
{%- endfor -%}
"""
_OPEN = """
{{- @BEGIN@ -}}
{%- if chat.system -%}
  {{- @SYSTEM_BEFORE@ + @SAID_BY_SYSTEM@ + @SYSTEM_AFTER@ -}}
{%- else -%}
  {{- @BARE@ -}}
{%- endif -%}
"""
_OPEN_BARE = """
{{- @BEGIN@ -}}{{- @BARE@ -}}
"""
_SHOW = "{%- for _ in range(chat.images) -%}{{- @IMAGE@ -}}{%- endfor -%}"
_TURNS = """
{%- for message in messages -%}
  {%- if message['role'] != 'system' -%}
    {%- set said = namespace(text='') -%}
    {%- if message['content'] is string -%}
      {%- set said.text = message['content'] -%}
      {%- if message['role'] == 'user' and @MARK@ in said.text -%}
        {%- set said.text = said.text.replace(@MARK@, '').strip() -%}
      {%- endif -%}
    {%- else -%}
      {%- for part in message['content'] -%}
        {%- if part['type'] == 'text' -%}{%- set said.text = said.text + part['text'] -%}{%- endif -%}
      {%- endfor -%}
    {%- endif -%}
    {%- if message['role'] == 'user' -%}
      {%- if chat.asked -%}{{- @NEXT_BEFORE@ -}}{%- else -%}@SHOWN_LATER@{%- endif -%}
      {%- set chat.asked = chat.asked + 1 -%}
      {{- @SAID_BY_USER@ -}}
    {%- else -%}
      {{- @ANSWER_BEFORE@ + @SAID_BY_ASSISTANT@ + @STOP@ -}}
    {%- endif -%}
  {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- @ASKING@ -}}{%- endif -%}
"""


def for_export(template: str | Template, tokenizer: "PreTrainedTokenizerBase", *, system: str | None = None) -> str:
    """Return the chat template of a model that was trained with this one; `system` replaces the template's own.

    Contents may be texts or lists of parts, as processors write them. All images stand before the first question.
    """
    found = find_template(template, tokenizer) if isinstance(template, str) else template
    values = {
        "ANSWER_BEFORE": _quote(found.answer_before + found.answer_lead),
        "ASKING": _quote(found.answer_before),
        "BARE": _quote(found.bare),
        "BEGIN": _quote(found.begin),
        "IMAGE": _quote(found.image_before + IMAGE_MARK + found.image_after),
        "MARK": _quote(IMAGE_MARK),
        "NEXT_BEFORE": _quote(found.next_before),
        "SAID_BY_ASSISTANT": _say("said.text", "assistant", found),
        "SAID_BY_SYSTEM": _say("chat.system", "system", found),
        "SAID_BY_USER": _say("said.text", "user", found) if found.has_questions else _quote(""),
        "STOP": _quote(found.stop),
        "SYSTEM": _quote(found.system if system is None else system),
        "SYSTEM_AFTER": _quote(found.system_after),
        "SYSTEM_BEFORE": _quote(found.system_before),
    }
    first, later = (_SHOW, "") if found.images_first else ("", _SHOW)
    turns = _TURNS.replace("@SHOWN_LATER@", later)
    lines = (_COUNT + first + (_OPEN if found.has_system else _OPEN_BARE) + turns).split("\n")
    text = "".join(line.strip() for line in lines)
    return re.sub(r"@([A-Z_]+)@", lambda name: values[name[1]], text)


def _say(text: str, role: str, template: Template) -> str:
    return f"{text}.strip()" if role in template.strips else text


def _quote(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
