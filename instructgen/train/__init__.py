"""Two stages on one engine: chats become masked tokens, tokens become rows, rows become steps."""
