"""A server of the openai teacher as batches ask it: the same bodies and rules, the batch price."""

from typing import TYPE_CHECKING

from msgspec.structs import replace

from instructgen.attempts import AttemptError
from instructgen.config import TeacherConfig
from instructgen.records import Cost, Reply, Request
from instructgen.teachers.openai_answer import AnswerRules, read_reply
from instructgen.teachers.openai_batch import clean
from instructgen.teachers.prices import find_price

if TYPE_CHECKING:
    from instructgen.teachers.openai_chat import Bodies
    from instructgen.teachers.openai_client import AiohttpOpenAI


class OpenAIBatchServer:
    """Made by OpenAIServer.for_batches, of its own parts; closing the server closes the client."""

    def __init__(
        self, name: str, client: "AiohttpOpenAI", bodies: "Bodies", rules: AnswerRules, config: TeacherConfig
    ) -> None:
        self.name = name
        self.client = client
        self._bodies = bodies
        self._rules = {rules.model: _with_batch_price(rules)}
        self._own_rules = rules
        self._config = config

    def body(self, request: Request) -> bytes:
        """Return the JSON body of one request."""
        return self._bodies.write(request)

    def most(self, request: Request) -> Cost:
        """Return the most that the request can cost in a batch."""
        prompt_tokens = self._bodies.max_prompt_tokens(request)
        completion_tokens = self._config.decoding.max_tokens or 0
        price = self._rules[self._own_rules.model].price
        nano_usd = 0 if price is None else price.nano_usd(prompt_tokens, completion_tokens)
        return Cost(nano_usd, prompt_tokens + completion_tokens)

    def read(self, completion: bytes, request_id: str, model: str) -> Reply:
        """Return the reply of a batch that asked this model, which need not be the one that is asked now.

        Raises AttemptError for a completion without a usable answer.
        """
        from instructgen.teachers.openai_client import read_completion

        try:
            found = read_completion(completion)
        except ValueError as error:
            raise AttemptError("bad_response", clean(str(error)), is_worth_retry=True, may_have_cost=True) from None
        return read_reply(found, request_id, self._find_rules(model))

    def _find_rules(self, model: str) -> AnswerRules:
        rules = self._rules.get(model)
        if rules is None:
            price = find_price(self._config, model, str(self.client.base_url))
            rules = self._rules[model] = _with_batch_price(replace(self._own_rules, model=model, price=price))
        return rules


def _with_batch_price(rules: AnswerRules) -> AnswerRules:
    return replace(rules, price=None if rules.price is None else rules.price.for_batch())
