"""Who sees whom in the Q-Former: one mask for each of the three losses (2301.12597, figure 2).

True is seen. Queries stand before the text, and see each other always.
"""

import torch
from torch import Tensor

# B samples, Q queries, L positions of text


def text_mask(is_token_bl: Tensor) -> Tensor:
    """Text alone, in both directions: [B, 1, L]."""
    return is_token_bl[:, None]


def both_mask(is_token_bl: Tensor, num_queries: int) -> Tensor:
    """Queries and text see each other, for matching: [B, 1, Q + L]."""
    queries_bq = is_token_bl.new_ones(len(is_token_bl), num_queries)
    return torch.cat((queries_bq, is_token_bl), 1)[:, None]


def causal_mask(is_token_bl: Tensor, num_queries: int) -> Tensor:
    """Text sees the queries and the text up to itself: the text's rows alone, [B, L, Q + L]."""
    length = is_token_bl.shape[1]
    before_ll = is_token_bl.new_ones(length, length).tril()
    own_bll = before_ll & is_token_bl[:, None]
    return torch.cat((own_bll.new_ones(len(is_token_bl), length, num_queries), own_bll), 2)


def unilm_mask(is_token_bl: Tensor, num_queries: int) -> Tensor:
    """The same with the queries' rows, which see no text (UniLM, 1905.03197): [B, Q + L, Q + L]."""
    num_samples, length = is_token_bl.shape
    queries = is_token_bl.new_ones(num_samples, num_queries, num_queries)
    nothing = is_token_bl.new_zeros(num_samples, num_queries, length)
    return torch.cat((torch.cat((queries, nothing), 2), causal_mask(is_token_bl, num_queries)), 1)
